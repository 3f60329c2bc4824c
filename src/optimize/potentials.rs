//! The dual of a one-type plan: a minimum-cost flow, built up interval by interval.
//!
//! Nodes are the ground (potential 0, the time before the first interval) and, for every interval t, the cumulative
//! starts Y_t and stops Z_t. An arc a -> b of cost w represents the row "potential of a - potential of b <= w". Its
//! flow is the dual value of the row, so the capacity of an arc is the price at which its row may be violated. The cost
//! coefficient of a potential is the net flow into its node: a price c of x_t = x_-1 + Y_t - Z_t sends c from Z_t to
//! Y_t, a start cost (of the last Y) sends its amount from the ground to Y_T-1, a stop cost to Z_T-1.
//!
//! Method: successive shortest paths with potentials (Ford and Fulkerson 1962; Edmonds and Karp 1972; e.g. Ahuja,
//! Magnanti and Orlin, Network Flows, 1993, section 9.7), adding the intervals one by one. Keeping the number of
//! instances is always allowed, so the new potentials start as copies of the last ones, the flows of start and stop
//! costs continue along the new arcs at no cost, and only the price of the new interval has to be routed. Optimal
//! decisions in the distant past rarely depend on the newest interval, so a search from both ends stays near the newest
//! one: a week of minutes takes a fraction of a second. Flows and potentials are integers: no tolerance, no rounding,
//! and the same result everywhere.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::one_type::OneType;

/// No limit on the flow of an arc.
const UNLIMITED: i64 = i64::MAX;

/// The total of all prices in flow units is at most this power of two.
const FLOW_BITS: i32 = 60;

/// Limits above this number of instances are treated as unlimited; in steps they stay far from overflow.
const NO_LIMIT: u32 = 1_000_000_000;

#[derive(Debug, Clone, Copy)]
struct Arc {
    from: u32,
    to: u32,
    cost: i64,
    capacity: i64,
    flow: i64,
}

/// The direction in which an arc is traversed.
#[derive(Debug, Clone, Copy)]
struct Step {
    arc: u32,
    forward: bool,
}

const GROUND: u32 = 0;

/// The flow problem of a plan, extended interval by interval.
pub(super) struct Network<'a> {
    problem: &'a OneType,
    /// Potential steps per instance.
    steps: i64,
    /// Flow units per dollar.
    units: f64,
    /// The maximum that one shortage arc carries, in dollars.
    dearest: f64,
    arcs: Vec<Arc>,
    /// Arcs incident to each node.
    touching: Vec<Vec<u32>>,
    potential: Vec<i64>,
    /// One search forward from the source of a flow, one backward from its target.
    searches: [Search; 2],
}

/// A search for a shortest path, with its working memory.
#[derive(Default)]
struct Search {
    /// Whether arcs are followed backwards, to measure distances to the origin rather than from it.
    backwards: bool,
    /// The node to find.
    goal: u32,
    distance: Vec<i64>,
    arrived_by: Vec<Option<Step>>,
    settled: Vec<bool>,
    seen: Vec<u32>,
    /// (distance, distance in time from the goal, node), smallest first.
    queue: BinaryHeap<Reverse<(i64, u32, u32)>>,
}

fn starts_node(interval: usize) -> u32 {
    1 + 2 * interval as u32
}

fn stops_node(interval: usize) -> u32 {
    2 + 2 * interval as u32
}

impl<'a> Network<'a> {
    /// The network of a problem whose first interval is feasible ([`OneType::begin`]).
    pub fn new(problem: &'a OneType, steps: i64) -> Self {
        // One more instance over the whole plan costs `always`; a higher shortage price avoids any avoidable shortage.
        let always = problem.always();
        let dearest = if always > 0.0 { 2.0 * always } else { 1.0 };
        let total = always + 2.0 * dearest * problem.needed.len() as f64;
        let exponent = FLOW_BITS - total.log2().ceil() as i32;
        let mut network = Network {
            problem,
            steps,
            units: 2f64.powi(exponent),
            dearest,
            arcs: Vec::new(),
            touching: Vec::new(),
            potential: Vec::new(),
            searches: [Search::default(), Search { backwards: true, ..Search::default() }],
        };
        network.add_node(0);
        network
    }

    /// Optimal potentials of Y_0, Z_0, Y_1, ..., each the smallest of all optima.
    pub fn solve(mut self) -> Vec<i64> {
        for interval in 0..self.problem.needed.len() {
            self.add_interval(interval);
        }
        self.smallest_potentials()
    }

    fn add_node(&mut self, potential: i64) {
        self.touching.push(Vec::new());
        self.potential.push(potential);
        for search in &mut self.searches {
            search.distance.push(i64::MAX);
            search.arrived_by.push(None);
            search.settled.push(false);
        }
    }

