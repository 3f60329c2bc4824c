//! The forms of the results, from which their schema is made.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::run::{Decimal, RunResults};
use super::traces::{ForecastResults, TraceFitResults, TraceInspectResults, TracePlotResults, TraceWrittenResults};
use super::training::TrainResults;

/// What a command answers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "command", rename_all = "kebab-case")]
// One is made per command and printed: its size does not matter.
#[allow(clippy::large_enum_variant)]
pub enum Results {
    /// `plimsoll compare`
    Compare(CompareResults),
    /// `plimsoll whatif`
    Whatif(WhatifResults),
    /// `plimsoll capacity`
    Capacity(CapacityResults),
    /// `plimsoll plan`
    Plan(PlanResults),
    /// `plimsoll test`
    Test(TestResults),
    /// `plimsoll check`
    Check(CheckResults),
    /// `plimsoll list`
    List(ListResults),
    /// `plimsoll catalog`
    Catalog(CatalogResults),
    /// `plimsoll verify`
    Verify(VerifyResults),
    /// `plimsoll sweep`
    Sweep(SweepResults),
    /// `plimsoll run`
    Run(RunResults),
    /// `plimsoll report`
    Report(RunResults),
    /// `plimsoll train`
    Train(TrainResults),
    /// `plimsoll trace inspect`
    TraceInspect(TraceInspectResults),
    /// `plimsoll trace fit`
    TraceFit(TraceFitResults),
    /// `plimsoll trace convert`
    TraceConvert(TraceWrittenResults),
    /// `plimsoll trace transform`
    TraceTransform(TraceWrittenResults),
    /// `plimsoll trace synth`
    TraceSynth(TraceWrittenResults),
    /// `plimsoll trace plot`
    TracePlot(TracePlotResults),
    /// `plimsoll forecast`
    Forecast(ForecastResults),
    /// `plimsoll bench`
    Bench(BenchResults),
    /// `plimsoll optimize provision`
    OptimizeProvision(ProvisionResults),
    /// `plimsoll optimize mix`
    OptimizeMix(MixResults),
}

/// A mean with the ends of its confidence interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct IntervalResult {
    /// The mean.
    pub mean: f64,
    /// The lower end.
    pub low: f64,
    /// The upper end.
    pub high: f64,
}

/// One figure of one arm.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FigureResult {
    /// Its name: `cost`, `p99`; with several services `service.NAME.p99`.
    pub figure: String,
    /// usd, s, share, replica-hours or 1.
    pub unit: String,
    /// The mean over the replications; null where a replication has no such figure.
    pub mean: Option<f64>,
    /// Its confidence interval; null with one replication.
    pub interval: Option<IntervalResult>,
    /// The difference from the base, on pairs; null for the base itself.
    pub difference: Option<IntervalResult>,
    /// The difference as a share of the base.
    pub relative: Option<IntervalResult>,
    /// Two-sided p-value after Holm's correction.
    pub adjusted_p: Option<f64>,
    /// What the difference says, in words.
    pub verdict: Option<String>,
    /// Whether it is one for the better; null where there is none, or no direction.
    pub better: Option<bool>,
    /// Which direction is welcome.
    pub direction: String,
}

/// The figures of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ArmResult {
    /// The policy.
    pub policy: String,
    /// Whether it knows the future of the trace.
    pub clairvoyant: bool,
    /// Its figures.
    pub figures: Vec<FigureResult>,
}

/// The least headroom with which a policy keeps the objectives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LevelResult {
    /// The policy.
    pub policy: String,
    /// Factor on the load that it provides for; null where none that was tried meets the objectives.
    pub headroom: Option<f64>,
    /// Whether the objectives are met with the stated confidence.
    pub meets_objectives: bool,
    /// Mean cost, dollars; null without prices, or if not met.
    pub cost_usd: Option<f64>,
    /// Mean replica-hours where nothing has a price.
    pub replica_hours: Option<f64>,
    /// Most ready replicas at any time of any replication.
    pub replicas_most: Option<u32>,
    /// Mean share of good requests, by service and objective.
    pub attained_share: Vec<f64>,
}

