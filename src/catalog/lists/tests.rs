use std::sync::Arc;

use super::*;
use crate::catalog::{InstanceType, LookupError, Market, Offer, Provider, Purchase};
use crate::config::{Diagnostics, SourceFile};
use crate::units::{Bytes, Millicores, UsdPerHour};
use proptest::prelude::*;
use rstest::rstest;

fn read_all(files: &[(&str, &str)]) -> (PriceList, String) {
    let (mut list, mut sink) = (PriceList::default(), Diagnostics::new());
    files.iter().for_each(|(name, text)| list.add(&SourceFile::new(*name, *text), &mut sink));
    (list, sink.to_string())
}

fn list(name: &str, text: &str) -> PriceList {
    let (list, said) = read_all(&[(name, text)]);
    assert!(said.is_empty(), "{said}");
    list
}

fn nanos(instance: Result<InstanceType, LookupError>) -> u64 {
    instance.unwrap().price.as_nanos()
}

const OWN: &str = "\
provider,region,name,vcpu,memory_mib,usd_per_h,spot_usd_per_h,reserved_3y_usd_per_h,price_date,price_source
aws,us-east-1,m7i.large,,,0.09,0.03,0.05,2026-10-01,our contract
,rack-1,metal-1,64,262144,1.25,,,,
";

#[test]
fn the_own_form_goes_over_the_catalogue() {
    let list = list("dir/prices.csv", OWN);
    let known = list.instance("m7i.large", None).unwrap();
    assert_eq!(known.price, "$0.09/h".parse().unwrap());
    // Size and what is left for pods stay the catalogue's.
    assert_eq!((known.cpu, known.allocatable.cpu), (Millicores::new(2000), Millicores::new(1930)));
    assert_eq!(
        (known.price_source.date.as_str(), known.price_source.source.as_str()),
        ("2026-10-01", "prices.csv: our contract")
    );
    let spot = list.purchased(&known, Purchase::Spot).unwrap();
    assert_eq!((spot.0.as_nanos(), spot.1.source.as_str()), (30_000_000, "prices.csv: our contract"));
    assert_eq!(list.purchased(&known, Purchase::Reserved3y).unwrap().0.as_nanos(), 50_000_000);
    // A year is not listed: the average discount of AWS, 32%, on the listed price.
    let year = list.purchased(&known, Purchase::Reserved1y).unwrap();
    assert_eq!(year.0.as_nanos(), 61_200_000);
    assert!(year.1.source.contains("average") && year.1.date == "2026-05-09", "{year:?}");
    // A type that only the file knows, in its only region.
    let own = list.instance("metal-1", None).unwrap();
    assert_eq!((own.provider, own.region.as_str(), own.price.as_nanos()), (Provider::Custom, "rack-1", 1_250_000_000));
    assert_eq!(own.memory, Bytes::from_mib(262_144));
    assert!(own.allocatable.cpu < own.cpu && own.allocatable_source.contains("GKE"));
    assert_eq!(own.price_source.date, "");
    // Elsewhere the catalogue's price stays.
    assert_eq!(nanos(list.instance("m7i.large", Some("us-east-1"))), 90_000_000);
    assert_eq!(nanos(list.instance("m7i.xlarge", None)), 201_600_000);
    let error = list.instance("metal-1", Some("rack-2")).unwrap_err().to_string();
    assert!(error.contains("no price of instance type `metal-1` in `rack-2`") && error.contains("rack-1"), "{error}");
    let error = list.instance("metal1", None).unwrap_err().to_string();
    assert!(error.contains("did you mean `metal-1`?"), "{error}");
}

#[test]
fn later_files_go_over_earlier_ones() {
    let first = ("a.csv", "name,usd_per_h\nm7i.large,0.5\nm7i.xlarge,0.7\n");
    let (list, said) = read_all(&[first, ("b.csv", "name,region,usd_per_h\nm7i.large,us-east-1,0.6\n")]);
    assert!(said.is_empty(), "{said}");
    assert_eq!(nanos(list.instance("m7i.large", None)), 600_000_000);
    assert_eq!(nanos(list.instance("m7i.xlarge", None)), 700_000_000);
    // The first file holds in every region, also in one that the catalogue does not have.
    assert_eq!(nanos(list.instance("m7i.large", Some("us-gov-1"))), 500_000_000);
}

