//! Inequalities that every integer plan satisfies and most fractional plans violate; they leave branch and bound less
//! to branch on.
//!
//! Mixed-integer rounding (Nemhauser and Wolsey 1990; Marchand and Wolsey 2001) of rows (4): divided by the capacity d of some
//! offer, sum_i a_i x_i >= N becomes, with the fractions f_i of a_i / d and f of N / d,
//!
//! ```text
//! sum_i (floor(a_i / d) + min(1, f_i / f)) x_i >= ceil(N / d)
//! ```

use super::super::program::{Column, Program};
use super::{OfferColumns, ProvisioningProblem};

/// Fractions closer than this to an integer are rounding errors.
const FRACTION: f64 = 1e-6;

impl ProvisioningProblem {
    /// Adds the cuts of rows (4). If demand may be missed, rows (4) are not knapsacks and there are none.
    pub(super) fn cut(&self, program: &mut Program, columns: &[OfferColumns]) {
        if self.whole_demand || self.shortage_price.is_some() {
            return;
        }
        for (resource, demand) in self.demand.iter().enumerate() {
            let divisors = self.divisors(resource);
            for (interval, demand) in demand.iter().enumerate() {
                let running = self.offers.iter().zip(columns).flat_map(|(offer, of)| {
                    let capacity = offer.capacity[resource];
                    of.running(interval, offer.loss()).map(move |(column, counts)| (column, capacity * counts))
                });
                let terms: Vec<(Column, f64)> = running.filter(|(_, capacity)| *capacity > 0.0).collect();
                let needed = (1.0 + self.headroom) * demand;
                divisors.iter().filter_map(|by| rounded(&terms, needed, *by)).for_each(|(terms, least)| {
                    program.cut(terms, least);
                });
            }
        }
    }

    /// The capacities of the offers for a resource.
    fn divisors(&self, resource: usize) -> Vec<f64> {
        let of = |offer: &super::Offer| {
            let capacity = offer.capacity[resource];
            [Some(capacity), offer.spot.map(|spot| capacity * (1.0 - spot.loss))]
        };
        let mut divisors: Vec<f64> = self.offers.iter().flat_map(of).flatten().filter(|by| *by > 0.0).collect();
        divisors.sort_by(f64::total_cmp);
        divisors.dedup();
        divisors
    }
}

/// The rounded row; `None` if the demand is a multiple of the divisor, since rounding adds nothing then.
fn rounded(terms: &[(Column, f64)], needed: f64, by: f64) -> Option<(Vec<(Column, f64)>, f64)> {
    let least = needed / by;
    let fraction = least.fract();
    if !(FRACTION..1.0 - FRACTION).contains(&fraction) {
        return None;
    }
    let factor = |capacity: f64| {
        let ratio = capacity / by;
        // A ratio that is an integer up to rounding error is rounded up: a larger factor only weakens the cut.
        if ratio.fract() > 1.0 - FRACTION { ratio.ceil() } else { ratio.floor() + (ratio.fract() / fraction).min(1.0) }
    };
    Some((terms.iter().map(|(column, capacity)| (*column, factor(*capacity))).collect(), least.ceil()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// No integer plan is cut off.
        #[test]
        fn every_whole_plan_keeps_it(
            capacities in prop::collection::vec(0.1..9.0f64, 1..4),
            needed in 0.1..40.0f64,
            counts in prop::collection::vec(0..30u32, 3),
        ) {
            let terms: Vec<(Column, f64)> = capacities.iter().copied().enumerate().collect();
            let sum = |terms: &[(Column, f64)]| -> f64 {
                terms.iter().map(|(column, factor)| factor * f64::from(counts[*column])).sum()
            };
            prop_assume!(sum(&terms) >= needed);
            for by in &capacities {
                if let Some((cut, least)) = rounded(&terms, needed, *by) {
                    prop_assert!(sum(&cut) >= least - 1e-9, "{cut:?} >= {least} cuts off {counts:?}");
                }
            }
        }
    }

    #[test]
    fn fractions_are_cut_off() {
        // 2 x + 3 y >= 4: x = 2 suffices, y = 4/3 does not.
        let (cut, least) = rounded(&[(0, 2.0), (1, 3.0)], 4.0, 3.0).unwrap();
        assert_eq!(least, 2.0);
        assert!((cut[0].1 - 1.0).abs() < 1e-12 && (cut[1].1 - 1.0).abs() < 1e-12, "{cut:?}");
        assert_eq!(rounded(&[(0, 2.0)], 4.0, 2.0), None);
    }
}
