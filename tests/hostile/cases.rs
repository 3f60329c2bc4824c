//! The cases, by kind.

use std::fs;
use std::io::Write;

use super::{End, Place, Reader, end_of, scenario, sound};

/// Runs cases one after the other: each is rejected with a message that contains the given words.
struct Bench {
    kind: &'static str,
    count: usize,
    wrong: Vec<String>,
}

impl Bench {
    fn new(kind: &'static str) -> Bench {
        Bench { kind, count: 0, wrong: Vec::new() }
    }

    fn refused(&mut self, what: &str, place: &str, case: impl FnOnce() -> Result<(), String>) {
        self.count += 1;
        match end_of(case) {
            End::Refused(words) if words.contains(place) && words.len() < 40_000 => {}
            End::Refused(words) => self.wrong.push(format!("{what}: does not name `{place}`: {words:.300}")),
            other => self.wrong.push(format!("{what}: {other:?}")),
        }
    }

    /// Rejected or accepted, but never a panic.
    fn ends(&mut self, what: &str, case: impl FnOnce() -> Result<(), String>) {
        self.count += 1;
        match end_of(case) {
            End::Refused(words) if words.is_empty() => self.wrong.push(format!("{what}: refused without a word")),
            End::Panicked => self.wrong.push(format!("{what}: panicked")),
            _ => {}
        }
    }

    fn end(self, least: usize) {
        let shown = self.wrong.iter().take(12).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.wrong.is_empty(), "{}: {} of {} cases:\n{shown}", self.kind, self.wrong.len(), self.count);
        assert!(self.count >= least, "{}: only {} cases", self.kind, self.count);
    }
}

const FIELDS: [&str; 27] = [
    "duration",
    "interval",
    "warm-up",
    "workload.poisson.rate",
    "service.replicas",
    "service.concurrency",
    "service.queue-limit",
    "service.service-time",
    "service.cpu-per-request",
    "service.cpu-idle",
    "service.memory.base",
    "service.start-up.ready",
    "service.grace-period",
    "service.timeout.after",
    "service.retry.attempts",
    "service.retry.backoff",
    "service.resources.requests.cpu",
    "service.resources.limits.cpu",
    "metrics.interval",
    "metrics.window",
    "metrics.lag",
    "objectives.0.latency.within",
    "objectives.0.latency.target",
    "policies.fixed.static.replicas",
    "policies.auto.hpa.min",
    "policies.auto.hpa.max",
    "policies.auto.hpa.target.cpu",
];

#[test]
fn values_set_by_the_command_line() {
    let place = Place::new();
    let mut bench = Bench::new("--set");
    let path = place.path("scenario.yaml");
    for field in FIELDS {
        for value in ["-1", "nan", "1e999", "x", "[1, 2", "{ a: 1 }", "\"\\e[2J\"", "1.2.3", "99999999999999999999999d"]
        {
            let set = [(field.to_string(), value.to_string())];
            bench.refused(&format!("{field}={value}"), "--set", || scenario(&path, &set));
        }
    }
    for (path_of, value) in
        [("", "1"), (".", "1"), ("service..replicas", "1"), ("objectives.9.latency", "1"), ("nonsense.deep.path", "1")]
    {
        let set = [(path_of.to_string(), value.to_string())];
        bench.refused(&format!("{path_of}={value}"), "", || scenario(&path, &set));
    }
    bench.end(240);
}

