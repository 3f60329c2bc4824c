//! Optimal plans over time: the load, what it needs, and what is run.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, Mark, Panel, Sample};
use super::thin::{Point, thin};
use crate::config::slug;
use crate::experiment::{Provision, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::printing::text;

/// Points of one line.
const POINTS: usize = 3_000;

/// One chart for each plan.
pub(super) fn charts(plans: &[Provision]) -> Vec<Chart> {
    plans.iter().enumerate().map(|(index, plan)| chart(index, plan)).collect()
}

fn chart(index: usize, plan: &Provision) -> Chart {
    let of: Vec<&str> = plan.needs.iter().map(|needs| needs.service.as_str()).collect();
    let of = of.join(", ");
    let needed = |interval: usize| plan.needs.iter().map(|needs| f64::from(needs.replicas[interval])).sum();
    let rate = |interval: usize| plan.needs.iter().map(|needs| needs.rate[interval]).sum();
    let instances = plan.offers.len() > 1 || !plan.offers[0].ends_with(" replicas");
    let mut panels = vec![panel("requests per second", plan, &[(Shape::Line, Ink::Text, &rate)])];
    let running: Vec<Box<dyn Fn(usize) -> f64>> = (0..plan.offers.len())
        .map(|offer| Box::new(move |interval: usize| plan.running(offer, interval)) as Box<dyn Fn(usize) -> f64>)
        .collect();
    let lines = running.iter().enumerate().map(|(offer, of)| (Shape::Line, Ink::Series(offer as u8), &**of));
    let lines: Vec<ChartSeries<'_>> = lines.collect();
    let need: ChartSeries<'_> = (Shape::Area, Ink::Needed, &needed);
    if instances {
        panels.extend([panel("replicas", plan, &[need]), panel("instances", plan, &lines)]);
    } else {
        panels.push(panel("replicas", plan, &[&[need], &lines[..]].concat()));
    }
    let mut legend = vec![(Sample::Area, Ink::Needed, "replicas needed".to_string())];
    legend.extend(plan.offers.iter().enumerate().map(|(i, name)| (Sample::Line, Ink::Series(i as u8), name.clone())));
    let cost = value_text(plan.plan.cost, Unit::Dollars);
    let (fixed, peak) = (
        value_text(plan.fixed, Unit::Dollars),
        text::count((0..plan.intervals()).map(needed).fold(0.0, f64::max) as u64),
    );
    Chart {
        notes: Vec::new(),
        name: format!("provision-{}-{}", index + 1, slug(&of)),
        title: format!("Approximately the cheapest plan: {of}"),
        description: format!("{cost}; one size for the peak of {peak} replicas costs {fixed}."),
        caption: format!(
            "What the load needs (grey) and what is run by an approximately cheapest plan that knows it, in steps of {}: {cost}, where one \
             size for the peak costs {fixed}.",
            plan.interval
        ),
        legend,
        x: Axis::time(plan.intervals() as f64 * plan.interval.as_secs_f64(), 12).on(plan.calendar.as_ref()),
        panels,
    }
}

/// Values by interval, and how they are drawn.
type ChartSeries<'a> = (Shape, Ink, &'a dyn Fn(usize) -> f64);

#[derive(Clone, Copy)]
enum Shape {
    Line,
    Area,
}

/// Steps over the intervals of a plan.
fn panel(title: &str, plan: &Provision, series: &[ChartSeries<'_>]) -> Panel {
    let width = plan.interval.as_secs_f64();
    let steps = |of: &dyn Fn(usize) -> f64| -> Vec<Point> {
        let corners = |i: usize| [(i as f64 * width, of(i)), ((i + 1) as f64 * width, of(i))];
        thin(&(0..plan.intervals()).flat_map(corners).collect::<Vec<Point>>(), POINTS)
    };
    let marks = series.iter().map(|(shape, ink, of)| match shape {
        Shape::Line => Mark::Line { ink: *ink, segments: vec![steps(of)] },
        Shape::Area => Mark::Area { ink: *ink, segments: vec![steps(of)] },
    });
    let values = series.iter().flat_map(|(_, _, of)| (0..plan.intervals()).map(of));
    let highest = values.fold(0.0, f64::max);
    let y = Axis::from_zero(highest, 4, title, |value, decimals| format!("{value:.decimals$}"));
    Panel { title: None, height: 190, y, marks: marks.collect() }
}
