//! One row that no trace has, in a small file of every format: a date years away, a count or a duration with digits too many. Each is
//! named, or left out and told; none makes all the work.

use jiff::Timestamp;
use plimsoll::random::Streams;
use plimsoll::units::SimDuration;
use plimsoll::workload::{Columns, FORMATS, RequestBatch, SeriesKind, TraceOptions, Values, WorkloadSpec, inspect};
use rstest::rstest;
use tempfile::TempDir;

/// 2026-03-02T10:00:00Z, a Monday.
const START: i64 = 1_772_445_600;
const YEAR: i64 = 365 * 86_400;
const ROWS: i64 = 30;
/// What is far more than a sound file of these rows makes.
const MOST: usize = 20_000;

/// One row of a file: when, how many (or how much), and how long it took in milliseconds.
#[derive(Debug, Clone)]
struct Row {
    second: i64,
    count: String,
    millis: String,
}

impl Row {
    /// The time as strftime writes it.
    fn at(&self, pattern: &str) -> String {
        let time = Timestamp::from_second(self.second).unwrap();
        time.strftime(pattern).to_string()
    }

    fn iso(&self) -> String {
        self.at("%Y-%m-%dT%H:%M:%SZ")
    }

    /// Milliseconds since 1970.
    fn epoch_millis(&self) -> i64 {
        self.second * 1000
    }

    /// Seconds since the start of the trace.
    fn offset(&self) -> i64 {
        self.second - START
    }
}

/// How a file of a format is written.
struct Form {
    format: &'static str,
    options: TraceOptions,
    head: String,
    row: fn(&Row) -> String,
    between: &'static str,
    tail: &'static str,
}

impl Form {
    fn text(&self, rows: &[Row]) -> String {
        let rows: Vec<String> = rows.iter().map(self.row).collect();
        self.head.clone() + &rows.join(self.between) + self.tail
    }
}

fn lines(format: &'static str, head: &str, row: fn(&Row) -> String) -> Form {
    Form { format, options: TraceOptions::default(), head: head.into(), row, between: "\n", tail: "\n" }
}

fn json(format: &'static str, head: &str, row: fn(&Row) -> String, tail: &'static str) -> Form {
    Form { between: ",", tail, ..lines(format, head, row) }
}

fn names(name: &str) -> Vec<String> {
    vec![name.into()]
}

fn with(form: Form, options: TraceOptions) -> Form {
    Form { options, ..form }
}

fn valued(form: Form, values: Values) -> Form {
    with(form, TraceOptions { values: Some(values), ..TraceOptions::default() })
}

fn clf(row: &Row) -> String {
    row.at("%d/%b/%Y:%H:%M:%S +0000")
}