/// (old text, replacement) in the valid scenario.
const SCENARIO_CHANGES: [(&str, &str); 40] = [
    ("duration: 20s", "duration: 20"),
    ("duration: 20s", "duration: 11y"),
    ("duration: 20s", "duration: 0s"),
    ("duration: 20s", "durration: 20s"),
    ("duration: 20s", "duration: 20s\nduration: 30s"),
    ("interval: 10s\nwarm", "interval: 1us\nwarm"),
    ("warm-up: 1s", "warm-up: 20s"),
    ("name: sound", "name: ../../etc"),
    ("name: sound", "name: a/b"),
    ("name: sound", "name: ''"),
    ("title: A sound", "title: \"\\e[31m\""),
    ("workload: { poisson", "workload: { possion"),
    ("workload: { poisson: { rate: 5/s } }", "workload: 5"),
    ("workload: { poisson: { rate: 5/s } }", "workload: { trace: missing.csv }"),
    ("workload: { poisson: { rate: 5/s } }", "workload: { trace: . }"),
    ("workload: { poisson: { rate: 5/s } }", "workload: { trace: scenario.yaml }"),
    ("  name: web", "  name: ../../../pwn"),
    ("  name: web", "  name: \"a\\nb\""),
    ("  replicas: 2", "  replicas: 4294967295"),
    ("  replicas: 2", "  replicas: 4294967296"),
    ("  concurrency: 4", "  concurrency: 0"),
    ("  concurrency: 4\n", ""),
    ("{ lognormal: { mean: 50ms, cv: 1 } }", "{ lognormal: { mean: 50ms, cv: -1 } }"),
    ("{ lognormal: { mean: 50ms, cv: 1 } }", "{ }"),
    ("attempts: 2", "attempts: 101"),
    ("work: finish", "work: finnish"),
    ("{ container: fargate }", "{ container: fargote }"),
    ("{ container: fargate }", "$-1/h"),
    ("metrics: { interval: 5s", "metrics: { interval: 1ms"),
    ("target: 99%", "target: 101%"),
    ("objectives:\n", "objectives: {}\nother:\n"),
    ("expect: [ lost < 10 ]", "expect: [ losst < 10 ]"),
    ("expect: [ lost < 10 ]", "expect: [ lost <<< 10 ]"),
    ("static: { replicas: 4 }", "static: { replicas: 4000000000 }"),
    ("static: { replicas: 4 }", "statik: { replicas: 4 }"),
    ("min: 2, max: 10", "min: 12, max: 10"),
    ("min: 2, max: 10", "min: 50000000, max: 4294967295"),
    ("min: 2, max: 10", "sync-period: 1ns, min: 2, max: 10"),
    ("  fixed:", "  \"\":"),
    ("  fixed:", "  \"\\e]0;x\\a\":"),
];

#[test]
fn scenario_files() {
    let place = Place::new();
    let mut bench = Bench::new("scenario files");
    let path = place.path("scenario.yaml");
    scenario(&path, &[]).unwrap();
    let mut put = |what: &str, text: &[u8]| {
        fs::write(&path, text).unwrap();
        bench.refused(what, "scenario.yaml", || scenario(&path, &[]));
    };
    for (from, to) in SCENARIO_CHANGES {
        let text = sound::SCENARIO.replacen(from, to, 1);
        assert_ne!(text, sound::SCENARIO, "{from}");
        put(&format!("{from} -> {to}"), text.as_bytes());
    }
    let bomb = format!(
        "a: &a [1,1,1,1,1,1,1,1,1]\n{}",
        (0..9u8)
            .map(|n| {
                let (this, last) = (char::from(b'b' + n), char::from(b'a' + n));
                format!("{this}: &{this} [*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last},*{last}]\n")
            })
            .collect::<String>()
    );
    let nested = "[".repeat(100_000);
    let keys: String = (0..20_000).map(|n| format!("k{n}: 1\n")).collect();
    let texts: [(&str, &[u8]); 19] = [
        ("empty", b""),
        ("blanks", b"  \n\n"),
        ("a comment", b"# nothing\n"),
        ("a mark of byte order", "\u{feff}".as_bytes()),
        ("a list", b"- 1\n- 2\n"),
        ("a word", b"scenario\n"),
        ("a null", b"~\n"),
        ("two documents", b"name: a\n---\nname: b\n"),
        ("a tab", b"service:\n\tname: x\n"),
        ("an open quote", b"name: \"x\n"),
        ("an open brace", b"service: { name: x\n"),
        ("a NUL", b"name: a\0b\n"),
        ("no UTF-8", b"name: \xff\xfe\n"),
        ("UTF-16", b"\xff\xfen\0a\0m\0e\0"),
        ("an unknown alias", b"name: *x\n"),
        ("laughs", bomb.as_bytes()),
        ("depth", nested.as_bytes()),
        ("unknown keys", keys.as_bytes()),
        ("a cycle", b"extends: scenario.yaml\n"),
    ];
    texts.iter().for_each(|(what, text)| put(what, text));
    bench.end(55);
}

