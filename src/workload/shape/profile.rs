//! A profile of relative rates: linear interpolation between the middles of blocks of equal length.

/// Linear interpolation between the middles of the blocks; the first and the last half block are level. Times are in
/// blocks.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Profile {
    /// The values at the middles.
    values: Vec<f64>,
    /// The integral up to the start of each block, and up to the end.
    before: Vec<f64>,
}

impl Profile {
    /// Interpolates these values, at least one and not all zero, scaled to a mean of 1 over all blocks.
    pub(crate) fn through(values: &[f64]) -> Profile {
        let mut profile = Profile { values: values.into(), before: Vec::new() };
        profile.sum_up();
        let mean = profile.total() / values.len() as f64;
        profile.values.iter_mut().for_each(|value| *value /= mean);
        profile.sum_up();
        profile
    }

    /// A profile with these means of the blocks, as far as nonnegative values allow: each mean is (previous + 6 own +
    /// next) / 8, solved by fixed-point iteration (the matrix is diagonally dominant).
    pub(super) fn of_means(means: &[f64]) -> Profile {
        let mut values = means.to_vec();
        for _ in 0..50 {
            let old = values.clone();
            for (place, value) in values.iter_mut().enumerate() {
                let before = old[place.saturating_sub(1)];
                let after = old[(place + 1).min(old.len() - 1)];
                *value = ((8.0 * means[place] - before - after) / 6.0).max(0.0);
            }
        }
        if values.iter().all(|value| *value == 0.0) { Profile::through(means) } else { Profile::through(&values) }
    }

    fn sum_up(&mut self) {
        let mut sum = 0.0;
        let mut before = vec![0.0];
        for block in 0..self.values.len() {
            sum += self.within(block, 1.0);
            before.push(sum);
        }
        self.before = before;
    }

    pub(crate) fn values(&self) -> &[f64] {
        &self.values
    }

    fn total(&self) -> f64 {
        self.before.last().copied().unwrap_or(0.0)
    }

    /// The integral over the first part of a block.
    fn within(&self, block: usize, part: f64) -> f64 {
        let own = self.values[block];
        let before = self.values[block.saturating_sub(1)];
        let after = self.values[(block + 1).min(self.values.len() - 1)];
        let (left, right) = (f64::midpoint(before, own), f64::midpoint(own, after));
        if part <= 0.5 {
            return part * (left + (own - left) * part);
        }
        let rest = part - 0.5;
        0.25 * (left + own) + rest * (own + (right - own) * rest)
    }

    /// The integral from the start up to a time.
    pub(crate) fn upto(&self, time: f64) -> f64 {
        let block = (time.max(0.0) as usize).min(self.values.len() - 1);
        self.before[block] + self.within(block, (time - block as f64).clamp(0.0, 1.0))
    }

    /// The share of the integral from `from` to `to` that is before `middle`; that of a constant rate if the integral
    /// is zero.
    pub(crate) fn share(&self, from: f64, middle: f64, to: f64) -> f64 {
        let (start, all) = (self.upto(from), self.upto(to) - self.upto(from));
        if all > 0.0 { ((self.upto(middle) - start) / all).clamp(0.0, 1.0) } else { (middle - from) / (to - from) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_keep_the_means_of_their_blocks() {
        let means = [1.0, 2.0, 3.0, 2.5, 1.5, 0.5];
        let profile = Profile::of_means(&means);
        let level = means.iter().sum::<f64>() / 6.0;
        for (block, mean) in means.iter().enumerate() {
            let own = profile.upto(block as f64 + 1.0) - profile.upto(block as f64);
            assert!((own - mean / level).abs() < 1e-9, "{block}: {own}");
        }
        // By hand: the lines through 1 and 3 are at 2 at the border, so the first half of a block has (1 + 1.25) / 2
        // ... of it.
        let two = Profile::through(&[1.0, 3.0]);
        assert!((two.upto(0.5) - 0.25).abs() < 1e-12 && (two.upto(1.0) - 0.625).abs() < 1e-12, "{two:?}");
        assert!((two.share(0.0, 0.5, 1.0) - 0.4).abs() < 1e-12);
    }

    #[test]
    fn nothing_is_shared_evenly() {
        let profile = Profile::through(&[0.0, 0.0, 0.0, 1.0]);
        assert_eq!(profile.share(0.0, 0.25, 0.5), 0.5);
    }
}
