//! OpenCost's custom pricing: a CSV with a price per asset, and a JSON with a price per vCPU, gibibyte and GPU.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::list::{Listed, PriceList, Rates};
use super::table::{Row, Table};
use crate::catalog::price::PriceSource;
use crate::config::{Diagnostic, Diagnostics, Fields, SourceFile, Span, Yaml, parse_single, visible};
use crate::units::UsdPerHour;

/// The columns, all of which OpenCost needs (`configs/pricing_schema.csv`).
const COLUMNS: [&str; 8] = [
    "EndTimestamp",
    "InstanceID",
    "Region",
    "AssetClass",
    "InstanceIDField",
    "InstanceType",
    "MarketPriceHourly",
    "Version",
];

/// What rows of one type and region state: their sum, their number, and the newest date.
#[derive(Default)]
struct Class {
    nanos: u128,
    rows: u128,
    date: String,
}

/// Reads the CSV. Rows of class `node` with a type price that type: several rows of one type and region by their mean, as
/// OpenCost has it. Rows of single machines and of other classes price nothing that a scenario can name; a warning counts them.
pub(super) fn read_csv(table: &Table<'_>, file: &str, list: &mut PriceList, sink: &mut Diagnostics) {
    table.check_columns(&COLUMNS, sink);
    for column in ["AssetClass", "InstanceType", "MarketPriceHourly"] {
        if table.column(column).is_none() {
            sink.push(
                table.error(table.header[0].span, format!("a price list of OpenCost needs the column `{column}`")),
            );
            return;
        }
    }
    let mut classes: BTreeMap<(String, String), Class> = BTreeMap::new();
    let mut unused: BTreeMap<&str, u64> = BTreeMap::new();
    for cells in &table.rows {
        let row = Row { table, cells };
        let _ = row.cell("MarketPriceHourly").is_none().then(|| row.required("MarketPriceHourly", sink));
        let (class, name) = (row.text("AssetClass", sink), row.text("InstanceType", sink));
        let (price, date) = (row.price("MarketPriceHourly", sink), row.date("EndTimestamp", sink));
        let region = row.text("Region", sink);
        match class.as_str() {
            "pv" => *unused.entry("volumes").or_default() += 1,
            "gpu" => *unused.entry("GPUs without an instance type").or_default() += 1,
            "node" | "" if name.is_empty() => *unused.entry("single machines").or_default() += 1,
            "node" | "" => {
                let Some(price) = price else { continue };
                let class = classes.entry((name, region)).or_default();
                class.nanos += u128::from(price.as_nanos());
                class.rows += 1;
                class.date = std::mem::take(&mut class.date).max(date);
            }
            other => {
                let place = row.cell("AssetClass").map_or(cells[0].span, |cell| cell.span);
                let error = table.error(place, format!("no asset class `{}`", visible(other)));
                sink.push(error.help("there are `node`, `pv` and `gpu`"));
            }
        }
    }
    for ((name, region), class) in classes {
        let price = UsdPerHour::from_nanos(((class.nanos + class.rows / 2) / class.rows) as u64);
        list.offers.push(Listed {
            name,
            region: (!region.is_empty()).then_some(region),
            provider: None,
            size: None,
            price,
            spot: None,
            reserved: [None, None],
            source: PriceSource { date: class.date, source: file.to_string() },
        });
    }
    for (what, rows) in unused {
        sink.push(Diagnostic::warning(format!("{file}: prices of {what} are not used ({rows} lines)")));
    }
}

/// Reads the JSON (`configs/default.json`): numbers, often written as texts. Other fields are OpenCost's own and left alone.
pub(super) fn read_json(source: &Arc<SourceFile>, file: &str, list: &mut PriceList, sink: &mut Diagnostics) {
    let root = match parse_single(source) {
        Ok(root) => root,
        Err(diagnostic) => {
            sink.push(*diagnostic);
            return;
        }
    };
    let Some(fields) = Fields::open(&root, "a price list of OpenCost", sink) else { return };
    let [cpu, ram, gpu, spot_cpu, spot_ram] =
        ["CPU", "RAM", "GPU", "spotCPU", "spotRAM"].map(|name| fields.node_of(name).map(|node| dollars(node, sink)));
    for (name, rate) in [("CPU", cpu), ("RAM", ram)] {
        if rate.is_none() {
            let place = fields.entries().first().map_or(Span::default(), |(key, _)| key.span);
            let error = Diagnostic::error(format!("a price list of OpenCost needs `{name}`")).at(source, place);
            sink.push(error.help("write it as `\"CPU\": \"0.031611\", \"RAM\": \"0.004237\"`: dollars per hour"));
        }
    }
    let (Some(Some(cpu)), Some(Some(ram))) = (cpu, ram) else { return };
    let gpu = gpu.flatten().unwrap_or(UsdPerHour::ZERO);
    list.rates = Some(Rates {
        cpu,
        memory: ram,
        gpu,
        spot: spot_cpu.flatten().zip(spot_ram.flatten()),
        source: PriceSource { date: String::new(), source: file.to_string() },
    });
}

fn dollars(node: &Yaml, sink: &mut Diagnostics) -> Option<UsdPerHour> {
    let price = node.as_text().and_then(|text| text.trim().parse::<f64>().ok());
    let price = price.and_then(|dollars| UsdPerHour::from_f64(dollars).ok());
    if price.is_none() {
        let found = node.as_text().map_or_else(|| node.kind().to_string(), |text| format!("`{}`", visible(text)));
        sink.push(node.error(format!("expected dollars per hour such as `\"0.031611\"`, found {found}")));
    }
    price
}
