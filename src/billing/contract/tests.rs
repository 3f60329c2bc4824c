use super::*;
use proptest::prelude::*;
use rstest::rstest;

const DOLLAR: u64 = 1_000_000_000;

fn at(minutes: u64) -> SimTime {
    SimTime::from_secs(minutes * 60)
}

fn millis(millis: u64) -> SimTime {
    SimTime::from_nanos(millis * 1_000_000)
}

/// A lease of `what` over minutes, billed exactly.
fn lease(what: &str, from: u64, to: u64, nanos: u64) -> Settled {
    let price = UsdPerHour::from_nanos(nanos);
    let billed = at(to).since(at(from));
    Settled {
        what: what.into(),
        start: at(from),
        end: at(to),
        billed,
        covered: SimDuration::ZERO,
        price,
        cost: price.over(billed),
    }
}

fn two_reserved() -> Contract {
    let price = UsdPerHour::from_nanos(60_000_000);
    let reserved = vec![Reservation { of: "m".into(), what: "m, reserved-1y".into(), count: 2, price }];
    Contract { reserved, ..Contract::default() }
}

fn costs(lines: &[ChargeLine]) -> Vec<(ChargeKind, u64, i128)> {
    lines.iter().map(|line| (line.kind, line.quantity, line.cost.as_nanos())).collect()
}

/// Two instances at $0.06 for 2.5 h are $0.30. Three run: of the third's hour ($0.10) nothing is covered.
#[test]
fn what_is_reserved_and_used_all_the_time() {
    let mut leases =
        [lease("m", 0, 150, 100_000_000), lease("m", 0, 150, 100_000_000), lease("m", 30, 90, 100_000_000)];
    let lines = two_reserved().cover(&mut leases, at(150));
    let expected = [(ChargeKind::CommitmentUsed, 5 * DOLLAR, 300_000_000), (ChargeKind::CommitmentUnused, 0, 0)];
    assert_eq!(costs(&lines), expected);
    assert_eq!(leases.map(|lease| lease.cost.as_nanos()), [0, 0, 100_000_000]);
}

/// Half an hour is used of the first two, two of three instances are covered in the second hour, none in the last half: 2.5 h of
/// five are used ($0.15), 2.5 h not ($0.15), and one hour is paid for on demand ($0.10). Other instances are not covered.
#[test]
fn what_one_hour_leaves_is_lost() {
    let mut leases = vec![lease("m", 0, 30, 100_000_000), lease("x", 0, 150, 500_000_000)];
    leases.extend((0..3).map(|_| lease("m", 60, 120, 100_000_000)));
    let lines = two_reserved().cover(&mut leases, at(150));
    let half = 2_500_000_000;
    let expected = [(ChargeKind::CommitmentUsed, half, 150_000_000), (ChargeKind::CommitmentUnused, half, 150_000_000)];
    assert_eq!(costs(&lines), expected);
    let paid: Vec<i128> = leases.iter().map(|lease| lease.cost.as_nanos()).collect();
    assert_eq!(paid, [0, 1_250_000_000, 0, 0, 100_000_000]);
}

/// "You can run multiple instances concurrently, but can only receive the benefit for a total of 3600 seconds per clock-hour"
/// (AWS, how Reserved Instances are billed): three for 40 minutes use one of two, and 20 minutes of the other are left.
#[test]
fn instances_share_what_is_reserved_within_an_hour() {
    let mut leases = [0, 10, 20].map(|from| lease("m", from, from + 40, 100_000_000));
    let lines = two_reserved().cover(&mut leases, at(60));
    assert_eq!(costs(&lines)[0], (ChargeKind::CommitmentUsed, 2 * DOLLAR, 120_000_000));
    assert!(leases.iter().all(|lease| lease.cost == Usd::ZERO));
}

fn plan(nanos: u64, discount: u32) -> Contract {
    let commitment = UsdPerHour::from_nanos(nanos);
    let plan = SavingsPlan { commitment, discount, excluded: vec!["spot".into()] };
    Contract { plan: Some(plan), ..Contract::default() }
}

