//! The engine compared with exact results of queueing theory: every case of the table whose family is modelled.
//!
//! Each figure is measured in independent replications without their warm-up, and its 99% Student interval has to cover
//! the exact value; a miss is only reported if a second seed misses as well. Over the whole table no figure may be more
//! than 4.5 standard errors off, and at most 7% of them more than 1.96.

mod figures;
mod reading;

use std::collections::BTreeMap;
use std::time::Instant;

use plimsoll::random::Distribution;
use plimsoll::validate::verify::{
    After, Arrivals, Discipline, Length, Observed, Station, Statistic, TheoryRun, VerifyRow,
};
use serde_json::{Value, json};

use self::figures::{Figure, SAMPLES, figures, is_demanding, moment};
use self::reading::{Case, Kind, Problem, Subject, read};
use crate::support::{announce, reference_files};

/// The amount of simulation.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Effort {
    /// Takes seconds: [`SHORT`] requests per case, without cases that state more than [`HEAVY`].
    Short,
    /// Every case at its stated length.
    Long,
}

/// Requests per case in the short test, summed over all replications.
const SHORT: f64 = 1e6;
/// Cases with a longer stated run are left to the long test: at their loads a short run is all warm-up.
const HEAVY: f64 = 12e6;
/// Requests in the long test for a case that states no length.
const UNSTATED: f64 = 40e6;
/// Visits of stations by a request up to which [`SHORT`] counts requests, not visits.
const MOST_VISITS: f64 = 5.0;
/// Minimum number of requests of a case in the long test: its statement may be about an easier figure than the others.
const LEAST: f64 = 10e6;
/// Replications of a case in its stationary state.
const REPLICATIONS: u64 = 32;
/// Replications from one state to the times of a transient case, short and long.
const TRANSIENTS: [u64; 2] = [2_000, 40_000];

/// Maximum normal score of a figure.
const FARTHEST: f64 = 4.5;
/// Maximum share of figures with a score above 1.96.
const MAX_FAR: f64 = 0.07;

/// The cases that take seconds.
#[test]
fn queueing() {
    prove(Effort::Short);
}

#[test]
#[ignore = "billions of requests: heavy loads at their stated lengths"]
fn queueing_long() {
    prove(Effort::Long);
}

/// The results of the table.
#[derive(Default)]
struct Outcome {
    /// Cases run and cases passed, by family.
    families: BTreeMap<String, [u32; 2]>,
    failures: Vec<String>,
    left_to_long: u32,
    not_modelled: BTreeMap<String, u32>,
    scores: Vec<f64>,
}

fn prove(effort: Effort) {
    let mut outcome = Outcome::default();
    for path in reference_files("queueing") {
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let document: Value = serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
        let cases = document["cases"].as_array().unwrap_or_else(|| panic!("{}: no cases", path.display()));
        assert_eq!(document["count"].as_u64(), Some(cases.len() as u64), "{}: wrong count", path.display());
        for case in cases {
            // A case that cannot be read is one failure, not the end of the run.
            let result = std::panic::catch_unwind(|| check(case, effort));
            let panicked = || Err(Problem::Unreadable("the case panicked (see above)".into()));
            outcome.note(case, result.unwrap_or_else(|_| panicked()));
        }
    }
    outcome.judge_scores();
    outcome.announce();
    assert!(outcome.failures.is_empty(), "failed:\n{}", outcome.failures.join("\n"));
}

