//! `plimsoll catalog`: what providers charge, by size, region and price.

use clap::{Args, ValueEnum};

use std::borrow::Cow;
use std::path::PathBuf;
use std::time::{SystemTime, UNIX_EPOCH};

use super::failure::Failure;
use super::output::say;
use crate::catalog::{Market, Offer, OtherPrice, PriceList, Provider, is_date, is_stale, matches};
use crate::config::{Diagnostics, advice, csv_cell};
use crate::report::results::{
    CatalogOfferResult, CatalogPriceResult, CatalogResults, RESULTS_VERSION, Results, results_text,
};
use crate::units::{Bytes, Millicores};

/// Rows of the table if `--limit` is not given.
const SHOWN: usize = 20;

/// Arguments of `catalog`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll catalog --cpu 8 --memory 32Gi --region 'eu-*' --sort price\n  plimsoll catalog 'm7*' --region us-east-1\n  plimsoll catalog --gpu l4 --sort spot --format csv\n  plimsoll catalog --service lambda --region eu-west-1"
)]
pub(super) struct CatalogArguments {
    /// Name of an instance type; `*` stands for any text.
    name: Option<String>,
    /// Least CPU of an instance.
    #[arg(long, value_name = "CPU")]
    cpu: Option<Millicores>,
    /// Least memory of an instance.
    #[arg(long, value_name = "SIZE")]
    memory: Option<Bytes>,
    /// GPU model, such as `l4`; `any` for any.
    #[arg(long, value_name = "MODEL")]
    gpu: Option<String>,
    /// Region; `*` stands for any text.
    #[arg(long, value_name = "REGION")]
    region: Option<String>,
    /// Provider.
    #[arg(long, value_name = "NAME")]
    provider: Option<String>,
    /// Prices of something else than instances, such as `lambda`, `fargate` or `egress`; `*` stands for any text.
    #[arg(long, value_name = "SERVICE", conflicts_with_all = ["name", "cpu", "memory", "gpu", "sort"])]
    service: Option<String>,
    /// Price list that goes over the catalogue; may be repeated. Plimsoll's own columns, OpenCost's CSV or JSON, SkyPilot's CSV.
    #[arg(long, value_name = "FILE", conflicts_with = "service")]
    prices: Vec<PathBuf>,
    /// Prices more than a year older than this date are marked; today's by default.
    #[arg(long, value_name = "YYYY-MM-DD")]
    today: Option<String>,
    /// Order of the instances.
    #[arg(long, value_enum, default_value_t = Order::Name)]
    sort: Order,
    /// Most rows; 20 in a table, otherwise all.
    #[arg(long, value_name = "ROWS")]
    limit: Option<usize>,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Order {
    Name,
    Price,
    Spot,
    Cpu,
    Memory,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Table,
    Json,
    Csv,
}

impl CatalogArguments {
    fn takes(&self, offer: &Offer) -> bool {
        let size = &offer.size;
        let enough_cpu = self.cpu.is_none_or(|least| size.cpu.is_some_and(|cpu| cpu >= least));
        let enough_memory = self.memory.is_none_or(|least| size.memory.is_some_and(|memory| memory >= least));
        let gpu = self
            .gpu
            .as_deref()
            .is_none_or(|model| size.gpu.as_ref().is_some_and(|gpu| model == "any" || matches(model, &gpu.kind)));
        enough_cpu
            && enough_memory
            && gpu
            && self.name.as_deref().is_none_or(|name| matches(name, &offer.name))
            && self.is_there(offer.provider.name(), &offer.region)
    }

    fn is_there(&self, provider: &str, region: &str) -> bool {
        self.region.as_deref().is_none_or(|pattern| region == "*" || matches(pattern, region))
            && self.provider.as_deref().is_none_or(|name| matches(name, provider))
    }

    /// The day that ages are counted to.
    fn day(&self) -> Result<String, Failure> {
        match &self.today {
            Some(day) if is_date(day) => Ok(day.clone()),
            Some(day) => Err(Failure::input(format!("`{day}` is not a date such as 2026-12-01"))),
            None => Ok(clock()),
        }
    }

