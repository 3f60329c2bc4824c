//! The measures of the simulation: one list, from which the metrics pipeline, the readers, `plimsoll list measures`, the
//! schema and the documentation take what they need.

use std::ops::{Index, IndexMut};

/// The unit of a measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Cores of CPU.
    Cores,
    /// Bytes.
    Bytes,
    /// Events per second.
    PerSecond,
    /// A number of requests.
    Requests,
    /// A share, from 0 to 1.
    Share,
    /// Seconds.
    Seconds,
}

/// When a value applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// An average over the resolution window.
    Window,
    /// The value at the scrape.
    Scrape,
    /// Over the attempts answered within the resolution window (whole scrapes), from an attempt's arrival at a replica
    /// to its answer; 0 if there were none.
    Answers,
}

/// How a service's value follows from those of its replicas.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The sum over its replicas.
    Sum,
    /// The average over its replicas.
    Average,
    /// It is measured per service, and a replica's value is that of its service.
    Service,
}

/// What there is to know about a measure.
#[derive(Debug, Clone, Copy)]
pub struct MeasureSpec {
    /// The name used in scenarios.
    pub name: &'static str,
    /// A short description.
    pub words: &'static str,
    /// Unit.
    pub unit: Unit,
    /// When its value applies.
    pub taken: Taken,
    /// Per replica or per service.
    pub scope: Scope,
    /// In a story: what is stated, and an example.
    pub stated: (&'static str, &'static str),
}

impl MeasureSpec {
    /// What it is: the quantity, when it applies, and how a service's value follows.
    pub fn doc(&self) -> String {
        format!("{}, {}; for the service: {}", self.words, self.when(), self.of_service())
    }

    /// When its value applies, in words.
    pub const fn when(&self) -> &'static str {
        match self.taken {
            Taken::Window => "averaged over the window",
            Taken::Scrape => "at the scrape",
            Taken::Answers => {
                "from an attempt's arrival at a replica to its answer, over those answered within the window (whole scrapes); 0 if \
                 there were none"
            }
        }
    }

    /// How a service's value follows, in words.
    pub const fn of_service(&self) -> &'static str {
        match self.scope {
            Scope::Sum => "sum",
            Scope::Average => "average",
            Scope::Service => "over all answers",
        }
    }
}

