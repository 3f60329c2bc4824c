//! The results of a sweep.

use super::design::Points;
use crate::experiment::figure::{Figure, figures};
use crate::experiment::metric::Metric;
use crate::scenario::Scenario;

/// The results of a sweep as plain values.
#[derive(Debug, Clone, PartialEq)]
pub struct SweepTable {
    /// The title of the scenario.
    pub title: String,
    /// The points.
    pub points: Points,
    /// The figures, the same for every point and policy.
    pub figures: Vec<Figure>,
    /// Labels of the policies.
    pub policies: Vec<String>,
    /// The target of each objective of the unvaried scenario.
    pub targets: Vec<f64>,
    /// The same objectives in words.
    pub objectives: Vec<String>,
    /// Means over the replications by point, policy and figure; NaN if there is none.
    means: Vec<f64>,
}

/// How much an axis changes a figure of a policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Influence {
    /// Index of the axis.
    pub axis: usize,
    /// The value of the axis with the lowest figure, and the figure there.
    pub least: (String, f64),
    /// The value of the axis with the highest figure, and the figure there.
    pub greatest: (String, f64),
}

impl SweepTable {
    /// A table without results.
    #[doc(hidden)]
    pub fn new(
        title: String,
        points: Points,
        figures: Vec<Figure>,
        policies: Vec<String>,
        targets: Vec<f64>,
    ) -> SweepTable {
        let means = vec![f64::NAN; points.len() * policies.len() * figures.len()];
        SweepTable { title, points, figures, policies, targets, objectives: Vec::new(), means }
    }

    /// A table of variations of `base`, without results.
    #[doc(hidden)]
    pub fn of(base: &Scenario, points: Points) -> SweepTable {
        let policies = base.policies.iter().map(|policy| policy.label.clone()).collect();
        let targets = base.objectives.iter().map(|objective| objective.target.get()).collect();
        let objectives = base.objectives.iter().map(|objective| objective.text()).collect();
        SweepTable { objectives, ..SweepTable::new(base.title.clone(), points, figures(base), policies, targets) }
    }

    /// Sets the means of one point and policy, one per figure.
    #[doc(hidden)]
    pub fn enter(&mut self, point: usize, policy: usize, means: &[Option<f64>]) {
        let start = self.place(point, policy, 0);
        for (place, mean) in self.means[start..start + self.figures.len()].iter_mut().zip(means) {
            *place = mean.unwrap_or(f64::NAN);
        }
    }

    fn place(&self, point: usize, policy: usize, figure: usize) -> usize {
        (point * self.policies.len() + policy) * self.figures.len() + figure
    }

    /// The mean of a figure over the replications; `None` if some replication had none.
    pub fn mean(&self, point: usize, policy: usize, figure: usize) -> Option<f64> {
        Some(self.means[self.place(point, policy, figure)]).filter(|mean| mean.is_finite())
    }

    /// Whether a policy met every objective at a point on average; an objective without eligible requests counts as
    /// met.
    pub fn meets_objectives(&self, point: usize, policy: usize) -> bool {
        self.figures.iter().enumerate().all(|(index, figure)| match figure.quantity {
            Metric::Attainment(objective) => {
                let target = self.targets.get(objective).copied().unwrap_or(0.0);
                self.mean(point, policy, index).is_none_or(|attained| attained >= target)
            }
            _ => true,
        })
    }

    /// The point at which a policy costs least (or takes the fewest replica-hours, if nothing has a price) among those
    /// at which it meets every objective; the first among equals.
    pub fn cheapest(&self, policy: usize) -> Option<usize> {
        let cost = self.figures.iter().position(Figure::is_expense)?;
        let met = (0..self.points.len()).filter(|point| self.meets_objectives(*point, policy));
        let costs = met.filter_map(|point| Some((point, self.mean(point, policy, cost)?)));
        costs.min_by(|a, b| a.1.total_cmp(&b.1)).map(|(point, _)| point)
    }

    /// A figure at each pair of values of two axes, averaged over the other axes; `None` if nothing was run.
    #[doc(hidden)]
    pub fn cells(&self, policy: usize, figure: usize, axes: [usize; 2]) -> Cells {
        let [columns, rows] = axes.map(|axis| self.points.axes[axis].all());
        let mut sums = vec![vec![(0.0, 0u32); columns.len()]; rows.len()];
        for point in 0..self.points.len() {
            let values = self.points.point(point);
            let place = |axis: usize, all: &[String]| all.iter().position(|value| Some(value.as_str()) == values[axis]);
            let (Some(column), Some(row)) = (place(axes[0], &columns), place(axes[1], &rows)) else { continue };
            let Some(mean) = self.mean(point, policy, figure) else { continue };
            let (sum, count) = &mut sums[row][column];
            (*sum, *count) = (*sum + mean, *count + 1);
        }
        let average = |(sum, count): (f64, u32)| (count > 0).then(|| sum / f64::from(count));
        Cells { columns, rows, values: sums.into_iter().map(|row| row.into_iter().map(average).collect()).collect() }
    }

    /// A figure at each value of an axis, averaged over the other axes.
    #[doc(hidden)]
    pub fn levels(&self, policy: usize, figure: usize, axis: usize) -> Vec<(String, f64)> {
        let mut sums: Vec<(&str, f64, u32)> = Vec::new();
        for point in 0..self.points.len() {
            let Some(value) = self.points.point(point)[axis] else { continue };
            let Some(mean) = self.mean(point, policy, figure) else { continue };
            match sums.iter_mut().find(|(known, ..)| *known == value) {
                Some((_, sum, count)) => (*sum, *count) = (*sum + mean, *count + 1),
                None => sums.push((value, mean, 1)),
            }
        }
        sums.into_iter().map(|(value, sum, count)| (value.to_string(), sum / f64::from(count))).collect()
    }

