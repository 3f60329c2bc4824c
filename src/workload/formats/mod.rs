//! Trace formats: one file each, and the list of all.

mod access_log;
mod alibaba_gpu;
mod alibaba_images;
mod alibaba_pods;
mod auth_log;
mod aws_elb;
mod aws_nlb;
mod azure_functions_2019;
mod azure_functions_2021;
mod azure_llm;
mod azure_monitor;
mod burst_gpt;
mod caddy;
mod cloudfront;
mod cloudwatch;
mod console;
mod counts;
mod csv;
mod datadog;
mod envoy;
mod gatling;
mod gcp;
mod google_cluster;
mod grafana;
mod haproxy;
mod jmeter;
mod jmeter_xml;
mod jsonl;
mod k6;
mod levels;
mod locust;
pub(super) mod log_format;
mod logfmt;
mod mooncake;
mod new_relic;
mod ohlcvt;
mod online_retail;
mod openmetrics;
#[cfg(feature = "tables")]
mod parquet;
mod plimsoll;
mod prometheus;
mod s3;
mod servegen;
mod swf;
mod traefik;
mod tsv;
mod vm_usage;
mod w3c;

use super::rows::RowReader;
use super::{TraceError, TraceInput, TraceOptions};
use crate::config::Plugin;

/// The functions of a format.
#[derive(Debug, Clone, Copy)]
pub struct FormatBuilder {
    /// Whether a file is certainly of this format, judged by its first bytes.
    pub recognise: fn(&TraceInput, &TraceOptions) -> bool,
    /// Opens a reader.
    pub open: FormatOpener,
}

/// Opens a reader of a file with its options.
pub type FormatOpener = fn(&TraceInput, &TraceOptions) -> Result<Box<dyn RowReader>, TraceError>;

/// The entry of a format in the list.
pub type FormatPlugin = Plugin<FormatBuilder>;

/// Every format, most specific first: the first one that recognises a file reads it.
pub const FORMATS: &[FormatPlugin] = &[
    plimsoll::PLUGIN,
    azure_llm::PLUGIN,
    azure_functions_2019::PLUGIN,
    azure_functions_2021::PLUGIN,
    burst_gpt::PLUGIN,
    servegen::PLUGIN,
    alibaba_images::PLUGIN,
    alibaba_gpu::PLUGIN,
    alibaba_pods::PLUGIN,
    online_retail::PLUGIN,
    ohlcvt::PLUGIN,
    mooncake::PLUGIN,
    k6::PLUGIN,
    jmeter::PLUGIN,
    jmeter_xml::PLUGIN,
    locust::PLUGIN,
    gatling::PLUGIN,
    google_cluster::PLUGIN,
    vm_usage::PLUGIN,
    swf::PLUGIN,
    log_format::PLUGIN,
    haproxy::PLUGIN,
    envoy::PLUGIN,
    traefik::PLUGIN,
    caddy::PLUGIN,
    s3::PLUGIN,
    aws_nlb::PLUGIN,
    access_log::PLUGIN,
    aws_elb::PLUGIN,
    cloudfront::PLUGIN,
    w3c::PLUGIN,
    logfmt::PLUGIN,
    auth_log::PLUGIN,
    prometheus::PLUGIN,
    openmetrics::PLUGIN,
    cloudwatch::PLUGIN,
    grafana::PLUGIN,
    gcp::PLUGIN,
    azure_monitor::PLUGIN,
    datadog::PLUGIN,
    console::PLUGIN,
    new_relic::PLUGIN,
    counts::PLUGIN,
    levels::PLUGIN,
    #[cfg(feature = "tables")]
    parquet::PLUGIN,
    jsonl::PLUGIN,
    tsv::PLUGIN,
    csv::PLUGIN,
];

/// The format of a file, judged by its content.
pub fn recognise(input: &TraceInput, options: &TraceOptions) -> Option<&'static FormatPlugin> {
    FORMATS.iter().find(|plugin| (plugin.build.recognise)(input, options))
}

/// The complete lines at the beginning.
pub(in crate::workload) fn head_lines(input: &TraceInput, most: usize) -> impl Iterator<Item = &[u8]> {
    let whole = match memchr::memrchr(b'\n', &input.head) {
        Some(last) if !input.head_is_all => &input.head[..last],
        _ => &input.head[..],
    };
    whole.split(|c| *c == b'\n').map(|line| line.strip_suffix(b"\r").unwrap_or(line)).take(most)
}
