//! The static mix: the cheapest one-time purchase that covers the demand for every resource.
//!
//! Sets: offers i, resources j, purchase options (reserved, on-demand, spot). Data: capacity a_ij [units of j per
//! instance], demand b_j [units of j], headroom h [share], prices c_i, r_i, s_i [$ per instance and hour, for example],
//! expected loss of spot capacity kappa_i [share]. Variables: on-demand instances x_i, reserved R_i, spot q_i, all
//! nonnegative, integers on request.
//!
//! ```text
//! min  sum_i (c_i x_i + r_i R_i + s_i q_i)
//! (1)  sum_i a_ij (x_i + R_i + (1 - kappa_i) q_i) >= (1 + h) b_j                      every j
//! (2)  least_w (1 + h) b_0 <= sum_i a_i0 (w's instances, spot minus its loss) <= most_w (1 + h) b_0      every option w
//! (3)  x_i + R_i + q_i <= most_i,   R_i <= reserved_i
//! ```
//!
//! The linear program has an optimal solution with at most as many different purchases as rows; the integer one is a
//! covering problem, solved by branch and bound. Among mixes of equal cost, offers listed earlier are preferred.

use super::error::{OptimizeError, Purchase, Requirement, non_negative};
use super::offer::{Reserved, Spot};
use super::program::{Column, Program, Relation};
use super::solver::SolveOptions;

/// Something that can be bought for a static mix.
#[derive(Debug, Clone, PartialEq)]
pub struct MixOffer {
    /// Name, for messages.
    pub name: String,
    /// Capacity of one instance, by resource.
    pub capacity: Vec<f64>,
    /// On-demand price of one instance.
    pub price: f64,
    /// Maximum number of instances; `None` for no limit.
    pub most: Option<u32>,
    /// Reserved price, if offered.
    pub reserved: Option<Reserved>,
    /// Spot price, if offered.
    pub spot: Option<Spot>,
}

/// Limits on the share of the demand for resource 0 (with headroom) that one purchase option provides.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ShareLimits {
    /// Minimum share.
    pub least: f64,
    /// Maximum share; infinite for no limit.
    pub most: f64,
}

impl Default for ShareLimits {
    /// No limits.
    fn default() -> Self {
        ShareLimits { least: 0.0, most: f64::INFINITY }
    }
}

/// A static mix problem.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct MixProblem {
    /// The offers.
    pub offers: Vec<MixOffer>,
    /// Demand, by resource.
    pub demand: Vec<f64>,
    /// Share by which capacity must exceed demand.
    pub headroom: f64,
    /// Limits on reserved capacity.
    pub reserved_share: ShareLimits,
    /// Limits on on-demand capacity.
    pub on_demand_share: ShareLimits,
    /// Limits on spot capacity.
    pub spot_share: ShareLimits,
}

/// Instances bought of one offer.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Bought {
    /// Reserved.
    pub reserved: f64,
    /// On demand.
    pub on_demand: f64,
    /// Spot.
    pub spot: f64,
}

/// A cheapest mix.
#[derive(Debug, Clone, PartialEq)]
pub struct Mix {
    /// Its cost, in the unit of the prices.
    pub cost: f64,
    /// Purchases, one entry per offer.
    pub bought: Vec<Bought>,
    /// Whether the cost is proven to be minimal (a time limit may end the search before).
    pub proven: bool,
}

/// The columns of one offer by purchase option, each with the share of its capacity that counts.
struct OfferColumns {
    reserved: Option<Column>,
    on_demand: Column,
    spot: Option<(Column, f64)>,
}

impl OfferColumns {
    fn of(&self, purchase: Purchase) -> Option<(Column, f64)> {
        match purchase {
            Purchase::Reserved => self.reserved.map(|column| (column, 1.0)),
            Purchase::OnDemand => Some((self.on_demand, 1.0)),
            Purchase::Spot => self.spot,
        }
    }
}

const WAYS: [Purchase; 3] = [Purchase::Reserved, Purchase::OnDemand, Purchase::Spot];

