//! The forms of what is printed of traces and forecasts.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// `plimsoll trace inspect`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceInspectResults {
    /// Version of this layout.
    pub version: u32,
    /// The files as they were named, one trace together.
    pub files: Vec<String>,
    /// What the trace holds; null for a file of percentiles.
    pub trace: Option<TraceResult>,
    /// What a file of percentiles holds; null for a trace.
    pub percentiles: Option<FunctionPercentilesResult>,
    /// What was dropped, filled in, moved or assumed, in words.
    pub notices: Vec<String>,
}

/// What a trace holds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceResult {
    /// Its format.
    pub format: String,
    /// How the file is compressed, or how many files they are.
    pub packing: String,
    /// What a row is: arrivals, counts, levels.
    pub kind: String,
    /// Rows used.
    pub rows: u64,
    /// Rows that were skipped on purpose.
    pub skipped_rows: u64,
    /// Rows that could not be used.
    pub bad_rows: u64,
    /// Share of the bad rows.
    pub bad_rows_share: f64,
    /// Time of the earliest row, seconds since 1970; null where times are relative.
    pub first_unix_s: Option<f64>,
    /// Time of the latest row, seconds since 1970; null where times are relative.
    pub last_unix_s: Option<f64>,
    /// Time from the earliest row to the latest.
    pub span_s: f64,
    /// Longest time between two rows.
    pub longest_gap_s: f64,
    /// Counts and levels: time between rows.
    pub step_s: Option<f64>,
    /// Counts and levels: rows that are missing.
    pub missing_rows: Option<u64>,
    /// Counts and levels: places where rows are missing.
    pub gaps: Option<u64>,
    /// Rows before the one above them in time.
    pub out_of_order_rows: u64,
    /// The furthest that a row goes back.
    pub out_of_order_by_s: f64,
    /// Mean rate of requests.
    pub mean_requests_per_s: Option<f64>,
    /// Arrivals: the fullest second, minute and hour.
    pub peaks: Vec<PeakResult>,
    /// Arrivals: variance over mean of the counts per second, minute and hour; 1 for a Poisson process.
    pub dispersion: Vec<DispersionResult>,
    /// Share of the hourly variance that the hour of the day explains.
    pub hour_of_day_share: Option<f64>,
    /// Share of the hourly variance that the day of the week explains.
    pub day_of_week_share: Option<f64>,
    /// Arrivals at the same instant as the row before.
    pub same_instant_rows: u64,
    /// Counts and levels: their values.
    pub values: Option<ValuesResult>,
    /// Counts and levels of which several rows share an instant: the sums of the instants.
    pub instant_sums: Option<ValuesResult>,
    /// The number of instants.
    pub instants: Option<u64>,
    /// Sessions, where a column of them is named.
    pub sessions: Option<SessionsResult>,
    /// Tokens of language models.
    pub tokens: Option<TokensResult>,
}

/// The fullest second, minute or hour.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PeakResult {
    /// Length.
    pub bin_s: f64,
    /// Requests in it.
    pub most_requests: u64,
    /// Mean number of requests in as long a time.
    pub mean_requests: f64,
    /// Its start, seconds since 1970, or since the trace's zero where times are relative.
    pub at_s: f64,
}

/// Dispersion at one time scale.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DispersionResult {
    /// Length of the intervals that are counted.
    pub bin_s: f64,
    /// Variance over mean of the counts.
    pub index: f64,
}

/// Values of counts or levels.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ValuesResult {
    /// Their sum.
    pub sum: f64,
    /// Their mean.
    pub mean: f64,
    /// The largest.
    pub most: f64,
}

/// Sessions that requests belong to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SessionsResult {
    /// How many there are.
    pub sessions: u64,
    /// Requests of a session on average.
    pub mean_requests: f64,
    /// Length of a session on average.
    pub mean_duration_s: f64,
    /// Time between requests of a session on average; null where each has one request.
    pub mean_think_time_s: Option<f64>,
}

/// Tokens of the requests.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TokensResult {
    /// Input tokens of all requests.
    pub input: u64,
    /// Output tokens of all requests.
    pub output: u64,
    /// Most input tokens of a request.
    pub most_input: u32,
    /// Most output tokens of a request.
    pub most_output: u32,
}

/// What a file of percentiles of functions says (Azure Functions 2019).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FunctionPercentilesResult {
    /// `duration` or `memory`.
    pub measure: String,
    /// `ms` or `MB`.
    pub unit: String,
    /// Rows used.
    pub rows: u64,
    /// Apps among them.
    pub apps: u64,
    /// Executions or samples.
    pub samples: u64,
    /// Mean, in `unit`.
    pub mean: f64,
    /// A hundred values in order, in `unit`, each for the same share of the samples.
    pub values: Vec<f64>,
}

