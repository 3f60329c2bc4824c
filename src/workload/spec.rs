//! The workload of a scenario.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::batch::RequestBatch;
use super::clients::Clients;
use super::error::TraceError;
use super::generators::GENERATORS;
use super::reading::options::TraceOptions;
use super::reading::rows::Rows;
use super::recipe::{NoRequests, Opening, Recipe};
use super::replay::arrivals::{FileRecipe, open_reader};
use super::replay::durations::Durations;
use super::replay::trace_files::TraceFiles;
use super::source::TraceSource;
use super::time::moment;
use super::time::zone::Zone;
use super::transforms::list::read_list;
use super::transforms::step::Step;
use crate::config::{Diagnostic, Diagnostics, Fields, FromNode, Key, Value, Yaml, spool};
use crate::random::Streams;
use crate::units::{SimDuration, SimTime};

/// An input file and its checksum, for the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Its path.
    pub path: PathBuf,
    /// Its size in bytes.
    pub bytes: u64,
    /// SHA-256 of its bytes, in hexadecimal.
    pub sha256: String,
}

/// A workload as stated in a scenario: a trace or a generator, with transforms. Each run opens its own stream.
#[derive(Debug, Clone)]
pub struct WorkloadSpec {
    recipe: Arc<dyn Recipe>,
    files: Vec<PathBuf>,
    /// Number of files that are part of the trace.
    recorded_files: usize,
    /// The trace before any transform.
    origin: Option<FileRecipe>,
    /// The time zone of times of day, if stated.
    time_zone: Option<Zone>,
    steps: Vec<String>,
    /// Name of the built-in generator of the requests, if any.
    generator: Option<&'static str>,
    /// The steps of the chain, in order.
    chain: Vec<Step>,
}

/// The generator of no requests.
const NONE: &str = "none";

impl WorkloadSpec {
    /// No requests: the workload of a service that only others call.
    pub fn none() -> Self {
        WorkloadSpec { generator: Some(NONE), ..WorkloadSpec::from_recipe(Arc::new(NoRequests)) }
    }

    /// Whether there are no requests, see [`WorkloadSpec::none`].
    pub fn is_none(&self) -> bool {
        self.generator == Some(NONE)
    }

    /// A workload from a recipe of a library user.
    pub fn from_recipe(recipe: Arc<dyn Recipe>) -> Self {
        WorkloadSpec {
            recipe,
            files: Vec::new(),
            recorded_files: 0,
            origin: None,
            time_zone: None,
            steps: Vec::new(),
            generator: None,
            chain: Vec::new(),
        }
    }

    /// A trace file with `options`.
    pub fn from_trace(path: &Path, options: TraceOptions) -> Self {
        WorkloadSpec::from_files(TraceFiles::from(path), options)
    }

    /// Files that form one trace, with `options`.
    pub fn from_files(files: TraceFiles, options: TraceOptions) -> Self {
        let paths = files.paths().to_vec();
        let recipe = FileRecipe { files, options, factor: 1.0 };
        let (origin, time_zone) = (Some(recipe.clone()), recipe.options.time_zone);
        WorkloadSpec {
            recipe: Arc::new(recipe),
            recorded_files: paths.len(),
            origin,
            time_zone,
            files: paths,
            steps: Vec::new(),
            generator: None,
            chain: Vec::new(),
        }
    }

    /// Another recipe for the same place: it keeps the time zone of this workload.
    pub fn with_recipe(&self, recipe: Arc<dyn Recipe>) -> Self {
        WorkloadSpec { time_zone: self.time_zone, ..WorkloadSpec::from_recipe(recipe) }
    }

    /// The workload with the time zone of the offset in its trace's times, if none is stated; see
    /// [`WorkloadSpec::from_node`].
    pub fn in_own_zone(mut self) -> Self {
        let of_trace = |recipe: &FileRecipe| zone_of_files(&recipe.files, &recipe.options);
        self.time_zone = self.time_zone.or_else(|| self.origin.as_ref().and_then(of_trace));
        self
    }

    /// The same tree, with times of day and dates in the workload's time zone if they do not name one.
    pub fn placed(&self, node: &Yaml) -> Yaml {
        self.time_zone.map_or_else(|| node.clone(), |zone| moment::in_zone(node, zone))
    }

