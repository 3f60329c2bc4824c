use super::*;
use crate::catalog::price_dates;
use rstest::rstest;

const INSTANCES: &str = include_str!("../instances.csv");

fn read(instances: &str) -> Result<Catalog, csv::Error> {
    Catalog::read(&Tables {
        instances,
        containers: include_str!("../containers.csv"),
        container_sizes: include_str!("../container_sizes.csv"),
        billing: include_str!("../billing.csv"),
    })
}

fn is_date(text: &str) -> bool {
    jiff::civil::Date::strptime("%Y-%m-%d", text).is_ok() && text.len() == 10
}

#[test]
fn every_row_is_sound() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.instances().len(), INSTANCES.lines().count() - 1);
    for instance in catalog.instances() {
        let (name, left) = (&instance.name, instance.allocatable);
        assert!(instance.price > UsdPerHour::ZERO, "{name}");
        assert!(left.cpu > Millicores::ZERO && left.cpu <= instance.cpu, "{name}");
        assert!(left.memory > Bytes::ZERO && left.memory <= instance.memory, "{name}");
        assert!(left.pods > 0, "{name}");
        assert!(is_date(&instance.price_source.date), "{name}: {}", instance.price_source.date);
        for source in [&instance.price_source.source, &instance.spec_source, &instance.allocatable_source] {
            assert!(!source.is_empty(), "{name}");
        }
        if let Some(gpu) = &instance.gpu {
            assert!(!gpu.kind.is_empty() && gpu.memory > Bytes::ZERO, "{name}");
        }
    }
    for offer in catalog.containers() {
        assert!(offer.price_per_vcpu > UsdPerHour::ZERO && offer.price_per_gib > UsdPerHour::ZERO, "{}", offer.name);
        assert!(is_date(&offer.price_source.date) && !offer.price_source.source.is_empty(), "{}", offer.name);
        assert!(!offer.sizes.is_empty() && offer.sizes.is_sorted_by(|a, b| a < b), "{}", offer.name);
    }
    assert_eq!(price_dates(catalog.price_sources()).unwrap(), "2022-01-07 to 2026-08-03");
}

/// A name belongs to one provider, occurs once per region, and always in the default region.
#[test]
fn names_are_unique_and_known_in_the_default_region() {
    let catalog = Catalog::builtin();
    let keys: BTreeSet<_> = catalog.instances().iter().map(|i| (&i.name, &i.region)).collect();
    assert_eq!(keys.len(), catalog.instances().len());
    for instance in catalog.instances() {
        let found = catalog.instance(&instance.name, None).unwrap();
        assert_eq!((found.provider, found.cpu, found.memory), (instance.provider, instance.cpu, instance.memory));
        assert_eq!(found.region, instance.provider.default_region());
        assert_eq!(catalog.instance(&instance.name, Some(&instance.region)), Ok(instance));
    }
}

/// Every provider's billing is known and written with its date and source.
#[test]
fn billing_rows_name_their_source() {
    let mut reader = csv::Reader::from_reader(include_str!("../billing.csv").as_bytes());
    assert_eq!(reader.headers().unwrap().iter().skip(4).collect::<Vec<_>>(), ["as_of", "source"]);
    for record in reader.records() {
        let record = record.unwrap();
        assert!(is_date(&record[4]) && !record[5].is_empty(), "{record:?}");
    }
    let minute = Billing { granularity: SimDuration::from_secs(1), minimum: SimDuration::from_secs(60) };
    assert_eq!(Catalog::builtin().instance("m7i.large", None).unwrap().billing, minute);
    assert_eq!(Catalog::builtin().container("fargate", None).unwrap().billing, minute);
}

/// Published prices.
#[rstest]
#[case("m6i.large", None, "$0.096/h")]
#[case("m6i.large", Some("eu-central-1"), "$0.115/h")]
#[case("t3.medium", Some("eu-west-1"), "$0.0456/h")]
#[case("p5.48xlarge", None, "$55.04/h")]
#[case("Standard_D4s_v5", None, "$0.192/h")]
#[case("g2-standard-4", None, "$0.706832255/h")]
fn known_prices(#[case] name: &str, #[case] region: Option<&str>, #[case] price: &str) {
    assert_eq!(Catalog::builtin().instance(name, region).unwrap().price.to_string(), price);
}

