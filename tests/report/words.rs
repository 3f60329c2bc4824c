//! The summary in words: correct in every case, for one run and for replications.

use plimsoll::engine::{Cause, Fate};
use plimsoll::experiment::{
    CostBound, Fault, Figure, LevelObjective, Metric, Outcome, Replicated, SameLevel, Samples, TrafficSource, Trial,
    Tuned,
};
use plimsoll::policy::Foresight;
use plimsoll::report::{Words, words};
use plimsoll::units::{Fraction, SimDuration, SimTime, Usd};
use rstest::rstest;

use super::{DAY, files, synthetic};

fn day(change: impl FnOnce(&mut Outcome)) -> Outcome {
    let mut outcome = DAY.clone();
    change(&mut outcome);
    outcome
}

fn objectives(outcome: &mut Outcome) -> impl Iterator<Item = &mut plimsoll::engine::ObjectiveRecord> {
    outcome.runs.iter_mut().flat_map(|run| &mut run.services).flat_map(|service| &mut service.objectives)
}

fn none_meets(outcome: &mut Outcome) {
    objectives(outcome).for_each(|objective| objective.good = objective.total / 2);
}

fn without_objectives(outcome: &mut Outcome) {
    outcome.runs.iter_mut().flat_map(|run| &mut run.services).for_each(|service| service.objectives.clear());
}

fn keep(outcome: &mut Outcome, policies: &[&str]) {
    outcome.runs.retain(|run| policies.contains(&run.policy.as_str()));
}

fn closed_loop(outcome: &mut Outcome) {
    outcome.traffic[0].source = TrafficSource::ClosedLoop { users: 2_500 };
    outcome.runs[1].services[0].counts.arrived -= 1_000;
}

fn bounded(outcome: &mut Outcome, dollars: f64) {
    outcome.bound = Some(CostBound {
        cost: Usd::from_nanos((dollars * 1e9) as i128),
        nodes: Usd::ZERO,
        objective: "99.9% within 300 ms".into(),
        interval: SimDuration::from_secs(60),
    });
}

