//! A CloudWatch alarm: one datapoint a period, and a state after enough of them breach.

use std::collections::VecDeque;

use crate::units::{SimDuration, SimTime};

/// When an alarm goes off.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct AlarmSpec {
    /// Whether it goes off above the threshold; otherwise below.
    pub is_above: bool,
    /// The threshold.
    pub threshold: f64,
    /// Whether a datapoint that equals the threshold breaches.
    pub or_equal: bool,
    /// The length of a period.
    pub period: SimDuration,
    /// Periods that are looked at.
    pub periods: u32,
    /// Datapoints among them that must breach.
    pub datapoints: u32,
}

/// An alarm and the datapoints of its last periods.
#[derive(Debug, Clone, PartialEq)]
pub struct Alarm {
    spec: AlarmSpec,
    /// The last periods, oldest first; `None` has no data.
    periods: VecDeque<Option<f64>>,
    /// The period that is measured: its number, and the sum and number of values.
    current: (u64, f64, u32),
}

impl Alarm {
    /// An alarm without data.
    pub fn new(spec: AlarmSpec) -> Self {
        Alarm { spec, periods: VecDeque::new(), current: (0, 0.0, 0) }
    }

    /// Its specification.
    pub fn spec(&self) -> &AlarmSpec {
        &self.spec
    }

    /// Takes in a value at `now`, or that there is none. Returns whether a period has ended: the alarm is evaluated then.
    pub fn observe(&mut self, now: SimTime, value: Option<f64>) -> bool {
        let length = self.spec.period.as_nanos().max(1);
        let number = now.as_nanos() / length;
        let (measured, sum, count) = self.current;
        let has_ended = number > measured;
        if has_ended {
            self.periods.push_back((count > 0).then(|| sum / f64::from(count)));
            let missing = (number - measured - 1).min(u64::from(self.spec.periods));
            (0..missing).for_each(|_| self.periods.push_back(None));
            while self.periods.len() > self.spec.periods.max(1) as usize {
                self.periods.pop_front();
            }
            self.current = (number, 0.0, 0);
        }
        if let Some(value) = value {
            self.current.1 += value;
            self.current.2 += 1;
        }
        has_ended
    }

    /// Whether enough datapoints of the last periods breach. Without data of as many it does not go off.
    pub fn is_off(&self) -> bool {
        let AlarmSpec { is_above, threshold, or_equal, datapoints, .. } = self.spec;
        let breaches = |value: f64| {
            let beyond = if is_above { value > threshold } else { value < threshold };
            beyond || (or_equal && value == threshold)
        };
        let breaching = self.periods.iter().flatten().filter(|value| breaches(**value)).count();
        breaching >= datapoints.max(1) as usize
    }

    /// The newest datapoint.
    pub fn datapoint(&self) -> Option<f64> {
        self.periods.back().copied().flatten()
    }

    /// The periods that must breach, in words ("3 x 1m above 70").
    pub fn words(&self) -> String {
        let AlarmSpec { is_above, threshold, period, periods, datapoints, .. } = self.spec;
        let of = if datapoints < periods { format!("{datapoints} of {periods}") } else { periods.to_string() };
        format!("{of} x {period} {} {}", if is_above { "above" } else { "below" }, super::common::short(threshold))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alarm(periods: u32, datapoints: u32) -> Alarm {
        let period = SimDuration::from_secs(60);
        Alarm::new(AlarmSpec { is_above: true, threshold: 70.0, or_equal: false, period, periods, datapoints })
    }

    #[test]
    fn it_goes_off_after_enough_periods() {
        let mut alarm = alarm(3, 2);
        let states: Vec<bool> = [80.0, 60.0, 90.0, 70.0, 60.0, 60.0]
            .into_iter()
            .zip(0..)
            .map(|(value, minute)| {
                alarm.observe(SimTime::from_secs(60 * minute + 10), Some(value));
                alarm.observe(SimTime::from_secs(60 * minute + 40), Some(value));
                alarm.is_off()
            })
            .collect();
        // A period is judged once it has ended; 70 is not above 70.
        assert_eq!(states, [false, false, false, true, false, false]);
    }

    #[test]
    fn missing_periods_do_not_breach() {
        let mut alarm = alarm(3, 3);
        assert!(!alarm.observe(SimTime::from_secs(10), Some(90.0)));
        assert!(alarm.observe(SimTime::from_secs(190), Some(90.0)));
        assert!(!alarm.is_off() && alarm.datapoint().is_none());
    }
}
