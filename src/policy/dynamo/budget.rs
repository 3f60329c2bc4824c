//! GPU budgets: what a planner may order of the replicas it wants.
//!
//! The functions of ai-dynamo/dynamo, `components/src/dynamo/planner/core/budget.py`, release 1.6.1. Counts are of
//! replicas, costs of GPUs per replica. All of them stay far below the limits of 64 bits.

/// A number for each of the two kinds of engines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Pair {
    /// Of the engines that read prompts.
    pub prefill: i64,
    /// Of the engines that generate, and of those that do both.
    pub decode: i64,
}

impl Pair {
    /// A pair.
    pub const fn new(prefill: i64, decode: i64) -> Self {
        Pair { prefill, decode }
    }

    /// GPUs, or Watts, of as many replicas.
    pub fn cost(self, each: Pair) -> i64 {
        self.prefill * each.prefill + self.decode * each.decode
    }

    /// The larger of each.
    pub fn max(self, other: Pair) -> Pair {
        Pair::new(self.prefill.max(other.prefill), self.decode.max(other.decode))
    }
}

/// Fewest and most GPUs; a negative one is no bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Band {
    /// Fewest.
    pub min: i64,
    /// Most.
    pub max: i64,
}

impl Band {
    /// Only a ceiling.
    pub const fn below(max: i64) -> Band {
        Band { min: -1, max }
    }

    /// Whether `total` lies within, with a floor lower by `tolerance`. The ceiling is never relaxed.
    fn holds(self, total: i64, tolerance: i64) -> bool {
        let is_below = self.max < 0 || total <= self.max;
        let is_above = self.min < 0 || total >= self.min - tolerance;
        is_below && is_above
    }

    /// `width` if both bounds are there.
    fn tolerance(self, width: i64) -> i64 {
        if self.min >= 0 && self.max >= 0 { width.max(0) } else { 0 }
    }
}

/// What a budget made of a proposal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BudgetReason {
    /// The proposal would have to turn round: nothing moves.
    Hold,
    /// The present size is outside the band and is brought back.
    Reconcile,
}

impl BudgetReason {
    /// The name that the planner logs.
    pub const fn name(self) -> &'static str {
        match self {
            BudgetReason::Hold => "gpu_budget_guard_hold",
            BudgetReason::Reconcile => "gpu_budget_reconcile",
        }
    }
}

/// What is wanted, from where, at what cost, and at least what of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proposal {
    /// The present replicas.
    pub current: Pair,
    /// The replicas wanted.
    pub proposed: Pair,
    /// GPUs of each replica.
    pub cost: Pair,
    /// Fewest replicas.
    pub least: Pair,
}

/// `a / b`, rounded down, in binary64 as the planner divides.
fn floor_of(a: i64, b: i64) -> i64 {
    (a as f64 / b as f64).floor() as i64
}

/// `a / b`, rounded up, in binary64.
fn ceil_of(a: f64, b: i64) -> i64 {
    (a / b as f64).ceil() as i64
}

/// `a / b`, rounded up, in whole numbers.
fn ceil_div(a: i64, b: i64) -> i64 {
    -((-a).div_euclid(b))
}

/// Shrinks or grows both in proportion until the GPUs lie within `band`; none of each if even the fewest do not fit.
pub fn clamp_pair(wanted: Pair, cost: Pair, band: Band, least: Pair) -> Pair {
    if (band.min < 0 && band.max < 0) || cost.prefill <= 0 || cost.decode <= 0 {
        return wanted;
    }
    let total = wanted.cost(cost);
    if band.holds(total, band.tolerance(cost.prefill.max(cost.decode))) {
        return wanted;
    }
    if band.max >= 0 && total > band.max {
        return shrunk(wanted, cost, band.max, least).unwrap_or_default();
    }
    grown(wanted, cost, band, least)
}

/// Both shrunk in proportion to at most `ceiling`; `None` if the fewest do not fit.
pub(super) fn shrunk(wanted: Pair, cost: Pair, ceiling: i64, least: Pair) -> Option<Pair> {
    if ceiling < least.cost(cost) {
        return None;
    }
    let scale = ceiling as f64 / wanted.cost(cost) as f64;
    let most = floor_of(ceiling - least.decode * cost.decode, cost.prefill);
    let prefill = most.min((wanted.prefill as f64 * scale).floor() as i64).max(least.prefill);
    let rest = ceiling - prefill * cost.prefill;
    Some(Pair::new(prefill, floor_of(rest, cost.decode).max(least.decode)))
}

