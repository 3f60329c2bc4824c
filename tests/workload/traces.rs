//! Facts of published traces, which every reader must reproduce: rows, span, mean and peak, with the peculiarities of
//! each file. The files are not part of the repository; the environment variable `PLIMSOLL_TRACES` names their
//! directory.

use std::path::PathBuf;

use plimsoll::random::Streams;
use plimsoll::units::{Fraction, SimDuration, SimTime};
use plimsoll::workload::{
    Columns, RequestBatch, SeriesKind, TraceError, TraceFacts, TraceOptions, WorkloadSpec, inspect, parse_instant,
    show_instant,
};

/// The trace called `name`; `None`, with a message, if the traces are not available.
pub fn trace(name: &str) -> Option<PathBuf> {
    let named = std::env::var_os("PLIMSOLL_TRACES").map(PathBuf::from);
    let beside = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/traces");
    let path = named.unwrap_or(beside).join(name);
    if !path.exists() {
        eprintln!("SKIPPED: {} is not at hand; set PLIMSOLL_TRACES to the directory of the traces", path.display());
        return None;
    }
    Some(path)
}

fn columns(pairs: &[(&str, &str)]) -> TraceOptions {
    let column = |key: &str| pairs.iter().find(|(known, _)| *known == key).map(|(_, name)| name.to_string());
    let columns = Columns {
        counter: Vec::new(),
        session: column("session"),
        once_per: column("once-per"),
        time: column("time").into_iter().collect(),
        count: column("count").into_iter().collect(),
        rate: column("rate").into_iter().collect(),
        level: column("level").into_iter().collect(),
        demand: column("demand"),
        elapsed: column("elapsed"),
        tokens_in: column("tokens-in"),
        tokens_out: column("tokens-out"),
        class: column("class"),
    };
    TraceOptions { columns, ..TraceOptions::default() }
}