/// `plimsoll compare`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CompareResults {
    /// Version of this layout.
    pub version: u32,
    /// What the policies are compared with.
    pub base: Option<String>,
    /// Replications of each policy.
    pub replications: u64,
    /// Level of the confidence intervals.
    pub level_share: f64,
    /// Whether the precision asked for was reached; null if none was asked for.
    pub precise: Option<bool>,
    /// Whether the requests are those of a recorded trace.
    pub recorded_trace: bool,
    /// Each policy at the same service level; empty where they are compared as they are.
    pub same_level: Vec<LevelResult>,
    /// The figures of each policy, at the same service level or as it is.
    pub policies: Vec<ArmResult>,
    /// What the numbers rest on.
    pub notes: Vec<String>,
}

/// One variation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariationResult {
    /// `base`, the change in words, or `all together`.
    pub variation: String,
    /// Its figures beside the base.
    pub figures: Vec<FigureResult>,
}

/// The variations of one policy.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VariedPolicyResult {
    /// The policy.
    pub policy: String,
    /// The base first.
    pub variations: Vec<VariationResult>,
}

/// `plimsoll whatif`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct WhatifResults {
    /// Version of this layout.
    pub version: u32,
    /// Replications of each variation.
    pub replications: u64,
    /// Level of the confidence intervals.
    pub level_share: f64,
    /// Policy by policy.
    pub policies: Vec<VariedPolicyResult>,
    /// What the numbers rest on.
    pub notes: Vec<String>,
}

/// A share of the bad requests just beyond the limit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BottleneckResult {
    /// What stood in their way.
    pub what: String,
    /// Their share of the bad requests.
    pub share: f64,
}

/// How much one policy carries of one objective.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LimitResult {
    /// The policy.
    pub policy: String,
    /// The service.
    pub service: String,
    /// The objective in words.
    pub objective: String,
    /// The share of requests that must be good.
    pub target_share: f64,
    /// Factor on the traffic at which it breaks; null beyond 1/128 or 128.
    pub factor: Option<f64>,
    /// Lower end of its interval.
    pub factor_low: Option<f64>,
    /// Upper end of its interval.
    pub factor_high: Option<f64>,
    /// `within`, or `below` or `beyond` the factors that were tried.
    pub side: String,
    /// Arrivals per second at the limit.
    pub requests_per_s: Option<f64>,
    /// Mean arrivals per second of the workload as it is.
    pub base_requests_per_s: f64,
    /// What breaks it, the largest share first.
    pub bottlenecks: Vec<BottleneckResult>,
}

/// `plimsoll capacity`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CapacityResults {
    /// Version of this layout.
    pub version: u32,
    /// Replications of each factor.
    pub replications: u64,
    /// Level of the confidence intervals.
    pub level_share: f64,
    /// By policy, service and objective.
    pub limits: Vec<LimitResult>,
    /// What the numbers rest on.
    pub notes: Vec<String>,
}

/// One value that was varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SetResult {
    /// Path in the scenario.
    pub path: String,
    /// Value.
    pub value: String,
}

/// A policy at a point of what was varied.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CandidateResult {
    /// What was varied.
    pub set: Vec<SetResult>,
    /// What was found of it.
    pub level: LevelResult,
    /// Replications of the last round that it took part in.
    pub replications: u64,
    /// What the winner took in that round: dollars, or replica-hours without prices.
    pub winner_there: Option<f64>,
    /// Whether it is the winner.
    pub winner: bool,
    /// Why it is not.
    pub why_not: Option<String>,
}

