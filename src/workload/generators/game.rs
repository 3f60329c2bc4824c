//! A game: players who log in, play and leave, launch days, and maintenance that disconnects everybody.

use std::sync::Arc;

use super::curve::{Curve, DayShape, Season};
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::visits::{Visitor, Visits, lead, starts};
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Distribution, Draw, Purpose};
use crate::units::{Fraction, SimDuration};
use crate::workload::recipe::Opening;
use crate::workload::shape::pulse::Pulse;
use crate::workload::time::moment::Moment;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "game",
    summary: "`players: 20000` online on average, each with a request `every: 30s`; evening peak, `launch`, weekly `maintenance` with a re-login storm",
    source: "Poisson logins, heavy-tailed sessions and daily cycles: Chambers et al. 2005; Pittman and GauthierDickey 2007",
    build: |node, sink| {
        let fields = Fields::open(node, "game", sink)?;
        let before = sink.len();
        let envelope = Envelope::read(&fields, sink);
        let players: Option<f64> = fields.required("players", sink);
        let every = fields.or("every", SimDuration::from_secs(30), sink).as_secs_f64();
        let usual = Distribution::Pareto { shape: 1.5, min: 600.0, max: 43_200.0 };
        let session: Distribution = fields.or("session", usual, sink);
        let season = Season::read(&fields, 1.0, &DayShape::bell(21.0 * 3600.0, 4.0), sink);
        let events: Vec<Pulse> = fields.or("launch", Vec::new(), sink);
        let maintenance: Option<Maintenance> = fields.optional("maintenance", sink);
        fields.finish(sink);
        let players = players.filter(|players| (1.0..=1e9).contains(players));
        let mean = session.mean();
        if players.is_none() || !(mean > 0.0 && mean.is_finite()) || every < 1e-3 {
            sink.push(
                node.error(
                    "expected at least one of `players`, sessions of finite length, a request `every` 1ms or more",
                ),
            );
        }
        let season = season.filter(|_| sink.len() == before)?;
        // Little's law: players = login rate * mean session.
        let season = Season { rate: players? / mean, ..season };
        let curve = Arc::new(Curve::seasonal(season, &events, &envelope));
        let outage = maintenance.and_then(|maintenance| maintenance.placed(envelope.start));
        Some(Synthetic::recipe(Game { curve, session, every, outage }, envelope))
    },
};

/// Weekly maintenance: `{ at: 1d9h, for: 1h, return: 80%, within: 5m }`.
#[derive(Debug, Clone, Copy)]
struct Maintenance {
    at: Moment,
    length: f64,
    share: f64,
    within: f64,
}

impl FromNode for Maintenance {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "maintenance", sink)?;
        let at = fields.required("at", sink);
        let length: Option<SimDuration> = fields.required("for", sink);
        let share = fields.or("return", Fraction::new(0.8).unwrap_or_default(), sink).get();
        let within = fields.or("within", SimDuration::from_secs(300), sink).as_secs_f64();
        fields.finish(sink);
        let length = length?.as_secs_f64();
        if length <= 0.0 || length >= WEEK {
            sink.push(node.error("expected a maintenance longer than zero and shorter than a week"));
            return None;
        }
        Some(Maintenance { at: at?, length, share, within })
    }
}

const WEEK: f64 = 7.0 * 86_400.0;

impl Maintenance {
    fn placed(self, start: Option<u64>) -> Option<Outage> {
        Some(Outage { at: self.at.offset_ns(start)? as f64 / 1e9, maintenance: self })
    }
}

/// Maintenance by its start in the week, seconds from time zero.
#[derive(Debug, Clone, Copy)]
struct Outage {
    at: f64,
    maintenance: Maintenance,
}

impl Outage {
    /// The end of the outage that contains `t`.
    fn end_of(&self, t: f64) -> Option<f64> {
        let into = (t - self.at).rem_euclid(WEEK);
        (into < self.maintenance.length).then_some(t - into + self.maintenance.length)
    }
}

/// Logins are a Poisson process. A player stays for `session` and makes requests at exponential intervals of mean
/// `every`. A player who is playing or would log in during maintenance returns with probability `return`, at an
/// exponential time of mean `within` after its end, for the rest of the session. This is the re-login storm.
#[derive(Debug, Clone)]
struct Game {
    curve: Arc<Curve>,
    session: Distribution,
    every: f64,
    outage: Option<Outage>,
}

impl Model for Game {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let player = Player { model: self.clone(), draw: opening.draw(Purpose::Modulation, 1) };
        Box::new(Visits::new(starts(&self.curve, lead(self.session.mean()), opening), player))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Game { curve: Arc::new(self.curve.scaled(factor)), ..self.clone() })
    }

    fn classes(&self) -> &'static [&'static str] {
        &["login", "play"]
    }
}

struct Player {
    model: Game,
    draw: Draw,
}

impl Visitor for Player {
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>) {
        let mut end = start + self.model.session.sample(&mut self.draw);
        let mut at = start;
        let mut class = 0;
        while at < end {
            if let Some((outage, over)) = self.model.outage.and_then(|outage| Some((outage, outage.end_of(at)?))) {
                if self.draw.uniform() >= outage.maintenance.share {
                    return;
                }
                let back = over + outage.maintenance.within * self.draw.exponential();
                end += back - at;
                at = back;
                class = 0;
                continue;
            }
            requests.push(Request { at, class, ..Request::default() });
            class = 1;
            at += self.model.every * self.draw.exponential();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe, requests};

    #[test]
    fn players_follow_littles_law() {
        let text = "game: { players: 3000, every: 60s, session: { exponential: { mean: 10m } }, peak-to-trough: 1, for: 200000s }";
        let counts = Counts::of(&*recipe(text), 100.0);
        // A login and on average 10 more requests per session: 5/s * 11 requests; Poisson conditional on the players.
        assert!((counts.mean() / 5500.0 - 1.0).abs() < 0.01, "{}", counts.mean());
        // M/M/infinity (Takacs 1962): the covariance of players decays as exp(-t / 10 min); counts add Poisson noise.
        let lagged = counts.autocorrelation(6) / counts.autocorrelation(12);
        assert!((lagged - f64::exp(1.0)).abs() < 0.6, "{lagged}");
        let start: f64 = counts.0[..20].iter().sum::<f64>() / 20.0;
        assert!((start / 5500.0 - 1.0).abs() < 0.08, "{start}");
    }

    #[test]
    fn maintenance_is_silent_and_ends_in_a_storm() {
        let text = "game: { players: 5000, every: 60s, peak-to-trough: 1, maintenance: { at: 10h, for: 1h, within: 2m }, for: 14h }";
        let all = requests(&*recipe(text));
        let logins = |from: u64, to: u64| {
            let rows = all.arrivals.iter().zip(&all.classes);
            rows.filter(|(at, class)| **class == 0 && (from..to).contains(&(at.as_nanos() / 1_000_000_000))).count()
                as f64
        };
        let during =
            all.arrivals.iter().filter(|at| (36_000..39_600).contains(&(at.as_nanos() / 1_000_000_000))).count();
        assert_eq!(during, 0);
        // 80% of 5000 players and of an hour's logins return, 1 - e^-5 of them within ten minutes.
        let usual = logins(32_400, 36_000);
        let expected = 0.8 * (5000.0 + usual) * (1.0 - f64::exp(-5.0)) + usual / 6.0;
        let storm = logins(39_600, 40_200);
        assert!((storm / expected - 1.0).abs() < 0.05, "{storm} for {expected}");
    }
}
