//! Azure Functions on its plans: instances that the scale controller adds while requests wait.

use super::list_price::Prices;
use super::on_demand::{
    Rules, Standing, at_least_one, dispatcher, of_a_file, opened, read_keep, read_standing, read_start_up, standing_of,
};
use super::pace::Pace;
use super::{Form, ListPrice, PlatformPlugin, Stated};
use crate::billing::{Item, UseTariff};
use crate::catalog::Billing;
use crate::config::{Diagnostics, Fields, Plugin, Yaml, one_of};
use crate::random::Distribution;
use crate::units::{Bytes, Millicores, SimDuration};

/// The Flex Consumption plan.
pub(super) const FLEX: PlatformPlugin = Plugin {
    name: "azure-functions-flex",
    summary: "Azure Functions, Flex Consumption: instances of a stated size and concurrency, always-ready ones; billed while active",
    source: "Microsoft Learn: Azure Functions Flex Consumption plan, read 2026-09",
    build: |node, sink| read(Plan::Flex, node, sink),
};

/// The Consumption plan.
pub(super) const CONSUMPTION: PlatformPlugin = Plugin {
    name: "azure-functions-consumption",
    summary: "Azure Functions, Consumption: instances with one core, at most one more a second; billed by memory and time",
    source: "Microsoft Learn: event-driven scaling in Azure Functions, read 2026-09",
    build: |node, sink| read(Plan::Consumption, node, sink),
};

/// The Premium plan.
pub(super) const PREMIUM: PlatformPlugin = Plugin {
    name: "azure-functions-premium",
    summary: "Azure Functions, Premium: instances of a stated size, at least one; billed as long as they are there",
    source: "Microsoft Learn: Azure Functions Premium plan, read 2026-09",
    build: |node, sink| read(Plan::Premium, node, sink),
};

/// An instance without requests is kept for some 20 minutes (Shahrad et al. 2020, section 3.2; Azure states no figure).
const KEEP: f64 = 1200.0;

/// The plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Plan {
    Flex,
    Consumption,
    Premium,
}

/// The size of an instance.
#[derive(Debug, Clone, Copy)]
struct Size {
    name: &'static str,
    cpu: u64,
    memory_mib: u64,
    /// Requests at once without a stated concurrency.
    concurrency: u32,
}

const fn size(name: &'static str, cpu: u64, memory_mib: u64, concurrency: u32) -> Size {
    Size { name, cpu, memory_mib, concurrency }
}

impl Plan {
    const fn name(self) -> &'static str {
        match self {
            Plan::Flex => FLEX.name,
            Plan::Consumption => CONSUMPTION.name,
            Plan::Premium => PREMIUM.name,
        }
    }

    const fn title(self) -> &'static str {
        match self {
            Plan::Flex => "Azure Functions (Flex Consumption)",
            Plan::Consumption => "Azure Functions (Consumption)",
            Plan::Premium => "Azure Functions (Premium)",
        }
    }

    /// The service's name in the catalogue.
    const fn service(self) -> &'static str {
        match self {
            Plan::Flex => "functions-flex",
            Plan::Consumption => "functions-consumption",
            Plan::Premium => "functions-premium",
        }
    }

    /// The sizes of an instance; the first is the default.
    fn sizes(self) -> &'static [Size] {
        const FLEX: [Size; 3] =
            [size("2048MB", 1000, 2048, 16), size("512MB", 250, 512, 4), size("4096MB", 2000, 4096, 32)];
        const CONSUMPTION: [Size; 1] = [size("1536MB", 1000, 1536, 100)];
        const PREMIUM: [Size; 3] =
            [size("EP1", 1000, 3584, 100), size("EP2", 2000, 7168, 100), size("EP3", 4000, 14_336, 100)];
        match self {
            Plan::Flex => &FLEX,
            Plan::Consumption => &CONSUMPTION,
            Plan::Premium => &PREMIUM,
        }
    }

    /// Instances at most.
    const fn most(self) -> u32 {
        match self {
            Plan::Flex => 1000,
            Plan::Consumption => 200,
            Plan::Premium => 100,
        }
    }
}

fn read(plan: Plan, parameters: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
    let node = opened(parameters);
    let fields = Fields::open(&node, plan.name(), sink)?;
    of_a_file(&fields);
    let size = read_size(plan, &fields, sink);
    let concurrency = size.map(|size| at_least_one(&fields, "concurrency", size.concurrency, sink));
    let start_up = read_start_up(&fields, sink);
    let keep = read_keep(&fields, Distribution::Constant { value: KEEP }, None, sink);
    let standing = match plan {
        Plan::Flex => read_standing(fields.node_of("always-ready"), sink),
        Plan::Consumption => Some(Standing::Fixed(0)),
        Plan::Premium => Some(Standing::Fixed(at_least_one(&fields, "minimum", 1, sink))),
    };
    let most = at_least_one(&fields, "max-instances", plan.most(), sink).min(plan.most());
    let pace = read_pace(&fields, sink);
    let hold =
        (at_least_one(&fields, "hold", u32::MAX, sink), fields.or("hold-for", SimDuration::from_secs(230), sink));
    let observed = if plan == Plan::Consumption { fields.optional::<Bytes>("memory", sink) } else { None };
    let prices = Prices::read(&fields, ("azure", plan.service()), "eastus", sink);
    let free_tier = plan == Plan::Consumption && fields.or("free-tier", false, sink);
    fields.finish(sink);
    let (size, slots, standing) = (size?, concurrency?, standing?);
    let rules = Rules {
        hold,
        bound: false,
        throttles: false,
        most,
        pace: Some(pace),
        keep,
        cancels: false,
        standing,
        slots,
        target: None,
        review: Some(SimDuration::from_secs(1)),
        title: format!("{}, instances of {} with {slots} requests at once", plan.title(), size.name),
    };
    let form = Form {
        concurrency: Some(slots),
        cpu: Some(Millicores::new(size.cpu)),
        memory: Some(Bytes::from_mib(size.memory_mib)),
        stretch: None,
        start_up: Some(start_up?),
        standing: Some(standing_of(&rules)),
        dispatch: Some(dispatcher("least-loaded")),
        price: list_price(plan, prices?, size, (standing, observed, free_tier), &node, sink)?,
    };
    Some(Stated { factory: rules.into_factory(), form })
}