#[test]
fn container_prices_go_over_the_catalogue() {
    let list = list("f.csv", "offer,region,usd_per_vcpu_h,usd_per_gib_h\nfargate,,0.04,0.004\n");
    let offer = list.container("fargate", None).unwrap();
    // 0.25 x 0.04 + 0.5 x 0.004
    assert_eq!(offer.price_for(Millicores::new(250), Bytes::from_mib(200)).unwrap().as_nanos(), 12_000_000);
}

/// OpenCost's `configs/pricing_schema.csv`, with types.
#[test]
fn opencost_csv_prices_types_by_their_mean() {
    let text = "\
EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version
# a comment
2019-04-17 23:34:22 UTC,node-1,us-east-1,node,metadata.name,m7i.large,0.08,
2019-04-18 23:34:22 UTC,node-2,us-east-1,node,metadata.name,m7i.large,0.11,
2019-04-17 23:34:22 UTC,node-3,,node,metadata.name,,0.1337,
2019-04-17 23:34:22 UTC,Quadro_RTX_4000,,gpu,gpu.nvidia.com/class,,0.75,
";
    let (list, said) = read_all(&[("opencost.csv", text)]);
    assert!(said.contains("prices of single machines are not used (1 lines)"), "{said}");
    assert!(said.contains("GPUs without an instance type are not used (1 lines)"), "{said}");
    let known = list.instance("m7i.large", None).unwrap();
    assert_eq!((known.price.as_nanos(), known.price_source.date.as_str()), (95_000_000, "2019-04-18"));
}

/// OpenCost's `configs/default.json`.
#[test]
fn opencost_json_prices_every_size() {
    let text = r#"{ "provider": "custom", "description": "Default prices based on GCP us-central1", "CPU": "0.031611",
        "spotCPU": "0.006655", "RAM": "0.004237", "spotRAM": "0.000892", "GPU": "0.95", "storage": "0.00005479452" }"#;
    let list = list("default.json", text);
    let known = list.instance("m7i.large", None).unwrap();
    // 2 x 0.031611 + 8 x 0.004237 = 0.097118
    assert_eq!(known.price.as_nanos(), 97_118_000);
    // 2 x 0.006655 + 8 x 0.000892 = 0.020446
    assert_eq!(list.purchased(&known, Purchase::Spot).unwrap().0.as_nanos(), 20_446_000);
    // One A10G: 4 x 0.031611 + 16 x 0.004237 + 0.95
    assert_eq!(nanos(list.instance("g5.xlarge", None)), 1_144_236_000);
    let offers = list.over(Market::builtin());
    let there = |offer: &&Offer| offer.name == "m7i.large" && offer.region == "us-east-1";
    let offer = offers.iter().find(there).unwrap();
    assert_eq!(
        (offer.price.as_nanos(), offer.source.source.as_str(), offer.stale),
        (97_118_000, "default.json", false)
    );
}

/// Lines of SkyPilot's `catalogs/v5/lambda/vms.csv`, and zones of a spot price.
#[test]
fn skypilot_catalogues_state_sizes() {
    let text = "\
InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,GpuInfo,SpotPrice
cpu_4x_general,,,4.0,16.0,0.2,us-east-1,,
gpu_8x_v100,V100,8.0,92.0,448.0,4.4,us-east-1,\"{'Gpus': [{'Name': 'V100', 'Count': 8.0, 'MemoryInfo': {'SizeInMiB': 16384}}]}\",
gpu_8x_v100,V100,8.0,92.0,448.0,4.5,us-west-1,,1.2
gpu_8x_v100,V100,8.0,92.0,448.0,4.4,us-west-1,,1.1
,T4,1.0,,,0.35,us-west-1,,
only_spot,,,4.0,16.0,,us-east-1,,0.1
";
    let list = list("lambda/vms.csv", text);
    let cpu = list.instance("cpu_4x_general", None).unwrap();
    assert_eq!(
        (cpu.cpu, cpu.memory, cpu.price.as_nanos()),
        (Millicores::new(4000), Bytes::from_mib(16_384), 200_000_000)
    );
    let gpu = list.instance("gpu_8x_v100", Some("us-east-1")).unwrap();
    let has = gpu.gpu.clone().unwrap();
    assert_eq!((has.count, has.kind.as_str(), has.memory), (8, "v100", Bytes::from_mib(16_384)));
    let west = list.instance("gpu_8x_v100", Some("us-west-1")).unwrap();
    assert_eq!(west.price.as_nanos(), 4_400_000_000);
    assert_eq!(list.purchased(&west, Purchase::Spot).unwrap().0.as_nanos(), 1_100_000_000);
    let error = list.purchased(&gpu, Purchase::Spot).unwrap_err().to_string();
    assert!(error.contains("nobody states a spot price of `gpu_8x_v100` in `us-east-1`"), "{error}");
    let error = list.instance("gpu_8x_v100", None).unwrap_err().to_string();
    assert!(error.contains("needs a `region:`") && error.contains("us-east-1, us-west-1"), "{error}");
    assert!(list.instance("only_spot", None).is_err());
    let found: Vec<Offer> =
        list.over(Market::builtin()).into_iter().filter(|offer| offer.provider == Provider::Custom).collect();
    assert_eq!(found.len(), 3);
}

