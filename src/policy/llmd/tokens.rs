//! The token analysis (V2) of llm-d's workload-variant autoscaler, and its cost-aware optimizer.
//!
//! The rules of llm-d/llm-d-workload-variant-autoscaler, `internal/engines/analyzers/saturation_v2/analyzer.go` and
//! `internal/engines/pipeline/cost_aware_optimizer.go`.

/// Tokens that are missing and tokens that are too many: (required, spare).
///
/// `supply` is of the replicas that serve, `anticipated` counts those that are starting too.
pub fn missing_and_spare(demand: f64, supply: f64, anticipated: f64, up: f64, down: f64) -> (f64, f64) {
    ((demand / up - anticipated).max(0.0), (supply - demand / down).max(0.0))
}

/// Tokens that a replica can hold by its compute: as many requests as keep its batches full, each with its prompt and half
/// of what it generates.
pub fn by_compute(max_batched_tokens: f64, max_num_seqs: f64, input: f64, output: f64) -> i64 {
    let at_once = (max_batched_tokens * output / (input + output)).min(max_num_seqs);
    (at_once * (input + output / 2.0)) as i64
}

/// A variant to choose from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Choice<'a> {
    /// Its name.
    pub name: &'a str,
    /// Cost of a replica.
    pub cost: f64,
    /// Present replicas.
    pub current: i64,
    /// Tokens that a replica holds.
    pub capacity: f64,
    /// Fewest replicas.
    pub min: i64,
    /// Most replicas.
    pub max: Option<i64>,
}

/// Replicas of each variant, for `required` more tokens or for `spare` fewer.
pub fn optimized(variants: &[Choice<'_>], required: f64, spare: f64) -> Vec<i64> {
    let mut sizes: Vec<i64> = variants.iter().map(|of| of.current).collect();
    if required > 0.0 {
        grow(variants, &mut sizes, required);
    } else if spare > 0.0 {
        shrink(variants, &mut sizes, spare);
    }
    sizes
}

/// The variants with a capacity, in an order.
fn ordered(variants: &[Choice<'_>], order: impl Fn(&Choice<'_>, &Choice<'_>) -> std::cmp::Ordering) -> Vec<usize> {
    let mut indices: Vec<usize> = (0..variants.len()).filter(|index| variants[*index].capacity > 0.0).collect();
    indices.sort_by(|a, b| order(&variants[*a], &variants[*b]).then(variants[*a].name.cmp(variants[*b].name)));
    indices
}

fn grow(variants: &[Choice<'_>], sizes: &mut [i64], mut missing: f64) {
    let each = |of: &Choice<'_>| of.cost / of.capacity;
    for index in ordered(variants, |a, b| each(a).total_cmp(&each(b))) {
        if missing <= 0.0 {
            break;
        }
        let of = &variants[index];
        let room = of.max.map_or(i64::MAX, |max| (max - sizes[index]).max(0));
        let added = ((missing / of.capacity).ceil() as i64).min(room);
        sizes[index] = sizes[index].saturating_add(added);
        missing -= added as f64 * of.capacity;
    }
}

/// The dearest go first. The cheapest keeps one if no other has any.
fn shrink(variants: &[Choice<'_>], sizes: &mut [i64], mut spare: f64) {
    let cheapest = (0..variants.len()).min_by(|a, b| variants[*a].cost.total_cmp(&variants[*b].cost));
    let dearest_first =
        |a: &Choice<'_>, b: &Choice<'_>| b.cost.total_cmp(&a.cost).then(a.capacity.total_cmp(&b.capacity));
    for index in ordered(variants, dearest_first) {
        if spare <= 0.0 {
            break;
        }
        let of = &variants[index];
        let others = sizes.iter().enumerate().any(|(other, size)| other != index && *size > 0);
        let keeps_one = cheapest == Some(index) && !others;
        let least = if keeps_one { of.min.max(1) } else { of.min };
        let removed = ((spare / of.capacity).floor() as i64).min(sizes[index] - least);
        if removed > 0 {
            sizes[index] -= removed;
            spare -= removed as f64 * of.capacity;
        }
    }
}