impl Outcome {
    fn note(&mut self, case: &Value, result: Result<Option<Vec<VerifyRow>>, Problem>) {
        let name = case["id"].as_str().unwrap_or("a case without id");
        let family = case["family"].as_str().unwrap_or("no family");
        match result {
            Err(Problem::NotModelled(reason)) => {
                *self.not_modelled.entry(format!("{family} ({reason})")).or_default() += 1;
            }
            Err(Problem::Unreadable(problem)) => {
                self.families.entry(family.into()).or_default()[0] += 1;
                self.failures.push(format!("{name}: {problem}"));
            }
            Ok(None) => self.left_to_long += 1,
            Ok(Some(rows)) => {
                self.scores.extend(rows.iter().map(|row| row.score));
                let wrong: Vec<String> = rows.iter().filter(|row| !row.verdict.is_good()).map(describe).collect();
                let [run, passed] = self.families.entry(family.into()).or_default();
                *run += 1;
                *passed += u32::from(wrong.is_empty());
                if !wrong.is_empty() {
                    self.failures.push(format!("{name}: {}", wrong.join("; ")));
                }
            }
        }
    }

    /// Intervals that all cover may still be off too often: the table is evaluated as a whole.
    fn judge_scores(&mut self) {
        let share = self.scores.iter().filter(|score| score.abs() > 1.96).count() as f64 / self.scores.len() as f64;
        let farthest = self.scores.iter().map(|score| score.abs()).fold(0.0, f64::max);
        announce(&format!(
            "queueing: {} figures, {:.1}% of scores above 1.96, the largest {farthest:.2}",
            self.scores.len(),
            100.0 * share
        ));
        // Written so that a score of NaN fails.
        if !(share <= MAX_FAR && self.scores.iter().all(|score| score.abs() <= FARTHEST)) {
            self.failures.push("the table as a whole: too many scores too far off".into());
        }
    }

    fn announce(&self) {
        for (family, [run, passed]) in &self.families {
            announce(&format!("queueing: {passed} of {run} of {family}"));
        }
        for (family, count) in &self.not_modelled {
            announce(&format!("queueing: NOT MODELLED, not counted: {count} of {family}"));
        }
        if self.left_to_long > 0 {
            announce(&format!("queueing: left to queueing_long, not counted: {} cases", self.left_to_long));
        }
        let [run, passed] = [0, 1].map(|column| self.families.values().map(|counts| counts[column]).sum::<u32>());
        announce(&format!("queueing: passed {passed} of {run}"));
        for failure in &self.failures {
            announce(&format!("queueing: FAILED {failure}"));
        }
    }
}

fn describe(row: &VerifyRow) -> String {
    let (low, high) = (row.interval.low(), row.interval.high());
    format!("{} is {} ({low} to {high}), expected {}, score {:.2}", row.metric, row.observed, row.expected, row.score)
}

/// The figures of one case; `None` if it takes too long for this effort.
fn check(value: &Value, effort: Effort) -> Result<Option<Vec<VerifyRow>>, Problem> {
    let text = |key: &str| value[key].as_str().ok_or(format!("no `{key}`"));
    let object = |key: &str| value[key].as_object().ok_or(format!("no `{key}`"));
    let case = Case {
        id: text("id")?,
        family: text("family")?,
        model: object("model")?,
        expected: object("expected")?,
        stated: value["run_length"]["arrivals_for_1pct_95ci"].as_f64(),
    };
    let mut subject = read(&case)?;
    let mut figures = figures(&case, &subject)?;
    let Some((length, replications)) = plan(&case, &mut subject, effort) else { return Ok(None) };
    if effort == Effort::Short && case.stated.is_none_or(|stated| stated > SHORT) {
        figures.retain(|figure| !is_demanding(&figure.name));
    }
    let started = Instant::now();
    let rows = judge(&case, &subject, figures, length, replications)?;
    if std::env::var_os("PLIMSOLL_TIMES").is_some() {
        let far =
            rows.iter().filter(|row| row.score.abs() > 1.96).map(|row| format!(" {} {:.2}", row.metric, row.score));
        announce(&format!("{:>8.2} s  {}{}", started.elapsed().as_secs_f64(), case.id, far.collect::<String>()));
    }
    Ok(Some(rows))
}

