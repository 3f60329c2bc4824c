//! Inserts a part of another trace, as a replacement or in addition.

use std::path::PathBuf;
use std::sync::Arc;

use super::transform::{Transform, TransformPlugin};
use crate::config::Fields;
use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::reading::options::TraceOptions;
use crate::workload::reading::rows::RowCounts;
use crate::workload::recipe::{Opening, Recipe};
use crate::workload::replay::arrivals::FileRecipe;
use crate::workload::replay::trace_files::TraceFiles;
use crate::workload::source::TraceSource;
use crate::workload::time::moment::Moment;

/// The entry in the list.
pub const PLUGIN: TransformPlugin = TransformPlugin {
    name: "splice",
    summary: "the part `from`..`to` of another `trace` at `at`: `mode: replace` (default) takes its place, `add` comes on top",
    source: "this project",
    build: |node, base_dir, sink| {
        let fields = Fields::open(node, "transform `splice`", sink)?;
        let before = sink.len();
        let trace: Option<String> = fields.required("trace", sink);
        let options = TraceOptions::from_fields(&fields, sink);
        let at: Option<Moment> = fields.required("at", sink);
        let from: SimDuration = fields.or("from", SimDuration::ZERO, sink);
        let to: Option<SimDuration> = fields.required("to", sink);
        let mode = fields.or("mode", "replace".to_string(), sink);
        fields.finish(sink);
        if to.is_some_and(|to| to <= from) || !["replace", "add"].contains(&mode.as_str()) {
            sink.push(node.error("expected `to` after `from`, and `mode: replace` or `mode: add`"));
        }
        let (trace, at, to) = (trace?, at?, to?);
        if sink.len() > before {
            return None;
        }
        let path = crate::config::spool::path_from(node.source.directory_or(base_dir), &trace);
        let files = TraceFiles::from(path.as_path());
        let incident: Arc<dyn Recipe> = Arc::new(FileRecipe { files, options, factor: 1.0 });
        if let Err(error) = incident.open(Opening::new(crate::random::Streams::new(0, 0), 0)) {
            sink.push(fields_place(node).error(error.to_string()));
            return None;
        }
        Some(Arc::new(Splice {
            path,
            incident,
            at,
            from: from.as_nanos(),
            to: to.as_nanos(),
            replace: mode == "replace",
        }))
    },
};

/// Place of the other trace's path in the scenario.
fn fields_place(node: &crate::config::Yaml) -> &crate::config::Yaml {
    node.get("trace").unwrap_or(node)
}

/// The inserted requests keep their attributes if both streams have them. If only one of the streams has demands, those
/// of the other are unknown and drawn by the service; any other column that only one stream has is dropped, because a
/// stream has a value for every request or for none. Classes differ between the streams and are dropped as well.
#[derive(Debug, Clone)]
struct Splice {
    path: PathBuf,
    incident: Arc<dyn Recipe>,
    at: Moment,
    from: u64,
    to: u64,
    replace: bool,
}

impl Transform for Splice {
    fn keeps_times(&self) -> bool {
        false
    }

    fn open(&self, inner: &Arc<dyn Recipe>, step: u16, opening: Opening) -> Result<Box<dyn TraceSource>, TraceError> {
        let base = inner.open(opening)?;
        // The inserted requests have their own random numbers, as if they were another service's stream.
        let apart = Opening { service: opening.service ^ (u64::from(step) << 48), ..opening };
        let incident = self.incident.open(apart)?;
        let at = self.at.offset_ns(base.start_epoch_ns()).unwrap_or(u64::MAX);
        let gap = if self.replace { (at, at.saturating_add(self.to - self.from)) } else { (u64::MAX, u64::MAX) };
        let shift = Shift { from: self.from, to: self.to, at };
        Ok(Box::new(Stream { base: Side::new(base), incident: Side::new(incident), gap, shift, columns: None }))
    }

    fn files(&self) -> Vec<PathBuf> {
        vec![self.path.clone()]
    }
}

#[derive(Clone, Copy)]
struct Shift {
    from: u64,
    to: u64,
    at: u64,
}

/// One of the two streams, with requests read ahead.
struct Side {
    source: Box<dyn TraceSource>,
    ahead: RequestBatch,
    next: usize,
    ended: bool,
}

impl Side {
    fn new(source: Box<dyn TraceSource>) -> Self {
        Side { source, ahead: RequestBatch::default(), next: 0, ended: false }
    }

    /// Reads until there is a request at the cursor for which `place` returns a time; returns that time in nanoseconds.
    fn ready(&mut self, place: impl Fn(u64) -> Place) -> Result<Option<u64>, TraceError> {
        while !self.ended {
            while self.next < self.ahead.len() {
                match place(self.ahead.arrivals[self.next].as_nanos()) {
                    Place::At(time) => return Ok(Some(time)),
                    Place::Nowhere => self.next += 1,
                    Place::Over => {
                        self.ended = true;
                        return Ok(None);
                    }
                }
            }
            self.ahead.clear();
            self.next = 0;
            self.source.fill(&mut self.ahead)?;
            self.ended = self.ahead.is_empty();
        }
        Ok(None)
    }

