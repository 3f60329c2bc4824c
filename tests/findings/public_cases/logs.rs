//! Public cases K3, K4 and K16: logs of proxies and platforms, with each request at its start and with its duration.

use plimsoll::config::Diagnostics;
use plimsoll::scenario::Scenario;
use rstest::rstest;

use crate::findings::trial::Trial;

/// Runs `trace inspect` on a file with this text.
fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

/// The rows of the trace in Plimsoll's own format, and the first instant.
fn converted(text: &str, arguments: &str) -> Vec<String> {
    let trial = Trial::new(&[("t", text)]);
    trial.expect(&format!("trace convert t o.csv {arguments}"), 0);
    let rows = trial.read("o.csv");
    rows.lines().filter(|line| !line.starts_with('#')).skip(1).map(str::to_string).collect()
}

/// Two lines of a log: the first arrives at second 0.123 and takes 1.5 s, the second arrives at second 1.123 and takes
/// 0.25 s.
fn two(line: impl Fn(u32, u32) -> String) -> String {
    [line(0, 1500), line(1, 250)].join("\n") + "\n"
}

fn traefik_json() -> String {
    two(|second, millis| {
        format!(
            r#"{{"ClientHost":"192.0.2.1","DownstreamStatus":200,"Duration":{millis}000000,"RequestMethod":"GET","RequestPath":"/a","StartUTC":"2026-03-02T10:00:0{second}.123Z","level":"info","msg":"","time":"2026-03-02T10:00:02Z"}}"#
        )
    })
}

fn caddy_json() -> String {
    // Written at the end.
    let ends = ["1772445601.623", "1772445601.373"];
    let other = r#"{"level":"info","ts":1772445600.5,"logger":"tls","msg":"cleaning storage unit","duration":0.01}"#;
    two(|second, millis| {
        format!(
            r#"{{"level":"info","ts":{},"logger":"http.log.access","msg":"handled request","request":{{"method":"GET","uri":"/a","headers":{{"Accept":["*/*"]}}}},"duration":{},"size":11,"status":200}}"#,
            ends[second as usize],
            f64::from(millis) / 1000.0
        )
    }) + other
        + "\n"
}

fn envoy_json() -> String {
    two(|second, millis| {
        format!(
            r#"{{"authority":"shop","duration":{millis},"method":"GET","path":"/a","response_code":200,"start_time":"2026-03-02T10:00:0{second}.123Z","upstream_host":null}}"#
        )
    })
}

fn envoy_text() -> String {
    two(|second, millis| {
        format!(
            r#"[2026-03-02T10:00:0{second}.123Z] "GET /a HTTP/2" 200 - 154 0 {millis} 100 "10.0.35.28" "curl" "cc21d9b0" "shop" "10.0.2.1:80""#
        )
    })
}

fn haproxy(head: &str) -> String {
    two(|second, millis| {
        format!(
            "{head}192.0.2.1:33317 [02/Mar/2026:10:00:0{second}.123] http-in static/srv1 10/0/30/69/{millis} 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET /a?b HTTP/1.1\""
        )
    })
}

fn traefik_text() -> String {
    two(|second, millis| {
        format!(
            r#"192.0.2.1 - - [02/Mar/2026:10:00:0{second} +0000] "GET /a HTTP/1.1" 200 394 "-" "curl" 41 "web@docker" "http://172.18.0.3:80" {millis}ms"#
        )
    })
}

fn s3() -> String {
    two(|second, millis| {
        format!(
            r#"79a59 shop [02/Mar/2026:10:00:0{second} +0000] 192.0.2.3 79a59 3E57 REST.GET.OBJECT a "GET /a HTTP/1.1" 200 - 113 113 {millis} 6 "-" "curl" - s9lz= SigV4 - - - - - -"#
        )
    })
}

