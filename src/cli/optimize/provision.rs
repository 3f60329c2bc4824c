//! `plimsoll optimize provision`.

use std::path::PathBuf;

use clap::Args;

use super::super::files;
use super::super::replication::{read_scenario, spinner};
use crate::catalog::{InstanceType, price_dates};
use crate::cli::arguments::{AxisArgument, Format, TimeAxis, path_and_value};
use crate::cli::failure::Failure;
use crate::cli::output::say;
use crate::cli::terminal::remark;
use crate::experiment::{Terms, provision as plan};
use crate::optimize::{SolveOptions, Solver};
use crate::report;
use crate::report::results::{provision_results, results_text};
use crate::units::{Fraction, SimDuration};

/// Arguments of `optimize provision`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll optimize provision scenarios/shop-peak.yaml
  plimsoll optimize provision scenarios/shop-checkout.yaml --instance m6i.large --instance c6i.xlarge --interval 5m
  plimsoll optimize provision scenarios/shop-checkout.yaml --instance m6i.large --reserved-discount 37% --spot-discount 65% --most-spot 50%

The plan knows the whole trace. Policies `lp-optimal` and `dp-optimal` carry such a plan out in the simulation.")]
pub(super) struct ProvisionArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Instance type of the catalogue that replicas may run on (may be repeated); without one, replicas at their own price.
    #[arg(long = "instance", value_name = "INSTANCE")]
    instances: Vec<String>,
    /// Region of the prices; the provider's default if left out.
    #[arg(long, requires = "instances")]
    region: Option<String>,
    /// Length of a step of the plan.
    #[arg(long, value_name = "TIME", default_value = "1m")]
    interval: SimDuration,
    /// Time from order to ready, in place of one and a half times the mean start-up (and a minute for an instance).
    #[arg(long, value_name = "TIME")]
    lead: Option<SimDuration>,
    /// Share by which the load is taken larger.
    #[arg(long, value_name = "SHARE", default_value = "0%")]
    headroom: Fraction,
    /// The least replicas of a service.
    #[arg(long, value_name = "N", default_value_t = 1)]
    min: u32,
    /// The most replicas, or instances, at any time.
    #[arg(long, value_name = "N")]
    max: Option<u32>,
    /// The most starts in a step.
    #[arg(long, value_name = "N")]
    scale_up: Option<u32>,
    /// The most stops in a step.
    #[arg(long, value_name = "N")]
    scale_down: Option<u32>,
    /// What a commitment for the whole time saves of the list price; without this there are no commitments.
    #[arg(long, value_name = "SHARE", requires = "instances")]
    reserved_discount: Option<Fraction>,
    /// What spot saves of the list price; without this there is no spot.
    #[arg(long, value_name = "SHARE", requires = "instances")]
    spot_discount: Option<Fraction>,
    /// The share of spot capacity that is expected to be taken away.
    #[arg(long, value_name = "SHARE", default_value = "0%", requires = "spot_discount")]
    spot_loss: Fraction,
    /// The largest share of the CPU that spot provides.
    #[arg(long, value_name = "SHARE", requires = "spot_discount")]
    most_spot: Option<Fraction>,
    /// Seconds after which the best plan so far is taken.
    #[arg(long, value_name = "SECONDS", default_value_t = 30)]
    time_limit: u32,
    /// Who solves it; the least cost does not depend on it.
    #[arg(long, value_name = "NAME", default_value_t)]
    solver: Solver,
    /// Override a value: a path of names and list indices, and a YAML value (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Where the plan is written as CSV, SVG and PNG, in a directory named after the scenario.
    #[arg(long, value_name = "DIR", default_value = "reports")]
    out: PathBuf,
    #[command(flatten)]
    time: AxisArgument,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    /// Print only the result: no progress, no warnings, no list of files.
    #[arg(long, short)]
    quiet: bool,
}

pub(super) fn provision(arguments: &ProvisionArguments) -> Result<(), Failure> {
    let scenario = read_scenario(&arguments.scenario, &arguments.set, arguments.quiet)?;
    let find = |name: &String| scenario.price_list.instance(name, arguments.region.as_deref());
    let found: Vec<InstanceType> =
        arguments.instances.iter().map(find).collect::<Result<_, _>>().map_err(Failure::input)?;
    let instances: Vec<&InstanceType> = found.iter().collect();
    let sources: Vec<_> = instances.iter().map(|instance| &instance.price_source).collect();
    files::try_out(&arguments.out.join(&scenario.name))?;
    let turning = spinner(arguments.quiet, "looking for an approximately cheapest plan");
    let plans = plan(&scenario, &arguments.terms(instances.clone()));
    turning.finish_and_clear();
    let mut plans = plans.map_err(Failure::input)?;
    if arguments.time.axis == TimeAxis::Elapsed {
        plans.iter_mut().for_each(|plan| plan.calendar = None);
    }
    let mut tables = report::provision_tables(&plans);
    if let Some(last) = tables.last_mut() {
        last.notes.extend(price_dates(sources));
    }
    if arguments.format == Format::Json {
        let notes = tables.into_iter().flat_map(|table| table.notes).collect();
        say(&results_text(&provision_results(&plans, notes)))?;
    } else {
        let tables: Vec<String> = tables.iter().map(|table| table.text(arguments.format.style())).collect();
        say(&tables.join("\n"))?;
    }
    let artifacts = report::provision_files(&plans).map_err(Failure::input)?;
    for path in files::write_report(&arguments.out.join(&scenario.name), "provision", &artifacts)? {
        if !arguments.quiet {
            remark(&path.display().to_string());
        }
    }
    Ok(())
}

impl ProvisionArguments {
    fn terms<'a>(&self, instances: Vec<&'a InstanceType>) -> Terms<'a> {
        Terms {
            interval: self.interval,
            lead: self.lead,
            headroom: self.headroom,
            least: self.min,
            most: self.max,
            scale_up: self.scale_up,
            scale_down: self.scale_down,
            instances,
            reserved_discount: self.reserved_discount,
            spot: self.spot_discount.map(|discount| (discount, self.spot_loss)),
            spot_share: self.most_spot,
            options: SolveOptions { time_limit: Some(f64::from(self.time_limit)), solver: self.solver },
        }
    }
}
