//! Newcomer 9, 11, 12 and public cases K12: tables, dates and time zones as in users' files, filtered rows, and the
//! notes about them.

use rstest::rstest;

use crate::findings::trial::Trial;

/// Runs `trace inspect` on a file with this text.
fn inspect(text: &str, arguments: &str, code: i32) -> String {
    let trial = Trial::new(&[("t", text)]);
    let words: Vec<&str> =
        ["trace", "inspect", "t"].into_iter().chain(arguments.split('|').filter(|word| !word.is_empty())).collect();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(&words)
        .current_dir(trial.path(""))
        .env("NO_COLOR", "1")
        .output()
        .unwrap();
    let shown = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert_eq!(output.status.code(), Some(code), "{words:?}: {shown}");
    shown
}

#[rstest]
#[case::semicolon(
    "time;count\n2026-03-02 10:00:00;12\n2026-03-02 10:01:00;13\n",
    "",
    "2026-03-02T10:00:00Z",
    "sum 25,"
)]
#[case::decimal_comma(
    "time;rate\n2026-03-02 10:00;1,5\n2026-03-02 10:01;16,12\n",
    "--rate|rate",
    "2026-03-02T10:00:00Z",
    "sum 1057.2"
)]
#[case::pipe("time|count\n2026-03-02 10:00:00|12\n2026-03-02 10:01:00|13\n", "", "2026-03-02T10:00:00Z", "sum 25,")]
#[case::spreadsheet(
    "sep=;\ntime;count\n2026-03-02 10:00:00;12\n2026-03-02 10:01:00;13\n",
    "",
    "2026-03-02T10:00:00Z",
    "sum 25,"
)]
#[case::slashes("time,count\n2026/03/02 10:00:00,12\n2026/03/02 10:01:00,13\n", "", "2026-03-02T10:00:00Z", "sum 25,")]
#[case::kibana(
    "Time,Count\n\"Mar 2, 2026 @ 10:00:00.000\",12\n\"Mar 2, 2026 @ 10:01:00.000\",13\n",
    "",
    "2026-03-02T10:00:00Z",
    "sum 25,"
)]
#[case::thousands(
    "time,count\n2026-03-02 10:00:00,\"1,201\"\n2026-03-02 10:01:00,\"1,310\"\n",
    "",
    "2026-03-02T10:00:00Z",
    "sum 2511,"
)]
#[case::grafana(
    "Time,r\n2026-03-02 10:00:00,0.60 K\n2026-03-02 10:01:00,812\n",
    "--count|r",
    "2026-03-02T10:00:00Z",
    "sum 1412,"
)]
#[case::german(
    "Datum;Uhrzeit;Anfragen\n24.10.2026;14:05;1.612\n24.10.2026;14:06;987\n25.10.2026;00:00;12,5\n",
    "--count|Anfragen",
    "2026-10-24T14:05:00Z",
    "sum 2611.5"
)]
#[case::two_columns(
    "d;u;n\n24.10.2026;14:05;16\n24.10.2026;14:06;98\n",
    "--time|d|--time|u|--count|n",
    "2026-10-24T14:05:00Z",
    "sum 114,"
)]
#[case::american(
    "time,count\n10/24/2026 12:00 AM,16\n10/24/2026 12:01 AM,98\n",
    "",
    "2026-10-24T00:00:00Z",
    "sum 114,"
)]
#[case::stated(
    "time,count\n3/2/2026 10:00,16\n3/2/2026 10:01,98\n",
    "--time-format|%d/%m/%Y %H:%M",
    "2026-02-03T10:00:00Z",
    "sum 114,"
)]
#[case::named_zone(
    "time,count\n2026-10-24 00:00 Europe/Berlin,16\n2026-10-24 00:01 Europe/Berlin,98\n",
    "",
    "2026-10-23T22:00:00Z",
    "sum 114,"
)]
#[case::abbreviation(
    "time,count\n2026-10-24 00:00 CEST,16\n2026-10-24 00:01 CEST,98\n",
    "",
    "2026-10-23T22:00:00Z",
    "sum 114,"
)]
#[case::zone_stated(
    "time,count\n2026-10-24 00:00,16\n2026-10-24 00:01,98\n",
    "--time-zone|Europe/Berlin",
    "2026-10-23T22:00:00Z",
    "sum 114,"
)]
#[case::without_header(
    "2026-10-24 00:00,x,16\n2026-10-24 00:01,x,98\n",
    "--time|1|--count|3",
    "2026-10-24T00:00:00Z",
    "sum 114,"
)]
fn tables_are_read_as_people_have_them(
    #[case] text: &str,
    #[case] arguments: &str,
    #[case] from: &str,
    #[case] expected: &str,
) {
    let shown = inspect(text, arguments, 0);
    assert!(shown.contains(&format!("from          {from}")) && shown.contains(expected), "{shown}");
    assert!(shown.contains("0.000% unusable"), "{shown}");
}