/// `plimsoll plan`
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanResults {
    /// Version of this layout.
    pub version: u32,
    /// Whether the first candidate meets the objectives, confirmed on replications that the search never saw.
    pub met: bool,
    /// The answer in a sentence.
    pub answer: String,
    /// The best first.
    pub candidates: Vec<CandidateResult>,
    /// Points that no number of replicas could help, with the reason.
    pub refused: Vec<String>,
    /// The edit of the user's own manifests, as a unified diff; empty where there is nothing to edit.
    pub diff: String,
    /// The same as `kubectl` commands.
    pub kubectl: Vec<String>,
    /// What the numbers rest on.
    pub notes: Vec<String>,
}

/// One expectation, or one step of a story.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CaseResult {
    /// What was expected, and of which policy; or the step.
    pub expected: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Whether it is as expected.
    pub passed: bool,
    /// Whether more replications could not change that.
    pub certain: bool,
    /// What was found, a number in `unit`; null for a step of a story.
    pub found: Option<f64>,
    /// What was allowed, in `unit`.
    pub limit: Option<f64>,
    /// usd, s, share, replica-hours or 1.
    pub unit: Option<String>,
    /// What was found, in words.
    pub found_text: String,
    /// What was allowed or expected, in words.
    pub limit_text: String,
}

/// A figure that is not what its baseline says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ChangeResult {
    /// The policy.
    pub policy: String,
    /// The figure.
    pub figure: String,
    /// usd, s, share, replica-hours or 1.
    pub unit: String,
    /// The mean before.
    pub before: Option<f64>,
    /// The mean now.
    pub after: Option<f64>,
}

/// One file that was tested.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FileResult {
    /// Its name.
    pub name: String,
    /// Its path.
    pub path: String,
    /// Whether it is a story.
    pub story: bool,
    /// What the verdicts rest on.
    pub basis: String,
    /// What was looked at.
    pub cases: Vec<CaseResult>,
    /// The baseline's file; null without one.
    pub baseline: Option<String>,
    /// What is not as the baseline says.
    pub changes: Vec<ChangeResult>,
}

/// `plimsoll test`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TestResults {
    /// Version of this layout.
    pub version: u32,
    /// Expectations that hold.
    pub passed: usize,
    /// Expectations that do not.
    pub failed: usize,
    /// File by file.
    pub files: Vec<FileResult>,
}

/// A value of a scenario and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValueResult {
    /// What.
    pub what: String,
    /// Its value, in words.
    pub value: String,
    /// `FILE:LINE`, `default`, `catalogue ...`.
    pub origin: String,
}

/// One scenario or story that was checked.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckedResult {
    /// Its path.
    pub path: String,
    /// Whether it can be run.
    pub ok: bool,
    /// What was said of it: errors, warnings, facts.
    pub said: Vec<String>,
    /// With `--explain`, every value and its origin.
    pub values: Vec<ValueResult>,
}

/// `plimsoll check`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CheckResults {
    /// Version of this layout.
    pub version: u32,
    /// File by file.
    pub files: Vec<CheckedResult>,
}

/// A name that a scenario can say.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct EntryResult {
    /// The name.
    pub name: String,
    /// What it is.
    pub summary: String,
    /// Where it comes from.
    pub source: String,
}

/// `plimsoll list`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListResults {
    /// Version of this layout.
    pub version: u32,
    /// What is listed.
    pub kind: String,
    /// Entry by entry.
    pub entries: Vec<EntryResult>,
}

/// An instance type in one region. What no source states is null.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogOfferResult {
    /// The provider.
    pub provider: String,
    /// The region.
    pub region: String,
    /// The provider's name for it.
    pub name: String,
    /// Virtual CPUs.
    pub cpu_cores: Option<f64>,
    /// Memory.
    pub memory_bytes: Option<u64>,
    /// Number of GPUs.
    pub gpus: u32,
    /// Their model.
    pub gpu: Option<String>,
    /// `amd64` or `arm64`.
    pub architecture: Option<String>,
    /// CPU that Kubernetes leaves for pods.
    pub allocatable_cpu_cores: Option<f64>,
    /// Memory that Kubernetes leaves for pods.
    pub allocatable_memory_bytes: Option<u64>,
    /// On-demand list price.
    pub price_usd_per_hour: Decimal,
    /// Whether the price is more than a year old, or the type's price has changed in another region since.
    pub stale: bool,
    /// Spot price.
    pub spot_usd_per_hour: Option<Decimal>,
    /// `list`, `derived`, or `derived from an old price`.
    pub spot_kind: Option<String>,
    /// How often a spot instance is interrupted in a month.
    pub spot_interrupted: Option<String>,
    /// Effective price of a 3-year commitment paid upfront.
    pub reserved_usd_per_hour: Option<Decimal>,
    /// Date of the on-demand price.
    pub price_date: String,
    /// Source of the on-demand price.
    pub price_source: String,
    /// Source of the size.
    pub size_source: String,
}

