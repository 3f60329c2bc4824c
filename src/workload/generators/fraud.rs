//! Ordinary traffic and scripted attacks on it.

use std::sync::Arc;

use super::curve::{Curve, DayShape, Season};
use super::nhpp::Thinning;
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use crate::config::{Diagnostics, Fields, FromNode, Yaml};
use crate::random::{Draw, Purpose};
use crate::units::{Rate, SimDuration};
use crate::workload::recipe::Opening;
use crate::workload::time::moment::Moment;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "fraud",
    summary: "ordinary requests of mean `rate` and attack `waves: [{ at, for, rate, sources, tries }]` of few automata; classes `ordinary`, `attack`",
    source: "automata act at regular intervals (Gianvecchio and Wang 2007); card testing tries each card a few times in a row",
    build: |node, sink| {
        let fields = Fields::open(node, "fraud", sink)?;
        let before = sink.len();
        let envelope = Envelope::read(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let season = Season::read(&fields, rate.unwrap_or(1.0), &DayShape::bell(15.0 * 3600.0, 4.0), sink);
        let waves: Vec<Wave> = fields.or("waves", Vec::new(), sink);
        fields.finish(sink);
        let season = season.filter(|_| sink.len() == before)?;
        let background = Arc::new(Curve::seasonal(season, &[], &envelope));
        let waves = waves.into_iter().filter_map(|wave| Some((wave.at.offset_ns(envelope.start)? as f64 / 1e9, wave)));
        let waves = waves.collect();
        Some(Synthetic::recipe(Fraud { background, waves }, envelope))
    },
};

/// An attack: `sources` automata together make `rate` requests per second, in groups of `tries` requests that are
/// `spacing` apart (the same card tried again). Each group follows the previous one of its source at a regular
/// interval, plus or minus a tenth.
#[derive(Debug, Clone, Copy)]
struct Wave {
    at: Moment,
    length: f64,
    rate: f64,
    sources: u32,
    tries: u32,
    spacing: f64,
}

impl FromNode for Wave {
    fn from_node(node: &Yaml, sink: &mut Diagnostics) -> Option<Self> {
        let fields = Fields::open(node, "wave", sink)?;
        let at = fields.required("at", sink);
        let length: Option<SimDuration> = fields.required("for", sink);
        let rate: Option<Rate> = fields.required("rate", sink);
        let sources = fields.or("sources", 5, sink);
        let tries = fields.or("tries", 1, sink);
        let spacing = fields.or("spacing", SimDuration::from_millis(200), sink).as_secs_f64();
        fields.finish(sink);
        let wave = Wave { at: at?, length: length?.as_secs_f64(), rate: rate?.get(), sources, tries, spacing };
        let usable =
            (1..=10_000).contains(&sources) && (1..=1000).contains(&tries) && wave.rate > 0.0 && wave.rate <= 1e9;
        // A group must fit into the shortest interval of its source.
        if !usable || f64::from(tries.saturating_sub(1)) * spacing > 0.9 * wave.interval() {
            let error = node
                .error("expected 1 to 10000 `sources` with 1 to 1000 `tries` that fit between two groups of a source");
            sink.push(error.help("more sources, fewer tries or a shorter `spacing` make room"));
            return None;
        }
        Some(wave)
    }
}

impl Wave {
    /// Seconds from one group of a source to its next.
    fn interval(&self) -> f64 {
        f64::from(self.sources) * f64::from(self.tries) / self.rate
    }
}

#[derive(Debug, Clone)]
struct Fraud {
    background: Arc<Curve>,
    /// With their times in seconds from time zero.
    waves: Vec<(f64, Wave)>,
}