/// Each case: the beginning of the question, the beginning of the answer, and words that the summary must contain.
#[rstest]
#[case::several(
    day(|_| ()),
    "Which of 3 policies (static-58, hpa-cpu-60 and hpa-cpu-80) keeps “99.9% within 300 ms” and “99.95% answered” at the least cost? \
     lower-bound knows the trace",
    "hpa-cpu-60 is the cheapest policy that meets every objective: $",
    &["less than static-58", "hpa-cpu-80 costs less", "replicas still starting (75.0%), too few replicas ordered (25.0%)",
      "Each policy was run once", "the recorded trace shop.csv.zst", "A run lasts 1d; it has", "not for another day",
      "For confidence intervals: `plimsoll compare scenarios/shop-peak.yaml --seed 7 --as-is`", "of the error budget of"]
)]
#[case::none_meets(
    day(none_meets),
    "Which of 3 policies",
    "No policy meets every objective. Closest is ",
    &["static-58 ($", "hpa-cpu-60 ($", "hpa-cpu-80 ($", "(49.9% attained)"]
)]
#[case::no_objectives(
    day(without_objectives),
    "Which of 3 policies (static-58, hpa-cpu-60 and hpa-cpu-80) costs least? No objective is stated.",
    "hpa-cpu-80 is the cheapest policy at $",
    &["only cost is compared"]
)]
#[case::one_policy(
    day(|o| keep(o, &["hpa-cpu-60"])),
    "Does hpa-cpu-60 keep “99.9% within 300 ms” and “99.95% answered”, and what does it cost?",
    "hpa-cpu-60 meets every objective and costs $",
    &["The policy was run once, so no figure has a confidence interval."]
)]
#[case::one_policy_that_misses(
    day(|o| keep(o, &["hpa-cpu-80"])),
    "Does hpa-cpu-80 keep",
    "hpa-cpu-80 does not meet every objective: it misses “99.9% within 300 ms”",
    &["causes of bad requests"]
)]
#[case::one_policy_without_objectives(
    day(|o| { keep(o, &["static-58"]); without_objectives(o) }),
    "What does static-58 cost, and how long do requests take? No objective is stated.",
    "static-58 is the cheapest policy at $",
    &[]
)]
#[case::clairvoyant_only(
    day(|o| keep(o, &["lower-bound"])),
    "What would policies that know the trace (lower-bound) pay to keep “99.9% within 300 ms”",
    "Only policies that know the trace were run",
    &["could not be run in production"]
)]
#[case::closed_loop(
    day(closed_loop),
    "Which of 3 policies",
    "hpa-cpu-60 is the cheapest",
    &["up to 2,500 users who wait for each answer", "requests, depending on the policy", "In a closed loop a slow policy receives fewer requests"]
)]
#[case::generated(
    day(|o| o.traffic[0].source = TrafficSource::Generated { generator: "nhpp".into() }),
    "Which of 3 policies",
    "hpa-cpu-60 is the cheapest",
    &["come from the generator nhpp", "Generated traffic is one draw (seed 7)"]
)]
#[case::a_zone_is_lost(
    day(|o| o.faults = vec![Fault { what: "zone b lost".into(), from: SimTime::from_secs(7200), to: SimTime::from_secs(7800) }]),
    "Which of 3 policies",
    "hpa-cpu-60 is the cheapest",
    &["Zone b lost from 02:00:00 to 02:10:00."]
)]
#[case::far_from_the_bound(
    day(|o| bounded(o, 10.0)),
    "Which of 3 policies",
    "hpa-cpu-60 is the cheapest",
    &["times the lower bound of $10.00, below which no policy keeps “99.9% within 300 ms”"]
)]
#[case::close_to_the_bound(day(|o| bounded(o, 30.0)), "Which of 3 policies", "hpa-cpu-60 is", &["% above the lower bound of $30.00"])]
#[case::merged(
    day(|o| o.command = "plimsoll run a.yaml --out part-1 && plimsoll report part-1/* --out merged".into()),
    "Which of 3 policies",
    "hpa-cpu-60 is",
    &["For confidence intervals: `plimsoll compare --as-is`, which repeats"]
)]
#[case::nothing(synthetic::empty(), "No policy was run.", "Nothing was run.", &[])]
fn one_run(#[case] outcome: Outcome, #[case] asked: &str, #[case] answer: &str, #[case] others: &[&str]) {
    let words = words(&outcome);
    assert!(words.asked[0].starts_with(asked), "{words:#?}");
    assert!(words.verdict.answer.starts_with(answer), "{words:#?}");
    let all = format!("{words:#?}");
    for other in others {
        assert!(all.contains(other), "{other} in {all}");
    }
    sentences_are_whole(&words);
}

/// No sentence contains an invalid number, a missing word, or nothing.
fn sentences_are_whole(words: &Words) {
    let Words { asked, verdict, sure } = words;
    for said in asked.iter().chain([&verdict.answer]).chain(&verdict.details).chain(sure) {
        let gaps = ["NaN", "  ", "“”", "\"\"", "()", " ,", " ."];
        assert!(!said.trim().is_empty() && gaps.iter().all(|gap| !said.contains(gap)), "{said}");
    }
}

#[test]
#[should_panic(expected = "costs NaN")]
fn a_sentence_with_a_number_that_is_none_is_noticed() {
    let mut words = words(&day(|_| {}));
    words.verdict.details.push("p costs NaN".into());
    sentences_are_whole(&words);
}

#[test]
fn a_long_list_of_policies_is_cut() {
    let outcome = day(|o| {
        let run = o.runs[0].clone();
        o.runs = (1..=12).map(|n| plimsoll::engine::RunRecord { policy: format!("p{n}"), ..run.clone() }).collect();
    });
    let asked = words(&outcome).asked.remove(0);
    assert!(asked.starts_with("Which of 12 policies (p1, p2, p3, p4, p5, p6 and 6 more) keeps"), "{asked}");
}