/// The logs.
fn logs() -> Vec<Form> {
    let stated = TraceOptions {
        log_format: Some("$remote_addr [$time_local] \"$request\" $status rt=$request_time".into()),
        ..TraceOptions::default()
    };
    vec![
        lines("access-log", "", |row| format!("192.0.2.1 - - [{}] \"GET / HTTP/1.1\" 200 612", clf(row))),
        with(
            lines("log-format", "", |row| format!("192.0.2.1 [{}] \"GET / HTTP/1.1\" 200 rt={}", clf(row), row.millis)),
            stated,
        ),
        lines("haproxy", "", |row| {
            let time = row.at("%d/%b/%Y:%H:%M:%S.123");
            format!(
                "192.0.2.1:33317 [{time}] http-in static/srv1 10/0/30/69/{} 200 2750 - - ---- 1/1/1/1/0 0/0 \"GET /a HTTP/1.1\"",
                row.millis
            )
        }),
        lines("envoy", "", |row| {
            format!(
                "[{}] \"GET /a HTTP/2\" 200 - 154 0 {} 100 \"10.0.35.28\" \"curl\" \"cc21d9b0\" \"shop\" \"10.0.2.1:80\"",
                row.at("%Y-%m-%dT%H:%M:%S.123Z"),
                row.millis
            )
        }),
        lines("traefik", "", |row| {
            format!(
                "192.0.2.1 - - [{}] \"GET /a HTTP/1.1\" 200 394 \"-\" \"curl\" 41 \"web@docker\" \"http://172.18.0.3:80\" {}ms",
                clf(row),
                row.millis
            )
        }),
        lines("caddy", "", |row| {
            format!(
                r#"{{"level":"info","ts":{}.5,"logger":"http.log.access","msg":"handled request","request":{{"method":"GET","uri":"/a"}},"duration":{},"size":11,"status":200}}"#,
                row.second, row.millis
            )
        }),
        lines("s3", "", |row| {
            format!(
                "79a59 shop [{}] 192.0.2.3 79a59 3E57 REST.GET.OBJECT a \"GET /a HTTP/1.1\" 200 - 113 113 {} 6 \"-\" \"curl\" - s9lz= SigV4 - - - - - -",
                clf(row),
                row.millis
            )
        }),
        lines("aws-nlb", "", |row| {
            format!(
                "tls 2.0 {} net/edge/c6e7 g3d4 192.0.2.8:51341 192.0.2.85:443 {} 2 98 246 - arn:1 - ECDHE tlsv12 - shop.example - - -",
                row.at("%Y-%m-%dT%H:%M:%S"),
                row.millis
            )
        }),
        lines("aws-elb", "", |row| {
            format!(
                "http {0}.186641Z app/my-lb/50dc 192.168.131.39:2817 10.0.0.1:80 0.000 0.001 0.000 200 200 34 366 \"GET http://www.example.com:80/ HTTP/1.1\" \"curl/7.46.0\" - - arn:aws:x \"Root=1-58337262\" \"-\" \"-\" 0 {0}.000000Z \"forward\" \"-\" \"-\" \"10.0.0.1:80\" \"200\" \"-\" \"-\" TID_1",
                row.at("%Y-%m-%dT%H:%M:%S")
            )
        }),
        lines(
            "cloudfront",
            "#Version: 1.0\n#Fields: date time x-edge-location sc-bytes c-ip time-taken sc-status\n",
            |row| format!("{}\tLAX1\t392\t192.0.2.100\t{}\t200", row.at("%Y-%m-%d\t%H:%M:%S"), row.millis),
        ),
        lines("w3c", "#Fields: date time cs-method cs-uri-stem sc-status time-taken\n", |row| {
            format!("{} GET /a 200 {}", row.at("%Y-%m-%d %H:%M:%S"), row.millis)
        }),
        lines("logfmt", "", |row| {
            format!("ts={} level=info method=GET path=/a duration={}ms status=200", row.iso(), row.millis)
        }),
        // The log has no years.
        with(
            lines("auth-log", "", |row| {
                let times =
                    if row.count == "10" { String::new() } else { format!("message repeated {} times: [ ", row.count) };
                format!("{} host sshd[7]: {times}Failed password for root", row.at("%b %e %H:%M:%S"))
            }),
            TraceOptions { year: Some(2026), ..TraceOptions::default() },
        ),
    ]
}