/// $1 an hour at a discount of 28%: an instance of $1 uses $0.72, the rest covers 0.28 / 0.72 h = 1400 s of a second one, whose
/// other 2200 s are $0.611111111.
#[test]
fn a_savings_plan_covers_by_amount() {
    let mut leases = [lease("a", 0, 60, DOLLAR), lease("b", 0, 60, DOLLAR)];
    let lines = plan(DOLLAR, 280_000).cover(&mut leases, at(60));
    assert_eq!(
        costs(&lines),
        [(ChargeKind::CommitmentUsed, DOLLAR, 1_000_000_000), (ChargeKind::CommitmentUnused, 0, 0)]
    );
    assert_eq!(leases.map(|lease| lease.cost.as_nanos()), [0, 611_111_111]);
}

/// Half an hour of $1 uses $0.36 of the first hour's dollar; spot instances use nothing.
#[test]
fn an_amount_that_is_not_used_is_paid_for() {
    let mut leases = [lease("a", 0, 30, DOLLAR), lease("spot", 0, 120, 300_000_000)];
    let lines = plan(DOLLAR, 280_000).cover(&mut leases, at(120));
    let expected = [
        (ChargeKind::CommitmentUsed, 360_000_000, 360_000_000),
        (ChargeKind::CommitmentUnused, 1_640_000_000, 1_640_000_000),
    ];
    assert_eq!(costs(&lines), expected);
    assert_eq!(leases.map(|lease| lease.cost.as_nanos()), [0, 600_000_000]);
}

/// Reservations cover first, and a savings plan the rest.
#[test]
fn reservations_come_first() {
    let both = Contract { plan: plan(DOLLAR, 500_000).plan, ..two_reserved() };
    let mut leases: Vec<Settled> = (0..3).map(|_| lease("m", 0, 60, 100_000_000)).collect();
    let lines = both.cover(&mut leases, at(60));
    let used: Vec<i128> = lines.iter().map(|line| line.cost.as_nanos()).collect();
    assert_eq!(used, [120_000_000, 0, 50_000_000, 950_000_000]);
    assert!(leases.iter().all(|lease| lease.cost == Usd::ZERO));
}

/// A minimum that goes beyond the end of the run belongs to the last hour.
#[test]
fn what_is_billed_beyond_the_end_is_covered_as_far_as_paid_for() {
    let mut leases = [lease("m", 9, 10, 100_000_000)];
    leases[0].billed = SimDuration::from_secs(3600);
    let lines = two_reserved().cover(&mut leases, at(10));
    // Two instances for ten minutes: 20 minutes of the hour.
    assert_eq!(leases[0].covered, SimDuration::from_secs(1200));
    assert_eq!((leases[0].cost.as_nanos(), lines[1].cost.as_nanos()), (66_666_667, 0));
}

#[rstest]
#[case(0, 1000, 0)]
#[case(1, 1000, 0)]
#[case(2, 1000, 100_000)]
#[case(10, 1000, 100_000)]
#[case(11, 1000, 300_000)]
#[case(1000, 1000, 300_000)]
#[case(0, 0, 0)]
fn credits_are_owed_below_a_tier(#[case] lost: u64, #[case] requests: u64, #[case] owed: u32) {
    let tiers = vec![(999_000, 100_000), (990_000, 300_000)];
    let credits = SlaCredits { service: 0, revenue: UsdPerHour::from_nanos(40 * DOLLAR), tiers };
    assert_eq!(credits.owed(lost, requests), owed);
    let contract = Contract { credits: Some(credits), ..Contract::default() };
    // $40 an hour for 90 minutes are $60.
    let lines = contract.fixed(at(90), &[(lost, requests)]);
    assert_eq!((lines[0].price.as_nanos(), lines[0].cost.as_nanos()), (60_000_000_000, i128::from(owed) * 60_000));
}

/// $0.10 for each of two control planes, by the started hour: 90 minutes are $0.40.
#[test]
fn fees_are_rounded_as_stated() {
    let hour = SimDuration::from_secs(3600);
    let fee = |billing| Fee { what: "eks".into(), price: UsdPerHour::from_nanos(100_000_000), count: 2, billing };
    let by_the_hour = Billing { granularity: hour, minimum: hour };
    let contract = Contract { fees: vec![fee(by_the_hour), fee(Billing::EXACT)], ..Contract::default() };
    assert_eq!(
        costs(&contract.fixed(at(90), &[])),
        [(ChargeKind::Fee, 4 * DOLLAR, 400_000_000), (ChargeKind::Fee, 3 * DOLLAR, 300_000_000)]
    );
}

