//! Limits on figures, as stated under a scenario's `expect:`.

use super::bound::{assert_bound, cost_bounds, unbounded};
use super::figure::{Figure, figures};
use super::metric::{Metric, Unit};
use super::replicate::{Replicated, Samples};
use crate::config::{Diagnostic, Diagnostics, SourceFile, Span, Value, Yaml, not_one_of};
use crate::scenario::Scenario;
use crate::stats::{ConfidenceInterval, Running, holm};
use crate::units::{SimDuration, Usd, Utilization};

/// The name of the lower bound on cost.
const BOUND: &str = "bound";

/// A comparison of two sides: `p99 < 250ms`, `policy.a.cost < 0.9 * policy.b.cost`, `cost < 1.5 * bound`.
#[derive(Debug, Clone, PartialEq)]
pub struct Expectation {
    /// As written.
    pub text: String,
    /// Line of the file, from 1.
    pub line: usize,
    /// Location in the file.
    place: Yaml,
    left: Side,
    relation: Relation,
    right: Side,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Relation {
    Less,
    AtMost,
    More,
    AtLeast,
}

/// A value, or a multiple of a figure or of the lower bound on cost.
#[derive(Debug, Clone, PartialEq)]
enum Side {
    Value(f64, Unit),
    Bound(f64),
    Figure { factor: f64, policy: Option<usize>, figure: usize, unit: Unit },
}

/// The result of one check of a test.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// What was expected, and for which policy.
    pub name: String,
    /// Line of the scenario that states it, from 1.
    pub line: usize,
    /// Whether the means satisfy it.
    pub passed: bool,
    /// Whether the difference from the limit is significant at the stated confidence, after Holm's correction over
    /// everything that the file expects.
    pub certain: bool,
    /// The left side's mean; `None` if a run has no such figure.
    pub found: Option<f64>,
    /// The right side's mean.
    pub limit: Option<f64>,
    /// Unit of both.
    pub unit: Unit,
}

/// Reads one comparison in the syntax of `expect:`.
///
/// # Errors
/// What is wrong with it.
pub fn expectation(scenario: &Scenario, text: &str) -> Result<Expectation, Box<Diagnostic>> {
    let source = SourceFile::new("expectation", text);
    let span = Span { start: 0, end: text.len() };
    let node = Yaml { value: Value::Scalar(text.trim().to_string()), span, source };
    Names { figures: figures(scenario), scenario }.expectation(&node)
}

/// Evaluates all expectations on the replications of a scenario's policies, which are the arms in order. The lower
/// bound on cost is computed, `threads` replications at a time, if an expectation refers to it.
///
/// # Errors
/// If there is no bound although an expectation refers to it, with its location.
pub fn judge(
    expected: &[Expectation],
    scenario: &Scenario,
    result: &Replicated,
    threads: usize,
) -> Result<Vec<Check>, Box<Diagnostic>> {
    let bounds = match expected.iter().find(|expectation| expectation.names_bound()) {
        None => Vec::new(),
        Some(asking) => match cost_bounds(scenario, result.replications, threads) {
            Ok(Ok(bounds)) => {
                assert_bounds(scenario, result, &bounds);
                bounds
            }
            Ok(Err(why)) => return Err(Box::new(asking.place.error(no_bound(&why)))),
            Err(error) => return Err(Box::new(Diagnostic::error(error.to_string()))),
        },
    };
    let judged: Vec<(Check, f64)> =
        expected.iter().flat_map(|expectation| expectation.judge(result, &bounds)).collect();
    let adjusted = holm(&judged.iter().map(|(_, p)| *p).collect::<Vec<_>>());
    let corrected = |((check, _), p): ((Check, f64), f64)| {
        let certain = check.certain && p <= 1.0 - result.level;
        Check { certain, ..check }
    };
    Ok(judged.into_iter().zip(adjusted).map(corrected).collect())
}

/// I9, in every replication.
fn assert_bounds(scenario: &Scenario, result: &Replicated, bounds: &[f64]) {
    let value = |arm: &Samples, figure: usize, replication: usize| {
        arm.values.get(figure).and_then(|values| values.get(replication).copied().flatten())
    };
    let Some(cost) = result.expense() else { return };
    let promised = |figure: usize| match result.figures[figure].quantity {
        Metric::Attainment(index) => scenario.objectives.get(index).filter(|objective| objective.within.is_some()),
        _ => None,
    };
    for (arm, (replication, bound)) in
        result.arms.iter().flat_map(|arm| bounds.iter().enumerate().map(move |b| (arm, b)))
    {
        let keeps = (0..result.figures.len()).all(|figure| {
            let (objective, attained) = (promised(figure), value(arm, figure, replication));
            objective.zip(attained).is_none_or(|(objective, attained)| attained >= objective.target.get())
        });
        if let Some(cost) = value(arm, cost, replication) {
            assert_bound(&arm.label, cost, keeps, *bound);
        }
    }
}

