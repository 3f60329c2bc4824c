//! Each reader on a small sample in its format, written for the test.

use std::path::{Path, PathBuf};

use plimsoll::random::Streams;
use plimsoll::units::{SimDuration, SimTime};
use plimsoll::workload::{
    Columns, RequestBatch, SeriesKind, TraceError, TraceOptions, Values, WorkloadSpec, inspect, show_instant,
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

fn names(name: &str) -> Vec<String> {
    vec![name.to_string()]
}

fn named(name: &str) -> Option<String> {
    Some(name.to_string())
}

/// The recognised format, and the kind of its rows.
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
            columns: Columns { time: names("time"), ..Columns::default() },
            one_request_per_row: true,
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
fn json_lines_with_a_single_value_need_its_kind() {
    let text =
        "{\"time\": \"2024-01-01T00:00:00Z\", \"value\": 3}\n{\"time\": \"2024-01-01T00:01:00Z\", \"value\": 4}\n";
    let error = inspect(&sample(text).path, &TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("counts of requests or levels"), "{error}");
    let options = |columns: Columns| TraceOptions { columns, ..TraceOptions::default() };
    let count = options(Columns { count: names("value"), ..Columns::default() });
    assert_eq!(recognised(text, &count), ("jsonl", SeriesKind::Counts));
    assert_eq!(replay(&sample(text).path, &count).unwrap().0.len(), 7);
    let rate = options(Columns { rate: names("value"), ..Columns::default() });
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
    assert!(error.message.contains("there is no text between"), "{error}");
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

fn told(values: &str) -> TraceOptions {
    TraceOptions { values: Values::named(values), ..TraceOptions::default() }
}

/// Two instances of a counter, of which one restarts, every 15 s.
const MATRIX: &str = r#"{"status": "success", "data": {"resultType": "matrix", "result": [
  {"metric": {"__name__": "http_requests_total", "instance": "a"},
   "values": [[1435781430.781, "100"], [1435781445.781, "130"], [1435781460.781, "10"]]},
  {"metric": {"__name__": "http_requests_total", "instance": "b"},
   "values": [[1435781430.781, "5"], [1435781445.781, "NaN"], [1435781460.781, "25"]]}
]}}"#;

#[test]
fn a_prometheus_counter_is_counted_by_its_increase() {
    let sample = sample(MATRIX);
    let facts = inspect(&sample.path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind), ("prometheus", SeriesKind::Counts));
    assert_eq!((facts.interval, facts.tally.skipped), (Some(SimDuration::from_secs(15)), 1));
    assert_eq!(show_instant(facts.first.as_nanos()), "2015-07-01T20:10:30.781Z");
    // 30 and then, after the restart, 10; the other instance 20 over both steps.
    let values = facts.values.unwrap();
    assert_eq!((values.sum, values.most, facts.tally.rows), (60.0, 40.0, 2));
    assert_eq!(replay(&sample.path, &TraceOptions::default()).unwrap().0.len(), 60);
}

#[test]
fn a_prometheus_gauge_must_be_declared_a_level_and_needs_a_model() {
    let text = MATRIX.replace("http_requests_total", "players_online");
    let error = inspect(&sample(&text).path, &TraceOptions::default()).unwrap_err();
    assert!(
        error.message.contains("`players_online` are is not clear") || error.message.contains("players_online"),
        "{error}"
    );
    let facts = inspect(&sample(&text).path, &told("level")).unwrap();
    assert_eq!((facts.kind, facts.tally.rows, facts.values.unwrap().sum), (SeriesKind::Levels, 5, 270.0));
    let error = replay(&sample(&text).path, &told("level")).unwrap_err();
    assert!(error.help.unwrap().contains("sessions: { duration: 20m }"));
}

#[test]
fn a_prometheus_rate_counts_for_the_step_before() {
    let text = MATRIX.replace("\"__name__\": \"http_requests_total\", ", "");
    let facts = inspect(&sample(&text).path, &told("rate")).unwrap();
    assert_eq!((facts.kind, facts.values.unwrap().sum), (SeriesKind::Counts, 270.0 * 15.0));
    assert_eq!(show_instant(facts.first.as_nanos()), "2015-07-01T20:10:15.781Z");
}

#[test]
fn little_turns_a_level_of_sessions_into_arrivals() {
    // 600 players for 1,000 minutes, each of whom stays 20 minutes: 30 arrive per minute.
    let text = (0..=1000).fold(String::from("time,players\n"), |text, minute| text + &format!("{},600\n", minute * 60));
    let columns = Columns { level: names("players"), ..Columns::default() };
    let session = Some(SimDuration::from_secs(20 * 60));
    let arrivals =
        replay(&sample(&text).path, &TraceOptions { columns, session, ..TraceOptions::default() }).unwrap().0.len();
    // Poisson with a mean of 30,000: five standard deviations.
    assert!(arrivals.abs_diff(30_000) < 5 * 173, "{arrivals}");
}

