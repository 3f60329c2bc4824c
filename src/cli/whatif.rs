//! `plimsoll whatif`.

use std::path::{Path, PathBuf};

use clap::Args;

use super::arguments::{AxisArgument, Format, path_and_value};
use super::failure::Failure;
use super::files;
use super::output::say;
use super::replication::{ReplicationArguments, policy_index};
use super::terminal::remark;
use crate::config::{shell_word, slug};
use crate::experiment::{
    self, Arm, MAX_SCALE, Replicated, Variation, WhatifSpec, busiest_moment, varied, whatif as study,
};
use crate::report::{self, Artifact, TableStyle};
use crate::scenario::Scenario;
use crate::units::{SimDuration, SimTime};

/// Arguments of `whatif`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  plimsoll whatif scenarios/shop-peak.yaml --scale 2x --startup +60s --kill-zone a --out reports
  plimsoll whatif scenarios/shop-peak.yaml --scale 2x --event at=20:00,factor=3,for=1h --set lost-nodes.evicted-after=30s
  plimsoll whatif scenarios/fraud-burst.yaml --policy hpa-30 --set service.concurrency=16 --set metrics.lag=30s

Each change is made alone and, if there are several, all at once. A lost zone is noticed after 40 s and its pods are replaced
after another 300 s, or as the scenario's `lost-nodes: { noticed-after, evicted-after }` say.")]
pub(super) struct WhatifArguments {
    /// The scenario.
    #[arg(value_name = "SCENARIO")]
    scenario: PathBuf,
    /// Scale the traffic by a factor (may be repeated; each is a variation of its own).
    #[arg(long, value_name = "FACTOR", value_parser = factor)]
    scale: Vec<f64>,
    /// Make replicas start slower or faster (may be repeated).
    #[arg(long, value_name = "+TIME", value_parser = delay, allow_hyphen_values = true)]
    startup: Vec<f64>,
    /// Override a value as a variation (may be repeated).
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    set: Vec<(String, String)>,
    /// Lose a zone with all its machines: from the busiest interval for 30 minutes, or as stated (may be repeated).
    #[arg(long, value_name = "ZONE[@TIME][+DURATION]", value_parser = loss)]
    kill_zone: Vec<Loss>,
    /// Add a traffic event, with the fields of the transform `overlay` (may be repeated).
    #[arg(long, value_name = "at=TIME,factor=N,for=TIME")]
    event: Vec<String>,
    /// Vary only this policy (may be repeated).
    #[arg(long, value_name = "POLICY")]
    policy: Vec<String>,
    /// Write a report of the base and of each variation into this directory, and all figures as CSV.
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
    #[command(flatten)]
    time: AxisArgument,
    /// Output format.
    #[arg(long, value_enum, default_value_t = Format::Table)]
    format: Format,
    #[command(flatten)]
    replication: ReplicationArguments,
}

/// The loss of a zone.
#[derive(Debug, Clone)]
struct Loss {
    zone: String,
    /// Since the start, or by the clock; the busiest interval's start if left out.
    at: Option<String>,
    length: SimDuration,
}

/// `ZONE`, `ZONE@2h`, `ZONE@20:00`, `ZONE+10m` or `ZONE@2h+10m`.
fn loss(text: &str) -> Result<Loss, String> {
    let usage = || "expected ZONE[@TIME][+DURATION], such as `a`, `a@2h`, `a@20:00` or `a@2h+10m`".to_string();
    let clock = |text: &str| text.contains(':');
    // An offset from UTC at the end of a date is no length.
    let length = text.rsplit_once('+').filter(|(_, length)| !clock(length));
    let (rest, length) = length.map_or((text, None), |(rest, length)| (rest, Some(length)));
    let (zone, at) = rest.split_once('@').map_or((rest, None), |(zone, at)| (zone, Some(at)));
    let duration = |text: &str| text.parse::<SimDuration>().map_err(|_| usage());
    let length = length.map_or(Ok(SimDuration::from_secs(1800)), duration)?;
    let by_the_clock = |at: &str| clock(at) || at.contains('-');
    if at.is_some_and(|at| !by_the_clock(at) && duration(at).is_err()) || zone.is_empty() || length.is_zero() {
        return Err(usage());
    }
    Ok(Loss { zone: zone.to_string(), at: at.map(str::to_string), length })
}

