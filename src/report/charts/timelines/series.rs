//! The series of a timeline: what is drawn, in which panel, and in how many rows.

use crate::engine::Interval;
use crate::units::SimTime;

/// How a series is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Each value from the start of its row to its end.
    Steps,
    /// As steps; where intervals are joined the greatest value of each row, so that it covers no band of another series.
    Most,
    /// A line through the middles of the rows.
    Line,
    /// A surface from zero up to the steps.
    Area,
    /// A surface on top of the series before it: its rows hold the sum of both.
    Stacked,
}

impl Kind {
    /// The name that the page's script knows.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Kind::Steps | Kind::Most => "steps",
            Kind::Line => "line",
            Kind::Area => "area",
            Kind::Stacked => "stacked",
        }
    }
}

/// What the values of a panel are in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PanelUnit {
    /// Requests per second.
    Rate,
    /// Replicas.
    Replicas,
    /// Seconds, on a logarithmic scale.
    Latency,
    /// A share.
    Share,
}

impl PanelUnit {
    /// The name that the page's script knows.
    pub(super) const fn name(self) -> &'static str {
        match self {
            PanelUnit::Rate => "rate",
            PanelUnit::Replicas => "replicas",
            PanelUnit::Latency => "latency",
            PanelUnit::Share => "share",
        }
    }
}

/// A series: its name, its look, and how it comes from an interval.
pub(super) struct TimelineSeries {
    pub(super) name: &'static str,
    /// Class in the page's style sheet.
    pub(super) class: &'static str,
    pub(super) color: &'static str,
    pub(super) dashes: &'static str,
    pub(super) kind: Kind,
    of: fn(&Interval) -> Option<f64>,
}

/// A panel of a timeline.
pub(super) struct Panel {
    pub(super) title: &'static str,
    pub(super) measure: PanelUnit,
    pub(super) series: &'static [TimelineSeries],
}

/// The panels from top to bottom; a surface comes before the lines that cross it.
pub(super) static PANELS: [Panel; 5] = [
    Panel {
        title: "Arrivals per second",
        measure: PanelUnit::Rate,
        series: &[TimelineSeries {
            name: "arrivals",
            class: "c-0",
            color: "#0072b2",
            dashes: "",
            kind: Kind::Steps,
            of: arrivals,
        }],
    },
    Panel {
        title: "Replicas",
        measure: PanelUnit::Replicas,
        series: &[
            TimelineSeries {
                name: "needed",
                class: "c-needed",
                color: "#cfd4da",
                dashes: "",
                kind: Kind::Area,
                of: |i| Some(i.needed),
            },
            TimelineSeries {
                name: "ready",
                class: "c-0",
                color: "#0072b2",
                dashes: "",
                kind: Kind::Steps,
                of: |i| Some(i.ready),
            },
            TimelineSeries {
                name: "starting",
                class: "c-starting",
                color: "#9ecae1",
                dashes: "",
                kind: Kind::Stacked,
                of: |i| Some(i.starting),
            },
            TimelineSeries {
                name: "desired",
                class: "c-1",
                color: "#d55e00",
                dashes: "5 3",
                kind: Kind::Most,
                of: |i| Some(i.wanted),
            },
        ],
    },
    Panel {
        title: "Latency",
        measure: PanelUnit::Latency,
        series: &[
            TimelineSeries {
                name: "p50",
                class: "c-2",
                color: "#009e73",
                dashes: "3 2.5",
                kind: Kind::Line,
                of: |i| percentile(i, 0),
            },
            TimelineSeries {
                name: "p95",
                class: "c-0",
                color: "#0072b2",
                dashes: "9 3",
                kind: Kind::Line,
                of: |i| percentile(i, 1),
            },
            TimelineSeries {
                name: "p99",
                class: "c-1",
                color: "#d55e00",
                dashes: "",
                kind: Kind::Line,
                of: |i| percentile(i, 2),
            },
        ],
    },
    Panel {
        title: "Bad requests per second",
        measure: PanelUnit::Rate,
        series: &[
            TimelineSeries {
                name: "lost",
                class: "c-lost",
                color: "#b8503a",
                dashes: "",
                kind: Kind::Area,
                of: |i| rate(i, i.lost),
            },
            TimelineSeries {
                name: "too slow",
                class: "c-slow",
                color: "#e69f00",
                dashes: "",
                kind: Kind::Stacked,
                of: too_slow,
            },
        ],
    },
    Panel {
        title: "Utilization of slots",
        measure: PanelUnit::Share,
        series: &[TimelineSeries {
            name: "utilization",
            class: "c-3",
            color: "#a8457f",
            dashes: "",
            kind: Kind::Steps,
            of: |i| i.utilization,
        }],
    },
];

