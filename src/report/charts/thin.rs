//! Fewer points that look the same.

/// A point: time or latency, and a value.
pub(super) type Point = (f64, f64);

/// Keeps at most about `budget` points of a line whose x never goes back: in each of `budget / 4` equal slices of x the first, the
/// lowest, the highest and the last, in their order (M4: Jugel, Jerzak, Hackenbroich and Markl, VLDB 2014). Spikes survive, which
/// averaging would flatten, and what joins two slices is a piece of the line itself: a step stays upright. Short lines are kept as
/// they are.
pub(super) fn thin(points: &[Point], budget: usize) -> Vec<Point> {
    if points.len() <= budget.max(4) {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let slices = (budget / 4).max(1) as f64;
    let width = (last.0 - first.0) / slices;
    let slice_of = |point: &Point| if width > 0.0 { ((point.0 - first.0) / width) as usize } else { 0 };
    let mut kept = vec![first];
    for slice in points[1..points.len() - 1].chunk_by(|a, b| slice_of(a) == slice_of(b)) {
        let by_value = |a: &usize, b: &usize| slice[*a].1.total_cmp(&slice[*b].1);
        let extremes = [(0..slice.len()).min_by(by_value), (0..slice.len()).max_by(by_value)];
        let mut corners: Vec<usize> = extremes.into_iter().flatten().chain([0, slice.len() - 1]).collect();
        corners.sort_unstable();
        corners.dedup();
        kept.extend(corners.into_iter().map(|index| slice[index]));
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Levels of one in a thousand intervals: whatever joins two slices is level or upright.
    #[test]
    fn steps_stay_upright() {
        let level = |i: usize| if i % 700 < 350 { 2.0 } else { 3.0 };
        let corners = |i: usize| [(i as f64, level(i)), ((i + 350) as f64, level(i))];
        let points: Vec<Point> = (0..350_000).step_by(350).flat_map(corners).collect();
        let kept = thin(&points, 400);
        let slice = 350_000.0 / 100.0;
        let slanted = |pair: &&[Point]| pair[0].0 != pair[1].0 && pair[0].1 != pair[1].1;
        assert!(kept.windows(2).filter(slanted).all(|pair| pair[1].0 - pair[0].0 < slice), "{kept:?}");
        let long: Vec<Point> = [(0.0, 1.0), (5e5, 1.0), (5e5, 2.0), (1e6, 2.0)].into();
        let busy: Vec<Point> = (0..1000).map(|i| (1e6 + f64::from(i / 2), 2.0 + f64::from((i + 1) / 2 % 2))).collect();
        let kept = thin(&[long.clone(), busy].concat(), 100);
        assert_eq!(kept[..3], long[..3], "a long level before a busy stretch has both its ends");
    }

    proptest! {
        #[test]
        fn extremes_order_and_size(values in prop::collection::vec(-1e3f64..1e3, 1..3000), budget in 10usize..400) {
            let points: Vec<Point> = values.iter().enumerate().map(|(i, v)| (i as f64, *v)).collect();
            let kept = thin(&points, budget);
            let top = |points: &[Point]| points.iter().map(|p| p.1).fold(f64::MIN, f64::max);
            let bottom = |points: &[Point]| points.iter().map(|p| p.1).fold(f64::MAX, f64::min);
            prop_assert!(kept.len() <= budget + 4);
            prop_assert_eq!((top(&kept), bottom(&kept)), (top(&points), bottom(&points)));
            prop_assert!(kept.windows(2).all(|pair| pair[0].0 < pair[1].0));
            prop_assert_eq!((kept.first(), kept.last()), (points.first(), points.last()));
        }
    }
}