#[rstest]
#[case("name,usd_per_h\nm7i.large,cheap\n", "p.csv:2:11", "dollars per hour such as `0.096`, not `cheap`")]
#[case("name,usd_per_h\nm7i.large,-1\n", "p.csv:2:11", "not `-1`")]
#[case("name,usd_per_h\nm7i.large,NaN\n", "p.csv:2:11", "not `NaN`")]
#[case("name,usd_per_h\nm7i.large\n", "p.csv:2:1", "this line has 1 cells, the header 2")]
#[case("name,usd_per_h\n,0.1\n", "p.csv:2:1", "this line has no `name`")]
#[case("name,usd_per_h\nx,\n", "p.csv:2:3", "this line has no `usd_per_h`")]
#[case("name,usd_per_h,regoin\nx,1,y\n", "p.csv:1:16", "did you mean `region`?")]
#[case("name,usd_per_h,name\nx,1,y\n", "p.csv:1:16", "the column `name` stands twice")]
#[case("name,usd_per_h,price_date\nx,1,20.7.2026\n", "p.csv:2:5", "a date such as `2026-07-20`")]
#[case("name,usd_per_h,vcpu\nx,1,4\n", "p.csv:2:1", "`vcpu` and `memory_mib` belong together")]
#[case("name,usd_per_h,vcpu,memory_mib\nx,1,1e9,4\n", "p.csv:2:5", "a number from 0 to 1000000")]
#[case("name,usd_per_h,provider\nx,1,amazon\n", "p.csv:2:5", "no provider `amazon`")]
#[case("offer,usd_per_vcpu_h,usd_per_gib_h\nfargat,1,1\n", "p.csv:2:1", "did you mean `fargate`?")]
#[case("a,b\n1,2\n", "p.csv:1:1", "this is not a price list")]
#[case("\n\n", "p.csv", "no line with the names of columns")]
#[case("{ \"CPU\": \"0.03\" }", "p.csv:1:3", "needs `RAM`")]
#[case("{ \"CPU\": \"x\", \"RAM\": 1 }", "p.csv:1:10", "expected dollars per hour")]
#[case("InstanceType,MarketPriceHourly,AssetClass\nx,1,disk\n", "p.csv:2:5", "no asset class `disk`")]
#[case("InstanceType,Price,Region\nx,1,y\n", "p.csv:1:1", "needs the column `vCPUs`")]
#[case("InstanceType,vCPUs,MemoryGiB,Price,Region\nx,1,2,$3,y\n", "p.csv:2:7", "not `$3`")]
fn mistakes_have_a_place(#[case] text: &str, #[case] place: &str, #[case] says: &str) {
    let (_, said) = read_all(&[("p.csv", text)]);
    assert!(said.contains(place) && said.contains(says), "{said}");
    assert_eq!(said.matches("error").count(), 1, "{said}");
}

