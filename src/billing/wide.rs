//! Products of two 128-bit integers, added and divided without loss: usage times price exceeds 128 bits.

/// A 256-bit sum of products; it saturates.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Wide {
    high: u128,
    low: u128,
}

impl Wide {
    const MAX: Wide = Wide { high: u128::MAX, low: u128::MAX };

    /// `a` times `b`, exactly.
    pub(super) fn product(a: u128, b: u128) -> Wide {
        const HALF: u128 = u64::MAX as u128;
        let ((a_high, a_low), (b_high, b_low)) = ((a >> 64, a & HALF), (b >> 64, b & HALF));
        let low = a_low * b_low;
        // (2^64 - 1)^2 + 2^64 - 1 is below 2^128.
        let first = a_high * b_low + (low >> 64);
        let second = a_low * b_high + (first & HALF);
        Wide { high: a_high * b_high + (first >> 64) + (second >> 64), low: (second << 64) | (low & HALF) }
    }

    pub(super) fn plus(self, other: Wide) -> Wide {
        let (low, carry) = self.low.overflowing_add(other.low);
        let high = self.high.checked_add(other.high).and_then(|high| high.checked_add(u128::from(carry)));
        high.map_or(Wide::MAX, |high| Wide { high, low })
    }

    /// The quotient, rounded down, and the remainder; the quotient saturates at 2^128 - 1. A divisor of zero counts as one.
    fn divided(self, by: u128) -> (u128, u128) {
        let by = by.max(1);
        if self.high >= by {
            return (u128::MAX, 0);
        }
        let (mut quotient, mut rest) = (0, self.high);
        for bit in (0..128).rev() {
            let above = rest >> 127 == 1;
            rest = (rest << 1) | ((self.low >> bit) & 1);
            if above || rest >= by {
                rest = rest.wrapping_sub(by);
                quotient |= 1 << bit;
            }
        }
        (quotient, rest)
    }

    /// The quotient, rounded down.
    pub(super) fn floor(self, by: u128) -> u128 {
        self.divided(by).0
    }

    /// The quotient, rounded to the nearest integer, half up.
    pub(super) fn nearest(self, by: u128) -> u128 {
        let (quotient, rest) = self.divided(by);
        quotient.saturating_add(u128::from(rest >= by.max(1) - rest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn extremes_saturate() {
        let most = Wide::product(u128::MAX, u128::MAX);
        assert_eq!(most, Wide { high: u128::MAX - 1, low: 1 });
        assert_eq!(most.plus(most), Wide::MAX);
        assert_eq!(most.nearest(1), u128::MAX);
        assert_eq!(most.nearest(u128::MAX), u128::MAX);
        assert_eq!(Wide::product(u128::MAX, 3).floor(3), u128::MAX);
        assert_eq!(Wide::product(7, 1).floor(0), 7);
        assert_eq!(Wide::default().nearest(5), 0);
    }

    proptest! {
        #[test]
        fn small_products_agree_with_the_hardware(a in any::<u64>(), b in any::<u64>(), c in any::<u64>(), by in 1..u64::MAX) {
            let wide = Wide::product(a.into(), b.into()).plus(Wide::product(c.into(), 1));
            let plain = u128::from(a) * u128::from(b) + u128::from(c);
            let by = u128::from(by);
            prop_assert_eq!(wide, Wide { high: 0, low: plain });
            prop_assert_eq!(wide.floor(by), plain / by);
            prop_assert_eq!(wide.nearest(by), plain / by + u128::from(plain % by * 2 >= by));
        }

        /// A product divided by one of its factors is the other one, whatever is added below that factor.
        #[test]
        fn division_undoes_the_product(a in any::<u128>(), b in 1..u128::MAX, less in any::<u128>()) {
            prop_assert_eq!(Wide::product(a, b).floor(b), a);
            prop_assert_eq!(Wide::product(a, b).nearest(b), a);
            prop_assert_eq!(Wide::product(a, b).plus(Wide::product(less % b, 1)).divided(b), (a, less % b));
        }
    }
}
