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
pub(crate) mod plugin;
mod prometheus;
mod s3;
mod servegen;
mod swf;
mod traefik;
mod tsv;
mod vm_usage;
mod w3c;

pub use plugin::{FormatBuilder, FormatOpener, FormatPlugin};

use super::open::TraceInput;
use super::options::TraceOptions;

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
