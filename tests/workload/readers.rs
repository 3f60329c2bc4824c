//! Each reader on a small sample in its format, written for the test.

use std::path::{Path, PathBuf};

use plimsoll::random::Streams;
use plimsoll::units::{SimDuration, SimTime};
use plimsoll::workload::{
    Columns, RequestBatch, SeriesKind, TraceError, TraceOptions, WorkloadSpec, inspect, show_instant,
};
use tempfile::TempDir;

struct Sample {
    _directory: TempDir,
    path: PathBuf,
}

fn sample(text: &str) -> Sample {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("sample");
    std::fs::write(&path, text).unwrap();
    Sample { _directory: directory, path }
}

/// All requests with the names of their classes and the wall-clock time of the first.
fn replay(path: &Path, options: &TraceOptions) -> Result<(RequestBatch, Vec<String>, Option<String>), TraceError> {
    let mut source = WorkloadSpec::from_trace(path, options.clone()).open(Streams::new(1, 0), 0)?;
    let mut all = RequestBatch::default();
    loop {
        let before = all.len();
        source.fill(&mut all)?;
        if all.len() == before {
            return Ok((all, source.class_names().to_vec(), source.start_epoch_ns().map(show_instant)));
        }
    }
}

fn millis(times: &[SimTime]) -> Vec<u64> {
    times.iter().map(|time| time.as_nanos() / 1_000_000).collect()
}

fn named(name: &str) -> Option<String> {
    Some(name.to_string())
}

/// The format that is recognised, and what its rows are.
fn recognised(text: &str, options: &TraceOptions) -> (&'static str, SeriesKind) {
    let facts = inspect(&sample(text).path, options).unwrap();
    (facts.format, facts.kind)
}

const CADDY: &str = r#"{"level":"info","ts":1700158546.25,"request":{"method":"GET","size":12},"duration":0.125,"tags":["a",{"ts":1}]}
{"ts":1700158547.000001,"request":{"size":7,"method":"POST"},"duration":0.5}

{"duration":0.25,"request":{"method":"GET","size":9.0},"ts":"1700158547.5"}
"#;

#[test]
fn json_lines_with_fields_inside_others() {
    let sample = sample(CADDY);
    let columns = Columns {
        tokens_in: named("request.size"),
        class: named("request.method"),
        demand: named("duration"),
        ..Columns::default()
    };
    let (batch, classes, start) = replay(&sample.path, &TraceOptions { columns, ..TraceOptions::default() }).unwrap();
    assert_eq!(start.as_deref(), Some("2023-11-16T18:15:46.25Z"));
    assert_eq!(batch.arrivals.iter().map(|time| time.as_nanos()).collect::<Vec<_>>(), [0, 750_001_000, 1_250_000_000]);
    assert_eq!(
        (batch.tokens_in, batch.classes, classes),
        (vec![12, 7, 9], vec![0, 1, 0], vec!["GET".into(), "POST".into()])
    );
    assert_eq!(batch.demands, [125, 500, 250].map(SimDuration::from_millis));
    // The log is written when a request has ended.
    let columns = Columns { elapsed: named("duration"), ..Columns::default() };
    let (batch, _, start) = replay(&sample.path, &TraceOptions { columns, ..TraceOptions::default() }).unwrap();
    assert_eq!(start.as_deref(), Some("2023-11-16T18:15:46.125Z"));
    assert_eq!((millis(&batch.arrivals), batch.demands.len()), (vec![0, 375, 1125], 0));
}

#[test]
fn json_lines_say_where_a_value_is_wrong() {
    let text = "{\"time\": 5, \"n\": 1}\n{\"time\": \"5s\", \"n\": 1}\n{\"n\": 1}\n{\"time\": 6, \"n\"\n[1]\n{\"time\": [7]}\n{\"time\": 8} x\n";
    let facts = inspect(
        &sample(text).path,
        &TraceOptions {
            format: named("jsonl"),
            columns: Columns { time: named("time"), ..Columns::default() },
            ..TraceOptions::default()
        },
    )
    .unwrap();
    assert_eq!((facts.tally.rows, facts.tally.bad), (1, 6));
    let faults: Vec<(u64, &str)> = facts.tally.first_bad.iter().map(|bad| (bad.line, bad.message.as_str())).collect();
    assert!(faults[0].1.contains("a time in seconds") && faults[0].1.contains("5s"), "{faults:?}");
    assert!(faults[1].1.contains("every field that was named"), "{faults:?}");
    assert!(faults[2].1.contains("a JSON object"), "{faults:?}");
    assert_eq!(faults.iter().map(|(line, _)| *line).collect::<Vec<_>>(), [2, 3, 4, 5, 6]);
}

#[test]
fn json_lines_with_a_lone_value_must_be_told_which() {
    let text =
        "{\"time\": \"2024-01-01T00:00:00Z\", \"value\": 3}\n{\"time\": \"2024-01-01T00:01:00Z\", \"value\": 4}\n";
    let error = inspect(&sample(text).path, &TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("counts of requests or levels"), "{error}");
    let options = |columns: Columns| TraceOptions { columns, ..TraceOptions::default() };
    let count = options(Columns { count: named("value"), ..Columns::default() });
    assert_eq!(recognised(text, &count), ("jsonl", SeriesKind::Counts));
    assert_eq!(replay(&sample(text).path, &count).unwrap().0.len(), 7);
    let rate = options(Columns { rate: named("value"), ..Columns::default() });
    assert_eq!(replay(&sample(text).path, &rate).unwrap().0.len(), 7 * 60);
}

