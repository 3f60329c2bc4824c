//! The chart of a story: each metric against its target, below it the size wished for and what became of it, and in words why.

use super::axis::Axis;
use super::canvas::Ink;
use super::chart::{Chart, LEFT, Mark, NOTE_LETTERS, Panel, RIGHT, Sample, Side, WIDTH};
use super::thin::{Point, thin};
use crate::config::slug;
use crate::experiment::{StepCheck, Story, Stretch, Telling};
use crate::policy::{Compared, Gauge};
use crate::report::printing::text;
use crate::units::SimTime;

const MEASURED: Ink = Ink::Series(0);
const WANTED: Ink = Ink::Series(1);
const STABILIZED: Ink = Ink::Series(2);
const DECIDED: Ink = Ink::Text;
const EXPECTED: Ink = Ink::Axis;

/// Metrics drawn; more would make a chart that nobody looks at.
const MAX_METRICS: usize = 4;
/// Reasons told in words.
const MAX_NOTES: usize = 6;
/// Points of one line.
const POINTS: usize = 3_000;
const REPLICAS_HEIGHT: i32 = 190;
const METRIC_HEIGHT: i32 = 110;

/// The chart of a story that was told, called `name`.
pub(super) fn chart(name: &str, story: &Story, telling: &Telling) -> Chart {
    let course = &telling.course;
    let end = course.last().map_or(1.0, |last| last.until.as_secs_f64());
    let metrics = course.iter().map(|stretch| stretch.weighed.metrics.len()).max().unwrap_or(0).min(MAX_METRICS);
    let told = told(&telling.checks);
    let mut panels: Vec<Panel> = (0..metrics).filter_map(|metric| metric_panel(course, metric)).collect();
    panels.push(replicas_panel(telling, &told, end));
    let notes = told.iter().zip(1..).flat_map(|(check, number)| wrapped(&note(number, check))).collect();
    Chart {
        name: format!("story-{}", slug(name)),
        title: story.title.clone(),
        description: description(telling),
        caption: String::new(),
        legend: legend(telling, metrics > 0),
        notes,
        x: Axis::time(end, 12),
        panels,
    }
}

/// The steps whose reasons are told: the first of each kind of reason, and what did not come out as expected.
fn told(checks: &[StepCheck]) -> Vec<&StepCheck> {
    let is_new = |(place, check): &(usize, &StepCheck)| !checks[..*place].iter().any(|other| other.code == check.code);
    let worth = |one: &(usize, &StepCheck)| !one.1.passed || is_new(one);
    checks.iter().enumerate().filter(worth).map(|(_, check)| check).take(MAX_NOTES).collect()
}

fn note(number: usize, check: &StepCheck) -> String {
    let (at, code, reason) = (check.at.since(SimTime::ZERO), check.code.name(), &check.reason);
    match check.passed {
        true if reason.starts_with(code) => format!("{number}. {at}: {reason}"),
        true => format!("{number}. {at}, {code}: {reason}"),
        false => format!("{number}. {at}: expected {}; decided {} ({reason})", check.expected, check.decided),
    }
}

/// Broken into lines of at most so many letters, between words.
fn wrapped(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.len() - 1;
        let letters = lines[line].chars().count() + 1 + word.chars().count();
        match lines[line].is_empty() {
            true => lines[line] += word,
            false if letters <= NOTE_LETTERS => lines[line] = format!("{} {word}", lines[line]),
            false => lines.push(word.into()),
        }
    }
    lines
}

fn description(telling: &Telling) -> String {
    const MOST: usize = 12;
    let changes = telling.course.chunk_by(|a, b| a.size == b.size).filter_map(|same| same.first());
    let sizes: Vec<String> = changes.map(|s| format!("{} from {}", s.size, s.from.since(SimTime::ZERO))).collect();
    let more = if sizes.len() > MOST { " and so on" } else { "" };
    let failed = telling.checks.iter().filter(|check| !check.passed).count();
    let expected = match (telling.checks.len(), failed) {
        (all, 0) => format!("All of {all} expectations hold."),
        (all, failed) => format!("{failed} of {all} expectations do not hold."),
    };
    format!("Replicas: {}{more}. {expected}", sizes[..sizes.len().min(MOST)].join(", "))
}