    /// Reads a scenario's `workload:` mapping; relative paths start from `base_dir`. The trace is opened once, so that
    /// a missing file or an unknown column is reported with its place in the scenario.
    pub fn from_node(node: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Option<Self> {
        let zone = node.get("time-zone").and_then(|zone| Zone::from_node(zone, &mut Diagnostics::new()));
        // If no zone is stated, that of the offset in the trace's times applies.
        let own = if node.get("time-zone").is_none() { zone_of_trace(node, base_dir) } else { None };
        let told = own.map(|zone| with_zone(node, zone));
        let (node, zone) = (told.as_ref().unwrap_or(node), zone.or(own));
        // Times of day are in the zone stated next to them.
        let placed = zone.map(|zone| moment::in_zone(node, zone));
        let node = placed.as_ref().unwrap_or(node);
        let fields = Fields::open(node, "workload", sink)?;
        let zone: Option<Zone> = fields.optional("time-zone", sink);
        let errors_before = sink.len();
        let Some(source) = source_of(&fields, sink) else {
            // Request all fields of a trace first, so that `finish` can suggest `trace` for a misspelt one.
            TraceOptions::from_fields(&fields, &mut Diagnostics::new());
            fields.node_of("transforms");
            fields.finish(sink);
            return None;
        };
        let read = match source {
            Source::Generator(name, recipe) => {
                recipe.map(|recipe| WorkloadSpec { generator: Some(name), ..WorkloadSpec::from_recipe(recipe) })
            }
            Source::Trace(trace) => read_trace(&fields, trace, base_dir, sink),
        };
        let mut spec = read.unwrap_or_else(|| WorkloadSpec::from_recipe(Arc::new(Nothing)));
        spec.time_zone = zone;
        if let Some(list) = fields.node_of("transforms") {
            if spec.recipe.clients().is_some() {
                let error = list.error("the requests of a closed loop depend on the responses and cannot be reshaped");
                sink.push(error.help("change the number of `users` over time instead"));
                return None;
            }
            spec = spec.transformed(list, base_dir, sink);
        }
        fields.finish(sink);
        (sink.len() == errors_before).then_some(spec)
    }

    /// The workload with the steps of `list` appended, as written under `transforms:`. Times of day and dates are in the
    /// workload's time zone.
    pub fn transformed(mut self, list: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Self {
        let list = &self.placed(list);
        for transform in read_list(list, base_dir, sink) {
            let number = u16::try_from(self.chain.len() + 1).unwrap_or(u16::MAX);
            self.files.extend(transform.files());
            let step = Step { inner: self.recipe, transform, number };
            self.chain.push(step.clone());
            self.recipe = Arc::new(step);
        }
        self.steps.extend(texts_of(list));
        self
    }

    /// The same workload with the recorded durations of requests as demands; `None` if it does not replay a trace.
    /// Requests added by transforms have the duration of the request that they copy.
    pub fn taking_durations(self) -> Option<Self> {
        let mut origin = self.origin?;
        origin.options.durations = true;
        let mut recipe: Arc<dyn Recipe> = Arc::new(origin.clone());
        let mut chain = Vec::with_capacity(self.chain.len());
        for step in self.chain {
            let step = Step { inner: recipe, ..step };
            chain.push(step.clone());
            recipe = Arc::new(step);
        }
        Some(WorkloadSpec { recipe, origin: Some(origin), chain, ..self })
    }

    /// The recorded durations of the trace's requests, before any transform; reads the whole trace. `None` if it does
    /// not replay a trace.
    ///
    /// # Errors
    /// If the trace cannot be read completely.
    pub fn durations(&self) -> Result<Option<Durations>, TraceError> {
        self.origin.as_ref().map(FileRecipe::durations).transpose()
    }

    /// Whether the first requests of the trace have service times.
    pub fn brings_demands(&self) -> bool {
        let mut first = RequestBatch::default();
        let source = self.origin.as_ref().and_then(|origin| origin.open(Opening::new(Streams::new(0, 0), 0)).ok());
        source.is_some_and(|mut source| source.fill(&mut first).is_ok() && !first.demands.is_empty())
    }

    /// The recipe of its streams.
    pub fn recipe(&self) -> Arc<dyn Recipe> {
        Arc::clone(&self.recipe)
    }

    /// A new stream for one run.
    ///
    /// # Errors
    /// If a file cannot be opened, or its beginning does not match its format.
    pub fn open(&self, streams: Streams, service: u64) -> Result<Box<dyn TraceSource>, TraceError> {
        self.recipe.open(Opening::new(streams, service))
    }

    /// The users, if the workload is a closed loop.
    pub fn clients(&self) -> Option<&Clients> {
        self.recipe.clients()
    }

    /// The same workload with `factor` times as many users, if it is a closed loop.
    pub fn with_users(&self, factor: f64) -> Option<Self> {
        self.recipe.clients()?;
        Some(WorkloadSpec { recipe: self.recipe.scaled(factor)?, ..self.clone() })
    }

    /// The files of the workload, with checksums.
    ///
    /// # Errors
    /// If one cannot be read.
    pub fn inputs(&self) -> Result<Vec<InputFile>, TraceError> {
        self.files.iter().map(|path| checksum(path)).collect()
    }

    /// Whether it is based on files: a recorded trace is replayed, or its figures are used.
    pub fn is_recorded(&self) -> bool {
        !self.files.is_empty()
    }

    /// The replayed trace; `None` if a generator makes the requests.
    pub fn trace(&self) -> Option<&Path> {
        self.files.first().filter(|_| self.generator.is_none()).map(PathBuf::as_path)
    }

    /// Name of the replayed trace in reports: the file's name, and the number of further files.
    pub fn trace_name(&self) -> Option<String> {
        let name = self.trace()?.file_name()?.to_string_lossy().into_owned();
        // Transforms may have further files after those of the trace.
        let more = self.recorded_files.saturating_sub(1);
        Some(match (name.as_str(), more) {
            (spool::STANDARD_INPUT, 0) => "standard input".into(),
            (_, 0) => name,
            _ => format!("{name} and {more} more"),
        })
    }

    /// Name of the generator; `None` for a trace, or for a recipe that is not in the list.
    pub fn generator(&self) -> Option<&'static str> {
        self.generator
    }

    /// The transforms as written in the scenario, one text each.
    pub fn steps(&self) -> &[String] {
        &self.steps
    }

    /// Whether its length is only known from its last request: a recorded trace without a stated end.
    pub fn ends_with_last_request(&self) -> bool {
        self.is_recorded() && self.open(Streams::new(0, 0), 0).is_ok_and(|source| source.extent().is_none())
    }

    /// The assumptions of the transforms, in sentences.
    pub fn assumptions(&self) -> Vec<String> {
        self.chain.iter().filter_map(|step| step.transform.assumption(&step.inner)).collect()
    }

    /// How clock times in transforms were resolved in this workload; a sentence each.
    pub fn moments(&self) -> Vec<String> {
        self.chain.iter().flat_map(|step| step.transform.moments(&step.inner)).collect()
    }

    /// Distortions of the stream by transforms, in sentences; reads the whole stream if necessary.
    ///
    /// # Errors
    /// If a trace cannot be read completely.
    pub fn distortions(&self) -> Result<Vec<String>, TraceError> {
        let all = self.chain.iter().map(|step| step.transform.distortion(&step.inner, step.number));
        all.filter_map(Result::transpose).collect()
    }

    /// The events of the transforms that do nothing in a run of this length, because they are before or after it: a
    /// sentence each. Events before a step that moves requests in time are not judged.
    pub fn outside(&self, length: SimDuration) -> Vec<String> {
        let last = self.chain.iter().rposition(|step| !step.transform.keeps_times()).map_or(0, |at| at + 1);
        self.chain[last..].iter().flat_map(|step| step.transform.outside(&step.inner, length)).collect()
    }

    /// When a run of this length on the workload is, by the clock of its time zone; `None` without a date.
    pub fn period(&self, length: SimDuration) -> Option<String> {
        let start = self.open(Streams::new(0, 0), 0).ok()?.start_epoch_ns()?;
        let at = |instant: u64| super::time::text::show_instant_in(instant, self.time_zone.unwrap_or(Zone::UTC));
        Some(format!("the run is from {} to {}", at(start), at(start.saturating_add(length.as_nanos()))))
    }

    /// Notes on the trace for readers of a report: rows left out, moved or filled in, missing steps, and how the file
    /// was interpreted; one sentence each. Reads the whole trace.
    ///
    /// # Errors
    /// If the trace cannot be read completely.
    pub fn notices(&self) -> Result<Vec<String>, TraceError> {
        self.origin.as_ref().map_or(Ok(Vec::new()), FileRecipe::notices)
    }

    /// The trace before any transform.
    pub(super) fn recipe_of_trace(&self) -> Option<&FileRecipe> {
        self.origin.as_ref()
    }

    /// The time zone of times of day, if stated.
    pub fn time_zone(&self) -> Option<Zone> {
        self.time_zone
    }

    /// The length of the workload from time zero: as stated, or by reading it to its end; `None` for a generator
    /// without an end. Reads at most `limit` of simulated time.
    ///
    /// # Errors
    /// If the trace cannot be read completely.
    pub fn extent(&self, limit: SimDuration) -> Result<Option<SimDuration>, TraceError> {
        let mut source = self.open(Streams::new(0, 0), 0)?;
        if self.files.is_empty() {
            // A generator either knows its end or has none.
            return Ok(source.extent());
        }
        let mut batch = RequestBatch::default();
        let mut newest = SimTime::ZERO;
        loop {
            if let Some(extent) = source.extent() {
                return Ok(Some(extent));
            }
            batch.clear();
            source.fill(&mut batch)?;
            match batch.arrivals.last() {
                Some(last) if last.since(SimTime::ZERO) > limit => return Ok(None),
                Some(last) => newest = *last,
                None => return Ok(source.extent().or(Some(newest.since(SimTime::ZERO) + SimDuration::from_nanos(1)))),
            }
        }
    }
}

/// Placeholder for a source that could not be read, so that the rest of the workload can be checked.
#[derive(Debug)]
struct Nothing;

impl Recipe for Nothing {
    fn open(&self, _: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        Err(TraceError::new("workload", "has no source"))
    }
}

enum Source<'a> {
    Trace(&'a Yaml),
    Generator(&'static str, Option<Arc<dyn Recipe>>),
}

/// The source of the requests: exactly one of `trace` and the generators.
fn source_of<'a>(fields: &Fields<'a>, sink: &mut Diagnostics) -> Option<Source<'a>> {
    let trace = fields.node_of("trace");
    let generators = GENERATORS.iter().filter_map(|plugin| Some((plugin, fields.node_of(plugin.name)?)));
    let mut found: Vec<Source<'a>> = trace.map(Source::Trace).into_iter().collect();
    for (plugin, node) in generators {
        let built = (plugin.build)(node, sink);
        found.push(Source::Generator(plugin.name, built));
    }
    let names: Vec<&str> = std::iter::once("trace").chain(GENERATORS.iter().map(|plugin| plugin.name)).collect();
    let names = names.join("`, `");
    match found.len() {
        1 => found.pop(),
        0 => {
            let error = fields.node().error("the workload has no source of requests");
            sink.push(error.help(format!("give one of `{names}`")));
            None
        }
        _ => {
            sink.push(fields.node().error(format!("the workload has more than one source; expected one of `{names}`")));
            None
        }
    }
}

