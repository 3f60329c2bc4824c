//! The expected request rate: the season as seen so far, and level and trend of the remainder.

use crate::units::{SimDuration, SimTime};

use super::numbers::{COUNT, place};

/// Number of equal parts of a season for which mean rates are kept.
const PARTS: u64 = 288;
/// Each part is averaged with this many neighbours on either side to reduce noise.
const AROUND: u64 = 3;
/// Weight of the newest season in a part's mean.
const NEWEST: f64 = 0.5;

/// What is known about the request rate.
#[derive(Debug, Clone)]
pub(super) struct Memory {
    season: SimDuration,
    /// Time of the newest scrape.
    seen: Option<SimTime>,
    /// The remainder that the season does not explain, smoothed over a shorter and a longer time.
    levels: [f64; 2],
    /// The seasonal part that was subtracted from `levels`; `None` until a season was seen.
    explained: Option<f64>,
    /// Mean rate of each part of the season, over the seasons seen.
    parts: Vec<Option<f64>>,
    /// The current part: its number since the start, and sum and count of its rates.
    open: Option<(u64, f64, u32)>,
    /// Mean rate over about one season.
    mean: f64,
}

/// The expected rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Outlook {
    /// The smoothed current rate.
    pub now: f64,
    /// The largest rate expected from now to the end of the lead.
    pub most: f64,
    /// The seasonal change contained in `most`, relative to now.
    pub season: f64,
    /// Mean rate over about one season.
    pub mean: f64,
}

impl Memory {
    pub fn new(season: SimDuration) -> Self {
        let parts = vec![None; PARTS as usize];
        Memory { season, seen: None, levels: [0.0; 2], explained: None, parts, open: None, mean: 0.0 }
    }

    fn length(&self) -> u64 {
        (self.season.as_nanos() / PARTS).max(1)
    }

    /// The mean seasonal rate around a time; `None` if it was not seen. Around the present, parts that have just ended
    /// contribute their newest rates.
    fn expected(&self, at: SimTime) -> Option<f64> {
        let part = at.as_nanos() / self.length();
        self.parts[(part % PARTS) as usize]?;
        let near = (0..=2 * AROUND).filter_map(|n| self.parts[((part + PARTS + n - AROUND) % PARTS) as usize]);
        let (sum, count) = near.fold((0.0, 0.0), |(sum, count), rate| (sum + rate, count + 1.0));
        Some(sum / count)
    }

    /// Adds a scrape, unless it was already added.
    pub fn see(&mut self, taken_at: SimTime, rate: f64, numbers: &[f64; COUNT]) {
        if self.seen.is_some_and(|seen| taken_at <= seen) {
            return;
        }
        let course = self.expected(taken_at).map(|rate| numbers[place::SEASON_WEIGHT] * rate);
        let explained = course.unwrap_or(0.0);
        let first = self.seen.is_none();
        let passed = self.seen.map_or(0.0, |seen| taken_at.since(seen).as_secs_f64());
        self.seen = Some(taken_at);
        if first {
            (self.levels, self.mean) = ([rate - explained; 2], rate);
        } else if self.explained.is_some() != course.is_some() {
            // From here on the seasonal part is included, or no longer; the sum stays the same.
            let before = self.explained.unwrap_or(0.0);
            self.levels.iter_mut().for_each(|level| *level += before - explained);
        }
        self.explained = course;
        for (level, over) in self.levels.iter_mut().zip(times(numbers)) {
            *level += (1.0 - (-passed / over.max(1e-9)).exp()) * (rate - explained - *level);
        }
        self.mean += (1.0 - (-passed / self.season.as_secs_f64().max(1e-9)).exp()) * (rate - self.mean);
        self.fill(taken_at, rate);
    }

    /// Adds a rate to its part of the season.
    fn fill(&mut self, taken_at: SimTime, rate: f64) {
        let number = taken_at.as_nanos() / self.length();
        let (open, sum, count) = self.open.unwrap_or((number, 0.0, 0));
        if number == open {
            self.open = Some((open, sum + rate, count + 1));
            return;
        }
        let (mean, part) = (sum / f64::from(count), &mut self.parts[(open % PARTS) as usize]);
        *part = Some(part.map_or(mean, |known| known + NEWEST * (mean - known)));
        self.open = Some((number, rate, 1));
    }

