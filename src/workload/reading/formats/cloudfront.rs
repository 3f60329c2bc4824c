//! Standard access logs of AWS CloudFront.

use super::plugin::{FormatBuilder, FormatPlugin};
use super::w3c;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "cloudfront",
    summary: "AWS CloudFront standard log: one request per line, arrival = date and time - time-taken",
    source: "AWS, CloudFront standard logging reference; W3C Extended Log File Format (WD-logfile)",
    build: FormatBuilder {
        recognise: |input, _| {
            w3c::fields(input).is_some_and(|names| names.iter().any(|name| name == "x-edge-location"))
        },
        open: |input, options| Ok(Box::new(w3c::open(input, options, b'\t')?)),
    },
};
