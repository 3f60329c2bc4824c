//! `plimsoll schema`: the JSON Schemas of scenarios and stories, for completion and checks in an editor.
//!
//! It is made from the plug-in lists and from the field tables below. A test holds every shipped scenario against it, and the
//! committed file against this code.

mod autoscalers;
mod definitions;
mod markdown;
mod platforms;
mod policies;
mod scenario;
mod serving;
mod serving_policies;
mod story;
mod traffic;

pub use definitions::with_definitions;
pub use markdown::reference;
pub use scenario::scenario_schema;
pub(super) use scenario::{SchemaArguments, schema};
use scenario::{
    at_least_one, choice, count, custom_metrics, example, examples, flag, free, list, named, names, number, object,
    one_of, one_policy, quantity, range, release, resources, text, trace_fields,
};
pub use story::story_schema;
