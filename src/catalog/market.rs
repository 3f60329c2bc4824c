//! Everything that has a price: all instance types by region, and what else providers charge for.
//!
//! The tables of `full/` are read when they are first asked for, in some 20 ms. A row that cannot be read is left out; a test
//! reads every row.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use serde::Deserialize;

use super::instance::{Allocatable, Gpu, InstanceType};
use super::price::{Billing, PriceSource, Provider, Purchase};
use crate::units::{Bytes, Millicores, UnitPrice, UsdPerHour};

static BUILTIN: LazyLock<Market> = LazyLock::new(Market::read);

const TABLES: [(Provider, &str); 3] = [
    (Provider::Aws, include_str!("full/aws.csv")),
    (Provider::Azure, include_str!("full/azure.csv")),
    (Provider::Gcp, include_str!("full/gcp.csv")),
];
const RESERVED: &str = include_str!("full/reserved.csv");
const PRICES: &str = include_str!("full/prices.csv");
const SOURCES: &str = include_str!("full/sources.csv");
/// Columns of an instance table before those of the regions.
const COLUMNS: usize = 15;
/// Pods on a node of AKS and GKE.
const PODS: u32 = 110;

/// The effective price of a commitment, and its source.
pub type Reserved = (UsdPerHour, Arc<PriceSource>);

/// An instance type in one region.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// The provider.
    pub provider: Provider,
    /// The region.
    pub region: Cow<'static, str>,
    /// The provider's name for it.
    pub name: Cow<'static, str>,
    /// Its size.
    pub size: Arc<Size>,
    /// On-demand list price.
    pub price: UsdPerHour,
    /// Whether the price is known to have changed elsewhere since.
    pub stale: bool,
    /// Spot price.
    pub spot: Option<Spot>,
    /// Effective price of a 1-year commitment; only price lists of the user state it.
    pub reserved_1y: Option<Reserved>,
    /// Effective price of a 3-year commitment that is paid upfront.
    pub reserved: Option<Reserved>,
    /// Source of the on-demand price.
    pub source: Arc<PriceSource>,
}

/// The size of an instance type, the same in every region.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Size {
    /// Virtual CPUs; `None` where no source says.
    pub cpu: Option<Millicores>,
    /// Memory.
    pub memory: Option<Bytes>,
    /// GPUs.
    pub gpu: Option<Gpu>,
    /// Other accelerators in words.
    pub accelerator: &'static str,
    /// `amd64` or `arm64`; empty if not known.
    pub arch: &'static str,
    /// Whether CPU is borrowed beyond a baseline.
    pub burstable: bool,
    /// What Kubernetes leaves for pods: measured on AWS, by the documented rules on AKS and GKE.
    pub allocatable: Option<Allocatable>,
    /// Source of the size in words.
    pub source: String,
}

/// A spot price.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The price.
    pub price: UsdPerHour,
    /// What it is: `list`, `derived`, or `derived from an old price`.
    pub kind: &'static str,
    /// How often it is interrupted in a month (`<5%`); empty if not known.
    pub interrupted: &'static str,
    /// Its source.
    pub source: Arc<PriceSource>,
}

/// The price of something that is not an instance.
#[derive(Debug, Clone, PartialEq)]
pub struct OtherPrice {
    /// The provider, by name: some have no instances here.
    pub provider: String,
    /// The region; `*` for all.
    pub region: String,
    /// The service: `lambda`, `egress`.
    pub service: String,
    /// What is charged for.
    pub meter: String,
    /// The tier, in words; empty if there is only one.
    pub tier: String,
    /// Dollars per unit, as written.
    pub usd: String,
    /// The unit, in words: `per GB-s`.
    pub unit: String,
    /// What else is to be known.
    pub note: String,
    /// Whether no source was found that can be cited.
    pub unverified: bool,
    /// Source of the price.
    pub source: PriceSource,
}

impl OtherPrice {
    /// The price of one unit; `None` if it is no amount.
    pub fn price(&self) -> Option<UnitPrice> {
        format!("${}", self.usd).parse().ok()
    }
}

