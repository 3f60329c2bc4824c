//! Which points of the parameter space are run.

use super::axis::Axis;
use crate::random::{Draw, Purpose, Streams};

/// The maximum number of points of a sweep.
const MAX_POINTS: usize = 1_000_000;

/// How points are chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Design {
    /// Every combination of the axes' values; the last axis varies fastest.
    Grid,
    /// The unchanged scenario, then each axis through its values while the others are unchanged.
    OneAtATime,
    /// Independent uniform draws.
    Random,
    /// One point in each of n equal parts of every axis, for n points, in random order per axis (McKay, Beckman and
    /// Conover 1979): the same coverage along each axis as a grid with n values.
    LatinHypercube,
}

/// The points of a sweep: a pure function of axes, design, number and seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Points {
    /// The axes.
    #[doc(hidden)]
    pub axes: Vec<Axis>,
    /// How points are chosen.
    pub design: Design,
    len: usize,
    /// Per axis: its values in a grid or one at a time, the value of each point in a sampled design.
    columns: Vec<Vec<String>>,
}

impl Points {
    /// The points of a design over `axes`; `wanted` only applies to sampled designs.
    ///
    /// # Errors
    /// If a path is varied twice, a grid has an axis without a step, or there are no points or more than a million.
    #[doc(hidden)]
    pub fn new(axes: Vec<Axis>, design: Design, wanted: usize, seed: u64) -> Result<Points, String> {
        for (index, axis) in axes.iter().enumerate() {
            if axes[..index].iter().any(|other| other.path == axis.path) {
                return Err(format!("`{}` is varied twice", axis.path));
            }
        }
        let counts: Result<Vec<u64>, String> = match design {
            Design::Grid => axes.iter().map(Axis::count).collect(),
            Design::OneAtATime => Ok(axes.iter().map(|axis| axis.telling().len() as u64).collect()),
            Design::Random | Design::LatinHypercube => Ok(Vec::new()),
        };
        let counts = counts?;
        let len = match design {
            Design::Grid => counts.iter().try_fold(1u64, |product, count| product.checked_mul(*count)),
            Design::OneAtATime => counts.iter().try_fold(1u64, |sum, count| sum.checked_add(*count)),
            Design::Random | Design::LatinHypercube => Some(wanted as u64),
        };
        let len =
            len.filter(|len| (1..=MAX_POINTS as u64).contains(len)).ok_or("a sweep has 1 to 1000000 points")? as usize;
        let column = |(number, axis): (usize, &Axis)| {
            let mut draw = Streams::new(seed, 0).running(Purpose::Design, number as u64);
            match design {
                Design::Grid => axis.all(),
                Design::OneAtATime => axis.telling(),
                Design::Random => (0..len).map(|_| axis.at(draw.uniform())).collect(),
                Design::LatinHypercube => latin(len, &mut draw).into_iter().map(|share| axis.at(share)).collect(),
            }
        };
        let columns = axes.iter().enumerate().map(column).collect();
        Ok(Points { axes, design, len, columns })
    }

    /// Number of points.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Always false: there is at least one point.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The values at point `index`, one per axis; `None` for the scenario's own value.
    pub fn point(&self, index: usize) -> Vec<Option<&str>> {
        let mut values = vec![None; self.axes.len()];
        let mut rest = index;
        match self.design {
            Design::Grid => {
                for (value, column) in values.iter_mut().zip(&self.columns).rev() {
                    *value = Some(column[rest % column.len()].as_str());
                    rest /= column.len();
                }
            }
            Design::OneAtATime if index > 0 => {
                rest -= 1;
                for (value, column) in values.iter_mut().zip(&self.columns) {
                    if let Some(own) = column.get(rest) {
                        *value = Some(own.as_str());
                        break;
                    }
                    rest -= column.len();
                }
            }
            Design::OneAtATime => {}
            Design::Random | Design::LatinHypercube => {
                values = self.columns.iter().map(|column| column.get(index).map(String::as_str)).collect();
            }
        }
        values
    }

    /// A short name of an axis: the end of its path, with as many parts as needed to make it unique.
    pub fn label(&self, axis: usize) -> &str {
        let path = self.axes[axis].path.as_str();
        let ends = path.rmatch_indices('.').map(|(at, _)| &path[at + 1..]);
        let is_telling = |end: &&str| {
            let ends_alike = |other: &Axis| other.path == *end || other.path.ends_with(&format!(".{end}"));
            self.axes.iter().filter(|other| ends_alike(other)).count() == 1
        };
        ends.into_iter().find(is_telling).unwrap_or(path)
    }