/// Causes below a tenth are not mentioned.
#[test]
fn small_causes_are_not_mentioned() {
    let outcome = day(|o| {
        keep(o, &["hpa-cpu-80"]);
        let causes = &mut o.runs[0].services[0].objectives[0].causes;
        causes.add(Cause::Crash, Fate::Failed, causes.total() / 20);
    });
    assert!(!format!("{:?}", words(&outcome)).contains("replica lost"));
}

/// Ten replications of the day's policies: (policy, cost, share of good requests, variation of both).
fn replicated(arms: &[(&str, f64, f64, f64)]) -> Outcome {
    let figure = |quantity, service, name: &str| Figure { quantity, service, name: name.into() };
    let samples = |(label, cost, good, spread): &(&str, f64, f64, f64)| {
        let spread = |value: f64| (0..10).map(|n| Some(value + spread * (f64::from(n) - 4.5))).collect::<Vec<_>>();
        Samples {
            label: label.to_string(),
            clairvoyant: *label == "lower-bound",
            values: vec![spread(*cost), spread(*good), spread(0.9999)],
        }
    };
    let figures = vec![
        figure(Metric::Cost, None, "cost"),
        figure(Metric::Attainment(0), Some(0), "attainment.1"),
        figure(Metric::Attainment(1), Some(0), "attainment.2"),
    ];
    let (replications, level, precise) = (10, 0.95, None);
    let arms = arms.iter().map(samples).collect();
    let objectives = ["99.9% of requests within 300ms", "99.5% of requests answered"].map(String::from).into();
    day(|o| o.replicated = Some(Replicated { figures, arms, replications, level, precise, recorded: true, objectives }))
}

#[rstest]
#[case::shown(
    &[("static-58", 60.0, 0.9999, 1e-6), ("hpa-cpu-60", 40.0, 0.9995, 1e-6), ("hpa-cpu-80", 30.0, 0.99, 1e-6), ("lower-bound", 20.0, 0.9995, 1e-6)],
    "hpa-cpu-60 is the cheapest policy that keeps every objective with 95% confidence: $40.00 ± $0.0000. static-58, the next that does ($60.00 ± \
     $0.0000): dearer by 50.0% ± ",
    &["hpa-cpu-80 costs less ($30.00 ± $0.0000) but misses “99.9% within 300 ms” (99.0", "lower-bound is clairvoyant",
      "10 replications on common random numbers", "The intervals say nothing about another day", "show the first replication"]
)]
#[case::only_one(
    &[("static-58", 60.0, 0.9999, 1e-6), ("hpa-cpu-60", 40.0, 0.99, 1e-6)],
    "static-58 is the only policy that keeps every objective with 95% confidence; it costs $60.00",
    &["hpa-cpu-60 costs less"]
)]
#[case::alone(&[("static-58", 60.0, 0.9999, 1e-6)], "static-58 keeps every objective with 95% confidence and costs $60.00", &[])]
#[case::not_shown(
    &[("static-58", 60.0, 0.9991, 1e-4), ("hpa-cpu-60", 40.0, 0.99, 1e-6)],
    "No policy is shown to keep every objective with 95% confidence; on average static-58 does, for $60.00",
    &["static-58 ($60.00 ± $0.0002) is not shown to keep “99.9% within 300 ms”", "hpa-cpu-60 ($40.00 ± $0.0000) misses"]
)]
#[case::missed(
    &[("static-58", 60.0, 0.99, 1e-6), ("hpa-cpu-60", 40.0, 0.98, 1e-6)],
    "No policy keeps every objective. Closest is static-58.",
    &["hpa-cpu-60 ($40.00 ± $0.0000) misses"]
)]
#[case::equal(
    &[("static-58", 60.0, 0.9999, 0.0), ("hpa-cpu-60", 60.0, 0.9999, 0.0)],
    "static-58 is the cheapest policy that keeps every objective with 95% confidence: $60.00 ± $0.00. hpa-cpu-60, the next that does ($60.00 ± \
     $0.00): the same in every replication.",
    &[]
)]
#[case::clairvoyant(&[("lower-bound", 20.0, 0.9999, 0.0)], "Only policies that know the trace were run", &["lower-bound is clairvoyant"])]
fn replications(#[case] arms: &[(&str, f64, f64, f64)], #[case] answer: &str, #[case] others: &[&str]) {
    let words = words(&replicated(arms));
    assert!(words.verdict.answer.starts_with(answer), "{words:#?}");
    let all = format!("{words:#?}");
    for other in others {
        assert!(all.contains(other), "{other} in {all}");
    }
}