/// Defines [`Measure`] and [`MEASURES`] from one list, so that a measure is one entry.
macro_rules! measures {
    ($($(#[doc = $about:literal])* $measure:ident: $spec:expr,)*) => {
        listed! {
            /// A measure of a replica or a service.
            #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
            pub enum Measure {
                $($(#[doc = $about])* $measure,)*
            }
        }

        /// All measures, in the order of [`Measure::ALL`]. To add one, add an entry to the list and measure it in
        /// `engine/meter.rs`, or wherever a serving model reports it.
        pub const MEASURES: [MeasureSpec; Measure::COUNT] = [$($spec),*];
    };
}

measures! {
    /// CPU in use, cores, averaged over the resolution window.
    Cpu: MeasureSpec {
        name: "cpu",
        words: "cores in use",
        unit: Unit::Cores,
        taken: Taken::Window,
        scope: Scope::Sum,
        stated: ("CPU of each pod: a share of its request, or cores.", "90%"),
    },
    /// Memory in use, bytes, at the scrape.
    Memory: MeasureSpec {
        name: "memory",
        words: "bytes in use",
        unit: Unit::Bytes,
        taken: Taken::Scrape,
        scope: Scope::Sum,
        stated: ("Memory of each pod: a share of its request, or bytes.", "300Mi"),
    },
    /// Attempts arriving per second, including retries, averaged over the resolution window.
    RequestRate: MeasureSpec {
        name: "request-rate",
        words: "requests arriving per second",
        unit: Unit::PerSecond,
        taken: Taken::Window,
        scope: Scope::Sum,
        stated: ("Requests arriving at the service.", "120/s"),
    },
    /// Requests in service, averaged over the resolution window.
    InFlight: MeasureSpec {
        name: "in-flight",
        words: "requests in service",
        unit: Unit::Requests,
        taken: Taken::Window,
        scope: Scope::Sum,
        stated: ("Requests in service, in the whole service.", "12"),
    },
    /// Requests waiting in the replica's queue at the scrape.
    QueueLength: MeasureSpec {
        name: "queue-length",
        words: "requests waiting",
        unit: Unit::Requests,
        taken: Taken::Scrape,
        scope: Scope::Sum,
        stated: ("Requests waiting, in the whole service.", "3"),
    },
    /// Requests at the replica at the scrape, in service or waiting.
    Outstanding: MeasureSpec {
        name: "outstanding",
        words: "requests in service and waiting",
        unit: Unit::Requests,
        taken: Taken::Scrape,
        scope: Scope::Sum,
        stated: ("Requests in service and waiting, in the whole service.", "15"),
    },
    /// Share of busy slots, averaged over the resolution window.
    SlotUse: MeasureSpec {
        name: "slot-use",
        words: "share of slots in service, 0 to 1",
        unit: Unit::Share,
        taken: Taken::Window,
        scope: Scope::Average,
        stated: ("Share of busy slots.", "60%"),
    },
    /// Share of an LLM engine's memory for keys and values in use at the scrape; 0 for other serving models.
    CacheUse: MeasureSpec {
        name: "cache-use",
        words: "share of an LLM engine's KV cache in use, 0 to 1",
        unit: Unit::Share,
        taken: Taken::Scrape,
        scope: Scope::Average,
        stated: ("Share of the KV cache in use.", "80%"),
    },
    /// Mean response time in seconds, from the arrival of an attempt at a replica to its answer, of attempts answered
    /// within the resolution window; 0 if there were none.
    LatencyMean: MeasureSpec {
        name: "latency-mean",
        words: "mean latency in seconds",
        unit: Unit::Seconds,
        taken: Taken::Answers,
        scope: Scope::Service,
        stated: ("Mean latency.", "120ms"),
    },
    /// Median response time.
    LatencyP50: MeasureSpec {
        name: "latency-p50",
        words: "median latency in seconds",
        unit: Unit::Seconds,
        taken: Taken::Answers,
        scope: Scope::Service,
        stated: ("Median latency.", "100ms"),
    },
    /// 95th percentile of the response time.
    LatencyP95: MeasureSpec {
        name: "latency-p95",
        words: "95th percentile of latency in seconds",
        unit: Unit::Seconds,
        taken: Taken::Answers,
        scope: Scope::Service,
        stated: ("95th percentile of latency.", "300ms"),
    },
    /// 99th percentile of the response time.
    LatencyP99: MeasureSpec {
        name: "latency-p99",
        words: "99th percentile of latency in seconds",
        unit: Unit::Seconds,
        taken: Taken::Answers,
        scope: Scope::Service,
        stated: ("99th percentile of latency.", "800ms"),
    },
}

impl Measure {
    /// The number of measures.
    pub const COUNT: usize = Measure::ALL.len();

    /// What there is to know about it.
    pub const fn spec(self) -> &'static MeasureSpec {
        &MEASURES[self as usize]
    }

    /// The name used in scenarios.
    pub const fn name(self) -> &'static str {
        self.spec().name
    }

    /// A short description.
    pub const fn words(self) -> &'static str {
        self.spec().words
    }

    /// The measure with this name.
    pub fn find(name: &str) -> Option<Measure> {
        Measure::ALL.into_iter().find(|measure| measure.name() == name)
    }

    /// Whether it is a latency.
    pub const fn is_latency(self) -> bool {
        matches!(self.spec().taken, Taken::Answers)
    }

    /// Whether a service's value is the average over its replicas rather than the sum.
    pub const fn is_average(self) -> bool {
        !matches!(self.spec().scope, Scope::Sum)
    }

    /// Whether it is the use of a resource that a pod reserves, which it uses without requests too.
    pub const fn is_resource(self) -> bool {
        matches!(self.spec().unit, Unit::Cores | Unit::Bytes)
    }

    /// Whether it grows with the load: all but memory and times.
    pub const fn is_load(self) -> bool {
        !matches!(self.spec().unit, Unit::Bytes | Unit::Seconds)
    }
}

/// One value per measure, in the units of [`MEASURES`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Measurements([f64; Measure::COUNT]);

impl Measurements {
    /// All zero.
    pub const ZERO: Measurements = Measurements([0.0; Measure::COUNT]);

    /// The values that `value` returns.
    pub fn of(value: impl FnMut(Measure) -> f64) -> Measurements {
        Measurements(Measure::ALL.map(value))
    }

    /// The values with one replaced.
    #[must_use]
    pub fn with(mut self, measure: Measure, value: f64) -> Measurements {
        self[measure] = value;
        self
    }

    /// Adds the values of another.
    pub fn add(&mut self, other: &Measurements) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, value)| *sum += value);
    }

    /// The measures and their values, in the order of [`Measure::ALL`].
    pub fn iter(&self) -> impl Iterator<Item = (Measure, f64)> {
        Measure::ALL.into_iter().zip(self.0)
    }
}

