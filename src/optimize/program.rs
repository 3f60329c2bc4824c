//! Linear and mixed-integer programs: columns, named rows, a solver behind good_lp, and a diagnosis if there is no
//! solution.

use good_lp::{Constraint, Expression, ProblemVariables, ResolutionError, Variable, variable};

#[cfg(test)]
mod proof;

use super::error::{OptimizeError, Requirement, Shortfall};
use super::solver::{Question, SolveOptions};

/// Slack below this, relative to the row, is rounding error.
const MISSED: f64 = 1e-7;

/// Relative price perturbation by column order, so that plans of equal cost have an order that does not depend on the
/// solver. A tenth of the tolerance on objectives.
const TIE: f64 = 1e-7;

/// The relation between a row's expression and its limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Relation {
    AtLeast,
    AtMost,
    Equal,
}

/// Index of a column.
pub(super) type Column = usize;

#[derive(Debug, Clone)]
struct ColumnData {
    cost: f64,
    most: f64,
    integer: bool,
}

#[derive(Debug, Clone)]
struct Row {
    requirement: Requirement,
    terms: Vec<(Column, f64)>,
    relation: Relation,
    limit: f64,
}

/// Minimizes cost over non-negative columns, subject to rows.
#[derive(Debug, Clone, Default)]
pub(super) struct Program {
    columns: Vec<ColumnData>,
    rows: Vec<Row>,
    /// Valid inequalities that help the solver; they follow from the rows and integrality.
    cuts: Vec<Row>,
}

/// Values of the columns, and whether they are proven optimal.
#[derive(Debug, Clone)]
pub(super) struct Values {
    pub values: Vec<f64>,
    pub proven: bool,
}

impl Program {
    /// Adds a column with its cost per unit, upper limit (infinite for none) and whether it is an integer.
    pub fn column(&mut self, cost: f64, most: f64, integer: bool) -> Column {
        self.columns.push(ColumnData { cost, most, integer });
        self.columns.len() - 1
    }

    /// Adds a row.
    pub fn row(&mut self, requirement: Requirement, terms: Vec<(Column, f64)>, relation: Relation, limit: f64) {
        self.rows.push(Row { requirement, terms, relation, limit });
    }

    /// Adds a row that every integer solution satisfies: it adds no requirement and never appears in a diagnosis.
    pub fn cut(&mut self, terms: Vec<(Column, f64)>, least: f64) {
        self.cuts.push(Row { requirement: Requirement::Identity, terms, relation: Relation::AtLeast, limit: least });
    }

    /// The number of columns.
    pub fn size(&self) -> usize {
        self.columns.len()
    }

    /// The cost of values at true prices.
    pub fn cost(&self, values: &[f64]) -> f64 {
        self.columns.iter().zip(values).map(|(column, value)| column.cost * value).sum()
    }

    /// An optimal solution.
    ///
    /// # Errors
    /// [`OptimizeError::Infeasible`] with the rows that cannot be met, or the reason why the solver failed.
    pub fn solve(&self, options: SolveOptions) -> Result<Values, OptimizeError> {
        self.solve_from(None, options)
    }

    /// An optimal solution. The search starts from the feasible values `start`, and returns them if there is nothing
    /// better.
    ///
    /// # Errors
    /// Those of [`Program::solve`].
    pub fn solve_from(&self, start: Option<&[f64]>, options: SolveOptions) -> Result<Values, OptimizeError> {
        let start = start.filter(|values| self.holds(values));
        match (self.priced().run(start, options), start) {
            (Ok(found), Some(start)) if !found.proven && self.cost(start) < self.cost(&found.values) => {
                Ok(Values { values: start.to_vec(), proven: false })
            }
            (Ok(found), _) => Ok(found),
            (Err(ResolutionError::Other(_)), Some(start)) if options.time_limit.is_some() => {
                Ok(Values { values: start.to_vec(), proven: false })
            }
            (Err(ResolutionError::Infeasible), _) => Err(self.diagnose(options)),
            (Err(ResolutionError::Other(_)), _) if options.time_limit.is_some() => Err(OptimizeError::OutOfTime),
            (Err(error), _) => Err(OptimizeError::Solver(error.to_string())),
        }
    }

    /// The same program without integrality.
    pub fn relaxed(&self) -> Program {
        let mut relaxed = self.clone();
        relaxed.columns.iter_mut().for_each(|column| column.integer = false);
        relaxed
    }

    /// Whether values satisfy every row and column limit.
    pub fn holds(&self, values: &[f64]) -> bool {
        let within = |(column, value): (&ColumnData, &f64)| {
            let whole = !column.integer || value.fract() == 0.0;
            whole && (0.0..=column.most).contains(value)
        };
        self.columns.iter().zip(values).all(within) && self.rows.iter().all(|row| row.holds(values))
    }

