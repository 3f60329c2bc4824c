//! The catalogue: tables with lookup by name and region.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::LazyLock;

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::container::ContainerOffer;
use super::instance::{Allocatable, Gpu, InstanceType};
use super::market::Market;
use super::price::{Billing, PriceSource, Provider};
use crate::config::{advice, did_you_mean};
use crate::units::{Bytes, Millicores, SimDuration, UsdPerHour};

static BUILTIN: LazyLock<Catalog> = LazyLock::new(|| {
    Catalog::read(&Tables {
        instances: include_str!("instances.csv"),
        containers: include_str!("containers.csv"),
        container_sizes: include_str!("container_sizes.csv"),
        billing: include_str!("billing.csv"),
    })
    .expect("the built-in catalogue is well formed")
});

/// The instance types of the [`Market`] whose size is known, in the order of its tables.
static MARKET: LazyLock<Vec<InstanceType>> = LazyLock::new(|| {
    let billing =
        |provider: Provider| BUILTIN.billing.iter().find(|(of, _)| *of == provider).map(|(_, billing)| *billing);
    let offers = Market::builtin().offers.iter();
    offers.filter_map(|offer| offer.instance(billing(offer.provider)?)).collect()
});

/// The offer name of virtual machines in `billing.csv`.
const INSTANCE_OFFER: &str = "instance";

/// All instance types and container offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Catalog {
    instances: Vec<InstanceType>,
    containers: Vec<ContainerOffer>,
    /// How each provider bills instances.
    billing: Vec<(Provider, Billing)>,
}

/// An unknown name or region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LookupError {
    /// What is missing.
    pub message: String,
    /// What is available instead.
    pub help: Option<String>,
}

impl fmt::Display for LookupError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.help {
            Some(help) => write!(f, "{}; {help}", self.message),
            None => f.write_str(&self.message),
        }
    }
}

impl std::error::Error for LookupError {}

impl Catalog {
    /// The built-in catalogue.
    pub fn builtin() -> &'static Catalog {
        &BUILTIN
    }

    /// All instance types, in the order of the table.
    pub fn instances(&self) -> &[InstanceType] {
        &self.instances
    }

    /// All container offers, in the order of the table.
    pub fn containers(&self) -> &[ContainerOffer] {
        &self.containers
    }

    /// The sources of all prices.
    #[cfg(test)]
    pub(super) fn price_sources(&self) -> impl Iterator<Item = &PriceSource> {
        let instances = self.instances.iter().map(|instance| &instance.price_source);
        instances.chain(self.containers.iter().map(|offer| &offer.price_source))
    }

    /// The instance type with this name in `region`, or in its provider's default region: of this catalogue or, if it has
    /// none, of the [`Market`].
    ///
    /// # Errors
    /// If the name is unknown (with the most similar one, if any) or has no price in that region (with the regions that
    /// have one).
    pub fn instance(&self, name: &str, region: Option<&str>) -> Result<&InstanceType, LookupError> {
        let own = self.instances.iter().map(entry_of);
        if let Ok(found) = find("instance type", own.clone(), name, region) {
            return Ok(found);
        }
        find("instance type", own.chain(MARKET.iter().map(entry_of)), name, region).map_err(|error| {
            let priced = Market::builtin().offers.iter().any(|offer| offer.name == name);
            let sized = MARKET.iter().any(|row| row.name == name);
            match priced && !sized {
                true => LookupError {
                    message: format!("the catalogue has a price of instance type `{name}` but not its size"),
                    help: None,
                },
                false => error,
            }
        })
    }

    /// An instance type with this name: in `region`, in its provider's default region, or in any, as its size is the same
    /// everywhere.
    pub(super) fn sized(&self, name: &str, region: Option<&str>) -> Option<&InstanceType> {
        let known = || self.instances.iter().chain(MARKET.iter()).filter(|known| known.name == name);
        let there = |known: &&InstanceType| known.region == region.unwrap_or_else(|| known.provider.default_region());
        known().find(there).or_else(|| known().next())
    }

    /// How a provider bills instances; those without a rule of their own by the second.
    pub(super) fn billing(&self, provider: Provider) -> Billing {
        let known = self.billing.iter().find(|(of, _)| *of == provider).map(|(_, billing)| *billing);
        known.unwrap_or(Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::ZERO })
    }

    /// The container offer with this name in `region`, or in its provider's default region.
    ///
    /// # Errors
    /// Those of [`Catalog::instance`].
    pub fn container(&self, name: &str, region: Option<&str>) -> Result<&ContainerOffer, LookupError> {
        let rows = self.containers.iter().map(|row| Entry {
            name: &row.name,
            provider: row.provider,
            region: &row.region,
            row,
        });
        find("container offer", rows, name, region)
    }

    fn read(tables: &Tables<'_>) -> Result<Catalog, csv::Error> {
        let billing = rows::<BillingRow>(tables.billing)?;
        let sizes = rows::<SizeRow>(tables.container_sizes)?;
        let instances = rows::<InstanceRow>(tables.instances)?;
        let containers = rows::<ContainerRow>(tables.containers)?;
        let providers = [Provider::Aws, Provider::Azure, Provider::Gcp];
        let of = |provider| billing_of(&billing, provider, INSTANCE_OFFER).map(|billing| (provider, billing));
        Ok(Catalog {
            billing: providers.into_iter().map(of).collect::<Result<_, _>>()?,
            instances: instances.into_iter().map(|row| row.into_instance(&billing)).collect::<Result<_, _>>()?,
            containers: containers.into_iter().map(|row| row.into_offer(&sizes, &billing)).collect::<Result<_, _>>()?,
        })
    }
}

