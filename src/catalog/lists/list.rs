//! A list of prices, and which form a file has.

use std::path::Path;
use std::sync::Arc;

use super::table::Table;
use super::{opencost, own, skypilot};
use crate::catalog::container::ContainerOffer;
use crate::catalog::instance::{Allocatable, Gpu, InstanceType};
use crate::catalog::price::{PriceSource, Provider};
use crate::config::{Diagnostics, SourceFile};
use crate::units::{Bytes, Millicores, UsdPerHour};

/// The largest file: SkyPilot's of AWS has 10 MiB.
const MOST_BYTES: u64 = 64 << 20;

/// Prices that go over those of the catalogue; empty by default.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PriceList {
    /// Instance types, later ones over earlier ones.
    pub(super) offers: Vec<Listed>,
    /// Container offers, likewise.
    pub(super) containers: Vec<ContainerOffer>,
    /// Prices of every instance type that is not listed.
    pub(super) rates: Option<Rates>,
}

/// An instance type with a price.
#[derive(Debug, Clone, PartialEq)]
pub struct Listed {
    /// Its name.
    pub name: String,
    /// The region; `None` for all.
    pub region: Option<String>,
    /// The provider; `None` if the file does not say.
    pub provider: Option<Provider>,
    /// The size; `None` for that of the catalogue.
    pub size: Option<ListedSize>,
    /// The price on demand.
    pub price: UsdPerHour,
    /// The spot price.
    pub spot: Option<UsdPerHour>,
    /// Effective prices of a commitment for a year and for three.
    pub reserved: [Option<UsdPerHour>; 2],
    /// The file, and the source and the date that it states.
    pub source: PriceSource,
}

/// The size of a listed instance type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedSize {
    /// Virtual CPUs.
    pub cpu: Millicores,
    /// Memory.
    pub memory: Bytes,
    /// GPUs.
    pub gpu: Option<Gpu>,
    /// What Kubernetes leaves for pods; `None` for the catalogue's or, if that does not know the type, by rule.
    pub allocatable: Option<Allocatable>,
    /// Source of the size; empty if not stated.
    pub source: String,
    /// Source of what is left for pods; empty if not stated.
    pub allocatable_source: String,
}

/// Prices per hour of a vCPU, a gibibyte and a GPU.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rates {
    /// Of one vCPU.
    pub cpu: UsdPerHour,
    /// Of one gibibyte of memory.
    pub memory: UsdPerHour,
    /// Of one GPU.
    pub gpu: UsdPerHour,
    /// Of a vCPU and a gibibyte of spot machines.
    pub spot: Option<(UsdPerHour, UsdPerHour)>,
    /// The file.
    pub source: PriceSource,
}

impl Rates {
    /// The price of a machine of this size: sizes times prices, rounded once, half up, to a nano-dollar per hour.
    pub fn of(&self, cpu: Millicores, memory: Bytes, gpus: u32) -> UsdPerHour {
        self.sum((self.cpu, self.memory), (cpu, memory, gpus))
    }

    /// The same at spot prices of CPU and memory.
    pub fn spot_of(&self, cpu: Millicores, memory: Bytes, gpus: u32) -> Option<UsdPerHour> {
        Some(self.sum(self.spot?, (cpu, memory, gpus)))
    }

    fn sum(
        &self,
        (per_cpu, per_gib): (UsdPerHour, UsdPerHour),
        (cpu, memory, gpus): (Millicores, Bytes, u32),
    ) -> UsdPerHour {
        const WHOLE: u128 = 1000 << 30;
        let times = |price: UsdPerHour, units: u128| u128::from(price.as_nanos()).saturating_mul(units);
        let cpu = times(per_cpu, u128::from(cpu.get()) << 30);
        let memory = times(per_gib, u128::from(memory.get()) * 1000);
        let gpus = times(self.gpu, u128::from(gpus) * WHOLE);
        let nanos = cpu.saturating_add(memory).saturating_add(gpus).saturating_add(WHOLE / 2) / WHOLE;
        UsdPerHour::from_nanos(nanos.try_into().unwrap_or(u64::MAX))
    }
}

impl PriceList {
    /// Whether it has no price.
    pub fn is_empty(&self) -> bool {
        self.offers.is_empty() && self.containers.is_empty() && self.rates.is_none()
    }

    /// Adds the prices of a file, over those before it.
    pub fn read(&mut self, path: &Path, sink: &mut Diagnostics) {
        match SourceFile::read(path, MOST_BYTES) {
            Ok(source) => {
                sink.note_file(&source);
                self.add(&source, sink);
            }
            Err(diagnostic) => sink.push(*diagnostic),
        }
    }

    /// Adds the prices of a text, in whatever form it has.
    pub fn add(&mut self, source: &Arc<SourceFile>, sink: &mut Diagnostics) {
        // A report names files without their directories.
        let name = Path::new(source.name());
        let file =
            name.file_name().map_or_else(|| source.name().to_string(), |name| name.to_string_lossy().into_owned());
        if source.text().trim_start().starts_with('{') || name.extension().is_some_and(|ending| ending == "json") {
            return opencost::read_json(source, &file, self, sink);
        }
        let Some(table) = Table::read(source, sink) else { return };
        let has = |name: &str| table.column(name).is_some();
        if has("usd_per_vcpu_h") {
            own::read_containers(&table, &file, self, sink);
        } else if has("usd_per_h") {
            own::read_instances(&table, &file, self, sink);
        } else if has("MarketPriceHourly") {
            opencost::read_csv(&table, &file, self, sink);
        } else if has("InstanceType") {
            skypilot::read(&table, &file, self, sink);
        } else {
            let help = "the columns must be those of Plimsoll (`name`, `usd_per_h`), of OpenCost (`InstanceType`, \
                        `MarketPriceHourly`) or of SkyPilot (`InstanceType`, `Price`)";
            sink.push(table.error(table.header[0].span, "this is not a price list").help(help));
        }
    }
}

impl Listed {
    /// The size of this type in full, given the same type in the catalogue.
    pub(super) fn sized(&self, base: Option<&InstanceType>) -> Option<ListedSize> {
        let of_base = base.map(|base| ListedSize {
            cpu: base.cpu,
            memory: base.memory,
            gpu: base.gpu.clone(),
            allocatable: Some(base.allocatable),
            source: base.spec_source.clone(),
            allocatable_source: base.allocatable_source.clone(),
        });
        let Some(mut own) = self.size.clone() else { return of_base };
        let same = of_base.filter(|base| (base.cpu, base.memory) == (own.cpu, own.memory));
        if let Some(base) = same.filter(|_| own.allocatable.is_none()) {
            (own.allocatable, own.allocatable_source) = (base.allocatable, base.allocatable_source);
        }
        Some(own)
    }
}
