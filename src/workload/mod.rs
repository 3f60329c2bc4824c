//! Requests and their sources.
//!
//! A source fills batches of requests in order of arrival. It is read alongside the calendar, so a trace is never in
//! memory completely. Batches are columns: a source without token counts or classes leaves those columns empty.
//!
//! From a file to requests there are four stages, each a few lines of interface:
//!
//! 1. [`TraceInput`] opens a file, plain or compressed, and shows its first bytes to the formats;
//! 2. a format of [`FORMATS`] turns bytes into rows ([`RowReader`]): *arrivals*, *counts* per interval or *levels*,
//!    three kinds of series that are never mixed;
//! 3. rows are sorted within a stated window, and counts and levels are expanded to arrivals by a stated model;
//! 4. the transforms of [`TRANSFORMS`] reshape the stream.
//!
//! A [`WorkloadSpec`] is the whole chain as stated in the scenario; each run opens a fresh stream from it. The
//! generators of [`GENERATORS`] replace the first three stages.

mod batch;
mod clients;
mod convert;
mod describe;
mod error;
mod fit;
mod generators;
mod reading;
mod recipe;
mod replay;
mod shape;
mod source;
mod spec;
mod time;
mod transforms;

pub use batch::RequestBatch;
pub use clients::Clients;
pub use convert::{ConvertOptions, Converted, convert, write_workload};
pub use describe::facts::{Peak, SHAPE_COLUMNS, SessionFacts, TokenFacts, TraceFacts, inspect, inspect_files};
pub use describe::function_profile::{FunctionProfile, ProfileMeasure, function_profile, is_function_profile};
pub use describe::instants::{Gaps, InstantFacts, ValueFacts};
pub use describe::portrait::{Portrait, SampleDistribution};
pub use error::TraceError;
pub(crate) use fit::cpu_time;
pub use fit::{Closeness, CpuFit, Fit, ServiceTime, cpu_per_request, fit, service_time};
pub use generators::{GENERATORS, GeneratorBuilder, GeneratorPlugin};
pub use reading::filter::{Condition, RowFilter};
pub use reading::formats::{FORMATS, FormatBuilder, FormatOpener, FormatPlugin, recognise};
pub use reading::holes::Holes;
pub use reading::lines::MAX_LINE_BYTES;
pub use reading::open::{Packing, TraceInput};
pub use reading::options::{Absent, Columns, Expand, TraceOptions, Values, decimal_named, separator_named};
pub use reading::rows::{BadRow, RowCounts, RowFacts, RowReader, Rows, SeriesKind};
pub use recipe::{Opening, Recipe};
pub use replay::durations::Durations;
pub use replay::trace_files::TraceFiles;
pub use shape::rate::arrivals_per_step;
pub use source::TraceSource;
pub use spec::{InputFile, WorkloadSpec, sha256_hex};
pub use time::moment::offset_of;
pub use time::text::{Offsets, TimeFormat, parse_instant, parse_instant_in, show_instant, show_instant_in};
pub use time::zone::Zone;
pub use transforms::{TRANSFORMS, Transform, TransformBuilder, TransformPlugin};
