//! Access logs of the TLS listeners of AWS Network Load Balancers.

use std::ops::Range;

use super::super::lines::RowFault;
use super::super::split_lines::{Split, Timing, Words, any_fits, open};
use super::plugin::{FormatBuilder, FormatPlugin};
use crate::workload::time::text::{TimeFormat, TimeReader};

/// The entry in the list.
pub const PLUGIN: FormatPlugin = FormatPlugin {
    name: "aws-nlb",
    summary: "AWS Network Load Balancer access log: one TLS connection per line, arrival = time - connection_time",
    source: "AWS, Access logs for your Network Load Balancer (time: at the end of the connection; connection_time in milliseconds)",
    build: FormatBuilder {
        recognise: |input, _| any_fits(&NlbLine, input),
        open: |input, options| {
            let timing = Timing { time: "time", duration: Some(("connection_time", TimeFormat::Millis)), at_end: true };
            let names = FIELDS.iter().map(|name| name.to_string()).collect();
            let note = "each line is a TLS connection, which may carry many requests; one that lasts is a long demand";
            Ok(Box::new(open(input, options, &timing, names, vec![note.into()], NlbLine)?))
        },
    },
};

const FIELDS: [&str; 22] = [
    "type",
    "version",
    "time",
    "elb",
    "listener",
    "client:port",
    "destination:port",
    "connection_time",
    "tls_handshake_time",
    "received_bytes",
    "sent_bytes",
    "incoming_tls_alert",
    "chosen_cert_arn",
    "chosen_cert_serial",
    "tls_cipher",
    "tls_protocol_version",
    "tls_named_group",
    "domain_name",
    "alpn_fe_protocol",
    "alpn_be_protocol",
    "alpn_client_preference_list",
    "tls_connection_creation_time",
];

struct NlbLine;

impl Split for NlbLine {
    fn split(&self, line: &[u8], fields: &mut Vec<Range<usize>>) -> Result<bool, RowFault> {
        let before = fields.len();
        fields.extend(Words::new(line, 0).take(FIELDS.len()));
        let fields = &fields[before..];
        // The first version had fewer fields, up to the domain's name.
        let sound = fields.len() >= 17
            && &line[fields[0].clone()] == b"tls"
            && TimeReader::new(TimeFormat::Iso, None).read(&line[fields[2].clone()]).is_some();
        let expected = "`tls 2.0 2018-12-20T02:59:40 net/name/id listener client:port destination:port 5 2 98 246 ...`";
        if sound { Ok(true) } else { Err(RowFault { at: 0, expected }) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workload::reading::split_lines::texts;

    #[test]
    fn a_line_is_taken_apart() {
        let line = b"tls 2.0 2018-12-20T02:59:40 net/edge/c6e77e28c25b2234 g3d4b5e8bb8464cd 192.0.2.8:51341 192.0.2.85:443 5 2 98 246 - arn:aws:acm:us-east-2:1:certificate/2a - ECDHE-RSA-AES128-SHA tlsv12 - edge.example.org - - - 2018-12-20T02:59:30";
        let fields = texts(&NlbLine, line).unwrap();
        assert_eq!(
            (fields[2].as_str(), fields[7].as_str(), fields[17].as_str()),
            ("2018-12-20T02:59:40", "5", "edge.example.org")
        );
        assert_eq!(texts(&NlbLine, b"tls 2.0 never net/edge/c6 g3 a b 5 2 98 246 - - - - - - -"), None);
    }
}
