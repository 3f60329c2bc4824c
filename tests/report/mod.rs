//! Reports of synthetic outcomes: their content, exact values, and robustness.

mod page;
mod stored;
mod synthetic;
mod words;

use std::collections::BTreeMap;
use std::sync::LazyLock;

use plimsoll::engine::RunRecord;
use plimsoll::experiment::Outcome;
use plimsoll::policy::Foresight;
use plimsoll::report::{TableStyle, artifacts, bill, table, verdict};
use plimsoll::units::{Fraction, SimDuration, SimTime, Usd};
use rstest::rstest;

static DAY: LazyLock<Outcome> = LazyLock::new(synthetic::day);
static FILES: LazyLock<BTreeMap<String, Vec<u8>>> = LazyLock::new(|| files(&DAY));

const TERMINAL: TableStyle = TableStyle::Terminal { width: 100, color: false };

fn files(outcome: &Outcome) -> BTreeMap<String, Vec<u8>> {
    artifacts(outcome).unwrap().into_iter().map(|artifact| (artifact.name, artifact.bytes)).collect()
}

fn text(name: &str) -> &'static str {
    std::str::from_utf8(&FILES[name]).unwrap()
}

fn json() -> serde_json::Value {
    serde_json::from_str(text("summary.json")).unwrap()
}

/// Writes the files to the directory named by `PLIMSOLL_REPORT_DIR`, for looking at them.
#[test]
fn every_file_is_deterministic() {
    assert_eq!(files(&synthetic::day()), *FILES);
    if let Some(directory) = std::env::var_os("PLIMSOLL_REPORT_DIR") {
        for (name, bytes) in &*FILES {
            std::fs::write(std::path::Path::new(&directory).join(name), bytes).unwrap();
        }
    }
}

#[test]
fn the_table_fits_and_reads_well() {
    let table = table(&DAY, TERMINAL);
    assert!(table.lines().take_while(|line| !line.starts_with('*')).all(|line| line.chars().count() <= 100), "{table}");
    insta::assert_snapshot!("table", table);
}

#[test]
fn the_summary_reads_well() {
    insta::assert_snapshot!("summary", text("summary.md"));
}

#[test]
fn colour_is_added_only_when_asked_for() {
    let colored = table(&DAY, TableStyle::Terminal { width: 100, color: true });
    assert!(colored.contains("\x1b[32m✓\x1b[0m") && !table(&DAY, TERMINAL).contains('\x1b'));
}

#[test]
fn many_policies_stay_within_the_width() {
    let mut outcome = DAY.clone();
    outcome.runs.extend(DAY.runs.clone());
    let table = table(&outcome, TERMINAL);
    assert_eq!(table.matches("hpa-cpu-60").count(), 2);
    assert!(table.lines().filter(|line| line.contains('─')).all(|line| line.chars().count() <= 100), "{table}");
}

#[test]
fn the_bill_adds_up_exactly() {
    for run in &DAY.runs {
        let total: Usd = bill(&run.leases).iter().map(|line| line.cost).sum();
        assert_eq!(Some(total), run.cost);
    }
    let document = json();
    for policy in document["policies"].as_array().unwrap() {
        let nanos = |value: &serde_json::Value| {
            let text = value.to_string();
            let (whole, fraction) = text.split_once('.').unwrap_or((&text, ""));
            format!("{whole}{fraction:0<9}").parse::<i128>().unwrap()
        };
        let lines = policy["bill"].as_array().unwrap().iter().map(|line| nanos(&line["cost_usd"])).sum::<i128>();
        assert_eq!(lines, nanos(&policy["cost_usd"]));
    }
}

#[test]
fn money_beyond_binary64_is_exact_in_json() {
    let mut outcome = DAY.clone();
    outcome.runs[0].cost = Some(Usd::from_nanos(123_456_789_012_345_678_901));
    assert!(table(&outcome, TableStyle::Json).contains("\"cost_usd\": 123456789012.345678901,"));
}