/// All offers and prices.
#[derive(Debug)]
pub struct Market {
    /// By provider, name and region in the order of the tables.
    pub offers: Vec<Offer>,
    /// By provider, service, region and meter.
    pub prices: Vec<OtherPrice>,
}

impl Market {
    /// The built-in tables.
    pub fn builtin() -> &'static Market {
        &BUILTIN
    }

    /// The effective price of a commitment that is not paid upfront, by the average discount of its provider, which is no list
    /// price. `None` where there is no such average, and for other ways of purchase.
    pub fn discounted(&self, of: &InstanceType, purchase: Purchase) -> Option<(UsdPerHour, PriceSource)> {
        let meter = format!("{}yr_no_upfront", purchase.years());
        let found = self.prices.iter().find(|price| {
            price.provider == of.provider.name() && price.service == "discount" && price.meter == meter
        })?;
        let millionths = (found.usd.parse::<f64>().ok()? * 1e6).round();
        let left = 1_000_000 - (0.0..=1e6).contains(&millionths).then_some(millionths as u128)?;
        let nanos = (u128::from(of.price.as_nanos()) * left + 500_000) / 1_000_000;
        let source = format!("{}: a discount of {}, {}", found.source.source, found.usd, found.note);
        let source = PriceSource { date: found.source.date.clone(), source };
        Some((UsdPerHour::from_nanos(nanos.try_into().ok()?), source))
    }

    fn read() -> Market {
        let sources = read_sources();
        let reserved = read_reserved(&sources);
        let mut offers = Vec::new();
        for (provider, table) in TABLES {
            read_offers(provider, table, &sources, &reserved, &mut offers);
        }
        Market { offers, prices: read_prices(&sources) }
    }
}

/// Source by key.
type Sources = BTreeMap<&'static str, Arc<PriceSource>>;
/// Price by name and region.
type Commitments = BTreeMap<(&'static str, &'static str), Reserved>;

fn read_sources() -> Sources {
    let row = |line: &'static str| {
        let (key, rest) = line.split_once(',')?;
        let (date, source) = rest.split_once(',')?;
        let source = PriceSource { date: date.to_string(), source: source.trim_matches('"').to_string() };
        Some((key, Arc::new(source)))
    };
    SOURCES.lines().skip(1).filter_map(row).collect()
}

/// The source with this key; an empty one if there is none, which a test finds.
fn source_of(sources: &Sources, key: &str) -> Arc<PriceSource> {
    sources.get(key).cloned().unwrap_or_default()
}

fn read_reserved(sources: &Sources) -> Commitments {
    let mut lines = RESERVED.lines();
    let regions: Vec<&str> = lines.next().unwrap_or("").split(',').skip(1).collect();
    let of_regions: Vec<_> =
        regions.iter().map(|region| source_of(sources, &format!("reserved aws {region}"))).collect();
    let old = source_of(sources, "reserved old");
    let mut all = Commitments::new();
    for line in lines {
        let mut cells = line.split(',');
        let name = cells.next().unwrap_or("");
        for ((region, source), cell) in regions.iter().zip(&of_regions).zip(cells) {
            let source = if cell.ends_with('o') { &old } else { source };
            if let Some(price) = dollars(cell.trim_end_matches('o')) {
                all.insert((name, region), (price, Arc::clone(source)));
            }
        }
    }
    all
}

fn dollars(text: &str) -> Option<UsdPerHour> {
    UsdPerHour::from_f64(text.parse().ok()?).ok()
}