/// What is drawn, and nothing else.
fn legend(telling: &Telling, has_metrics: bool) -> Vec<(Sample, Ink, String)> {
    let any = |of: &dyn Fn(&Stretch) -> bool| telling.course.iter().any(of);
    let mut entries = Vec::new();
    if has_metrics {
        entries.extend([
            (Sample::Line, MEASURED, "measured"),
            (Sample::Line, Ink::Limit, "target"),
            (Sample::Area, Ink::Needed, "tolerance"),
        ]);
    }
    if any(&|stretch| stretch.weighed.wanted.is_some()) {
        entries.push((Sample::Line, WANTED, "desired by the metrics"));
    }
    if any(&is_held) {
        entries.push((Sample::Line, STABILIZED, "after the window"));
    }
    entries.push((Sample::Line, DECIDED, "decided"));
    if any(&|stretch| stretch.ready < stretch.size) {
        entries.push((Sample::Area, Ink::Short, "pods not ready"));
    }
    if telling.checks.iter().any(|check| check.passed) {
        entries.push((Sample::Ring, EXPECTED, "as expected"));
    }
    if telling.checks.iter().any(|check| !check.passed) {
        entries.push((Sample::Ring, Ink::Limit, "expected, but not so"));
    }
    entries.into_iter().map(|(sample, ink, words)| (sample, ink, words.to_string())).collect()
}

/// Whether a window made something else of the wish.
fn is_held(stretch: &Stretch) -> bool {
    let weighed = &stretch.weighed;
    weighed.stabilized.is_some() && weighed.stabilized != weighed.wanted
}

/// A metric against its target.
fn metric_panel(course: &[Stretch], metric: usize) -> Option<Panel> {
    let of = |stretch: &Stretch| -> Option<Compared> { stretch.weighed.metrics.get(metric).cloned() };
    let Compared { name, gauge, per_pod, .. } = course.iter().find_map(of)?;
    let all: Vec<Compared> = course.iter().filter_map(of).collect();
    let highest = all.iter().flat_map(|c| [c.value.unwrap_or(0.0), c.target, c.tolerated.1]).fold(0.0, f64::max);
    let (unit, scale) = unit(gauge, highest);
    let value = |stretch: &Stretch| of(stretch)?.value.map(|value| value * scale);
    let target = |stretch: &Stretch| of(stretch).map(|compared| compared.target * scale);
    let mut marks: Vec<Mark> = Vec::new();
    for stretches in course.chunk_by(|a, b| of(a).map(|c| c.tolerated) == of(b).map(|c| c.tolerated)) {
        let (Some(first), Some(last)) = (stretches.first(), stretches.last()) else { continue };
        let Some((low, high)) = of(first).map(|compared| compared.tolerated) else { continue };
        let (from, until) = (first.from.as_secs_f64(), last.until.as_secs_f64());
        marks.push(Mark::Cell { ink: Ink::Needed, from: (from, low * scale), to: (until, high * scale) });
    }
    marks.push(Mark::Line { ink: Ink::Limit, segments: steps(course, target) });
    marks.push(Mark::Line { ink: MEASURED, segments: steps(course, value) });
    let y = Axis::from_zero(highest * scale, 4, unit.trim(), text::number);
    marks.extend(gaps(course, &y, |stretch| value(stretch).is_some()));
    let title = match all.first() {
        Some(Compared { target, tolerated: (low, high), .. }) => {
            let [target, low, high] = [*target, *low, *high].map(|value| plain(value * scale));
            let each = if per_pod { " per pod" } else { "" };
            format!("{name}{each}, target {target}{unit}: nothing changes from {low} to {high}")
        }
        None => name,
    };
    Some(Panel { title: Some((None, title)), height: METRIC_HEIGHT, y, marks })
}

/// Words where there is no value for long enough to hold them.
fn gaps(course: &[Stretch], y: &Axis, known: impl Fn(&Stretch) -> bool) -> Vec<Mark> {
    const WORDS: &str = "no value";
    let span = course.last().map_or(0.0, |last| last.until.as_secs_f64());
    let gaps = course.chunk_by(|a, b| known(a) == known(b)).filter_map(|same| same.first().zip(same.last()));
    let ends = gaps.filter(|(first, _)| !known(first)).map(|(a, b)| (a.from.as_secs_f64(), b.until.as_secs_f64()));
    let wide = ends.filter(|(from, until)| until - from > 0.12 * span);
    let words = |(from, until)| Mark::Words {
        ink: Ink::Axis,
        at: (f64::midpoint(from, until), 0.3 * y.high),
        text: WORDS.into(),
        side: Side::Around,
    };
    wide.map(words).collect()
}

