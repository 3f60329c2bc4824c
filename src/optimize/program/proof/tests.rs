use proptest::prelude::*;

use super::*;

/// A small integer program in which every column has a limit, so that any multipliers prove a bound.
#[derive(Debug, Clone)]
struct Small {
    costs: Vec<f64>,
    limits: Vec<f64>,
    /// Factors, relation and limit.
    rows: Vec<(Vec<f64>, Relation, f64)>,
}

impl Small {
    fn program(&self) -> Program {
        let mut program = Program::default();
        for (cost, limit) in self.costs.iter().zip(&self.limits) {
            program.column(*cost, *limit, false);
        }
        for (factors, relation, limit) in &self.rows {
            let terms = factors.iter().copied().enumerate().filter(|(_, factor)| *factor != 0.0).collect();
            program.row(Requirement::Identity, terms, *relation, *limit);
        }
        program
    }

    /// The true optimum, from all vertices: the intersections of two lines of rows or limits, by Cramer's rule.
    fn optimum(&self) -> Option<f64> {
        let mut lines: Vec<([f64; 2], f64)> = Vec::new();
        for (column, limit) in self.limits.iter().enumerate() {
            let mut along = [0.0; 2];
            along[column] = 1.0;
            lines.extend([(along, 0.0), (along, *limit)]);
        }
        lines.extend(self.rows.iter().map(|(factors, _, limit)| ([factors[0], factors[1]], *limit)));
        let mut best: Option<f64> = None;
        for (place, (a, p)) in lines.iter().enumerate() {
            for (b, q) in &lines[place + 1..] {
                let det = a[0] * b[1] - a[1] * b[0];
                if det == 0.0 {
                    continue;
                }
                let x = [(p * b[1] - a[1] * q) / det, (a[0] * q - p * b[0]) / det];
                if self.keeps(x) {
                    let cost = self.costs[0] * x[0] + self.costs[1] * x[1];
                    best = Some(best.map_or(cost, |best| best.min(cost)));
                }
            }
        }
        best
    }

    fn keeps(&self, x: [f64; 2]) -> bool {
        let near = 1e-9;
        let within = (0..2).all(|column| (-near..=self.limits[column] + near).contains(&x[column]));
        let holds = |(factors, relation, limit): &(Vec<f64>, Relation, f64)| {
            let sum = factors[0] * x[0] + factors[1] * x[1];
            match relation {
                Relation::AtLeast => sum >= limit - near,
                Relation::AtMost => sum <= limit + near,
                Relation::Equal => (sum - limit).abs() <= near,
            }
        };
        within && self.rows.iter().all(holds)
    }
}

fn whole(range: std::ops::Range<i32>) -> impl Strategy<Value = f64> {
    range.prop_map(f64::from)
}

prop_compose! {
    fn smalls()(
        costs in prop::collection::vec(whole(0..9), 2),
        limits in prop::collection::vec(whole(0..12), 2),
        rows in prop::collection::vec((
            prop::collection::vec(whole(-4..6), 2),
            prop::sample::select(vec![Relation::AtLeast, Relation::AtMost, Relation::Equal]),
            whole(-6..20),
        ), 1..5),
    ) -> Small {
        Small { costs, limits, rows }
    }
}

const ENDLESS: [f64; 2] = [f64::INFINITY; 2];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    /// The proved bound never exceeds the optimum, and with the solver's multipliers it equals the optimum.
    #[test]
    fn the_proof_is_the_optimum(small in smalls()) {
        let Some(optimum) = small.optimum() else { return Ok(()) };
        let program = small.program();
        let (multipliers, believed) = program.multipliers(SolveOptions::default()).expect("a program with a solution has multipliers");
        let proven = program.proven_by(&multipliers, &ENDLESS);
        prop_assert!(proven <= optimum + 1e-12 * (1.0 + optimum), "{proven} above {optimum}");
        prop_assert!(proven >= optimum * (1.0 - 1e-6) - 1e-9, "{proven} far below {optimum}, believed {believed}");
    }

    /// Wrong multipliers prove a lower bound, never a higher one.
    #[test]
    fn wrong_multipliers_prove_less(
        small in smalls(),
        wrong in prop::collection::vec(prop_oneof![-50.0..50.0, Just(f64::NAN), Just(f64::INFINITY), Just(1e300)], 4),
        endless in any::<bool>(),
    ) {
        let mut program = small.program();
        let Some(optimum) = small.optimum() else { return Ok(()) };
        if endless {
            // Without limits the optimum can only be lower; it is compared with the optimum with limits, which is
            // higher.
            program.columns.iter_mut().for_each(|column| column.most = f64::INFINITY);
        }
        let proven = program.proven_by(&wrong, &ENDLESS);
        prop_assert!(proven <= optimum + 1e-12 * (1.0 + optimum), "{proven} above {optimum}");
        prop_assert!(proven.is_finite() && proven >= 0.0);
    }
}

/// min 3 a + b, a + b >= 4, b <= 1 by a row: 3 x 3 + 1.
fn of_two() -> Program {
    let mut program = Program::default();
    let (a, b) = (program.column(3.0, f64::INFINITY, false), program.column(1.0, f64::INFINITY, false));
    program.row(Requirement::Identity, vec![(a, 1.0), (b, 1.0)], Relation::AtLeast, 4.0);
    program.row(Requirement::Identity, vec![(b, 1.0)], Relation::AtMost, 1.0);
    program
}

#[test]
fn endless_columns_shrink_the_multipliers() {
    let program = of_two();
    assert!((program.proven_by(&[3.0, -2.0], &ENDLESS) - 10.0).abs() < 1e-9);
    // Over-priced by a quarter: all multipliers shrink to four fifths, so that `b` is not over-priced.
    assert!((program.proven_by(&[3.75, -2.75], &ENDLESS) - 0.8 * (15.0 - 2.75)).abs() < 1e-9);
    // The sign of "at most" is wrong: without it `b` allows one third of the first.
    assert!((program.proven_by(&[3.0, 2.0], &ENDLESS) - 4.0).abs() < 1e-9);
    // A ceiling instead of shrinking: 3 x 4, minus what `b` may save.
    assert!((program.proven_by(&[3.0, 0.0], &[f64::INFINITY, 1.0]) - 10.0).abs() < 1e-9);
}

#[test]
fn a_program_without_a_solution_has_no_multipliers() {
    let mut program = of_two();
    program.row(Requirement::Identity, vec![(0, 1.0)], Relation::AtMost, 2.0);
    assert!(program.multipliers(SolveOptions::default()).is_none());
}
