//! Trace files: compressions, formats, and everything that can be wrong with them.

use std::io::Write;
use std::path::{Path, PathBuf};

use plimsoll::config::{Diagnostics, SourceFile, parse_single};
use plimsoll::random::Streams;
use plimsoll::units::{Fraction, SimDuration};
use plimsoll::workload::{
    Columns, ConvertOptions, RequestBatch, TraceError, TraceOptions, WorkloadSpec, convert, inspect,
};
use rstest::rstest;
use tempfile::TempDir;

const AZURE: &str = "TIMESTAMP,ContextTokens,GeneratedTokens\r\n2023-11-16 18:15:46.6805900,374,44\r\n\
                     2023-11-16 18:15:50.9951690,396,109\r\n2023-11-16 18:15:51.2224670,879,55";
const COMBINED: &str = "10.0.0.1 - frank [20/May/2024:00:00:18 +0200] \"GET /a HTTP/1.1\" 200 5 \"-\" \"curl [7.1]\"\n\
                        10.0.0.2 - - [20/May/2024:00:00:19 +0200] \"GET /b\\x22 HTTP/1.1\" 404 0 \"-\" \"x\"\n";

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn bzip2(text: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn file(directory: &TempDir, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
    let path = directory.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    path
}

fn replay(path: &Path, options: TraceOptions) -> Result<RequestBatch, TraceError> {
    let mut source = WorkloadSpec::from_trace(path, options).open(Streams::new(1, 0), 0)?;
    let mut all = RequestBatch::default();
    loop {
        let before = all.len();
        source.fill(&mut all)?;
        if all.len() == before {
            return Ok(all);
        }
    }
}

fn nanos(batch: &RequestBatch) -> Vec<u64> {
    batch.arrivals.iter().map(|time| time.as_nanos()).collect()
}

#[rstest]
#[case("plain", AZURE.as_bytes().to_vec())]
#[case("gzip", gzip(AZURE.as_bytes()))]
#[case("gzip of two members", [gzip(&AZURE.as_bytes()[..50]), gzip(&AZURE.as_bytes()[50..])].concat())]
#[case("zstd", zstd::encode_all(AZURE.as_bytes(), 3).unwrap())]
#[case("bzip2", bzip2(AZURE.as_bytes()))]
#[case("with a byte-order mark", [b"\xef\xbb\xbf", AZURE.as_bytes()].concat())]
fn packings_are_recognised_by_content(#[case] what: &str, #[case] bytes: Vec<u8>) {
    let directory = TempDir::new().unwrap();
    // The name has no extension, or a wrong one.
    let batch = replay(&file(&directory, "trace.txt", bytes), TraceOptions::default()).unwrap();
    assert_eq!(nanos(&batch), [0, 4_314_579_000, 4_541_877_000], "{what}");
    assert_eq!((batch.tokens_in, batch.tokens_out), (vec![374, 396, 879], vec![44, 109, 55]), "{what}");
}

#[test]
fn access_logs_with_zones() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "access.log", COMBINED);
    assert_eq!(nanos(&replay(&path, TraceOptions::default()).unwrap()), [0, 1_000_000_000]);
    let facts = inspect(&path, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.tally.rows, facts.tally.bad), ("access-log", 2, 0));
    let start = WorkloadSpec::from_trace(&path, TraceOptions::default()).open(Streams::new(1, 0), 0).unwrap();
    assert_eq!(start.start_epoch_ns().map(plimsoll::workload::show_instant).as_deref(), Some("2024-05-19T22:00:18Z"));
}

#[test]
fn quoted_fields_may_hold_delimiters_quotes_and_line_ends() {
    let directory = TempDir::new().unwrap();
    let text = "id,text,when,kind\n1,\"a, b\",2024-01-01 00:00:00,x\n2,\"say \"\"no\"\",\nthen\",2024-01-01 00:00:02,\"y,z\"\n\
                \n3,plain,2024-01-01 00:00:03,x\n";
    let columns = Columns { time: vec!["when".into()], class: Some("kind".into()), ..Columns::default() };
    let path = file(&directory, "t.csv", text);
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let mut source = WorkloadSpec::from_trace(&path, options).open(Streams::new(1, 0), 0).unwrap();
    let mut batch = RequestBatch::default();
    source.fill(&mut batch).unwrap();
    assert_eq!(nanos(&batch), [0, 2_000_000_000, 3_000_000_000]);
    assert_eq!((batch.classes, source.class_names()), (vec![0, 1, 0], &["x".to_string(), "y,z".to_string()][..]));
}

