use proptest::prelude::*;

use super::*;
use crate::optimize::{Offer, ProvisioningProblem, SolveOptions};

/// The same problem for the linear and integer programs.
fn program(problem: &OneType) -> ProvisioningProblem {
    let offer = Offer {
        name: "one".into(),
        capacity: vec![1.0],
        price: problem.price,
        start_cost: problem.start_cost,
        stop_cost: problem.stop_cost,
        lead: problem.lead,
        minimum_run: problem.minimum_run,
        initial: problem.initial,
        reserved: None,
        spot: None,
    };
    ProvisioningProblem {
        offers: vec![offer],
        demand: vec![problem.needed.clone()],
        scale_up: problem.scale_up,
        scale_down: problem.scale_down,
        least: problem.least,
        most: problem.most,
        shortage_price: problem.shortage_price.map(|price| vec![price]),
        ..ProvisioningProblem::default()
    }
}

/// Checks every row of the formulation.
fn check_rows(problem: &OneType, plan: &OneTypePlan) {
    let mut before = f64::from(problem.initial);
    for t in 0..problem.needed.len() {
        let (ready, starts, stops) = (plan.ready[t], plan.starts[t], plan.stops[t]);
        assert!(starts >= 0.0 && stops >= 0.0 && ready == before + starts - stops, "row 1 in {t}: {plan:?}");
        assert!(starts == 0.0 || t >= problem.lead, "row 2 in {t}: {plan:?}");
        let first = (t + 1).saturating_sub(problem.minimum_run);
        let running: f64 = plan.starts[first..=t].iter().sum();
        assert!(problem.minimum_run <= 1 || ready >= running, "row 3 in {t}: {plan:?}");
        assert!(ready + plan.shortage[t] >= problem.needed[t], "row 4 in {t}: {plan:?}");
        assert!(problem.scale_up.is_none_or(|most| starts <= f64::from(most)), "row 5 in {t}: {plan:?}");
        assert!(problem.scale_down.is_none_or(|most| stops <= f64::from(most)), "row 5 in {t}: {plan:?}");
        assert!(ready >= f64::from(problem.least), "row 6 in {t}: {plan:?}");
        assert!(problem.most.is_none_or(|most| ready <= f64::from(most)), "row 6 in {t}: {plan:?}");
        before = ready;
    }
}