/// The price of something that is not an instance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogPriceResult {
    /// The provider.
    pub provider: String,
    /// The region; `*` for all.
    pub region: String,
    /// The service.
    pub service: String,
    /// What is charged for.
    pub meter: String,
    /// The tier, in words.
    pub tier: String,
    /// Dollars per unit, a decimal number.
    pub usd: String,
    /// The unit.
    pub unit: String,
    /// What else is to be known.
    pub note: String,
    /// Whether no source was found that can be cited.
    pub unverified: bool,
    /// Date of the price.
    pub price_date: String,
    /// Source of the price.
    pub price_source: String,
}

/// `plimsoll catalog`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CatalogResults {
    /// Version of this layout.
    pub version: u32,
    /// Instance types that fit.
    pub offers: Vec<CatalogOfferResult>,
    /// Other prices that fit.
    pub prices: Vec<CatalogPriceResult>,
}

/// One figure held against theory.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProofResult {
    /// The station.
    pub case: String,
    /// The figure.
    pub figure: String,
    /// What theory says.
    pub expected: f64,
    /// What was simulated.
    pub observed: f64,
    /// Lower end of the 99% interval.
    pub low: f64,
    /// Upper end of the 99% interval.
    pub high: f64,
    /// The verdict in words.
    pub verdict: String,
}

/// `plimsoll verify`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct VerifyResults {
    /// Version of this layout.
    pub version: u32,
    /// Figures that do not agree with theory.
    pub failed: usize,
    /// Figure by figure.
    pub figures: Vec<ProofResult>,
    /// With `--recorded`, the recorded runs of real autoscalers.
    pub recorded: Vec<RecordedResult>,
    /// Recordings that lack something, with the reason.
    pub left_out: Vec<String>,
}

/// A change of size.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RescaleResult {
    /// When, since the start.
    pub at_s: f64,
    /// Replicas before.
    pub from: u32,
    /// Replicas after.
    pub to: u32,
}

/// A recorded run of a real autoscaler, simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct RecordedResult {
    /// Its name.
    pub name: String,
    /// What the real one did.
    pub recorded: Vec<RescaleResult>,
    /// What the simulated one did.
    pub simulated: Vec<RescaleResult>,
    /// Recorded changes that were simulated to the same size at about the same time.
    pub matched: usize,
    /// Recorded changes to whose size the simulation came, whenever.
    pub same_size: usize,
    /// Share that match, averaged over all timings that are possible.
    pub matched_in_any_phase_share: f64,
    /// Mean replicas, recorded.
    pub recorded_mean_replicas: f64,
    /// Mean replicas, simulated.
    pub simulated_mean_replicas: f64,
}

/// `plimsoll bench`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchResults {
    /// Version of this layout.
    pub version: u32,
    /// Version of plimsoll that was measured.
    pub plimsoll: String,
    /// Workload by workload.
    pub workloads: Vec<BenchResult>,
    /// Workload by workload against the stored run of --compare; null without one.
    pub compared: Option<Vec<BenchComparison>>,
}

