//! Sizes of a fleet of game servers: by a buffer of free ones, or by a counter or list that they carry.
//!
//! The rules of googleforgames/agones, `pkg/fleetautoscalers/fleetautoscalers.go`.

/// How much is kept free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Buffer {
    /// A number.
    Number(i64),
    /// Per cent of the size that results, 1 to 99.
    Percent(i64),
}

/// A size, and whether a bound made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    /// Game servers.
    pub replicas: i64,
    /// Whether a bound made it.
    pub limited: bool,
}

/// `taken` of which `percent` per cent of the whole are free beside them.
fn whole_of(taken: i64, percent: i64) -> i64 {
    (taken.saturating_mul(100) as f64 / (100 - percent).max(1) as f64).ceil() as i64
}

/// The Buffer policy for `allocated` game servers.
pub fn by_buffer(allocated: i64, buffer: Buffer, min: i64, max: i64) -> Sized {
    let wanted = match buffer {
        Buffer::Number(free) => allocated.saturating_add(free),
        Buffer::Percent(percent) => whole_of(allocated, percent),
    };
    let replicas = wanted.max(min).min(max);
    Sized { replicas, limited: wanted < min || wanted > max }
}

/// A counter or a list: how much is taken, of how much.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counted {
    /// Taken.
    pub count: i64,
    /// In all.
    pub capacity: i64,
}

/// A fleet whose game servers carry a counter or a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fleet {
    /// Game servers.
    pub replicas: i64,
    /// Of a new one.
    pub template: Counted,
    /// Of all.
    pub total: Counted,
    /// Taken at those that are allocated.
    pub allocated_count: i64,
    /// Each of them, in the order in which they would be removed.
    pub deletion_order: Vec<Counted>,
}

/// What a counter or list shall keep free, within bounds of the capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CounterPolicy {
    /// Free capacity.
    pub buffer: Buffer,
    /// Least capacity.
    pub min_capacity: i64,
    /// Most capacity.
    pub max_capacity: i64,
}

/// A new game server adds nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AddsNothing;

/// The Counter and the List policy.
///
/// # Errors
/// If the fleet should grow and a new game server has nothing free.
pub fn by_counter(fleet: &Fleet, policy: &CounterPolicy) -> Result<Sized, AddsNothing> {
    let free = fleet.total.capacity - fleet.total.count;
    let buffer = match policy.buffer {
        Buffer::Number(number) => number,
        Buffer::Percent(_) if fleet.allocated_count <= 0 && fleet.template.capacity >= policy.min_capacity => {
            return Ok(Sized { replicas: 1, limited: true });
        }
        Buffer::Percent(percent) => whole_of(fleet.allocated_count, percent) - fleet.allocated_count,
    };
    let capacity = fleet.total.capacity;
    if capacity < policy.min_capacity {
        return to_minimum(fleet, policy);
    }
    match free.cmp(&buffer) {
        std::cmp::Ordering::Greater => Ok(fewer(fleet, policy, buffer)),
        _ if capacity > policy.max_capacity => Ok(to_maximum(fleet, policy)),
        std::cmp::Ordering::Equal => Ok(Sized { replicas: fleet.replicas, limited: false }),
        std::cmp::Ordering::Less => more(fleet, policy, buffer - free),
    }
}

fn to_minimum(fleet: &Fleet, policy: &CounterPolicy) -> Result<Sized, AddsNothing> {
    let each = fleet.template.capacity;
    if each <= 0 {
        return Err(AddsNothing);
    }
    let missing = policy.min_capacity - fleet.total.capacity;
    let added = missing / each + i64::from(missing % each != 0);
    Ok(Sized { replicas: fleet.replicas.saturating_add(added), limited: true })
}

fn to_maximum(fleet: &Fleet, policy: &CounterPolicy) -> Sized {
    let (mut capacity, mut replicas) = (fleet.total.capacity, fleet.replicas);
    for server in &fleet.deletion_order {
        if capacity <= policy.max_capacity {
            break;
        }
        capacity -= server.capacity;
        replicas -= 1;
    }
    Sized { replicas: replicas.max(1), limited: true }
}

fn more(fleet: &Fleet, policy: &CounterPolicy, missing: i64) -> Result<Sized, AddsNothing> {
    let each = fleet.template.capacity - fleet.template.count;
    if each <= 0 {
        return Err(AddsNothing);
    }
    let added = (missing as f64 / each as f64).ceil() as i64;
    let grown = fleet.total.capacity.saturating_add(added.saturating_mul(fleet.template.capacity));
    let limited = grown < policy.min_capacity || grown > policy.max_capacity;
    let room = (policy.max_capacity - fleet.total.capacity) / fleet.template.capacity;
    Ok(Sized { replicas: fleet.replicas.saturating_add(if limited { room } else { added }), limited })
}

fn fewer(fleet: &Fleet, policy: &CounterPolicy, buffer: i64) -> Sized {
    let Counted { mut count, mut capacity } = fleet.total;
    if capacity == policy.min_capacity {
        return Sized { replicas: fleet.replicas, limited: true };
    }
    let mut replicas = fleet.replicas;
    for server in &fleet.deletion_order {
        replicas -= 1;
        count -= server.count;
        capacity -= server.capacity;
        let free = capacity - count;
        if free < buffer {
            return Sized { replicas: replicas + 1, limited: false };
        }
        if capacity < policy.min_capacity {
            return Sized { replicas: replicas + 1, limited: true };
        }
        if free == buffer {
            return Sized { replicas, limited: false };
        }
        if capacity == policy.min_capacity {
            return Sized { replicas, limited: true };
        }
    }
    Sized { replicas: replicas.max(1), limited: false }
}
