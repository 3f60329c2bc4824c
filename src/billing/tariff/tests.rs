use super::*;
use crate::units::UsdPerHour;
use proptest::prelude::*;
use rstest::rstest;

fn price(text: &str) -> UnitPrice {
    text.parse().unwrap()
}

fn tier(up_to: Option<u128>, text: &str) -> Tier {
    Tier { up_to, price: price(text) }
}

/// Lambda's duration on x86 in us-east-1, per month: catalogue row of 2024-07-01.
fn lambda(free: u128) -> Charge {
    let g = |billions: u128| Some(billions * 1_000_000_000 * Item::GibSeconds.base());
    let tiers = [tier(g(6), "$0.0000166667"), tier(g(15), "$0.000015"), tier(None, "$0.0000133334")];
    Charge::tiered(Item::GibSeconds, free * Item::GibSeconds.base(), &tiers).unwrap()
}

/// Dollars, rounded to the cent.
fn cents(cost: Usd) -> i128 {
    (cost.as_nanos() + 5_000_000) / 10_000_000
}

/// Infracost's worked figures: 9 x 10^9 GB-s in the second tier cost $135,000.00, 46.44 x 10^9 in the third $619,203.10
/// (infracost@e9ce62908c, lambda_function_test.golden).
#[test]
fn tiers_charge_each_unit_at_its_own_price() {
    let quantity = (15 + 46) * 1_000_000_000 + 440_000_000;
    let lines = lambda(0).lines(quantity * Item::GibSeconds.base());
    let seen: Vec<_> = lines.iter().map(|line| (line.quantity / Item::GibSeconds.base(), cents(line.cost))).collect();
    let (first, second, third) = (6_000_000_000, 9_000_000_000, 46_440_000_000);
    assert_eq!(seen, [(first, 10_000_020), (second, 13_500_000), (third, 61_920_310)]);
}

/// At an edge, one unit below it and one above it.
#[rstest]
#[case(0, &[], "0")]
#[case(1, &[(1, 0)], "0")]
#[case(10, &[(10, 0)], "0")]
#[case(11, &[(10, 0), (1, 5)], "5")]
#[case(109, &[(10, 0), (99, 495)], "495")]
#[case(110, &[(10, 0), (100, 500)], "500")]
#[case(111, &[(10, 0), (100, 500), (1, 3)], "503")]
#[case(310, &[(10, 0), (100, 500), (200, 600)], "1100")]
#[case(311, &[(10, 0), (100, 500), (200, 600), (1, 1)], "1101")]
fn edges(#[case] requests: u128, #[case] parts: &[(u128, i128)], #[case] dollars: &str) {
    let tiers = [tier(Some(100), "$5"), tier(Some(300), "$3"), tier(None, "$1")];
    let charge = Charge::tiered(Item::Requests, 10, &tiers).unwrap();
    let lines: Vec<_> = charge.lines(requests).iter().map(|line| (line.quantity, line.cost.as_nanos())).collect();
    let parts: Vec<_> = parts.iter().map(|(quantity, dollars)| (*quantity, dollars * 1_000_000_000)).collect();
    assert_eq!(lines, parts);
    assert_eq!(charge.cost(requests), dollars_of(dollars));
}

fn dollars_of(text: &str) -> Usd {
    format!("${text}").parse().unwrap()
}

#[test]
fn a_cost_is_rounded_once() {
    // A third of a nano-dollar each: three of them are one, and so are four.
    let charge = Charge::flat(Item::Requests, UnitPrice::from_femtos(333_334));
    let costs: Vec<i128> = (0..6).map(|requests| charge.cost(requests).as_nanos()).collect();
    assert_eq!(costs, [0, 0, 1, 1, 1, 2]);
    // Two tiers of half a nano-dollar: one together, although each alone would be rounded up.
    let half = UnitPrice::from_femtos(500_000);
    let tiers = [Tier { up_to: Some(1), price: half }, Tier { up_to: None, price: half }];
    let lines = Charge::tiered(Item::Requests, 0, &tiers).unwrap().lines(2);
    assert_eq!(lines.iter().map(|line| line.cost.as_nanos()).collect::<Vec<_>>(), [1, 0]);
}

#[test]
fn tiers_that_are_no_price_are_refused() {
    let tiered = |tiers: &[Tier]| Charge::tiered(Item::Requests, 0, tiers).map(|_| ());
    assert_eq!(tiered(&[]), Err(TierError::None));
    assert_eq!(tiered(&[tier(Some(5), "$1")]), Err(TierError::Open(0)));
    assert_eq!(tiered(&[tier(None, "$1"), tier(None, "$1")]), Err(TierError::Open(0)));
    assert_eq!(tiered(&[tier(Some(0), "$1"), tier(None, "$1")]), Err(TierError::NotRising(0)));
    let equal = [tier(Some(5), "$1"), tier(Some(5), "$1"), tier(None, "$1")];
    assert_eq!(tiered(&equal), Err(TierError::NotRising(1)));
    assert_eq!(tiered(&[tier(Some(5), "$1"), tier(None, "$2")]), Ok(()));
}

