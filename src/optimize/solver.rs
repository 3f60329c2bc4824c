//! The solvers behind good_lp.

use std::fmt;
use std::str::FromStr;

use good_lp::solvers::{SolutionStatus, WithInitialSolution, WithTimeLimit};
use good_lp::{Constraint, Expression, ProblemVariables, ResolutionError, Solution, SolverModel, Variable};

use super::program::Values;

/// A solver of linear and mixed-integer programs. The results do not depend on the choice, but run times do, and so
/// does the progress of a search before its time limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Solver {
    /// microlp, in pure Rust: always available.
    #[default]
    Microlp,
    /// HiGHS (Huangfu and Hall 2018); requires the feature `highs`, which builds it from source with CMake.
    #[cfg(feature = "highs")]
    Highs,
    /// COIN-OR CBC (Forrest and others); requires the feature `cbc`, which links the system library.
    #[cfg(feature = "cbc")]
    Cbc,
}

impl Solver {
    /// The solvers that are compiled in.
    pub const ALL: &[Solver] = &[
        Solver::Microlp,
        #[cfg(feature = "highs")]
        Solver::Highs,
        #[cfg(feature = "cbc")]
        Solver::Cbc,
    ];
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Solver::Microlp => "microlp",
            #[cfg(feature = "highs")]
            Solver::Highs => "highs",
            #[cfg(feature = "cbc")]
            Solver::Cbc => "cbc",
        })
    }
}

impl FromStr for Solver {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some(solver) = Solver::ALL.iter().find(|solver| solver.to_string() == text) {
            return Ok(*solver);
        }
        if ["highs", "cbc"].contains(&text) {
            return Err(format!("this plimsoll was built without {text}; build it with `--features {text}`"));
        }
        let known: Vec<String> = Solver::ALL.iter().map(Solver::to_string).collect();
        Err(format!("expected one of {}", known.join(", ")))
    }
}

/// Options for solving a program.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct SolveOptions {
    /// Time limit in seconds, after which the best plan so far is returned; `None` waits for the optimum.
    pub time_limit: Option<f64>,
    /// The solver.
    pub solver: Solver,
}

/// A program for good_lp: variables with their limits, cost, and rows.
pub(super) struct Question<'a> {
    pub variables: ProblemVariables,
    pub columns: &'a [Variable],
    pub cost: Expression,
    pub rows: Vec<Constraint>,
    /// A plan to start from, by column.
    pub start: Option<&'a [f64]>,
}

impl Question<'_> {
    /// Solves with the chosen solver.
    pub fn ask(self, options: SolveOptions) -> Result<Values, ResolutionError> {
        match options.solver {
            Solver::Microlp => self.answer(good_lp::solvers::microlp::microlp, options.time_limit),
            #[cfg(feature = "highs")]
            Solver::Highs => self.answer(highs, options.time_limit),
            #[cfg(feature = "cbc")]
            Solver::Cbc => self.answer(good_lp::solvers::coin_cbc::coin_cbc, options.time_limit),
        }
    }

    fn answer<S>(self, solver: S, time_limit: Option<f64>) -> Result<Values, ResolutionError>
    where
        S: good_lp::Solver,
        S::Model: SolverModel<Error = ResolutionError> + WithInitialSolution + WithTimeLimit,
    {
        let mut model = self.variables.minimise(self.cost).using(solver);
        if let Some(seconds) = time_limit {
            model = model.with_time_limit(seconds);
        }
        for row in self.rows {
            model.add_constraint(row);
        }
        if let Some(start) = self.start {
            model = model.with_initial_solution(self.columns.iter().copied().zip(start.iter().copied()));
        }
        let solution = model.solve()?;
        let values = self.columns.iter().map(|column| solution.value(*column)).collect();
        // No gap is allowed, so a reported gap is only rounding error.
        Ok(Values { values, proven: !matches!(solution.status(), SolutionStatus::TimeLimit) })
    }
}

/// Configures HiGHS for reproducible results: a single thread, and no gap (its default is 1e-4).
#[cfg(feature = "highs")]
fn highs(problem: good_lp::variable::UnsolvedProblem) -> good_lp::solvers::highs::HighsProblem {
    let model = good_lp::solvers::highs::highs(problem).set_threads(1);
    model.set_option("mip_rel_gap", 0.0).set_option("mip_abs_gap", 1e-7)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn solvers_are_known_by_name() {
        for solver in Solver::ALL {
            assert_eq!(solver.to_string().parse(), Ok(*solver));
        }
        assert!("simplex".parse::<Solver>().unwrap_err().starts_with("expected one of microlp"));
        #[cfg(not(feature = "highs"))]
        assert!("highs".parse::<Solver>().unwrap_err().contains("--features highs"));
    }
}
