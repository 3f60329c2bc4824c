//! Users who arrive, make several requests with think times, and leave.

use std::sync::Arc;

use super::batch::geometric;
use super::curve::{Curve, Shape};
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use super::visits::{Visitor, Visits, lead, starts};
use crate::config::Fields;
use crate::random::{Distribution, Draw, Purpose};
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "user-sessions",
    summary: "sessions that begin at Poisson moments of mean `rate`, each with `requests: 8` on average, `think: { lognormal: .. }` apart",
    source: "Bartlett-Lewis cluster process; session arrivals are Poisson (Paxson and Floyd 1995), requests within are not",
    build: |node, sink| {
        let fields = Fields::open(node, "user-sessions", sink)?;
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let requests: Option<f64> = fields.required("requests", sink);
        let think: Option<Distribution> = fields.required("think", sink);
        let place = fields.node_of("requests").unwrap_or(node);
        fields.finish(sink);
        let (rate, requests, think) = (rate?, requests?, think?);
        if !(1.0..=1e5).contains(&requests) || !think.mean().is_finite() {
            sink.push(place.error("expected a mean of 1 to 100000 requests, and think times with a finite mean"));
            return None;
        }
        let curve = Arc::new(Curve::new(Shape::Steps(vec![(0.0, rate)])));
        Some(Synthetic::recipe(UserSessions { curve, requests, think }, envelope))
    },
};

/// The number of requests of a session is geometric with the stated mean m: the index of dispersion of counts tends to
/// 2 m - 1 over times much longer than a session.
#[derive(Debug, Clone)]
struct UserSessions {
    curve: Arc<Curve>,
    requests: f64,
    think: Distribution,
}

impl Model for UserSessions {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let lead = lead(self.requests * self.think.mean());
        let user = User { model: self.clone(), draw: opening.draw(Purpose::Modulation, 1) };
        Box::new(Visits::new(starts(&self.curve, lead, opening), user))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(UserSessions { curve: Arc::new(self.curve.scaled(factor)), ..self.clone() })
    }
}

struct User {
    model: UserSessions,
    draw: Draw,
}

impl Visitor for User {
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>) {
        let mut at = start;
        for n in 0..geometric(self.model.requests, &mut self.draw) {
            if n > 0 {
                at += self.model.think.sample(&mut self.draw);
            }
            requests.push(Request::at(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};

    #[test]
    fn agrees_with_theory() {
        // Think times of mean 1 s, windows of 500 s: all but a few sessions lie within one window.
        let text = "user-sessions: { rate: 2/s, requests: 4, think: { exponential: { mean: 1s } }, for: 600000s }";
        let counts = Counts::of(&*recipe(text), 500.0);
        assert!((counts.mean() / 4000.0 - 1.0).abs() < 0.01, "{}", counts.mean());
        // The rest is an end effect of the order of a session's length divided by the window's.
        assert!((counts.index_of_dispersion() / 7.0 - 1.0).abs() < 0.15, "{}", counts.index_of_dispersion());
        assert!(counts.autocorrelation(2).abs() < 0.1);
        // Nothing is missing at the start.
        let start: f64 = Counts::of(&*recipe(text), 10.0).0[..100].iter().sum();
        assert!((start - 8000.0).abs() < 5.0 * (7.0 * 8000f64).sqrt(), "{start}");
    }
}