    fn limit(&self) -> usize {
        self.limit.unwrap_or(if self.format == Format::Table { SHOWN } else { usize::MAX })
    }
}

/// The offers of the catalogue, with the price lists over them.
fn offers(arguments: &CatalogArguments) -> Result<Cow<'static, [Offer]>, Failure> {
    let market = Market::builtin();
    if arguments.prices.is_empty() {
        return Ok(Cow::Borrowed(&market.offers));
    }
    let (mut list, mut said) = (PriceList::default(), Diagnostics::new());
    arguments.prices.iter().for_each(|path| list.read(path, &mut said));
    if said.has_errors() {
        return Err(Failure::diagnostics(&said));
    }
    if !said.is_empty() {
        eprintln!("{}", said.render(false));
    }
    Ok(Cow::Owned(list.over(market)))
}

/// Offers that fit, in the order asked for; equal ones by provider, name and region.
fn found<'a>(arguments: &CatalogArguments, offers: &'a [Offer]) -> Vec<&'a Offer> {
    let mut offers: Vec<&Offer> = offers.iter().filter(|offer| arguments.takes(offer)).collect();
    match arguments.sort {
        Order::Name => {}
        Order::Price => offers.sort_by_key(|offer| offer.price),
        Order::Spot => {
            offers.retain(|offer| offer.spot.is_some());
            offers.sort_by_key(|offer| offer.spot.as_ref().map(|spot| spot.price));
        }
        Order::Cpu => offers.sort_by_key(|offer| offer.size.cpu),
        Order::Memory => offers.sort_by_key(|offer| offer.size.memory),
    }
    offers
}

pub(super) fn catalog(arguments: &CatalogArguments) -> Result<(), Failure> {
    let offers = offers(arguments)?;
    let custom = offers.iter().any(|offer| offer.provider == Provider::Custom).then_some("custom");
    if let Some(provider) = &arguments.provider
        && !["aws", "azure", "gcp", "oci"].iter().copied().chain(custom).any(|known| matches(provider, known))
    {
        let known = ["aws", "azure", "gcp"].into_iter().chain(custom).collect::<Vec<_>>().join(", ");
        return Err(Failure::input(format!("no provider `{provider}`; there are {known}")));
    }
    if let Some(region) = &arguments.region {
        known_region(region, &offers)?;
    }
    if let Some(gpu) = &arguments.gpu {
        known_gpu(gpu, &offers)?;
    }
    match &arguments.service {
        Some(service) => prices(arguments, service),
        None => instances(arguments, &offers),
    }
}

/// Reports a region that nothing has a price in.
fn known_region(pattern: &str, offers: &[Offer]) -> Result<(), Failure> {
    let market = Market::builtin();
    let regions = offers.iter().map(|offer| offer.region.as_ref());
    let regions: std::collections::BTreeSet<&str> =
        regions.chain(market.prices.iter().map(|price| price.region.as_str())).collect();
    if regions.iter().any(|region| matches(pattern, region)) {
        return Ok(());
    }
    let help = advice(pattern, regions.iter().copied(), "`*` stands for any text: `eu-*`");
    Err(Failure::input(format!("nothing has a price in region `{pattern}`; {help}")))
}

/// Reports a GPU that no type has.
fn known_gpu(pattern: &str, offers: &[Offer]) -> Result<(), Failure> {
    let kinds = offers.iter().filter_map(|offer| offer.size.gpu.as_ref());
    let kinds: std::collections::BTreeSet<&str> = kinds.map(|gpu| gpu.kind.as_str()).collect();
    if pattern == "any" || kinds.iter().any(|kind| matches(pattern, kind)) {
        return Ok(());
    }
    let known = kinds.iter().copied().collect::<Vec<_>>().join(", ");
    let help = advice(pattern, kinds.iter().copied(), &format!("there are {known}, and `any`"));
    Err(Failure::input(format!("no instance has the GPU `{pattern}`; {help}")))
}