#[test]
fn mooncake_counts_milliseconds() {
    let text = "{\"timestamp\": 0, \"input_length\": 6758, \"output_length\": 500, \"hash_ids\": [0, 1]}\n\
                {\"timestamp\": 3000, \"input_length\": 7322, \"output_length\": 490, \"hash_ids\": [0, 14]}\n";
    assert_eq!(recognised(text, &TraceOptions::default()), ("mooncake", SeriesKind::Arrivals));
    let (batch, _, start) = replay(&sample(text).path, &TraceOptions::default()).unwrap();
    assert_eq!((millis(&batch.arrivals), start), (vec![0, 3000], None));
    assert_eq!((batch.tokens_in, batch.tokens_out), (vec![6758, 7322], vec![500, 490]));
}

const CUSTOM: &str = "10.0.0.1 [16/Nov/2023:18:15:46 +0000] \"GET /a b HTTP/1.1\" 200 rt=0.500 uht=\"0.4\"\n\
                      10.0.0.2 [16/Nov/2023:18:15:48 +0000] \"POST /c HTTP/1.1\" 404 rt=1.250 uht=\"-\"\n\
                      10.0.0.2 [16/Nov/2023:18:15:49 +0000] \"GET /\" 200 rt=0.000 uht=\"-\"\n";

#[test]
fn a_stated_log_format_takes_the_request_time_off() {
    let format = "$remote_addr [$time_local] \"$request\" $status rt=$request_time uht=\"$upstream_header_time\"";
    let columns = Columns { class: named("status"), demand: named("request_time"), ..Columns::default() };
    let options = TraceOptions { log_format: named(format), columns, ..TraceOptions::default() };
    let (batch, classes, start) = replay(&sample(CUSTOM).path, &options).unwrap();
    assert_eq!(start.as_deref(), Some("2023-11-16T18:15:45.5Z"));
    assert_eq!((millis(&batch.arrivals), batch.classes), (vec![0, 1250, 3500], vec![0, 1, 0]));
    assert_eq!(
        (batch.demands, classes),
        ([500, 1250, 0].map(SimDuration::from_millis).to_vec(), vec!["200".to_string(), "404".into()])
    );
    let bad = inspect(&sample(&(CUSTOM.to_string() + "10.0.0.2 - no\n")).path, &options).unwrap();
    assert_eq!((bad.format, bad.tally.bad, bad.tally.first_bad[0].line), ("log-format", 1, 4));
    let wrong = TraceOptions { log_format: named("$time_local$status"), ..TraceOptions::default() };
    let error = inspect(&sample(CUSTOM).path, &wrong).unwrap_err();
    assert!(error.message.contains("nothing stands between"), "{error}");
}

#[test]
fn load_balancers_of_both_kinds() {
    let alb = "http 2018-07-02T22:23:00.186641Z app/my-lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \
               \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.46.0\" - - arn:aws:x \"Root=1-58337262\" \"-\" \"-\" 0 \
               2018-07-02T22:22:48.364000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1\n\
               https 2018-07-02T22:23:00.200000Z app/my-lb/50dc [::1]:1 - -1 -1 -1 502 - 34 366 \
               \"GET / \\x22q HTTP/1.1\" \"-\" - - - \"-\" \"-\" \"-\" 0 2018-07-02T22:22:49.000000Z \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" \"-\" -\n";
    assert_eq!(recognised(alb, &TraceOptions::default()), ("aws-elb", SeriesKind::Arrivals));
    let (batch, _, start) = replay(&sample(alb).path, &TraceOptions::default()).unwrap();
    assert_eq!((millis(&batch.arrivals), start.as_deref()), (vec![0, 636], Some("2018-07-02T22:22:48.364Z")));
    let classic = "2015-05-13T23:39:43.945958Z my-elb 192.168.131.39:2817 10.0.0.1:80 0.000086 0.001048 0.001337 200 200 0 57 \
                   \"GET https://www.example.com:443/ HTTP/1.1\" \"curl/7.38.0\" DHE-RSA-AES128-SHA TLSv1.2\n";
    let columns = Columns { demand: named("backend_processing_time"), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    assert_eq!(recognised(classic, &options), ("aws-elb", SeriesKind::Arrivals));
    let (batch, _, start) = replay(&sample(classic).path, &options).unwrap();
    assert_eq!((batch.demands[0].as_nanos(), start.as_deref()), (1_048_000, Some("2015-05-13T23:39:43.945958Z")));
}

#[test]
fn cloudfront_with_a_header_in_the_middle() {
    let header = "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip time-taken sc-status\n";
    let text = format!(
        "{header}2019-12-04\t21:02:31\tLAX1\t392\t192.0.2.100\t0.250\t200\n{header}2019-12-04\t21:02:32\tLAX1\t392\t::1\t0.001\t404\n\
         2019-12-04\t21:02\tLAX1\t392\t::1\t0.001\t404\n2019-12-04\t21:02:33\tLAX1\n"
    );
    let facts = inspect(&sample(&text).path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.tally.rows, facts.tally.skipped, facts.tally.bad), ("cloudfront", 2, 4, 2));
    assert_eq!(show_instant(facts.first.as_nanos()), "2019-12-04T21:02:30.75Z");
    assert_eq!(facts.span(), SimDuration::from_millis(1249));
}