fn judge(
    case: &Case<'_>,
    subject: &Subject,
    mut figures: Vec<Figure>,
    length: Length,
    replications: u64,
) -> Result<Vec<VerifyRow>, Problem> {
    if subject.kind == Kind::Transient {
        // A share of replications is only evaluated if at least 20 of them are expected on either side.
        let seen = |share: f64| share.min(1.0 - share) * replications as f64 >= 20.0;
        figures.retain(|figure| !figure.name.starts_with("p_") || seen(figure.expected));
    }
    let expected: Vec<(String, f64)> = figures.iter().map(|figure| (figure.name.clone(), figure.expected)).collect();
    let of = |observed: &Observed| figures.iter().map(|figure| (figure.of)(observed)).collect();
    let trial = TheoryRun { station: &subject.station, length, replications, figures: &of };
    trial.judge(case.id, &expected).map_err(|error| Problem::Unreadable(error.to_string()))
}

/// Length and number of the runs of a case, limited by the necessary sampling; `None` if it is left to the long test.
fn plan(case: &Case<'_>, subject: &mut Subject, effort: Effort) -> Option<(Length, u64)> {
    let long = effort == Effort::Long;
    let station = &mut subject.station;
    match subject.kind {
        Kind::Trace => {
            station.sample_every = Some(0.25);
            Some((Length { warm_up: 0.0, end: 20.0 }, 2))
        }
        Kind::Transient => {
            let moments: Vec<f64> = case.expected.keys().filter_map(|name| moment(name)).collect();
            let divides = |every: &f64| moments.iter().all(|moment| (moment / every).fract() == 0.0);
            let every = [1.0, 0.5, 0.25].into_iter().find(divides).unwrap_or(0.125);
            station.sample_every = Some(every);
            let end = moments.iter().copied().fold(0.0, f64::max) + every;
            Some((Length { warm_up: 0.0, end }, TRANSIENTS[usize::from(long)]))
        }
        Kind::Periodic(period) => {
            station.sample_every = Some(period / f64::from(SAMPLES));
            let requests = if long { UNSTATED } else { SHORT } / REPLICATIONS as f64;
            let periods = (requests / station.arrivals.rate() / period).ceil();
            let warm_up = (20.0 * station.service.mean() / period).ceil().max(periods / 50.0).ceil() * period;
            Some((Length { warm_up, end: warm_up + periods * period }, REPLICATIONS))
        }
        Kind::Steady if subject.many_queues => many_queues(subject, long),
        Kind::Steady => {
            if !long && case.stated.is_some_and(|stated| stated > HEAVY) {
                return None;
            }
            // Stations that are visited very often take as many requests as others.
            let most = SHORT * MOST_VISITS / station.visits().max(MOST_VISITS);
            let requests = if long { case.stated.map_or(UNSTATED, |stated| stated.max(LEAST)) } else { most };
            let batches = matches!(station.discipline, Discipline::Batch(_) | Discipline::Engine { .. });
            let counts = batches || case.expected.keys().any(|name| name.contains("number_") || name == "p_all_busy");
            // The figures of a network are none of samples.
            let counts = counts && station.after == After::Leave;
            station.sample_every = counts.then_some(4.0 * station.mean_service());
            Some((Length::of_requests(station, requests / REPLICATIONS as f64, subject.variability), REPLICATIONS))
        }
    }
}

/// If each arrival chooses among many queues, 1 / (1 - load) is the relevant time scale. More than a few such times
/// would reveal that the number of queues is finite.
fn many_queues(subject: &mut Subject, long: bool) -> Option<(Length, u64)> {
    let time = 1.0 / (1.0 - subject.station.load());
    if !long && time > 4.0 {
        return None;
    }
    subject.station.sample_every = Some(5.0);
    Some((Length { warm_up: 10.0 * time, end: 10.0 * time + 50.0 }, 20))
}