/// The date by the clock, in UTC.
fn clock() -> String {
    let passed = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() / 86_400;
    let (mut year, mut days) = (1970, passed);
    let leap = |year: u64| year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    while days >= 365 + u64::from(leap(year)) {
        days -= 365 + u64::from(leap(year));
        year += 1;
    }
    let lengths = [31, 28 + u64::from(leap(year)), 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];
    let mut month = 0;
    while days >= lengths[month] {
        days -= lengths[month];
        month += 1;
    }
    format!("{year:04}-{:02}-{:02}", month + 1, days + 1)
}

/// What else is to be known of an offer on the day `today`.
fn note(offer: &Offer, today: &str) -> String {
    let mut notes = Vec::new();
    if is_stale(&offer.source.date, today) {
        notes.push("over a year old".to_string());
    }
    if offer.stale {
        notes.push("stale: changed elsewhere since".to_string());
    }
    if let Some(spot) = offer.spot.as_ref().filter(|spot| spot.kind != "list") {
        notes.push(format!("spot {}", spot.kind));
    }
    if offer.size.burstable {
        notes.push("burstable".into());
    }
    if !offer.size.accelerator.is_empty() {
        notes.push(offer.size.accelerator.into());
    }
    notes.join(", ")
}

fn gpu(offer: &Offer) -> String {
    offer.size.gpu.as_ref().map_or_else(String::new, |gpu| format!("{} {}", gpu.count, gpu.kind))
}

const COLUMNS: [&str; 11] =
    ["provider", "region", "name", "cpu", "memory", "gpu", "price", "spot", "reserved", "price date", "note"];

fn cells(offer: &Offer, today: &str) -> [String; 11] {
    let or_empty = |text: Option<String>| text.unwrap_or_default();
    [
        offer.provider.name().to_string(),
        offer.region.to_string(),
        offer.name.to_string(),
        or_empty(offer.size.cpu.map(|cpu| cpu.to_string())),
        or_empty(offer.size.memory.map(|memory| memory.to_string())),
        gpu(offer),
        offer.price.to_string(),
        or_empty(offer.spot.as_ref().map(|spot| spot.price.to_string())),
        or_empty(offer.reserved.as_ref().map(|(price, _)| price.to_string())),
        offer.source.date.clone(),
        note(offer, today),
    ]
}

fn instances(arguments: &CatalogArguments, offers: &[Offer]) -> Result<(), Failure> {
    let (offers, today) = (found(arguments, offers), arguments.day()?);
    let shown = offers.iter().take(arguments.limit());
    match arguments.format {
        Format::Json => {
            let offers = shown.map(|offer| offer_result(offer, &today)).collect();
            let results = CatalogResults { version: RESULTS_VERSION, offers, prices: Vec::new() };
            say(&results_text(&Results::Catalog(results)))
        }
        Format::Csv => say(&csv(&COLUMNS, shown.map(|offer| cells(offer, &today).to_vec()))),
        Format::Table => {
            let rows: Vec<Vec<String>> = shown.map(|offer| cells(offer, &today).to_vec()).collect();
            say(&(table(&COLUMNS, &rows) + &more(rows.len(), offers.len())))
        }
    }
}

fn prices(arguments: &CatalogArguments, service: &str) -> Result<(), Failure> {
    let market = Market::builtin();
    let takes =
        |price: &&OtherPrice| matches(service, &price.service) && arguments.is_there(&price.provider, &price.region);
    let found: Vec<&OtherPrice> = market.prices.iter().filter(takes).collect();
    if !market.prices.iter().any(|price| matches(service, &price.service)) {
        let known: std::collections::BTreeSet<&str> =
            market.prices.iter().map(|price| price.service.as_str()).collect();
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        return Err(Failure::input(format!("no service `{service}`; there are {known}")));
    }
    let today = arguments.day()?;
    let columns = ["provider", "region", "service", "meter", "tier", "usd", "unit", "price date", "note"];
    let cells = |price: &OtherPrice| {
        let unverified = if price.unverified { "unverified" } else { "" };
        let old = if is_stale(&price.source.date, &today) { "over a year old" } else { "" };
        let note = [unverified, old, &price.note]
            .iter()
            .filter(|part| !part.is_empty())
            .copied()
            .collect::<Vec<_>>()
            .join("; ");
        let texts =
            [&price.provider, &price.region, &price.service, &price.meter, &price.tier, &price.usd, &price.unit];
        let mut row: Vec<String> = texts.into_iter().cloned().collect();
        row.extend([price.source.date.clone(), note]);
        row
    };
    let shown = found.iter().take(arguments.limit());
    match arguments.format {
        Format::Json => {
            let prices = shown.map(|price| price_result(price)).collect();
            let results = CatalogResults { version: RESULTS_VERSION, offers: Vec::new(), prices };
            say(&results_text(&Results::Catalog(results)))
        }
        Format::Csv => say(&csv(&columns, shown.map(|price| cells(price)))),
        Format::Table => {
            let rows: Vec<Vec<String>> = shown.map(|price| cells(price)).collect();
            say(&(table(&columns, &rows) + &more(rows.len(), found.len())))
        }
    }
}