fn rate(interval: &Interval, count: u64) -> Option<f64> {
    (!interval.length.is_zero()).then(|| count as f64 / interval.length.as_secs_f64())
}

fn arrivals(interval: &Interval) -> Option<f64> {
    rate(interval, interval.arrived)
}

/// Completed, but not within the first latency objective, or overdue and never completed.
fn too_slow(interval: &Interval) -> Option<f64> {
    rate(interval, interval.bad() - interval.lost)
}

fn percentile(interval: &Interval, index: usize) -> Option<f64> {
    interval.sojourn.map(|values| values[index].as_secs_f64()).filter(|seconds| *seconds > 0.0)
}

/// The least and the greatest value of a row; `None` if it has none.
pub(super) type Range = Option<(f64, f64)>;

/// A timeline in rows: an interval each, or several.
pub(super) struct Rows {
    /// Ends of the rows, seconds: one more than there are rows.
    pub(super) edges: Vec<f64>,
    /// `values[panel][series][row]`.
    pub(super) values: Vec<Vec<Vec<Range>>>,
    /// Intervals in a row.
    pub(super) each: usize,
}

impl Rows {
    /// A timeline, one row an interval; what lies between intervals that do not touch is a row without values.
    pub(super) fn of(timeline: &[Interval]) -> Rows {
        let mut intervals: Vec<Option<&Interval>> = Vec::new();
        let mut edges: Vec<f64> = Vec::new();
        let mut end = SimTime::ZERO;
        for interval in timeline.iter().filter(|interval| !interval.length.is_zero()) {
            if interval.start > end && !edges.is_empty() {
                intervals.push(None);
                edges.push(interval.start.as_secs_f64());
            }
            if edges.is_empty() {
                edges.push(interval.start.as_secs_f64());
            }
            end = interval.start + interval.length;
            intervals.push(Some(interval));
            edges.push(end.as_secs_f64());
        }
        let value = |panel: &Panel, index: usize, interval: &Interval| -> Option<f64> {
            let series = &panel.series[index];
            let below = match series.kind {
                // The greatest sum is that of one moment, not the sum of two greatest values.
                Kind::Stacked => (panel.series[index - 1].of)(interval).unwrap_or(0.0),
                _ => 0.0,
            };
            (series.of)(interval).map(|own| below + own).filter(|value| value.is_finite())
        };
        let column = |panel: &'static Panel, index: usize| -> Vec<Range> {
            let of = |interval: &Option<&Interval>| interval.and_then(|i| value(panel, index, i)).map(|v| (v, v));
            intervals.iter().map(of).collect()
        };
        let columns = |panel: &'static Panel| (0..panel.series.len()).map(|index| column(panel, index)).collect();
        let values = PANELS.iter().map(columns).collect();
        Rows { edges, values, each: 1 }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.edges.len().saturating_sub(1)
    }

    /// As it is with at most `most` rows; otherwise rows of equally many rows, with the least and the greatest value of each, so
    /// that no spike is lost.
    pub(super) fn at_most(&self, most: usize) -> Rows {
        let each = self.len().div_ceil(most.max(1)).max(1);
        let last = self.edges.last().copied();
        let starts = self.edges.iter().take(self.len()).step_by(each).copied();
        let join = |column: &Vec<Range>| column.chunks(each).map(joined).collect::<Vec<Range>>();
        let values = self.values.iter().map(|panel| panel.iter().map(join).collect()).collect();
        Rows { edges: starts.chain(last).collect(), values, each: self.each * each }
    }

    /// Least and greatest value of a series.
    pub(super) fn extent(&self, panel: usize, series: usize) -> Range {
        joined(&self.values[panel][series])
    }

    /// Greatest value of a panel.
    pub(super) fn height(&self, panel: usize) -> f64 {
        let highest = |column: &Vec<Range>| joined(column).map_or(0.0, |(_, high)| high);
        self.values[panel].iter().map(highest).fold(0.0, f64::max)
    }

    /// What a stacked series lies on in a row: the greatest value of the series before it; zero for others.
    pub(super) fn below(&self, (panel, series): (usize, usize), row: usize) -> f64 {
        match PANELS[panel].series[series].kind {
            Kind::Stacked => self.values[panel][series - 1][row].map_or(0.0, |(_, high)| high),
            _ => 0.0,
        }
    }
}

