//! Public cases K1 and K14: exports of dashboards and clouds. Counts and rates are distinguished from levels, or the
//! user is asked.

use rstest::rstest;

use super::samples::{
    AZURE, CLOUDWATCH_CONSOLE, DATADOG, GCP, GCP_CONSOLE, GRAFANA, GRAFANA_LIST, GRAFANA_PANEL, JMETER, JMETER_XML,
    LOCUST, NEW_RELIC,
};
use crate::findings::trial::Trial;

fn inspect(text: &str, arguments: &str, code: i32) -> String {
    Trial::new(&[("t", text)]).expect(&format!("trace inspect t {arguments}"), code)
}

#[rstest]
// Counters over three seconds: 7 requests, then 15; the rows of single endpoints are not added to those of all.
#[case::locust(LOCUST, "", "sum 22,", "2026-03-02T10:00:00Z")]
#[case::endpoint(LOCUST, "--include Name=/a", "sum 14,", "2026-03-02T10:00:00Z")]
#[case::endpoints(LOCUST, "--include Name=/*", "sum 22,", "2026-03-02T10:00:00Z")]
#[case::methods(LOCUST, "--include Type=GET --exclude Name=/b", "sum 14,", "2026-03-02T10:00:00Z")]
#[case::locust_rate(LOCUST, "--metric Requests/s", "sum 15,", "2026-03-02T09:59:59Z")]
// A rate belongs to the minute before its time: 12 and 14 per second.
#[case::rate_of_one(GRAFANA, "--metric web-1", "sum 1560,", "2026-03-02T09:59:00Z")]
#[case::rate_of_all(GRAFANA, "--metric web-*", "sum 2910,", "2026-03-02T09:59:00Z")]
#[case::by_label(GRAFANA, "--metric Value{pod=web-2}", "sum 1350,", "2026-03-02T09:59:00Z")]
#[case::frames(GRAFANA_LIST, "--values count", "sum 1380,", "2026-03-02T10:00:00Z")]
#[case::panel(GRAFANA_PANEL, "--values count", "sum 1380,", "2026-03-02T10:00:00Z")]
#[case::one_id(CLOUDWATCH_CONSOLE, "--metric m2 --values count", "sum 220,", "2026-03-02T10:00:00Z")]
#[case::one_label(CLOUDWATCH_CONSOLE, "--metric RequestCount --values count", "sum 2300,", "2026-03-02T10:00:00Z")]
#[case::script_dates(GCP_CONSOLE, "--metric web --values rate", "sum 1530,", "2026-03-02T09:59:00Z")]
#[case::delta(GCP, "", "sum 1383,", "2026-03-02T10:00:00Z")]
#[case::by_its_short_name(GCP, "--metric request_count", "sum 1383,", "2026-03-02T10:00:00Z")]
#[case::total(AZURE, "", "sum 1380,", "2026-03-02T10:00:00Z")]
#[case::as_count(DATADOG, "", "sum 1380,", "2026-03-02T10:00:00Z")]
#[case::new_relic(NEW_RELIC, "", "sum 363,", "2026-03-02T10:00:00Z")]
fn counts_come_out_of_exports(#[case] text: &str, #[case] arguments: &str, #[case] sum: &str, #[case] from: &str) {
    let shown = inspect(text, arguments, 0);
    assert!(shown.contains(", counts") && shown.contains(sum), "{shown}");
    assert!(shown.contains(&format!("from          {from}")), "{shown}");
}

#[rstest]
#[case(GRAFANA, "", "holds 2 metrics; expected to be told which", "`metric: '*'` adds all of them up")]
#[case(GRAFANA_LIST, "", "what the values of `requests` are is not clear", "`values:` is one of")]
#[case(CLOUDWATCH_CONSOLE, "--values count", "holds 2 metrics", "RequestCount api, RequestCount web")]
#[case(CLOUDWATCH_CONSOLE, "--metric m3 --values count", "has no metric `m3`", "RequestCount api")]
#[case(GCP_CONSOLE, "--metric web", "what the values of `web` are is not clear", "`level`")]
#[case(GRAFANA, "--metric web-1 --include pod=x", "`include:` and `exclude:` are not applied", "choose in the query")]
#[case(LOCUST, "--metric 50%", "what the values of `50%` are is not clear", "`values:`")]
fn ambiguous_exports_are_refused(
    #[case] text: &str,
    #[case] arguments: &str,
    #[case] question: &str,
    #[case] help: &str,
) {
    let shown = inspect(text, arguments, 2);
    assert!(shown.contains(question) && shown.contains(help), "{shown}");
}