/// How fast one workload is simulated.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchResult {
    /// Its name.
    pub name: String,
    /// What it is.
    pub summary: String,
    /// Requests of a round.
    pub requests: u64,
    /// Requests per second of real time: median of the rounds.
    pub requests_per_s: f64,
    /// Real time of a request: median of the rounds.
    pub ns_per_request: f64,
    /// CPU time of a request, of all threads: median of the rounds; null where the system does not tell.
    pub cpu_ns_per_request: Option<f64>,
    /// Round by round.
    pub rounds: Vec<BenchRound>,
    /// Peak memory; null where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
}

/// One round of a workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchRound {
    /// Real time of a request.
    pub ns_per_request: f64,
    /// CPU time of a request, of all threads; null where the system does not tell.
    pub cpu_ns_per_request: Option<f64>,
}

/// A workload beside the stored run of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BenchComparison {
    /// Name of the workload.
    pub name: String,
    /// What is compared: CPU time (`cpu`), or real time (`wall`) where one of the runs has no CPU time.
    pub clock: String,
    /// Median of the stored run.
    pub stored_ns_per_request: f64,
    /// Median of this run.
    pub ns_per_request: f64,
    /// This median over the stored one: above 1 is slower.
    pub ratio: f64,
    /// The smallest ratio of a round of this run to one of the stored run.
    pub ratio_min: f64,
    /// The largest.
    pub ratio_max: f64,
    /// `faster` or `slower` if that holds for each round against each, else `no difference beyond the spread`.
    pub verdict: String,
}

/// `plimsoll sweep`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SweepResults {
    /// Version of this layout.
    pub version: u32,
    /// Where the results are.
    pub file: String,
    /// Points of the sweep.
    pub points: usize,
    /// Its policies.
    pub policies: Vec<String>,
    /// The best points and what matters most, in words; the numbers are in the file.
    pub summary: Vec<TableResult>,
}

/// A table in words.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TableResult {
    /// Heads of the columns.
    pub columns: Vec<String>,
    /// Rows.
    pub rows: Vec<Vec<String>>,
    /// Sentences below it.
    pub notes: Vec<String>,
}

/// What a plan runs of one offer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OfferResult {
    /// The offer.
    pub offer: String,
    /// Most running at once.
    pub running_most: f64,
    /// Running on average.
    pub running_mean: f64,
    /// Committed for the whole time.
    pub committed: f64,
    /// On spot, on average.
    pub spot_mean: f64,
    /// Starts.
    pub starts: f64,
    /// From order to ready, seconds.
    pub ready_after_s: f64,
}

/// One plan.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionPlanResult {
    /// Services that it is for.
    pub services: Vec<String>,
    /// Its cost.
    pub cost_usd: f64,
    /// Cost if fractions could be run.
    pub relaxed_cost_usd: f64,
    /// Cost of one size for the peak.
    pub fixed_cost_usd: f64,
    /// Whether nothing cheaper exists.
    pub proven: bool,
    /// Offer by offer.
    pub offers: Vec<OfferResult>,
}

/// `plimsoll optimize provision`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ProvisionResults {
    /// Version of this layout.
    pub version: u32,
    /// Length of a step, seconds.
    pub interval_s: f64,
    /// Plan by plan.
    pub plans: Vec<ProvisionPlanResult>,
    /// What the numbers rest on.
    pub notes: Vec<String>,
}

/// What a mix buys of one instance type.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct BoughtResult {
    /// The instance type.
    pub instance: String,
    /// Reserved.
    pub reserved: f64,
    /// On demand.
    pub on_demand: f64,
    /// Spot.
    pub spot: f64,
    /// Cost.
    pub cost_usd_per_h: f64,
}

/// `plimsoll optimize mix`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MixResults {
    /// Version of this layout.
    pub version: u32,
    /// Cost of the mix.
    pub cost_usd_per_h: f64,
    /// Cost if fractions of instances could be bought.
    pub relaxed_cost_usd_per_h: f64,
    /// Whether nothing cheaper exists.
    pub proven: bool,
    /// What to buy.
    pub bought: Vec<BoughtResult>,
    /// Prices used.
    pub notes: Vec<String>,
}