/// Infinitely many servers, where each request of the backlog is still present at t with probability exp(-t), and those
/// that arrived since are 1 - exp(-t) of their number in the long run.
#[test]
fn backlogs_drain() {
    let number = |t: f64| 100.0 * (-t).exp() + 5.0 * (1.0 - (-t).exp());
    let case = json!({
        "id": "backlog",
        "family": "M/M/c(t): backlog",
        "model": { "arrivals": "poisson", "rate": 5.0, "service": { "dist": "exp", "mean": 1.0 }, "servers": "inf", "start": 100 },
        "expected": { "mean_number_t1": number(1.0), "mean_number_t4": number(4.0) },
    });
    let mut outcome = Outcome::default();
    outcome.note(&case, check(&case, Effort::Short));
    assert_eq!(outcome.failures, Vec::<String>::new());
    assert_eq!(outcome.scores.len(), 2);
}

/// A request that is passed on gives its server up (Burke 1956: the departures of an M/M/1 queue are Poisson), and one that
/// comes back joins the queue again (Jackson 1957: the number present is that of an M/M/1 queue with the rate of all visits).
#[test]
fn requests_are_passed_on_and_come_back() {
    let exponential = |mean| Distribution::Exponential { mean };
    let queue = |rate, mean| Station::new(Arrivals::poisson(rate), exponential(mean), 1);
    let number = |load: f64| load / (1.0 - load);
    let second = Station { after: After::ComeBack(0.5), ..queue(1.0, 0.5) };
    let first = Station { after: After::PassOn(Box::new(second), 0.75), ..queue(0.6, 1.0) };
    // A share of 0.75 goes on; each visits the second queue twice on average: 0.6 * 0.75 * 2 = 0.9 visits of 0.5 s.
    let figures = |observed: &Observed| {
        let at = |statistic: Statistic, station| statistic.at(observed, station);
        let at_queue = |station| [Statistic::MeanNumber, Statistic::MeanBusy].map(|one| at(one, station));
        [at_queue(0), at_queue(1)].concat()
    };
    let expected = [("first", number(0.6)), ("busy", 0.6), ("second", number(0.45)), ("busy", 0.45)];
    let length = Length::of_requests(&first, SHORT / REPLICATIONS as f64, 2.0);
    let trial = TheoryRun { station: &first, length, replications: REPLICATIONS, figures: &figures };
    let rows = trial.judge("passed on", &expected.map(|(name, value)| (name.to_string(), value))).unwrap();
    let wrong: Vec<String> = rows.iter().filter(|row| !row.verdict.is_good()).map(describe).collect();
    assert_eq!(wrong, Vec::<String>::new());
}

/// M/M/1 at load 1/2, with a mean wait of 1.
fn sample(family: &str, mean_wait: f64, discipline: &str) -> Value {
    let service = json!({ "dist": "exp", "mean": 1.0 });
    let model =
        json!({ "arrivals": "poisson", "rate": 0.5, "service": service, "servers": 1, "discipline": discipline });
    json!({ "id": "sample", "family": family, "model": model, "expected": { "mean_wait": mean_wait } })
}

#[test]
fn wrong_figures_and_unknown_cases_fail() {
    let mut outcome = Outcome::default();
    let mut note = |case: Value| {
        outcome.note(&case, check(&case, Effort::Short));
        outcome.failures.len()
    };
    assert_eq!(note(sample("M/M/1 FIFO", 1.0, "fifo")), 0);
    assert_eq!(note(sample("M/M/1 FIFO", 1.05, "fifo")), 1);
    assert_eq!(note(sample("M/M/1 LIFO", 1.0, "fifo")), 2);
    assert_eq!(note(sample("M/M/1 FIFO", 1.0, "lifo")), 3);
    let mut unknown = sample("M/M/1 FIFO", 1.0, "fifo");
    unknown["model"]["vacation"] = json!(1.0);
    assert_eq!(note(unknown), 4);
    assert_eq!(outcome.families["M/M/1 FIFO"], [4, 1]);
}