#[rstest]
#[case::traefik("traefik", traefik_json(), ".123Z")]
#[case::traefik_common("traefik", traefik_text(), "Z")]
#[case::caddy("caddy", caddy_json(), ".123Z")]
#[case::envoy("envoy", envoy_text(), ".123Z")]
#[case::envoy_json("envoy", envoy_json(), ".123Z")]
#[case::haproxy("haproxy", haproxy(""), ".123Z")]
#[case::haproxy_syslog("haproxy", haproxy("Mar  2 10:00:02 lb1 haproxy[14389]: "), ".123Z")]
#[case::haproxy_iso("haproxy", haproxy("2026-03-02T10:00:02.5+00:00 lb1 haproxy[14389]: "), ".123Z")]
#[case::s3("s3", s3(), "Z")]
fn requests_come_at_their_start(#[case] format: &str, #[case] log: String, #[case] fraction: &str) {
    let shown = inspect(&log, "", 0);
    assert!(shown.contains(format) && shown.contains("2 used") && shown.contains("0.000% unusable"), "{shown}");
    assert!(shown.contains(&format!("from          2026-03-02T10:00:00{fraction}")), "{shown}");
    assert!(shown.contains(&format!("to            2026-03-02T10:00:01{fraction}")), "{shown}");
    // Also by name, and filtered by path and status.
    assert!(
        inspect(&log, &format!("--trace-format {format} --include path=/a --include status=2xx"), 0).contains("2 used")
    );
    assert!(inspect(&log, "--exclude method=GET", 2).contains("no usable row"));
    // Its duration is the recorded demand of the request.
    assert_eq!(converted(&log, ""), ["0,1500000000", "1000000000,250000000"]);
}

/// A line is written when a connection ends; its start was earlier by its duration.
#[test]
fn connections_of_a_network_load_balancer_come_at_their_start() {
    let log = two(|second, millis| {
        format!(
            "tls 2.0 2026-03-02T10:00:1{second} net/edge/c6e7 g3d4 192.0.2.8:51341 192.0.2.85:443 {millis} 2 98 246 - arn:1 - ECDHE tlsv12 - shop.example - - -"
        )
    });
    let shown = inspect(&log, "", 0);
    assert!(shown.contains("aws-nlb") && shown.contains("from          2026-03-02T10:00:08.5Z"), "{shown}");
    assert!(shown.contains("each line is a TLS connection"), "{shown}");
    assert_eq!(converted(&log, ""), ["0,1500000000", "2250000000,250000000"]);
}

/// K4: local times without a zone are in the stated zone; if none is stated, a note says so.
#[test]
fn the_zone_of_local_times_can_be_stated() {
    let log = haproxy("Mar  2 10:00:02 lb1 haproxy[14389]: ");
    assert!(inspect(&log, "", 0).contains("read as UTC (`time-zone:` states another)"));
    let stated = inspect(&log, "--time-zone Europe/Berlin", 0);
    assert!(stated.contains("from          2026-03-02T09:00:00.123Z") && !stated.contains("read as UTC"), "{stated}");
}

#[test]
fn unfinished_requests_and_other_messages_are_reported() {
    let message = "Mar  2 10:00:03 lb1 haproxy[14389]: Server static/srv1 is DOWN, reason: Layer4 timeout\n";
    let log = haproxy("Mar  2 10:00:02 lb1 haproxy[14389]: ").replace("/250 ", "/+250 ") + message;
    let shown = inspect(&log, "", 0);
    let scenario = "name: s\nworkload: { trace: log }\nservice: { name: web, replicas: 2, concurrency: 4, service-time: from-trace }\npolicies: { two: { static: { replicas: 2 } } }\n";
    let told = Trial::new(&[("log", &log), ("s.yaml", scenario)]).expect("check s.yaml", 0);
    assert!(told.contains("1 requests were logged before they had ended"), "{told}");
    assert!(shown.contains("2 used") && shown.contains("0.000% unusable"), "{shown}");
}

