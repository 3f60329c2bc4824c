//! Tabular Q-learning (Watkins 1989, *Learning from Delayed Rewards*; Watkins and Dayan 1992, *Q-learning*).
//!
//! A value has two parts, both expected discounted sums: dollars and bad requests. An action is evaluated by `dollars +
//! penalty * bad requests`, and both parts are updated towards the action that is best by this sum, so that the learned
//! values remain valid if the penalty changes (scalarised multi-objective Q-learning: Van Moffaert, Drugan and Nowé
//! 2013). With a penalty of one dollar and everything in one part this is exactly Q-learning.
//!
//! Experience is replayed backwards (Lin 1992, *Self-improving reactive agents*): the successor of a step is updated
//! before the step itself, so that a delayed reward reaches its cause in one replay. The learning rate falls with the
//! visits n of each state and action as n^-0.7, within the range for which Q-learning converges (Even-Dar and Mansour
//! 2003).

/// The learned values of one state and action.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cell {
    /// Number of updates.
    pub visits: u32,
    /// Expected discounted dollars.
    pub dollars: f64,
    /// Expected discounted bad requests.
    pub bad: f64,
}

impl Cell {
    /// The total cost at a penalty in dollars per bad request.
    pub fn total(&self, penalty: f64) -> f64 {
        self.dollars + penalty * self.bad
    }
}

/// One step of experience.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Experience {
    /// State.
    pub state: u32,
    /// Index of the action taken.
    pub action: u32,
    /// Dollars spent until the next state.
    pub dollars: f64,
    /// Bad requests until the next state.
    pub bad: f64,
    /// The next state; `None` at the end.
    pub next: Option<u32>,
}

/// How experience is evaluated.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rule {
    /// Discount factor per step, from 0 to below 1.
    pub discount: f64,
    /// Dollars per bad request.
    pub penalty: f64,
}

/// An action is trusted once it has been tried this often, or as often as the most tried action of its state.
const BELIEVED: u32 = 5;
/// Exponent of the learning rate.
const RATE: f64 = 0.7;

/// The table.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    actions: usize,
    cells: Vec<Cell>,
}

impl Table {
    /// Creates an empty table.
    pub fn new(states: usize, actions: usize) -> Self {
        Table { actions, cells: vec![Cell::default(); states * actions] }
    }

    /// The number of states.
    pub fn states(&self) -> usize {
        self.cells.len() / self.actions.max(1)
    }

    /// The cells of a state, one per action; empty if there is no such state.
    pub fn row(&self, state: u32) -> &[Cell] {
        let start = state as usize * self.actions;
        self.cells.get(start..start + self.actions).unwrap_or(&[])
    }

    /// The cells of a state, mutable.
    pub(super) fn row_mut(&mut self, state: u32) -> &mut [Cell] {
        let start = state as usize * self.actions;
        self.cells.get_mut(start..start + self.actions).unwrap_or(&mut [])
    }

    /// The best action of a state: the smallest total among trusted actions, the first among equals. `None` if the
    /// state was never visited.
    pub fn best(&self, state: u32, penalty: f64) -> Option<usize> {
        let row = self.row(state);
        let least = row.iter().map(|cell| cell.visits).max().unwrap_or(0).min(BELIEVED);
        if least == 0 {
            return None;
        }
        let believed = row.iter().enumerate().filter(|(_, cell)| cell.visits >= least);
        let better = |a: &(usize, &Cell), b: &(usize, &Cell)| a.1.total(penalty).total_cmp(&b.1.total(penalty));
        believed.min_by(better).map(|(action, _)| action)
    }

    /// Replays the experience of a run, given in order of time.
    pub fn replay(&mut self, experience: &[Experience], rule: &Rule) {
        for step in experience.iter().rev() {
            let after = step.next.and_then(|next| Some(self.row(next)[self.best(next, rule.penalty)?]));
            let after = after.unwrap_or_default();
            let Some(cell) = self.row_mut(step.state).get_mut(step.action as usize) else { continue };
            cell.visits = cell.visits.saturating_add(1);
            let rate = f64::from(cell.visits).powf(-RATE);
            cell.dollars += rate * (step.dollars + rule.discount * after.dollars - cell.dollars);
            cell.bad += rate * (step.bad + rule.discount * after.bad - cell.bad);
        }
    }

    /// The number of visited states.
    pub fn met(&self) -> usize {
        self.cells.chunks(self.actions.max(1)).filter(|row| row.iter().any(|cell| cell.visits > 0)).count()
    }