fn joined(ranges: &[Range]) -> Range {
    ranges.iter().flatten().copied().reduce(|(low, high), (a, b)| (low.min(a), high.max(b)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::SimDuration;
    use proptest::prelude::*;

    fn rows(values: &[f64]) -> Rows {
        let edges = (0..=values.len()).map(|i| 60.0 * i as f64).collect();
        Rows { edges, values: vec![vec![values.iter().map(|v| Some((*v, *v))).collect()]], each: 1 }
    }

    proptest! {
        #[test]
        fn fewer_rows_keep_extremes_and_ends(values in prop::collection::vec(-1e3f64..1e3, 1..700), most in 1usize..200) {
            let all = rows(&values);
            let few = all.at_most(most);
            prop_assert!(few.len() <= most && few.values[0][0].len() == few.len());
            prop_assert_eq!(few.extent(0, 0), all.extent(0, 0));
            prop_assert_eq!((few.edges.first(), few.edges.last()), (all.edges.first(), all.edges.last()));
            prop_assert!(few.edges.windows(2).all(|pair| pair[0] < pair[1]));
        }
    }

    #[test]
    fn what_lies_between_intervals_is_a_row_without_values() {
        let interval = |start: u64| Interval {
            start: SimTime::from_secs(start),
            length: SimDuration::from_secs(10),
            arrived: 20,
            completed: 18,
            good: 15,
            lost: 2,
            ..Interval::default()
        };
        let rows = Rows::of(&[interval(0), interval(30)]);
        assert_eq!(rows.edges, [0.0, 10.0, 30.0, 40.0]);
        assert_eq!(rows.values[0][0], [Some((2.0, 2.0)), None, Some((2.0, 2.0))]);
        // Lost and too slow lie on each other.
        assert!((rows.height(3) - 0.5).abs() < 1e-12);
    }

    /// Four replicas start while two are ready; then six are: never were ten.
    #[test]
    fn joined_rows_stack_to_what_was_there_at_once() {
        let interval = |minute: u64, ready: f64, starting: f64| Interval {
            start: SimTime::from_secs(60 * minute),
            length: SimDuration::from_secs(60),
            ready,
            starting,
            wanted: 6.0,
            ..Interval::default()
        };
        let rows = Rows::of(&[interval(0, 2.0, 4.0), interval(1, 6.0, 0.0)]).at_most(1);
        assert_eq!((rows.len(), rows.each, rows.height(1)), (1, 2, 6.0));
        assert_eq!((rows.below((1, 2), 0), rows.values[1][2][0]), (6.0, Some((6.0, 6.0))));
    }
}