    /// How much each axis changes a figure, largest first: the extremes of its [`levels`](Self::levels).
    #[doc(hidden)]
    pub fn influences(&self, policy: usize, figure: usize) -> Vec<Influence> {
        let influence = |axis: usize| {
            let levels = self.levels(policy, figure, axis);
            let by_figure = |a: &&(String, f64), b: &&(String, f64)| a.1.total_cmp(&b.1);
            let (least, greatest) = (levels.iter().min_by(by_figure)?, levels.iter().max_by(by_figure)?);
            Some(Influence { axis, least: least.clone(), greatest: greatest.clone() })
        };
        let mut all: Vec<Influence> = (0..self.points.axes.len()).filter_map(influence).collect();
        all.sort_by(|a, b| (b.greatest.1 - b.least.1).total_cmp(&(a.greatest.1 - a.least.1)));
        all
    }

    /// Spearman's rank correlation of each axis with a figure over all points, strongest first: +1 if the figure always
    /// increases with the axis, -1 if it always decreases. Values of a list rank in the order given.
    pub fn rank_correlations(&self, policy: usize, figure: usize) -> Vec<(usize, f64)> {
        let correlation = |axis: usize| {
            let pairs = (0..self.points.len()).filter_map(|point| {
                let position = self.points.axes[axis].position(self.points.point(point)[axis]?)?;
                Some((position, self.mean(point, policy, figure)?))
            });
            let (positions, means): (Vec<f64>, Vec<f64>) = pairs.unzip();
            Some((axis, pearson(&ranks(&positions), &ranks(&means))?))
        };
        let mut all: Vec<(usize, f64)> = (0..self.points.axes.len()).filter_map(correlation).collect();
        all.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        all
    }
}

/// A figure over two axes.
#[derive(Debug, Clone, PartialEq)]
pub struct Cells {
    /// Values of the first axis.
    pub columns: Vec<String>,
    /// Values of the second axis.
    pub rows: Vec<String>,
    /// The figure by row and column.
    pub values: Vec<Vec<Option<f64>>>,
}

/// Ranks from 1; ties share the mean of their ranks.
fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
    let mut ranks = vec![0.0; values.len()];
    let mut from = 0;
    for equal in order.chunk_by(|a, b| values[*a] == values[*b]) {
        let rank = from as f64 + (equal.len() as f64 + 1.0) / 2.0;
        equal.iter().for_each(|at| ranks[*at] = rank);
        from += equal.len();
    }
    ranks
}

/// Pearson's correlation; `None` where one side never changes.
fn pearson(a: &[f64], b: &[f64]) -> Option<f64> {
    let count = a.len() as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / count;
    let (mean_a, mean_b) = (mean(a), mean(b));
    let sum = |of: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| of(a - mean_a, b - mean_b)).sum::<f64>();
    let (cross, a_square, b_square) = (sum(&|a, b| a * b), sum(&|a, _| a * a), sum(&|_, b| b * b));
    (a_square > 0.0 && b_square > 0.0).then(|| cross / (a_square * b_square).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::experiment::sweep::design::Design;

    /// cost = 10 a + b, attained 1 where a > 1.
    fn table(design: Design) -> SweepTable {
        let axes = vec!["a=1..3".parse().unwrap(), "b=0,5".parse().unwrap()];
        let points = Points::new(axes, design, 40, 3).unwrap();
        let figure = |quantity, name: &str| Figure { quantity, service: None, name: name.into() };
        let figures = vec![figure(Metric::Cost, "cost"), figure(Metric::Attainment(0), "attainment.1")];
        let mut table = SweepTable::new("t".into(), points, figures, vec!["p".into()], vec![0.9]);
        for point in 0..table.points.len() {
            let value = |axis: usize, base: f64| table.points.point(point)[axis].map_or(base, |v| v.parse().unwrap());
            let (a, b): (f64, f64) = (value(0, 2.0), value(1, 1.0));
            table.enter(point, 0, &[Some(10.0 * a + b), Some(if a > 1.0 { 1.0 } else { 0.5 })]);
        }
        table
    }

    #[test]
    fn the_cheapest_point_meets_the_objectives() {
        let table = table(Design::Grid);
        let best = table.cheapest(0).unwrap();
        assert_eq!(table.points.point(best), [Some("2"), Some("0")]);
    }

    #[test]
    fn cells_and_levels_average_over_the_rest() {
        let table = table(Design::Grid);
        let cells = table.cells(0, 0, [0, 1]);
        assert_eq!(cells.values, [[Some(10.0), Some(20.0), Some(30.0)], [Some(15.0), Some(25.0), Some(35.0)]]);
        assert_eq!(table.levels(0, 0, 0)[0], ("1".to_string(), 12.5));
    }

    #[test]
    fn the_widest_influence_comes_first() {
        let table = table(Design::OneAtATime);
        let influences = table.influences(0, 0);
        assert_eq!(influences[0].axis, 0);
        assert_eq!((&influences[0].least, &influences[0].greatest), (&("1".into(), 11.0), &("3".into(), 31.0)));
        assert_eq!((influences[1].least.1, influences[1].greatest.1), (20.0, 25.0));
    }

    #[test]
    fn rank_correlations_find_what_matters() {
        let table = table(Design::LatinHypercube);
        let found = table.rank_correlations(0, 0);
        assert_eq!(found[0].0, 0);
        assert!(found[0].1 > 0.9 && found[1].1.abs() < 0.5, "{found:?}");
        assert_eq!(ranks(&[5.0, 1.0, 5.0]), [2.5, 1.0, 2.5]);
        assert_eq!(pearson(&[1.0, 2.0], &[3.0, 3.0]), None);
    }
}
