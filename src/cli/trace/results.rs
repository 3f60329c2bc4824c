//! What `trace inspect` prints as JSON.

use std::path::PathBuf;

use crate::report::results::{
    DispersionResult, FunctionPercentilesResult, PeakResult, RESULTS_VERSION, Results, SessionsResult, TokensResult,
    TraceInspectResults, TraceResult, ValuesResult,
};
use crate::units::SimTime;
use crate::workload::{FunctionProfile, ProfileMeasure, SeriesKind, TraceFacts, ValueFacts};

fn results(
    files: &[PathBuf],
    notices: Vec<String>,
    trace: Option<TraceResult>,
    percentiles: Option<FunctionPercentilesResult>,
) -> Results {
    Results::TraceInspect(TraceInspectResults {
        version: RESULTS_VERSION,
        files: files.iter().map(|file| file.display().to_string()).collect(),
        trace,
        percentiles,
        notices,
    })
}

/// Of a trace.
pub(super) fn inspect_results(files: &[PathBuf], facts: &TraceFacts) -> Results {
    let gaps = facts.gaps;
    let trace = TraceResult {
        format: facts.format.into(),
        packing: facts.packing.clone(),
        kind: facts.kind.name().into(),
        rows: facts.tally.rows,
        skipped_rows: facts.tally.skipped,
        bad_rows: facts.tally.bad,
        bad_rows_share: facts.tally.bad_share(),
        first_unix_s: unix(facts, facts.first),
        last_unix_s: unix(facts, facts.last),
        span_s: facts.span().as_secs_f64(),
        longest_gap_s: facts.longest_gap.as_secs_f64(),
        step_s: gaps.map(|gaps| gaps.step.as_secs_f64()),
        missing_rows: gaps.map(|gaps| gaps.missing),
        gaps: gaps.map(|gaps| gaps.gaps),
        out_of_order_rows: facts.out_of_order,
        out_of_order_by_s: facts.furthest_back.as_secs_f64(),
        mean_requests_per_s: facts.mean_rate().or_else(|| counted_rate(facts)),
        peaks: facts.peaks.iter().map(peak).collect(),
        dispersion: facts
            .dispersion
            .iter()
            .map(|(bin, index)| DispersionResult { bin_s: bin.as_secs_f64(), index: *index })
            .collect(),
        hour_of_day_share: facts.season.map(|(hour, _)| hour),
        day_of_week_share: facts.season.map(|(_, day)| day),
        same_instant_rows: facts.duplicates,
        values: facts.values.as_ref().map(values),
        instant_sums: facts.instants.as_ref().map(|instants| values(&instants.sums)),
        instants: facts.instants.as_ref().map(|instants| instants.instants),
        sessions: facts.sessions.map(|sessions| SessionsResult {
            sessions: sessions.sessions,
            mean_requests: sessions.requests,
            mean_duration_s: sessions.duration,
            mean_think_time_s: sessions.think_time,
        }),
        tokens: facts.tokens.map(|tokens| TokensResult {
            input: tokens.sum_in,
            output: tokens.sum_out,
            most_input: tokens.most_in,
            most_output: tokens.most_out,
        }),
    };
    results(files, facts.notices.clone(), Some(trace), None)
}

/// Seconds since 1970 where the trace has dates.
fn unix(facts: &TraceFacts, time: SimTime) -> Option<f64> {
    facts.zero_epoch_ns.map(|zero| (zero as f64 + time.as_nanos() as f64) / 1e9)
}

/// The mean rate of counts, over the time that their intervals cover.
fn counted_rate(facts: &TraceFacts) -> Option<f64> {
    let (interval, values) = (facts.interval?, facts.values?);
    let seconds = facts.span().as_secs_f64() + interval.as_secs_f64();
    (facts.kind == SeriesKind::Counts && seconds > 0.0).then(|| values.sum / seconds)
}

fn peak(peak: &crate::workload::Peak) -> PeakResult {
    PeakResult {
        bin_s: peak.bin.as_secs_f64(),
        most_requests: peak.most,
        mean_requests: peak.mean,
        at_s: peak.at_ns as f64 / 1e9,
    }
}

fn values(values: &ValueFacts) -> ValuesResult {
    ValuesResult { sum: values.sum, mean: values.mean, most: values.most }
}

/// Of a file of percentiles.
pub(super) fn profile_results(files: &[PathBuf], profile: &FunctionProfile) -> Results {
    let (measure, unit) = match profile.measure {
        ProfileMeasure::Duration => ("duration", "ms"),
        ProfileMeasure::Memory => ("memory", "MB"),
    };
    let percentiles = FunctionPercentilesResult {
        measure: measure.into(),
        unit: unit.into(),
        rows: profile.rows,
        apps: profile.apps,
        samples: profile.samples,
        mean: profile.mean,
        values: profile.values.clone(),
    };
    results(files, profile.tally.notices(), None, Some(percentiles))
}