const COMMON: &str = "192.0.2.1 - - [02/Mar/2026:10:00:0S +0000] \"GET /a HTTP/1.1\" 200 612 \"-\" \"curl\"";
const OBJECT: &str = r#"{"method":"GET","path":"/a","status":200,"bytes":S}"#;
const PAIRS: &str = "level=info method=GET path=/a status=200 bytes=S";
const TIMED_PAIRS: &str = "ts=2026-03-02T10:00:0S.5Z level=info method=GET path=/a duration=500ms status=200";

/// Two lines with these prefixes, in which `S` is the second.
fn behind(prefix: &str, line: &str) -> String {
    (0..2).map(|second| (prefix.to_string() + line + "\n").replace('S', &second.to_string())).collect()
}

/// K16: prefixes are removed, whatever the format of the lines.
#[rstest]
#[case("[pod/web-7d4b9c-abcde/nginx] ", "kubectl logs --prefix")]
#[case("web-1  | ", "docker compose")]
#[case("2026-03-02T10:00:0S.1Z stdout F ", "CRI")]
#[case("2026-03-02T10:00:0S.1Z ", "--timestamps")]
#[case("Mar  2 10:00:0S host nginx[7]: ", "syslog")]
#[case("<34>1 2026-03-02T10:00:0S.1Z host nginx 7 - - ", "syslog")]
#[case("[pod/a/b] 2026-03-02T10:00:0S.1Z ", "`kubectl logs --prefix` and of `--timestamps`")]
fn lines_behind_prefixes_are_read(#[case] prefix: &str, #[case] name: &str) {
    for (line, format, fraction) in [(COMMON, "access-log", ""), (TIMED_PAIRS, "logfmt", "")] {
        let shown = inspect(&behind(prefix, line), "", 0);
        assert!(shown.contains(format) && shown.contains("2 used, ") && shown.contains(name), "{shown}");
        assert!(shown.contains(&format!("from          2026-03-02T10:00:00{fraction}Z")), "{shown}");
        assert!(inspect(&behind(prefix, line), "--include method=POST", 2).contains("no usable row"));
    }
}

/// Lines without their own time get that of their prefix.
#[rstest]
#[case("2026-03-02T10:00:0S.5Z stdout F ")]
#[case("web  | 2026-03-02T10:00:0S.5Z ")]
fn the_time_of_a_prefix_is_taken_where_there_is_no_other(#[case] prefix: &str) {
    for (line, format) in [(OBJECT, "jsonl"), (PAIRS, "logfmt")] {
        let shown = inspect(&behind(prefix, line), "", 0);
        assert!(shown.contains(format) && shown.contains("2 used"), "{shown}");
        assert!(shown.contains("from          2026-03-02T10:00:00.5Z"), "{shown}");
        assert!(shown.contains("have no time of their own"), "{shown}");
    }
    let bsd = behind("Mar  2 10:00:0S host app: ", PAIRS);
    assert!(inspect(&bsd, "", 2).contains("`year: 2026`"));
    assert!(inspect(&bsd, "--year 2026", 0).contains("from          2026-03-02T10:00:00Z"));
}

/// Parts of lines are joined, errors refer to positions in the file, and lines of other containers are reported.
#[test]
fn faults_behind_prefixes_point_into_the_file() {
    let head = "2026-03-02T10:00:00.1Z stdout";
    let text = format!(
        "{head} P 192.0.2.1 - - [02/Mar/2026:10:00:00 +0000] \n{head} F \"GET /a HTTP/1.1\" 200 1\n{head} F 192.0.2.1 - - [02/Mar/2026:99:00:00 +0000] \"GET /a HTTP/1.1\" 200 1\n"
    );
    let shown = inspect(&text, "", 0);
    assert!(shown.contains("1 used") && shown.contains("line 3, column 48: expected a time"), "{shown}");
    assert_eq!(text.lines().nth(2).unwrap().find("02/Mar"), Some(47));
    let docker: String = ["00", "01"]
        .map(|second| {
            let line = COMMON.replace("0S", second).replace('"', "\\\"");
            format!("{{\"log\":\"{line}\\n\",\"stream\":\"stdout\",\"time\":\"2026-03-02T10:00:{second}.9Z\"}}\n")
        })
        .concat();
    let shown = inspect(&docker, "", 0);
    assert!(
        shown.contains("access-log") && shown.contains("2 used") && shown.contains("Docker's json-file"),
        "{shown}"
    );
}

