//! The rolling horizon of `lp-mpc`: each decision computes an approximately cheapest plan for the forecast and executes only its
//! first order.

use crate::optimize::OneType;

/// Price of a missing replica, relative to that of a replica for the same step. High enough that replicas are missing
/// only where they cannot be ready in time.
const SHORTAGE: f64 = 100.0;

/// The number of replicas to ask for now. `needed` are needed in the steps from now on; a replica is ready `lead` steps
/// after its order and paid for from then on; `present` exist or are starting (the latter count as ready, because the
/// plan does not know ages). A start costs its lead, so that stopping is not worth it for a short trough.
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
    fn starts_are_ordered_in_time_and_short_troughs_are_ignored() {
        let needed = |sizes: &[u32]| sizes.iter().map(|size| f64::from(*size)).collect::<Vec<_>>();
        assert_eq!(first_order(needed(&[3, 3, 3, 9]), 2, 3), Ok(3), "three steps ahead is too early to order");
        assert_eq!(first_order(needed(&[3, 3, 9, 9]), 2, 3), Ok(9));
        assert_eq!(first_order(needed(&[9, 3, 3, 9]), 3, 9), Ok(9));
        assert_eq!(first_order(needed(&[3, 3, 9, 9]), 3, 9), Ok(9), "two steps of nine cost less than six starts");
        assert_eq!(first_order(needed(&[3, 3, 3, 3, 3, 9]), 2, 9), Ok(3), "five steps cost more");
        assert_eq!(first_order(Vec::new(), 2, 4), Ok(4));
    }
}
