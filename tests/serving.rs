//! Serving models as a scenario states them.

use plimsoll::config::Diagnostics;
use plimsoll::engine::RunRecord;
use plimsoll::experiment::assumptions;
use plimsoll::scenario::Scenario;

/// A request every 10 ms for a minute, and one replica that serves as `model` says.
fn scenario(service: &str) -> Result<Scenario, String> {
    let text = format!(
        "duration: 1m\nworkload: {{ constant: {{ rate: 100/s }} }}\nservice:\n  name: vision\n  replicas: 1\n  price: $1/h\n{service}\n\
         objectives: [{{ latency: {{ within: 100ms, target: 99% }} }}]\npolicies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
    );
    let mut sink = Diagnostics::new();
    Scenario::read_text(&text, &mut sink).ok_or_else(|| sink.to_string())
}

fn run(service: &str) -> RunRecord {
    scenario(service).unwrap().simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
}

/// Four requests fill a batch every 40 ms. The first of them waits for 30 ms, the last for none, and all are served for
/// 20 + 4 ms: an answer takes 54, 44, 34 or 24 ms.
#[test]
fn a_full_batch_is_served_together() {
    let record =
        run("  service-time: 20ms\n  service-model: { batch: { size: 4, max-delay: 100ms, per-request: 1ms } }");
    let service = &record.services[0];
    let mean = |of: &plimsoll::stats::LatencyHistogram| of.mean_secs().unwrap() * 1e3;
    assert!((mean(&service.sojourn) - 39.0).abs() < 1e-6, "{}", mean(&service.sojourn));
    assert!((mean(&service.waiting) - 15.0).abs() < 1e-6, "{}", mean(&service.waiting));
    // 4 places are taken for 24 of 40 ms.
    assert!((service.load.unwrap() - 0.6).abs() < 1e-2, "{:?}", service.load);
}

/// With room for ten, a batch starts when its first request has waited for 25 ms, with three requests (those of 0, 10 and
/// 20 ms); the next one begins with the request of 30 ms. Answers take 35, 25 and 15 ms.
#[test]
fn a_batch_that_does_not_fill_starts_after_the_delay() {
    let record = run("  service-time: 10ms\n  service-model: { batch: { size: 10, max-delay: 25ms } }");
    let mean = record.services[0].sojourn.mean_secs().unwrap() * 1e3;
    assert!((mean - 25.0).abs() < 1e-2, "{mean}");
}

#[test]
fn what_is_assumed_and_what_cannot_be_said() {
    let batched = "  service-time: 20ms\n  service-model: { batch: { size: 4, max-delay: 5ms, per-request: 1ms } }";
    let scenario = scenario(batched).unwrap();
    let said = assumptions(&scenario).join("\n");
    let expected = "A replica of vision serves batches of up to 4 requests: a batch starts when it is full or its first request has \
                    waited for 5ms, takes the longest service time in it and 1ms for each request, and answers all of its requests \
                    together.";
    assert!(said.contains(expected), "{said}");
    assert!(said.contains("The service time of vision does not depend on the CPU of its replicas."), "{said}");
    let bound = plimsoll::experiment::cost_bound(&scenario).unwrap();
    assert_eq!(bound.unwrap_err(), "requests that are served together have no work of their own");
}

#[test]
fn a_batch_and_a_concurrency_contradict_each_other() {
    let error =
        scenario("  concurrency: 8\n  service-time: 20ms\n  service-model: { batch: { size: 4, max-delay: 5ms } }");
    let error = error.err().unwrap();
    assert!(error.contains("leave `concurrency` out"), "{error}");
    let error = scenario("  concurrency: 8\n  service-time: 20ms\n  service-model: bach").err().unwrap();
    assert!(error.contains("did you mean `batch`?"), "{error}");
    let error =
        scenario("  concurrency: 8\n  service-time: 20ms\n  service-model: { slots: { size: 4 } }").err().unwrap();
    assert!(error.contains("`slots` has no parameters"), "{error}");
}

/// Requests of 20 and 3 tokens, now and then: a step of 10 + 20 ms reads the prompt, two of 11 ms follow. An engine that
/// takes one request at a time lets the others wait.
#[test]
fn an_engine_takes_a_step_for_each_token_of_an_answer() {
    let run = |sequences: u32, rate: u32| {
        let text = format!(
            "duration: 10m\nworkload: {{ batch: {{ rate: {rate}/s, size: 1, tokens: {{ input: {{ mean: 20, cv: 0 }}, \
             output: {{ mean: 3, cv: 0 }} }} }} }}\n\
             service:\n  name: chat\n  replicas: 1\n  price: $1/h\n  service-model:\n    continuous-batching: {{ kv-blocks: 600, \
             max-num-seqs: {sequences}, step-time: {{ base: 10000, token: 1000 }} }}\n\
             objectives: [{{ latency: {{ within: 100ms, target: 99% }} }}]\npolicies: {{ one: {{ static: {{ replicas: 1 }} }} }}\n"
        );
        let mut sink = Diagnostics::new();
        let scenario = Scenario::read_text(&text, &mut sink).unwrap_or_else(|| panic!("{sink}"));
        scenario.simulation(0, 0).unwrap().run(&mut |_| ()).unwrap()
    };
    let alone = run(8, 1);
    let median = alone.services[0].sojourn.quantile(0.5).unwrap().as_secs_f64();
    assert!((median / 0.052 - 1.0).abs() < 0.01, "{median}");
    // 15 requests per second are 78% of what one by one can take. In shared steps a prompt delays the others, but their
    // tokens hardly do.
    let mean = |sequences| run(sequences, 15).services[0].sojourn.mean_secs().unwrap();
    let (one_by_one, shared) = (mean(1), mean(8));
    // M/D/1: 52 ms (1 + rho / (2 (1 - rho))).
    let exact = 0.052 * (1.0 + 0.78 / (2.0 * 0.22));
    assert!((one_by_one / exact - 1.0).abs() < 0.1, "{one_by_one} {exact}");
    assert!(shared < 0.75 * exact, "{shared} {exact}");
}

/// One mistake in a model is one message: whether a service time or a concurrency is missing depends on the model.
#[test]
fn a_mistake_in_the_model_is_told_alone() {
    for (model, words) in [
        ("{ continuous-batching: { step-time: llama-3.1-8b/rtx-4090 } }", "no `kv-blocks`"),
        ("{ batch: { sise: 4 } }", "did you mean `size`?"),
        ("slotz", "did you mean `slots`?"),
    ] {
        let error = scenario(&format!("  service-model: {model}")).err().unwrap();
        assert!(error.contains(words), "{error}");
        assert_eq!(error.matches("error:").count(), 1, "{error}");
    }
}
