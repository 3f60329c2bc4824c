//! `plimsoll whatif`.

use std::path::PathBuf;

use clap::Args;

use super::replication::{Format, ReplicationArguments, policy_index};
use super::{Failure, path_and_value, say};
use crate::engine::scenario::Scenario;
use crate::experiment::{Arm, MOST_SCALE, Replicated, Variation, busiest_moment, replicate};
use crate::report;
use crate::units::{SimDuration, SimTime};

/// Arguments of `whatif`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll whatif scenarios/shop-peak.yaml --scale 2x --startup +60s --kill-zone a
  plimsoll whatif scenarios/fraud-burst.yaml --policy hpa-30 --set service.concurrency=16 --set metrics.lag=30s")]
pub(super) struct WhatifArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// So many times the traffic (may be repeated, each a variation of its own).
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    scale: Vec<f64>,
    /// So much longer, or shorter, until a replica is ready (may be repeated).
    #[arg(long, value_name = "+TIME", value_parser = delay, allow_hyphen_values = true)]
    startup: Vec<f64>,
    /// A value changed (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// A zone lost with all its replicas, from the busiest interval on for 30 minutes, or as stated (may be repeated).
    #[arg(long, value_name = "ZONE[@TIME][+DURATION]", value_parser = loss)]
    kill_zone: Vec<Loss>,
    /// Vary only this policy (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Form of the result on standard output.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

/// The loss of a zone.
#[derive(Debug, Clone)]
struct Loss {
    zone: String,
    /// Since the start; the busiest interval's start if left out.
    at: Option<SimDuration>,
    length: SimDuration,
}

/// `ZONE`, `ZONE@2h`, `ZONE+10m` or `ZONE@2h+10m`.
fn loss(text: &str) -> Result<Loss, String> {
    let usage = || "expected ZONE[@TIME][+DURATION], such as `a`, `a@2h` or `a@2h+10m`".to_string();
    let (rest, length) = text.split_once('+').map_or((text, None), |(rest, length)| (rest, Some(length)));
    let (zone, at) = rest.split_once('@').map_or((rest, None), |(zone, at)| (zone, Some(at)));
    let duration = |text: &str| text.parse::<SimDuration>().map_err(|_| usage());
    let length = length.map_or(Ok(SimDuration::from_secs(1800)), duration)?;
    if zone.is_empty() || length.is_zero() {
        return Err(usage());
    }
    Ok(Loss { zone: zone.to_string(), at: at.map(duration).transpose()?, length })
}

fn factor(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('x').parse::<f64>();
    number
        .ok()
        .filter(|f| *f > 0.0 && *f <= MOST_SCALE)
        .ok_or_else(|| "expected a factor such as `2x` or `0.5x`, up to 1000x".into())
}

fn delay(text: &str) -> Result<f64, String> {
    let (sign, rest) = match text.strip_prefix('-') {
        Some(rest) => (-1.0, rest),
        None => (1.0, text.strip_prefix('+').unwrap_or(text)),
    };
    let duration: SimDuration =
        rest.parse().map_err(|_| "expected a change of a duration, such as `+60s` or `-5s`".to_string())?;
    Ok(sign * duration.as_secs_f64())
}

pub(super) fn whatif(arguments: &WhatifArguments) -> Result<(), Failure> {
    let plan = arguments.replication.plan()?;
    let base = arguments.replication.read(&arguments.scenario, &[])?;
    let varied = arguments.variations(&base)?;
    let scenarios: Vec<(String, Scenario)> = varied
        .iter()
        .map(|variation| match variation.apply(&base, &[]) {
            Ok(scenario) => Ok((variation.label(), scenario)),
            Err(found) => Err(Failure::diagnostics(&found)),
        })
        .collect::<Result<_, _>>()?;
    let labels: Vec<String> = match arguments.policy.is_empty() {
        true => base.policies.iter().map(|plan| plan.label.clone()).collect(),
        false => arguments.policy.clone(),
    };
    let mut results: Vec<(String, Replicated)> = Vec::new();
    for label in labels {
        let arms = arms_of(&label, &base, &scenarios)?;
        let bar = arguments.replication.bar(&label);
        let told = |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        };
        let result = replicate(&arms, &plan, &told);
        bar.finish_and_clear();
        results.push((label, result.map_err(|error| Failure::Input(format!("error: {error}")))?));
    }
    say(&report::variations(&results).text(arguments.format.style()))
}

/// The policy in the base and in every variation.
fn arms_of<'a>(label: &str, base: &'a Scenario, varied: &'a [(String, Scenario)]) -> Result<Vec<Arm<'a>>, Failure> {
    let mut arms = vec![Arm { label: "base", scenario: base, policy: policy_index(base, label)? }];
    for (name, scenario) in varied {
        arms.push(Arm { label: name, scenario, policy: policy_index(scenario, label)? });
    }
    Ok(arms)
}

impl WhatifArguments {
    fn variations(&self, base: &Scenario) -> Result<Vec<Variation>, Failure> {
        let scales = self.scale.iter().map(|factor| Variation::Scale(*factor));
        let delays = self.startup.iter().map(|seconds| Variation::StartUp(*seconds));
        let values = self.set.iter().map(|(path, value)| Variation::Set(path.clone(), value.clone()));
        let mut busiest = None;
        let mut losses = Vec::new();
        for loss in &self.kill_zone {
            let at = match (loss.at, busiest) {
                (Some(at), _) => SimTime::ZERO + at,
                (None, Some(at)) => at,
                (None, None) => *busiest.insert(busiest_moment(base)?),
            };
            if at >= SimTime::ZERO + base.duration {
                let (zone, length) = (&loss.zone, base.duration);
                let problem = format!("error: zone {zone} is lost after the end of the run, which lasts {length}");
                return Err(Failure::Input(problem));
            }
            losses.push(Variation::LoseZone(loss.zone.clone(), at, loss.length));
        }
        let all: Vec<Variation> = scales.chain(delays).chain(losses).chain(values).collect();
        match all.is_empty() {
            true => Err(Failure::Input("error: nothing to vary; give --scale, --startup, --kill-zone or --set".into())),
            false => Ok(all),
        }
    }
}
