//! Public cases K1, K2 and newcomer 3: the kind of a table's rows is asked, never guessed. Reliability F10 and F12:
//! rows that no real trace has.

use rstest::rstest;

use crate::findings::trial::Trial;

const PER_MINUTE: &str = "time,requests,errors\n2026-03-02 10:00:00,6000,0\n2026-03-02 10:01:00,6010,1\n";
const TWO_SERIES: &str = "\"Time\",\"web-1\",\"web-2\"\n2026-03-02 10:00:00,720,660\n2026-03-02 10:01:00,840,630\n";
const OBJECTS: &str = "{\"timestamp\":\"2026-03-02T10:00:00Z\",\"requests\":6000,\"errors\":1}\n{\"timestamp\":\"2026-03-02T10:01:00Z\",\"requests\":6010,\"errors\":0}\n";
const EVENTS: &str = "{\"level\":20,\"time\":\"2026-03-02T10:00:00.1Z\",\"msg\":\"cache warmed\"}\n{\"level\":30,\"time\":\"2026-03-02T10:00:00.4Z\",\"msg\":\"job\"}\n";
const ACCESS: &str = "time,method,path,status\n2026-03-02 10:00:00,GET,/a,200\n2026-03-02 10:00:01,POST,/b,201\n";

/// Runs `trace inspect` on a file with this text.
fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

#[rstest]
#[case::by_its_name(PER_MINUTE, "", "sum 12010")]
#[case::of_json_lines(OBJECTS, "", "sum 12010")]
#[case::two_add_up(TWO_SERIES, "--count web-1 --count web-2", "sum 2850")]
#[case::all_add_up(TWO_SERIES, "--count web-*", "sum 2850")]
#[case::one_of_them(TWO_SERIES, "--metric web-2 --values count", "sum 1290")]
#[case::per_second(TWO_SERIES, "--metric web-2 --values rate", "sum 77400")]
#[case::of_objects(OBJECTS, "--metric errors --values count", "sum 1")]
#[case::hours_of_a_day("day,h0,h1\n2026-03-02,5,7\n2026-03-03,,9\n", "--count * --across 1h", "sum 21")]
fn values_are_counted(#[case] text: &str, #[case] arguments: &str, #[case] expected: &str) {
    let shown = inspect(text, arguments, 0);
    assert!(shown.contains(", counts") && shown.contains(expected), "{shown}");
}

#[test]
fn interpretations_by_name_are_reported() {
    let shown = inspect(PER_MINUTE, "", 0);
    assert!(
        shown.contains("column `requests` is read as requests per interval, by its name; not used: errors"),
        "{shown}"
    );
}

#[rstest]
#[case(TWO_SERIES, "", "`columns: { count: [web-1, web-2] }`")]
#[case(
    "time,rate\n0,16.5\n60,17.25\n",
    "",
    "`columns: { rate: rate }` for requests per second, `columns: { count: rate }`"
)]
#[case(EVENTS, "", "`rows: requests` if each row is one request")]
#[case("time,a,b\n0,1,2\n60,3,4\n", "--values count", "name it with `metric:`")]
#[case("time,a,b\n0,1,2\n60,3,4\n", "--metric c --values count", "columns: time, a, b")]
#[case(ACCESS, "--metric path --count status", "keep one of the two")]
fn what_is_not_clear_is_asked(#[case] text: &str, #[case] arguments: &str, #[case] expected: &str) {
    assert!(inspect(text, arguments, 2).contains(expected), "{}", inspect(text, arguments, 2));
}

#[test]
fn rows_that_are_requests_are_recognised() {
    for (text, arguments) in [(ACCESS, ""), (EVENTS, "--rows requests"), (TWO_SERIES, "--rows requests")] {
        assert!(inspect(text, arguments, 0).contains("plain), arrivals"), "{text}");
    }
    let log = "::1 - - [12/May/2024:00:00:01 +0200] \"GET / HTTP/1.1\" 200 1543\n";
    assert!(inspect(log, "--metric x", 2).contains("of which `metric:` and `values:` say nothing"));
}

/// Public case K13: a list of objects, and objects over several lines.
#[test]
fn objects_in_a_list_are_rows() {
    let object = |second: u32| {
        format!(
            "{{\"timestamp\":\"2026-03-02T10:00:0{second}.5Z\",\n \"httpRequest\":{{\"requestMethod\":\"GET\",\"status\":200,\"agent\":\"a}}b{{\\\"\"}}}}"
        )
    };
    let objects: Vec<String> = (0..4).map(object).collect();
    let list = format!("[\n  {}\n]\n", objects.join(",\n  "));
    let loose = objects.join("\n").replace("{\"timestamp\"", "{\n\"timestamp\"");
    for text in [&list, &loose] {
        let shown = inspect(text, "", 0);
        assert!(shown.contains("arrivals") && shown.contains("4 used, 0.000%"), "{shown}");
        assert!(shown.contains("to            2026-03-02T10:00:03.5Z"), "{shown}");
        assert!(
            inspect(text, "--exclude status=200", 2).contains("has no column `status`")
                || inspect(text, "--exclude status=200", 2).contains("no usable row")
        );
    }
    let broken = list.replacen("\n]", ",\n {\"timestamp\":", 1);
    assert!(inspect(&broken, "", 0).contains("4 used, 20.000% unusable"));
}

/// Reliability F12a: decimal commas give more fields than the header has.
#[test]
fn a_row_with_too_many_fields_is_rejected() {
    let text = "time,dur,kind\n2024-05-20T00:00:04Z,1,5,a\n2024-05-20T00:00:05Z,1,6,b\n2024-05-20T00:00:06Z,2,a,\n";
    let shown = inspect(text, "--demand dur --class kind", 0);
    assert!(
        shown.contains("1 used, 66.667% unusable") && shown.contains("no more columns than the header has"),
        "{shown}"
    );
}

/// Reliability F12b: a stated length contradicted by the rows.
#[test]
fn a_length_that_the_rows_contradict_is_refused() {
    let text = "# plimsoll-trace: 1\n# kind: arrivals\n# extent_ns: 1\noffset_ns\n0\n60000000000\n";
    let trial = Trial::new(&[("t.csv", text)]);
    assert!(trial.expect("trace inspect t.csv", 2).contains("behind the length of 1ns"));
    assert!(trial.expect("trace convert t.csv u.csv", 2).contains("t.csv:6: lies behind the length of 1ns"));
}

/// Reliability F10: a single row cannot make a run endless.
#[test]
fn one_absurd_row_is_named() {
    let minutes = |minute: u64| format!("2024-05-20T00:{minute:02}:00Z,{}\n", 5 + minute % 7);
    let rows: String = (0..30).map(minutes).collect();
    let counts = format!("time,count\n{rows}2024-05-20T00:30:00Z,100000000\n");
    let trial = Trial::new(&[("c.csv", &counts), ("d.csv", &format!("time,count\n{rows}2025-05-20T00:30:00Z,5\n"))]);
    assert!(
        trial
            .expect("trace fit c.csv", 2)
            .contains("c.csv:32: the value 100000000 at 2024-05-20T00:30:00Z is more than 10,000 times")
    );
    for command in ["trace fit d.csv", "forecast --auto --step 1m --horizon 5m d.csv"] {
        let shown = trial.expect(command, 2);
        assert!(shown.contains("d.csv:32: the row at 2025-05-20T00:30:00Z comes 365d1m after"), "{shown}");
    }
}