#[test]
fn unsuitable_responses_of_monitoring_systems_are_refused() {
    let matrix = |result: &str| format!("{{\"data\": {{\"resultType\": \"matrix\", \"result\": {result}}}}}");
    let two = r#"[{"metric": {"__name__": "a_total"}, "values": [[1, "1"]]}, {"metric": {"__name__": "b_total"}, "values": []}]"#;
    for (text, message) in [
        ("{\"data\": {\"resultType\": \"vector\", \"result\": []}}".to_string(), "a range query"),
        (matrix("[]"), "holds no samples"),
        (matrix(two), "holds 2 metrics"),
        (
            matrix("[{\"metric\": {\"__name__\": \"a_total\"}, \"values\": [[1, \"1\"]]}]"),
            "cannot be told from one sample",
        ),
        (
            matrix("[{\"metric\": {\"__name__\": \"a_total\"}, \"values\": [[1, \"-1\"], [2, \"+Inf\"]]}]"),
            "a number from 0",
        ),
        (matrix("[{\"metric\": {}, \"histograms\": []}]"), "native histograms"),
        (matrix("[{\"values\": [[1, \"x\"]]}]"), "expected a number, found `x`"),
        (matrix("[{\"values\": [[1,"), "expected value"),
    ] {
        let error = inspect(&sample(&text).path, &TraceOptions::default()).unwrap_err();
        assert!(error.to_string().contains(message) && error.help.is_some(), "{text}: {error}");
    }
}

const OPENMETRICS: &str = "# TYPE http_requests counter\n# TYPE temperature gauge\n\
    http_requests_total{path=\"/a}b\",q=\"\\\"\"} 10 1700000000.000 # {trace=\"x\"} 1 1700000000\n\
    http_requests_total{path=\"/a}b\",q=\"\\\"\"} 16 1700000015.001\n\
    http_requests_total{path=\"/a}b\",q=\"\\\"\"} 20 1700000030.000\n\
    temperature 21.5 1700000000\ntemperature 22.5 1700000015\n# EOF\n";

#[test]
fn openmetrics_by_type_and_name() {
    let options = |metric: &str| TraceOptions { metric: named(metric), ..TraceOptions::default() };
    let error = inspect(&sample(OPENMETRICS).path, &TraceOptions::default()).unwrap_err();
    assert!(error.help.as_deref().is_some_and(|help| help.contains("http_requests_total, temperature")), "{error}");
    let counts = inspect(&sample(OPENMETRICS).path, &options("http_requests_total")).unwrap();
    assert_eq!((counts.format, counts.kind, counts.tally.skipped), ("openmetrics", SeriesKind::Counts, 2));
    assert!((counts.values.unwrap().sum - 10.0).abs() < 1e-9);
    let levels = inspect(&sample(OPENMETRICS).path, &options("temperature")).unwrap();
    assert_eq!((levels.kind, levels.values.unwrap().sum), (SeriesKind::Levels, 44.0));
}

#[test]
fn a_dump_of_promtool_counts_milliseconds() {
    let text = "{__name__=\"jobs_total\", foo=\"bar\"} 1 0\n{__name__=\"jobs_total\", foo=\"bar\"} 4 60000\n\
                {__name__=\"jobs_total\", foo=\"bar\"} 9 120000\n{__name__=\"jobs_total\"} 3\n";
    let facts = inspect(&sample(text).path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.values.unwrap().sum), ("openmetrics", SeriesKind::Counts, 8.0));
    assert_eq!((facts.last, facts.interval), (SimTime::from_secs(60), Some(SimDuration::from_secs(60))));
    assert_eq!((facts.tally.bad, facts.tally.first_bad[0].line), (1, 4));
}

#[test]
fn cloudwatch_gives_the_newest_first() {
    let text = r#"{"MetricDataResults": [{"Id": "m1", "Label": "RequestCount", "StatusCode": "Complete",
        "Timestamps": ["2024-01-01T00:10:00+00:00", "2024-01-01T00:05:00+00:00", "2024-01-01T00:00:00+00:00"],
        "Values": [7.0, 0.0, 5.0]}], "Messages": []}"#;
    let error = inspect(&sample(text).path, &TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("`m1`"), "{error}");
    let options = TraceOptions { metric: named("RequestCount"), ..told("count") };
    let facts = inspect(&sample(text).path, &options).unwrap();
    assert_eq!((facts.format, facts.kind, facts.out_of_order), ("cloudwatch", SeriesKind::Counts, 0));
    assert_eq!((facts.interval, facts.values.unwrap().sum), (Some(SimDuration::from_secs(300)), 12.0));
    let (batch, _, start) = replay(&sample(text).path, &options).unwrap();
    assert_eq!((batch.len(), start.as_deref()), (12, Some("2024-01-01T00:00:00Z")));
    let text = r#"{"Label": "RequestCount", "Datapoints": [
        {"Timestamp": 1704067500, "Sum": 3.0, "Unit": "Count"}, {"Timestamp": "2024-01-01T00:00:00Z", "Sum": 4.0, "Unit": "Count"}]}"#;
    let facts = inspect(&sample(text).path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.kind, facts.values.unwrap().sum), (SeriesKind::Counts, 7.0));
    let text = text.replace("Sum", "Average");
    assert!(inspect(&sample(&text).path, &TraceOptions::default()).is_err());
}