/// The console format in which Caddy logs to a terminal.
#[test]
fn caddy_on_a_terminal_is_read_as_its_objects() {
    let text = "2026/03/02 10:00:01.500\tINFO\thttp.log.access.log0\thandled request\t{\"request\": {\"method\": \"GET\", \"uri\": \"/a\"}, \"duration\": 0.5, \"status\": 200}\n2026/03/02 10:00:02.500\tINFO\ttls\tcleaned\t{\"storage\": \"x\"}\n";
    let shown = inspect(text, "", 0);
    assert!(shown.contains("caddy") && shown.contains("1 used, 1 passed over"), "{shown}");
    assert!(shown.contains("from          2026-03-02T10:00:01Z"), "{shown}");
}

#[test]
fn heroku_routes_come_before_they_are_written() {
    let line = "2026-03-02T10:00:0S.500000+00:00 heroku[router]: at=info method=GET path=\"/a\" host=shop.example request_id=1 fwd=\"192.0.2.1\" dyno=web.1 connect=100ms service=400ms status=200 bytes=1";
    let text = behind("", line) + "2026-03-02T10:00:03.500000+00:00 heroku[router]: at=info fun=a b=c note=none\n";
    let shown = inspect(&text, "", 0);
    assert!(shown.contains("logfmt") && shown.contains("2 used, 1 passed over"), "{shown}");
    assert!(shown.contains("from          2026-03-02T10:00:00Z"), "{shown}");
    assert_eq!(converted(&text, ""), ["0,400000000", "1000000000,400000000"]);
}

/// logfmt: the unit of a duration is known, or the user is asked; the same for lines that may not be requests.
#[test]
fn ambiguous_logfmt_is_refused() {
    assert_eq!(converted(&behind("", TIMED_PAIRS), ""), ["0,500000000", "1000000000,500000000"]);
    let named = behind("", &TIMED_PAIRS.replace("duration=500ms", "duration_ms=500"));
    assert_eq!(converted(&named, ""), ["0,500000000", "1000000000,500000000"]);
    let bare = behind("", &TIMED_PAIRS.replace("500ms", "500"));
    assert!(inspect(&bare, "", 2).contains("`duration=500` has no unit"), "{}", inspect(&bare, "", 2));
    assert!(inspect(&bare, "--demand duration --demand-unit ms", 0).contains("from          2026-03-02T10:00:00.5Z"));
    let jobs = behind("", "ts=2026-03-02T10:00:0S.5Z level=info msg=done duration=3s");
    assert!(inspect(&jobs, "", 2).contains("`rows: requests`"), "{}", inspect(&jobs, "", 2));
}

/// K3: nginx writes JSON at the end of a request; for other programs that is not known, and a note says so.
#[test]
fn json_of_other_programs_is_read_with_a_note() {
    let nginx = r#"{"time_iso8601":"2026-03-02T10:00:0S+00:00","request":"GET /a HTTP/1.1","status":"200","request_time":"0.250"}"#;
    let shown = inspect(&behind("", nginx), "", 0);
    assert!(
        shown.contains("from          2026-03-02T09:59:59.75Z") && shown.contains("came by `request_time`"),
        "{shown}"
    );
    let pino = r#"{"level":30,"time":177244560S000,"req":{"method":"GET"},"responseTime":250}"#;
    let shown = inspect(&behind("", pino), "", 0);
    assert!(
        shown.contains("from          2026-03-02T10:00:00Z") && shown.contains("`responseTime` seems to say"),
        "{shown}"
    );
}

const BERLIN: &str = "192.0.2.1 - - [15/Nov/2026:19:M:00 +0100] \"GET / HTTP/1.1\" 200 612\n";