    /// The table as stored: values rounded to four significant digits, well below their uncertainty.
    pub fn rounded(mut self) -> Self {
        for cell in &mut self.cells {
            (cell.dollars, cell.bad) = (four_digits(cell.dollars), four_digits(cell.bad));
        }
        self
    }
}

fn four_digits(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::{Purpose, Streams};

    /// Replacing or keeping a machine (a small version of Howard 1960): states 0 (good), 1 (worn). Keeping costs 0 when
    /// good and 3 when worn; a good machine wears out with probability 0.5 per step, a worn one stays worn. Replacing
    /// costs 4 and leads to good.
    fn step(state: u32, action: u32, luck: f64) -> Experience {
        let (dollars, next) = match (state, action) {
            (_, 1) => (4.0, 0),
            (0, _) => (0.0, u32::from(luck < 0.5)),
            _ => (3.0, 1),
        };
        Experience { state, action, dollars, bad: 0.0, next: Some(next) }
    }

    /// With discount g, replacing when worn is best while 4 + g V(good) < 3 / (1 - g). Then V(worn) = 4 + g V(good) and
    /// V(good) = g (V(good) + V(worn)) / 2, so V(good) = 2 g / (1 - g / 2 - g g / 2).
    #[test]
    fn the_optimal_policy_of_a_small_decision_process_is_recovered() {
        let discount = 0.9;
        let good = 2.0 * discount / (1.0 - discount / 2.0 - discount * discount / 2.0);
        let worn = 4.0 + discount * good;
        let exact = [[good, 4.0 + discount * good], [3.0 + discount * worn, worn]];
        assert!(worn < 3.0 / (1.0 - discount));
        let mut table = Table::new(2, 2);
        let mut draw = Streams::new(3, 0).keyed(Purpose::Exploration, 0, 0);
        for _ in 0..4_000 {
            let mut state = 0;
            let mut run = Vec::new();
            for _ in 0..50 {
                let taken = step(state, draw.index(2), draw.uniform());
                state = taken.next.unwrap();
                run.push(taken);
            }
            table.replay(&run, &Rule { discount, penalty: 1.0 });
        }
        assert_eq!((table.best(0, 1.0), table.best(1, 1.0)), (Some(0), Some(1)));
        for state in 0..2 {
            for (cell, exact) in table.row(state).iter().zip(exact[state as usize]) {
                assert!((cell.dollars / exact - 1.0).abs() < 0.02, "{:?} beside {exact}", cell.dollars);
            }
        }
    }

    /// A chain: dollars now, or bad requests three steps later. Which is better depends on the penalty, and one replay
    /// is enough to find out.
    #[test]
    fn a_delayed_penalty_reaches_its_cause_in_one_replay() {
        let link = |state, action, dollars, bad, next| Experience { state, action, dollars, bad, next };
        let pay = [link(0, 0, 5.0, 0.0, Some(1)), link(1, 0, 0.0, 0.0, None)];
        let save = [link(0, 1, 1.0, 0.0, Some(2)), link(2, 0, 0.0, 0.0, Some(3)), link(3, 0, 0.0, 10.0, None)];
        let mut table = Table::new(4, 2);
        let rule = Rule { discount: 1.0, penalty: 1.0 };
        table.replay(&pay, &rule);
        table.replay(&save, &rule);
        assert_eq!(table.row(0)[1], Cell { visits: 1, dollars: 1.0, bad: 10.0 });
        assert_eq!((table.best(0, 1.0), table.best(0, 0.3)), (Some(0), Some(1)));
        assert_eq!((table.best(1, 1.0), table.met()), (Some(0), 4));
    }

    #[test]
    fn rarely_tried_actions_are_not_trusted() {
        let mut table = Table::new(1, 2);
        assert_eq!(table.best(0, 1.0), None);
        table.row_mut(0)[0] = Cell { visits: 9, dollars: 2.0, bad: 0.0 };
        table.row_mut(0)[1] = Cell { visits: 4, dollars: 1.0, bad: 0.0 };
        assert_eq!(table.best(0, 1.0), Some(0));
        table.row_mut(0)[1].visits = BELIEVED;
        assert_eq!((table.best(0, 1.0), table.best(7, 1.0)), (Some(1), None));
        assert_eq!(table.row(9), &[]);
    }

    #[test]
    fn values_are_rounded_to_four_digits() {
        let mut table = Table::new(1, 1);
        table.row_mut(0)[0] = Cell { visits: 1, dollars: 0.000_123_456, bad: 98_765.4 };
        let cell = table.rounded().row(0)[0];
        assert_eq!((cell.dollars, cell.bad), (0.000_123_5, 98_770.0));
    }
}