    fn add_arc(&mut self, from: u32, to: u32, cost: i64, capacity: i64) -> &mut Arc {
        let arc = self.arcs.len() as u32;
        self.touching[from as usize].push(arc);
        self.touching[to as usize].push(arc);
        self.arcs.push(Arc { from, to, cost, capacity, flow: 0 });
        &mut self.arcs[arc as usize]
    }

    fn flow_units(&self, price: f64) -> i64 {
        (price * self.units).round() as i64
    }

    /// Adds the nodes and rows of an interval and routes the flow of its price.
    fn add_interval(&mut self, t: usize) {
        let (starts, stops) = (starts_node(t), stops_node(t));
        let (last_starts, last_stops) = if t == 0 { (GROUND, GROUND) } else { (starts_node(t - 1), stops_node(t - 1)) };
        let (up, down) = if t == 0 { self.first_change() } else { (0, 0) };
        self.add_node(self.potential[last_starts as usize] + up);
        self.add_node(self.potential[last_stops as usize] + down);
        self.add_arc(last_starts, starts, 0, UNLIMITED);
        self.add_arc(last_stops, stops, 0, UNLIMITED);
        self.add_limits(t, (last_starts, last_stops));
        self.pass_on(last_starts, starts, self.flow_units(self.problem.start_price()));
        self.pass_on(last_stops, stops, self.flow_units(self.problem.stop_cost));
        let owed = self.flow_units(self.problem.price) - self.add_needs(t);
        if owed > 0 {
            self.send(stops, starts, owed);
        } else {
            self.send(starts, stops, -owed);
        }
    }

    /// The starts and stops needed at once to get within the limits on the number of instances.
    fn first_change(&self) -> (i64, i64) {
        let OneType { initial, least, most, .. } = *self.problem;
        let up = i64::from(least.saturating_sub(initial)) * self.steps;
        let down = i64::from(initial.saturating_sub(most.unwrap_or(NO_LIMIT))) * self.steps;
        (up, down)
    }

    /// Rows (2), (3), (5) and (6).
    fn add_limits(&mut self, t: usize, (last_starts, last_stops): (u32, u32)) {
        let problem = self.problem;
        let (starts, stops) = (starts_node(t), stops_node(t));
        let initial = i64::from(problem.initial) * self.steps;
        self.add_arc(stops, starts, initial - i64::from(problem.least) * self.steps, UNLIMITED);
        if let Some(most) = problem.most {
            self.add_arc(starts, stops, i64::from(most.min(NO_LIMIT)) * self.steps - initial, UNLIMITED);
        }
        if let Some(up) = problem.scale_up {
            self.add_arc(starts, last_starts, i64::from(up.min(NO_LIMIT)) * self.steps, UNLIMITED);
        }
        if let Some(down) = problem.scale_down {
            self.add_arc(stops, last_stops, i64::from(down.min(NO_LIMIT)) * self.steps, UNLIMITED);
        }
        if t < problem.lead {
            self.add_arc(starts, GROUND, 0, UNLIMITED);
        }
        if problem.minimum_run > 1 {
            let settled = t.checked_sub(problem.minimum_run).map_or(GROUND, starts_node);
            self.add_arc(stops, settled, initial, UNLIMITED);
        }
    }

    /// Row (4), which may be violated at a price. In whole steps, the cost of missing d - x is a line through its
    /// values at the steps around d: two arcs share the price. Returns the flow on the arcs that are short at once.
    fn add_needs(&mut self, t: usize) -> i64 {
        let (starts, stops) = (starts_node(t), stops_node(t));
        let initial = i64::from(self.problem.initial) * self.steps;
        let needed = self.problem.needed[t] * self.steps as f64;
        let nearest = needed.round();
        // A quotient's rounding error is not a need, and fractions below the finest step do not matter.
        let needed = if self.steps > 1 || (needed - nearest).abs() <= 1e-9 { nearest } else { needed };
        let part = if needed == nearest { 1.0 } else { needed.fract() };
        let above = needed.ceil() as i64;
        let price = self.problem.shortage_price.unwrap_or(f64::INFINITY);
        let shared = |part: f64| if part > 0.0 { self.flow_units((price * part).min(self.dearest)) } else { 0 };
        let shares = [(above, shared(part)), (above - 1, shared(1.0 - part))];
        let mut owed = 0;
        for (level, price) in shares {
            if price <= 0 || level <= 0 {
                continue;
            }
            let short = self.potential[stops as usize] - self.potential[starts as usize] > initial - level;
            let arc = self.add_arc(stops, starts, initial - level, price);
            if short {
                arc.flow = price;
                owed += price;
            }
        }
        owed
    }

    /// Redirects a flow from `from` to `to`: along the arc between them if that costs nothing.
    fn pass_on(&mut self, from: u32, to: u32, amount: i64) {
        let direct = self.touching[to as usize][0];
        if self.reduced_cost(direct) == 0 {
            self.arcs[direct as usize].flow += amount;
        } else {
            self.send(from, to, amount);
        }
    }

