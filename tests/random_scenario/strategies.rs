//! Strategies for drawing cases.

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Every distribution that a scenario may name, with a mean of about `ms`.
fn distribution(most: Ms) -> impl Strategy<Value = Distribution> {
    (0..=most, 0..9u8).prop_map(|(ms, kind)| {
        let mean = ms as f64 / 1e3;
        match (ms, kind) {
            (0, _) | (_, 0) => Distribution::Constant { value: mean },
            (_, 1) => Distribution::Uniform { low: mean * 0.5, high: mean * 1.5 },
            (_, 2) => Distribution::Exponential { mean },
            (_, 3) => Distribution::lognormal(mean, 1.5),
            (_, 4) => Distribution::Weibull { shape: 0.7, scale: mean },
            (_, 5) => Distribution::Gamma { shape: 2.5, scale: mean / 2.5 },
            (_, 6) => Distribution::Pareto { shape: 1.8, min: mean / 2.0, max: mean * 50.0 },
            (_, 7) => Distribution::hyperexponential_balanced(mean, 4.0),
            _ => Distribution::Empirical { values: vec![0.0, mean, mean * 2.0] },
        }
    })
}

/// Usually up to `most`; sometimes so long that it never ends.
fn delay(most: Ms) -> impl Strategy<Value = Distribution> {
    prop_oneof![40 => distribution(most), 1 => Just(Distribution::Constant { value: 1e12 })]
}

/// Running time until a crash; sometimes no crashes.
fn life() -> impl Strategy<Value = Distribution> {
    let usual = distribution(5_000).prop_filter("a life", |life| life.mean() > 0.1);
    prop_oneof![20 => usual, 1 => Just(Distribution::Constant { value: 0.0 })]
}

fn constant(most: Ms) -> impl Strategy<Value = Distribution> {
    prop_oneof![Just(0), 0..=most].prop_map(|ms| Distribution::constant(millis(ms)))
}

fn arrivals() -> impl Strategy<Value = Arrivals> {
    prop_oneof![
        (20..200u64).prop_map(Arrivals::Even),
        (20..200u64).prop_map(Arrivals::Poisson),
        (2..20u64, 300..2000u64).prop_map(|(size, gap)| Arrivals::Bursts(size, gap)),
        vec(0..400u64, 0..120).prop_map(Arrivals::Gaps),
    ]
}

fn on_timeout() -> impl Strategy<Value = OnTimeout> {
    prop_oneof![Just(OnTimeout::Finish), Just(OnTimeout::Cancel), Just(OnTimeout::CancelWaiting)]
}

fn retry(jitter: impl Strategy<Value = bool>) -> impl Strategy<Value = RetryCase> {
    let budget = prop_oneof![Just(0), Just(100), 0..=100u32];
    let reserve = prop_oneof![Just(1), Just(100), 1..20u32];
    (1..5u8, 0..400u64, 0..900u64, jitter, budget, reserve).prop_map(
        |(attempts, backoff, max_backoff, jitter, budget_percent, reserve)| RetryCase {
            attempts,
            backoff,
            max_backoff,
            jitter,
            budget_percent,
            reserve,
        },
    )
}

fn lease() -> impl Strategy<Value = LeaseCase> {
    let zero_or = |most| prop_oneof![Just(0), 1..=most];
    (1..1_000_000_000u64, zero_or(2_000u64), zero_or(60_000u64)).prop_map(|(price, granularity, minimum)| LeaseCase {
        price,
        granularity,
        minimum,
    })
}

prop_compose! {
    /// Clients and queues, whatever the replicas are.
    fn clients(jitter: bool)(
        arrivals in arrivals(),
        concurrency in 1..4u32,
        queue_limit in prop_oneof![0..4u32, Just(u32::MAX)],
        timeout in option::of((0..1500u64, on_timeout())),
        retry in option::of(retry(if jitter { any::<bool>().boxed() } else { Just(false).boxed() })),
        grace in prop_oneof![0..200u64, Just(60_000u64)],
        lease in option::of(lease()),
    ) -> ServiceCase {
        let nothing = || Distribution::Constant { value: 0.0 };
        ServiceCase {
            arrivals, concurrency, queue_limit, timeout, retry, grace, lease,
            demand: Demand::Listed(vec![1]),
            replicas: 1,
            dispatch: 0,
            cpu_millis: 1000,
            cpu_idle: 0.0,
            limited: true,
            share_millis: 300,
            sharing: false,
            crash: None,
            start_up: [nothing(), nothing(), nothing(), nothing()],
        }
    }
}