#[test]
fn missing_is_null_or_empty_and_never_zero() {
    let mut outcome = DAY.clone();
    outcome.runs[0].services[0].objectives[0].total = 0;
    outcome.price_date.clear();
    let document: serde_json::Value = serde_json::from_str(&table(&outcome, TableStyle::Json)).unwrap();
    let service = &document["policies"][0]["services"][0];
    assert!(service["waiting_p99_ms"].is_null() && service["latency_p99_ms"].is_f64());
    assert!(service["objectives"][0]["attained_ratio"].is_null() && service["objectives"][0]["met"].is_null());
    assert!(document["price_date"].is_null());

    let mut rows = csv::Reader::from_reader(text("timeline.csv").as_bytes());
    let column = rows.headers().unwrap().iter().position(|name| name == "latency_p99_ms").unwrap();
    let rows: Vec<csv::StringRecord> = rows.records().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4 * 1440);
    assert_eq!((rows[0][column].is_empty(), rows[200][column].is_empty()), (false, true));
}

#[test]
fn no_file_holds_a_number_that_is_none() {
    let mut outcome = DAY.clone();
    let service = &mut outcome.runs[1].services[0];
    (service.utilization, service.elasticity.flaps_per_hour) = (Some(f64::NAN), f64::INFINITY);
    service.mean_ready = f64::NAN;
    (service.timeline[5].needed, service.timeline[6].utilization) = (f64::INFINITY, Some(f64::NAN));
    service.objectives[0].target = Fraction::new(1.0).unwrap();
    service.objectives[0].peak_burn_rate = f64::INFINITY;
    for (name, bytes) in files(&outcome)
        .into_iter()
        .filter(|(name, _)| !["png", "parquet", "gz"].iter().any(|ending| name.ends_with(ending)))
    {
        let text = String::from_utf8(bytes).unwrap().to_lowercase();
        let words = text.split(|c: char| !c.is_alphanumeric());
        assert_eq!(words.filter(|word| matches!(*word, "nan" | "inf" | "infinity")).count(), 0, "{name}");
    }
}

#[cfg(feature = "tables")]
#[test]
fn parquet_holds_what_csv_holds() {
    use plimsoll::columnar::{Kind, TableFile};
    let place = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(place.path(), &FILES["timeline.parquet"]).unwrap();
    let mut table = TableFile::open(place.path()).unwrap();
    let facts = table.columns().to_vec();
    let names: Vec<&str> = facts.iter().map(|fact| fact.name.as_str()).collect();
    let csv = text("timeline.csv");
    assert_eq!(names.join(","), csv.lines().next().unwrap());
    let kind = |name: &str| facts.iter().find(|fact| fact.name == name).unwrap().kind;
    assert_eq!([kind("policy"), kind("arrived"), kind("latency_p99_ms")], [Kind::Text, Kind::Whole, Kind::Real]);
    table.want((0..names.len()).collect()).unwrap();
    let columns = table.next(usize::MAX).unwrap().unwrap();
    assert_eq!(columns[0].len(), 4 * 1440);
    let p99 = &columns[names.iter().position(|name| *name == "latency_p99_ms").unwrap()];
    assert_eq!((0..p99.len()).filter(|row| !p99.has(*row)).count(), 4 * 25);
    // Figure by figure the same as in the text, in which missing ones are empty cells.
    for (row, line) in csv.lines().skip(1).enumerate().step_by(97) {
        for (column, cell) in columns.iter().zip(line.split(',')) {
            let figure = column.text(row);
            let equal = figure.as_deref().unwrap_or("") == cell
                || figure.and_then(|text| text.parse::<f64>().ok()) == cell.parse().ok();
            assert!(equal, "{} in row {row}: {cell}", column.name);
        }
    }
}

#[test]
fn the_page_stands_alone() {
    let page = text("report.html");
    assert!(page.len() < 2_000_000, "{} bytes", page.len());
    let run = &DAY.runs[0];
    for expected in
        ["$57.9", &run.policy, "clairvoyant", "sha256:9f86", "2025-06-01", "--seed 7", "99.9% within 300 ms"]
    {
        assert!(page.contains(expected), "{expected}");
    }
}