#[rstest]
#[case::day_or_month(
    "time,count\n3/2/2026 10:00,16\n3/2/2026 10:01,98\n",
    "",
    "`3/2/2026 10:00` is ambiguous: day or month first"
)]
#[case::fraction_or_thousands(
    "time;count\n2026-03-02 10:00;1.201\n2026-03-02 10:01;1.310\n",
    "",
    "`1.201` is ambiguous: a fraction, or a thousands separator"
)]
#[case::header_alone("time,count\n", "", "has a header and no rows")]
#[case::which_column("a;b\nx;1\ny;2\n", "", "name its column of times with `columns: { time: ... }`: a, b")]
fn what_may_be_read_in_two_ways_is_asked(#[case] text: &str, #[case] arguments: &str, #[case] expected: &str) {
    let shown = inspect(text, arguments, 2);
    assert!(shown.contains(expected), "{shown}");
}

const LOG: &str = "\
::1 - - [12/May/2024:00:00:01 +0000] \"GET /healthz HTTP/1.1\" 200 5
::1 - - [12/May/2024:00:00:02 +0000] \"GET /a?b=c HTTP/1.1\" 200 5
::1 - - [12/May/2024:00:00:03 +0000] \"POST /a HTTP/1.1\" 429 5
::1 - - [12/May/2024:00:00:04 +0000] \"GET /static/x.css HTTP/1.1\" 200 5
::1 - - [12/May/2024:00:00:05 +0000] \"GET /b HTTP/1.1\" 503 5
";
const OBJECTS: &str = "\
{\"time\":\"2024-05-12T00:00:01Z\",\"request\":{\"method\":\"GET\",\"uri\":\"/healthz\"},\"status\":200}
{\"time\":\"2024-05-12T00:00:02Z\",\"request\":{\"method\":\"GET\",\"uri\":\"/a\"},\"status\":200}
{\"time\":\"2024-05-12T00:00:03Z\",\"request\":{\"method\":\"POST\",\"uri\":\"/a\"},\"status\":429}
";
const TABLE: &str = "time,kind,dur\n2024-05-12 00:00:01,a,1\n2024-05-12 00:00:02,b,x\n2024-05-12 00:00:03,a,3\n";

#[rstest]
#[case(LOG, "--exclude|path=/healthz|--exclude|path=/static/*|--exclude|status=429", 2, 3)]
#[case(LOG, "--include|method=GET|--include|status=2xx", 3, 2)]
#[case(LOG, "--include|status>=500", 1, 4)]
#[case(OBJECTS, "--exclude|request.uri=/healthz|--exclude|status=429", 1, 2)]
#[case(TABLE, "--demand|dur|--class|kind|--exclude|class=b", 2, 1)]
fn rows_are_filtered_by_their_content(
    #[case] text: &str,
    #[case] arguments: &str,
    #[case] used: usize,
    #[case] out: usize,
) {
    let shown = inspect(text, arguments, 0);
    assert!(shown.contains(&format!("{used} used")) && shown.contains("0.000% unusable"), "{shown}");
    assert!(
        shown.contains(&format!("{out} rows (")) && shown.contains("are left out by `include:` or `exclude:`"),
        "{shown}"
    );
}

#[test]
fn a_condition_on_a_missing_column_is_an_error() {
    assert!(inspect(LOG, "--exclude|colour=red", 2).contains("has no column `colour`"));
}

const SCENARIO: &str = "\
name: s
time-zone: Europe/Berlin
workload:
  trace: t.csv
  exclude: { kind: bot }
  transforms: [ { overlay: [ { at: 20:00, factor: 1 } ] } ]
service: { name: web, replicas: 2, concurrency: 4, service-time: 20ms }
policies: { two: { static: { replicas: 2 } } }
";

/// Newcomer 9: `check`, `run` and the report give the same notes on omitted and missing rows. Newcomer 12: times of day
/// are in the stated zone, and charts show clock times.
#[test]
fn changes_to_a_trace_are_reported_everywhere() {
    let minutes = (0..60).filter(|minute| *minute != 30);
    let rows: String =
        minutes.map(|m| format!("2026-11-15 18:{m:02},person,{}\n2026-11-15 18:{m:02},bot,7\n", 20 + m % 5)).collect();
    let trial = Trial::new(&[("s.yaml", SCENARIO), ("t.csv", &format!("time,kind,count\n{rows}"))]);
    let missing = "1 step of 1m is missing and was taken as a time without requests, from 2026-11-15T18:30:00+01:00 on";
    let out = "59 rows (50.00%) are left out";
    let check = trial.expect("check s.yaml", 0);
    let run = trial.expect("run s.yaml --out out", 0);
    let summary = trial.read("out/s/summary.md");
    for shown in [&check, &run, &summary] {
        assert!(shown.contains(missing) && shown.contains(out), "{shown}");
    }
    assert!(check.contains("20:00 +01:00 is first 2026-11-15T20:00:00+01:00 = 19:00 UTC"), "{check}");
    if cfg!(feature = "charts") {
        let chart = trial.read("out/s/load-and-capacity.svg");
        assert!(
            chart.contains("time (Europe/Berlin, +01:00), from 2026-11-15") && chart.contains(">18:30<"),
            "{chart}"
        );
        trial.expect("run s.yaml --quiet --axis elapsed --out out", 0);
        assert!(trial.read("out/s/load-and-capacity.svg").contains("time since the start (min)"));
    }
}