/// The unit that a metric is shown in, and what its values are multiplied by.
fn unit(gauge: Gauge, highest: f64) -> (&'static str, f64) {
    const MIB: f64 = 1_048_576.0;
    match gauge {
        Gauge::Share => ("%", 100.0),
        Gauge::Bytes if highest >= 10_240.0 * MIB => (" GiB", 1.0 / (1024.0 * MIB)),
        Gauge::Bytes => (" MiB", 1.0 / MIB),
        Gauge::Number => ("", 1.0),
    }
}

/// Two decimals, without zeros at the end.
fn plain(value: f64) -> String {
    let fixed = text::number(value, 2);
    fixed.trim_end_matches('0').trim_end_matches('.').to_string()
}

/// The size: wished for, after the window, decided; what was expected; numbers of the notes.
fn replicas_panel(telling: &Telling, told: &[&StepCheck], end: f64) -> Panel {
    let course = &telling.course;
    let expected = |check: &StepCheck| check.allowed.map_or(check.size, |(least, most)| check.size.clamp(least, most));
    let sizes = course.iter().map(|stretch| stretch.size).chain(telling.checks.iter().map(expected));
    let most = sizes.max().unwrap_or(1).max(1);
    let wishes = course.iter().flat_map(|stretch| [stretch.weighed.wanted, stretch.weighed.stabilized]);
    let wish = wishes.flatten().max().unwrap_or(0);
    // A wish far beyond what can be would press the rest flat.
    let top = f64::from(wish).min(1.6 * f64::from(most)).max(f64::from(most));
    let y = Axis::from_zero(top * 1.1, 4, "", text::number);
    let size = |stretch: &Stretch| Some(f64::from(stretch.size));
    let mut marks = vec![Mark::Surface { ink: Ink::Short, outlines: course.iter().filter_map(not_ready).collect() }];
    marks.push(Mark::Line { ink: WANTED, segments: steps(course, |stretch| stretch.weighed.wanted.map(f64::from)) });
    let held = |stretch: &Stretch| stretch.weighed.stabilized.filter(|_| is_held(stretch)).map(f64::from);
    marks.push(Mark::Line { ink: DECIDED, segments: steps(course, size) });
    // Above the size, which it mostly is.
    marks.push(Mark::Line { ink: STABILIZED, segments: steps(course, held) });
    let place = |check: &StepCheck| (check.at.as_secs_f64(), f64::from(expected(check)));
    let ring = |check: &StepCheck| if check.passed { EXPECTED } else { Ink::Limit };
    marks.extend(telling.checks.iter().map(|check| Mark::Ring { ink: ring(check), at: place(check) }));
    marks.extend(numbers(told.iter().map(|check| place(check)), &y, end));
    let beyond = if f64::from(wish) > y.high {
        format!("; up to {} are desired", text::count(wish.into()))
    } else {
        String::new()
    };
    Panel { title: Some((None, format!("replicas{beyond}"))), height: REPLICAS_HEIGHT, y, marks }
}

/// The number of each note above its point, below where there is no room, and beside the one before it.
fn numbers(points: impl Iterator<Item = Point>, y: &Axis, end: f64) -> Vec<Mark> {
    let across = end / f64::from(WIDTH - LEFT - RIGHT);
    let up = 16.0 * (y.high - y.low) / f64::from(REPLICAS_HEIGHT);
    let mut free = 7.0 * across;
    let numbered = points.zip(1..).map(|((x, size), number)| {
        let x = x.max(free);
        free = x + 14.0 * across;
        let above = size + up;
        let at = (x, if above + up / 2.0 <= y.high { above } else { size - up });
        Mark::Words { ink: Ink::Text, at, text: number.to_string(), side: Side::Around }
    });
    numbered.collect()
}

/// The pods of a stretch that are not ready, as a surface below the size.
fn not_ready(stretch: &Stretch) -> Option<Vec<Point>> {
    let (from, until) = (stretch.from.as_secs_f64(), stretch.until.as_secs_f64());
    let (low, high) = (f64::from(stretch.ready), f64::from(stretch.size));
    (low < high).then(|| vec![(from, low), (from, high), (until, high), (until, low)])
}