#[test]
fn nothing_in_an_outcome_becomes_markup() {
    let evil = "<script>alert(1)</script>|\"&\u{7}";
    let mut outcome = DAY.clone();
    for text in [&mut outcome.title, &mut outcome.description, &mut outcome.command, &mut outcome.scenario] {
        *text = evil.into();
    }
    outcome.assumptions = vec![evil.into()];
    outcome.inputs[0].name = evil.into();
    let run = &mut outcome.runs[1];
    run.policy = evil.into();
    run.leases[0].what = evil.into();
    run.services[0].name = evil.into();
    run.services[0].objectives[0].text = evil.into();
    run.services[0].decisions[0].detail = evil.into();
    for (name, bytes) in files(&outcome) {
        if name.ends_with(".html") || name.ends_with(".svg") || name.ends_with(".md") {
            let text = String::from_utf8(bytes).unwrap();
            let code: String = text.split("```").step_by(2).collect();
            assert!(!code.contains("<script>alert"), "{name}");
        }
    }
}

#[cfg(feature = "charts")]
#[test]
fn charts_are_valid_small_and_complete() {
    let svgs: Vec<_> = FILES.iter().filter(|(name, _)| name.ends_with(".svg")).collect();
    let names: Vec<&str> = svgs.iter().map(|(name, _)| name.trim_end_matches(".svg")).collect();
    assert_eq!(
        names,
        [
            "cost-over-time",
            "frontier-1",
            "frontier-2",
            "latency-cdf",
            "latency-over-time",
            "load-and-capacity",
            "replicas",
            "timeline-1-static-58",
            "timeline-2-hpa-cpu-60",
            "timeline-3-hpa-cpu-80",
            "timeline-4-lower-bound",
        ]
    );
    for (name, bytes) in svgs {
        let svg = std::str::from_utf8(bytes).unwrap();
        assert!(bytes.len() < 150_000, "{name}: {} bytes", bytes.len());
        let tree = resvg::usvg::roxmltree::Document::parse(svg).unwrap();
        let texts: Vec<&str> = tree.descendants().filter(|n| n.has_tag_name("text")).filter_map(|n| n.text()).collect();
        let drawn = DAY.runs.iter().filter(|run| !name.starts_with("timeline") || name.contains(&run.policy));
        for run in drawn {
            assert!(texts.iter().any(|text| text.starts_with(&run.policy)), "{name} lacks {}: {texts:?}", run.policy);
        }
        let alone = name.starts_with("timeline") && !name.contains("lower-bound");
        assert!(alone || texts.iter().any(|text| text.contains("(clairvoyant)")), "{name}");
        let png = &FILES[&name.replace(".svg", ".png")];
        assert!(png.starts_with(b"\x89PNG"));
    }
}

/// Text for which a renderer finds no font is omitted silently: an image without its text differs.
#[cfg(feature = "charts")]
#[test]
fn text_is_in_the_picture() {
    let mut renamed = DAY.clone();
    renamed.runs[0].policy = "static-59".into();
    let renamed = files(&renamed);
    let shows_it = |name: &str| !name.starts_with("timeline") || name == "timeline-1-static-58.png";
    for (name, bytes) in FILES.iter().filter(|(name, _)| name.ends_with(".png") && shows_it(name)) {
        let other = &renamed[&name.replace("static-58", "static-59")];
        assert_ne!(bytes, other, "{name}");
    }
}

fn cut(minutes: usize) -> Outcome {
    let mut outcome = DAY.clone();
    for service in outcome.runs.iter_mut().flat_map(|run| &mut run.services) {
        service.timeline.truncate(minutes);
    }
    outcome
}

fn blank() -> Outcome {
    let run = |run: &RunRecord| RunRecord {
        services: vec![synthetic::blank_service()],
        leases: Vec::new(),
        cost: Some(Usd::ZERO),
        end: SimTime::ZERO,
        ..run.clone()
    };
    Outcome { runs: DAY.runs.iter().map(run).collect(), ..synthetic::empty() }
}