impl Model for Fraud {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let mut streams: Vec<Head> = vec![Head::new(Box::new(Thinning::new(&self.background, None, 0.0, opening)), 0)];
        for (number, (at, wave)) in self.waves.iter().enumerate() {
            let attack = Attack::new(*at, *wave, opening.draw(Purpose::Modulation, 1 + number as u16));
            streams.push(Head::new(Box::new(attack), 1));
        }
        Box::new(Merged { streams })
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        // Scaling keeps the pattern of an attack: the same number of automata, each faster.
        let faster = |(at, wave): &(f64, Wave)| {
            (*at, Wave { rate: wave.rate * factor, spacing: wave.spacing / factor, ..*wave })
        };
        Some(Fraud {
            background: Arc::new(self.background.scaled(factor)),
            waves: self.waves.iter().map(faster).collect(),
        })
    }

    fn classes(&self) -> &'static [&'static str] {
        &["ordinary", "attack"]
    }
}

/// The next request of a stream and its class.
struct Head {
    stream: Box<dyn Process>,
    next: Option<Request>,
    class: u16,
}

impl Head {
    fn new(mut stream: Box<dyn Process>, class: u16) -> Self {
        let next = stream.next();
        Head { stream, next, class }
    }
}

/// Several streams merged into one; at equal times the earlier stream comes first.
struct Merged {
    streams: Vec<Head>,
}

impl Process for Merged {
    fn next(&mut self) -> Option<Request> {
        let moment = |head: &Head| head.next.map_or(f64::INFINITY, |request| request.at);
        let first = self.streams.iter_mut().min_by(|a, b| moment(a).total_cmp(&moment(b)))?;
        let request = first.next.take()?;
        first.next = first.stream.next();
        Some(Request { class: first.class, ..request })
    }
}

/// One wave: for each source, the start of the current group and the number of its requests so far.
struct Attack {
    wave: Wave,
    end: f64,
    draw: Draw,
    sources: Vec<(f64, u32)>,
}

impl Attack {
    fn new(at: f64, wave: Wave, mut draw: Draw) -> Self {
        let interval = wave.interval();
        let sources = (0..wave.sources).map(|_| (at + interval * draw.uniform(), 0)).collect();
        Attack { wave, end: at + wave.length, draw, sources }
    }
}

impl Process for Attack {
    fn next(&mut self) -> Option<Request> {
        let (wave, interval) = (self.wave, self.wave.interval());
        let moment = |source: &(f64, u32)| source.0 + f64::from(source.1) * wave.spacing;
        let source = self.sources.iter_mut().min_by(|a, b| moment(a).total_cmp(&moment(b)))?;
        let at = moment(source);
        source.1 += 1;
        if source.1 == wave.tries {
            *source = (source.0 + interval * (0.9 + 0.2 * self.draw.uniform()), 0);
        }
        (at < self.end).then(|| Request::at(at))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe, requests};

    const WAVE: &str = "fraud: { rate: 20/s, peak-to-trough: 1, for: 3h,
        waves: [{ at: 1h, for: 30m, rate: 100/s, sources: 10, tries: 4, spacing: 50ms }] }";

    #[test]
    fn a_wave_has_its_rate_and_the_background_its_own() {
        let counts = Counts::of(&*recipe(WAVE), 1800.0);
        for (index, count) in counts.0.iter().enumerate() {
            let expected = 36_000.0 + if index == 2 { 180_000.0 } else { 0.0 };
            assert!((count - expected).abs() < 1000.0, "{index}: {count}");
        }
    }

    #[test]
    fn automata_are_far_more_regular_than_people() {
        let all = requests(&*recipe(WAVE));
        let mut attack = vec![0.0; 180];
        for (at, class) in all.arrivals.iter().zip(&all.classes) {
            if *class == 1 {
                attack[((at.as_secs_f64() - 3600.0) / 10.0) as usize] += 1.0;
            }
        }
        // Ten sources with 25 groups each in 10 s, gaps uniform within a tenth: c2 = 0.01 / 3, in groups of 4.
        let index = Counts(attack[1..].to_vec()).index_of_dispersion();
        assert!(index < 0.3, "{index}");
    }
}