/// `plimsoll trace fit`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceFitResults {
    /// Version of this layout.
    pub version: u32,
    /// The scenario's `workload:`, as YAML.
    pub workload_yaml: String,
    /// The service time as a scenario's `service-time:`, where the trace records durations.
    pub service_time_yaml: Option<String>,
    /// The largest difference between the shares at most as long, of the recording and of that distribution.
    pub service_time_error: Option<f64>,
    /// Notes, one sentence each.
    pub service_time_notes: Vec<String>,
    /// CPU per request, if the cores in use were given (`--cpu`).
    pub cpu: Option<CpuFitResult>,
    /// How close ten synthetic traces come, figure by figure.
    pub comparison: Vec<FitResult>,
}

/// CPU per request and idle CPU, by regression of the cores in use on the requests per second.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CpuFitResult {
    /// The slope as a scenario's `cpu-per-request:`, YAML.
    pub cpu_per_request_yaml: String,
    /// The slope.
    pub cpu_per_request_s: f64,
    /// Lower end of its 95% confidence interval.
    pub cpu_per_request_low_s: f64,
    /// Upper end of its 95% confidence interval.
    pub cpu_per_request_high_s: f64,
    /// The intercept: cores in use without requests, of all replicas together.
    pub idle_cores: f64,
    /// The intercept at the upper end of the slope's interval.
    pub idle_low_cores: f64,
    /// The intercept at the lower end of the slope's interval.
    pub idle_high_cores: f64,
    /// Share of the variance of the cores that the line explains.
    pub r_squared: f64,
    /// How many steps were used.
    pub steps: usize,
    /// How long each is.
    pub step_s: f64,
    /// The method.
    pub method: String,
    /// Notes, one sentence each.
    pub notes: Vec<String>,
}

/// One figure of a trace and of synthetic ones.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FitResult {
    /// The figure, with its unit.
    pub figure: String,
    /// Of the trace.
    pub recorded: f64,
    /// Median of the synthetic traces.
    pub synthetic_median: f64,
    /// Least of the synthetic traces.
    pub synthetic_least: f64,
    /// Most of the synthetic traces.
    pub synthetic_most: f64,
}

/// `plimsoll trace convert`, `trace transform` and `trace synth`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TraceWrittenResults {
    /// Version of this layout.
    pub version: u32,
    /// The file that was written.
    pub file: String,
    /// What a row is: arrivals or counts.
    pub kind: String,
    /// Rows written.
    pub rows: u64,
    /// Requests that they stand for.
    pub requests: f64,
    /// Length of the trace.
    pub span_s: f64,
    /// Size of the file.
    pub bytes: u64,
}

/// `plimsoll trace plot`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TracePlotResults {
    /// Version of this layout.
    pub version: u32,
    /// The files that were written.
    pub files: Vec<String>,
}

/// `plimsoll forecast`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastResults {
    /// Version of this layout.
    pub version: u32,
    /// The files as they were named.
    pub trace: String,
    /// Steps of the series.
    pub steps: usize,
    /// Steps of which nothing is known.
    pub missing_steps: usize,
    /// Length of a step.
    pub step_s: f64,
    /// Lengths of the seasons.
    pub seasons_s: Vec<f64>,
    /// How much is learned from at the first origin.
    pub train_s: f64,
    /// Forecasts are judged from here on.
    pub lead_s: f64,
    /// How far ahead.
    pub horizon_s: f64,
    /// Origins.
    pub origins: usize,
    /// Levels of the quantiles.
    pub levels: Vec<f64>,
    /// Model by model.
    pub models: Vec<ForecastModelResult>,
}

/// How well one model forecast.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ForecastModelResult {
    /// The model as it was named.
    pub model: String,
    /// The last model in a few words.
    pub description: String,
    /// Mean absolute error over that of repeating the last season.
    pub mase: Option<f64>,
    /// The same against repeating the last value.
    pub mase_naive: Option<f64>,
    /// Symmetric mean absolute percentage error, percent.
    pub smape_percent: Option<f64>,
    /// Sum of absolute errors over the sum of values, percent.
    pub wape_percent: Option<f64>,
    /// Pinball loss of each level over the sum of values, percent.
    pub pinball_percent: Vec<Option<f64>>,
    /// Of each level, the share of values at or below the quantile.
    pub at_or_below_share: Vec<Option<f64>>,
    /// Share of values in the interval of 80%.
    pub in_interval_80_share: Option<f64>,
    /// Share of values in the interval of 90%.
    pub in_interval_90_share: Option<f64>,
    /// Values judged.
    pub values: usize,
    /// Forecasts for which a simpler method stood in.
    pub fallbacks: usize,
}