#[test]
fn bad_rows_are_counted_shown_and_limited() {
    let directory = TempDir::new().unwrap();
    let mut text = String::from("time,value\n");
    for second in 0..200 {
        text += &format!("{second},1\n");
    }
    text += "x,1\n200\n201,-3\n202,NaN\n203,1e99\n\n";
    let path = file(&directory, "t.csv", text);
    let columns = Columns { time: vec!["time".into()], count: vec!["value".into()], ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let facts = inspect(&path, &options).unwrap();
    assert_eq!((facts.tally.rows, facts.tally.bad, facts.tally.skipped), (200, 5, 1));
    let lines: Vec<u64> = facts.tally.first_bad.iter().map(|bad| bad.line).collect();
    assert_eq!(lines, [202, 203, 204, 205, 206]);
    let error = replay(&path, options.clone()).unwrap_err();
    assert_eq!((error.line, error.column.as_deref()), (Some(202), Some("1")), "{error}");
    assert!(error.help.as_deref().unwrap().contains("max-bad-rows: 3%"), "{error}");
    let options = TraceOptions { max_bad_rows: Fraction::new(0.03).unwrap(), ..options };
    assert_eq!(replay(&path, options).unwrap().len(), 200);
}

#[rstest]
#[case("1,2,5,3,4,8", "2s", vec![1, 2, 3, 4, 5, 8])]
#[case("3,2,1,9,7,8", "2500ms", vec![1, 2, 3, 7, 8, 9])]
fn rows_are_sorted_within_the_window(#[case] seconds: &str, #[case] window: &str, #[case] sorted: Vec<u64>) {
    let directory = TempDir::new().unwrap();
    let rows: String = seconds.split(',').map(|second| format!("{second},{second}\n")).collect();
    let path = file(&directory, "t.csv", format!("time,size\n{rows}"));
    let columns = Columns { time: vec!["time".into()], tokens_in: Some("size".into()), ..Columns::default() };
    let options = TraceOptions { columns, ..TraceOptions::default() };
    let error = replay(&path, options.clone()).unwrap_err();
    assert!(error.message.contains("go back by"), "{error}");
    let batch = replay(&path, TraceOptions { reorder: window.parse().unwrap(), ..options.clone() }).unwrap();
    let everything = TraceOptions { reorder: SimDuration::MAX, ..options };
    assert_eq!(replay(&path, everything).unwrap(), batch);
    let times: Vec<u64> = nanos(&batch).iter().map(|t| t / 1_000_000_000 + sorted[0]).collect();
    assert_eq!(times, sorted);
    assert_eq!(batch.tokens_in.iter().map(|n| u64::from(*n)).collect::<Vec<_>>(), sorted);
}

#[test]
fn start_and_end_choose_a_part_of_the_trace() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "t.csv", AZURE);
    let options = |start: &str, end: &str| TraceOptions {
        start: plimsoll::workload::parse_instant(start),
        end: plimsoll::workload::parse_instant(end),
        ..TraceOptions::default()
    };
    let batch = replay(&path, options("2023-11-16 18:15:50", "2023-11-16 18:15:51")).unwrap();
    assert_eq!((nanos(&batch), batch.tokens_in), (vec![995_169_000], vec![396]));
    let spec = WorkloadSpec::from_trace(&path, options("2023-11-16 18:15:50", "2023-11-16 18:16"));
    assert_eq!(spec.extent(SimDuration::MAX).unwrap(), Some(SimDuration::from_secs(10)));
    let error = replay(&path, options("2024-01-01", "2024-01-02")).unwrap_err();
    assert!(error.message.contains("no rows at or after"), "{error}");
}