prop_compose! {
    fn wild_service()(
        clients in clients(true),
        demand in prop_oneof![delay(500).prop_map(Demand::Drawn), vec(0..800u64, 1..40).prop_map(Demand::Listed)],
        replicas in 0..4u32,
        dispatch in 0..DISPATCHERS.len() - plimsoll::cluster::dispatch::FREE_SLOTS.len(),
        cpu_millis in prop_oneof![20 => 100..2500u64, 1 => Just(0)],
        cpu_idle in prop_oneof![Just(0.0), 0.0..0.2],
        limited in prop_oneof![4 => Just(true), 1 => Just(false)],
        sharing in any::<bool>(),
        crash in option::weighted(0.3, life()),
        start_up in [delay(300), delay(3_000), delay(1_000), delay(3_000)],
    ) -> ServiceCase {
        ServiceCase { demand, replicas, dispatch, cpu_millis, cpu_idle, sharing: sharing && cpu_millis > 0,
            limited: limited || sharing, share_millis: if sharing && cpu_millis > 0 { 1000 } else { 300 }, start_up, crash, ..clients }
    }
}

fn wild_policy() -> impl Strategy<Value = PolicyCase> {
    prop_oneof![
        1 => (0..5u32).prop_map(PolicyCase::Static),
        4 => (200..4_000u64, vec(0..7u32, 1..8)).prop_map(|(every, sizes)| PolicyCase::Sizes { every, sizes }),
        2 => (1_000..4_000u64, 1..8u32, 20..90u32)
            .prop_map(|(every, max, cpu_percent)| PolicyCase::Hpa { every, max, cpu_percent }),
    ]
}

fn wild_nodes() -> impl Strategy<Value = NodesCase> {
    let speed = prop_oneof![Just(1.0), Just(0.5), Just(1.7)];
    let steps = option::of((0..2u32, 0..4u32, 0..3_000u64, 0..3_000u64, 0..5_000u64));
    let pool = (1..4u32, 200..6_000u64, 1..6u32, speed, steps).prop_map(|(count, cpu_millis, pods, speed, steps)| {
        let steps = steps.map(|(least, more, boot, add_after, remove_after)| StepsCase {
            least,
            most: count + more,
            boot,
            add_after,
            remove_after,
        });
        PoolCase { count, cpu_millis, core_millis: cpu_millis, pods, speed, steps }
    });
    (vec(pool, 1..3), 0..PLACEMENTS.len(), 0..1_000_000_000u64).prop_map(|(pools, placement, price)| NodesCase {
        pools,
        placement,
        price,
    })
}

prop_compose! {
    /// Anything that a scenario can state.
    pub fn wild_case()(
        seed in any::<u64>(),
        end in 1_000..30_000u64,
        warm_up_percent in prop_oneof![Just(0u64), 1..95u64],
        interval in 200..5_000u64,
        metrics in (500..3_000u64, 1..4u64, prop_oneof![Just(0u64), 1..4_000u64]),
        objectives in vec(option::of(1..1_500u64), 0..3),
        nodes in option::of(wild_nodes()),
        services in vec(wild_service(), 1..4),
        policies in vec(vec(wild_policy(), 3), 1..4),
    ) -> Case {
        let variants = policies.into_iter().map(|variant| variant[..services.len()].to_vec()).collect();
        let (interval_ms, window, lag) = metrics;
        Case { seed, end, warm_up: end * warm_up_percent / 100, interval, objectives, nodes, services, variants,
            metrics: MetricsCase { interval: interval_ms, window, lag } }
    }
}