/// Rows, first and last time to the second, and the fullest second, minute and hour with their starts (0 if the source
/// of the facts does not state it).
struct Expected {
    rows: u64,
    first: &'static str,
    last: &'static str,
    peaks: [(u64, &'static str); 3],
}

const NOT_TOLD: [(u64, &str); 3] = [(0, ""); 3];

fn check(facts: &TraceFacts, expected: &Expected) {
    assert_eq!(facts.tally.rows, expected.rows);
    let second = |time: SimTime| show_instant(time.as_nanos() / 1_000_000_000 * 1_000_000_000);
    assert_eq!((second(facts.first).as_str(), second(facts.last).as_str()), (expected.first, expected.last));
    for (peak, (most, at)) in facts.peaks.iter().zip(expected.peaks).filter(|(_, (most, _))| *most > 0) {
        assert_eq!((peak.most, show_instant(peak.at_ns).as_str()), (most, at), "{}", peak.bin);
    }
}

/// Length of a step in seconds, and number of places with missing steps.
fn gaps(facts: &TraceFacts) -> (u64, u64) {
    let gaps = facts.gaps.unwrap();
    (gaps.step.as_nanos() / 1_000_000_000, gaps.gaps)
}

fn near(value: f64, expected: f64, within: f64) {
    assert!((value - expected).abs() <= within, "{value} is not {expected} within {within}");
}

#[test]
fn azure_llm_conversations() {
    let Some(path) = trace("llm_AzureLLMInferenceTrace_conv.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.packing.as_str(), facts.kind), ("azure-llm", "gzip", SeriesKind::Arrivals));
    let peaks = [(19, "2023-11-16T18:47:00Z"), (502, "2023-11-16T18:43:00Z"), (0, "")];
    check(&facts, &Expected { rows: 19_366, first: "2023-11-16T18:15:46Z", last: "2023-11-16T19:14:08Z", peaks });
    assert_eq!((facts.tally.bad, facts.out_of_order), (0, 0));
    near(facts.mean_rate().unwrap(), 5.53, 0.005);
    // 19,366 over 60 calendar minutes are 322.8, but the first and the last minute are incomplete.
    near(facts.peaks[1].mean, facts.mean_rate().unwrap() * 60.0, 1e-6);
    let tokens = facts.tokens.unwrap();
    assert_eq!((tokens.most_in, tokens.most_out), (14_050, 1_000));
    near(tokens.sum_in as f64 / 19_366.0, 1155.0, 0.5);
    near(tokens.sum_out as f64 / 19_366.0, 211.0, 0.5);
}

#[test]
fn mooncake_conversations() {
    let Some(path) = trace("llm_mooncake_conversation_trace.jsonl.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.zero_epoch_ns), ("mooncake", SeriesKind::Arrivals, None));
    assert_eq!((facts.tally.rows, facts.tally.bad, facts.out_of_order), (12_031, 0, 0));
    // Times are quantised to about three seconds: 2,999 to 3,001 ms.
    assert_eq!((facts.first, facts.last), (SimTime::ZERO, SimTime::from_nanos(3_536_999_000_000)));
    near(facts.mean_rate().unwrap(), 3.401, 0.0005);
    assert_eq!((facts.peaks[0].most, facts.peaks[0].at_ns), (28, 3_447_000_000_000));
    let mut by_three_seconds = std::collections::BTreeMap::<u64, u64>::new();
    for arrival in requests(&path, TraceOptions::default()).arrivals {
        *by_three_seconds.entry(arrival.as_nanos() / 3_000_000_000).or_default() += 1;
    }
    let fullest = by_three_seconds.iter().max_by_key(|(_, count)| **count).unwrap();
    assert_eq!((*fullest.0 * 3, *fullest.1), (3_447, 43));
    assert_eq!((facts.peaks[1].most, facts.peaks[1].at_ns), (247, 2_160_000_000_000));
    near(facts.peaks[1].mean, 3.401 * 60.0, 0.05);
    let tokens = facts.tokens.unwrap();
    assert_eq!(tokens.most_in, 126_195);
    near(tokens.sum_in as f64 / 12_031.0, 12_035.0, 0.5);
    near(tokens.sum_out as f64 / 12_031.0, 343.0, 0.5);
}

#[test]
fn access_log_with_broken_lines_and_days_backwards() {
    let Some(path) = trace("web_erddap_nginx_combined.log.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind), ("access-log", SeriesKind::Arrivals));
    let peaks = [(0, ""), (165, "2024-05-13T17:52:00Z"), (758, "2024-05-16T18:00:00Z")];
    check(&facts, &Expected { rows: 10_479, first: "2024-05-12T00:00:17Z", last: "2024-05-20T23:54:29Z", peaks });
    assert_eq!(facts.tally.bad, 5_796);
    assert!(facts.furthest_back > SimDuration::from_secs(86_400), "{}", facts.furthest_back);
    near(facts.mean_rate().unwrap(), 0.01348, 0.000_005);
    near(facts.peaks[2].mean, 0.01348 * 3600.0, 0.02);
}

#[test]
fn shop_invoice_lines() {
    let Some(path) = trace("ecom_uci_online_retail.csv.zst") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.packing.as_str()), ("online-retail", "zstd"));
    let peaks = [(0, ""), (1114, "2011-10-31T14:41:00Z"), (2036, "2011-12-05T17:00:00Z")];
    check(&facts, &Expected { rows: 541_909, first: "2010-12-01T08:26:00Z", last: "2011-12-09T12:50:00Z", peaks });
    assert_eq!(facts.tally.bad, 0);
    near(facts.mean_rate().unwrap(), 0.01681, 0.000_005);
    near(facts.peaks[1].mean, 1.008, 0.0005);
    near(facts.peaks[2].mean, 60.5, 0.05);
}

#[test]
fn shop_invoices_of_several_lines_each() {
    let Some(path) = trace("ecom_uci_online_retail.csv.zst") else { return };
    let facts = inspect(&path, &columns(&[("once-per", "InvoiceNo")])).unwrap();
    assert_eq!(facts.format, "online-retail");
    let peaks = [(0, ""), (6, "2011-05-10T15:05:00Z"), (45, "2010-12-09T15:00:00Z")];
    check(&facts, &Expected { rows: 25_900, first: "2010-12-01T08:26:00Z", last: "2011-12-09T12:50:00Z", peaks });
    assert_eq!((facts.tally.bad, facts.tally.skipped), (0, 541_909 - 25_900));
    near(facts.mean_rate().unwrap(), 0.000_803_3, 0.000_000_05);
    near(facts.peaks[1].mean, 0.0482, 0.000_05);
    near(facts.peaks[2].mean, 2.892, 0.0005);
    // The shop is closed from 24 December to 3 January.
    assert!(facts.longest_gap > SimDuration::from_secs(11 * 86_400), "{}", facts.longest_gap);
}

#[test]
fn shop_clicks_sorted_by_session() {
    let Some(path) = trace("ecom_yoochoose_clicks_100k_train_full.tsv.gz") else { return };
    let options = TraceOptions { one_request_per_row: true, ..TraceOptions::default() };
    let facts = inspect(&path, &options).unwrap();
    assert_eq!(facts.format, "tsv");
    let peaks = [(0, ""), (46, "2014-04-06T16:01:00Z"), (1549, "2014-04-06T16:00:00Z")];
    check(&facts, &Expected { rows: 70_278, first: "2014-04-01T01:02:21Z", last: "2014-04-07T00:43:12Z", peaks });
    assert!(facts.out_of_order > 8_927, "{}", facts.out_of_order);
    near(facts.mean_rate().unwrap(), 0.1359, 0.000_05);
    // Rows over the covered time; the last minute is incomplete.
    near(facts.peaks[1].mean, 8.1521, 0.000_05);
}

#[test]
fn players_online() {
    let Some(path) = trace("game_decentraland_activity_history.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.instants), ("levels", SeriesKind::Levels, None));
    let (first, last) = ("2021-04-08T20:20:16Z", "2021-08-19T18:05:04Z");
    check(&facts, &Expected { rows: 31_799, first, last, peaks: NOT_TOLD });
    let values = facts.values.unwrap();
    near(values.mean, 214.235, 0.0005);
    assert_eq!((values.most, values.at.as_nanos()), (1405.0, parse_instant("2021-04-28 20:15:08").unwrap()));
    assert!(facts.longest_gap > SimDuration::from_secs(18 * 86_400), "{}", facts.longest_gap);
    assert_eq!(gaps(&facts), (300, 210));
    let error = WorkloadSpec::from_trace(&path, columns(&[("level", "PLAYERS")])).open(Streams::new(1, 0), 0).err();
    assert!(error.is_some_and(|error| error.help.unwrap().contains("requests-per-unit")));
}

#[test]
fn trades_per_minute_without_a_header() {
    let Some(path) = trace("fin_kraken_BTCUSDC_1m_2023Q1.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!(facts.format, "ohlcvt");
    assert_eq!((facts.kind, facts.interval), (SeriesKind::Counts, Some(SimDuration::from_secs(60))));
    let (first, last) = ("2023-01-01T00:00:00Z", "2023-03-31T23:59:00Z");
    check(&facts, &Expected { rows: 56_717, first, last, peaks: NOT_TOLD });
    let values = facts.values.unwrap();
    assert_eq!((values.sum, values.most), (232_786.0, 663.0));
    assert_eq!(show_instant(values.at.as_nanos()), "2023-03-11T10:47:00Z");
    assert_eq!((facts.longest_gap, gaps(&facts)), (SimDuration::from_secs(5_280), (60, 26_746)));
    // Of all 129,600 minutes 56% had no trade.
    assert_eq!(facts.gaps.unwrap().missing, 129_600 - 56_717);
    near(values.mean, 4.10, 0.005);
}

#[test]
fn world_cup_requests_per_minute() {
    let Some(path) = trace("web_worldcup98_per_minute.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.interval), ("counts", Some(SimDuration::from_secs(60))));
    let (first, last) = ("1998-04-30T21:30:00Z", "1998-07-26T21:59:00Z");
    check(&facts, &Expected { rows: 125_300, first, last, peaks: NOT_TOLD });
    let values = facts.values.unwrap();
    assert_eq!((values.sum, values.most), (1_352_804_107.0, 229_426.0));
    assert_eq!(show_instant(values.at.as_nanos()), "1998-07-07T21:41:00Z");
    near(values.mean, 10_796.5, 0.05);
    assert_eq!((facts.longest_gap, gaps(&facts)), (SimDuration::from_secs(240), (60, 7)));
}

#[test]
fn a_single_value_must_be_declared_count_or_level() {
    let Some(path) = trace("cloud_nab_elb_request_count_8c0756.csv") else { return };
    let error = inspect(&path, &TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("counts of requests or levels"), "{error}");
    let facts = inspect(&path, &columns(&[("count", "value")])).unwrap();
    assert_eq!((facts.tally.rows, facts.interval), (4_032, Some(SimDuration::from_secs(300))));
    assert_eq!(facts.gaps.map(|gaps| gaps.missing), Some(8));
    let values = facts.values.unwrap();
    near(values.mean, 61.8371, 0.000_05);
    assert_eq!((values.most, show_instant(values.at.as_nanos()).as_str()), (656.0, "2014-04-22T19:34:00Z"));

    let Some(path) = trace("cloud_nab_cpu_utilization_asg_misconfiguration.csv.gz") else { return };
    let facts = inspect(&path, &columns(&[("level", "value")])).unwrap();
    assert_eq!((facts.tally.rows, facts.longest_gap), (18_050, SimDuration::from_secs(300)));
    let values = facts.values.unwrap();
    near(values.mean, 38.2828, 0.000_05);
    assert_eq!((values.most, show_instant(values.at.as_nanos()).as_str()), (100.0, "2014-05-16T21:19:00Z"));
}

#[test]
fn image_requests_with_classes_and_demands() {
    let Some(path) = trace("ml_alibaba_gentd26_lora_request_trace.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!(facts.format, "alibaba-images");
    let peaks = [(0, ""), (64, "2024-12-06T00:39:00Z"), (436, "2024-12-06T00:00:00Z")];
    check(&facts, &Expected { rows: 26_823, first: "2024-11-15T16:57:50Z", last: "2024-12-08T17:33:57Z", peaks });
    assert_eq!(facts.tally.bad, 0);
    near(facts.mean_rate().unwrap(), 0.01348, 0.000_005);
    near(facts.peaks[1].mean, 0.809, 0.0005);
    // Rows over the covered time: the first and the last hour are incomplete.
    near(facts.peaks[2].mean, 0.013_483 * 3600.0, 0.005);
    // Service times: p50, p90 and p99 of 23, 53 and 106 s, the longest 567 s; 30 requests have none.
    let mut demands = requests(&path, TraceOptions { reorder: SimDuration::MAX, ..TraceOptions::default() }).demands;
    demands.sort_unstable();
    let quantile = |share: f64| demands[(share * demands.len() as f64) as usize].as_secs_f64().round();
    assert_eq!([0.5, 0.9, 0.99].map(quantile), [23.0, 53.0, 106.0]);
    assert_eq!(demands.last(), Some(&SimDuration::from_secs(567)));
    assert_eq!(demands.iter().filter(|demand| demand.is_zero()).count(), 30);
}

#[test]
fn gpu_duty_cycles_with_the_time_in_the_second_column() {
    let Some(path) = trace("cloud_alibaba_gentd26_pod_gpu_duty_cycle.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind), ("alibaba-gpu", SeriesKind::Levels));
    assert_eq!((facts.tally.rows, facts.span()), (157_417, SimDuration::from_secs(82_080)));
    assert_eq!(show_instant(facts.first.as_nanos()), "2022-09-11T01:12:00Z");
    let means = facts.instants.unwrap().means;
    near(means.mean, 6.99659, 0.000_005);
    near(means.most, 28.3028, 0.000_05);
    assert_eq!(show_instant(means.at.as_nanos()), "2022-09-11T08:32:48Z");
}

#[test]
fn pods_without_a_creation_time_are_counted() {
    let Some(path) = trace("k8s_alibaba_dlrm_inference_pods.csv.gz") else { return };
    let options = TraceOptions { one_request_per_row: true, ..columns(&[("time", "creation_time")]) };
    let facts = inspect(&path, &options).unwrap();
    assert_eq!((facts.format, facts.tally.rows, facts.tally.bad), ("csv", 16_591, 7_280));
    // Such a row is a pod that existed from the start.
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!(
        (facts.format, facts.tally.rows, facts.tally.skipped, facts.tally.bad),
        ("alibaba-pods", 16_591, 7_280, 0)
    );
    assert!(facts.out_of_order >= 1_651, "{}", facts.out_of_order);
    near(facts.mean_rate().unwrap(), 0.0062, 0.000_05);
    assert_eq!((facts.first, facts.last), (SimTime::from_secs(475), SimTime::from_secs(2_676_636)));
    assert_eq!((facts.peaks[1].most, facts.peaks[1].at_ns), (179, 1_694_820_000_000_000));
    assert_eq!((facts.peaks[2].most, facts.peaks[2].at_ns), (342, 1_782_000_000_000_000));
}

#[test]
fn logins_of_a_syslog_without_a_year() {
    let Some(path) = trace("fraud_ssh_auth.log.gz") else { return };
    let error = inspect(&path, &TraceOptions::default()).unwrap_err();
    assert!(error.help.as_deref().is_some_and(|help| help.contains("year: 2017")), "{error}");
    let facts = inspect(&path, &TraceOptions { year: Some(2017), ..TraceOptions::default() }).unwrap();
    assert_eq!((facts.format, facts.tally.bad), ("auth-log", 0));
    // 858 lines are one login each, 85 represent 410 in all.
    assert_eq!((facts.tally.rows, facts.tally.skipped), (858 + 410, 7_121 - 858 - 85));
}

#[test]
fn client_rates_of_a_chat_service_add_up() {
    let Some(path) = trace("llm_servegen_m-small_client_rates.csv.gz") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!(
        (facts.format, facts.kind, facts.interval),
        ("servegen", SeriesKind::Counts, Some(SimDuration::from_secs(600)))
    );
    assert_eq!((facts.tally.rows, facts.tally.bad, facts.zero_epoch_ns), (86_688, 0, None));
    assert_eq!((facts.first, facts.last), (SimTime::ZERO, SimTime::from_secs(1_209_000)));
    let instants = facts.instants.unwrap();
    assert_eq!((instants.instants, instants.sums.at), (2_016, SimTime::from_secs(1_023_600)));
    near(instants.sums.mean / 600.0, 1174.4, 0.05);
    near(instants.sums.most / 600.0, 3879.51, 0.005);
    near(instants.sums.sum, 1.42e9, 0.005e9);
    // Windows in which no client sent anything look like gaps of the collection: reported, not dropped.
    assert_eq!((instants.zeros, facts.gaps.unwrap().missing), (37, 0));
    // One client after the other: each goes back fourteen days.
    assert!(facts.furthest_back > SimDuration::from_secs(13 * 86_400), "{}", facts.furthest_back);
}

#[test]
fn function_invocations_start_before_they_end() {
    let Some(path) = trace("faas_azure2021_199_invocations.csv") else { return };
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.kind, facts.zero_epoch_ns), ("azure-functions-2021", SeriesKind::Arrivals, None));
    assert_eq!((facts.tally.rows, facts.tally.bad), (199, 0));
    assert_eq!((facts.first.as_secs_f64().round(), facts.last.as_secs_f64().round()), (0.0, 1200.0));
    near(facts.mean_rate().unwrap(), 0.1658, 0.000_05);
    assert_eq!((facts.peaks[0].most, facts.peaks[0].at_ns), (22, 0));
    assert_eq!((facts.peaks[1].most, facts.peaks[1].at_ns), (42, 0));
    near(facts.peaks[1].mean, 199.0 / 20.0, 0.001);
    let batch = requests(&path, TraceOptions { reorder: SimDuration::MAX, ..TraceOptions::default() });
    let functions: std::collections::BTreeSet<u16> = batch.classes.into_iter().collect();
    assert_eq!((functions.len(), batch.demands.len()), (31, 199));
    assert!(batch.demands.iter().any(|demand| demand.is_zero()));
}

fn requests(path: &std::path::Path, options: TraceOptions) -> RequestBatch {
    let mut source = WorkloadSpec::from_trace(path, options).open(Streams::new(1, 0), 0).unwrap();
    let mut batch = RequestBatch::default();
    while {
        let before = batch.len();
        source.fill(&mut batch).unwrap();
        batch.len() > before
    } {}
    batch
}

fn drain(path: &std::path::Path, options: TraceOptions) -> Result<u64, TraceError> {
    let mut source = WorkloadSpec::from_trace(path, options).open(Streams::new(1, 0), 0)?;
    let mut batch = RequestBatch::default();
    let (mut rows, mut newest) = (0, SimTime::ZERO);
    loop {
        batch.clear();
        source.fill(&mut batch)?;
        if batch.is_empty() {
            return Ok(rows);
        }
        assert!(batch.arrivals[0] >= newest && batch.arrivals.is_sorted());
        newest = *batch.arrivals.last().unwrap();
        rows += batch.len() as u64;
    }
}

#[test]
fn an_unsorted_log_replays_within_a_window() {
    let Some(path) = trace("web_erddap_nginx_combined.log.gz") else { return };
    let options = TraceOptions { max_bad_rows: Fraction::new(0.4).unwrap(), ..TraceOptions::default() };
    let error = drain(&path, options.clone()).unwrap_err();
    assert!(error.message.starts_with("arrivals go back by 1d23h5"), "{error}");
    // The window suggested by the message is sufficient.
    let help = error.help.unwrap();
    let window = help.split('`').nth(1).and_then(|text| text.strip_prefix("reorder: ")).unwrap();
    let reorder: SimDuration = window.parse().unwrap();
    assert_eq!(drain(&path, TraceOptions { reorder, ..options.clone() }), Ok(10_479));
    assert_eq!(drain(&path, TraceOptions { reorder: SimDuration::MAX, ..options }), Ok(10_479));
    let error = drain(&path, TraceOptions { reorder, ..TraceOptions::default() }).unwrap_err();
    assert!(error.help.as_deref().is_some_and(|help| help.contains("max-bad-rows: 36%")), "{error}");
}