/// Newcomer 12 and K4: times of day are in the zone of the log, and a note says so.
#[test]
fn the_zone_of_a_log_is_that_of_times_of_day() {
    let log: String = (0..60).map(|minute| BERLIN.replace('M', &format!("{minute:02}"))).collect::<String>()
        + &(0..60).map(|minute| BERLIN.replace("19:M", &format!("20:{minute:02}"))).collect::<String>();
    let scenario = "name: s\nworkload:\n  trace: log\n  transforms: [ { overlay: [ { at: 20:00, factor: 5, for: 30m } ] } ]\nservice: { name: web, replicas: 2, concurrency: 4, service-time: 20ms }\npolicies: { two: { static: { replicas: 2 } } }\n";
    let trial = Trial::new(&[("log", &log), ("s.yaml", scenario)]);
    let shown = trial.expect("check s.yaml", 0);
    assert!(shown.contains("20:00 +01:00 is first 2026-11-15T20:00:00+01:00 = 19:00 UTC"), "{shown}");
    assert!(shown.contains("its times are of +01:00, and so are times of day and charts"), "{shown}");
    let stated = scenario.replace("trace: log", "trace: log\n  time-zone: UTC");
    let shown = Trial::new(&[("log", &log), ("s.yaml", &stated)]).expect("check s.yaml", 0);
    assert!(shown.contains("20:00 UTC is first 2026-11-15T20:00:00Z"), "{shown}");
    // After clocks were changed, the first offset still applies.
    let changed = log.replace("20:59:00 +0100", "20:59:00 +0000");
    let shown = inspect(&changed, "--reorder 2h", 0);
    assert!(shown.contains("of +01:00 and later of UTC: times of day and charts are of +01:00"), "{shown}");
}

/// K4 in all variants: without a zone, with a stated zone, and a note that UTC was assumed.
#[rstest]
#[case::common("192.0.2.1 - - [02/Mar/2026:10:00:0S] \"GET / HTTP/1.1\" 200 612")]
#[case::combined("192.0.2.1 - u [02/Mar/2026:10:00:0S] \"GET / HTTP/1.1\" 200 612 \"-\" \"curl\"")]
#[case::behind_a_prefix("[pod/a/b] 192.0.2.1 - - [02/Mar/2026:10:00:0S] \"GET / HTTP/1.1\" 200 612")]
fn common_lines_without_a_zone_are_read(#[case] line: &str) {
    let shown = inspect(&behind("", line), "", 0);
    assert!(shown.contains("from          2026-03-02T10:00:00Z") && shown.contains("name no zone"), "{shown}");
    let stated = inspect(&behind("", line), "--time-zone +01:00", 0);
    assert!(stated.contains("from          2026-03-02T09:00:00Z") && !stated.contains("name no zone"), "{stated}");
}

/// The duration in a log is the service time if requested; a stated service time takes precedence.
#[test]
fn a_stated_service_time_goes_before_the_duration_of_a_log() {
    let scenario = |time: &str| {
        format!(
            "name: s\nworkload: {{ trace: log }}\nservice: {{ name: web, replicas: 2, concurrency: 4, service-time: {time} }}\npolicies: {{ two: {{ static: {{ replicas: 2 }} }} }}\n"
        )
    };
    for log in [envoy_text(), traefik_json(), caddy_json()] {
        let trial = Trial::new(&[("log", &log), ("a.yaml", &scenario("20ms")), ("b.yaml", &scenario("from-trace"))]);
        let stated = trial.expect("check a.yaml", 0);
        assert!(stated.contains("`service-time: from-trace` takes it"), "{stated}");
        let longest = |file: &str| {
            let scenario = Scenario::read(&trial.path(file), &[], &mut Diagnostics::new()).unwrap();
            let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
            record.services[0].sojourn.max().unwrap().as_secs_f64()
        };
        assert!((longest("a.yaml") - 0.02).abs() < 1e-3 && (longest("b.yaml") - 1.5).abs() < 1e-2);
    }
}