const HEADERS: [&str; 5] = [
    "name,region,vcpu,memory_mib,usd_per_h,spot_usd_per_h,gpus,price_date",
    "offer,provider,region,usd_per_vcpu_h,usd_per_gib_h,price_date,price_source",
    "EndTimestamp,InstanceID,Region,AssetClass,InstanceIDField,InstanceType,MarketPriceHourly,Version",
    "InstanceType,AcceleratorName,AcceleratorCount,vCPUs,MemoryGiB,Price,Region,SpotPrice",
    "{",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Any text is read or refused with a place, and what was read can be looked up: nothing panics or overflows.
    #[test]
    fn hostile_files_do_no_harm(
        header in prop::sample::select(HEADERS.to_vec()),
        cells in prop::collection::vec(
            prop_oneof![
                "[a-z0-9.\",{}:#\n\t é-]{0,12}",
                Just("1e300".to_string()), Just("18446744073".into()), Just("1e-12".into()), Just("node".into()),
                Just("2026-02-30".into()), Just("m7i.large".into()), Just("0.1".into()), Just("4.0".into()), Just("1000000".into()),
            ],
            0..24,
        ),
    ) {
        let width = header.split(',').count();
        let lines: Vec<String> = cells.chunks(width).map(|row| row.join(",")).collect();
        let (list, _) = read_all(&[("x.csv", &format!("{header}\n{}\n", lines.join("\n")))]);
        let names: Vec<String> = list.offers.iter().map(|listed| listed.name.clone()).collect();
        for name in names.iter().map(String::as_str).chain(["m7i.large"]) {
            if let Ok(instance) = list.instance(name, None) {
                Purchase::ALL.into_iter().for_each(|purchase| drop(list.purchased(&instance, purchase)));
                prop_assert!(instance.allocatable.cpu <= instance.cpu && instance.allocatable.memory <= instance.memory);
            }
        }
        let market = Market { offers: Market::builtin().offers[..50].to_vec(), prices: Vec::new() };
        prop_assert!(list.over(&market).len() >= 50);
    }

    /// Own prices that are written are read back to the nano-dollar.
    #[test]
    fn prices_survive(nanos in prop::collection::vec(0..4_000_000_000_000u64, 1..20)) {
        let rows: Vec<String> = nanos
            .iter()
            .enumerate()
            .map(|(n, nanos)| format!("t{n},4,16384,{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000))
            .collect();
        let list = list("p.csv", &format!("name,vcpu,memory_mib,usd_per_h\n{}\n", rows.join("\n")));
        for (n, nanos) in nanos.iter().enumerate() {
            prop_assert_eq!(list.instance(&format!("t{n}"), None).unwrap().price, UsdPerHour::from_nanos(*nanos));
        }
    }

    /// The price by rates is the exact sum, rounded once; the largest rates and sizes saturate.
    #[test]
    fn rates_are_summed_exactly(cpu in 0..1u64 << 40, ram in 0..1u64 << 40, gpu in 0..1u64 << 40, cores in 1..500u64, gib in 1..4000u64, gpus in 0..16u32) {
        let price = UsdPerHour::from_nanos;
        let rates = Rates { cpu: price(cpu), memory: price(ram), gpu: price(gpu), spot: None, source: Default::default() };
        let sum = cpu * cores + ram * gib + gpu * u64::from(gpus);
        let size = (Millicores::new(cores * 1000), Bytes::from_mib(gib * 1024));
        prop_assert_eq!(rates.of(size.0, size.1, gpus), price(sum));
        let most = Rates { cpu: price(u64::MAX), memory: price(u64::MAX), gpu: price(u64::MAX), ..rates };
        prop_assert_eq!(most.of(Millicores::new(u64::MAX), Bytes::new(u64::MAX), u32::MAX), price(u64::MAX));
    }
}

/// The same list read twice is the same, and adding nothing changes nothing.
#[test]
fn an_empty_list_is_the_catalogue() {
    let empty = PriceList::default();
    assert!(empty.is_empty());
    assert_eq!(empty.over(Market::builtin()), Market::builtin().offers);
    assert_eq!(nanos(empty.instance("m7i.large", None)), 100_800_000);
    assert_eq!(list("p.csv", OWN), list("p.csv", OWN));
    let source: Arc<SourceFile> = SourceFile::new("empty.csv", "name,usd_per_h\n");
    let (mut none, mut sink) = (PriceList::default(), Diagnostics::new());
    none.add(&source, &mut sink);
    assert!(none.is_empty() && sink.is_empty());
}