prop_compose! {
    fn problems(quarters: bool)(
        needed in prop::collection::vec(0..40u32, 1..14),
        (price, start, stop, short) in (1..20u32, 0..40u32, 0..10u32, prop::option::of(0..200u32)),
        (lead, minimum_run, initial) in (0..3usize, 0..6usize, 0..8u32),
        (up, down) in (prop::option::of(1..4u32), prop::option::of(1..4u32)),
        (least, most) in (0..3u32, prop::option::of(0..9u32)),
    ) -> OneType {
        // Eighths are exact in binary, so that plans of equal cost are equal to the last bit.
        let part = |n: u32| if quarters { f64::from(n) / 4.0 } else { f64::from(n / 4) };
        OneType {
            needed: needed.into_iter().map(part).collect(),
            price: f64::from(price) / 8.0,
            start_cost: f64::from(start) / 8.0,
            stop_cost: f64::from(stop) / 8.0,
            lead, minimum_run, initial,
            scale_up: up, scale_down: down, least, most,
            shortage_price: short.map(|n| f64::from(n) / 8.0),
        }
    }
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-6 * a.abs().max(b.abs()).max(1.0)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Three methods that share only the formulation: flow, simplex (with branch and bound), dynamic programming.
    #[test]
    fn flow_equals_simplex_and_dynamic_program(problem in problems(false)) {
        let simplex = program(&problem).solve(false, SolveOptions::default());
        match problem.whole() {
            Ok(plan) => {
                check_rows(&problem, &plan);
                let simplex = simplex.unwrap();
                prop_assert!(close(plan.cost, simplex.cost), "{} is not {}", plan.cost, simplex.cost);
                prop_assert!(close(problem.relaxed().unwrap().cost, plan.cost));
                if problem.minimum_run <= 1 {
                    let dynamic = problem.dynamic().unwrap();
                    check_rows(&problem, &dynamic);
                    prop_assert!(close(dynamic.cost, plan.cost), "{} is not {}", dynamic.cost, plan.cost);
                }
            }
            Err(OptimizeError::Infeasible(missed)) => {
                prop_assert!(missed.iter().all(|shortfall| shortfall.amount > 1e-6) && !missed.is_empty());
                prop_assert!(matches!(simplex, Err(OptimizeError::Infeasible(_))), "{simplex:?}");
                if problem.minimum_run <= 1 {
                    prop_assert!(matches!(problem.dynamic(), Err(OptimizeError::Infeasible(_))));
                }
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }

    /// If needs are fractional, whole and fractional plans differ.
    #[test]
    fn fractions_of_needs_are_priced(problem in problems(true)) {
        let (whole, part) = (problem.whole(), problem.relaxed());
        if let Ok(plan) = &whole {
            check_rows(&problem, plan);
            let integer = program(&problem).solve(true, SolveOptions::default()).unwrap();
            prop_assert!(close(plan.cost, integer.cost), "{} is not {}", plan.cost, integer.cost);
        }
        if let Ok(plan) = &part {
            let simplex = program(&problem).solve(false, SolveOptions::default()).unwrap();
            prop_assert!(close(plan.cost, simplex.cost), "{} is not {}", plan.cost, simplex.cost);
        }
        prop_assert!(whole.is_err() || part.is_ok());
    }

    /// Among all optimal plans, the one with the fewest starts and stops up to any time is chosen.
    #[test]
    fn the_plan_with_the_fewest_changes_is_chosen_among_equals(problem in problems(false)) {
        let Ok(plan) = problem.whole() else { return Ok(()) };
        let sums = |of: &[f64]| of.iter().scan(0.0, |sum, n| { *sum += n; Some(*sum) }).collect::<Vec<f64>>();
        for until in 1..=problem.needed.len() {
            // Delaying any single start or stop by one interval must cost something.
            for series in [0, 1] {
                let mut other = plan.clone();
                let of = if series == 0 { &mut other.starts } else { &mut other.stops };
                if of[until - 1] < 1.0 { continue }
                of[until - 1] -= 1.0;
                if until < problem.needed.len() { of[until] += 1.0; }
                let (starts, stops) = (sums(&other.starts), sums(&other.stops));
                for t in 0..problem.needed.len() {
                    other.ready[t] = f64::from(problem.initial) + starts[t] - stops[t];
                    other.shortage[t] = (problem.needed[t] - other.ready[t]).max(0.0);
                }
                let kept = std::panic::catch_unwind(|| check_rows(&problem, &other)).is_ok();
                let allowed = problem.shortage_price.is_some() || other.shortage.iter().all(|e| *e == 0.0);
                prop_assert!(!(kept && allowed) || problem.cost(&other) > plan.cost - 1e-9);
                prop_assert!(!(kept && allowed) || problem.cost(&other) > plan.cost + 1e-9, "{plan:?} and {other:?}");
            }
        }
    }
}

#[test]
fn infeasible_requirements_are_named_with_their_shortfall() {
    let text = |problem: OneType| problem.whole().unwrap_err().to_string();
    let base = OneType { needed: vec![2.0, 6.0], price: 1.0, initial: 1, ..OneType::default() };
    assert_eq!(
        text(OneType { least: 4, lead: 1, ..base.clone() }),
        "no plan meets every requirement: the minimum number of replicas in interval 0 is missed by 3"
    );
    assert_eq!(
        text(OneType { most: Some(2), initial: 5, scale_down: Some(1), ..base.clone() }),
        "no plan meets every requirement: the maximum number of replicas in interval 0 is missed by 2"
    );
    assert_eq!(
        text(OneType { scale_up: Some(2), ..base.clone() }),
        "no plan meets every requirement: the demand for resource 0 in interval 1 is missed by 1"
    );
    assert!(matches!(OneType { price: f64::NAN, ..base }.whole(), Err(OptimizeError::Invalid(_))));
    assert_eq!(OneType::default().whole(), Ok(OneTypePlan::default()));
}

#[test]
fn extreme_figures_do_no_harm() {
    let huge = OneType {
        needed: vec![1e8, 0.5, 1e8],
        price: 1e-9,
        start_cost: 1e9,
        initial: 3,
        scale_up: Some(u32::MAX),
        scale_down: Some(u32::MAX),
        most: Some(u32::MAX),
        shortage_price: Some(1e300),
        minimum_run: usize::MAX,
        ..OneType::default()
    };
    assert_eq!(huge.whole().unwrap().ready, [1e8, 1e8, 1e8]);
    assert_eq!(huge.relaxed().unwrap().ready, [1e8, 1e8, 1e8]);
    assert!(OneType { needed: vec![1e9], ..huge }.whole().is_err());
    let free = OneType { needed: vec![1.0, 2.0], ..OneType::default() };
    assert_eq!(free.whole().unwrap().ready, [1.0, 2.0]);
}
