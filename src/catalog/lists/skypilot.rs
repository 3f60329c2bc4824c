//! SkyPilot's catalogue (`vms.csv`): a line per instance type, region and zone, with size and prices.

use std::collections::BTreeMap;
use std::path::Path;

use super::list::{Listed, ListedSize, PriceList};
use super::table::{Row, Table};
use crate::catalog::instance::Gpu;
use crate::catalog::price::{PriceSource, Provider};
use crate::config::Diagnostics;
use crate::units::{Bytes, UsdPerHour};

/// The columns that are needed. There may be others.
const NEEDED: [&str; 5] = ["InstanceType", "vCPUs", "MemoryGiB", "Price", "Region"];

/// Reads the file. A type's zones have one price here: the lowest, as SkyPilot takes it. Lines without a type (accelerators to be
/// attached) or without an on-demand price are left out.
pub(super) fn read(table: &Table<'_>, file: &str, list: &mut PriceList, sink: &mut Diagnostics) {
    for column in NEEDED {
        if table.column(column).is_none() {
            let message = format!("a catalogue of SkyPilot needs the column `{column}`");
            sink.push(table.error(table.header[0].span, message));
            return;
        }
    }
    let provider = provider_of(table.source.name());
    let mut found: BTreeMap<(String, String), Listed> = BTreeMap::new();
    for cells in &table.rows {
        let row = Row { table, cells };
        let (name, region) = (row.text("InstanceType", sink), row.text("Region", sink));
        let (price, spot) = (row.price("Price", sink), row.price("SpotPrice", sink));
        let size = size(&row, file, sink);
        let Some(price) = price.filter(|_| !name.is_empty()) else { continue };
        let entry = found.entry((name.clone(), region.clone())).or_insert_with(|| Listed {
            name,
            region: (!region.is_empty()).then_some(region),
            provider,
            size,
            price,
            spot,
            reserved: [None, None],
            source: PriceSource { date: String::new(), source: file.to_string() },
        });
        entry.price = entry.price.min(price);
        entry.spot = lower(entry.spot, spot);
    }
    list.offers.extend(found.into_values());
}

fn lower(a: Option<UsdPerHour>, b: Option<UsdPerHour>) -> Option<UsdPerHour> {
    [a, b].into_iter().flatten().min()
}

fn size(row: &Row<'_>, file: &str, sink: &mut Diagnostics) -> Option<ListedSize> {
    let (cpu, memory) = (row.cpu("vCPUs", sink), row.memory("MemoryGiB", 1024.0, sink));
    let kind = row.text("AcceleratorName", sink).to_lowercase();
    let count = row.number("AcceleratorCount", 1000.0, sink);
    // A share of an accelerator is none that Kubernetes could hand out whole.
    let count = count.filter(|count| count.fract() == 0.0 && *count > 0.0 && !kind.is_empty());
    let info = row.cell("GpuInfo").or(row.cell("GPUInfo")).map_or("", |cell| cell.text.as_str());
    let gpu = count.map(|count| Gpu { count: count as u32, kind, memory: Bytes::from_mib(gpu_mib(info)) });
    Some(ListedSize {
        cpu: cpu?,
        memory: memory?,
        gpu,
        allocatable: None,
        source: file.to_string(),
        allocatable_source: String::new(),
    })
}

/// The first `SizeInMiB` of a description of GPUs, which is Python's or JSON's; 0 if it has none.
fn gpu_mib(info: &str) -> u64 {
    let Some((_, rest)) = info.split_once("SizeInMiB") else { return 0 };
    let digits: String = rest.chars().skip_while(|c| !c.is_ascii_digit()).take_while(char::is_ascii_digit).collect();
    digits.parse::<u32>().map_or(0, u64::from)
}

/// The provider, which stands in the path (`aws/vms.csv`, `aws.csv`).
fn provider_of(path: &str) -> Option<Provider> {
    let path = Path::new(path);
    let names = [path.file_stem(), path.parent().and_then(Path::file_name)];
    let names = names.map(|name| name.map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default());
    Provider::ALL.into_iter().find(|provider| names.iter().any(|name| name == provider.name()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_provider_stands_in_the_path() {
        assert_eq!(provider_of("catalogs/v8/aws/vms.csv"), Some(Provider::Aws));
        assert_eq!(provider_of("gcp.csv"), Some(Provider::Gcp));
        assert_eq!(provider_of("lambda/vms.csv"), None);
    }

    #[test]
    fn memory_of_gpus_is_found_in_either_notation() {
        assert_eq!(gpu_mib("{'Gpus': [{'Name': 'V100', 'MemoryInfo': {'SizeInMiB': 16384}}]}"), 16_384);
        assert_eq!(gpu_mib("{\"SizeInMiB\":81920}"), 81_920);
        assert_eq!(gpu_mib("SizeInMiB: 99999999999999"), 0);
        assert_eq!(gpu_mib(""), 0);
    }
}
