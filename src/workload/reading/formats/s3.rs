//! Server access logs of Amazon S3.

use std::ops::Range;

use super::super::lines::RowFault;
use super::super::split_lines::{Split, Timing, Words, any_fits, open};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::TimeFormat;

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "s3",
    summary: "Amazon S3 server access log: arrival = when the request was received, duration = total time in milliseconds",
    source: "AWS, Amazon S3 server access log format",
    build: FormatBuilder {
        recognise: |input, _| any_fits(&S3Line, input),
        open: |input, options| {
            let timing = Timing { time: "time", duration: Some(("total_time", TimeFormat::Millis)), at_end: false };
            let names = FIELDS.iter().map(|name| name.to_string()).collect();
            Ok(Box::new(open(input, options, &timing, names, Vec::new(), S3Line)?))
        },
    },
};

/// The fields of every line; newer fields follow.
const FIELDS: [&str; 18] = [
    "bucket_owner",
    "bucket",
    "time",
    "remote_ip",
    "requester",
    "request_id",
    "operation",
    "key",
    "request",
    "status",
    "error_code",
    "bytes_sent",
    "object_size",
    "total_time",
    "turn_around_time",
    "referer",
    "user_agent",
    "version_id",
];
/// Prefixes of the names of operations.
const OPERATIONS: [&[u8]; 5] = [b"REST.", b"WEBSITE.", b"SOAP.", b"BATCH.", b"S3."];

struct S3Line;

impl Split for S3Line {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let before = fields.len();
        fields.extend(Words::new(line, 0).take(FIELDS.len()));
        let fields = &fields[before..];
        let sound = fields.len() >= FIELDS.len() - 1
            && line[fields[2].start - 1] == b'['
            && OPERATIONS.iter().any(|begins| line[fields[6].clone()].starts_with(begins));
        let expected = "`owner bucket [06/Feb/2019:00:00:38 +0000] address requester id REST.GET.OBJECT key \"request\" status ...`";
        if sound { Ok(true) } else { Err(RowFault { at: 0, expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::split_lines::texts;

    #[test]
    fn a_line_is_taken_apart() {
        let line = br#"79a59df9 shop-assets [06/Feb/2019:00:00:38 +0000] 192.0.2.3 79a59df9 3E57427F3EXAMPLE REST.GET.OBJECT img/a.png "GET /shop-assets/img/a.png HTTP/1.1" 200 - 113 113 7 6 "-" "S3Console/0.4" - s9lz= SigV4 ECDHE-RSA-AES128-GCM-SHA256 AuthHeader shop-assets.s3.amazonaws.com TLSV1.2 - -"#;
        let fields = texts(&S3Line, line).unwrap();
        assert_eq!(
            (fields[2].as_str(), fields[13].as_str(), fields[9].as_str()),
            ("06/Feb/2019:00:00:38 +0000", "7", "200")
        );
        let common = br#"::1 - - [02/Mar/2026:10:00:00 +0000] "GET / HTTP/1.1" 200 394 "-" "curl/8.5.0""#;
        assert_eq!(texts(&S3Line, common), None);
    }
}