/// Both grown in proportion to the floor of the band.
fn grown(wanted: Pair, cost: Pair, band: Band, least: Pair) -> Pair {
    let total = wanted.cost(cost);
    let share = match total {
        ..=0 => ceil_of(band.min as f64 / 2.0, cost.prefill),
        _ => (wanted.prefill as f64 * (band.min as f64 / total as f64)).ceil() as i64,
    };
    let prefill = share.max(least.prefill);
    let rest = (band.min - prefill * cost.prefill).max(0);
    let decode = ceil_of(rest as f64, cost.decode).max(least.decode);
    let would_shrink = decode < wanted.decode;
    let grown = Pair::new(prefill, decode.max(wanted.decode));
    if band.max < 0 || grown.cost(cost) <= band.max {
        return grown;
    }
    if !would_shrink {
        return wanted;
    }
    fit_pair(&Proposal { current: wanted, proposed: Pair::new(prefill, wanted.decode), cost, least }, band)
}

/// One kind of engine within `band`.
pub fn clamp_single(wanted: i64, cost: i64, band: Band, least: i64) -> i64 {
    if (band.min < 0 && band.max < 0) || cost <= 0 {
        return wanted;
    }
    let total = wanted * cost;
    if band.holds(total, band.tolerance(cost)) {
        return wanted;
    }
    if band.max >= 0 && total > band.max {
        return if band.max < least * cost { 0 } else { floor_of(band.max, cost).max(least) };
    }
    ceil_of(band.min as f64, cost).max(least)
}

/// Guards the proposal for one kind of engine: it may be cut, but never turned round.
pub fn guard_single(current: i64, proposed: i64, cost: i64, band: Band, least: i64) -> (i64, Option<BudgetReason>) {
    if cost <= 0 {
        return (proposed, None);
    }
    let total = current * cost;
    if !band.holds(total, band.tolerance(cost)) {
        return (clamp_single(current, cost, band, least), Some(BudgetReason::Reconcile));
    }
    let at_floor = band.min >= 0 && total <= band.min && proposed < current;
    let at_ceiling = band.max >= 0 && total >= band.max && proposed > current;
    let fitted = clamp_single(proposed, cost, band, least);
    if at_floor || at_ceiling || !is_between(current, fitted, proposed) {
        return (current, Some(BudgetReason::Hold));
    }
    (fitted, None)
}

/// Guards the proposal for both kinds: at the ceiling only an exchange of one for the other passes, at the floor no
/// reduction, and nothing is turned round.
pub fn guard_pair(proposal: &Proposal, band: Band) -> (Pair, Option<BudgetReason>) {
    let Proposal { current, proposed, cost, least } = *proposal;
    if cost.prefill <= 0 || cost.decode <= 0 {
        return (clamp_pair(proposed, cost, band, least), None);
    }
    let tolerance = if band.max >= 0 { cost.prefill.max(cost.decode) } else { 0 };
    let total = current.cost(cost);
    if !band.holds(total, tolerance) {
        return (clamp_pair(current, cost, band, least), Some(BudgetReason::Reconcile));
    }
    let any_down = proposed.prefill < current.prefill || proposed.decode < current.decode;
    let any_up = proposed.prefill > current.prefill || proposed.decode > current.decode;
    let hold = (current, Some(BudgetReason::Hold));
    if total <= band.min && any_down && !any_up {
        return hold;
    }
    let is_exchange = is_exchange(current, proposed);
    let at_ceiling = band.max >= 0 && total >= band.max && any_up;
    if at_ceiling && !is_exchange {
        return hold;
    }
    if is_exchange && (total <= band.min || at_ceiling) {
        let fitted = fit_pair(proposal, band);
        return if fitted == current { hold } else { (fitted, None) };
    }
    let fitted = clamp_pair(proposed, cost, band, least);
    let keeps_direction = is_between(current.prefill, fitted.prefill, proposed.prefill)
        && is_between(current.decode, fitted.decode, proposed.decode);
    if keeps_direction && band.holds(fitted.cost(cost), tolerance) { (fitted, None) } else { hold }
}

/// Whether one kind grows and the other shrinks.
pub(super) fn is_exchange(current: Pair, proposed: Pair) -> bool {
    let of = |before: i64, after: i64| (after - before).signum();
    of(current.prefill, proposed.prefill) * of(current.decode, proposed.decode) < 0
}

fn is_between(a: i64, middle: i64, b: i64) -> bool {
    (a.min(b)..=a.max(b)).contains(&middle)
}

