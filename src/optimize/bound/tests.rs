use proptest::prelude::*;

use super::*;

fn bound(problem: &BoundProblem) -> f64 {
    problem.cost().unwrap()
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 2e-6 * b.abs()
}

#[test]
fn without_start_up_the_bound_is_the_work() {
    let problem = BoundProblem { within: 1.0, ..BoundProblem::new(vec![3.0, 0.0, 5.0, 1.0, 0.0], 1.0, 2.0) };
    assert!(close(bound(&problem), 18.0));
    assert!(close(bound(&BoundProblem { forgiven: 2.5, ..problem.clone() }), 13.0));
    // Two replicas at all times but in the last interval, whose work may wait for the next.
    let least = BoundProblem { least: 2, work: vec![3.0, 0.0, 0.0, 0.0, 3.0], ..problem };
    assert!(close(bound(&least), 2.0 * 8.0), "{}", bound(&least));
}

#[test]
fn start_up_and_minimum_cost_more() {
    // One replica at first; nine more are needed in one interval, and no request can wait for the next interval.
    let mut problem = BoundProblem::new(vec![1.0, 1.0, 10.0, 1.0, 1.0], 1.0, 1.0);
    problem.within = 0.0;
    problem.initial = Some(1);
    assert!(close(bound(&problem), 14.0));
    problem.start_up = 2.0;
    assert!(close(bound(&problem), 14.0 + 2.0 * 9.0));
    problem.billed_at_least = 4.0;
    // Eight of the nine are paid for one more interval; the ninth takes over from the first replica.
    assert!(close(bound(&problem), 14.0 + 2.0 * 9.0 + 8.0), "{}", bound(&problem));
}

#[test]
fn an_objective_out_of_reach_is_named() {
    let mut problem = BoundProblem::new(vec![1.0, 4.0, 0.0], 1.0, 1.0);
    problem.within = 0.0;
    problem.most = Some(2);
    let text = problem.cost().unwrap_err().to_string();
    assert_eq!(text, "no plan meets every requirement: the demand for resource 0 in interval 1 is missed by 2");
    problem.within = 1.0;
    assert!(problem.cost().is_ok());
    problem.interval = 0.0;
    assert!(matches!(problem.cost(), Err(OptimizeError::Invalid(_))));
    assert_eq!(BoundProblem::new(Vec::new(), 1.0, 1.0).cost(), Ok(0.0));
}

#[test]
fn load_counts_work_and_forgives_the_heaviest() {
    let mut problem = BoundProblem::new(vec![9.0; 2], 10.0, 1.0);
    problem.load(&[(0.0, 1.0), (9.9, 2.0), (10.0, 4.0), (25.0, 64.0), (-1.0, 32.0), (11.0, 0.5)], 0.5);
    assert_eq!((problem.work, problem.forgiven), (vec![3.0, 4.5], 6.0));
}

#[test]
fn whole_replicas_are_kept_over_gaps_that_a_start_would_not_pay() {
    // A twentieth of a replica, a tenth of a second every ten seconds, for 100 s; a start takes a minute, so one stays ready.
    let mut problem = BoundProblem::new(vec![0.0; 100], 1.0, 1.0);
    (problem.within, problem.start_up, problem.initial) = (0.5, 60.0, Some(1));
    let requests: Vec<(f64, f64)> = (0..10).map(|n| (f64::from(n) * 10.0 + 0.1, 0.1)).collect();
    problem.load(&requests, 1.0);
    assert_eq!(problem.urgent.iter().filter(|work| **work > 0.0).count(), 10);
    // From the first to the last of them 91 s, less one for the end that may have come in the midst of an interval.
    let bound = problem.urgent_cost().unwrap();
    assert!(close(bound, 90.0), "{bound}");
    // One second of work may be given up: one of the ten, for free.
    problem.forgiven = 0.1;
    let forgiving = problem.urgent_cost().unwrap();
    assert!(forgiving < bound && forgiving > 0.9 * 90.0 * 0.9, "{forgiving}");
}

#[test]
fn unneeded_initial_replicas_do_not_lower_the_bound() {
    // One replica's work in each of a hundred seconds; starts take no time but are paid for one minute.
    let mut problem = BoundProblem::new(vec![0.0; 100], 1.0, 1.0);
    (problem.within, problem.billed_at_least) = (0.5, 60.0);
    let requests: Vec<(f64, f64)> = (0..100).map(|n| (f64::from(n) + 0.1, 0.9)).collect();
    problem.load(&requests, 1.0);
    for initial in [None, Some(1), Some(1_000)] {
        problem.initial = initial;
        let bound = problem.urgent_cost().unwrap();
        assert!((90.0 * (1.0 - 2e-6)..=100.0).contains(&bound), "{bound} with {initial:?}");
    }
    // A lease much longer than the trace does not enlarge the program.
    problem.billed_at_least = 1e9;
    assert!(problem.urgent_cost().unwrap() <= 1e9);
}