    /// The program as given to the solver: costs are scaled so that the smallest is 1, because solvers compare reduced
    /// costs with an absolute tolerance, and ties are broken.
    fn priced(&self) -> Program {
        let unit = self.unit();
        let mut priced = self.clone();
        let count = self.columns.len() as f64;
        for (place, column) in priced.columns.iter_mut().enumerate() {
            column.cost *= (1.0 + TIE * place as f64 / count) / unit;
        }
        priced
    }

    /// The smallest cost above zero, 1 where there is none.
    fn unit(&self) -> f64 {
        let costs = self.columns.iter().map(|column| column.cost);
        let smallest = costs.filter(|cost| *cost > 0.0).fold(f64::INFINITY, f64::min);
        if smallest.is_finite() { smallest } else { 1.0 }
    }

    fn run(&self, start: Option<&[f64]>, options: SolveOptions) -> Result<Values, ResolutionError> {
        let mut variables = ProblemVariables::new();
        let declare = |column: &ColumnData| {
            let definition = variable().min(0.0).max(column.most);
            variables.add(if column.integer { definition.integer() } else { definition })
        };
        let columns: Vec<Variable> = self.columns.iter().map(declare).collect();
        let mut cost = Expression::with_capacity(columns.len());
        for (data, column) in self.columns.iter().zip(&columns) {
            cost.add_mul(data.cost, *column);
        }
        let rows = self.rows.iter().chain(&self.cuts).map(|row| row.constraint(&columns)).collect();
        let mut found = Question { variables, columns: &columns, cost, rows, start }.ask(options)?;
        for (data, value) in self.columns.iter().zip(&mut found.values) {
            let within = value.clamp(0.0, data.most);
            *value = if data.integer { within.round() } else { within };
        }
        Ok(found)
    }

    /// Finds the rows that cannot be met: every requirement may be violated at a price of one per relative unit, and
    /// the cheapest violations are reported. Identities cannot be violated. The relaxed program is tried first; if it
    /// has no violations, integrality is the reason, and the violations of the integer program are reported.
    fn diagnose(&self, options: SolveOptions) -> OptimizeError {
        match self.misses(false, options) {
            Ok(missed) if missed.is_empty() => self.misses(true, options),
            other => other,
        }
        .map_or_else(|error| OptimizeError::Solver(error.to_string()), OptimizeError::Infeasible)
    }

    fn misses(&self, whole: bool, options: SolveOptions) -> Result<Vec<Shortfall>, ResolutionError> {
        let mut elastic = self.clone();
        elastic.cuts.clear();
        for column in &mut elastic.columns {
            column.cost = 0.0;
            column.integer &= whole;
        }
        let mut slacks = Vec::new();
        let breakable = |row: &Row| row.requirement != Requirement::Identity;
        for (place, row) in self.rows.iter().enumerate().filter(|(_, row)| breakable(row)) {
            let sign = match row.relation {
                Relation::AtLeast => 1.0,
                Relation::AtMost => -1.0,
                Relation::Equal => continue,
            };
            let scale = row.limit.abs().max(1.0);
            let slack = elastic.column(1.0, f64::INFINITY, false);
            elastic.rows[place].terms.push((slack, sign * scale));
            slacks.push((row.requirement, slack, scale));
        }
        let solved = elastic.run(None, options)?;
        let missed = slacks.into_iter().filter(|(_, slack, _)| solved.values[*slack] > MISSED);
        let shortfall = |(requirement, slack, scale): (Requirement, Column, f64)| Shortfall {
            requirement,
            amount: solved.values[slack] * scale,
        };
        Ok(missed.map(shortfall).collect())
    }
}

impl Row {
    /// Whether values satisfy the row, up to rounding error.
    fn holds(&self, values: &[f64]) -> bool {
        let sum: f64 = self.terms.iter().map(|(column, factor)| factor * values[*column]).sum();
        let slack = MISSED * self.limit.abs().max(1.0);
        match self.relation {
            Relation::AtLeast => sum >= self.limit - slack,
            Relation::AtMost => sum <= self.limit + slack,
            Relation::Equal => (sum - self.limit).abs() <= slack,
        }
    }

    fn constraint(&self, columns: &[Variable]) -> Constraint {
        let mut expression = Expression::with_capacity(self.terms.len());
        for (column, factor) in &self.terms {
            expression.add_mul(*factor, columns[*column]);
        }
        match self.relation {
            Relation::AtLeast => expression.geq(self.limit),
            Relation::AtMost => expression.leq(self.limit),
            Relation::Equal => expression.eq(self.limit),
        }
    }
}
