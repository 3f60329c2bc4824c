//! What was dropped, filled in, moved or assumed while a trace was read is said in the same words by `trace inspect`, `check`, `run` and
//! the report.

use rstest::rstest;

use crate::findings::trial::Trial;

/// Rows a minute apart from 2026-03-02 10:00 on, the n-th as it is written here.
fn table(head: &str, row: impl Fn(u32) -> String) -> String {
    let time = |n: u32| format!("2026-03-02 {:02}:{:02}:00", 10 + n / 60, n % 60);
    (0..120).fold(format!("{head}\n"), |text, n| text + &time(n) + &row(n) + "\n")
}

fn counts() -> String {
    table("time,requests", |_| ",5".into())
}

/// Minutes of one local night, without a zone.
fn night(rows: &[&str]) -> String {
    rows.iter().fold("time,requests\n".into(), |text, time| text + time + ",5\n")
}

#[rstest]
#[case::bad_rows(
    table("time,path", |n| if n == 70 { "x,/a".into() } else { ",/a".into() }),
    "rows: requests",
    "--rows requests",
    &["1 rows of the trace (0.83%) could not be used", "line 72, column 1: expected a time"]
)]
#[case::left_out(
    table("time,path", |n| if n % 4 == 0 { ",/healthz".into() } else { ",/a".into() }),
    "rows: requests, exclude: { path: /healthz }",
    "--rows requests --exclude path=/healthz",
    &["30 rows (25.00%) are left out by `include:` or `exclude:`"]
)]
#[case::passed_over(
    counts() + "\n\n",
    "",
    "",
    &["2 lines or samples hold no request and no value"]
)]
#[case::gaps(
    counts().replace("2026-03-02 10:30:00,5\n", ""),
    "",
    "",
    &["1 step of 1m is missing and was taken as a time without requests, from 2026-03-02T10:30:00Z on"]
)]
#[case::reordered(
    counts().replace("2026-03-02 10:30:00,5\n2026-03-02 10:31:00,6", "").replace("10:30:00", "10:31:01").replacen("10:31:00", "10:30:00", 1),
    "reorder: 5m, interval: 1m",
    "--reorder 5m --interval 1m",
    &["1 rows (0.83%) stand behind later ones, by up to 1m1s, and were sorted"]
)]
#[case::a_minute_twice(
    counts().replace("10:31:00", "10:30:00"),
    "interval: 1m",
    "--interval 1m",
    &["2 rows share 1 instants; those of one instant are added up"]
)]
#[case::leapt_over(
    night(&["2026-03-29 01:50", "2026-03-29 02:00", "2026-03-29 03:10"]),
    "time-zone: Europe/Berlin, interval: 10m",
    "--time-zone Europe/Berlin --interval 10m",
    &["1 rows have a local time that the clock leaps over in spring and were moved on"]
)]
#[case::ambiguous(
    night(&["2026-10-25 01:50", "2026-10-25 02:00", "2026-10-25 02:50", "2026-10-25 02:00", "2026-10-25 03:00"]),
    "time-zone: Europe/Berlin, interval: 10m",
    "--time-zone Europe/Berlin --interval 10m",
    &["3 rows lie in a local hour that the clock repeats in autumn: 2 were taken for the first one, 1 for the second"]
)]
#[case::offsets(
    "time,requests\n2026-03-02T10:00:00+01:00,5\n2026-03-02T10:01:00+01:00,5\n".into(),
    "",
    "",
    &["its times are of +01:00, and so are times of day and charts"]
)]
#[case::blanks(
    table("time,a,b", |n| if n == 3 { ",5,".into() } else { ",5,1".into() }),
    "columns: { count: [a, b] }",
    "--count a --count b",
    &["1 cells of the trace are blank and were taken for nothing"]
)]
#[case::a_unit_assumed(
    table("time,took", |n| if n == 5 { ",-".into() } else { ",0.25".into() }),
    "columns: { demand: took }",
    "--demand took",
    &["durations in `took` are read in seconds", "1 requests (0.83%) have no duration; what the service states stands in"]
)]
#[case::a_column_by_its_name(
    table("time,hits,errors", |_| ",5,1".into()),
    "",
    "",
    &["column `hits` is read as requests per interval, by its name; not used: errors"]
)]
#[case::a_zone_assumed(
    (10..50).fold(String::new(), |text, n| text + &format!("192.0.2.1 - - [02/Mar/2026:10:{n}:00] \"GET / HTTP/1.1\" 200 612\n")),
    "",
    "",
    &["its times name no zone; they are read as UTC (`time-zone:` states another)"]
)]
#[case::a_pause(
    table("time,path", |_| ",/a".into()).replace("2026-03-02 10:0", "2026-03-01 10:0"),
    "rows: requests",
    "--rows requests",
    &["nothing comes for 1d1m from 2026-03-01T10:09:00Z on, longer than all the rest of the trace"]
)]
#[case::an_absurd_duration(
    table("time,took", |n| if n == 5 { ",100000000ms".into() } else { ",5ms".into() }),
    "columns: { demand: took }",
    "--demand took",
    &["the request of line 7 takes 100000 s, more than 10,000 times any other"]
)]
fn the_same_is_said_everywhere(
    #[case] trace: String,
    #[case] stated: &str,
    #[case] arguments: &str,
    #[case] words: &[&str],
) {
    let scenario = format!(
        "duration: 1h\nworkload: {{ trace: t, {stated} }}\nservice: {{ name: web, replicas: 2, concurrency: 4, service-time: 20ms }}\npolicies: {{ two: {{ static: {{ replicas: 2 }} }} }}\n"
    );
    let trial = Trial::new(&[("t", &trace), ("s.yaml", &scenario)]);
    let inspected = trial.expect(&format!("trace inspect t {arguments}"), 0);
    let inspected_json = trial.expect(&format!("trace inspect t {arguments} --format json"), 0);
    let checked = trial.expect("check s.yaml", 0);
    let summary = trial.summary("s.yaml", "")["warnings"].to_string();
    let page = report_of(&trial);
    for words in words {
        // As JSON and as HTML write them.
        let json = words.replace('"', "\\\"");
        let html = words.replace('&', "&amp;").replace('`', "&#x60;");
        for (what, text) in
            [("inspect", &inspected), ("inspect, JSON", &inspected_json), ("check", &checked), ("run", &summary)]
        {
            assert!(text.contains(*words) || text.contains(&json), "{what} does not say `{words}`: {text}");
        }
        let plain =
            |text: &str| text.replace("<code>", "").replace("</code>", "").replace('`', "").replace("&#x60;", "");
        assert!(
            page.contains(*words) || page.contains(&html) || plain(&page).contains(&plain(words)),
            "the report does not say `{words}`"
        );
    }
}

/// The report, wherever below `out` the run put it.
fn report_of(trial: &Trial) -> String {
    let mut places = vec![trial.path("out")];
    places.extend(std::fs::read_dir(trial.path("out")).unwrap().map(|entry| entry.unwrap().path()));
    let found = places.iter().find_map(|place| std::fs::read_to_string(place.join("report.html")).ok());
    found.expect("a report")
}

/// What a replay refuses, `inspect` says as well, and shows the file.
#[test]
fn what_a_replay_refuses_is_said_by_inspect() {
    let back = counts().replacen("10:31:00", "10:29:00", 1);
    let scenario = "workload: { trace: t }\nservice: { name: web, concurrency: 4, service-time: 20ms }\npolicies: { two: { static: { replicas: 2 } } }\n";
    let trial = Trial::new(&[("t", &back), ("s.yaml", scenario)]);
    let words = "arrivals go back by 1m; expected rows in the order of their times";
    assert!(trial.expect("check s.yaml", 2).contains(words));
    let shown = trial.expect("trace inspect t", 0);
    assert!(shown.contains("a replay refuses the trace: ") && shown.contains(words), "{shown}");
}