/// Load tests and published traces.
fn traces() -> Vec<Form> {
    vec![
        lines(
            "plimsoll",
            "# plimsoll-trace: 1\n# kind: counts\n# interval_ns: 60000000000\noffset_ns,count\n",
            |row| format!("{},{}", i128::from(row.offset()) * 1_000_000_000, row.count),
        ),
        lines("azure-llm", "TIMESTAMP,ContextTokens,GeneratedTokens\n", |row| {
            format!("{}.009930+00:00,{},2", row.at("%Y-%m-%d %H:%M:%S"), row.count)
        }),
        lines("azure-functions-2021", "app,func,end_timestamp,duration\n", |row| {
            format!("a,f,{},{}", row.offset() + 1000, row.millis)
        }),
        lines("burst-gpt", "Timestamp,Model,Request tokens,Response tokens,Total tokens,Log Type\n", |row| {
            format!("{},ChatGPT,{},18,490,Conversation log", row.offset(), row.count)
        }),
        lines("servegen", "client,window_start_s,rate_rps,cv,pattern,param1,param2\n", |row| {
            format!("0,{},{},1,Gamma,1,2", row.offset(), row.count)
        }),
        lines("alibaba-images", "gmt_create,predict_type,predict_status,exec_time_seconds\n", |row| {
            format!("{},a,ok,{}", row.at("%Y-%m-%d %H:%M:%S"), row.millis)
        }),
        lines("alibaba-gpu", "value,timestamp_anon,container_ip\n", |row| format!("{},{}.0,x", row.count, row.second)),
        lines("alibaba-pods", "instance_sn,app_name,role,creation_time,deletion_time\n", |row| {
            format!("i,a,r,{},", row.offset())
        }),
        lines("online-retail", "InvoiceNo,StockCode,Quantity,InvoiceDate\n", |row| {
            format!("1,2,3,{}", row.at("%Y-%m-%d %H:%M:%S"))
        }),
        lines("ohlcvt", "", |row| format!("{},2,3,1,2.5,0.5,{}", row.second, row.count)),
        lines("mooncake", "", |row| {
            format!(
                r#"{{"timestamp": {}, "input_length": {}, "output_length": 500, "hash_ids": [0, 1]}}"#,
                row.offset() * 1000,
                row.count
            )
        }),
        lines(
            "k6",
            "metric_name,timestamp,metric_value,check,error,expected_response,group,method,name,proto,scenario,status,url\n",
            |row| {
                format!(
                    "http_req_duration,{},{},,,true,,GET,https://example.com/,HTTP/2.0,default,200,https://example.com/",
                    row.second, row.millis
                )
            },
        ),
        lines(
            "jmeter",
            "timeStamp,elapsed,label,responseCode,responseMessage,threadName,dataType,success,failureMessage,bytes,sentBytes,grpThreads,allThreads,URL,Latency,IdleTime,Connect\n",
            |row| {
                format!(
                    "{},{},GET /,200,OK,T 1-1,text,true,,100,10,1,1,https://example.com/,110,0,10",
                    row.epoch_millis(),
                    row.millis
                )
            },
        ),
        Form {
            tail: "</testResults>\n",
            ..lines(
                "jmeter-xml",
                "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testResults version=\"1.2\">\n",
                |row| {
                    format!(
                        "<httpSample t=\"{}\" it=\"0\" lt=\"70\" ct=\"0\" ts=\"{}\" s=\"true\" lb=\"GET /\" rc=\"200\" rm=\"OK\" tn=\"T 1-1\" dt=\"text\" by=\"100\"/>",
                        row.millis,
                        row.epoch_millis()
                    )
                },
            )
        },
        lines("gatling", "RUN\texample.Basic\tbasic\t1772445600000\t \t3.5.1\n", |row| {
            format!("REQUEST\t\trequest_1\t{}\t{}\tOK\t ", row.epoch_millis(), row.epoch_millis() + 100)
        }),
        lines(
            "google-cluster",
            "time,type,collection_id,scheduling_class,missing_type,collection_type,priority,alloc_collection_id,user,collection_name\n",
            |row| format!("{},0,2,2,,0,200,,a,b", (row.offset() + 600) * 1_000_000),
        ),
        lines(
            "vm-usage",
            "Timestamp [ms];\tCPU cores;\tCPU capacity provisioned [MHZ];\tCPU usage [MHZ];\tCPU usage [%]\n",
            |row| format!("{};\t4;\t11703.99824;\t{};\t93.05", row.second, row.count),
        ),
        lines("swf", "; Version: 2.2\n; UnixStartTime: 1772445600\n; MaxProcs: 64\n", |row| {
            format!("1 {} 5 {} 8 -1 -1 8 -1 -1 1 3 1 -1 1 -1 -1 -1", row.offset(), row.millis)
        }),
    ]
}