prop_compose! {
    /// Everything is on a grid, so that many events coincide.
    fn exact_service(grid: Ms)(
        clients in clients(false),
        concurrency in prop_oneof![2 => 1..4u32, 1 => 4..9u32],
        (cpu_millis, limited) in (prop_oneof![Just(250u64), Just(500), Just(1000), Just(1500), Just(2100)], any::<bool>()),
        share_millis in prop_oneof![Just(100u64), Just(300), Just(1000), Just(1700)],
        gaps in vec(0..30u64, 0..150),
        demands in vec(0..40u64, 1..30),
        replicas in 0..4u32,
        dispatch in prop_oneof![Just("least-loaded"), Just("round-robin")],
        crash in option::weighted(0.3, 10..200u64),
        start_up in [constant(4), constant(8), constant(4), constant(8)],
    ) -> ServiceCase {
        let on_grid = |ms: Ms| ms * grid;
        let stretch = |delay: Distribution| match delay {
            Distribution::Constant { value } => Distribution::Constant { value: value * grid as f64 },
            other => other,
        };
        let round = |ms: Ms| ms / grid * grid;
        ServiceCase {
            arrivals: Arrivals::Gaps(gaps.into_iter().map(|gap| on_grid(gap / 3)).collect()),
            demand: Demand::Listed(demands.into_iter().map(on_grid).collect()),
            replicas,
            concurrency,
            cpu_millis,
            limited,
            share_millis,
            sharing: share_millis == 1000,
            dispatch: DISPATCHERS.iter().position(|plugin| plugin.name == dispatch).unwrap(),
            crash: crash.map(|after| Distribution::constant(millis(on_grid(after)))),
            start_up: start_up.map(stretch),
            timeout: clients.timeout.map(|(after, work)| (round(after), work)),
            retry: clients.retry.map(|retry| RetryCase {
                backoff: round(retry.backoff), max_backoff: round(retry.max_backoff), ..retry }),
            grace: round(clients.grace),
            lease: Some(LeaseCase { price: 1, granularity: 0, minimum: 0 }),
            ..clients
        }
    }
}

/// Cores and speed of a machine.
fn exact_machine() -> impl Strategy<Value = (u64, f64)> {
    let speed = prop_oneof![3 => Just(1.0), 1 => Just(0.5), 1 => Just(0.8), 1 => Just(1.25), 1 => Just(2.0)];
    (prop_oneof![Just(400u64), Just(1000), Just(2000), Just(64_000)], speed)
}

prop_compose! {
    /// Nothing is random: the result can be computed by hand.
    pub fn exact_case()(grid in prop_oneof![Just(1u64), Just(50)])(
        end in 100..8_000u64,
        warm_up_percent in prop_oneof![Just(0u64), 1..95u64],
        interval in 200..3_000u64,
        pools in option::of((vec((1..4u32, 1..5u32, 1..12u64, exact_machine()), 1..3), any::<bool>())),
        limits in vec(option::of(1..30u64), 0..4),
        services in vec(exact_service(grid), 1..3),
        policies in vec((2..40u64, vec(0..5u32, 1..6)), 2),
        grid in Just(grid),
    ) -> Case {
        let sizes = |(every, sizes): (u64, Vec<u32>)| PolicyCase::Sizes { every: every * 50, sizes };
        let variant = policies.into_iter().take(services.len()).map(sizes).collect();
        let pool = |(count, pods, cpus, (core_millis, speed)): (u32, u32, u64, (u64, f64))| PoolCase {
            count,
            cpu_millis: cpus * 700,
            core_millis,
            pods,
            speed,
            steps: None,
        };
        let placement = |packs: bool| if packs { "most-allocated" } else { "least-allocated" };
        Case {
            seed: 1,
            end,
            warm_up: end * warm_up_percent / 100 / grid * grid,
            interval: interval / grid * grid,
            metrics: MetricsCase { interval: 1_000, window: 1, lag: 0 },
            objectives: limits.into_iter().map(|limit| limit.map(|steps| steps * grid)).collect(),
            nodes: pools.map(|(pools, packs)| NodesCase {
                pools: pools.into_iter().map(pool).collect(),
                placement: PLACEMENTS.iter().position(|plugin| plugin.name == placement(packs)).unwrap(),
                price: 0,
            }),
            services,
            variants: vec![variant],
        }
    }
}