#[test]
fn merging_keeps_the_bound_below() {
    let work: Vec<f64> = (0..2001).map(|j| f64::from(j % 7)).collect();
    let total: f64 = work.iter().sum();
    let long = BoundProblem { within: 2.0, start_up: 3.0, ..BoundProblem::new(work, 1.0, 1.0) };
    // What arrives in the last merged interval may still wait at its end.
    assert!(bound(&long) >= (total - 18.0) * (1.0 - 2e-6), "{} of {total}", bound(&long));
    let exact = BoundProblem { start_up: 0.0, ..long };
    assert!(bound(&exact) <= total && bound(&exact) >= (total - 18.0) * (1.0 - 2e-6), "{}", bound(&exact));
}

/// A small world for brute force: steps of one second, four parts per step.
#[derive(Debug, Clone)]
struct World {
    steps: usize,
    /// (step of arrival, work in quarters of a replica-second).
    requests: Vec<(usize, usize)>,
    /// Latency limit in quarters of a second.
    within: usize,
    target: f64,
    start_up: usize,
    billed_at_least: usize,
    initial: usize,
    /// Whether a policy may choose the number of initial replicas, up to two.
    chosen: bool,
}

const PARTS: usize = 4;

impl World {
    fn problem(&self) -> BoundProblem {
        self.problem_in(1)
    }

    /// The problem with this many intervals per step.
    fn problem_in(&self, intervals: usize) -> BoundProblem {
        let mut problem = BoundProblem::new(vec![0.0; self.steps * intervals], 1.0 / intervals as f64, 1.0);
        let seconds = |parts: usize| parts as f64 / PARTS as f64;
        let requests: Vec<(f64, f64)> = self.requests.iter().map(|(at, work)| (*at as f64, seconds(*work))).collect();
        problem.within = seconds(self.within);
        problem.load(&requests, self.target);
        problem.start_up = self.start_up as f64;
        problem.billed_at_least = self.billed_at_least as f64;
        problem.initial = (!self.chosen).then_some(self.initial as u32);
        problem
    }

    fn allowed(&self) -> usize {
        ((1.0 - self.target) * self.requests.len() as f64 + 1e-9).floor() as usize
    }

    /// Whether `ready` replicas per step serve enough requests in time, first come, first served, each by one replica
    /// at a time. Requests in `given_up` are never served.
    fn serves(&self, ready: &[usize], given_up: &[usize]) -> bool {
        let mut left: Vec<usize> = self.requests.iter().map(|(_, work)| *work).collect();
        let mut bad = given_up.len();
        for part in 0..self.steps * PARTS {
            let mut free = ready[part / PARTS];
            for (place, (arrival, _)) in self.requests.iter().enumerate() {
                let here = arrival * PARTS <= part && !given_up.contains(&place);
                if free > 0 && here && left[place] > 0 {
                    free -= 1;
                    left[place] -= 1;
                    bad += usize::from(left[place] == 0 && part + 1 > arrival * PARTS + self.within);
                }
            }
        }
        // Unanswered at the end, and already too late.
        let late = |(arrival, _): &(usize, usize)| arrival * PARTS + self.within <= self.steps * PARTS;
        let unanswered = (0..left.len()).filter(|p| left[*p] > 0 && !given_up.contains(p) && late(&self.requests[*p]));
        bad + unanswered.count() <= self.allowed()
    }

    /// Cost of `orders` and stops: each step asks for a number of replicas (including starting ones); either the oldest
    /// or the youngest stop first. `None` if more would have to stop than there are.
    fn run(&self, initial: usize, wanted: &[usize], oldest_first: bool) -> (Vec<usize>, usize) {
        // (order, ready, end) of each replica.
        let mut leases: Vec<(usize, usize, Option<usize>)> = vec![(0, 0, None); initial];
        let mut ready = Vec::new();
        for (step, wanted) in wanted.iter().enumerate() {
            let running: Vec<usize> = (0..leases.len()).filter(|p| leases[*p].2.is_none()).collect();
            for _ in running.len()..*wanted {
                leases.push((step, step + self.start_up, None));
            }
            let surplus = running.len().saturating_sub(*wanted);
            let stopped: Vec<usize> =
                if oldest_first { running[..surplus].to_vec() } else { running[running.len() - surplus..].to_vec() };
            stopped.iter().for_each(|place| leases[*place].2 = Some(step));
            ready.push(leases.iter().filter(|(_, ready, end)| *ready <= step && end.is_none()).count());
        }
        let billed = |(order, _, end): &(usize, usize, Option<usize>)| {
            (end.unwrap_or(self.steps) - order).max(self.billed_at_least)
        };
        (ready, leases.iter().map(billed).sum())
    }