#[rstest]
#[case::empty(b"".to_vec(), "is empty")]
#[case::empty_unpacked(gzip(b""), "is empty once unpacked")]
#[case::zip(b"PK\x03\x04rest".to_vec(), "ZIP archive")]
#[case::xz(b"\xfd7zXZ\x00rest".to_vec(), "xz")]
#[case::utf16(b"\xff\xfet\x00i\x00".to_vec(), "UTF-16")]
#[case::binary(b"\x7fELF\x02\x01\x01\x00\x00".to_vec(), "is binary")]
#[case::prose(b"Dear customer,\nplease find attached\n".to_vec(), "not recognised")]
#[case::truncated_gzip({ let mut b = gzip(COMBINED.repeat(50).as_bytes()); b.truncate(b.len() - 12); b }, "data end early")]
#[case::truncated_zstd({ let mut b = zstd::encode_all(COMBINED.as_bytes(), 3).unwrap(); b.truncate(b.len() - 5); b }, "data end early")]
#[case::truncated_bzip2({ let mut b = bzip2(COMBINED.as_bytes()); b.truncate(b.len() - 8); b }, "data end early")]
#[case::corrupt_gzip({ let mut b = gzip(COMBINED.repeat(50).as_bytes()); let n = b.len(); b[n / 2..n / 2 + 8].fill(0xff); b }, "cannot be read further")]
#[case::parquet_in_gzip(gzip(b"PAR1xxxxPAR1"), "Parquet inside another packing")]
#[case::header_only(b"TIMESTAMP,ContextTokens,GeneratedTokens\n".to_vec(), "has a header and no rows")]
#[case::long_line({ let mut b = COMBINED.as_bytes().to_vec(); b.resize(b.len() + (2 << 20), b'x'); b }, "longer than 1 MiB")]
#[case::open_quote(format!("arrival,text\n1,\"{}", "a,b\n".repeat(400_000)).into_bytes(), "longer than 1 MiB")]
#[case::no_time_column(b"a,timestamp\nx,y\nz,w\n".to_vec(), "the kind of its rows is not clear")]
#[case::absurd_date(b"TIMESTAMP,ContextTokens,GeneratedTokens\n9999-99-99 00:00:00,1,2\n".to_vec(), "expected a time")]
#[case::invalid_utf8(b"TIMESTAMP,ContextTokens,GeneratedTokens\n\xff\xfe\xfd,1,2\n2023-11-16 18:15:46,1,1\n".to_vec(), "expected a time")]
#[case::version(b"# plimsoll-trace: 9\noffset_ns\n1\n".to_vec(), "does not understand")]
#[case::kind(b"# plimsoll-trace: 1\n# kind: counts\noffset_ns\n1\n".to_vec(), "states that it holds counts")]
#[case::not_parquet(b"PAR1 is not enough".to_vec(), "Parquet")]
fn what_is_wrong_is_said_once(#[case] bytes: Vec<u8>, #[case] message: &str) {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "trace", bytes);
    let error = replay(&path, TraceOptions::default()).expect_err("this must not be read");
    let shown = error.to_string();
    assert!(shown.contains(message), "{shown}");
    assert!(shown.starts_with(&path.display().to_string()), "{shown}");
    assert!(error.help.is_some() || message == "is empty", "no help: {shown}");
}

#[test]
fn paths_that_are_not_files_are_refused() {
    let directory = TempDir::new().unwrap();
    let error = replay(directory.path(), TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("is a directory"), "{error}");
    let error = replay(&directory.path().join("missing.csv"), TraceOptions::default()).unwrap_err();
    assert!(error.message.contains("no such file"), "{error}");
}

/// The errors of `WorkloadSpec::from_node`.
fn objections(directory: &Path, text: &str) -> String {
    let source = SourceFile::new("s.yaml", text);
    let mut sink = Diagnostics::new();
    let spec = WorkloadSpec::from_node(&parse_single(&source).unwrap(), directory, &mut sink);
    assert!(spec.is_none() && sink.has_errors(), "accepted: {text}");
    sink.to_string()
}