impl MixProblem {
    /// The cheapest mix if fractions of instances can be bought.
    ///
    /// # Errors
    /// Invalid input, or a demand or share that cannot be met.
    pub fn relaxed(&self, options: SolveOptions) -> Result<Mix, OptimizeError> {
        self.solve(false, options)
    }

    /// The cheapest mix in whole instances.
    ///
    /// # Errors
    /// Those of [`MixProblem::relaxed`], and if the time limit ends before a mix is found.
    pub fn whole(&self, options: SolveOptions) -> Result<Mix, OptimizeError> {
        self.solve(true, options)
    }

    fn solve(&self, whole: bool, options: SolveOptions) -> Result<Mix, OptimizeError> {
        self.validate()?;
        let mut program = Program::default();
        let columns: Vec<OfferColumns> = self.offers.iter().map(|offer| offer.columns(&mut program, whole)).collect();
        self.cover_demand(&mut program, &columns);
        self.limit_shares(&mut program, &columns);
        self.limit_instances(&mut program, &columns);
        let solved = program.solve(options)?;
        let value = |column: Option<Column>| column.map_or(0.0, |column| solved.values[column]);
        let bought = columns.iter().map(|of| Bought {
            reserved: value(of.reserved),
            on_demand: value(Some(of.on_demand)),
            spot: value(of.spot.map(|(column, _)| column)),
        });
        Ok(Mix { cost: program.cost(&solved.values), bought: bought.collect(), proven: solved.proven })
    }

    fn needed(&self, resource: usize) -> f64 {
        (1.0 + self.headroom) * self.demand[resource]
    }

    /// Rows (1).
    fn cover_demand(&self, program: &mut Program, columns: &[OfferColumns]) {
        for resource in 0..self.demand.len() {
            let mut terms = Vec::new();
            for (offer, of) in self.offers.iter().zip(columns) {
                let bought = WAYS.iter().filter_map(|way| of.of(*way));
                terms.extend(bought.map(|(column, counts)| (column, offer.capacity[resource] * counts)));
            }
            let demand = Requirement::Demand { resource, interval: 0 };
            program.row(demand, terms, Relation::AtLeast, self.needed(resource));
        }
    }

    /// Rows (2).
    fn limit_shares(&self, program: &mut Program, columns: &[OfferColumns]) {
        let limits = [self.reserved_share, self.on_demand_share, self.spot_share];
        for (way, share) in WAYS.into_iter().zip(limits) {
            let term = |(offer, of): (&MixOffer, &OfferColumns)| {
                of.of(way).map(|(column, counts)| (column, offer.capacity[0] * counts))
            };
            let terms: Vec<(Column, f64)> = self.offers.iter().zip(columns).filter_map(term).collect();
            if share.least > 0.0 {
                let least = share.least * self.needed(0);
                program.row(Requirement::LeastShare(way), terms.clone(), Relation::AtLeast, least);
            }
            if share.most.is_finite() {
                program.row(Requirement::MostShare(way), terms, Relation::AtMost, share.most * self.needed(0));
            }
        }
    }

    /// Rows (3); limits on reserved instances alone are column limits.
    fn limit_instances(&self, program: &mut Program, columns: &[OfferColumns]) {
        for (offer, of) in self.offers.iter().zip(columns) {
            if let Some(most) = offer.most {
                let terms = WAYS.iter().filter_map(|way| of.of(*way)).map(|(column, _)| (column, 1.0)).collect();
                program.row(Requirement::Most { interval: 0 }, terms, Relation::AtMost, f64::from(most));
            }
        }
    }

