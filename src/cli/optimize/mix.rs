//! `plimsoll optimize mix`.

use clap::Args;

use super::super::replication::spinner;
use crate::catalog::{Catalog, InstanceType, price_dates};
use crate::cli::arguments::Format;
use crate::cli::failure::Failure;
use crate::cli::output::say;
use crate::optimize::{Bought, Mix, MixOffer, MixProblem, Reserved, ShareLimits, SolveOptions, Solver, Spot};
use crate::report::results::{BoughtResult, MixResults, RESULTS_VERSION, Results, results_text};
use crate::units::{Bytes, Fraction, Millicores};

/// Arguments of `optimize mix`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  plimsoll optimize mix m6i.large c6i.xlarge r6i.large --cpu 40 --memory 200Gi --headroom 20%\n  \
                  plimsoll optimize mix m6i.large c6i.xlarge --cpu 40 --memory 100Gi --spot-discount 65% --most-spot 30%"
)]
pub(super) struct MixArguments {
    /// Instance types of the catalogue; of equal costs those named first are preferred.
    #[arg(required = true, value_name = "INSTANCE")]
    instances: Vec<String>,
    /// Region of the prices; the provider's default if left out.
    #[arg(long)]
    region: Option<String>,
    /// CPU needed by pods.
    #[arg(long, value_name = "CORES")]
    cpu: Millicores,
    /// Memory needed by pods.
    #[arg(long, value_name = "BYTES")]
    memory: Bytes,
    /// Share by which capacity must exceed the need.
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    headroom: Fraction,
    /// What a commitment saves of the list price; without this there are no commitments.
    #[arg(long, value_name = "SHARE")]
    reserved_discount: Option<Fraction>,
    /// The largest share of the CPU that commitments provide.
    #[arg(long, value_name = "SHARE", requires = "reserved_discount")]
    most_reserved: Option<Fraction>,
    /// What spot saves of the list price; without this there is no spot.
    #[arg(long, value_name = "SHARE")]
    spot_discount: Option<Fraction>,
    /// The share of spot capacity that is expected to be taken away.
    #[arg(long, value_name = "SHARE", default_value = "0%", requires = "spot_discount")]
    spot_loss: Fraction,
    /// The largest share of the CPU that spot provides.
    #[arg(long, value_name = "SHARE", requires = "spot_discount")]
    most_spot: Option<Fraction>,
    /// Seconds after which the best mix so far is taken.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    time_limit: u32,
    /// Who solves it; the result does not depend on it.
    #[arg(long, value_name = "NAME", default_value_t)]
    solver: Solver,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print only the result, no progress.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn mix(arguments: &MixArguments) -> Result<(), Failure> {
    let find = |name: &String| Catalog::builtin().instance(name, arguments.region.as_deref());
    let instances: Vec<&InstanceType> =
        arguments.instances.iter().map(find).collect::<Result<_, _>>().map_err(Failure::input)?;
    let problem = arguments.problem(&instances);
    let options = SolveOptions { time_limit: Some(f64::from(arguments.time_limit)), solver: arguments.solver };
    let turning = spinner(arguments.quiet, "looking for the cheapest mix");
    let found = problem.relaxed(options).and_then(|relaxed| Ok((relaxed, problem.whole(options)?)));
    turning.finish_and_clear();
    let (relaxed, whole) = found.map_err(Failure::input)?;
    match arguments.format {
        Format::Json => say(&results_text(&results(&instances, &problem, &whole, &relaxed))),
        Format::Markdown => say(&format!("```\n{}```\n", table(&instances, &problem, &whole, &relaxed))),
        Format::Table => say(&table(&instances, &problem, &whole, &relaxed)),
    }
}

impl MixArguments {
    fn problem(&self, instances: &[&InstanceType]) -> MixProblem {
        let most = |share: Option<Fraction>| ShareLimits {
            most: share.map_or(f64::INFINITY, Fraction::get),
            ..ShareLimits::default()
        };
        MixProblem {
            offers: instances.iter().map(|instance| self.offer(instance)).collect(),
            demand: vec![self.cpu.as_cores(), self.memory.as_gib()],
            headroom: self.headroom.get(),
            reserved_share: most(self.most_reserved),
            on_demand_share: ShareLimits::default(),
            spot_share: most(self.most_spot),
        }
    }

    fn offer(&self, instance: &InstanceType) -> MixOffer {
        let price = instance.price.as_f64();
        let less = |discount: Fraction| price * discount.complement().get();
        let allocatable = vec![instance.allocatable.cpu.as_cores(), instance.allocatable.memory.as_gib()];
        MixOffer {
            reserved: self.reserved_discount.map(|discount| Reserved { price: less(discount), most: None }),
            spot: self.spot_discount.map(|discount| Spot { price: less(discount), loss: self.spot_loss.get() }),
            ..MixOffer::on_demand(&instance.name, price, allocatable)
        }
    }
}

fn results(instances: &[&InstanceType], problem: &MixProblem, mix: &Mix, relaxed: &Mix) -> Results {
    let chosen = problem.offers.iter().zip(&mix.bought).filter(|(_, bought)| **bought != Bought::default());
    let of = |(offer, bought): (&MixOffer, &Bought)| BoughtResult {
        instance: offer.name.clone(),
        reserved: bought.reserved,
        on_demand: bought.on_demand,
        spot: bought.spot,
        cost_usd_per_h: cost_of(offer, bought),
    };
    Results::OptimizeMix(MixResults {
        version: RESULTS_VERSION,
        cost_usd_per_h: mix.cost,
        relaxed_cost_usd_per_h: relaxed.cost,
        proven: mix.proven,
        bought: chosen.map(of).collect(),
        notes: price_dates(instances.iter().map(|instance| &instance.price_source)).into_iter().collect(),
    })
}

/// What an hour of what is bought of an offer costs.
fn cost_of(offer: &MixOffer, bought: &Bought) -> f64 {
    let reserved = offer.reserved.map_or(0.0, |way| way.price) * bought.reserved;
    reserved + offer.price * bought.on_demand + offer.spot.map_or(0.0, |way| way.price) * bought.spot
}

/// What to buy, and how far that is from the least that fractions of instances would cost.
fn table(instances: &[&InstanceType], problem: &MixProblem, mix: &Mix, relaxed: &Mix) -> String {
    let width = problem.offers.iter().map(|offer| offer.name.chars().count()).max().unwrap_or(0).max(8);
    let mut text =
        format!("{:width$}  {:>8}  {:>9}  {:>6}  {:>10}\n", "instance", "reserved", "on demand", "spot", "$/h");
    for (offer, bought) in problem.offers.iter().zip(&mix.bought).filter(|(_, bought)| **bought != Bought::default()) {
        let cost = cost_of(offer, bought);
        let Bought { reserved, on_demand, spot } = bought;
        text.push_str(&format!("{:width$}  {reserved:>8}  {on_demand:>9}  {spot:>6}  {cost:>10.4}\n", offer.name));
    }
    let known = if mix.proven { "the least possible in whole instances" } else { "the best found in the time" };
    text.push_str(&format!("total {:.4} $/h, {known}", mix.cost));
    text.push_str(&format!("; with fractions of instances {:.4} $/h\n", relaxed.cost));
    let sources = instances.iter().map(|instance| &instance.price_source);
    price_dates(sources).iter().for_each(|dates| text.push_str(&format!("{dates}\n")));
    text
}
