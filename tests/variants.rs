//! Variants with a policy of their own for each service.

use plimsoll::config::Diagnostics;
use plimsoll::scenario::Scenario;
use rstest::rstest;

fn read(policies: &str) -> Result<Scenario, String> {
    let service = |name: &str| {
        format!(
            "- {{ name: {name}, replicas: 2, concurrency: 4, service-time: 10ms, workload: {{ poisson: {{ rate: 5/s }} }} }}\n"
        )
    };
    let text = format!(
        "duration: 2m\nservices:\n{}{}{}policies:\n  tuned: {policies}\n",
        service("web"),
        service("api"),
        service("jobs")
    );
    let mut sink = Diagnostics::new();
    Scenario::read_text(&text, &mut sink).ok_or_else(|| sink.to_string())
}

#[rstest]
#[case::each("{ per-service: { web: { static: { replicas: 7 } }, api: { static: { replicas: 3 } }, jobs: { static: { replicas: 1 } } } }", [7, 3, 1])]
#[case::the_others("{ per-service: { api: { static: { replicas: 5 } }, otherwise: { static: { replicas: 2 } } } }", [2, 5, 2])]
#[case::with_headroom("{ headroom: 1.5, per-service: { otherwise: { static: { replicas: 2 } } } }", [3, 3, 3])]
#[case::one_for_all("{ static: { replicas: 4 } }", [4, 4, 4])]
fn each_service_has_its_policy(#[case] policies: &str, #[case] sizes: [u32; 3]) {
    let scenario = read(policies).unwrap();
    let record = scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap();
    assert_eq!(record.policy, "tuned");
    let last = |number: usize| record.services[number].timeline.last().unwrap().ready;
    assert_eq!([0, 1, 2].map(last), sizes.map(f64::from));
}

#[rstest]
#[case::unknown(
    "{ per-service: { wbe: { static: { replicas: 7 } }, otherwise: { static: { replicas: 1 } } } }",
    "did you mean `web`?"
)]
#[case::missing(
    "{ per-service: { web: { static: { replicas: 7 } }, api: { static: { replicas: 1 } } } }",
    "the service `jobs` has no policy"
)]
#[case::not_a_mapping("{ per-service: [static] }", "expected the policy of each service")]
#[case::wrong_inside(
    "{ per-service: { web: { statik: { replicas: 7 } }, otherwise: { static: { replicas: 1 } } } }",
    "did you mean `static`?"
)]
fn mistakes_are_shown(#[case] policies: &str, #[case] message: &str) {
    let error = read(policies).err().unwrap();
    assert!(error.contains(message), "{error}");
}
