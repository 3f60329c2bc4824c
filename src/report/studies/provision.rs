//! The cheapest plans for a scenario: what to run, what it costs and how far that is from other ways, and when.

use std::fmt::Write;

use crate::experiment::{Provision, Unit};
use crate::report::answers::comparison::value_text;
use crate::report::artifact::{Artifact, ReportError};
use crate::report::printing::grid::Grid;
use crate::report::printing::text;
use crate::units::SimTime;

/// What is run of each offer, and what the plans cost.
pub fn provision_tables(plans: &[Provision]) -> Vec<Grid> {
    vec![offers(plans), costs(plans)]
}

fn offers(plans: &[Provision]) -> Grid {
    let header = ["Run", "highest", "mean", "committed", "on spot, mean", "starts", "ready after"];
    let mut rows = Vec::new();
    for plan in plans {
        for (offer, name) in plan.offers.iter().enumerate() {
            let running = || (0..plan.intervals()).map(|interval| plan.running(offer, interval));
            let spot = (0..plan.intervals()).map(|interval| plan.spot(offer, interval)).sum::<f64>();
            let intervals = plan.intervals().max(1) as f64;
            rows.push(vec![
                name.clone(),
                whole(running().fold(0.0, f64::max)),
                text::number(running().sum::<f64>() / intervals, 1),
                whole(plan.plan.reserved[offer]),
                text::number(spot / intervals, 1),
                whole(plan.plan.starts[offer].iter().sum()),
                plan.leads[offer].to_string(),
            ]);
        }
    }
    Grid { header: header.map(String::from).into(), rows, notes: Vec::new() }
}

/// A number of whole things.
fn whole(value: f64) -> String {
    text::count(value.round() as u64)
}

fn costs(plans: &[Provision]) -> Grid {
    let header = ["Plan", "cost", "if fractions could be run", "one size for the peak", "saved by the plan"];
    let dollars = |cost: f64| value_text(cost, Unit::Dollars);
    let row = |plan: &Provision| {
        let saved =
            if plan.fixed > 0.0 { text::percent(1.0 - plan.plan.cost / plan.fixed) } else { text::MISSING.into() };
        vec![title(plan), dollars(plan.plan.cost), dollars(plan.relaxed), dollars(plan.fixed), saved]
    };
    Grid { header: header.map(String::from).into(), rows: plans.iter().map(row).collect(), notes: notes(plans) }
}

fn title(plan: &Provision) -> String {
    plan.needs.iter().map(|needs| needs.service.as_str()).collect::<Vec<_>>().join(", ")
}

fn notes(plans: &[Provision]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(plan) = plans.first() {
        notes.push(format!(
            "In steps of {}, with the whole trace known. What a step needs follows from its mean load by a queueing formula; \
             policies `lp-optimal` and `dp-optimal` carry such a plan out in the simulation and tell its latency.",
            plan.interval
        ));
    }
    if plans.iter().any(|plan| !plan.plan.proven) {
        notes.push(
            "The search ended with its time limit: the plan is the best found, and fractions bound what is left."
                .into(),
        );
    }
    for needs in plans.iter().flat_map(|plan| &plan.needs).filter(|needs| needs.out_of_reach) {
        notes.push(format!(
            "{}: the latency objective is out of reach even without any wait, so the plan only keeps queues from growing.",
            needs.service
        ));
    }
    notes
}

/// The plans interval by interval as CSV, and as charts.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn provision_files(plans: &[Provision]) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("provision.csv", csv(plans))];
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::provision_files(plans)?);
    let _ = &mut all;
    Ok(all)
}

/// One row for each plan, interval and offer.
fn csv(plans: &[Provision]) -> String {
    let mut csv = String::from(
        "plan,from_s,from_time,requests_per_s,replicas_needed,offer,running,of_them_committed,of_them_spot,starts,stops\n",
    );
    for plan in plans {
        let name = text::csv_field(&title(plan));
        for interval in 0..plan.intervals() {
            let from = interval as f64 * plan.interval.as_secs_f64();
            let start = SimTime::ZERO + plan.interval * interval as u64;
            let time = plan.calendar.as_ref().map_or_else(String::new, |calendar| calendar.time_of(start));
            let rate: f64 = plan.needs.iter().map(|needs| needs.rate[interval]).sum();
            let replicas: u64 = plan.needs.iter().map(|needs| u64::from(needs.replicas[interval])).sum();
            for (offer, of) in plan.offers.iter().enumerate() {
                let _ = writeln!(
                    csv,
                    "{name},{from},{time},{rate},{replicas},{},{},{},{},{},{}",
                    text::csv_field(of),
                    plan.running(offer, interval),
                    plan.plan.reserved[offer],
                    plan.spot(offer, interval),
                    plan.plan.starts[offer][interval],
                    plan.plan.stops[offer][interval],
                );
            }
        }
    }
    csv
}