#[rstest]
#[case("trace: missing.csv", &["s.yaml:1:8", "no such file"])]
#[case("tarce: t.csv", &["no source of requests", "did you mean `trace`?"])]
#[case("trace: t.csv\npoisson: { rate: 4/s }", &["more than one source"])]
#[case("poisson: { rate: 400 }", &["write `400/s`"])]
#[case("poisson: { rate: 0/s }", &["above zero"])]
#[case("poisson: {}", &["has no `rate`"])]
#[case("trace: t.csv\nformat: azure-lm", &["did you mean `azure-llm`?"])]
#[case("trace: t.csv\ncolumns: { tiem: x }", &["did you mean `time`?"])]
#[case("trace: t.csv\ncolumns: { time: TIMESTAMPS }\nformat: csv", &["has no column `TIMESTAMPS`", "did you mean `TIMESTAMP`?"])]
#[case("trace: t.csv\nreorder: 5", &["write `5ms` or `5s`"])]
#[case("trace: t.csv\nmax-bad-rows: 150%", &["more than 1"])]
#[case("trace: t.csv\nstart: tomorrow", &["must be an instant"])]
#[case("trace: t.csv\nstart: 2023-11-16\nend: 2023-11-15", &["`end` is not after `start`"])]
#[case("trace: t.csv\ntransforms: [{ scale-rat: 2 }]", &["`scale-rat` is not a transform", "did you mean `scale-rate`?"])]
#[case("trace: t.csv\ntransforms: [{ scale-rate: -2 }, { window: { from: 5s, to: 2s } }]", &["above 0", "`to` must come after `from`"])]
#[case("trace: t.csv\ntransforms: [{ repeat: 0 }, { time-warp: 0 }, { spread: 0 }]", &["at least once", "expected a factor", "a unit of time above zero"])]
#[case("trace: t.csv\ntransforms: scale-rate", &["must be a list"])]
#[case("trace: { file: t.csv }", &["must be the path of a file or a list of paths, not a mapping"])]
#[case("trace: t.csv\nexpand: evenly", &["expected `poisson` or `even`"])]
#[case("poisson: { rate: 4/s }\nreorder: 5s", &["no field `reorder`"])]
fn a_workload_that_is_wrong_says_why(#[case] text: &str, #[case] messages: &[&str]) {
    let directory = TempDir::new().unwrap();
    file(&directory, "t.csv", AZURE);
    let shown = objections(directory.path(), text);
    for message in messages {
        assert!(shown.contains(message), "{shown}");
    }
}

#[test]
fn inputs_carry_a_checksum() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "t.csv", "abc");
    let inputs = WorkloadSpec::from_trace(&path, TraceOptions::default()).inputs().unwrap();
    // FIPS 180-4, example of one block.
    assert_eq!(inputs[0].sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(inputs[0].bytes, 3);
}

#[rstest]
#[case("own.csv")]
#[case("own.csv.gz")]
#[case("own.csv.zst")]
#[cfg_attr(feature = "tables", case("own.parquet"))]
fn conversion_keeps_every_request(#[case] name: &str) {
    let directory = TempDir::new().unwrap();
    let mut text = String::from("when,demand,in,out,class\n");
    for row in 0..3000u64 {
        let class = ["chat", "batch, slow", "say \"\"hi\"\""][(row % 3) as usize];
        text += &format!("{}.{:03},{}.5,{},{},\"{class}\"\n", 1_700_000_000 + row / 7, row % 7, row % 11, row, row * 2);
    }
    let path = file(&directory, "t.csv", text);
    let name_of = |name: &str| Some(name.to_string());
    let columns = Columns {
        time: name_of("when").into_iter().collect(),
        demand: name_of("demand"),
        tokens_in: name_of("in"),
        tokens_out: name_of("out"),
        class: name_of("class"),
        ..Columns::default()
    };
    let options =
        TraceOptions { columns, demand_unit: plimsoll::workload::TimeFormat::Millis, ..TraceOptions::default() };
    let own = directory.path().join(name);
    let how = ConvertOptions { notes: vec!["made for a test".into()], ..ConvertOptions::default() };
    let converted = convert(&path.as_path().into(), &options, &own, &how).unwrap();
    assert_eq!((converted.rows, converted.requests), (3000, 3000.0));
    assert_eq!(replay(&own, TraceOptions::default()).unwrap(), replay(&path, options.clone()).unwrap());
    let facts = inspect(&own, &TraceOptions::default()).unwrap();
    assert_eq!((facts.format, facts.tally.rows), ("plimsoll", 3000));
    let open = |path: &Path, options: TraceOptions| {
        WorkloadSpec::from_trace(path, options).open(Streams::new(1, 0), 0).unwrap()
    };
    let (mut was, mut is) = (open(&path, options), open(&own, TraceOptions::default()));
    assert_eq!(was.start_epoch_ns(), is.start_epoch_ns());
    assert_eq!(is.extent(), Some(converted.extent));
    let mut batch = RequestBatch::default();
    was.fill(&mut batch).unwrap();
    is.fill(&mut batch).unwrap();
    assert_eq!(was.class_names(), is.class_names());
    // No partial file remains.
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 2);
}

#[rstest]
#[case("own.csv.gz")]
#[cfg_attr(feature = "tables", case("own.parquet"))]
fn arrivals_can_be_kept_as_counts(#[case] name: &str) {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "access.log", COMBINED.to_string() + &COMBINED.replace("00:00:1", "00:02:1"));
    let own = directory.path().join(name);
    let how = ConvertOptions { counts: Some(SimDuration::from_secs(60)), ..ConvertOptions::default() };
    let converted = convert(&path.as_path().into(), &TraceOptions::default(), &own, &how).unwrap();
    assert_eq!((converted.rows, converted.requests), (2, 4.0));
    let facts = inspect(&own, &TraceOptions::default()).unwrap();
    assert_eq!((facts.interval, facts.values.unwrap().sum), (Some(SimDuration::from_secs(60)), 4.0));
    let minutes: Vec<u64> =
        nanos(&replay(&own, TraceOptions::default()).unwrap()).iter().map(|t| t / 60_000_000_000).collect();
    assert_eq!(minutes, [0, 0, 2, 2]);
}

