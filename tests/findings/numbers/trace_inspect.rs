//! Numbers 12: incomplete first and last intervals.

use crate::findings::trial::Trial;

/// Two requests per second from 1:07:13 to 13:31:08: all whole seconds, minutes and hours have the same number, and the
/// incomplete first and last hour do not count.
#[test]
fn incomplete_minutes_and_hours_do_not_count() {
    let rows: String = (4033 * 2..48_668 * 2).map(|half| format!("{}.{},1\n", half / 2, half % 2 * 5)).collect();
    let trial = Trial::new(&[("steady.csv", &format!("time,demand\n{rows}"))]);
    let shown = trial.expect("trace inspect --demand demand steady.csv", 0);
    assert!(shown.contains("dispersion    0.00 per 1s, 0.00 per 1m, 0.00 per 1h"), "{shown}");
    assert!(shown.contains("1.0 times the mean of 120.0") && shown.contains("1.0 times the mean of 7200."), "{shown}");
}

/// An hour and a half has too few whole hours for a variance.
#[test]
fn too_few_intervals_give_no_variance() {
    let rows: String = (0..5400).map(|second| format!("{second},1\n")).collect();
    let trial = Trial::new(&[("short.csv", &format!("time,demand\n{rows}"))]);
    let shown = trial.expect("trace inspect --demand demand short.csv", 0);
    assert!(shown.contains("0.00 per 1s, 0.00 per 1m (1 for"), "{shown}");
}