fn read_size(plan: Plan, fields: &Fields<'_>, sink: &mut Diagnostics) -> Option<Size> {
    let sizes = plan.sizes();
    if plan == Plan::Consumption {
        return sizes.first().copied();
    }
    fields.default_is("size", sizes[0].name.to_string());
    let Some(node) = fields.node_of("size") else { return sizes.first().copied() };
    let known: Vec<(&'static str, Size)> = sizes.iter().map(|size| (size.name, *size)).collect();
    one_of(node, "a size of an instance", &known, sink)
}

/// The scale controller adds one instance a second at most for HTTP triggers, one in 30 seconds for others, and four at a time
/// where it scales to a target.
fn read_pace(fields: &Fields<'_>, sink: &mut Diagnostics) -> Pace {
    fields.default_is("trigger", "http".to_string());
    let every = |starts: u32, seconds: u64| Pace::Refilled { starts, every: SimDuration::from_secs(seconds) };
    let known = [("http", every(1, 1)), ("other", every(1, 30)), ("target-based", every(4, 30))];
    fields.node_of("trigger").and_then(|node| one_of(node, "a kind of trigger", &known, sink)).unwrap_or(known[0].1)
}

/// The list price, or an error at `node` if the catalogue lacks it.
fn list_price(
    plan: Plan,
    mut prices: Prices,
    size: Size,
    (standing, observed, free_tier): (Standing, Option<Bytes>, bool),
    node: &Yaml,
    sink: &mut Diagnostics,
) -> Option<ListPrice> {
    let price = match plan {
        Plan::Flex => flex_price(&mut prices, size, standing),
        Plan::Consumption => consumption_price(&mut prices, size, observed, free_tier),
        Plan::Premium => premium_price(&mut prices, size),
    };
    if price.is_none() {
        sink.push(node.error(format!("the catalogue lacks a price of {}", plan.name())));
    }
    price.map(|price| ListPrice { rows: prices.used, ..price })
}

fn by_activity(charges: Vec<crate::billing::Charge>, rounding: Billing, memory: Bytes) -> UseTariff {
    UseTariff { charges, rounding, by_activity: true, starts: false, memory, cpu: Millicores::ZERO }
}

/// The memory of an instance while it has requests, at least a second each time, in steps of 100 ms.
fn flex_price(prices: &mut Prices, size: Size, standing: Standing) -> Option<ListPrice> {
    let mut charges = vec![
        prices.charge("executions", Item::Requests, 0)?,
        prices.charge("on-demand execution time", Item::GibSeconds, 0)?,
    ];
    let mut lease = None;
    if standing != Standing::Fixed(0) {
        charges.push(prices.charge("always-ready execution time", Item::StandingGibSeconds, 0)?);
        let hourly = prices.per_hour("always-ready baseline", size.memory_mib as f64 / 1024.0)?;
        lease = Some((hourly, Billing::EXACT));
    }
    let rounding = Billing { granularity: SimDuration::from_millis(100), minimum: SimDuration::from_secs(1) };
    let usage = by_activity(charges, rounding, Bytes::from_mib(size.memory_mib));
    Some(ListPrice { standing: lease, usage: Some(usage), ..ListPrice::default() })
}

/// The memory that was observed, in steps of 128 MB, while an instance has requests, at least 100 ms each time.
fn consumption_price(prices: &mut Prices, size: Size, observed: Option<Bytes>, free_tier: bool) -> Option<ListPrice> {
    let free = if free_tier { (1_000_000, 400_000) } else { (0, 0) };
    let charges = vec![
        prices.charge("executions", Item::Requests, free.0)?,
        prices.charge("execution time", Item::GibSeconds, free.1)?,
    ];
    let observed = observed.unwrap_or(Bytes::from_mib(size.memory_mib)).get();
    let step = Bytes::from_mib(128).get();
    let memory = Bytes::new(observed.div_ceil(step).max(1) * step);
    let rounding = Billing { granularity: SimDuration::from_millis(1), minimum: SimDuration::from_millis(100) };
    Some(ListPrice { usage: Some(by_activity(charges, rounding, memory)), ..ListPrice::default() })
}

/// Every instance for as long as it is there.
fn premium_price(prices: &mut Prices, size: Size) -> Option<ListPrice> {
    let cpu = prices.per_hour("vCPU", size.cpu as f64 / 1000.0)?;
    let memory = prices.per_hour("memory", size.memory_mib as f64 / 1024.0)?;
    let hourly = crate::units::UsdPerHour::from_nanos(cpu.as_nanos() + memory.as_nanos());
    let lease = Some((hourly, Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::ZERO }));
    Some(ListPrice { standing: lease, extra: lease, ..ListPrice::default() })
}
