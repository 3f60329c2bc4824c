//! Clusters of requests.

use super::batch::geometric;
use super::process::Request;
use super::visits::Visitor;
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Distribution, Draw};

/// Maximum mean of the Poisson number of a cluster: a hundred times the maximum mean size.
const MAX_REQUESTS: f64 = 1e7;

/// Clusters of requests: a process generates the first request of each, and the stated rate is that of all requests.
#[derive(Debug, Clone)]
pub(super) struct Clusters {
    /// Mean number of requests in a cluster.
    pub(super) requests: f64,
    spacing: Spacing,
    /// Mean number of further requests in a cluster; `None` if the total is geometric.
    followers: Option<Distribution>,
}

/// Positions of the requests of a cluster after its first.
#[derive(Debug, Clone)]
enum Spacing {
    /// One after the other with these interarrival times: a Bartlett-Lewis process.
    Think(Distribution),
    /// Uniformly within a duration, whatever their number: a Neyman-Scott process (1958).
    Within(Distribution),
}

impl Clusters {
    /// Mean time from a cluster's first request to its last, seconds.
    pub(super) fn duration(&self) -> f64 {
        match &self.spacing {
            Spacing::Think(think) => self.requests * think.mean(),
            Spacing::Within(within) => within.mean(),
        }
    }
}

impl FromNode for Clusters {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "clusters", sink)?;
        let requests: Option<f64> = fields.required("requests", sink);
        let within: Option<Distribution> = fields.optional("within", sink);
        let think: Option<Distribution> = match &within {
            None => fields.required("think", sink),
            Some(_) => fields.optional("think", sink),
        };
        let size_cv: Option<f64> = fields.optional("size-cv", sink);
        fields.finish(sink);
        let spacing = match (think, within) {
            (Some(_), Some(_)) => {
                let error =
                    node.error("the requests of a cluster either follow each other or are within a duration, not both");
                sink.push(error.help("keep `think` or `within`"));
                return None;
            }
            (think, within) => think.map(Spacing::Think).or(within.map(Spacing::Within))?,
        };
        let (Spacing::Think(times) | Spacing::Within(times)) = &spacing;
        let requests = requests?;
        if !(1.0..=1e5).contains(&requests) || !times.mean().is_finite() {
            sink.push(node.error("expected a mean of 1 to 100000 requests, and times with a finite mean"));
            return None;
        }
        let least = (requests - 1.0).sqrt() / requests;
        let Some(cv) = size_cv else { return Some(Clusters { requests, spacing, followers: None }) };
        if requests == 1.0 || !(least..=100.0).contains(&cv) {
            let message = format!("`size-cv` of clusters of {requests} requests must be between {least:.4} and 100");
            sink.push(
                node.error(message).help("without it, sizes are geometric; clusters of 1 request have no spread"),
            );
            return None;
        }
        Some(Clusters { requests, spacing, followers: Some(followers(requests, cv)) })
    }
}

/// The mean of the Poisson number of further requests: lognormal, so that sizes have the given mean and coefficient of
/// variation. With m the mean number of further requests and v its variance, a mixed Poisson distribution (Johnson,
/// Kemp and Kotz 2005, section 8.3) has v = m + Var(mean).
fn followers(requests: f64, cv: f64) -> Distribution {
    let (mean, variance) = (requests - 1.0, (requests * cv).powi(2));
    Distribution::lognormal(mean, (variance - mean).max(0.0).sqrt() / mean)
}

/// The requests of one cluster.
pub(super) struct Member {
    clusters: Clusters,
    draw: Draw,
}

impl Member {
    pub(super) fn new(clusters: &Clusters, draw: Draw) -> Self {
        Member { clusters: clusters.clone(), draw }
    }

    fn size(&mut self) -> u64 {
        let Some(followers) = &self.clusters.followers else {
            return u64::from(geometric(self.clusters.requests, &mut self.draw));
        };
        let mean = followers.sample(&mut self.draw).min(MAX_REQUESTS);
        1 + self.draw.poisson(mean)
    }
}