fn factor(text: &str) -> Result<f64, String> {
    let number = text.trim_end_matches('x').parse::<f64>();
    number
        .ok()
        .filter(|f| *f > 0.0 && *f <= MAX_SCALE)
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
    if let Some(out) = &arguments.out {
        files::try_out(&directory(out, &base))?;
    }
    let variations = arguments.variations(&base)?;
    let scenarios = varied(&variations, &base).map_err(|found| Failure::diagnostics(&found))?;
    let labels: Vec<String> = match arguments.policy.is_empty() {
        true => base.policies.iter().map(|plan| plan.label.clone()).collect(),
        false => arguments.policy.clone(),
    };
    let runs = (labels.len() * (1 + scenarios.len())) as u64 * plan.replications;
    arguments.replication.tell_volume(&base, runs, "");
    let arms = |label: &String| Ok((label.clone(), arms_of(label, &base, &scenarios)?));
    let policies = labels.iter().map(arms).collect::<Result<_, Failure>>()?;
    let bar = arguments.replication.study_bar(labels.first().map_or("", String::as_str));
    let results = bar.watch(|watch| study(&base, &WhatifSpec { plan, policies }, watch))?;
    say(&match arguments.format {
        Format::Json => report::results::results_text(&report::results::whatif_results(&results)),
        _ => report::variations_text(&results, arguments.format.style()),
    })?;
    match &arguments.out {
        Some(out) => write_all(arguments, out, (&base, &scenarios), &labels, &results),
        None => Ok(()),
    }
}

/// Where the reports go.
fn directory(out: &Path, base: &Scenario) -> PathBuf {
    out.join(format!("{}-whatif", base.name))
}

/// Writes the report of one replication of the base and of every variation, and all figures.
fn write_all(
    arguments: &WhatifArguments,
    out: &Path,
    (base, varied): (&Scenario, &[(String, Scenario)]),
    labels: &[String],
    results: &[(String, Replicated)],
) -> Result<(), Failure> {
    let directory = directory(out, base);
    let mut summary = format!("# What if: {}\n\n", report::escape_markdown(&base.title));
    summary.push_str(&report::variations_text(results, TableStyle::Markdown));
    summary.push_str("\nReports of one replication of each:\n\n");
    let all = std::iter::once(("base", base)).chain(varied.iter().map(|(label, scenario)| (label.as_str(), scenario)));
    let mut written = Vec::new();
    for (number, (label, scenario)) in all.enumerate() {
        let mut scenario = scenario.clone();
        scenario.policies.retain(|plan| labels.contains(&plan.label));
        scenario.title = format!("{} ({label})", base.title);
        let name = format!("{number}-{}", slug(label));
        let command = format!("plimsoll whatif {}", shell_word(&arguments.scenario.display().to_string()));
        let outcome = experiment::run(&scenario, &command, arguments.replication.threads, &|_, _| ());
        let mut outcome = outcome.map_err(Failure::input)?;
        arguments.time.axis.apply(&mut outcome);
        let artifacts = report::artifacts(&outcome).map_err(Failure::input)?;
        written.extend(files::write_report(&directory.join(&name), "report", &artifacts)?);
        summary.push_str(&format!("- [{}]({name}/report.html)\n", report::escape_markdown(label)));
    }
    let artifacts = [Artifact::new("whatif.csv", report::variations_csv(results)), Artifact::new("whatif.md", summary)];
    written.extend(files::write_report(&directory, "whatif", &artifacts)?);
    if !arguments.replication.quiet {
        remark(&format!("Wrote {} files below {}", written.len(), directory.display()));
    }
    Ok(())
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
            let at = match (&loss.at, busiest) {
                (Some(at), _) => {
                    SimTime::ZERO + base.time_of("--kill-zone", at).map_err(|found| Failure::diagnostics(&found))?
                }
                (None, Some(at)) => at,
                (None, None) => *busiest.insert(busiest_moment(base)?),
            };
            if at >= SimTime::ZERO + base.duration {
                let (zone, length) = (&loss.zone, base.duration);
                let problem = format!("zone {zone} is lost after the end of the run, which lasts {length}");
                return Err(Failure::input(problem));
            }
            losses.push(Variation::LoseZone(loss.zone.clone(), at, loss.length));
        }
        let events = self.event.iter().map(|text| Variation::Event(text.clone()));
        let all: Vec<Variation> = scales.chain(delays).chain(events).chain(losses).chain(values).collect();
        match all.is_empty() {
            true => Err(Failure::input("nothing to vary; use --scale, --startup, --event, --kill-zone or --set")),
            false => Ok(all),
        }
    }
}