/// The pair nearest to the proposal that lies within `band` and between the present and the proposed replicas; the
/// present one if there is none. In an exchange both move or neither.
pub fn fit_pair(proposal: &Proposal, band: Band) -> Pair {
    let Proposal { current, proposed, cost, least } = *proposal;
    if cost.prefill <= 0 || cost.decode <= 0 {
        return proposed;
    }
    let tolerance = band.tolerance(cost.prefill.max(cost.decode));
    let Some((low, high)) = reach(proposal, band, tolerance) else { return current };
    let has_least = proposed.prefill >= least.prefill && proposed.decode >= least.decode;
    if has_least && band.holds(proposed.cost(cost), tolerance) {
        return proposed;
    }
    let swapped = high.prefill - low.prefill > high.decode - low.decode;
    let (outer, inner) = if swapped { (Axis::Decode, Axis::Prefill) } else { (Axis::Prefill, Axis::Decode) };
    let search = Search { proposal, band, tolerance, low, high };
    let found = (outer.of(low)..=outer.of(high)).filter_map(|count| search.best_with(outer, inner, count));
    let scored = found.filter(|pair| band.holds(pair.cost(cost), tolerance)).map(|pair| (search.score(pair), pair));
    // The first of equal ones.
    let best = scored.reduce(|best, next| if next.0 < best.0 { next } else { best });
    best.map_or(current, |(_, pair)| pair)
}

/// Fewest and most of each kind that can be part of a fitting pair.
fn reach(proposal: &Proposal, band: Band, tolerance: i64) -> Option<(Pair, Pair)> {
    let Proposal { current, proposed, cost, least } = *proposal;
    let mut low = Pair::new(current.prefill.min(proposed.prefill), current.decode.min(proposed.decode)).max(least);
    let mut high = current.max(proposed);
    if band.max >= 0 {
        high.prefill = high.prefill.min((band.max - low.decode * cost.decode).div_euclid(cost.prefill));
        high.decode = high.decode.min((band.max - low.prefill * cost.prefill).div_euclid(cost.decode));
    }
    if band.min >= 0 {
        let floor = band.min - tolerance;
        low.prefill = low.prefill.max(ceil_div(floor - high.decode * cost.decode, cost.prefill));
        low.decode = low.decode.max(ceil_div(floor - high.prefill * cost.prefill, cost.decode));
    }
    (low.prefill <= high.prefill && low.decode <= high.decode).then_some((low, high))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Prefill,
    Decode,
}

impl Axis {
    fn of(self, pair: Pair) -> i64 {
        match self {
            Axis::Prefill => pair.prefill,
            Axis::Decode => pair.decode,
        }
    }

    fn pair(self, own: i64, other: i64) -> Pair {
        match self {
            Axis::Prefill => Pair::new(own, other),
            Axis::Decode => Pair::new(other, own),
        }
    }
}

struct Search<'a> {
    proposal: &'a Proposal,
    band: Band,
    tolerance: i64,
    low: Pair,
    high: Pair,
}

impl Search<'_> {
    /// The nearest pair with `count` of the kind `outer`.
    fn best_with(&self, outer: Axis, inner: Axis, count: i64) -> Option<Pair> {
        let Proposal { current, proposed, cost, .. } = *self.proposal;
        let spent = count * outer.of(cost);
        let (mut low, mut high) = (inner.of(self.low), inner.of(self.high));
        if self.band.min >= 0 {
            low = low.max(ceil_div(self.band.min - self.tolerance - spent, inner.of(cost)));
        }
        if self.band.max >= 0 {
            high = high.min((self.band.max - spent).div_euclid(inner.of(cost)));
        }
        let (now, wanted) = (inner.of(current), inner.of(proposed));
        if is_exchange(current, proposed) {
            if count == outer.of(current) {
                return (low..=high).contains(&now).then(|| outer.pair(count, now));
            }
            if wanted > now {
                low = low.max(now + 1);
            } else {
                high = high.min(now - 1);
            }
        }
        (low <= high).then(|| outer.pair(count, wanted.max(low).min(high)))
    }

    /// Smaller is better: distance, how unequal the progress of both is, progress, then the smaller counts.
    fn score(&self, pair: Pair) -> (i64, i64, i64, i64, i64) {
        let Proposal { current, proposed, .. } = *self.proposal;
        let apart = |a: Pair, b: Pair| Pair::new((a.prefill - b.prefill).abs(), (a.decode - b.decode).abs());
        let (distance, progress, requested) = (apart(proposed, pair), apart(pair, current), apart(proposed, current));
        let skew = (progress.prefill * requested.decode - progress.decode * requested.prefill).abs();
        let total = |of: Pair| of.prefill + of.decode;
        (total(distance), skew, -total(progress), pair.prefill, pair.decode)
    }
}