fn without_services() -> Outcome {
    let run = |run: &RunRecord| RunRecord { services: Vec::new(), ..run.clone() };
    Outcome { runs: DAY.runs.iter().map(run).collect(), ..synthetic::empty() }
}

fn only_silence() -> Outcome {
    let mut outcome = cut(30);
    for service in outcome.runs.iter_mut().flat_map(|run| &mut run.services) {
        for interval in &mut service.timeline {
            (interval.sojourn, interval.waiting, interval.needed) = (None, None, 0.0);
        }
    }
    outcome
}

fn instant_answers() -> Outcome {
    let mut outcome = cut(3);
    for service in outcome.runs.iter_mut().flat_map(|run| &mut run.services) {
        service.sojourn.clear();
        service.sojourn.record(SimDuration::ZERO);
        service.timeline[1].sojourn = Some([SimDuration::ZERO; 3]);
    }
    outcome
}

#[rstest]
#[case::no_runs(synthetic::empty())]
#[case::blank(blank())]
#[case::no_services(without_services())]
#[case::no_intervals(cut(0))]
#[case::one_interval(cut(1))]
#[case::only_silence(only_silence())]
#[case::instant_answers(instant_answers())]
fn sparse_outcomes_are_reported(#[case] outcome: Outcome) {
    let files = files(&outcome);
    assert!(files["report.html"].len() > 1_000 && files["summary.json"].len() > 500);
    assert!(!table(&outcome, TERMINAL).contains("NaN"));
}

#[cfg(feature = "charts")]
#[test]
fn long_runs_with_many_policies_and_services_stay_small() {
    let mut outcome = DAY.clone();
    for run in &mut outcome.runs {
        let mut service = run.services[0].clone();
        let day = service.timeline.clone();
        for n in 1..7 {
            service.timeline.extend(day.iter().map(|interval| plimsoll::engine::Interval {
                start: interval.start + SimDuration::from_secs(86_400 * n),
                ..interval.clone()
            }));
        }
        run.end = SimTime::from_secs(7 * 86_400);
        run.services = vec![service; 3];
    }
    outcome.runs = (0..5).flat_map(|_| outcome.runs.clone()).collect();
    let files = files(&outcome);
    assert!(files["report.html"].len() < 2_000_000, "{} bytes", files["report.html"].len());
    for (name, bytes) in files.iter().filter(|(name, _)| name.ends_with(".svg")) {
        assert!(bytes.len() < 150_000, "{name}: {} bytes", bytes.len());
    }
    assert!(files.contains_key("latency-cdf-2-checkout.svg"));
}

#[test]
fn the_verdict_names_the_cheapest_that_meets_the_objectives() {
    let verdict = verdict(&DAY);
    assert!(verdict.answer.starts_with("hpa-cpu-60 is the cheapest policy that meets every objective"), "{verdict:?}");
    assert!(verdict.details[0].starts_with("hpa-cpu-80 costs less"), "{verdict:?}");
    assert!(verdict.details[1].starts_with("lower-bound is clairvoyant"), "{verdict:?}");
}

#[test]
fn the_verdict_says_if_no_policy_meets_the_objectives() {
    let mut outcome = DAY.clone();
    for objective in outcome.runs.iter_mut().flat_map(|run| &mut run.services[0].objectives) {
        objective.good = objective.total / 2;
    }
    assert!(verdict(&outcome).answer.starts_with("No policy meets every objective."));
    assert!(!table(&outcome, TERMINAL).lines().nth(3).unwrap().contains('*'), "no cost is best if none counts");
}

#[test]
fn the_verdict_never_recommends_a_clairvoyant_policy() {
    let mut outcome = DAY.clone();
    for run in &mut outcome.runs {
        run.foresight = Foresight::Clairvoyant;
    }
    assert!(verdict(&outcome).answer.contains("a yardstick, not a choice"));
}
