//! Billing blocks: an instance is bought for whole blocks of G intervals.
//!
//! Data: needed instances d_t, block G [intervals], price c [$ per instance and interval], start cost u [$]. Variables: b_t
//! blocks bought at the start of interval t, y_t of which are new instances rather than renewals.
//!
//! ```text
//! min  sum_t ( G c b_t + u y_t )
//! (1)  sum_{k = max(0, t-G+1)..t} b_k >= ceil d_t
//! (2)  y_t >= b_t - b_t-G
//! ```
//!
//! Without start costs the rows are intervals, the matrix is totally unimodular and the linear program has an integral
//! optimum. With start costs equality was found for every instance tried, but is not proved, so integers are required
//! explicitly.

use super::error::{OptimizeError, Requirement, non_negative};
use super::program::{Column, Program, Relation};
use super::solver::SolveOptions;

/// A problem of planning billing blocks.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BlockProblem {
    /// Instances needed in each interval; fractions are rounded up.
    pub needed: Vec<f64>,
    /// Number of intervals in a block.
    pub block: usize,
    /// Price of one instance for one interval.
    pub price: f64,
    /// Cost of an instance that does not continue a previous block.
    pub start_cost: f64,
}

/// A cheapest plan of billing blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct BlockPlan {
    /// Its cost.
    pub cost: f64,
    /// Blocks bought at the beginning of each interval.
    pub bought: Vec<f64>,
    /// Whether the cost is proven to be minimal (a time limit may end the search before).
    pub proven: bool,
}

impl BlockProblem {
    /// The cheapest plan if fractions of blocks can be bought.
    ///
    /// # Errors
    /// Invalid input, or the reason why the solver failed.
    pub fn relaxed(&self, options: SolveOptions) -> Result<BlockPlan, OptimizeError> {
        self.solve(false, options)
    }

    /// The cheapest plan in whole blocks.
    ///
    /// # Errors
    /// Those of [`BlockProblem::relaxed`], and if the time limit ends before a plan is found.
    pub fn whole(&self, options: SolveOptions) -> Result<BlockPlan, OptimizeError> {
        self.solve(true, options)
    }

    fn solve(&self, whole: bool, options: SolveOptions) -> Result<BlockPlan, OptimizeError> {
        non_negative("the price", self.price)?;
        non_negative("the start cost", self.start_cost)?;
        self.needed.iter().try_for_each(|needed| non_negative("a number of needed instances", *needed))?;
        if self.block == 0 {
            return Err(OptimizeError::Invalid("a billing block has no interval".into()));
        }
        let mut program = Program::default();
        let mut blocks: Vec<Column> = Vec::new();
        for (interval, needed) in self.needed.iter().enumerate() {
            blocks.push(program.column(self.block as f64 * self.price, f64::INFINITY, whole));
            let first = (interval + 1).saturating_sub(self.block);
            let running = blocks[first..].iter().map(|block| (*block, 1.0)).collect();
            let demand = Requirement::Demand { resource: 0, interval };
            program.row(demand, running, Relation::AtLeast, (needed - 1e-9).ceil());
        }
        for (interval, block) in blocks.iter().enumerate() {
            let starts = program.column(self.start_cost, f64::INFINITY, false);
            let mut terms = vec![(starts, 1.0), (*block, -1.0)];
            terms.extend(interval.checked_sub(self.block).map(|before| (blocks[before], 1.0)));
            program.row(Requirement::Identity, terms, Relation::AtLeast, 0.0);
        }
        let solved = program.solve(options)?;
        let bought = blocks.iter().map(|block| solved.values[*block]).collect();
        Ok(BlockPlan { cost: program.cost(&solved.values), bought, proven: solved.proven })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_renewal_is_cheaper_than_a_start() {
        let problem = BlockProblem { needed: vec![1.0, 0.0, 0.4, 1.0], block: 2, price: 1.0, start_cost: 5.0 };
        // One instance for two blocks: four intervals paid, one start.
        let plan = problem.whole(SolveOptions::default()).unwrap();
        assert!((plan.cost - 9.0).abs() < 1e-6, "{plan:?}");
        assert_eq!(plan.bought, [1.0, 0.0, 1.0, 0.0]);
        assert!((problem.relaxed(SolveOptions::default()).unwrap().cost - 9.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_needed_costs_nothing() {
        let problem = BlockProblem { needed: vec![0.0; 3], block: 2, price: 1.0, start_cost: 5.0 };
        assert_eq!(problem.whole(SolveOptions::default()).unwrap().cost, 0.0);
        assert!(BlockProblem::default().relaxed(SolveOptions::default()).is_err());
    }
}