/// Steps over the stretches; where there is no value, a gap.
fn steps(course: &[Stretch], of: impl Fn(&Stretch) -> Option<f64>) -> Vec<Vec<Point>> {
    let mut segments: Vec<Vec<Point>> = Vec::new();
    let mut open = false;
    for stretch in course {
        let Some(value) = of(stretch) else {
            open = false;
            continue;
        };
        let ends = [(stretch.from.as_secs_f64(), value), (stretch.until.as_secs_f64(), value)];
        match segments.last_mut().filter(|_| open) {
            Some(segment) => segment.extend(ends),
            None => segments.push(ends.into()),
        }
        open = true;
    }
    let share = POINTS / segments.len().max(1);
    segments.into_iter().map(|segment| thin(&segment, share)).collect()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{Diagnostics, SourceFile};

    fn drawn(steps: &str) -> Chart {
        let text = format!(
            "story: A story\npolicy: {{ hpa: {{ min: 2, max: 20, target: {{ cpu: 70% }} }} }}\n\
             service: {{ replicas: 4, resources: {{ requests: {{ cpu: 1 }} }}, start-up: 20s }}\nsteps:\n{steps}"
        );
        let mut found = Diagnostics::new();
        let story = Story::parse(&SourceFile::new("s.yaml", &text), Path::new("."), &[], &mut found).unwrap();
        chart("s", &story, &story.tell().unwrap())
    }

    fn words(chart: &Chart) -> Vec<&str> {
        chart.legend.iter().map(|(_, _, words)| words.as_str()).collect()
    }

    #[test]
    fn a_metric_its_target_and_the_size() {
        let chart = drawn(
            "  - { at: 0s, metrics: { cpu: 83% }, expect: 5 }\n  - { at: 1m, metrics: { cpu: 20% }, expect: { reason: stabilized } }\n",
        );
        let titles: Vec<&str> =
            chart.panels.iter().filter_map(|panel| Some(panel.title.as_ref()?.1.as_str())).collect();
        assert_eq!(titles, ["cpu, target 70%: nothing changes from 63 to 77", "replicas"]);
        let legend = [
            "measured",
            "target",
            "tolerance",
            "desired by the metrics",
            "after the window",
            "decided",
            "pods not ready",
            "as expected",
        ];
        assert_eq!(words(&chart), legend);
        assert_eq!(chart.notes[0], "1. 0s, target: cpu 83% of 70% target: 4 -> 5");
        assert!(chart.notes[1].starts_with("2. 1m: stabilized at "), "{:?}", chart.notes);
        assert_eq!(chart.x.high, 75.0);
    }

    #[test]
    fn what_is_not_as_expected_is_said_and_marked() {
        let chart = drawn("  - { at: 0s, metrics: { cpu: 83% }, expect: 5 }\n  - { at: 15s, expect: 9..12 }\n");
        assert!(words(&chart).contains(&"expected, but not so"));
        assert!(chart.notes[1].starts_with("2. 15s: expected 9 to 12 replicas; decided "), "{:?}", chart.notes);
        let rings = chart.panels[1].marks.iter().filter_map(|mark| match mark {
            Mark::Ring { ink, at } => Some((*ink, *at)),
            _ => None,
        });
        assert_eq!(rings.collect::<Vec<_>>(), [(EXPECTED, (0.0, 5.0)), (Ink::Limit, (15.0, 9.0))]);
        assert!(chart.description.ends_with("1 of 2 expectations do not hold."), "{}", chart.description);
    }

    #[test]
    fn an_outage_is_a_gap() {
        let chart = drawn(
            "  - { at: 0s, metrics: { cpu: 70% }, expect: 4 }\n  - { at: 30s, metrics: none }\n  - { at: 1m, expect: 4 }\n",
        );
        let line = chart.panels[0].marks.iter().find_map(|mark| match mark {
            Mark::Line { ink: MEASURED, segments } => Some(segments.clone()),
            _ => None,
        });
        assert_eq!(line.unwrap(), [[(0.0, 70.0), (30.0, 70.0)]]);
        assert!(
            chart.panels[0].marks.iter().any(|mark| matches!(mark, Mark::Words { text, .. } if text == "no value"))
        );
    }

    #[test]
    fn long_reasons_are_broken_between_words() {
        let lines = wrapped(&"word ".repeat(60));
        assert!(lines.len() > 2 && lines.iter().all(|line| line.chars().count() <= NOTE_LETTERS), "{lines:?}");
        assert_eq!(wrapped("short"), ["short"]);
    }
}