/// One replication is a run: it gives no interval, and none is claimed.
#[test]
fn one_replication_claims_nothing() {
    let mut outcome = replicated(&[("static-58", 60.0, 0.9999, 0.0)]);
    let result = outcome.replicated.as_mut().unwrap();
    result.replications = 1;
    result.arms.iter_mut().flat_map(|arm| &mut arm.values).for_each(|values| values.truncate(1));
    let all = format!("{:#?}", words(&outcome));
    assert!(!all.contains("confidence:") && all.contains("run once"), "{all}");
}

/// The day at the same service level: a comparison as `compare` stores it.
pub fn compared() -> Outcome {
    let mut outcome = replicated(&[
        ("static-58", 60.0, 0.9999, 1e-6),
        ("hpa-cpu-60", 40.0, 0.9995, 1e-6),
        ("hpa-cpu-80", 50.0, 0.9995, 1e-6),
        ("lower-bound", 20.0, 0.9995, 1e-6),
    ]);
    let trial = |headroom: f64, met| Trial {
        headroom,
        costs: vec![30.0 * headroom, 31.0 * headroom],
        most_ready: 40,
        attained: vec![vec![1.0 - 0.002 / headroom.powi(4); 2]],
        met,
        on_average: met,
        missed: !met,
    };
    let tuned = outcome.runs.iter().map(|run| Tuned {
        policy: run.policy.clone(),
        clairvoyant: run.foresight != Foresight::None,
        trials: vec![trial(1.0, false), trial(1.2, false), trial(1.3, true)],
        chosen: Some(2),
        confirmations: Vec::new(),
        floor: None,
    });
    let objective = LevelObjective {
        service: String::new(),
        text: "99.9% within 300 ms".into(),
        target: Fraction::new(0.999).unwrap(),
    };
    outcome.level = Some(SameLevel { tuned: tuned.collect(), objectives: vec![objective], priced: true });
    outcome.base = 1;
    outcome
}

#[test]
fn a_comparison_says_with_how_much_headroom() {
    let said = words(&compared());
    assert!(said.asked[0].starts_with("With how much headroom does each of 3 policies"), "{said:#?}");
    let details = said.verdict.details.join("\n");
    assert!(details.contains("This is hpa-cpu-60 with 1.30 times the headroom that the scenario states"), "{details}");
    assert!(details.contains("as stated it misses the objectives, for $30.50"), "{details}");
}

#[test]
fn the_page_and_the_summary_say_the_same() {
    for outcome in [DAY.clone(), compared()] {
        let (files, words) = (files(&outcome), words(&outcome));
        let page = std::str::from_utf8(&files["report.html"]).unwrap();
        let summary = std::str::from_utf8(&files["summary.md"]).unwrap();
        let all = words.asked.iter().chain([&words.verdict.answer]).chain(&words.verdict.details).chain(&words.sure);
        for sentence in all {
            // What stands between backticks is code on the page.
            for part in sentence.split('`') {
                assert!(page.contains(&part.replace('\'', "&#x27;").replace('/', "&#x2f;")), "{sentence}");
            }
            assert!(summary.contains(&sentence.replace('_', "\\_")), "{sentence}");
        }
    }
}