/// AKS (1.29 and later): a table of CPU; the smaller of 20 MB a pod plus 50 MB and a quarter of memory, and 100 Mi kept from
/// eviction. GKE: 6 %, 1 %, 0.5 %, 0.25 % of the first, second, next two and further cores; 25, 20, 10, 6, 2 % of the first
/// 4, next 4, next 8, next 112 GiB and the rest, and 100 Mi.
#[rstest]
#[case("Standard_D2s_v5", 2000 - 100, 8192 - 2048 - 100)]
#[case("Standard_D4s_v5", 4000 - 140, 16_384 - 2250 - 100)]
#[case("Standard_D8s_v5", 8000 - 180, 32_768 - 2250 - 100)]
#[case("Standard_NC24ads_A100_v4", 24_000 - 340, 225_280 - 2250 - 100)]
#[case("n2-standard-4", 4000 - 80, 16_384 - 2663 - 100)]
#[case("n2-standard-8", 8000 - 90, 32_768 - 3646 - 100)]
#[case("a2-highgpu-1g", 12_000 - 100, 87_040 - 6902 - 100)]
fn reservations_follow_the_documented_rules(#[case] name: &str, #[case] cpu: u64, #[case] mib: u64) {
    let left = Catalog::builtin().instance(name, None).unwrap().allocatable;
    assert_eq!(left, Allocatable { cpu: Millicores::new(cpu), memory: Bytes::from_mib(mib), pods: 110 });
}

#[rstest]
#[case("m6i.lrage", None, "the catalogue has no instance type `m6i.lrage`; did you mean `m6i.large`?")]
#[case("M7I.XLarge", None, "the catalogue has no instance type `M7I.XLarge`; did you mean `m7i.xlarge`?")]
#[case("toaster", None, "the catalogue has no instance type `toaster`")]
#[case(
    "m7i.large",
    Some("eu-west-1"),
    "the catalogue has no price of instance type `m7i.large` in `eu-west-1`; known in regions us-east-1"
)]
#[case(
    "m6i.large",
    Some("eu-wst-1"),
    "the catalogue has no price of instance type `m6i.large` in `eu-wst-1`; \
     did you mean `eu-west-1`? known in regions ap-northeast-1, ap-southeast-1, eu-central-1, eu-west-1, us-east-1, us-west-2"
)]
fn unknown_names_and_regions(#[case] name: &str, #[case] region: Option<&str>, #[case] message: &str) {
    assert_eq!(Catalog::builtin().instance(name, region).unwrap_err().to_string(), message);
}

/// What the short table lacks is looked up in the full one: other types, and known types in other regions.
#[rstest]
#[case("c5.9xlarge", None, "$1.53/h")]
#[case("m6i.large", Some("ap-northeast-1"), "$0.124/h")]
#[case("Standard_E8s_v5", Some("westeurope"), "$0.608/h")]
#[case("n2-standard-16", Some("europe-west4"), "$0.855328/h")]
fn the_full_catalogue_is_behind_it(#[case] name: &str, #[case] region: Option<&str>, #[case] price: &str) {
    let found = Catalog::builtin().instance(name, region).unwrap();
    assert_eq!(found.price.to_string(), price);
    assert!(found.allocatable.cpu < found.cpu && found.allocatable.memory < found.memory);
    assert!(is_date(&found.price_source.date) && !found.spec_source.is_empty());
}

#[test]
fn a_price_without_a_size_is_no_instance() {
    let error = Catalog::builtin().instance("Basic_A0", None).unwrap_err().to_string();
    assert_eq!(error, "the catalogue has a price of instance type `Basic_A0` but not its size");
}

#[test]
fn unknown_container_offer() {
    let error = Catalog::builtin().container("fargat", None).unwrap_err().to_string();
    assert_eq!(error, "the catalogue has no container offer `fargat`; did you mean `fargate`?");
}

#[rstest]
#[case("m7i.large,2,8192,0", "m7i.large,two,8192,0")]
#[case("m7i.large,2,8192,0", "m7i.large,2,8192,1")]
#[case(",0.1008,", ",-0.1008,")]
#[case(",0.1008,", ",NaN,")]
#[case("aws,us-east-1,m7i.large", "aws1,us-east-1,m7i.large")]
#[case("usd_per_h", "eur_per_h")]
fn broken_tables_are_refused(#[case] from: &str, #[case] to: &str) {
    assert!(INSTANCES.contains(from));
    assert!(read(INSTANCES).is_ok());
    assert!(read(&INSTANCES.replacen(from, to, 1)).is_err());
}