fn read_offers(
    provider: Provider,
    table: &'static str,
    sources: &Sources,
    reserved: &Commitments,
    offers: &mut Vec<Offer>,
) {
    let mut lines = table.lines();
    let regions: Vec<&str> = lines.next().unwrap_or("").split(',').skip(COLUMNS).collect();
    let of_regions: Vec<_> =
        regions.iter().map(|region| source_of(sources, &format!("instances {provider} {region}"))).collect();
    let listed = source_of(sources, if provider == Provider::Gcp { "spot gcp" } else { "spot list" });
    let spots = [listed, source_of(sources, "spot derived")];
    for line in lines {
        let cells: Vec<&'static str> = line.split(',').collect();
        if cells.len() != COLUMNS + regions.len() {
            continue;
        }
        let size = Arc::new(read_size(provider, &cells, sources));
        for ((region, source), cell) in regions.iter().zip(&of_regions).zip(&cells[COLUMNS..]) {
            let (cell, stale) = cell.strip_suffix('!').map_or((*cell, false), |cell| (cell, true));
            let (price, spot) = cell.split_once(':').map_or((cell, ""), |(price, spot)| (price, spot));
            let Some(price) = dollars(price) else { continue };
            offers.push(Offer {
                provider,
                region: Cow::Borrowed(*region),
                name: Cow::Borrowed(cells[0]),
                size: Arc::clone(&size),
                price,
                stale,
                spot: read_spot(spot, &spots),
                reserved_1y: None,
                reserved: reserved.get(&(cells[0], *region)).cloned().filter(|_| provider == Provider::Aws),
                source: Arc::clone(source),
            });
        }
    }
}

/// Reads a spot price; `sources` are those of list prices and of derived ones.
fn read_spot(cell: &str, sources: &[Arc<PriceSource>; 2]) -> Option<Spot> {
    let (price, rest) = cell.split_at_checked(cell.find(['l', 'd', 'q'])?)?;
    let kind = match rest.as_bytes().first()? {
        b'l' => "list",
        b'd' => "derived",
        _ => "derived from an old price",
    };
    let interrupted = match rest.as_bytes().get(1) {
        Some(b'a') => "<5%",
        Some(b'b') => "5-10%",
        Some(b'c') => "10-15%",
        Some(b'd') => "15-20%",
        Some(b'e') => ">20%",
        _ => "",
    };
    let source = Arc::clone(&sources[usize::from(kind != "list")]);
    Some(Spot { price: dollars(price)?, kind, interrupted, source })
}