#[test]
fn an_unknown_ending_is_refused_before_anything_is_written() {
    let directory = TempDir::new().unwrap();
    let path = file(&directory, "t.csv", AZURE);
    let to = directory.path().join("out.xlsx");
    let error = convert(&path.as_path().into(), &TraceOptions::default(), &to, &ConvertOptions::default()).unwrap_err();
    assert!(error.help.as_deref().unwrap().contains(".csv.gz"), "{error}");
    assert!(!to.exists());
}

mod no_bytes_panic {
    use super::*;
    use proptest::prelude::*;

    fn lines() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            Just("TIMESTAMP,ContextTokens,GeneratedTokens\n".to_string()),
            Just("offset_ns,count\n".to_string()),
            Just("# plimsoll-trace: 1\n# interval_ns: 7\n".to_string()),
            Just("time\tvalue\n".to_string()),
            Just(COMBINED.to_string()),
            Just("Mar 27 13:06:56 host sshd[1]: message repeated 5 times: [ Failed password for x]\n".to_string()),
            "[0-9]{1,20}(\\.[0-9]{0,12})?,[-0-9.eE\"]{0,8}\n",
            "[ -~\\n\\t\"]{0,60}",
            "2024-0[0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9](:[0-6][0-9])?,[0-9]{1,4}\n",
        ];
        proptest::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn try_all(directory: &TempDir, bytes: &[u8]) {
        let path = file(directory, "any", bytes);
        let column = |name: &str| Some(name.to_string());
        let columns = Columns {
            time: column("1").into_iter().collect(),
            count: column("2").into_iter().collect(),
            ..Columns::default()
        };
        let all = Fraction::new(1.0).unwrap();
        let choices = std::iter::once(None).chain(plimsoll::workload::FORMATS.iter().map(|plugin| Some(plugin.name)));
        for format in choices {
            let options = TraceOptions {
                format: format.map(Into::into),
                year: Some(2024),
                max_bad_rows: all,
                ..TraceOptions::default()
            };
            let named =
                TraceOptions { columns: columns.clone(), reorder: SimDuration::from_secs(1), ..options.clone() };
            for options in [options, named] {
                let _ = inspect(&path, &options);
                // A few thousand arrivals are enough, since a count may represent a million.
                if let Ok(mut source) = WorkloadSpec::from_trace(&path, options).open(Streams::new(1, 0), 0) {
                    let mut batch = RequestBatch::default();
                    let _ = source.fill(&mut batch);
                    assert!(batch.arrivals.is_sorted());
                }
            }
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(150))]
        #[test]
        fn in_any_format(text in lines(), noise in proptest::collection::vec(any::<u8>(), 0..200)) {
            let directory = TempDir::new().unwrap();
            try_all(&directory, text.as_bytes());
            try_all(&directory, &noise);
            try_all(&directory, &[b"PAR1".as_slice(), &noise, b"PAR1"].concat());
        }
    }
}

/// Written by 0.1.0, with another Parquet library.
#[cfg(feature = "tables")]
#[test]
fn own_files_of_the_first_release_are_read() {
    let place = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/workload/own");
    let arrivals = place.join("arrivals-0.1.0.parquet");
    let batch = replay(&arrivals, TraceOptions::default()).unwrap();
    assert_eq!(nanos(&batch), [0, 1_000_000_000, 2_500_000_000]);
    assert_eq!(
        batch.demands.iter().map(|demand| demand.as_nanos()).collect::<Vec<_>>(),
        [250_000_000, 500_000_000, 125_000_000]
    );
    assert_eq!((batch.tokens_in, batch.tokens_out, batch.classes), (vec![10, 11, 12], vec![20, 21, 22], vec![0, 1, 0]));
    let facts = inspect(&place.join("counts-0.1.0.parquet"), &TraceOptions::default()).unwrap();
    assert_eq!((facts.tally.rows, facts.values.unwrap().sum), (3, 12.5));
    assert_eq!(facts.interval, Some(SimDuration::from_secs(60)));
}