impl Visitor for Member {
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>) {
        requests.push(Request::at(start));
        let others = self.size() - 1;
        match &self.clusters.spacing {
            Spacing::Think(think) => {
                let mut at = start;
                requests.extend((0..others).map(|_| {
                    at += think.sample(&mut self.draw);
                    Request::at(at)
                }));
            }
            Spacing::Within(within) => {
                let within = within.sample(&mut self.draw);
                requests.extend((0..others).map(|_| Request::at(start + self.draw.uniform() * within)));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe, workload};

    #[test]
    fn clusters_keep_the_rate_and_swing_by_their_size() {
        // The index of dispersion tends to E[size^2] / E[size] over times much longer than a cluster; for geometric
        // sizes of mean 4 it is 2 * 4 - 1.
        let text =
            "nhpp: { steps: [{ at: 0s, rate: 8/s }], clusters: { requests: 4, think: { exponential: { mean: 1s } } },
            for: 600000s }";
        let counts = Counts::of(&*recipe(text), 500.0);
        assert!((counts.mean() / 4000.0 - 1.0).abs() < 0.01, "{}", counts.mean());
        assert!((counts.index_of_dispersion() / 7.0 - 1.0).abs() < 0.15, "{}", counts.index_of_dispersion());
        assert!(counts.autocorrelation(2).abs() < 0.1);
    }

    #[test]
    fn sizes_have_the_stated_spread() {
        // E[size^2] / E[size] = mean (1 + cv^2).
        for (mean, cv) in [(4.0, 1.5), (20.0, 0.5), (1.5, 0.5)] {
            let text = format!(
                "nhpp: {{ steps: [{{ at: 0s, rate: 8/s }}], for: 900000s,
                clusters: {{ requests: {mean}, size-cv: {cv}, think: {{ exponential: {{ mean: 100ms }} }} }} }}"
            );
            let (counts, expected) = (Counts::of(&*recipe(&text), 500.0), mean * (1.0 + cv * cv));
            assert!((counts.mean() / 4000.0 - 1.0).abs() < 0.01, "{}", counts.mean());
            let index = counts.index_of_dispersion();
            assert!((index / expected - 1.0).abs() < 0.15, "{index} for {expected}");
        }
    }

    #[test]
    fn requests_within_a_duration_have_the_expected_dispersion() {
        // Clusters of two, the second uniform within 10 s: over bins of 100 s the index of dispersion is 1 + P(both in one bin)
        // = 1 + (1 - E[distance] / 100 s).
        let text = "nhpp: { steps: [{ at: 0s, rate: 8/s }], for: 900000s,
            clusters: { requests: 2, size-cv: 0.5, within: { constant: 10s } } }";
        let counts = Counts::of(&*recipe(text), 100.0);
        // Sizes of mean 2 and variance 1: one plus a Poisson number of mean one, so E[N (N - 1)] = 3, of which 2 are
        // pairs with the first (5 s apart on average) and one is a pair of further requests (10 / 3 s apart).
        let expected = 1.0 + (2.0 * (1.0 - 0.05) + (1.0 - 0.1 / 3.0)) / 2.0;
        let index = counts.index_of_dispersion();
        assert!((index / expected - 1.0).abs() < 0.06, "{index} for {expected}");
    }

    #[rstest::rstest]
    #[case("requests: 4, think: { constant: 1s }, within: { constant: 1s }", "not both")]
    #[case("requests: 4", "think")]
    #[case("requests: 0.5, within: { constant: 1s }", "a mean of 1 to 100000")]
    fn clusters_that_make_no_sense_are_refused(#[case] clusters: &str, #[case] why: &str) {
        let text = format!("nhpp: {{ steps: [{{ at: 0s, rate: 8/s }}], clusters: {{ {clusters} }} }}");
        assert!(workload(&text).unwrap_err().to_string().contains(why));
    }

    #[test]
    fn a_spread_that_no_sizes_have_is_refused() {
        let text = "nhpp: { steps: [{ at: 0s, rate: 8/s }], clusters: { requests: 4, size-cv: 0.1, think: { constant: 1s } } }";
        assert!(workload(text).unwrap_err().to_string().contains("between 0.4330 and 100"));
    }
}