/// The size in the first [`COLUMNS`] cells.
fn read_size(provider: Provider, cells: &[&'static str], sources: &Sources) -> Size {
    let number = |column: usize| cells[column].parse::<u64>().ok();
    let cpu = number(1).map(|cpus| Millicores::new(cpus * 1000));
    let memory = number(2).map(Bytes::from_mib);
    let gpu = number(3).map(|count| Gpu {
        count: count as u32,
        kind: cells[4].to_string(),
        memory: Bytes::from_mib(number(5).unwrap_or(0)),
    });
    let measured = || {
        let (cpu, memory) = (Millicores::new(number(11)?), Bytes::from_mib(number(12)?));
        Some(Allocatable { cpu, memory, pods: number(13)? as u32 })
    };
    let left = || left_for_pods(provider, cpu?, memory?);
    let source = match cells[14] {
        "n" => "derived from the name".to_string(),
        "c" => "derived from the size it is cut from".to_string(),
        "k" => "a known size".to_string(),
        "" if cpu.is_some() => "the source of the price".to_string(),
        "" => String::new(),
        number => {
            let key = format!("spec {provider} {number}");
            sources.get(key.as_str()).map_or_else(String::new, |known| format!("{} {}", known.source, known.date))
        }
    };
    Size {
        cpu,
        memory,
        gpu,
        accelerator: cells[6],
        arch: match cells[7] {
            "" => "amd64",
            "?" => "",
            arch => arch,
        },
        burstable: cells[10] == "b",
        allocatable: measured().or_else(left),
        source,
    }
}

/// What AKS and GKE leave for pods, by their documentation; AWS is measured.
///
/// AKS (1.29 and later) reserves CPU by a table and the smaller of 20 MB a pod plus 50 MB and a quarter of memory, GKE shares
/// that fall with the size; both keep 100 Mi from eviction. Reservations are rounded up.
pub(super) fn left_for_pods(provider: Provider, cpu: Millicores, memory: Bytes) -> Option<Allocatable> {
    const MIB: u64 = 1 << 20;
    let (millis, mib) = (cpu.get(), memory.get() / MIB);
    let (cpu_kept, memory_kept) = match provider {
        Provider::Aws | Provider::Custom => return None,
        Provider::Azure => (stepped(millis, &AKS_CPU), (20 * u64::from(PODS) + 50).min(mib / 4)),
        Provider::Gcp => (shares(millis, &GKE_CPU), shares(mib, &GKE_MEMORY)),
    };
    let cpu = millis.checked_sub(cpu_kept).filter(|left| *left > 0)?;
    let memory = mib.checked_sub(memory_kept + 100).filter(|left| *left > 0)?;
    Some(Allocatable { cpu: Millicores::new(cpu), memory: Bytes::from_mib(memory), pods: PODS })
}

/// AKS: millicores kept, by millicores of the node.
const AKS_CPU: [(u64, u64); 7] =
    [(1000, 60), (2000, 100), (4000, 140), (8000, 180), (16_000, 260), (32_000, 420), (64_000, 740)];
/// GKE: the first so many millicores are kept at this share, in ten-thousandths.
const GKE_CPU: [(u64, u64); 4] = [(1000, 600), (1000, 100), (2000, 50), (u64::MAX, 25)];
/// The same of mebibytes.
const GKE_MEMORY: [(u64, u64); 5] = [(4096, 2500), (4096, 2000), (8192, 1000), (114_688, 600), (u64::MAX, 200)];

/// Between the rows of a table in proportion, and beyond it with its last slope.
fn stepped(value: u64, table: &[(u64, u64)]) -> u64 {
    let next = table.iter().position(|(at, _)| *at >= value).unwrap_or(table.len() - 1).max(1);
    let ((x0, y0), (x1, y1)) = (table[next - 1], table[next]);
    if value <= x0 {
        return y0;
    }
    y0 + ((y1 - y0) * (value - x0)).div_ceil(x1 - x0)
}

fn shares(value: u64, table: &[(u64, u64)]) -> u64 {
    let (mut left, mut kept) = (value, 0);
    for (upper, share) in table {
        let part = left.min(*upper);
        kept += part * share;
        left -= part;
    }
    kept.div_ceil(10_000)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PriceRow {
    provider: String,
    region: String,
    service: String,
    meter: String,
    tier: String,
    usd: String,
    unit: String,
    note: String,
    flag: String,
    source: String,
}

fn read_prices(sources: &Sources) -> Vec<OtherPrice> {
    let price = |row: PriceRow| {
        let source = PriceSource::clone(&source_of(sources, &row.source));
        OtherPrice {
            provider: row.provider,
            region: row.region,
            service: row.service,
            meter: row.meter,
            tier: row.tier,
            usd: row.usd,
            unit: row.unit,
            note: row.note,
            unverified: row.flag == "u",
            source,
        }
    };
    let mut reader = csv::Reader::from_reader(PRICES.as_bytes());
    reader.deserialize::<PriceRow>().filter_map(Result::ok).map(price).collect()
}

impl Offer {
    /// The instance type that a scenario may name; `None` where its size is not known.
    pub fn instance(&self, billing: Billing) -> Option<InstanceType> {
        let size = &self.size;
        Some(InstanceType {
            provider: self.provider,
            region: self.region.to_string(),
            name: self.name.to_string(),
            cpu: size.cpu?,
            memory: size.memory?,
            gpu: size.gpu.clone(),
            allocatable: size.allocatable?,
            price: self.price,
            billing,
            price_source: PriceSource::clone(&self.source),
            spec_source: size.source.clone(),
            allocatable_source: match self.provider {
                Provider::Aws | Provider::Custom => size.source.clone(),
                Provider::Azure => "reservations documented for AKS, 110 pods".into(),
                Provider::Gcp => "reservations documented for GKE, 110 pods".into(),
            },
        })
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any text. Letters are compared without case.
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.to_lowercase(), text.to_lowercase());
    let parts: Vec<&str> = pattern.split('*').collect();
    let [first, middle @ .., last] = &parts[..] else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(first) else { return false };
    for part in middle {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
    }
    rest.ends_with(last)
}

#[cfg(test)]
mod tests;