/// What monitoring systems give.
fn monitoring() -> Vec<Form> {
    vec![
        valued(
            json(
                "prometheus",
                r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"requests"},"values":["#,
                |row| format!("[{},\"{}\"]", row.second, row.count),
                "]}]}}",
            ),
            Values::Rate,
        ),
        valued(
            Form {
                tail: "\n# EOF\n",
                ..lines("openmetrics", "# TYPE requests gauge\n", |row| {
                    format!("requests {} {}", row.count, row.second)
                })
            },
            Values::Count,
        ),
        lines(
            "locust",
            "Timestamp,User Count,Type,Name,Requests/s,Failures/s,50%,Total Request Count,Total Failure Count\n",
            |row| {
                // A counter that grows by ten a minute.
                let counted = row.offset() as f64 / 6.0 + row.count.parse::<f64>().unwrap();
                format!("{},1,,Aggregated,0.0,0.0,N/A,{counted:.0},0", row.second)
            },
        ),
        json(
            "cloudwatch",
            r#"{"Label":"RequestCount","Datapoints":["#,
            |row| format!(r#"{{"Timestamp":"{}","Sum":{},"Unit":"Count"}}"#, row.iso(), row.count),
            "]}",
        ),
        json(
            "gcp-monitoring",
            r#"{"timeSeries":[{"metric":{"type":"x/request_count"},"resource":{"type":"r"},"metricKind":"DELTA","valueType":"INT64","points":["#,
            |row| {
                let end = Row { second: row.second + 60, ..row.clone() };
                format!(
                    r#"{{"interval":{{"startTime":"{}","endTime":"{}"}},"value":{{"int64Value":"{}"}}}}"#,
                    row.iso(),
                    end.iso(),
                    row.count
                )
            },
            "]}]}",
        ),
        json(
            "azure-monitor",
            r#"{"interval":"PT1M","value":[{"id":"/x","name":{"value":"Requests"},"unit":"Count","timeseries":[{"metadatavalues":[],"data":["#,
            |row| format!(r#"{{"timeStamp":"{}","total":{}}}"#, row.iso(), row.count),
            "]}]}]}",
        ),
        json(
            "datadog",
            r#"{"status":"ok","res_type":"time_series","series":[{"metric":"hits","expression":"sum:hits{service:web}.as_count()","interval":60,"scope":"service:web","pointlist":["#,
            |row| format!("[{}.0,{}]", row.epoch_millis(), row.count),
            "]}]}",
        ),
        valued(
            lines("console", "Full label,RequestCount\nLabel,RequestCount\nId,m1\nStatistic,Sum\n", |row| {
                format!("{},{}", row.at("%Y/%m/%d %H:%M:%S"), row.count)
            }),
            Values::Count,
        ),
        lines("new-relic", "Begin time,End time,Count\n", |row| {
            format!("{},{},{}", row.epoch_millis(), row.epoch_millis() + 60_000, row.count)
        }),
    ]
}

/// Tables.
fn tables() -> Vec<Form> {
    let columns = |columns: Columns| TraceOptions { columns, ..TraceOptions::default() };
    vec![
        lines("counts", "time,requests\n", |row| format!("{},{}", row.iso(), row.count)),
        lines("levels", "time,players\n", |row| format!("{},{}", row.iso(), row.count)),
        with(
            lines("jsonl", "", |row| format!("{{\"time\":\"{}\",\"n\":{}}}", row.iso(), row.count)),
            columns(Columns { count: names("n"), ..Columns::default() }),
        ),
        with(
            lines("tsv", "time\tn\tother\n", |row| format!("{}\t{}\t1", row.iso(), row.count)),
            columns(Columns { rate: names("n"), ..Columns::default() }),
        ),
        with(
            lines("csv", "time,took,other\n", |row| format!("{},{},1", row.iso(), row.millis)),
            columns(Columns { elapsed: Some("took".into()), ..Columns::default() }),
        ),
        // Wide: the parts of an hour in columns of their own.
        with(
            lines("csv", "time,a,b\n", |row| format!("{},{},1", row.iso(), row.count)),
            columns(Columns { count: vec!["a".into(), "b".into()], ..Columns::default() }),
        ),
    ]
}

/// Grafana's frames hold columns, and the functions of 2019 a day in each row: files of one text.
fn grafana(rows: &[Row]) -> String {
    let times: Vec<String> = rows.iter().map(|row| row.epoch_millis().to_string()).collect();
    let values: Vec<String> = rows.iter().map(|row| row.count.clone()).collect();
    format!(
        r#"[{{"schema":{{"name":"requests","refId":"A","fields":[{{"name":"time","type":"time"}},{{"name":"requests","type":"number"}}]}},"data":{{"values":[[{}],[{}]]}}}}]"#,
        times.join(","),
        values.join(",")
    )
}

fn functions_of_2019(rows: &[Row]) -> String {
    let numbers: Vec<String> = (1..=1440).map(|minute| minute.to_string()).collect();
    let minutes: Vec<String> =
        (0..1440).map(|minute| rows.get(minute).map_or("1".into(), |row| row.count.clone())).collect();
    format!("HashOwner,HashApp,HashFunction,Trigger,{}\no,a,f,http,{}\n", numbers.join(","), minutes.join(","))
}

/// Every format but Parquet: its name, what is said of the file, and how rows become a file.
type Writer = Box<dyn Fn(&[Row]) -> String>;
fn all() -> Vec<(&'static str, TraceOptions, Writer)> {
    let forms = [logs(), traces(), monitoring(), tables()].into_iter().flatten();
    let mut all: Vec<(&'static str, TraceOptions, Writer)> = forms
        .map(|form| (form.format, form.options.clone(), Box::new(move |rows: &[Row]| form.text(rows)) as Writer))
        .collect();
    let counts = TraceOptions { values: Some(Values::Count), ..TraceOptions::default() };
    all.push(("grafana", counts, Box::new(grafana)));
    all.push(("azure-functions-2019", TraceOptions::default(), Box::new(functions_of_2019)));
    all
}

fn sound() -> Vec<Row> {
    (0..ROWS).map(|n| Row { second: START + n * 60, count: "10".into(), millis: "5".into() }).collect()
}

/// What became of a file: how many requests it made, and all that was said of it.
struct Read {
    requests: usize,
    said: Vec<String>,
    inspected: Result<String, String>,
    kind: Option<SeriesKind>,
}

fn read(directory: &TempDir, text: &str, options: &TraceOptions) -> Read {
    let path = directory.path().join("trace");
    std::fs::write(&path, text).unwrap();
    let facts = inspect(&path, options);
    let kind = facts.as_ref().ok().map(|facts| facts.kind);
    // Levels become arrivals by a model; it does not matter which.
    let session = (kind == Some(SeriesKind::Levels)).then(|| SimDuration::from_secs(60));
    let spec = WorkloadSpec::from_trace(&path, TraceOptions { session, ..options.clone() });
    let mut said = match spec.notices() {
        Ok(notices) => notices,
        Err(error) => vec![error.to_string()],
    };
    let mut requests = 0;
    let mut replay = || {
        let mut source = spec.open(Streams::new(1, 0), 0)?;
        let mut batch = RequestBatch::default();
        loop {
            batch.clear();
            source.fill(&mut batch)?;
            requests += batch.len();
            if batch.is_empty() || requests > MOST {
                return Ok(());
            }
        }
    };
    said.extend(replay().err().map(|error: plimsoll::workload::TraceError| error.to_string()));
    let inspected = facts.map(|facts| facts.notices.join("\n")).map_err(|error| error.to_string());
    Read { requests, said, inspected, kind }
}

#[test]
fn every_format_is_in_the_table_and_sound() {
    let directory = TempDir::new().unwrap();
    let mut met: Vec<&str> = vec!["parquet"];
    for (format, options, text) in all() {
        let text = text(&sound());
        let read = read(&directory, &text, &options);
        assert!(read.inspected.is_ok() && read.kind.is_some(), "{format}: {:?}\n{text:.600}", read.inspected);
        let facts = inspect(&directory.path().join("trace"), &options).unwrap();
        assert_eq!(facts.format, format);
        // The functions of 2019 have 1,440 minutes; a rate is sixty times as many.
        assert!((ROWS as usize..=MOST).contains(&read.requests), "{format}: {} {:?}", read.requests, read.said);
        assert!(read.said.iter().all(|said| !named(said)), "{format}: {:?}", read.said);
        met.push(format);
    }
    let missing: Vec<&str> = FORMATS.iter().map(|format| format.name).filter(|name| !met.contains(name)).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

/// Formats whose files have no such thing.
const NO_DATES: [&str; 2] = ["auth-log", "azure-functions-2019"];

#[rstest]
#[case::a_year_later(29, YEAR)]
#[case::a_century_later(29, 100 * YEAR)]
#[case::a_year_earlier_in_order(0, -YEAR)]
#[case::a_century_earlier_in_order(0, -100 * YEAR)]
#[case::a_year_later_in_the_middle(14, YEAR)]
#[case::a_century_earlier_in_the_middle(14, -100 * YEAR)]
fn one_date_far_away_is_named(#[case] row: usize, #[case] by: i64) {
    let directory = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for (format, options, text) in all().into_iter().filter(|(format, ..)| !NO_DATES.contains(format)) {
        let mut rows = sound();
        rows[row].second += by;
        // Without a header and with a first time before 1970 the file is refused for its interval, and the row is not named.
        if (format, row) == ("ohlcvt", 0) && by < -YEAR {
            continue;
        }
        let read = read(&directory, &text(&rows), &options);
        judge(&mut wrong, format, &read, row);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[case("100000000")]
#[case("1000000000000000000")]
#[case("1e18")]
fn one_count_with_digits_too_many_is_named(#[case] count: &str) {
    let directory = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for (format, options, text) in all() {
        let (mut rows, row) = (sound(), 14);
        if text(&rows) == {
            rows[row].count = count.into();
            text(&rows)
        } {
            continue;
        }
        let read = read(&directory, &text(&rows), &options);
        judge(&mut wrong, format, &read, row);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[rstest]
#[case("100000000")]
#[case("100000000000000")]
#[case("1000000000000000000000")]
fn one_duration_with_digits_too_many_is_named(#[case] millis: &str) {
    let directory = TempDir::new().unwrap();
    let mut wrong = Vec::new();
    for (format, options, text) in all() {
        let (mut rows, row) = (sound(), 14);
        if text(&rows) == {
            rows[row].millis = millis.into();
            text(&rows)
        } {
            continue;
        }
        let options = TraceOptions { durations: true, ..options };
        let read = read(&directory, &text(&rows), &options);
        judge(&mut wrong, format, &read, row);
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether a sentence names a row: by its line or number in the file, or by its time.
fn named(said: &str) -> bool {
    let times = ["2025-03-0", "2027-03-0", "2126-", "1926-", "365d", "36500d"];
    let placed = |mark: &str| said.split(mark).skip(1).any(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    ["trace:", "line ", "lines "].into_iter().any(placed) || times.iter().any(|time| said.contains(time))
}

/// Few requests were made, and the row is named, by what inspects the file as well.
fn judge(wrong: &mut Vec<String>, format: &str, read: &Read, row: usize) {
    let said = read.said.join(" | ");
    if read.requests > MOST {
        wrong.push(format!("{format}: makes {} requests: {said}", read.requests));
    }
    if !read.said.iter().any(|said| named(said)) {
        wrong.push(format!("{format}: row {row} is not named: {said}"));
    }
    let (Ok(inspected) | Err(inspected)) = &read.inspected;
    if !inspected.lines().any(named) {
        wrong.push(format!("{format}: row {row} is not named by inspect: {inspected}"));
    }
}