fn no_bound(why: &str) -> String {
    format!("there is no lower bound on cost here: {why}")
}

/// Reads everything under `expect:` and reports problems to `sink`.
pub fn expectations(scenario: &Scenario, sink: &mut Diagnostics) -> Vec<Expectation> {
    let names = Names { figures: figures(scenario), scenario };
    let mut read = Vec::new();
    for node in &scenario.expect {
        match names.expectation(node) {
            Ok(expectation) => read.push(expectation),
            Err(diagnostic) => sink.push(*diagnostic),
        }
    }
    read
}

/// The names an expectation may use.
struct Names<'a> {
    figures: Vec<Figure>,
    scenario: &'a Scenario,
}

type Parsed<T> = Result<T, Box<Diagnostic>>;

impl Names<'_> {
    fn expectation(&self, node: &Yaml) -> Parsed<Expectation> {
        let refuse = |message: String| Box::new(node.error(message).help("for example `p99 < 250ms` or `cost < $40`"));
        let text = node.as_text().ok_or_else(|| refuse(format!("expected a comparison, found {}", node.kind())))?;
        let relations =
            [("<=", Relation::AtMost), (">=", Relation::AtLeast), ("<", Relation::Less), (">", Relation::More)];
        let split = relations.iter().find_map(|(sign, relation)| Some((text.split_once(sign)?, *relation)));
        let ((left, right), relation) =
            split.ok_or_else(|| refuse(format!("`{text}` is not a comparison: expected <, <=, > or >=")))?;
        let (left, right) = (self.side(left.trim(), node)?, self.side(right.trim(), node)?);
        if !comparable(left.unit(), right.unit()) {
            let (a, b) = (unit_words(left.unit()), unit_words(right.unit()));
            return Err(refuse(format!("`{text}` compares {a} with {b}")));
        }
        if ![&left, &right].iter().any(|side| matches!(side, Side::Figure { .. })) {
            return Err(refuse(format!("`{text}` contains no figure")));
        }
        let line = node.source.line_column(node.span.start).0;
        Ok(Expectation { text: text.to_string(), line, place: node.clone(), left, relation, right })
    }

    fn side(&self, text: &str, node: &Yaml) -> Parsed<Side> {
        if let Some((factor, figure)) = text.split_once('*') {
            let factor = factor.trim().parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor > 0.0);
            let factor =
                factor.ok_or_else(|| Box::new(node.error(format!("`{text}` has no number before the `*`"))))?;
            return self.figure(factor, figure.trim(), node);
        }
        match value(text) {
            Some((value, unit)) => Ok(Side::Value(value, unit)),
            None => self.figure(1.0, text, node),
        }
    }

    fn figure(&self, factor: f64, text: &str, node: &Yaml) -> Parsed<Side> {
        if text == BOUND {
            let why = unbounded(self.scenario);
            let error = |why| {
                let error = node.error(no_bound(why));
                error.help("a policy that plans with the trace can be named instead: `policy.LABEL.cost`")
            };
            return why.map_or(Ok(Side::Bound(factor)), |why| Err(Box::new(error(why))));
        }
        let (policy, rest) = match text.strip_prefix("policy.") {
            Some(rest) => self.policy(rest, node).map(|(policy, rest)| (Some(policy), rest))?,
            None => (None, text),
        };
        // Defaults: the first objective if none is named, and the only service if there is one.
        let name = if rest.ends_with("attainment") { format!("{rest}.1") } else { rest.to_string() };
        let name = match self.scenario.services.as_slice() {
            [only] => name.strip_prefix(&format!("service.{}.", only.spec.name)).unwrap_or(&name).to_string(),
            _ => name,
        };
        let found = self.figures.iter().position(|figure| figure.name == name);
        if name == "cost" && found.is_none() {
            let error = node.error("there is no cost: no price is stated");
            return Err(Box::new(error.help("add `price:` to the service, or compare `replica-hours`")));
        }
        let figure = found.ok_or_else(|| {
            let names: Vec<&str> = self.figures.iter().map(|figure| figure.name.as_str()).chain([BOUND]).collect();
            Box::new(not_one_of(node, rest, "a figure", &names))
        })?;
        Ok(Side::Figure { factor, policy, figure, unit: self.figures[figure].quantity.unit() })
    }

    /// Splits off a policy's label, which may contain dots, from the figure after it.
    fn policy<'t>(&self, text: &'t str, node: &Yaml) -> Parsed<(usize, &'t str)> {
        let labels: Vec<&str> = self.scenario.policies.iter().map(|plan| plan.label.as_str()).collect();
        let fits = |(index, label): (usize, &&str)| {
            let rest = text.strip_prefix(label)?.strip_prefix('.')?;
            Some((index, rest))
        };
        let longest = labels.iter().enumerate().filter_map(fits).min_by_key(|(_, rest)| rest.len());
        longest.ok_or_else(|| {
            let error = node.error(format!("`policy.{text}` is not a policy of the scenario"));
            let error = error.note(format!("policies: {}", labels.join(", ")));
            let named = text.split('.').next().unwrap_or(text);
            Box::new(error.near(named, labels.iter().copied()))
        })
    }
}

