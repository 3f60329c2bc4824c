//! `plimsoll list`.

use clap::{Args, ValueEnum};

use super::failure::Failure;
use super::output::say;
use crate::catalog::{Catalog, KUBERNETES_OVERHEAD};
use crate::cluster::{DISPATCHERS, PLACEMENTS};
use crate::config::Plugin;
use crate::forecast::FORECASTERS;
use crate::platform::PLATFORMS;
use crate::policy::{MEASURES, MeasureSpec, NODE_POLICIES, POLICIES, exported_metrics};
use crate::report::REPORTERS;
use crate::report::results::{EntryResult, ListResults, RESULTS_VERSION, Results, results_text};
use crate::serving::SERVICE_MODELS;
use crate::workload::{FORMATS, GENERATORS, TRANSFORMS};

/// Arguments of `list`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  plimsoll list policies\n  plimsoll list instances --format json")]
pub(super) struct ListArguments {
    /// What to list; the kinds themselves if left out.
    #[arg(value_enum)]
    kind: Option<Kind>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = ListFormat::Table)]
    format: ListFormat,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    Policies,
    NodePolicies,
    Measures,
    Forecasters,
    Platforms,
    Dispatchers,
    ServiceModels,
    Placements,
    Formats,
    Generators,
    Transforms,
    Reporters,
    Instances,
    Containers,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum ListFormat {
    Table,
    Json,
}

/// Name, summary, source.
type Row = [String; 3];

fn plugins<B: 'static>(list: &[Plugin<B>]) -> Vec<Row> {
    list.iter().map(|plugin| [plugin.name, plugin.summary, plugin.source].map(str::to_string)).collect()
}

fn rows(kind: Kind) -> Vec<Row> {
    match kind {
        Kind::Policies => plugins(POLICIES),
        Kind::NodePolicies => plugins(NODE_POLICIES),
        Kind::Measures => measures(),
        Kind::Forecasters => plugins(FORECASTERS),
        Kind::Platforms => plugins(PLATFORMS),
        Kind::Dispatchers => plugins(DISPATCHERS),
        Kind::ServiceModels => plugins(SERVICE_MODELS),
        Kind::Placements => plugins(PLACEMENTS),
        Kind::Formats => plugins(FORMATS),
        Kind::Generators => plugins(GENERATORS),
        Kind::Transforms => plugins(TRANSFORMS),
        Kind::Reporters => plugins(REPORTERS),
        Kind::Instances => instances(),
        Kind::Containers => containers(),
    }
}

fn instances() -> Vec<Row> {
    let describe = |i: &crate::catalog::InstanceType| {
        let gpu = i.gpu.as_ref().map(|gpu| format!(", {} {}", gpu.count, gpu.kind)).unwrap_or_default();
        let summary = format!("{}: {} CPU, {}{gpu}, {}", i.region, i.cpu, i.memory, i.price);
        [i.name.clone(), summary, sourced(&i.price_source)]
    };
    Catalog::builtin().instances().iter().map(describe).collect()
}

fn containers() -> Vec<Row> {
    let describe = |offer: &crate::catalog::ContainerOffer| {
        let (cpu, memory) = (offer.price_per_vcpu, offer.price_per_gib);
        let summary = format!(
            "{}: {cpu} per vCPU and {memory} per GiB, in fixed sizes that hold a pod and the {KUBERNETES_OVERHEAD} that EKS adds to it",
            offer.region
        );
        [offer.name.clone(), summary, sourced(&offer.price_source)]
    };
    Catalog::builtin().containers().iter().map(describe).collect()
}

/// The measures, and the names under which known servers export them.
fn measures() -> Vec<Row> {
    let row = |measure: &MeasureSpec| {
        let names = exported_metrics()
            .iter()
            .filter(|metric| metric.measure().is_some_and(|named| named.name() == measure.name))
            .map(|metric| metric.name.as_str());
        let names: Vec<&str> = names.collect();
        let also = if names.is_empty() { "no other name".into() } else { format!("also {}", names.join(", ")) };
        [measure.name.to_string(), measure.doc(), also]
    };
    MEASURES.iter().map(row).collect()
}

fn sourced(price: &crate::catalog::PriceSource) -> String {
    format!("price of {}: {}", price.date, price.source)
}

pub(super) fn list(arguments: &ListArguments) -> Result<(), Failure> {
    let Some(kind) = arguments.kind else {
        let kinds = Kind::value_variants().iter().filter_map(ValueEnum::to_possible_value);
        let names: Vec<String> = kinds.map(|value| value.get_name().to_string()).collect();
        if arguments.format == ListFormat::Json {
            let entries = Kind::value_variants().iter().zip(&names).map(|(kind, name)| EntryResult {
                name: name.clone(),
                summary: format!("{} entries", rows(*kind).len()),
                source: format!("plimsoll list {name}"),
            });
            let (kind, entries) = ("kinds".into(), entries.collect());
            return say(&results_text(&Results::List(ListResults { version: RESULTS_VERSION, kind, entries })));
        }
        return say(&format!("plimsoll list KIND, where KIND is one of:\n  {}", names.join("\n  ")));
    };
    let rows = rows(kind);
    if arguments.format == ListFormat::Json {
        let entry = |[name, summary, source]: Row| EntryResult { name, summary, source };
        let kind = kind.to_possible_value().map(|value| value.get_name().to_string()).unwrap_or_default();
        let entries = rows.into_iter().map(entry).collect();
        return say(&results_text(&Results::List(ListResults { version: RESULTS_VERSION, kind, entries })));
    }
    let width = rows.iter().map(|[name, ..]| name.chars().count()).max().unwrap_or(0);
    let mut text = String::new();
    for [name, summary, source] in &rows {
        text.push_str(&format!("{name:width$}  {summary}\n{:width$}  ({source})\n", ""));
    }
    say(&text)
}