    fn reduced_cost(&self, arc: u32) -> i64 {
        let Arc { from, to, cost, .. } = self.arcs[arc as usize];
        cost - self.potential[from as usize] + self.potential[to as usize]
    }

    /// Sends `amount` along shortest paths. A path always exists: the rows on the number of instances connect Y_t and
    /// Z_t, and flow on shortage arcs can be returned.
    fn send(&mut self, from: u32, to: u32, mut amount: i64) {
        while amount > 0 {
            let path = self.shortest_path(from, to);
            amount -= self.push(&path, amount);
        }
    }

    /// Dijkstra's algorithm with reduced costs, alternating between both ends until one search reaches the other end.
    /// The potentials settled by that search are then moved by their distance to the goal's. The nodes nearer than the
    /// goal are often nearly all on one side; the side with few is finished first.
    fn shortest_path(&mut self, from: u32, to: u32) -> Vec<Step> {
        let mut searches = std::mem::take(&mut self.searches);
        searches[0].begin(from, to);
        searches[1].begin(to, from);
        let (side, length) = loop {
            let found = (0..2).find_map(|side| Some((side, self.advance(&mut searches[side])?)));
            if let Some(found) = found {
                break found;
            }
            assert!(searches.iter().any(|search| !search.queue.is_empty()), "a plan can always stand still");
        };
        let search = &searches[side];
        let sign = if search.backwards { -1 } else { 1 };
        for node in &search.seen {
            self.potential[*node as usize] += sign * (length - search.distance[*node as usize]).max(0);
        }
        let path = self.path(search);
        for search in &mut searches {
            search.clear();
        }
        self.searches = searches;
        path
    }

    /// Settles one node; returns the distance of the goal once it is reached.
    fn advance(&self, search: &mut Search) -> Option<i64> {
        let Reverse((distance, _, node)) = search.queue.pop()?;
        if std::mem::replace(&mut search.settled[node as usize], true) {
            return None;
        }
        if node == search.goal {
            return Some(distance);
        }
        for arc in &self.touching[node as usize] {
            let Arc { from, to, capacity, flow, .. } = self.arcs[*arc as usize];
            let next = if from == node { to } else { from };
            if search.settled[next as usize] {
                continue;
            }
            let forward = (from == node) != search.backwards;
            if if forward { flow < capacity } else { flow > 0 } {
                let cost = if forward { self.reduced_cost(*arc) } else { -self.reduced_cost(*arc) };
                search.reach(next, distance.saturating_add(cost), Some(Step { arc: *arc, forward }));
            }
        }
        None
    }

    /// The steps between the goal of a search and its origin, in any order.
    fn path(&self, search: &Search) -> Vec<Step> {
        let mut path = Vec::new();
        let mut node = search.goal;
        while let Some(step) = search.arrived_by[node as usize] {
            path.push(step);
            let arc = self.arcs[step.arc as usize];
            node = if step.forward != search.backwards { arc.from } else { arc.to };
        }
        path
    }

    /// Pushes up to `amount` along a path and returns the amount that went through.
    fn push(&mut self, path: &[Step], amount: i64) -> i64 {
        let room = |step: &Step| {
            let arc = self.arcs[step.arc as usize];
            if step.forward { arc.capacity - arc.flow } else { arc.flow }
        };
        let pushed = path.iter().map(room).fold(amount, i64::min);
        for step in path {
            self.arcs[step.arc as usize].flow += if step.forward { pushed } else { -pushed };
        }
        pushed
    }

    /// The smallest optimal potentials with the ground at 0: the negative distance from the ground in the residual
    /// network.
    fn smallest_potentials(&mut self) -> Vec<i64> {
        let [mut search, _] = std::mem::take(&mut self.searches);
        // A goal that does not exist: the search ends when all nodes are settled.
        search.begin(GROUND, u32::MAX);
        while !search.queue.is_empty() {
            self.advance(&mut search);
        }
        let ground = self.potential[GROUND as usize];
        let nodes = 1..self.potential.len();
        nodes.map(|node| self.potential[node] - ground - search.distance[node]).collect()
    }
}

impl Search {
    fn begin(&mut self, origin: u32, goal: u32) {
        self.goal = goal;
        self.reach(origin, 0, None);
    }

    fn reach(&mut self, node: u32, distance: i64, by: Option<Step>) {
        let known = self.distance[node as usize];
        if distance >= known {
            return;
        }
        if known == i64::MAX {
            self.seen.push(node);
        }
        self.distance[node as usize] = distance;
        self.arrived_by[node as usize] = by;
        self.queue.push(Reverse((distance, node.abs_diff(self.goal), node)));
    }

    /// Resets the search.
    fn clear(&mut self) {
        for node in self.seen.drain(..) {
            self.distance[node as usize] = i64::MAX;
            self.settled[node as usize] = false;
        }
        self.queue.clear();
    }
}