#[test]
fn gauges_and_users_are_levels() {
    let gauge = GCP.replace("DELTA", "GAUGE");
    assert!(inspect(&gauge, "", 2).contains("is not clear"));
    let shown = inspect(&gauge, "--values level", 0);
    assert!(shown.contains(", levels") && shown.contains("from          2026-03-02T10:01:00Z"), "{shown}");
    let scenario = "workload: { trace: t, metric: User Count, requests-per-unit: 1/s }\nservice: { name: web, concurrency: 1, service-time: \
                    1ms }\npolicies: { one: { static: { replicas: 1 } } }\n";
    let trial = Trial::new(&[("t", LOCUST), ("s.yaml", scenario)]);
    assert!(trial.expect("check s.yaml", 0).contains("`User Count` of the rows `Aggregated` is read"));
}

#[test]
fn the_selected_series_are_reported() {
    assert!(inspect(LOCUST, "", 0).contains("`Total Request Count` of the rows `Aggregated` is read"));
    assert!(inspect(LOCUST, "--include Name=/*", 0).contains("of 2 endpoints is added up"));
    assert!(inspect(GRAFANA, "--metric web-*", 0).contains("2 series of `web-*` are added up"));
    assert!(inspect(&GCP.replace("\"unit\":\"1\"", "\"nextPageToken\":\"x\""), "", 0).contains("others follow"));
}

#[test]
fn frames_in_long_form_and_failed_queries_are_refused() {
    let long = GRAFANA_LIST.replace(
        "{\"name\":\"requests\",\"type\":\"number\"}",
        "{\"name\":\"pod\",\"type\":\"string\"},{\"name\":\"n\",\"type\":\"number\"}",
    );
    let long = long.replace("[720,660]", "[\"a\",\"b\"],[720,660]");
    assert!(inspect(&long, "--values count", 2).contains("Prepare time series"));
    let failed =
        r#"{"results":{"A":{"error":"no such metric","frames":[{"schema":{"fields":[]},"data":{"values":[]}}]}}}"#;
    assert!(inspect(failed, "", 2).contains("query A failed: no such metric"));
}

#[test]
fn samples_inside_others_are_counted_once() {
    let convert = |text: &str| {
        let trial = Trial::new(&[("t", text)]);
        trial.expect("trace convert t out.csv --class label", 0);
        let written = trial.read("out.csv");
        written
            .lines()
            .filter(|line| line.contains("GET") && !line.starts_with('#'))
            .map(str::to_string)
            .collect::<Vec<_>>()
    };
    let xml = convert(JMETER_XML);
    assert_eq!(
        xml,
        ["0,2000000000,GET /slow", "1000000000,120000000,GET /login?a=1&b=2", "1130000000,80000000,GET /home"]
    );
    assert_eq!(xml.len(), convert(JMETER).len());
    assert!(inspect(JMETER_XML, "--include status=500", 0).contains("1 used"));
    assert!(inspect(JMETER_XML, "--exclude success=false", 0).contains("2 used"));
    // A test that was killed leaves the last tags open.
    assert!(inspect(&JMETER_XML.replace("</testResults>\n", ""), "", 0).contains("3 used"));
    assert!(inspect(&JMETER_XML.replace("</sample>", "</httpSample>"), "", 2).contains("byte "));
    let deep = format!("<testResults>{}", "<sample t=\"1\" ts=\"1772445600000\">".repeat(100));
    assert!(inspect(&deep, "", 2).contains("more than 64 deep"));
}

/// Values with units, as written by a dashboard, determine their kind.
#[test]
fn wide_tables_of_grafana() {
    let table = "\"Time\",\"web-1\",\"web-2\"\n2026-03-02 10:00:00,12 req/s,1.2 K req/s\n2026-03-02 10:01:00,13.5 req/s,0.60 K req/s\n";
    assert!(inspect(table, "--rate *", 0).contains("sum 109530,"), "{}", inspect(table, "--rate *", 0));
    assert!(inspect(table, "", 2).contains("columns: Time, web-1, web-2"));
}
