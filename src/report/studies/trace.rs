//! Traces as pictures, as the figures behind the pictures, and as a line of blocks on a terminal.

use std::fmt::Write;

use crate::config::csv_cell;
use crate::report::artifact::{Artifact, ReportError};
use crate::workload::{Portrait, show_instant_in};

/// The pictures of traces beside each other, each with its figures as CSV. The axis of time shows dates if they are known and
/// `dated` asks for them, otherwise the time since the start.
///
/// # Errors
/// If a picture cannot be encoded.
pub fn portraits(traces: &[(String, Portrait)], dated: bool) -> Result<Vec<Artifact>, ReportError> {
    let mut all = vec![Artifact::new("rate.csv", rate_csv(traces))];
    if traces.iter().any(|(_, portrait)| portrait.hours.is_some() || portrait.weekdays.is_some()) {
        all.push(Artifact::new("profile.csv", profile_csv(traces)));
    }
    if traces.iter().any(|(_, portrait)| !portrait.dispersion.is_empty()) {
        all.push(Artifact::new("dispersion.csv", dispersion_csv(traces)));
    }
    if traces.iter().any(|(_, portrait)| !portrait.distributions.is_empty()) {
        all.push(Artifact::new("distributions.csv", distributions_csv(traces)));
    }
    let _ = dated;
    #[cfg(feature = "charts")]
    all.extend(crate::report::charts::trace_files(traces, dated)?);
    Ok(all)
}

fn rate_csv(traces: &[(String, Portrait)]) -> String {
    let mut csv = String::from("trace,offset_s,time,rate\n");
    for (name, portrait) in traces {
        for (index, rate) in portrait.rate.iter().enumerate() {
            let offset = index as f64 * portrait.bin;
            let time =
                portrait.start_epoch_ns.map(|start| show_instant_in(start + (offset * 1e9) as u64, portrait.zone));
            let rate = rate.map(|rate| rate.to_string());
            let _ =
                writeln!(csv, "{},{offset},{},{}", csv_cell(name), time.unwrap_or_default(), rate.unwrap_or_default());
        }
    }
    csv
}

fn profile_csv(traces: &[(String, Portrait)]) -> String {
    let mut csv = String::from("trace,of,index,relative_to_mean\n");
    for (name, portrait) in traces {
        for (of, values) in [("hour_of_day", &portrait.hours), ("day_of_week", &portrait.weekdays)] {
            for (index, value) in values.iter().flatten().enumerate() {
                let _ = writeln!(csv, "{},{of},{index},{value}", csv_cell(name));
            }
        }
    }
    csv
}

fn dispersion_csv(traces: &[(String, Portrait)]) -> String {
    let mut csv = String::from("trace,interval_s,index_of_dispersion\n");
    for (name, portrait) in traces {
        for (interval, index) in &portrait.dispersion {
            let _ = writeln!(csv, "{},{interval},{index}", csv_cell(name));
        }
    }
    csv
}

fn distributions_csv(traces: &[(String, Portrait)]) -> String {
    let mut csv = String::from("trace,of,value,share_at_most\n");
    for (name, portrait) in traces {
        for distribution in &portrait.distributions {
            for (value, share) in &distribution.shares {
                let _ = writeln!(csv, "{},{},{value},{share}", csv_cell(name), distribution.name);
            }
        }
    }
    csv
}

/// A course over time in one line of at most `columns` blocks, the highest of them full: the mean of each column, blank
/// where nothing is known.
pub fn sparkline(course: &[Option<f64>], columns: usize) -> String {
    const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let columns = columns.min(course.len());
    let mean = |column: usize| {
        let (from, to) = (column * course.len() / columns, (column + 1) * course.len() / columns);
        let known: Vec<f64> = course[from..to].iter().flatten().copied().collect();
        (!known.is_empty()).then(|| known.iter().sum::<f64>() / known.len() as f64)
    };
    let means: Vec<Option<f64>> = (0..columns).map(mean).collect();
    let most = means.iter().flatten().copied().fold(0.0, f64::max);
    let block = |mean: &Option<f64>| match mean {
        None => ' ',
        Some(_) if most == 0.0 => BLOCKS[0],
        Some(mean) => BLOCKS[((mean / most * 7.0).round() as usize).min(7)],
    };
    means.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_blocks_shows_the_shape() {
        let course = [Some(0.0), Some(1.0), Some(4.0), Some(8.0), None, Some(8.0)];
        assert_eq!(sparkline(&course, 6), "▁▂▅█ █");
        assert_eq!(sparkline(&course, 3), "▁▆█");
        assert_eq!(sparkline(&course, 100), "▁▂▅█ █");
        assert_eq!((sparkline(&[], 5).as_str(), sparkline(&[Some(0.0)], 5).as_str()), ("", "▁"));
    }
}