    fn validate(&self) -> Result<(), OptimizeError> {
        let invalid = |what: &str| Err(OptimizeError::Invalid(what.to_string()));
        if self.demand.is_empty() {
            return invalid("there is no demand");
        }
        if self.offers.is_empty() {
            return invalid("there is nothing to buy");
        }
        non_negative("the headroom", self.headroom)?;
        self.demand.iter().try_for_each(|demand| non_negative("a demand", *demand))?;
        for share in [self.reserved_share, self.on_demand_share, self.spot_share] {
            non_negative("a minimum share", share.least)?;
            if share.most.is_nan() || share.most < share.least {
                return invalid("a maximum share is below the minimum share");
            }
        }
        for offer in &self.offers {
            if offer.capacity.len() != self.demand.len() {
                return invalid(&format!("{} does not state a capacity for each resource", offer.name));
            }
            non_negative("a price", offer.price)?;
            offer.capacity.iter().try_for_each(|capacity| non_negative("a capacity", *capacity))?;
            offer.reserved.iter().try_for_each(Reserved::validate)?;
            offer.spot.iter().try_for_each(Spot::validate)?;
        }
        Ok(())
    }
}

impl MixOffer {
    /// An offer with only on-demand instances, without a limit.
    pub fn on_demand(name: &str, price: f64, capacity: Vec<f64>) -> Self {
        MixOffer { name: name.to_string(), capacity, price, most: None, reserved: None, spot: None }
    }

