//! A first plan in whole instances, rounded from a fractional one. Branch and bound starts from it, and falls back on
//! it at the time limit.

use super::{Plan, ProvisioningProblem};

/// Excess over an integer below this is rounding error.
const WHOLE: f64 = 1e-6;

impl ProvisioningProblem {
    /// Rounds `plan` to whole instances: on-demand and reserved instances up, spot down; then adds instances where
    /// demand is not covered, and extends runs to the minimum. Limits on changes and numbers may be violated; the
    /// caller checks every row.
    pub(super) fn rounded(&self, plan: &Plan) -> Plan {
        let up = |value: &f64| (value - WHOLE).ceil().max(0.0);
        let series = |of: &[Vec<f64>], round: &dyn Fn(&f64) -> f64| -> Vec<Vec<f64>> {
            of.iter().map(|values| values.iter().map(round).collect()).collect()
        };
        let mut whole = Plan {
            ready: series(&plan.ready, &up),
            spot: series(&plan.spot, &|value| (value + WHOLE).floor()),
            reserved: plan.reserved.iter().map(up).collect(),
            // The same shortage as in the fractional plan.
            shortage: plan.shortage.clone(),
            ..Plan::default()
        };
        for interval in 0..self.intervals() {
            self.cover(&mut whole, interval);
        }
        for (offer, ready) in self.offers.iter().zip(&mut whole.ready) {
            keep_running(ready, f64::from(offer.initial), offer.minimum_run);
            let changes = changes(ready, f64::from(offer.initial));
            whole.starts.push(changes.iter().map(|change| change.max(0.0)).collect());
            whole.stops.push(changes.iter().map(|change| (-change).max(0.0)).collect());
        }
        let missing = |resource| (0..self.intervals()).map(|t| self.missing(&whole, resource, t)).collect();
        whole.shortage = (0..self.demand.len()).map(missing).collect();
        whole
    }

    /// Adds on-demand instances, always the cheapest for the resource that is short, where rounding spot down left a
    /// gap.
    fn cover(&self, plan: &mut Plan, interval: usize) {
        for resource in 0..self.demand.len() {
            let allowed = plan.shortage[resource].get(interval).copied().unwrap_or(0.0);
            let price = |place: &usize| self.offers[*place].price / self.offers[*place].capacity[resource];
            let useful = (0..self.offers.len()).filter(|place| self.offers[*place].capacity[resource] > 0.0);
            let Some(best) = useful.min_by(|a, b| price(a).total_cmp(&price(b))) else { continue };
            let short = self.missing(plan, resource, interval) - allowed;
            plan.ready[best][interval] += (short / self.offers[best].capacity[resource] - WHOLE).ceil().max(0.0);
        }
    }

    /// The part of the demand with headroom that a plan does not cover.
    fn missing(&self, plan: &Plan, resource: usize, interval: usize) -> f64 {
        let provided = |(place, offer): (usize, &super::Offer)| {
            let spot = plan.spot[place].get(interval).copied().unwrap_or(0.0) * (1.0 - offer.loss());
            offer.capacity[resource] * (plan.ready[place][interval] + plan.reserved[place] + spot)
        };
        let provided: f64 = self.offers.iter().enumerate().map(provided).sum();
        ((1.0 + self.headroom) * self.demand[resource][interval] - provided).max(0.0)
    }
}

fn changes(ready: &[f64], initial: f64) -> Vec<f64> {
    let before = std::iter::once(&initial).chain(ready);
    ready.iter().zip(before).map(|(now, before)| now - before).collect()
}

/// Raises a series to the number of starts within the last `minimum_run` intervals (rows (3)).
fn keep_running(ready: &mut [f64], initial: f64, minimum_run: usize) {
    let mut starts = vec![0.0; ready.len()];
    // The sum of the starts within the window.
    let mut recent = 0.0;
    for t in 0..ready.len() {
        if let Some(past) = t.checked_sub(minimum_run.max(1)) {
            recent -= starts[past];
        }
        let before = if t == 0 { initial } else { ready[t - 1] };
        ready[t] = ready[t].max(recent);
        starts[t] = (ready[t] - before).max(0.0);
        recent += starts[t];
    }
}