#[test]
fn functions_are_added_up_by_the_minute() {
    let minutes =
        |count: &dyn Fn(u32) -> u32| (1..=1440).map(|minute| count(minute).to_string()).collect::<Vec<_>>().join(",");
    let header = format!("HashOwner,HashApp,HashFunction,Trigger,{}\n", minutes(&|minute| minute));
    let text =
        format!("{header}o,a,f,http,{}\no,a,g,timer,{}\n", minutes(&|minute| u32::from(minute == 3)), minutes(&|_| 1));
    let facts = inspect(&sample(&text).path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.tally.rows), ("azure-functions-2019", SeriesKind::Counts, 1440));
    let values = facts.values.unwrap();
    assert_eq!((values.sum, values.most, values.at), (1441.0, 2.0, SimTime::from_secs(120)));
    let kept = sample(&text);
    let spec = WorkloadSpec::from_trace(&kept.path, TraceOptions::default());
    assert_eq!(spec.extent(SimDuration::MAX).unwrap(), Some(SimDuration::from_secs(86_400)));
    let broken = text + "o,a,h,queue,1,2\n";
    let error = replay(&sample(&broken).path, &TraceOptions::default()).unwrap_err();
    assert_eq!(error.line, Some(4), "{error}");
    let durations =
        "HashOwner,HashApp,HashFunction,Average,Count,Minimum,Maximum,percentile_Average_0\no,a,f,1,2,3,4,5\n";
    let error = inspect(&sample(durations).path, &TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("percentiles"), "{error}");
}

#[test]
fn published_tables_are_known_by_their_header() {
    let burst = "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n5,ChatGPT,472,18,490,Conversation log\n\
                 45,GPT-4,1087,0,1087,API log\n";
    let (batch, classes, start) = replay(&sample(burst).path, &TraceOptions::default()).unwrap();
    assert_eq!((millis(&batch.arrivals), start), (vec![0, 40_000], None));
    assert_eq!(
        (batch.tokens_in, batch.tokens_out, classes),
        (vec![472, 1087], vec![18, 0], vec!["ChatGPT".into(), "GPT-4".into()])
    );
    for (text, format, kind) in [
        (burst, "burst-gpt", SeriesKind::Arrivals),
        ("app,func,end_timestamp,duration\na,f,10.5,0.5\na,g,10.25,0\n", "azure-functions-2021", SeriesKind::Arrivals),
        (
            "client,window_start_s,rate_rps,cv,pattern,param1,param2\n0,0,0.5,1,Gamma,1,2\n0,600,0,0,,0,0\n",
            "servegen",
            SeriesKind::Counts,
        ),
        ("0,0.5,1,Gamma,1,2\n600,0,0,,0,0\n", "servegen", SeriesKind::Counts),
        ("1672531200,2,3,1,2.5,0.5,7\n1672531260,2,2,2,2,1,1\n", "ohlcvt", SeriesKind::Counts),
        ("value,timestamp_anon,container_ip\n0.0,1662858720.0,x\n", "alibaba-gpu", SeriesKind::Levels),
        ("\"TIME\",\"PLAYERS\"\n1617913216,299\n", "levels", SeriesKind::Levels),
        (
            "TIMESTAMP,ContextTokens,GeneratedTokens\n2024-05-10 00:00:00.009930+00:00,1,2\n",
            "azure-llm",
            SeriesKind::Arrivals,
        ),
    ] {
        assert_eq!(recognised(text, &TraceOptions::default()), (format, kind), "{text}");
    }
    // Columns stated in the options take precedence over known ones.
    let columns = Columns { time: names("timestamp_anon"), ..Columns::default() };
    let gpu = "value,timestamp_anon,container_ip\n0.0,1662858720.0,x\n";
    let options = TraceOptions { columns, one_request_per_row: true, ..TraceOptions::default() };
    assert_eq!(recognised(gpu, &options), ("csv", SeriesKind::Arrivals));
}

