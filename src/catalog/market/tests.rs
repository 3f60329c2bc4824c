use super::*;
use crate::catalog::Catalog;
use proptest::prelude::*;
use rstest::rstest;

/// Cells of the regions that state a price.
fn cells(table: &str) -> usize {
    let cells = |line: &str| line.split(',').skip(COLUMNS).filter(|cell| !cell.is_empty()).count();
    table.lines().skip(1).map(cells).sum()
}

#[test]
fn every_row_is_read() {
    let market = Market::builtin();
    let counts = TABLES.map(|(provider, table)| {
        let found = market.offers.iter().filter(|offer| offer.provider == provider).count();
        assert_eq!(found, cells(table), "{provider}");
        found
    });
    assert_eq!(counts, [3574, 7737, 2430]);
    assert_eq!(market.prices.len(), PRICES.lines().count() - 1);
    assert_eq!(market.offers.iter().filter(|offer| offer.spot.is_some()).count(), 3033 + 16 + 2430);
    assert_eq!(market.offers.iter().filter(|offer| offer.stale).count(), 46);
    for offer in &market.offers {
        assert!(
            offer.price > UsdPerHour::ZERO && offer.source.date.len() == 10 && !offer.source.source.is_empty(),
            "{offer:?}"
        );
        let others = [offer.spot.as_ref().map(|spot| &spot.source), offer.reserved.as_ref().map(|(_, source)| source)];
        assert!(others.into_iter().flatten().all(|source| source.date.len() == 10), "{offer:?}");
        assert!(offer.size.cpu.is_none() || !offer.size.source.is_empty(), "{offer:?}");
    }
    for price in &market.prices {
        assert!(
            price.price().is_some() && price.source.date.len() == 10 && !price.source.source.is_empty(),
            "{price:?}"
        );
    }
    let size: usize = TABLES.iter().map(|(_, table)| table.len()).sum();
    assert!(size + RESERVED.len() + PRICES.len() + SOURCES.len() < 1_000_000);
}

/// Where the short table and this one state the same type, they agree in size and price.
#[test]
fn the_short_table_is_a_part_of_it() {
    let mut both = 0;
    for known in Catalog::builtin().instances() {
        let same = |offer: &&Offer| offer.name == known.name && offer.region == known.region;
        let Some(offer) = Market::builtin().offers.iter().find(same) else { continue };
        let instance = offer.instance(known.billing).unwrap();
        assert_eq!((instance.cpu, instance.memory), (known.cpu, known.memory), "{}", known.name);
        assert_eq!(instance.price, known.price, "{}", known.name);
        assert_eq!(instance.allocatable, known.allocatable, "{}", known.name);
        assert_eq!(instance.gpu.map(|gpu| gpu.count), known.gpu.as_ref().map(|gpu| gpu.count), "{}", known.name);
        both += 1;
    }
    assert!(both > 60, "{both}");
}

#[rstest]
#[case("m7i.large", "us-east-1", "$0.1008/h")]
#[case("c5.2xlarge", "ap-northeast-1", "$0.428/h")]
#[case("Standard_D4s_v5", "eastus", "$0.192/h")]
#[case("a2-highgpu-1g", "europe-west4", "$3.747972/h")]
fn known_offers(#[case] name: &str, #[case] region: &str, #[case] price: &str) {
    let found = Market::builtin().offers.iter().find(|offer| offer.name == name && offer.region == region);
    assert_eq!(found.unwrap().price.to_string(), price);
}

#[rstest]
#[case("eu-*", "eu-west-1", true)]
#[case("eu-*", "us-east-1", false)]
#[case("*", "", true)]
#[case("M7I.*", "m7i.large", true)]
#[case("*gpu*-4g", "a2-highgpu-4g", true)]
#[case("a*a", "a", false)]
#[case("abc", "abc", true)]
#[case("abc", "abcd", false)]
fn patterns(#[case] pattern: &str, #[case] text: &str, #[case] expected: bool) {
    assert_eq!(matches(pattern, text), expected);
}

proptest! {
    #[test]
    fn no_pattern_and_no_cell_panics(pattern in ".{0,12}", text in ".{0,12}") {
        matches(&pattern, &text);
        read_spot(&text, &Default::default());
        dollars(&text);
    }

    /// A larger node is left more.
    #[test]
    fn reservations_never_exceed_the_node(cpu in 1..500_000u64, mib in 1..10_000_000u64) {
        for provider in [Provider::Azure, Provider::Gcp] {
            if let Some(left) = left_for_pods(provider, Millicores::new(cpu), Bytes::from_mib(mib)) {
                prop_assert!(left.cpu.get() < cpu && left.memory < Bytes::from_mib(mib));
            }
        }
    }
}
