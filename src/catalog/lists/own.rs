//! Plimsoll's own form: the columns of the built-in tables.

use super::list::{Listed, ListedSize, PriceList};
use super::table::{Row, Table};
use crate::catalog::container::ContainerOffer;
use crate::catalog::instance::{Allocatable, Gpu};
use crate::catalog::lookup::Catalog;
use crate::catalog::price::{PriceSource, Provider};
use crate::config::{Diagnostics, advice};
use crate::units::Bytes;

/// Columns of instance types: those of `instances.csv`, and prices of other ways of purchase.
const INSTANCES: [&str; 19] = [
    "provider",
    "region",
    "name",
    "vcpu",
    "memory_mib",
    "gpus",
    "gpu_kind",
    "gpu_memory_mib",
    "allocatable_cpu_m",
    "allocatable_memory_mib",
    "max_pods",
    "usd_per_h",
    "spot_usd_per_h",
    "reserved_1y_usd_per_h",
    "reserved_3y_usd_per_h",
    "price_date",
    "price_source",
    "spec_source",
    "allocatable_source",
];
/// Those of what is left for pods.
const ALLOCATABLE: [&str; 3] = ["allocatable_cpu_m", "allocatable_memory_mib", "max_pods"];
/// Columns of container offers: those of `containers.csv`.
const CONTAINERS: [&str; 7] =
    ["offer", "provider", "region", "usd_per_vcpu_h", "usd_per_gib_h", "price_date", "price_source"];

/// Reads instance types. Only `name` and `usd_per_h` are needed where the catalogue knows the type.
pub(super) fn read_instances(table: &Table<'_>, file: &str, list: &mut PriceList, sink: &mut Diagnostics) {
    table.check_columns(&INSTANCES, sink);
    for cells in &table.rows {
        let row = Row { table, cells };
        let (name, region) = (row.required("name", sink), row.text("region", sink));
        let (size, provider) = (size(&row, sink), provider(&row, sink));
        let [price, spot, year, three] =
            ["usd_per_h", "spot_usd_per_h", "reserved_1y_usd_per_h", "reserved_3y_usd_per_h"]
                .map(|column| row.price(column, sink));
        if row.cell("usd_per_h").is_none() {
            let _ = row.required("usd_per_h", sink);
        }
        let source = source(&row, file, sink);
        let (Some(name), Some(price)) = (name, price) else { continue };
        list.offers.push(Listed {
            name,
            region: (!region.is_empty()).then_some(region),
            provider,
            size,
            price,
            spot,
            reserved: [year, three],
            source,
        });
    }
}

/// Reads the prices of container offers that the catalogue has; their sizes are the catalogue's.
pub(super) fn read_containers(table: &Table<'_>, file: &str, list: &mut PriceList, sink: &mut Diagnostics) {
    table.check_columns(&CONTAINERS, sink);
    for cells in &table.rows {
        let row = Row { table, cells };
        let (offer, region) = (row.required("offer", sink), row.text("region", sink));
        let [cpu, memory] = ["usd_per_vcpu_h", "usd_per_gib_h"].map(|column| {
            let _ = row.cell(column).is_none().then(|| row.required(column, sink));
            row.price(column, sink)
        });
        let source = source(&row, file, sink);
        provider(&row, sink);
        let (Some(offer), Some(cpu), Some(memory)) = (offer, cpu, memory) else { continue };
        let known = Catalog::builtin().containers();
        let Some(base) = known.iter().find(|known| known.name == offer) else {
            let place = row.cell("offer").map_or(cells[0].span, |cell| cell.span);
            let error =
                table.error(place, format!("the catalogue has no container offer `{offer}`, whose sizes are needed"));
            let names: Vec<&str> = known.iter().map(|known| known.name.as_str()).collect();
            sink.push(error.help(advice(&offer, names.iter().copied(), &format!("there is {}", names.join(", ")))));
            continue;
        };
        let region = if region.is_empty() { base.region.clone() } else { region };
        let priced =
            ContainerOffer { price_per_vcpu: cpu, price_per_gib: memory, region, price_source: source, ..base.clone() };
        list.containers.push(priced);
    }
}

fn source(row: &Row<'_>, file: &str, sink: &mut Diagnostics) -> PriceSource {
    let stated = row.text("price_source", sink);
    let source = if stated.is_empty() { file.to_string() } else { format!("{file}: {stated}") };
    PriceSource { date: row.date("price_date", sink), source }
}

fn provider(row: &Row<'_>, sink: &mut Diagnostics) -> Option<Provider> {
    let cell = row.cell("provider")?;
    let found = Provider::ALL.into_iter().find(|provider| provider.name() == cell.text);
    if found.is_none() {
        let names = Provider::ALL.map(Provider::name);
        let error = row.table.error(cell.span, format!("no provider `{}`", crate::config::visible(&cell.text)));
        sink.push(error.help(advice(&cell.text, names, &format!("there are {}", names.join(", ")))));
    }
    found
}

/// The size, if any of it is stated.
fn size(row: &Row<'_>, sink: &mut Diagnostics) -> Option<ListedSize> {
    let (cpu, memory) = (row.cpu("vcpu", sink), row.memory("memory_mib", 1.0, sink));
    let gpus = row.count("gpus", 1000, sink).unwrap_or(0);
    let (kind, gpu_memory) = (row.text("gpu_kind", sink), row.memory("gpu_memory_mib", 1.0, sink));
    let left = (
        row.count("allocatable_cpu_m", 1_000_000_000, sink),
        row.memory("allocatable_memory_mib", 1.0, sink),
        row.count("max_pods", 10_000, sink),
    );
    let [spec_source, allocatable_source] = ["spec_source", "allocatable_source"].map(|column| row.text(column, sink));
    let allocatable = match left {
        (Some(cpu), Some(memory), Some(pods)) => {
            Some(Allocatable { cpu: crate::units::Millicores::new(cpu.into()), memory, pods })
        }
        (None, None, None) => None,
        _ if ALLOCATABLE.iter().all(|column| row.cell(column).is_some()) => None,
        _ => {
            let message = "`allocatable_cpu_m`, `allocatable_memory_mib` and `max_pods` belong together";
            sink.push(row.table.error(row.cells[0].span, message));
            None
        }
    };
    match (cpu, memory) {
        (Some(cpu), Some(memory)) => {
            if let Some(left) = allocatable.filter(|left| left.cpu > cpu || left.memory > memory) {
                let message = format!("{} and {} cannot be left for pods of {cpu} and {memory}", left.cpu, left.memory);
                sink.push(row.table.error(row.cells[0].span, message));
                return None;
            }
            let memory_of = gpu_memory.unwrap_or(Bytes::ZERO);
            let gpu = (gpus > 0).then(|| Gpu { count: gpus, kind: kind.to_lowercase(), memory: memory_of });
            Some(ListedSize { cpu, memory, gpu, allocatable, source: spec_source, allocatable_source })
        }
        (None, None) => None,
        _ if row.cell("vcpu").is_some() && row.cell("memory_mib").is_some() => None,
        _ => {
            sink.push(row.table.error(row.cells[0].span, "`vcpu` and `memory_mib` belong together"));
            None
        }
    }
}