prop_compose! {
    fn any_lease()(what in 0..3usize, from in 0..400_000u64, seconds in 0..40_000u64, more in 0..5000u64, nanos in 0..20_000_000_000u64) -> Settled {
        let what = ["m", "x", "spot"][what].to_string();
        let (start, end) = (millis(from * 100), millis(from * 100 + seconds * 1000));
        let (billed, price) = (SimDuration::from_secs(seconds + more), UsdPerHour::from_nanos(nanos));
        Settled { what, start, end, billed, covered: SimDuration::ZERO, price, cost: price.over(billed) }
    }
}

proptest! {
    /// I5: commitments are paid for whole, to the nano-dollar; what they cover is taken off once; nothing is negative; and in each
    /// hour no more is covered than was committed to, in any order of leases.
    #[test]
    fn commitments_are_paid_for_once(
        leases in prop::collection::vec(any_lease(), 0..30),
        count in 0..5u32,
        price in 0..9_000_000_000u64,
        hourly in 0..30_000_000_000u64,
        discount in 0..=MILLION,
        end in 400_000..500_000u64,
    ) {
        let end = millis(end * 100);
        let length = end.since(SimTime::ZERO);
        let price = UsdPerHour::from_nanos(price);
        let reserved = vec![Reservation { of: "m".into(), what: "r".into(), count, price }];
        let contract = Contract { reserved, ..plan(hourly, discount) };
        let mut covered = leases.clone();
        let lines = contract.cover(&mut covered, end);
        prop_assert!(lines.iter().all(|line| line.cost >= Usd::ZERO));
        let paid = |lines: &[ChargeLine]| lines.iter().map(|line| line.cost).sum::<Usd>();
        prop_assert_eq!(paid(&lines[..2]), line(ChargeKind::Fee, "", price, u128::from(length.as_nanos()) * u128::from(count)).cost);
        prop_assert_eq!(paid(&lines[2..]), UsdPerHour::from_nanos(hourly).over(length));
        for (before, after) in leases.iter().zip(&covered) {
            prop_assert!(after.covered <= after.billed && after.billed == before.billed && after.cost <= before.cost);
            let rest = SimDuration::from_nanos(after.billed.as_nanos() - after.covered.as_nanos());
            prop_assert_eq!(after.cost, after.price.over(rest));
            prop_assert!(after.what != "spot" || after.covered.is_zero());
        }
        // Without the plan, what is covered is what the reservation's line says was used.
        let alone = Contract { plan: None, ..contract };
        let mut of_m = leases.clone();
        let lines = alone.cover(&mut of_m, end);
        let used: u128 = of_m.iter().map(|lease| u128::from(lease.covered.as_nanos())).sum();
        prop_assert_eq!(lines[0].quantity, hours_of(used));
        prop_assert_eq!(lines[0].cost, line(ChargeKind::Fee, "", price, used).cost);
        let mut turned: Vec<Settled> = leases.iter().rev().cloned().collect();
        prop_assert_eq!(alone.cover(&mut turned, end), lines);
    }

    /// A commitment that covers everything at no discount changes nothing but who is paid.
    #[test]
    fn a_plan_without_discount_is_neutral(leases in prop::collection::vec(any_lease(), 1..20)) {
        let leases: Vec<Settled> = leases.into_iter().filter(|lease| lease.what != "spot").collect();
        let end = SimTime::from_secs(90_000);
        let contract = plan(u64::MAX >> 8, 0);
        let mut covered = leases.clone();
        let lines = contract.cover(&mut covered, end);
        prop_assert!(covered.iter().all(|lease| lease.cost == Usd::ZERO));
        let before: i128 = leases.iter().map(|lease| lease.cost.as_nanos()).sum();
        prop_assert!((lines[0].cost.as_nanos() - before).abs() <= leases.len() as i128 + 1);
    }

    #[test]
    fn extremes_do_not_overflow(billed in any::<u64>(), nanos in any::<u64>(), count in any::<u32>(), hourly in any::<u64>(), discount in any::<u32>()) {
        let price = UsdPerHour::from_nanos(nanos);
        let reserved = vec![Reservation { of: "m".into(), what: "r".into(), count, price }];
        let contract = Contract { reserved, ..plan(hourly, discount) };
        let one = Settled { billed: SimDuration::from_nanos(billed), ..lease("m", 0, 60, nanos) };
        for end in [at(0), at(1), at(600_000)] {
            let lines = contract.cover(&mut [one.clone(), one.clone()], end);
            prop_assert!(lines.iter().all(|line| line.cost >= Usd::ZERO));
        }
    }
}