/// A value with its unit; `None` if the text is not a value.
fn value(text: &str) -> Option<(f64, Unit)> {
    if text.contains('$') {
        return text.parse::<Usd>().ok().map(|dollars| (dollars.as_f64(), Unit::Dollars));
    }
    if let Ok(number) = text.parse::<f64>() {
        return number.is_finite().then_some((number, Unit::Number));
    }
    if text.ends_with('%') {
        return text.parse::<Utilization>().ok().map(|share| (share.get(), Unit::Share));
    }
    text.parse::<SimDuration>().ok().map(|duration| (duration.as_secs_f64(), Unit::Seconds))
}

/// Replica-hours are written as plain numbers.
fn comparable(a: Unit, b: Unit) -> bool {
    let plain = |unit| if unit == Unit::ReplicaHours { Unit::Number } else { unit };
    plain(a) == plain(b)
}

fn unit_words(unit: Unit) -> &'static str {
    match unit {
        Unit::Dollars => "dollars",
        Unit::ReplicaHours => "replica-hours",
        Unit::Seconds => "a time",
        Unit::Share => "a share",
        Unit::Number => "a plain number",
    }
}

impl Side {
    fn unit(&self) -> Unit {
        match self {
            Side::Value(_, unit) | Side::Figure { unit, .. } => *unit,
            Side::Bound(_) => Unit::Dollars,
        }
    }

    /// Whether it applies to every policy.
    fn is_general(&self) -> bool {
        matches!(self, Side::Figure { policy: None, .. })
    }

    /// The value in each replication, for `policy` if none is named.
    fn values(&self, result: &Replicated, policy: usize, bounds: &[f64]) -> Option<Vec<f64>> {
        match self {
            Side::Value(value, _) => Some(vec![*value; result.replications as usize]),
            Side::Bound(factor) => Some(bounds.iter().map(|bound| factor * bound).collect()),
            Side::Figure { factor, policy: named, figure, .. } => {
                let values = result.arms.get(named.unwrap_or(policy))?.all(*figure)?;
                Some(values.into_iter().map(|value| factor * value).collect())
            }
        }
    }
}

impl Relation {
    /// Whether left - right has the expected sign.
    fn holds(self, difference: f64) -> bool {
        match self {
            Relation::Less => difference < 0.0,
            Relation::AtMost => difference <= 0.0,
            Relation::More => difference > 0.0,
            Relation::AtLeast => difference >= 0.0,
        }
    }
}

impl Expectation {
    fn names_bound(&self) -> bool {
        [&self.left, &self.right].iter().any(|side| matches!(side, Side::Bound(_)))
    }

    /// If no policy is named, one check for each policy that could run in production. Each check comes with the p-value
    /// of its difference.
    fn judge(&self, result: &Replicated, bounds: &[f64]) -> Vec<(Check, f64)> {
        if !self.left.is_general() && !self.right.is_general() {
            return vec![self.check(result, bounds, 0, self.text.clone())];
        }
        let arms = result.arms.iter().enumerate().filter(|(_, arm)| !arm.clairvoyant);
        arms.map(|(index, arm)| self.check(result, bounds, index, format!("{} [{}]", self.text, arm.label))).collect()
    }

    fn check(&self, result: &Replicated, bounds: &[f64], policy: usize, name: String) -> (Check, f64) {
        let mean = |values: &Option<Vec<f64>>| values.as_ref()?.iter().copied().collect::<Running>().mean();
        let (left, right) = (self.left.values(result, policy, bounds), self.right.values(result, policy, bounds));
        let (found, limit) = (mean(&left), mean(&right));
        let differences: Option<Vec<f64>> =
            left.zip(right).map(|(left, right)| left.iter().zip(&right).map(|(l, r)| l - r).collect());
        let passed = found.zip(limit).is_some_and(|(found, limit)| self.relation.holds(found - limit));
        let interval = differences.and_then(|values| ConfidenceInterval::of(values, result.level));
        let certain = interval.is_some_and(|interval| {
            self.relation.holds(interval.low()) == passed && self.relation.holds(interval.high()) == passed
        });
        // If all replications agree, nothing is left to chance, even at the limit.
        let p = interval.map_or(1.0, |interval| if interval.half_width == 0.0 { 0.0 } else { interval.p_value(0.0) });
        (Check { name, line: self.line, passed, certain, found, limit, unit: self.left.unit() }, p)
    }
}