    fn initials(&self) -> std::ops::RangeInclusive<usize> {
        if self.chosen { 0..=2 } else { self.initial..=self.initial }
    }

    /// The minimum cost over every sequence of up to two replicas and both stopping orders, serving all requests or all
    /// but the heaviest that may be bad.
    fn cheapest(&self) -> Option<usize> {
        let mut heaviest: Vec<usize> = (0..self.requests.len()).collect();
        heaviest.sort_by_key(|place| std::cmp::Reverse(self.requests[*place].1));
        heaviest.truncate(self.allowed());
        let mut best: Option<usize> = None;
        for code in 0..3usize.pow(self.steps as u32) {
            let wanted: Vec<usize> = (0..self.steps).map(|step| code / 3usize.pow(step as u32) % 3).collect();
            for (initial, oldest_first) in self.initials().flat_map(|n| [(n, true), (n, false)]) {
                let (ready, cost) = self.run(initial, &wanted, oldest_first);
                if best.is_none_or(|best| cost < best) && (self.serves(&ready, &[]) || self.serves(&ready, &heaviest)) {
                    best = Some(cost);
                }
            }
        }
        best
    }
}

prop_compose! {
    fn worlds()(
        steps in 3..6usize,
        mut requests in prop::collection::vec((0..5usize, 1..9usize), 1..7),
        (within, target) in (1..12usize, prop::sample::select(vec![1.0, 0.8, 0.5])),
        (start_up, billed_at_least, initial, chosen) in (0..3usize, 0..5usize, 0..3usize, any::<bool>()),
    ) -> World {
        requests.retain(|(arrival, _)| *arrival < steps);
        requests.sort();
        World { steps, requests, within, target, start_up, billed_at_least, initial, chosen }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Invariant I9 on every plan of a small world.
    #[test]
    fn no_plan_is_cheaper(world in worlds()) {
        let Some(cheapest) = world.cheapest() else { return Ok(()) };
        let bound = world.problem().cost();
        prop_assert!(bound.as_ref().is_ok_and(|bound| *bound <= cheapest as f64 + 1e-9), "{bound:?} above {cheapest}");
        let served = world.problem();
        let work = served.work[..served.work.len().saturating_sub(world.within.div_ceil(PARTS))].iter().sum::<f64>();
        // Not trivially low either: work due by the end must be paid for.
        prop_assert!(bound.unwrap() * (1.0 + 2e-6) >= work - served.forgiven - 1e-9);
    }

    /// The same for the bound from urgent work, in intervals of a step and less.
    #[test]
    fn no_plan_is_cheaper_than_what_is_urgent(world in worlds(), intervals in prop::sample::select(vec![1, 2, 4])) {
        let Some(cheapest) = world.cheapest() else { return Ok(()) };
        let problem = world.problem_in(intervals);
        let bound = problem.urgent_cost().unwrap();
        prop_assert!(bound <= cheapest as f64 + 1e-9, "{bound} above {cheapest}");
        let urgent: f64 = problem.urgent.iter().sum();
        prop_assert!(bound * (1.0 + 2e-6) >= urgent - problem.forgiven - 0.01);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    /// What is left out is below the floor, and what is not is the same as without one.
    #[test]
    fn a_floor_leaves_out_only_what_is_below(
        urgent in prop::collection::vec(prop_oneof![Just(0.0), 0.0..3.0f64, 0.0..40.0f64], 20..120),
        target in prop::sample::select(vec![0.0, 0.02, 0.2]),
        (start_up, billed) in (0.0..9.0f64, 0.0..30.0f64),
        share in 0.3..1.7f64,
        initial in prop::option::of(0u32..30),
    ) {
        let mut problem = BoundProblem::new(urgent.clone(), 1.0, 0.7);
        problem.forgiven = target * urgent.iter().sum::<f64>();
        (problem.urgent, problem.start_up, problem.billed_at_least, problem.initial) = (urgent, start_up, billed, initial);
        let cost = problem.urgent_cost().unwrap();
        let floor = cost * share;
        match problem.urgent_cost_above(floor).unwrap() {
            None => prop_assert!(cost < floor, "{cost} is not below {floor}"),
            Some(found) if cost >= floor => prop_assert_eq!(found, cost),
            Some(found) => prop_assert!(found <= floor, "{} is above {}", found, floor),
        }
    }

    /// Requests are counted in the interval that the division gives, in order or not, at the ends of intervals too.
    #[test]
    fn remembering_the_interval_changes_nothing(
        arrivals in prop::collection::vec((0u64..4_000, -1i64..=1), 1..200),
        interval in prop::sample::select(vec![0.1, 1.0 / 3.0, 1.6, 60.0]),
        sorted in any::<bool>(),
    ) {
        let mut arrivals: Vec<f64> = arrivals.iter().map(|(n, near)| {
            let at = *n as f64 * 0.25 * interval;
            [at.next_down(), at, at.next_up()][(near + 1) as usize]
        }).collect();
        if sorted {
            arrivals.sort_by(f64::total_cmp);
        }
        let mut problem = BoundProblem::new(vec![0.0; 900], interval, 1.0);
        problem.within = 0.5 * interval;
        let (mut place, mut expected) = (Place::default(), problem.clone());
        // In order they come many at a time.
        for arrivals in arrivals.chunks(if sorted { 17 } else { 1 }) {
            let mut all_inside = 0;
            for (number, arrival) in arrivals.iter().enumerate() {
                let index = (arrival / interval).floor();
                let weight = 0.3 + number as f64;
                if (0.0..900.0).contains(&index) {
                    all_inside += 1;
                    expected.work[index as usize] += weight;
                    let urgent = arrival + problem.within <= (index + 1.0) * interval;
                    expected.urgent[index as usize] += if urgent { weight } else { 0.0 };
                }
            }
            let weights: Vec<f64> = (0..arrivals.len()).map(|number| 0.3 + number as f64).collect();
            prop_assert_eq!(problem.add_all(&mut place, arrivals, &weights), all_inside);
        }
        prop_assert_eq!(problem, expected);
    }
}

impl BoundProblem {
    /// Upper limits of the columns that follow from the rows, or that hold for every plan that costs at most `claimed`:
    /// D c n_j cannot exceed it, and starts and ends can be reduced to the rise or fall of n.
    fn ceilings(&self, columns: &Columns, size: usize, claimed: f64) -> Vec<f64> {
        let mut ceilings = vec![f64::INFINITY; size];
        let replicas = claimed / (self.price * self.interval);
        ceilings[columns.before] = replicas.max(self.initial.map_or(0.0, f64::from));
        let mut waiting = 0.0;
        for (j, work) in self.work.iter().enumerate() {
            ceilings[columns.starts[j]] = replicas;
            ceilings[columns.ends[j]] = ceilings[columns.before];
            ceilings[columns.served[j]] = waiting + work;
            let patience = (self.within / self.interval).ceil() as usize;
            let recent = (j + 1).saturating_sub(patience)..=j;
            waiting = recent.map(|k| self.work[k]).sum::<f64>() * (1.0 + 1e-12);
            ceilings[columns.waiting[j]] = waiting;
        }
        ceilings
    }
}

/// The bound does not rely on the solver: by weak duality, any multipliers of the rows prove a lower bound.
#[rstest::rstest]
#[case(0.0, 2.0, 0.0, 0.0, None)]
#[case(0.02, 2.0, 3.0, 0.0, Some(80))]
#[case(0.02, 0.5, 3.0, 8.0, None)]
#[case(0.05, 6.0, 2.0, 5.0, Some(80))]
#[case(0.01, f64::INFINITY, 10.0, 60.0, None)]
fn the_bound_is_proved_by_multipliers(
    #[case] forgiven: f64,
    #[case] within: f64,
    #[case] start_up: f64,
    #[case] billed: f64,
    #[case] initial: Option<u32>,
) {
    let burst = |j: u64| if j.wrapping_mul(2_654_435_761) % 1000 > 950 { 60.0 } else { 2.0 };
    let work: Vec<f64> = (0..150).map(|j| 5.0 * (1.0 + (j as f64 / 20.0).sin()) + burst(j)).collect();
    let total: f64 = work.iter().sum();
    let (forgiven, billed_at_least) = (forgiven * total, billed);
    let problem =
        BoundProblem { within, start_up, billed_at_least, forgiven, initial, ..BoundProblem::new(work, 1.0, 0.37) };
    let mut program = Program::default();
    let columns = problem.write(&mut program);
    let (multipliers, believed) = program.multipliers(SolveOptions::default()).expect("there is a plan");
    let claimed = 2.0 * believed;
    let ceilings = problem.ceilings(&columns, program.size(), claimed);
    let proven = program.proven_by(&multipliers, &ceilings).min(claimed);
    let bound = problem.cost().unwrap();
    assert!(bound <= proven, "{bound} is printed, {proven} is proved");
    assert!(proven <= bound * (1.0 + 2.0 * TOLERANCE), "{proven} is proved, {bound} is printed");
}