/// The time zone of the offset in a trace's times, unless it is UTC. Problems with the trace are reported when it is
/// read.
fn zone_of_trace(node: &Yaml, base_dir: &Path) -> Option<Zone> {
    let mut unheard = Diagnostics::new();
    let fields = Fields::open(node, "workload", &mut unheard)?;
    let trace = fields.node_of("trace")?;
    let options = TraceOptions::from_fields(&fields, &mut unheard);
    let items: Vec<&Yaml> = match &trace.value {
        Value::Sequence(items) => items.iter().collect(),
        _ => vec![trace],
    };
    let texts: Vec<String> = items.iter().filter_map(|item| item.as_text().map(str::to_string)).collect();
    zone_of_files(&TraceFiles::find(base_dir, &texts).ok()?, &options)
}

/// Like [`zone_of_trace`], for files.
pub(super) fn zone_of_files(files: &TraceFiles, options: &TraceOptions) -> Option<Zone> {
    let (_, mut reader) = open_reader(files, options).ok()?;
    reader.read(&mut Rows::default()).ok()?;
    let offsets = reader.tally().offsets?;
    (offsets.first != 0).then(|| Zone::fixed(offsets.first))
}

/// The workload with the stated time zone.
fn with_zone(node: &Yaml, zone: Zone) -> Yaml {
    let Value::Mapping(entries) = &node.value else { return node.clone() };
    let mut entries = entries.clone();
    let value = Yaml { value: Value::Scalar(zone.name()), ..node.clone() };
    entries.push((Key { text: "time-zone".into(), span: node.span }, value));
    Yaml { value: Value::Mapping(entries), ..node.clone() }
}

