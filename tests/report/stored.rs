//! Stored results: read back they give the same reports; merged they are one; what does not belong together is refused.

use flate2::{Compression, write::GzEncoder};
use plimsoll::experiment::{Outcome, merge};
use plimsoll::report::{RESULT_FILE, read_result};
use plimsoll::units::Fraction;
use rstest::rstest;
use std::io::{Cursor, Read, Write};

use super::words::compared;
use super::{DAY, FILES, blank, files, synthetic, without_services};

fn again(outcome: &Outcome) -> Outcome {
    read(&files(outcome)[RESULT_FILE]).unwrap()
}

fn read(bytes: &[u8]) -> Result<Outcome, String> {
    read_result(Cursor::new(bytes), bytes.len() as u64, u64::MAX)
}

fn with_odd_numbers() -> Outcome {
    let mut outcome = DAY.clone();
    let service = &mut outcome.runs[1].services[0];
    (service.mean_ready, service.elasticity.flaps_per_hour) = (f64::NAN, f64::NEG_INFINITY);
    (service.timeline[5].needed, service.timeline[6].ready) = (f64::INFINITY, 0.1 + 0.2);
    service.objectives[0].target = Fraction::new(1.0 / 3.0).unwrap();
    outcome.title = "\u{7}<>\"\\ \u{2028}".into();
    outcome
}

#[rstest]
#[case::a_day(DAY.clone())]
#[case::odd_numbers(with_odd_numbers())]
#[case::no_runs(synthetic::empty())]
#[case::blank(blank())]
#[case::no_services(without_services())]
#[case::compared(compared())]
fn a_result_read_back_gives_the_same_bytes(#[case] outcome: Outcome) {
    let (first, second) = (files(&outcome), files(&again(&outcome)));
    assert_eq!(first.keys().collect::<Vec<_>>(), second.keys().collect::<Vec<_>>());
    for (name, bytes) in first {
        assert!(bytes == second[&name], "{name}");
    }
}

#[test]
fn a_stored_result_is_small() {
    assert!(FILES[RESULT_FILE].len() < FILES["timeline.csv"].len() / 2, "{} bytes", FILES[RESULT_FILE].len());
}

fn unpacked(bytes: &[u8]) -> String {
    let mut text = String::new();
    flate2::read::GzDecoder::new(bytes).read_to_string(&mut text).unwrap();
    text
}

fn packed(text: &str) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn invalid_results_are_refused() {
    let sound = &FILES[RESULT_FILE];
    let refused = |bytes: &[u8], words: &str| {
        let why = read(bytes).err().unwrap();
        assert!(why.contains(words), "{why}");
    };
    refused(b"", "not a stored result");
    refused(b"name: shop", "not a stored result");
    refused(&packed("{}\n{}\n"), "not a stored result");
    refused(&sound[..sound.len() - 9], "cut short");
    let text = unpacked(sound);
    refused(&packed(&text.replace("hpa-cpu-60", "hpa-cpu-61")), "checksum");
    refused(&packed(&text.replacen("\"version\":6", "\"version\":9", 1)), "version 9 of the layout");
    let allowed = read_result(Cursor::new(sound), sound.len() as u64, 1 << 16).err().unwrap();
    assert!(allowed.contains("too much memory"), "{allowed}");
    for cut in (0..sound.len()).step_by(997) {
        assert!(read(&sound[..cut]).is_err(), "{cut}");
    }
}

/// Nothing but zeros, compressed a thousand times: rejected by its header, or by its ratio if the header is valid,
/// without being held in memory.
#[test]
fn bombs_are_refused() {
    let zeros = |header: &str, bytes: u64| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(header.as_bytes()).unwrap();
        std::io::copy(&mut std::io::repeat(0).take(bytes), &mut encoder).unwrap();
        encoder.finish().unwrap()
    };
    let why = read(&zeros("", 1 << 20)).err().unwrap();
    assert!(why.contains("not a stored result"), "{why}");
    let text = unpacked(&FILES[RESULT_FILE]);
    let why = read(&zeros(&format!("{}\n", text.lines().next().unwrap()), 40 << 20)).err().unwrap();
    assert!(why.contains("expands far more than any result"), "{why}");
}

