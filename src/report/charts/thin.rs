//! Fewer points that look the same.

/// A point: time or latency, and a value.
pub(super) type Point = (f64, f64);

/// Keeps at most about `budget` points of a line whose x never goes back: in each of `budget / 2` equal slices of x the
/// lowest and the highest, in their order, and both ends of the line. Short lines are kept as they are. Spikes survive,
/// which averaging would flatten.
pub(super) fn thin(points: &[Point], budget: usize) -> Vec<Point> {
    if points.len() <= budget.max(4) {
        return points.to_vec();
    }
    let (first, last) = (points[0], points[points.len() - 1]);
    let slices = (budget / 2).max(1) as f64;
    let width = (last.0 - first.0) / slices;
    let slice_of = |point: &Point| if width > 0.0 { ((point.0 - first.0) / width) as usize } else { 0 };
    let mut kept = vec![first];
    for slice in points[1..points.len() - 1].chunk_by(|a, b| slice_of(a) == slice_of(b)) {
        let by_value = |a: &(usize, &Point), b: &(usize, &Point)| a.1.1.total_cmp(&b.1.1);
        let low = slice.iter().enumerate().min_by(by_value);
        let high = slice.iter().enumerate().max_by(by_value);
        let mut ends: Vec<(usize, &Point)> = low.into_iter().chain(high).collect();
        ends.sort_by_key(|(index, _)| *index);
        ends.dedup_by_key(|(index, _)| *index);
        kept.extend(ends.into_iter().map(|(_, point)| *point));
    }
    kept.push(last);
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

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