fn read_trace(fields: &Fields<'_>, node: &Yaml, base_dir: &Path, sink: &mut Diagnostics) -> Option<WorkloadSpec> {
    let before = sink.len();
    let options = TraceOptions::from_fields(fields, sink);
    let items: Vec<&Yaml> = match &node.value {
        Value::Sequence(items) => items.iter().collect(),
        _ => vec![node],
    };
    let texts: Vec<String> = items.iter().filter_map(|item| item.as_text().map(str::to_string)).collect();
    if texts.len() < items.len() || texts.is_empty() {
        sink.push(node.error(format!("`trace` must be the path of a file or a list of paths, not {}", node.kind())));
        return None;
    }
    if sink.len() > before {
        return None;
    }
    let spec = match TraceFiles::find(node.source.directory_or(base_dir), &texts) {
        Ok(files) => WorkloadSpec::from_files(files, options),
        Err(error) => {
            sink.push(diagnostic(node, &error));
            return None;
        }
    };
    match spec.open(Streams::new(0, 0), 0) {
        Ok(_) => Some(spec),
        Err(error) => {
            sink.push(diagnostic(node, &error));
            None
        }
    }
}

/// Reports a trace's error at the place in the scenario that names the trace.
fn diagnostic(node: &Yaml, error: &TraceError) -> Diagnostic {
    let bare = TraceError { help: None, ..error.clone() };
    let diagnostic = node.error(bare.to_string());
    match &error.help {
        Some(help) => diagnostic.help(help.as_str()),
        None => diagnostic,
    }
}