    fn columns(&self, program: &mut Program, whole: bool) -> OfferColumns {
        let reserved = |program: &mut Program, of: &Reserved| program.column(of.price, of.most(), whole);
        OfferColumns {
            reserved: self.reserved.as_ref().map(|of| reserved(program, of)),
            on_demand: program.column(self.price, f64::INFINITY, whole),
            spot: self.spot.as_ref().map(|of| (program.column(of.price, f64::INFINITY, whole), 1.0 - of.loss)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optimize::Solver;
    use proptest::prelude::*;

    fn offers() -> Vec<MixOffer> {
        vec![
            MixOffer::on_demand("A", 0.085, vec![2.0, 4.0]),
            MixOffer::on_demand("B", 0.096, vec![2.0, 8.0]),
            MixOffer::on_demand("C", 0.126, vec![2.0, 16.0]),
        ]
    }

    /// Every solver that is compiled in.
    fn solvers() -> impl Iterator<Item = SolveOptions> {
        Solver::ALL.iter().map(|solver| SolveOptions { solver: *solver, ..SolveOptions::default() })
    }

    #[test]
    fn one_offer_is_rounded_up() {
        let problem = MixProblem { offers: offers()[..1].to_vec(), demand: vec![37.0, 205.0], ..MixProblem::default() };
        assert!((problem.relaxed(SolveOptions::default()).unwrap().cost - 0.085 * 51.25).abs() < 1e-9);
        assert_eq!(problem.whole(SolveOptions::default()).unwrap().bought[0].on_demand, 52.0);
    }

    #[test]
    fn equal_offers_are_taken_in_their_order() {
        let mut twins = offers()[..1].to_vec();
        twins.push(MixOffer { name: "A again".into(), ..twins[0].clone() });
        let problem = MixProblem { offers: twins, demand: vec![10.0, 0.0], ..MixProblem::default() };
        let of = |mix: Mix| mix.bought.iter().map(|bought| bought.on_demand).collect::<Vec<_>>();
        for options in solvers() {
            assert_eq!(of(problem.relaxed(options).unwrap()), [5.0, 0.0], "{}", options.solver);
            assert_eq!(of(problem.whole(options).unwrap()), [5.0, 0.0], "{}", options.solver);
        }
    }

    #[test]
    fn shares_are_kept() {
        let spot = Spot { price: 0.03, loss: 0.25 };
        let reserved = Reserved { price: 0.05, most: None };
        let offer = MixOffer { spot: Some(spot), reserved: Some(reserved), ..offers()[0].clone() };
        let share = |least, most| ShareLimits { least, most };
        let problem = MixProblem {
            offers: vec![offer],
            demand: vec![100.0, 0.0],
            headroom: 0.2,
            reserved_share: share(0.0, 0.5),
            on_demand_share: share(0.25, 1.0),
            spot_share: share(0.0, 0.6),
        };
        // 120 units: spot at 0.03 / 1.5 = 0.02 per unit is cheapest, then reserved at 0.025, then on demand.
        let mix = problem.relaxed(SolveOptions::default()).unwrap();
        let bought = mix.bought[0];
        assert!((bought.spot - 72.0 / 1.5).abs() < 1e-6, "{bought:?}");
        assert!((bought.on_demand - 15.0).abs() < 1e-6, "{bought:?}");
        assert!((bought.reserved - 9.0).abs() < 1e-6, "{bought:?}");
    }

    #[test]
    fn infeasible_requirements_are_named_with_their_shortfall() {
        let limited = MixOffer { most: Some(3), ..offers()[0].clone() };
        let problem = MixProblem { offers: vec![limited.clone()], demand: vec![10.0, 1.0], ..MixProblem::default() };
        for result in solvers().flat_map(|options| [problem.relaxed(options), problem.whole(options)]) {
            let text = result.unwrap_err().to_string();
            // Two more instances, or four fewer units; relative to the row, missing the demand is the smaller
            // relaxation.
            assert_eq!(text, "no plan meets every requirement: the demand for resource 0 in interval 0 is missed by 4");
        }
        let useless = MixOffer { capacity: vec![1.0, 0.0], ..limited };
        let problem = MixProblem { offers: vec![useless], demand: vec![1.0, 7.0], ..MixProblem::default() };
        let text = problem.relaxed(SolveOptions::default()).unwrap_err().to_string();
        assert_eq!(text, "no plan meets every requirement: the demand for resource 1 in interval 0 is missed by 7");
    }

    #[test]
    fn nonsense_is_refused() {
        let wrong = |problem: MixProblem| {
            assert!(matches!(problem.relaxed(SolveOptions::default()), Err(OptimizeError::Invalid(_))))
        };
        wrong(MixProblem::default());
        wrong(MixProblem { offers: offers(), demand: vec![1.0], ..MixProblem::default() });
        wrong(MixProblem { offers: offers(), demand: vec![f64::NAN, 1.0], ..MixProblem::default() });
        wrong(MixProblem { offers: offers(), demand: vec![1.0, 1.0], headroom: -1.0, ..MixProblem::default() });
    }

    proptest! {
        /// Compares whole mixes with every mix of up to six instances of three offers.
        #[test]
        fn whole_mixes_are_the_best_of_all(
            prices in prop::array::uniform3(1..50u32), caps in prop::array::uniform6(0..6u32), demand in prop::array::uniform2(1..6u32),
        ) {
            let capacity = |i: usize| vec![f64::from(caps[2 * i]), f64::from(caps[2 * i + 1])];
            let offers: Vec<MixOffer> =
                (0..3).map(|i| MixOffer::on_demand("x", f64::from(prices[i]), capacity(i))).collect();
            let problem = MixProblem { offers, demand: demand.map(f64::from).to_vec(), ..MixProblem::default() };
            let mut best: Option<u32> = None;
            for n in 0..343u32 {
                let counts = [n % 7, n / 7 % 7, n / 49];
                let has = |j: usize| (0..3).map(|i| counts[i] * caps[2 * i + j]).sum::<u32>();
                if has(0) >= demand[0] && has(1) >= demand[1] {
                    let cost = (0..3).map(|i| counts[i] * prices[i]).sum();
                    best = Some(best.map_or(cost, |b: u32| b.min(cost)));
                }
            }
            for options in solvers() {
                match (problem.whole(options), best) {
                    (Ok(mix), Some(best)) => {
                        prop_assert!((mix.cost - f64::from(best)).abs() < 1e-6, "{} is not {best}", mix.cost);
                        prop_assert!(problem.relaxed(options).unwrap().cost <= mix.cost * (1.0 + 1e-6));
                    }
                    (Err(OptimizeError::Infeasible(missed)), None) => prop_assert!(!missed.is_empty()),
                    (found, best) => prop_assert!(false, "{found:?} against {best:?} with {}", options.solver),
                }
            }
        }
    }
}
