//! Functions as people have them written down: AWS SAM and CloudFormation templates, `serverless.yml`, Azure's `host.json`
//! with Bicep or ARM templates, and Cloud Run services.
//!
//! [`read_functions`] recognises the format by the content and returns [`FunctionDefinition`]s, each stated value with its
//! place. Values outside the provider's limits are errors; the limits are data ([`FunctionRules`], read from tables of the
//! catalogue). Near misses of the names that are read are errors, whatever else a template holds passes unread. What depends
//! on something outside the file (`!Ref` of a parameter without a default, `${...}`) counts as not stated, with a warning.

mod azure;
mod bicep;
mod cloud_run;
mod cloudformation;
mod definition;
mod front;
mod limits;
mod sam;
mod serverless_framework;
mod values;

pub use definition::{
    AlwaysReady, Architecture, EventKind, EventSource, FunctionDefinition, FunctionPlatform, Provisioned, Retries,
    ScheduledAction, Stated,
};
pub use front::{pick_function, read_functions};
pub use limits::{Allowed, FunctionRules, Limit};

#[cfg(test)]
mod tests;