#[test]
fn a_part_of_the_month_has_its_part_of_what_is_free() {
    let month = lambda(400_000);
    let hour = month.for_part(SimDuration::from_secs(3600), MONTH);
    assert_eq!(hour.free, 400_000 * Item::GibSeconds.base() / 730);
    assert_eq!(hour.tiers[0].0, 6_000_000_000 * Item::GibSeconds.base() / 730);
    assert_eq!(hour.tiers[2].0, u128::MAX);
    assert_eq!(month.for_part(MONTH, MONTH), month);
    // The same traffic for a whole month costs 730 times as much, to a nano-dollar of each.
    let used = 1_000_000 * Item::GibSeconds.base();
    let (short, long) = (hour.cost(used).as_nanos(), month.cost(used * 730).as_nanos());
    assert!((short * 730 - long).abs() <= 730, "{short} {long}");
}

fn tariff() -> impl Strategy<Value = UseTariff> {
    let tiers = prop::collection::vec((1..1u128 << 90, 0..u64::MAX), 0..4);
    let charge = (prop::sample::select(Item::ALL.to_vec()), 0..1u128 << 80, tiers, 0..u64::MAX);
    let charge = charge.prop_map(|(item, free, mut tiers, last)| {
        tiers.sort_unstable();
        tiers.dedup_by_key(|tier| tier.0);
        let price = UnitPrice::from_femtos;
        let below = tiers.into_iter().map(|(edge, femtos)| Tier { up_to: Some(edge), price: price(femtos) });
        let all: Vec<Tier> = below.chain([Tier { up_to: None, price: price(last) }]).collect();
        let charge = Charge::tiered(item, free, &all).unwrap();
        if item == Item::EgressGib { charge.for_answers(Bytes::from_mib(1)) } else { charge }
    });
    let sizes = (any::<u64>(), any::<u64>(), 0..1_000_000_000u64, 0..1_000_000_000u64);
    (prop::collection::vec(charge, 1..4), sizes).prop_map(|(charges, (memory, cpu, granularity, minimum))| UseTariff {
        by_activity: false,
        starts: false,
        charges,
        rounding: Billing {
            granularity: SimDuration::from_nanos(granularity),
            minimum: SimDuration::from_nanos(minimum),
        },
        memory: Bytes::new(memory),
        cpu: Millicores::new(cpu),
    })
}

type Request = (u64, u32, u32);

fn used(requests: &[Request], rounding: Billing) -> Usage {
    let mut usage = Usage::default();
    requests.iter().for_each(|(nanos, input, output)| {
        usage.add(*input, *output);
        usage.add_time(rounding.billed(SimDuration::from_nanos(*nanos)), false);
    });
    usage
}

proptest! {
    /// I5: the order of requests, and how they are divided among partial sums, changes nothing.
    #[test]
    fn sums_are_order_free(
        tariff in tariff(),
        requests in prop::collection::vec((0..1u64 << 40, any::<u32>(), any::<u32>()), 0..40),
        cut in any::<prop::sample::Index>(),
    ) {
        let whole = used(&requests, tariff.rounding);
        let mut turned = requests.clone();
        turned.reverse();
        let (one, other) = turned.split_at(cut.index(turned.len() + 1));
        prop_assert_eq!(used(one, tariff.rounding) + used(other, tariff.rounding), whole);
        let lines = tariff.lines(&whole);
        prop_assert!(lines.iter().all(|line| line.cost >= Usd::ZERO && line.quantity > 0));
        prop_assert_eq!(lines.iter().map(|line| line.cost).sum::<Usd>(), tariff.cost(&whole));
    }

    /// The lines of an item hold all of its units, and are the plain product where that fits.
    #[test]
    fn lines_hold_every_unit(tariff in tariff(), quantity in 0..1u128 << 100) {
        for charge in &tariff.charges {
            let lines = charge.lines(quantity);
            prop_assert_eq!(lines.iter().map(|line| line.quantity).sum::<u128>(), quantity);
            let mut sum = Wide::default();
            lines.iter().for_each(|l| sum = sum.plus(Wide::product(l.quantity, l.price.as_femtos().into())));
            let nanos = sum.nearest(charge.item.base() * UnitPrice::FEMTOS_PER_NANO).min(MOST);
            prop_assert_eq!(charge.cost(quantity).as_nanos() as u128, nanos);
        }
    }

    /// More use never costs less, and nothing overflows, however much it is.
    #[test]
    fn extremes_neither_overflow_nor_get_cheaper(tariff in tariff(), a in any::<u128>(), b in any::<u128>()) {
        for charge in &tariff.charges {
            prop_assert!(charge.cost(a.min(b)) <= charge.cost(a.max(b)));
            prop_assert!(charge.cost(u128::MAX) >= charge.cost(a));
            prop_assert!(charge.for_part(SimDuration::MAX, MONTH).cost(a) >= Usd::ZERO);
            prop_assert!(charge.for_part(SimDuration::ZERO, MONTH).cost(a) >= Usd::ZERO);
        }
        let most = Usage { requests: u64::MAX, nanos: a, standing: b, input_tokens: b, output_tokens: u128::MAX };
        prop_assert!(tariff.cost(&most) >= Usd::ZERO);
    }
}

/// The hour of a lease and the hour of use cost the same where both have a price.
#[test]
fn an_hour_of_memory_costs_as_much_as_a_lease_of_it() {
    let hour = SimDuration::from_secs(3600);
    let mut usage = Usage::default();
    usage.add(0, 0);
    usage.add_time(hour, false);
    let tariff = UseTariff {
        by_activity: false,
        starts: false,
        charges: vec![Charge::flat(Item::GibHours, price("$0.06"))],
        rounding: Billing::EXACT,
        memory: Bytes::from_mib(8192),
        cpu: Millicores::ZERO,
    };
    assert_eq!(tariff.cost(&usage), "$0.48/h".parse::<UsdPerHour>().unwrap().over(hour));
}