#[test]
fn an_iis_log_counts_milliseconds_and_a_log_format_of_apache_keeps_the_time() {
    let text = "#Software: Microsoft Internet Information Services 10.0\n#Fields: date time cs-method cs-uri-stem sc-status time-taken\n\
                2024-05-12 00:00:01 GET /a 200 250\n2024-05-12 00:00:02 GET /b 200 1000\n";
    assert_eq!(recognised(text, &TraceOptions::default()), ("w3c", SeriesKind::Arrivals));
    let (batch, _, start) = replay(&sample(text).path, &TraceOptions::default()).unwrap();
    assert_eq!((millis(&batch.arrivals), start.as_deref()), (vec![0, 250], Some("2024-05-12T00:00:00.75Z")));
    let text = "10.0.0.1 - - [12/May/2024:00:00:01 +0200] \"GET / HTTP/1.1\" 200 1543\n\
                10.0.0.1 - - [12/May/2024:00:00:03 +0200] \"GET / HTTP/1.1\" 200 20\n";
    let columns = Columns { demand: named("D"), ..Columns::default() };
    let options = TraceOptions {
        log_format: named("%h %l %u %t \\\"%r\\\" %>s %D"),
        demand_unit: plimsoll::workload::TimeFormat::Micros,
        columns,
        ..TraceOptions::default()
    };
    let (batch, _, start) = replay(&sample(text).path, &options).unwrap();
    assert_eq!((millis(&batch.arrivals), start.as_deref()), (vec![0, 2000], Some("2024-05-11T22:00:01Z")));
    assert_eq!(batch.demands[0].as_nanos(), 1_543_000);
}

#[test]
fn a_counter_in_a_table_is_counted_by_its_increase() {
    // Ten per minute, then a restart at which it had reached four, and a minute without requests.
    let text = "time,requests_total\n0,100\n60,110\n120,4\n180,4\n";
    let columns = Columns { time: names("time"), counter: names("requests_total"), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let facts = inspect(&sample(text).path, &options).unwrap();
    assert_eq!((facts.kind, facts.values.unwrap().sum), (SeriesKind::Counts, 14.0));
    let (batch, ..) = replay(&sample(text).path, &options).unwrap();
    let within = |from: u64, to: u64| millis(&batch.arrivals).iter().filter(|t| (from..to).contains(*t)).count();
    assert_eq!((within(0, 60_000), within(60_000, 120_000), batch.len()), (10, 4, 14));
}

#[test]
fn sessions_are_reported() {
    let text = "time,visit\n0,a\n10,b\n20,a\n30,a\n";
    let columns = Columns { time: names("time"), session: named("visit"), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let sessions = inspect(&sample(text).path, &options).unwrap().sessions.unwrap();
    assert_eq!((sessions.sessions, sessions.requests, sessions.duration), (2, 2.0, 15.0));
    assert_eq!(sessions.think_time, Some(15.0));
}

#[rstest::rstest]
#[case::table("time,order\n0,a\n1,a\n2,b\n3,a\n4,c\n5,b\n")]
#[case::json_lines(
    "{\"time\":0,\"order\":\"a\"}\n{\"time\":1,\"order\":\"a\"}\n{\"time\":2,\"order\":\"b\"}\n{\"time\":3,\"order\":\"a\"}\n{\"time\":4,\"order\":\"c\"}\n"
)]
fn lines_of_an_order_are_one_arrival(#[case] text: &str) {
    let columns = Columns { time: names("time"), once_per: named("order"), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let (batch, ..) = replay(&sample(text).path, &options).unwrap();
    assert_eq!(millis(&batch.arrivals), [0, 2_000, 4_000]);
    let counts = "time,n,order\n0,5,a\n60,6,b\n";
    let columns = Columns { count: names("n"), ..options.columns };
    let error = replay(&sample(counts).path, &TraceOptions { columns, ..TraceOptions::default() }).unwrap_err();
    assert!(error.to_string().contains("is for arrivals"), "{error}");
}

#[test]
fn mixed_line_ends_and_a_bomb_do_no_harm() {
    let text = "time,tokens\r\n1,5\n2,6\r\n3,7";
    let columns = Columns { time: names("time"), tokens_in: named("tokens"), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let (batch, ..) = replay(&sample(text).path, &options).unwrap();
    assert_eq!((millis(&batch.arrivals), batch.tokens_in), (vec![0, 1000, 2000], vec![5, 6, 7]));
    // 300 MB of one line compressed to about a megabyte: rejected after the first MiB.
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    let piece = vec![b'x'; 1 << 20];
    std::io::Write::write_all(&mut packed, b"time,tokens\n1,5\n").unwrap();
    (0..300).for_each(|_| std::io::Write::write_all(&mut packed, &piece).unwrap());
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("bomb.gz");
    std::fs::write(&path, packed.finish().unwrap()).unwrap();
    let error = replay(&path, &options).unwrap_err();
    assert!(error.to_string().contains("longer than 1 MiB"), "{error}");
}
