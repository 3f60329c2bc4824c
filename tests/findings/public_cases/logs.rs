//! Public cases K3, K4 and K16: logs as proxies and platforms write them, each request at its start and with its duration.

use rstest::rstest;

use crate::findings::trial::Trial;

/// Runs `trace inspect` on a file of this text.
fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

/// The rows of the trace, as Plimsoll's own format writes them, with the first instant.
fn converted(text: &str, arguments: &str) -> Vec<String> {
    let trial = Trial::new(&[("t", text)]);
    trial.expect(&format!("trace convert t o.csv {arguments}"), 0);
    let rows = trial.read("o.csv");
    rows.lines().filter(|line| !line.starts_with('#')).skip(1).map(str::to_string).collect()
}

/// Two lines of a log: the first comes at second 0.123 and takes 1.5 s, the second comes at second 1.123 and takes 0.25 s.
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
    // By name as well, and chosen by path and status.
    assert!(inspect(&log, &format!("--format {format} --include path=/a --include status=2xx"), 0).contains("2 used"));
    assert!(inspect(&log, "--exclude method=GET", 2).contains("no usable row"));
    // Its duration is what is recorded of a request's demand.
    assert_eq!(converted(&log, ""), ["0,1500000000", "1000000000,250000000"]);
}

/// A connection that ends is a line; it began by its length earlier.
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

/// K4: local times without a zone are of the zone that is stated, and that nobody stated one is said.
#[test]
fn the_zone_of_local_times_can_be_stated() {
    let log = haproxy("Mar  2 10:00:02 lb1 haproxy[14389]: ");
    assert!(inspect(&log, "", 0).contains("read as UTC (`time-zone:` states another)"));
    let stated = inspect(&log, "--time-zone Europe/Berlin", 0);
    assert!(stated.contains("from          2026-03-02T09:00:00.123Z") && !stated.contains("read as UTC"), "{stated}");
}

#[test]
fn requests_that_had_not_ended_and_other_messages_are_told() {
    let message = "Mar  2 10:00:03 lb1 haproxy[14389]: Server static/srv1 is DOWN, reason: Layer4 timeout\n";
    let log = haproxy("Mar  2 10:00:02 lb1 haproxy[14389]: ").replace("/250 ", "/+250 ") + message;
    let shown = inspect(&log, "", 0);
    assert!(shown.contains("1 requests were logged before they had ended"), "{shown}");
    assert!(shown.contains("2 used") && shown.contains("0.000% unusable"), "{shown}");
}