fn more(shown: usize, all: usize) -> String {
    match all - shown {
        0 if all == 0 => "nothing fits\n".into(),
        0 => String::new(),
        more => format!("{more} more; see them with --limit {all}\n"),
    }
}

/// Columns as wide as their longest cell.
fn table(columns: &[&str], rows: &[Vec<String>]) -> String {
    let header: Vec<String> = columns.iter().map(ToString::to_string).collect();
    let width = |column: usize| {
        let cells = rows.iter().chain([&header]).map(|row| row[column].chars().count());
        cells.max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns.len()).map(width).collect();
    let mut text = String::new();
    for row in [&header].into_iter().chain(rows) {
        let line: Vec<String> = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(line.join("  ").trim_end());
        text.push('\n');
    }
    text
}

fn csv(columns: &[&str], rows: impl Iterator<Item = Vec<String>>) -> String {
    let mut text = columns.iter().map(|name| name.replace(' ', "_")).collect::<Vec<_>>().join(",") + "\n";
    for row in rows {
        text += &(row.iter().map(|text| csv_cell(text)).collect::<Vec<_>>().join(",") + "\n");
    }
    text
}

fn offer_result(offer: &Offer, today: &str) -> CatalogOfferResult {
    let size = &offer.size;
    CatalogOfferResult {
        provider: offer.provider.name().to_string(),
        region: offer.region.to_string(),
        name: offer.name.to_string(),
        cpu_cores: size.cpu.map(Millicores::as_cores),
        memory_bytes: size.memory.map(Bytes::get),
        gpus: size.gpu.as_ref().map_or(0, |gpu| gpu.count),
        gpu: size.gpu.as_ref().map(|gpu| gpu.kind.clone()),
        architecture: (!size.arch.is_empty()).then(|| size.arch.to_string()),
        allocatable_cpu_cores: size.allocatable.map(|left| left.cpu.as_cores()),
        allocatable_memory_bytes: size.allocatable.map(|left| left.memory.get()),
        price_usd_per_hour: offer.price.into(),
        stale: offer.stale || is_stale(&offer.source.date, today),
        spot_usd_per_hour: offer.spot.as_ref().map(|spot| spot.price.into()),
        spot_kind: offer.spot.as_ref().map(|spot| spot.kind.to_string()),
        spot_interrupted: offer.spot.as_ref().map(|spot| spot.interrupted.to_string()).filter(|text| !text.is_empty()),
        reserved_usd_per_hour: offer.reserved.as_ref().map(|(price, _)| (*price).into()),
        price_date: offer.source.date.clone(),
        price_source: offer.source.source.clone(),
        size_source: size.source.clone(),
    }
}

fn price_result(price: &OtherPrice) -> CatalogPriceResult {
    CatalogPriceResult {
        provider: price.provider.clone(),
        region: price.region.clone(),
        service: price.service.clone(),
        meter: price.meter.clone(),
        tier: price.tier.clone(),
        usd: price.usd.clone(),
        unit: price.unit.clone(),
        note: price.note.clone(),
        unverified: price.unverified,
        price_date: price.source.date.clone(),
        price_source: price.source.source.clone(),
    }
}