/// A table row that can be looked up.
struct Entry<'a, T> {
    name: &'a str,
    provider: Provider,
    region: &'a str,
    row: &'a T,
}

fn entry_of(row: &InstanceType) -> Entry<'_, InstanceType> {
    Entry { name: &row.name, provider: row.provider, region: &row.region, row }
}

fn find<'a, T>(
    kind: &str,
    entries: impl Iterator<Item = Entry<'a, T>> + Clone,
    name: &str,
    region: Option<&str>,
) -> Result<&'a T, LookupError> {
    let matches = |entry: &Entry<'a, T>| {
        entry.name == name && entry.region == region.unwrap_or_else(|| entry.provider.default_region())
    };
    if let Some(entry) = entries.clone().find(matches) {
        return Ok(entry.row);
    }
    let regions: BTreeSet<&str> =
        entries.clone().filter(|entry| entry.name == name).map(|entry| entry.region).collect();
    if regions.is_empty() {
        let help = did_you_mean(name, entries.map(|entry| entry.name));
        return Err(LookupError { message: format!("the catalogue has no {kind} `{name}`"), help });
    }
    let asked = region.unwrap_or("its provider's default region");
    let known: Vec<&str> = regions.into_iter().collect();
    let list = format!("known in regions {}", known.join(", "));
    Err(LookupError {
        message: format!("the catalogue has no price of {kind} `{name}` in `{asked}`"),
        help: Some(advice(asked, known, &list)),
    })
}

/// The texts of the tables.
struct Tables<'a> {
    instances: &'a str,
    containers: &'a str,
    container_sizes: &'a str,
    billing: &'a str,
}

fn rows<R: DeserializeOwned>(text: &str) -> Result<Vec<R>, csv::Error> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect()
}

fn invalid(problem: impl fmt::Display) -> csv::Error {
    csv::Error::from(std::io::Error::new(std::io::ErrorKind::InvalidData, problem.to_string()))
}

fn price(dollars: f64) -> Result<UsdPerHour, csv::Error> {
    UsdPerHour::from_f64(dollars).map_err(invalid)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InstanceRow {
    provider: Provider,
    region: String,
    name: String,
    vcpu: u64,
    memory_mib: u64,
    gpus: u32,
    gpu_kind: String,
    gpu_memory_mib: Option<u64>,
    allocatable_cpu_m: u64,
    allocatable_memory_mib: u64,
    max_pods: u32,
    usd_per_h: f64,
    price_date: String,
    price_source: String,
    spec_source: String,
    allocatable_source: String,
}

impl InstanceRow {
    fn into_instance(self, billing: &[BillingRow]) -> Result<InstanceType, csv::Error> {
        let gpu = match (self.gpus, self.gpu_memory_mib) {
            (0, None) => None,
            (count, Some(mib)) if count > 0 => Some(Gpu { count, kind: self.gpu_kind, memory: Bytes::from_mib(mib) }),
            _ => return Err(invalid(format!("`{}`: accelerators and their memory do not agree", self.name))),
        };
        Ok(InstanceType {
            provider: self.provider,
            region: self.region,
            name: self.name,
            cpu: Millicores::new(self.vcpu * 1000),
            memory: Bytes::from_mib(self.memory_mib),
            gpu,
            allocatable: Allocatable {
                cpu: Millicores::new(self.allocatable_cpu_m),
                memory: Bytes::from_mib(self.allocatable_memory_mib),
                pods: self.max_pods,
            },
            price: price(self.usd_per_h)?,
            billing: billing_of(billing, self.provider, INSTANCE_OFFER)?,
            price_source: PriceSource { date: self.price_date, source: self.price_source },
            spec_source: self.spec_source,
            allocatable_source: self.allocatable_source,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ContainerRow {
    offer: String,
    provider: Provider,
    region: String,
    usd_per_vcpu_h: f64,
    usd_per_gib_h: f64,
    price_date: String,
    price_source: String,
}

impl ContainerRow {
    fn into_offer(self, sizes: &[SizeRow], billing: &[BillingRow]) -> Result<ContainerOffer, csv::Error> {
        let of_offer = sizes.iter().filter(|size| size.offer == self.offer);
        Ok(ContainerOffer {
            sizes: of_offer.map(|size| (Millicores::new(size.vcpu_m), Bytes::from_mib(size.memory_mib))).collect(),
            billing: billing_of(billing, self.provider, &self.offer)?,
            name: self.offer,
            provider: self.provider,
            region: self.region,
            price_per_vcpu: price(self.usd_per_vcpu_h)?,
            price_per_gib: price(self.usd_per_gib_h)?,
            price_source: PriceSource { date: self.price_date, source: self.price_source },
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SizeRow {
    offer: String,
    vcpu_m: u64,
    memory_mib: u64,
}

/// `as_of` and `source` are only for readers of the table.
#[derive(Deserialize)]
struct BillingRow {
    provider: Provider,
    offer: String,
    granularity_s: u64,
    minimum_s: u64,
}

fn billing_of(rows: &[BillingRow], provider: Provider, offer: &str) -> Result<Billing, csv::Error> {
    let row = rows.iter().find(|row| row.provider == provider && row.offer == offer);
    let row = row.ok_or_else(|| invalid(format!("nothing says how {provider} bills `{offer}`")))?;
    Ok(Billing {
        granularity: SimDuration::from_secs(row.granularity_s),
        minimum: SimDuration::from_secs(row.minimum_s),
    })
}

#[cfg(test)]
mod tests;