/// Two comparisons of the same figures are merged; with a run without replications there are no intervals.
#[test]
fn comparisons_are_merged_if_they_are_alike() {
    let whole = compared();
    let part = |indices: std::ops::Range<usize>| {
        let mut part = whole.clone();
        part.runs = whole.runs[indices.clone()].to_vec();
        let (result, level) = (part.replicated.as_mut().unwrap(), part.level.as_mut().unwrap());
        result.arms = whole.replicated.as_ref().unwrap().arms[indices.clone()].to_vec();
        level.tuned = whole.level.as_ref().unwrap().tuned[indices].to_vec();
        part.command = "plimsoll compare a.yaml".into();
        part
    };
    let merged = merge(vec![("a".into(), part(0..2)), ("b".into(), part(1..4))]).unwrap();
    assert_eq!((&merged.replicated, &merged.level, &merged.runs), (&whole.replicated, &whole.level, &whole.runs));
    assert!(merged.command.contains("plimsoll report part-1/*/compare part-2/*/compare"), "{}", merged.command);
    let mut single = part(2..4);
    (single.replicated, single.level) = (None, None);
    let merged = merge(vec![("a".into(), part(0..2)), ("b".into(), single)]).unwrap();
    assert!(merged.replicated.is_none() && merged.level.is_none());
    assert!(merged.warnings.iter().any(|said| said.contains("No intervals")), "{:?}", merged.warnings);
}

/// The day in two parts, each as if it had been run by itself.
fn parts() -> [(String, Outcome); 2] {
    let part = |name: &str, runs: std::ops::Range<usize>| {
        let outcome = Outcome { runs: DAY.runs[runs].to_vec(), ..synthetic::empty() };
        (name.to_string(), outcome)
    };
    [part("first", 0..2), part("second", 1..4)]
}

#[test]
fn parts_are_merged_into_the_whole() {
    let merged = merge(parts().into()).unwrap();
    assert_eq!(merged.runs, DAY.runs);
    assert!(merged.command.ends_with("plimsoll report part-1/* part-2/* --out merged"), "{}", merged.command);
    let whole = Outcome { command: merged.command.clone(), ..DAY.clone() };
    assert_eq!(files(&merged)["report.html"], files(&whole)["report.html"]);
    assert_eq!(files(&merge(vec![("alone".into(), DAY.clone())]).unwrap()), *FILES);
}

#[rstest]
#[case(|o: &mut Outcome| o.seed = 8, "the seed is 7 in one and 8 in the other")]
#[case(|o: &mut Outcome| o.version = "9.9".into(), "the program's version")]
#[case(|o: &mut Outcome| o.scenario = "other".into(), "the scenario is shop-peak in one and other in the other")]
#[case(|o: &mut Outcome| o.inputs[0].checksum = "sha256:0".into(), "the checksum of traces/shop.csv.zst")]
#[case(|o: &mut Outcome| o.runs[0].services[0].demand_checksum += 1, "met other requests")]
#[case(|o: &mut Outcome| o.runs[0].services[0].objectives[0].text = "x".into(), "objectives of checkout differ")]
#[case(|o: &mut Outcome| o.runs[0].cost = None, "another result of the policy `hpa-cpu-60`")]
fn what_cannot_be_compared_is_refused(#[case] change: fn(&mut Outcome), #[case] words: &str) {
    let [first, mut second] = parts();
    change(&mut second.1);
    let why = merge(vec![first, second]).unwrap_err();
    assert!(why.contains(words), "{why}");
}

#[test]
fn a_changed_scenario_file_is_reported() {
    let [first, mut second] = parts();
    second.1.inputs[1].checksum = "sha256:1".into();
    let merged = merge(vec![first, second]).unwrap();
    assert!(merged.warnings.iter().any(|said| said.contains("checkout-hpa.yaml differs between first and second")));
}

/// What a command would make a report of: something that was run, under labels that can be seen.
#[test]
fn results_of_nothing_are_refused() {
    use plimsoll::report::check_result;
    assert!(check_result(&DAY).is_ok());
    assert!(check_result(&synthetic::empty()).unwrap_err().contains("no run"));
    assert!(check_result(&without_services()).unwrap_err().contains("no run"));
    for label in ["", "a\nb", "\u{1b}[2J", "\u{202e}x"] {
        let mut outcome = DAY.clone();
        outcome.runs[1].policy = label.into();
        assert!(check_result(&outcome).is_err(), "{label:?}");
    }
}
