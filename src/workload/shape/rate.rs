//! Counts of arrivals in equal steps.

use crate::units::{SimDuration, SimTime};
use crate::workload::batch::RequestBatch;
use crate::workload::error::TraceError;
use crate::workload::source::TraceSource;

/// Maximum number of steps: 80 MB of counts.
const MAX_STEPS: u64 = 10_000_000;

/// Number of requests in each whole step from time zero up to `end`, or else up to the end of the source. An incomplete
/// last step is left out, because its count would be too low.
///
/// # Errors
/// If the source cannot be read on, if `step` is zero, or if there are more than ten million steps.
pub fn arrivals_per_step(
    source: &mut dyn TraceSource,
    step: SimDuration,
    end: Option<SimDuration>,
) -> Result<Vec<u64>, TraceError> {
    if step.is_zero() {
        return Err(TraceError::new("step", "must be above zero"));
    }
    let limit = end.map_or(MAX_STEPS, |end| (end.as_nanos() / step.as_nanos()).min(MAX_STEPS));
    let mut counts: Vec<u64> = Vec::new();
    let mut batch = RequestBatch::default();
    let mut newest = SimTime::ZERO;
    'reading: loop {
        batch.clear();
        source.fill(&mut batch)?;
        let Some(last) = batch.arrivals.last() else { break };
        newest = *last;
        for arrival in &batch.arrivals {
            let place = arrival.as_nanos() / step.as_nanos();
            if place >= limit {
                break 'reading;
            }
            // Below the limit, which is a number of elements in memory.
            let place = place as usize;
            if place >= counts.len() {
                counts.resize(place + 1, 0);
            }
            counts[place] += 1;
        }
    }
    if end.is_none() && newest.as_nanos() / step.as_nanos() >= MAX_STEPS {
        return Err(TraceError::new("step", format!("more than {MAX_STEPS} steps")).help("take a longer step"));
    }
    let extent = source.extent().unwrap_or(newest.since(SimTime::ZERO));
    let whole = (end.unwrap_or(extent).as_nanos() / step.as_nanos()).min(MAX_STEPS);
    counts.resize(whole as usize, 0);
    Ok(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One batch of arrivals at given seconds.
    struct At(Vec<u64>);

    impl TraceSource for At {
        fn fill(&mut self, batch: &mut RequestBatch) -> Result<(), TraceError> {
            batch.arrivals.extend(self.0.drain(..).map(SimTime::from_secs));
            Ok(())
        }

        fn extent(&self) -> Option<SimDuration> {
            Some(SimDuration::from_secs(35))
        }
    }

    #[test]
    fn whole_steps_are_counted() {
        let ten = SimDuration::from_secs(10);
        let counted = |end| arrivals_per_step(&mut At(vec![0, 9, 10, 34]), ten, end);
        assert_eq!(counted(None), Ok(vec![2, 1, 0]), "the last five seconds are no whole step");
        assert_eq!(counted(Some(SimDuration::from_secs(20))), Ok(vec![2, 1]));
        assert_eq!(counted(Some(SimDuration::from_secs(50))), Ok(vec![2, 1, 0, 1, 0]));
        assert!(arrivals_per_step(&mut At(vec![]), SimDuration::ZERO, None).is_err());
        let fine = SimDuration::from_nanos(1);
        assert!(arrivals_per_step(&mut At(vec![34]), fine, None).is_err(), "too many steps");
    }
}