/// The items of a list as one line of text each.
fn texts_of(list: &Yaml) -> Vec<String> {
    let bare = |item: &Yaml| match &item.value {
        Value::Mapping(entries) => entries_on_line(entries),
        _ => on_one_line(item),
    };
    match &list.value {
        Value::Sequence(items) => items.iter().map(bare).collect(),
        _ => Vec::new(),
    }
}

/// A value as one line of YAML.
fn on_one_line(node: &Yaml) -> String {
    match &node.value {
        Value::Null => "null".to_string(),
        Value::Scalar(text) => text.clone(),
        Value::Sequence(items) => format!("[{}]", items.iter().map(on_one_line).collect::<Vec<_>>().join(", ")),
        Value::Mapping(entries) => format!("{{ {} }}", entries_on_line(entries)),
    }
}

fn entries_on_line(entries: &[(Key, Yaml)]) -> String {
    entries.iter().map(|(key, value)| format!("{}: {}", key.text, on_one_line(value))).collect::<Vec<_>>().join(", ")
}

fn checksum(path: &Path) -> Result<InputFile, TraceError> {
    let fail = |error: std::io::Error| TraceError::new(spool::name_of(path), error.to_string());
    let mut file = spool::open(path).map_err(fail)?;
    let mut digest = Sha256::new();
    let mut buffer = vec![0; 256 << 10];
    let mut bytes = 0;
    loop {
        let n = file.read(&mut buffer).map_err(fail)?;
        if n == 0 {
            break;
        }
        digest.update(&buffer[..n]);
        bytes += n as u64;
    }
    Ok(InputFile { path: path.into(), bytes, sha256: hexadecimal(digest) })
}

/// SHA-256 of `bytes`, in hexadecimal.
pub fn sha256_hex(bytes: &[u8]) -> String {
    let mut digest = Sha256::new();
    digest.update(bytes);
    hexadecimal(digest)
}

fn hexadecimal(digest: Sha256) -> String {
    digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::super::generators::testing::workload;

    #[test]
    fn steps_are_shown_on_one_line_each() {
        let block = "poisson: 5/s\ntransforms:\n  - scale-rate: 2\n  - window:\n      from: 1h\n      to: 2h\n";
        let flow = "poisson: 5/s\ntransforms: [{ scale-rate: 2 }, { window: { from: 1h, to: 2h } }]";
        for text in [block, flow] {
            assert_eq!(workload(text).unwrap().steps(), ["scale-rate: 2", "window: { from: 1h, to: 2h }"]);
        }
    }
}
