//! A Poisson process whose rate jumps between states.

use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use crate::config::Fields;
use crate::random::{Draw, Purpose};
use crate::units::{Rate, SimDuration};
use crate::workload::recipe::Opening;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "mmpp",
    summary: "a Poisson process whose rate jumps between states: `rates: [10/s, 100/s]`, each kept on average for `stay: [5m, 30s]`",
    source: "Markov-modulated Poisson process (Heffes and Lucantoni 1986; Fischer and Meier-Hellstern 1993)",
    build: |node, sink| {
        let fields = Fields::open(node, "mmpp", sink)?;
        let envelope = Envelope::read(&fields, sink);
        let rates: Option<Vec<Rate>> = fields.required("rates", sink);
        let stay = fields.required("stay", sink);
        let place = fields.node_of("rates").unwrap_or(node);
        fields.finish(sink);
        let rates: Vec<f64> = rates?.into_iter().map(Rate::get).collect();
        let stay: Vec<f64> = Vec::<SimDuration>::into_iter(stay?).map(SimDuration::as_secs_f64).collect();
        let usable = rates.len() == stay.len() && rates.len() > 1 && stay.iter().all(|stay| *stay > 0.0);
        if !usable || rates.iter().all(|rate| *rate == 0.0) || rates.iter().any(|rate| *rate > 1e9) {
            let error = place.error("expected as many `rates` as times to `stay`, at least two, and not all zero");
            sink.push(error.help("for example `{ rates: [10/s, 100/s], stay: [5m, 30s] }`"));
            return None;
        }
        Some(Synthetic::recipe(Mmpp { rates, stay }, envelope))
    },
};

/// Rates per second and mean sojourn times in seconds. From a state, every other state is next with equal probability,
/// so the share of time in a state is proportional to its mean sojourn time; the process starts in its stationary
/// state. With two states,
/// rates a and b and leaving rates r and s, the index of dispersion of counts over T is
/// 1 + 2 (a-b)^2 r s / ((r+s)^2 (a s + b r)) (1 - (1 - e^-(r+s)T) / ((r+s) T)).
#[derive(Debug, Clone)]
struct Mmpp {
    rates: Vec<f64>,
    stay: Vec<f64>,
}

impl Model for Mmpp {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let mut changes = opening.draw(Purpose::Modulation, 0);
        let mut left = changes.uniform() * self.stay.iter().sum::<f64>();
        let chosen = self.stay.iter().position(|stay| {
            left -= stay;
            left < 0.0
        });
        let state = chosen.unwrap_or(0);
        let until = changes.exponential() * self.stay[state];
        Box::new(Jumps { model: self.clone(), draw: opening.draw(Purpose::Arrival, 0), changes, state, until, at: 0.0 })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Mmpp { rates: self.rates.iter().map(|rate| rate * factor).collect(), stay: self.stay.clone() })
    }
}

struct Jumps {
    model: Mmpp,
    draw: Draw,
    changes: Draw,
    state: usize,
    /// When the current state ends.
    until: f64,
    at: f64,
}

impl Process for Jumps {
    fn next(&mut self) -> Option<Request> {
        loop {
            // A rate of zero makes the interarrival time infinite.
            let next = self.at + self.draw.exponential() / self.model.rates[self.state];
            if next < self.until {
                self.at = next;
                return Some(Request::at(next));
            }
            // The exponential is memoryless: the interarrival time is drawn anew at the new rate.
            self.at = self.until;
            let others = self.model.rates.len() as u32 - 1;
            let step = 1 + self.changes.index(others) as usize;
            self.state = (self.state + step) % self.model.rates.len();
            self.until += self.changes.exponential() * self.model.stay[self.state];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe};

    #[test]
    fn two_states_agree_with_theory() {
        let text = "mmpp: { rates: [10/s, 100/s], stay: [40s, 10s], for: 200000s }";
        let (a, b, r, s, width) = (10.0, 100.0, 1.0 / 40.0, 1.0 / 10.0, 20.0);
        let counts = Counts::of(&*recipe(text), width);
        let (sum, mean) = (r + s, (a * s + b * r) / (r + s));
        assert!((counts.mean() / (mean * width) - 1.0).abs() < 0.02, "{}", counts.mean());
        let decay = f64::exp(-sum * width);
        let limit = 2.0 * f64::powi(a - b, 2) * r * s / (sum * sum * (a * s + b * r));
        let index = 1.0 + limit * (1.0 - (1.0 - decay) / (sum * width));
        assert!((counts.index_of_dispersion() / index - 1.0).abs() < 0.04, "{}", counts.index_of_dispersion());
        let spread = f64::powi(a - b, 2) * r * s / (sum * sum);
        for lag in 1..4 {
            let covariance = spread * f64::powi((1.0 - decay) / sum, 2) * f64::exp(-sum * width * (lag as f64 - 1.0));
            let expected = covariance / (index * mean * width);
            assert!(
                (counts.autocorrelation(lag) - expected).abs() < 0.025,
                "lag {lag}: {}",
                counts.autocorrelation(lag)
            );
        }
    }

    #[test]
    fn three_states_keep_their_shares_of_time() {
        let counts =
            Counts::of(&*recipe("mmpp: { rates: [0/s, 10/s, 50/s], stay: [5s, 10s, 5s], for: 200000s }"), 1000.0);
        assert!((counts.mean() / 17_500.0 - 1.0).abs() < 0.02, "{}", counts.mean());
    }
}