/// Files whose content does not match their name, given to every reader.
#[test]
fn special_files() {
    let place = Place::new();
    let mut bench = Bench::new("special files");
    let gz = |bytes: &[u8]| {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    let noise: Vec<u8> = (0..4096u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let contents: [(&str, Vec<u8>); 12] = [
        ("nothing", Vec::new()),
        ("one NUL", vec![0]),
        ("zeros", vec![0; 1 << 16]),
        ("noise", noise.clone()),
        ("blanks", vec![b' '; 1 << 12]),
        ("line breaks", vec![b'\n'; 1 << 12]),
        ("one long line", vec![b'a'; 1 << 20]),
        ("packed noise", gz(&noise)),
        ("half of something packed", gz(&noise)[..600].to_vec()),
        ("packed zeros", gz(&vec![0; 1 << 22])),
        ("a zip", b"PK\x03\x04aaaaaaaaaaaaaaaaaaaaaaaaaaaa".to_vec()),
        ("an ELF", b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0".to_vec()),
    ];
    for reader in Reader::ALL {
        let path = place.path(reader.file());
        for (what, bytes) in &contents {
            fs::write(&path, bytes).unwrap();
            bench.refused(&format!("{reader:?}: {what}"), "", || reader.read(&path));
        }
        fs::remove_file(&path).unwrap();
        bench.refused(&format!("{reader:?}: missing"), "", || reader.read(&path));
        fs::create_dir(&path).unwrap();
        bench.refused(&format!("{reader:?}: a directory"), "", || reader.read(&path));
        fs::remove_dir(&path).unwrap();
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(&path, &path).unwrap();
            bench.refused(&format!("{reader:?}: a link to itself"), "", || reader.read(&path));
            fs::remove_file(&path).unwrap();
        }
        fs::write(&path, sound::bytes(reader)).unwrap();
        reader.read(&path).unwrap_or_else(|words| panic!("{reader:?} refuses what is sound: {words}"));
    }
    bench.end(100);
}

const MANIFEST_CHANGES: [(&str, &str); 22] = [
    ("kind: Deployment", "kind: Deploymint"),
    ("kind: Deployment", "kind: Pod"),
    ("kind: Deployment\n", ""),
    ("apiVersion: apps/v1", "apiVersion: apps/v9"),
    ("name: web, labels", "name: ../../etc, labels"),
    ("name: web, labels", "name: \"a\\nb\", labels"),
    ("name: web, labels", "name: '', labels"),
    ("replicas: 2", "replicas: -2"),
    ("replicas: 2", "replicas: two"),
    ("replicas: 2", "replicas: 1.5"),
    ("maxSurge: 25%", "maxSurge: 250x"),
    ("maxSurge: 25%", "maxSurge: -1"),
    ("type: RollingUpdate", "type: Rolling"),
    ("terminationGracePeriodSeconds: 30", "terminationGracePeriodSeconds: -1"),
    ("cpu: 500m", "cpu: 500x"),
    ("cpu: 500m", "cpu: -1"),
    ("memory: 512Mi", "memory: 512MiB"),
    ("resources: { requests", "resources: { reqests"),
    ("      containers:\n", "      containers: []\n      other:\n"),
    ("  template:", "  templates:"),
    ("spec:\n  replicas", "spac:\n  replicas"),
    ("        - name: web", "        - name: a/b"),
];

const STORY_CHANGES: [(&str, &str); 19] = [
    ("every: 15s", "every: 0s"),
    ("every: 15s", "every: x"),
    ("story: a rush", "story: [1]"),
    ("story: a rush", "story: \"\\e[2J\""),
    ("name: web", "name: ../x"),
    ("replicas: 2, resources", "replicas: -2, resources"),
    ("cpu: 500m", "cpu: fast"),
    ("metrics: { window: 15s }", "metrics: { windwo: 15s }"),
    ("hpa: { min", "hpaa: { min"),
    ("max: 10", "max: 1"),
    ("at: 15s", "at: 90s"),
    ("at: 15s", "at: 99999d"),
    ("at: 15s", "when: 15s"),
    ("cpu: 90%", "cpu: -90%"),
    ("cpu: 90%", "cpuu: 90%"),
    ("expect: 3", "expect: three"),
    ("expect: 2..4", "expect: 4..2"),
    ("not-ready: 1", "not-ready: -1"),
    ("steps:", "stepps:"),
];

const BASELINE_CHANGES: [(&str, &str); 12] = [
    ("\"seed\": 3", "\"seed\": -3"),
    ("\"seed\": 3", "\"seed\": 3.5"),
    ("\"seed\": 3,", ""),
    ("\"seed\": 3", "\"sead\": 3"),
    ("\"policies\": {", "\"policies\": [{"),
    ("\"mean\": 1.5", "\"mean\": 7.5"),
    ("\"mean\": 1.5", "\"mean\": \"x\""),
    ("\"mean\": 1.5", "\"mean\": NaN"),
    ("[1, 2]", "[1, \"2\"]"),
    ("[1, 2]", "1"),
    ("[1, 2]", "[1e999, 2]"),
    ("\"replications\": [1, 2]", "\"replikations\": [1, 2]"),
];

#[test]
fn manifests_stories_and_baselines() {
    let place = Place::new();
    let mut bench = Bench::new("manifests, stories and baselines");
    let tables: [(Reader, &[(&str, &str)]); 3] =
        [(Reader::Manifest, &MANIFEST_CHANGES), (Reader::Story, &STORY_CHANGES), (Reader::Baseline, &BASELINE_CHANGES)];
    for (reader, changes) in tables {
        let (path, sound) = (place.path(reader.file()), String::from_utf8(sound::bytes(reader)).unwrap());
        // The program puts the message about a baseline after its name.
        let named = if reader == Reader::Baseline { "" } else { reader.file() };
        for (from, to) in changes {
            let text = sound.replacen(from, to, 1);
            assert_ne!(text, sound, "{from}");
            fs::write(&path, text).unwrap();
            bench.refused(&format!("{reader:?}: {from} -> {to}"), named, || reader.read(&path));
        }
        for part in 1..20 {
            let cut = sound.len() * part / 20;
            fs::write(&path, &sound[..cut]).unwrap();
            bench.ends(&format!("{reader:?}: the first {cut} bytes"), || reader.read(&path));
        }
    }
    bench.end(100);
}

/// Traces in several formats, each damaged in many ways: read with a note on what was left out, or rejected with the
/// file's name.
#[test]
fn traces() {
    let lines = "{\"time\": \"2024-05-20T00:00:00Z\", \"demand\": 0.1}\n{\"time\": \"2024-05-20T00:00:02Z\", \"demand\": 0.2}\n";
    let log = "10.0.0.1 - - [20/May/2024:10:00:00 +0000] \"GET /a HTTP/1.1\" 200 512\n10.0.0.2 - - [20/May/2024:10:00:03 +0000] \"GET /b HTTP/1.1\" 200 7\n";
    let counts = "time,count\n2024-05-20T00:00:00Z,5\n2024-05-20T00:01:00Z,7\n2024-05-20T00:02:00Z,9\n";
    let forms = [("trace.csv", sound::TRACE), ("trace.jsonl", lines), ("trace.log", log), ("counts.csv", counts)];
    let marks = ["2024", "0", ",", "\n", ":", "\"", "T00", "2"];
    let words = ["", "-", "99999", "1e308", "nan", "\0", "\u{202e}", "=1+1", ",,,", "\r", "1,5", "\u{1b}[2J"];
    let place = Place::new();
    let mut bench = Bench::new("traces");
    for (name, sound) in forms {
        let path = place.path(name);
        let mut put = |what: &str, text: &[u8]| {
            fs::write(&path, text).unwrap();
            bench.ends(&format!("{name}: {what}"), || match Reader::Trace.read(&path) {
                Err(words) if !words.contains(name) => panic!("{name} is not named: {words}"),
                other => other,
            });
        };
        for mark in marks.iter().filter(|mark| sound.contains(**mark)) {
            for word in words {
                put(&format!("{mark:?} -> {word:?} once"), sound.replacen(mark, word, 1).as_bytes());
                put(&format!("{mark:?} -> {word:?} everywhere"), sound.replace(mark, word).as_bytes());
            }
        }
        for part in 0..12 {
            put(&format!("part {part}"), &sound.as_bytes()[..sound.len() * part / 12]);
        }
    }
    bench.end(600);
}

/// Every byte matters: a stored result or a trained policy that was changed anywhere is rejected, or is equivalent.
#[test]
fn stored_results_and_trained_policies() {
    let place = Place::new();
    let mut bench = Bench::new("stored results and trained policies");
    for reader in [Reader::StoredResult, Reader::TrainedPolicy] {
        let (path, sound) = (place.path(reader.file()), sound::bytes(reader));
        let step = sound.len() / 100 + 1;
        for at in (0..sound.len() - 1).step_by(step) {
            fs::write(&path, &sound[..at]).unwrap();
            bench.refused(&format!("{reader:?}: the first {at} bytes"), "", || reader.read(&path));
            let mut flipped = sound.clone();
            flipped[at] ^= 1 << (at % 8);
            fs::write(&path, &flipped).unwrap();
            bench.ends(&format!("{reader:?}: bit flipped at {at}"), || reader.read(&path));
        }
    }
    let (path, text) = (place.path("trained.json"), String::from_utf8(sound::bytes(Reader::TrainedPolicy)).unwrap());
    for (from, to) in [
        ("\"version\":1", "\"version\":2"),
        ("\"version\":1", "\"version\":-1"),
        ("plimsoll-q-table", "plimsoll-result"),
        ("\"penalty\":1.0", "\"penalty\":2.0"),
        ("\"sha256\":\"", "\"sha256\":\"0"),
        ("\"states\":[", "\"states\":[[0,[]],"),
        ("{\"format\"", "[{\"format\""),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        fs::write(&path, changed).unwrap();
        bench.refused(&format!("trained: {from} -> {to}"), "trained.json", || Reader::TrainedPolicy.read(&path));
    }
    bench.end(260);
}

/// Command-line arguments, and sizes that would exhaust the machine: through the program, with two gibibytes.
#[test]
fn arguments_and_absurd_sizes() {
    let place = Place::new();
    fs::write(place.path("empty.csv"), "").unwrap();
    let cases = [
        "frobnicate",
        "rum scenario.yaml",
        "run",
        "run --nonsense scenario.yaml",
        "run missing.yaml",
        "run .",
        "run scenario.yaml --policy nobody",
        "run scenario.yaml --seed -1",
        "run scenario.yaml --seed x",
        "run scenario.yaml --format yaml",
        "run scenario.yaml --threads -3",
        "run scenario.yaml --set nonsense",
        "run scenario.yaml --set =1",
        "run scenario.yaml --out scenario.yaml",
        "run scenario.yaml --max-memory 1Mi",
        "run scenario.yaml --max-memory lots",
        "run scenario.yaml --set service.replicas=4294967295",
        "run scenario.yaml --set policies.fixed.static.replicas=50000000",
        "run scenario.yaml --set policies.fixed.static.replicas=900000 --max-memory 512Mi",
        "run scenario.yaml --set interval=1ms --set duration=16m --max-memory 64Mi",
        "run scenario.yaml --set metrics.interval=10ms --set duration=3000d",
        "compare scenario.yaml --replications 0",
        "compare scenario.yaml --precision 0%",
        "compare scenario.yaml --level 100%",
        "compare scenario.yaml --base nobody",
        "capacity scenario.yaml --precision 5%",
        "whatif",
        "whatif scenario.yaml --scale 0x",
        "sweep scenario.yaml",
        "sweep scenario.yaml --vary service.replicas=2..",
        "sweep scenario.yaml --vary service.replicas=9..2 --out s.csv",
        "sweep scenario.yaml --vary nonsense=1,2 --out s.csv",
        "sweep scenario.yaml --vary service.replicas=1,2 --out missing/dir/\0",
        "train scenario.yaml",
        "train scenario.yaml --episodes 1",
        "test missing",
        "test scenario.yaml --replications x",
        "test scenario.yaml --output junit",
        "report missing",
        "report scenario.yaml",
        "report . ./. ",
        "list nonsense",
        "trace",
        "trace inspect",
        "trace inspect missing.csv",
        "trace inspect empty.csv",
        "trace inspect trace.csv --format nonsense",
        "trace inspect trace.csv --time nobody",
        "trace inspect trace.csv --start yesterday",
        "trace convert trace.csv missing/x/y.nonsense",
        "forecast trace.csv --step 0s",
        "optimize",
        "optimize provision scenario.yaml --interval 1ns",
        "optimize provision scenario.yaml --interval 0s",
        "optimize provision scenario.yaml --instance nobody",
        "optimize mix",
        "schema nonsense",
        "completions nonsense",
        "verify --nonsense",
        "bench --nonsense",
    ];
    let ends: Vec<(&str, Option<i32>, String)> = std::thread::scope(|scope| {
        let halves: Vec<_> = cases
            .chunks(cases.len().div_ceil(2))
            .map(|part| {
                let place = &place;
                scope.spawn(move || {
                    let run = |case: &&'static str| {
                        let words: Vec<&str> = case.split(' ').filter(|word| !word.contains('\0')).collect();
                        let (code, said) = place.run(&words);
                        (*case, code, said)
                    };
                    part.iter().map(run).collect::<Vec<_>>()
                })
            })
            .collect();
        halves.into_iter().flat_map(|half| half.join().unwrap()).collect()
    });
    let wrong = ends.iter().filter(|(_, code, said)| {
        *code != Some(2) || said.trim().is_empty() || said.contains("internal error") || said.contains("panicked")
    });
    let wrong: Vec<String> = wrong.map(|(case, code, said)| format!("{case}: {code:?} {said:.300}")).collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