    /// Whether the stream has each of the optional columns: demands, input tokens, output tokens.
    fn columns(&self) -> [bool; 3] {
        [!self.ahead.demands.is_empty(), !self.ahead.tokens_in.is_empty(), !self.ahead.tokens_out.is_empty()]
    }
}

/// The new time of a request.
enum Place {
    At(u64),
    Nowhere,
    Over,
}

struct Stream {
    base: Side,
    incident: Side,
    /// The part of the base stream that is replaced.
    gap: (u64, u64),
    shift: Shift,
    /// Whether one of the streams has demands, and whether both have the other optional columns, after both have
    /// returned a request.
    columns: Option<[bool; 3]>,
}

impl Stream {
    fn push(&mut self, from_base: bool, time: u64, columns: [bool; 3], batch: &mut RequestBatch) {
        let side = if from_base { &mut self.base } else { &mut self.incident };
        let row = side.next;
        side.next += 1;
        batch.arrivals.push(SimTime::from_nanos(time));
        let [demands, tokens_in, tokens_out] = columns;
        let demand = side.ahead.demands.get(row).copied().unwrap_or(RequestBatch::UNKNOWN);
        batch.demands.extend(Some(demand).filter(|_| demands));
        batch.tokens_in.extend(side.ahead.tokens_in.get(row).filter(|_| tokens_in));
        batch.tokens_out.extend(side.ahead.tokens_out.get(row).filter(|_| tokens_out));
    }
}

impl TraceSource for Stream {
    fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
        let target = batch.len() + RequestBatch::TARGET_LEN;
        let (gap, shift) = (self.gap, self.shift);
        let end = self.base.source.extent().map_or(u64::MAX, SimDuration::as_nanos);
        while batch.len() < target {
            let base =
                self.base.ready(|at| if (gap.0..gap.1).contains(&at) { Place::Nowhere } else { Place::At(at) })?;
            let incident = self.incident.ready(|at| match at {
                at if at < shift.from => Place::Nowhere,
                at if at >= shift.to => Place::Over,
                at => match shift.at.checked_add(at - shift.from).filter(|at| *at < end) {
                    Some(at) => Place::At(at),
                    None => Place::Over,
                },
            })?;
            let columns = *self.columns.get_or_insert_with(|| match (base, incident) {
                (Some(_), None) => self.base.columns(),
                (None, Some(_)) => self.incident.columns(),
                _ => {
                    let (own, other) = (self.base.columns(), self.incident.columns());
                    [own[0] || other[0], own[1] && other[1], own[2] && other[2]]
                }
            });
            match (base, incident) {
                (Some(own), Some(other)) if other < own => self.push(false, other, columns, batch),
                (Some(own), _) => self.push(true, own, columns, batch),
                (None, Some(other)) => self.push(false, other, columns, batch),
                (None, None) => return Ok(()),
            }
        }
        Ok(())
    }

    fn extent(&self) -> Option<SimDuration> {
        self.base.source.extent()
    }

    fn start_epoch_ns(&self) -> Option<u64> {
        self.base.source.start_epoch_ns()
    }

    fn tally(&self) -> Option<&RowCounts> {
        self.base.source.tally()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::super::super::generators::testing::requests;
    use crate::config::{Diagnostics, SourceFile, parse_single};
    use crate::workload::batch::RequestBatch;
    use crate::workload::spec::WorkloadSpec;

    /// Arrivals every second for 20 s, and an incident with one every 100 ms from 5 s to 7 s of its own trace.
    fn spliced(mode: &str) -> RequestBatch {
        let directory = tempfile::tempdir().unwrap();
        let rows: String = (0..100).map(|n| format!("{:.2},7\n", 2.05 + f64::from(n) / 10.0)).collect();
        std::fs::write(directory.path().join("incident.csv"), format!("time,tokens\n0,7\n{rows}")).unwrap();
        let text = format!(
            "constant: {{ rate: 1/s, for: 20s }}
transforms:
  - splice: {{ trace: incident.csv, columns: {{ time: time }}, rows: requests, from: 5s, to: 7s, at: 10s, mode: {mode} }}"
        );
        let node = parse_single(&SourceFile::new("w.yaml", text)).unwrap();
        let mut sink = Diagnostics::new();
        let spec = WorkloadSpec::from_node(&node, Path::new(directory.path()), &mut sink);
        let spec = spec.unwrap_or_else(|| panic!("{sink}"));
        assert_eq!(spec.inputs().unwrap().len(), 1);
        requests(&*spec.recipe())
    }

    #[test]
    fn an_incident_replaces_or_adds() {
        let within = |all: &RequestBatch| {
            let inside = |time: &&crate::units::SimTime| (10.0..12.0).contains(&time.as_secs_f64());
            (all.len(), all.arrivals.iter().filter(inside).count())
        };
        assert_eq!(within(&spliced("replace")), (38, 20));
        assert_eq!(within(&spliced("add")), (40, 22));
    }
}