    /// The outlook from `now` on; `None` before the first scrape.
    pub fn outlook(&self, now: SimTime, numbers: &[f64; COUNT]) -> Option<Outlook> {
        self.seen?;
        let lead = numbers[place::LEAD];
        let [shorter, longer] = times(numbers);
        // Exponential smoothing over a time lags a straight line by that time.
        let slope = numbers[place::TREND] * (self.levels[0] - self.levels[1]) / (longer - shorter).max(1e-9);
        let weight = numbers[place::SEASON_WEIGHT];
        let rest = |ahead: f64| self.levels[0] + slope * (shorter + ahead);
        let explained = self.explained.unwrap_or(0.0);
        // A season that begins within the lead is not known to add anything.
        let known = |at: SimTime| self.explained.and(self.expected(at));
        let course = |at: SimTime| known(at).map_or(explained, |rate| weight * rate);
        let step = self.length() as f64 / 1e9;
        let looks = (lead / step).floor().min(PARTS as f64) as u64;
        let ahead = (1..=looks).map(|n| n as f64 * step).chain([0.0, lead]);
        let at = |ahead: f64| now.saturating_add(SimDuration::from_secs_f64(ahead).unwrap_or(SimDuration::ZERO));
        let (most, season) = ahead
            .map(|ahead| (rest(ahead) + course(at(ahead)), course(at(ahead)) - explained))
            .fold((0.0, 0.0), |best, look| if look.0 > best.0 { look } else { best });
        let now = (self.levels[0] + explained).max(0.0);
        Some(Outlook { now, most, season, mean: self.mean })
    }
}

/// The two smoothing times of the remainder, in seconds.
fn times(numbers: &[f64; COUNT]) -> [f64; 2] {
    let shorter = numbers[place::SMOOTHING];
    [shorter, shorter + numbers[place::LEAD].max(1.0)]
}

#[cfg(test)]
mod tests {
    use super::super::numbers::NUMBERS;
    use super::*;

    fn numbers(set: &[(usize, f64)]) -> [f64; COUNT] {
        let mut numbers = NUMBERS.map(|number| number.start);
        set.iter().for_each(|(place, value)| numbers[*place] = *value);
        numbers
    }

    /// Scrapes once a minute.
    fn shown(memory: &mut Memory, minutes: std::ops::Range<u64>, numbers: &[f64; COUNT], rate: impl Fn(f64) -> f64) {
        minutes.for_each(|minute| memory.see(SimTime::from_secs(60 * minute), rate(minute as f64), numbers));
    }

    #[test]
    fn a_straight_line_is_continued() {
        let numbers = numbers(&[(place::TREND, 1.0), (place::SEASON_WEIGHT, 0.0), (place::LEAD, 600.0)]);
        let mut memory = Memory::new(SimDuration::from_secs(86_400));
        shown(&mut memory, 0..300, &numbers, |minute| 5.0 + 0.1 * minute);
        let outlook = memory.outlook(SimTime::from_secs(60 * 299), &numbers).unwrap();
        // 34.9 now, 35.9 in ten minutes; the exponential smoothing of samples a minute apart lags half a minute less.
        assert!((outlook.most - 35.9).abs() < 0.1, "{outlook:?}");
        assert!(outlook.now < 34.8, "{outlook:?}");
    }

    #[test]
    fn the_season_is_repeated_with_the_current_remainder() {
        let numbers = numbers(&[(place::TREND, 0.0), (place::SEASON_WEIGHT, 1.0), (place::LEAD, 3600.0)]);
        let mut memory = Memory::new(SimDuration::from_secs(86_400));
        // A day that jumps from 10 to 30 at noon; the next morning is higher by 2.
        let rate =
            |minute: f64| if minute % 1440.0 < 720.0 { 10.0 } else { 30.0 } + if minute > 1440.0 { 2.0 } else { 0.0 };
        shown(&mut memory, 0..1440 + 600, &numbers, rate);
        let at = |minute: u64| memory.outlook(SimTime::from_secs(60 * minute), &numbers).unwrap();
        let early = at(1440 + 600);
        // Three of the seven parts around the present know half of today's increase of 2; those ahead do not.
        assert!((early.most - (12.0 - 1.0 / 7.0)).abs() < 0.05 && (early.season + 1.0 / 7.0).abs() < 0.01, "{early:?}");
        shown(&mut memory, 1440 + 600..1440 + 690, &numbers, rate);
        let noon = memory.outlook(SimTime::from_secs(60 * (1440 + 690)), &numbers).unwrap();
        assert!((noon.most - 32.0).abs() < 0.5 && (noon.season - 20.0).abs() < 0.5, "{noon:?}");
        assert!(memory.mean > 15.0 && memory.mean < 25.0);
        // Half of the weight expects half of the jump.
        let half = self::numbers(&[(place::TREND, 0.0), (place::SEASON_WEIGHT, 0.5), (place::LEAD, 3600.0)]);
        let mut memory = Memory::new(SimDuration::from_secs(86_400));
        shown(&mut memory, 0..1440 + 690, &half, rate);
        let noon = memory.outlook(SimTime::from_secs(60 * (1440 + 690)), &half).unwrap();
        assert!((noon.most - 22.0).abs() < 0.4, "{noon:?}");
    }
}