impl Default for Measurements {
    fn default() -> Self {
        Measurements::ZERO
    }
}

impl Index<Measure> for Measurements {
    type Output = f64;

    fn index(&self, measure: Measure) -> &f64 {
        &self.0[measure as usize]
    }
}

impl IndexMut<Measure> for Measurements {
    fn index_mut(&mut self, measure: Measure) -> &mut f64 {
        &mut self.0[measure as usize]
    }
}

/// A set of measures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Measures(u64);

const _: () = assert!(Measure::COUNT < 64, "a set of measures is a word");

impl Measures {
    /// No measure.
    pub const NONE: Measures = Measures(0);
    /// Every measure.
    pub const ALL: Measures = Measures((1 << Measure::COUNT) - 1);

    /// Whether the set contains `measure`.
    pub const fn contains(self, measure: Measure) -> bool {
        self.0 & (1 << measure as u64) != 0
    }

    /// The set with `measure` added.
    #[must_use]
    pub const fn with(self, measure: Measure) -> Measures {
        Measures(self.0 | (1 << measure as u64))
    }

    /// The set without `measure`.
    #[must_use]
    pub const fn without(self, measure: Measure) -> Measures {
        Measures(self.0 & !(1 << measure as u64))
    }

    /// The union with `other`.
    #[must_use]
    pub const fn and(self, other: Measures) -> Measures {
        Measures(self.0 | other.0)
    }

    /// Whether the set contains a latency.
    pub fn has_latency(self) -> bool {
        self.iter().any(Measure::is_latency)
    }

    /// Iterates over the set in the order of [`Measure::ALL`].
    pub fn iter(self) -> impl Iterator<Item = Measure> {
        Measure::ALL.into_iter().filter(move |measure| self.contains(*measure))
    }
}

impl FromIterator<Measure> for Measures {
    fn from_iter<I: IntoIterator<Item = Measure>>(measures: I) -> Self {
        measures.into_iter().fold(Measures::NONE, Measures::with)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_was_put_into_it() {
        let set: Measures = [Measure::QueueLength, Measure::LatencyP99].into_iter().collect();
        assert!(set.contains(Measure::QueueLength) && !set.contains(Measure::Cpu) && set.has_latency());
        assert_eq!(set.without(Measure::LatencyP99).iter().collect::<Vec<_>>(), [Measure::QueueLength]);
        assert_eq!(set.and(Measures::ALL), Measure::ALL.into_iter().collect());
        assert_eq!(Measures::ALL.iter().count(), Measure::COUNT);
    }

    #[test]
    fn a_measure_is_found_by_its_name_and_its_values_by_the_measure() {
        for (index, measure) in Measure::ALL.into_iter().enumerate() {
            assert_eq!(measure as usize, index);
            assert_eq!(Measure::find(MEASURES[index].name), Some(measure), "two measures share a name");
        }
        let mut values = Measurements::of(|measure| measure as usize as f64);
        values.add(&Measurements::ZERO.with(Measure::InFlight, 0.5));
        assert_eq!((values[Measure::Memory], values[Measure::InFlight]), (1.0, 3.5));
    }

    #[test]
    fn the_documentation_has_a_row_for_each_measure() {
        let page = include_str!("../../docs/hpa.md");
        for spec in &MEASURES {
            let row = format!("| `{}` | {}, {} | {} |", spec.name, spec.words, spec.when(), spec.of_service());
            assert!(page.contains(&row), "docs/hpa.md lacks:\n{row}");
        }
    }
}
