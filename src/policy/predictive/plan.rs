//! The rolling horizon of `lp-mpc`: at each decision the cheapest plan for the forecast, of which only the first order is given.

use crate::optimize::OneType;

/// Price of a replica missing for a step, in prices of a replica for a step: what cannot be ready in time is missing, and
/// nothing else should be.
const SHORTAGE: f64 = 100.0;

/// Replicas to ask for now, where `needed` are needed in the steps from now on, a replica is ready `lead` steps after its
/// order and paid for from then on, and `present` are there or on their way (the latter count as ready: the plan knows no
/// ages). A start costs its lead, so that a short trough is not worth a stop.
pub(super) fn first_order(needed: Vec<f64>, lead: usize, present: u32) -> Result<u32, String> {
    let problem =
        OneType { needed, price: 1.0, lead, initial: present, shortage_price: Some(SHORTAGE), ..OneType::default() };
    let plan = problem.whole().map_err(|error| format!("no plan: {error}"))?;
    let coming: f64 = plan.starts.iter().skip(1).take(lead).sum();
    Ok((plan.ready.first().copied().unwrap_or(f64::from(present)) + coming).round() as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_ordered_in_time_and_a_short_trough_is_sat_out() {
        let needed = |sizes: &[u32]| sizes.iter().map(|size| f64::from(*size)).collect::<Vec<_>>();
        assert_eq!(first_order(needed(&[3, 3, 3, 9]), 2, 3), Ok(3), "three steps ahead is too early to order");
        assert_eq!(first_order(needed(&[3, 3, 9, 9]), 2, 3), Ok(9));
        assert_eq!(first_order(needed(&[9, 3, 3, 9]), 3, 9), Ok(9));
        assert_eq!(first_order(needed(&[3, 3, 9, 9]), 3, 9), Ok(9), "two steps of nine cost less than six starts");
        assert_eq!(first_order(needed(&[3, 3, 3, 3, 3, 9]), 2, 9), Ok(3), "five steps cost more");
        assert_eq!(first_order(Vec::new(), 2, 4), Ok(4));
    }
}