    /// The overrides of point `index`.
    pub fn set(&self, index: usize) -> Vec<(String, String)> {
        let values = self.axes.iter().zip(self.point(index));
        values.filter_map(|(axis, value)| Some((axis.path.clone(), value?.to_string()))).collect()
    }
}

/// One share in each of `count` equal parts of [0, 1), in random order (Fisher and Yates).
fn latin(count: usize, draw: &mut Draw) -> Vec<f64> {
    let mut shares: Vec<f64> = (0..count).map(|part| (part as f64 + draw.uniform()) / count as f64).collect();
    for last in (1..count).rev() {
        shares.swap(last, draw.index(last as u32 + 1) as usize);
    }
    shares
}

#[cfg(test)]
mod tests {
    use super::*;

    fn points(axes: &[&str], design: Design, wanted: usize) -> Points {
        Points::new(axes.iter().map(|axis| axis.parse().unwrap()).collect(), design, wanted, 7).unwrap()
    }

    fn texts(points: &Points) -> Vec<String> {
        (0..points.len()).map(|i| points.point(i).iter().map(|v| v.unwrap_or("-")).collect()).collect()
    }

    #[test]
    fn the_last_axis_of_a_grid_varies_fastest() {
        assert_eq!(texts(&points(&["a=1..2", "b=x,y,z"], Design::Grid, 0)), ["1x", "1y", "1z", "2x", "2y", "2z"]);
    }

    #[test]
    fn one_axis_moves_at_a_time() {
        let points = points(&["a=1..5", "b=x,y,z"], Design::OneAtATime, 0);
        assert_eq!(texts(&points), ["--", "1-", "5-", "-x", "-y", "-z"]);
        assert_eq!(points.set(0), []);
        assert_eq!(points.set(4), [("b".to_string(), "y".to_string())]);
    }

    #[test]
    fn a_latin_hypercube_has_one_point_in_each_part_of_each_axis() {
        let design = points(&["a=0..99", "b=0.0..1.0"], Design::LatinHypercube, 100);
        for (axis, width) in [(0, 1.0), (1, 0.01)] {
            let mut parts: Vec<usize> = (0..100)
                .map(|i| (design.axes[axis].position(design.point(i)[axis].unwrap()).unwrap() / width) as usize)
                .collect();
            assert!(!parts.is_sorted(), "in random order");
            parts.sort_unstable();
            // A sampled decimal is rounded, so it may be at the end of its part.
            assert!(parts.iter().enumerate().all(|(i, part)| part.abs_diff(i) <= axis), "{parts:?}");
        }
    }

    #[test]
    fn samples_are_a_function_of_the_seed_and_an_axis_does_not_disturb_the_others() {
        let both = points(&["a=0..999", "b=0..999"], Design::Random, 50);
        let one = points(&["a=0..999"], Design::Random, 50);
        assert!((0..50).all(|i| both.point(i)[0] == one.point(i)[0]));
        let mean = (0..50).map(|i| both.axes[1].position(both.point(i)[1].unwrap()).unwrap()).sum::<f64>() / 50.0;
        assert!((350.0..650.0).contains(&mean), "{mean}");
    }

    #[test]
    fn labels_are_short_and_distinct() {
        let points = points(&["a.min=1,2", "b.c.min=1,2", "seed=1,2", "c.max=1,2"], Design::Grid, 0);
        assert_eq!([0, 1, 2, 3].map(|axis| points.label(axis)), ["a.min", "c.min", "seed", "max"]);
    }

    #[test]
    fn impossible_designs_are_refused() {
        let new = |axes: &[&str], design, wanted| {
            Points::new(axes.iter().map(|axis| axis.parse().unwrap()).collect(), design, wanted, 1)
        };
        assert!(new(&["a=0..999999", "b=1,2"], Design::Grid, 0).unwrap_err().contains("1000000"));
        assert!(new(&["a=1..2"], Design::Random, 0).is_err());
        assert!(new(&["a=1..2", "a=3"], Design::Grid, 0).unwrap_err().contains("twice"));
        assert!(new(&["a=0.1..2"], Design::Grid, 0).unwrap_err().contains("step"));
    }
}
