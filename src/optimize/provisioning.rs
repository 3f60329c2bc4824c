//! Multi-period provisioning: how many instances of several types to run in each interval to cover a demand series at
//! minimum cost.
//!
//! Sets: intervals t = 0..T-1, offers i, resources j. Data: demand D_jt [units of j], headroom h [share], capacity a_ij
//! [units of j per instance], prices per instance and interval c_i (on-demand), r_i (reserved), s_i (spot) [$], spot
//! loss kappa_i and maximum spot share sigma [share], start cost u_i and stop cost v_i [$ each], lead L_i and minimum
//! run M_i [intervals], initial instances x_i,-1, starts U and stops V in an interval, minimum and maximum number of
//! instances, reserved instances R^max_i, shortage price p_j [$ per unit of j and interval]. Variables, all
//! nonnegative: x_it on-demand instances ready in t, y_it of which became ready at its start (ordered at t - L_i), z_it
//! stopped at its start, R_i reserved, q_it spot, e_jt missing.
//!
//! ```text
//! min  sum_it [ c_i x_it + (u_i + c_i L_i) y_it + v_i z_it + s_i q_it ] + T sum_i r_i R_i + sum_jt p_j e_jt
//! (1)  x_it - x_i,t-1 - y_it + z_it = 0
//! (2)  y_it = 0                                                         t < L_i
//! (3)  x_it >= sum_{k = max(0, t-M_i+1)..t} y_ik
//! (4)  sum_i a_ij (x_it + R_i + (1 - kappa_i) q_it) + e_jt >= (1 + h) D_jt
//! (5)  sum_i a_i0 (1 - kappa_i) q_it <= sigma (1 + h) D_0t
//! (6)  sum_i y_it <= U,   sum_i z_it <= V
//! (7)  least <= sum_i (x_it + R_i + q_it) <= most,   R_i <= R^max_i
//! ```
//!
//! With one type, one resource, no commitment and no spot, the matrix is totally unimodular and [`super::one_type`]
//! solves the problem exactly and fast. Otherwise rows (4) are knapsacks: the linear program is a lower bound on the
//! integer one, which branch and bound solves within a time limit. Ties between plans of equal cost are broken by the
//! order of offers and intervals.

use super::error::{OptimizeError, Requirement, non_negative};
use super::offer::{Reserved, Spot};
use super::one_type::OneType;
use super::program::{Column, Program, Relation, Values};
use super::solver::SolveOptions;

/// An instance type that can be run.
#[derive(Debug, Clone, PartialEq)]
pub struct Offer {
    /// Name, for messages.
    pub name: String,
    /// Capacity of one instance, by resource.
    pub capacity: Vec<f64>,
    /// On-demand price of one instance for one interval.
    pub price: f64,
    /// Cost of a start, in addition to the price paid while starting.
    pub start_cost: f64,
    /// Cost of a stop.
    pub stop_cost: f64,
    /// Intervals from order to ready.
    pub lead: usize,
    /// Minimum number of intervals that a start is paid for, once ready.
    pub minimum_run: usize,
    /// Instances ready before the first interval.
    pub initial: u32,
    /// Reserved price, if offered.
    pub reserved: Option<Reserved>,
    /// Spot price, if offered.
    pub spot: Option<Spot>,
}

/// A provisioning problem over time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProvisioningProblem {
    /// The offers.
    pub offers: Vec<Offer>,
    /// Demand by resource and interval.
    pub demand: Vec<Vec<f64>>,
    /// Share by which capacity must exceed demand.
    pub headroom: f64,
    /// Whether demand is rounded up to whole instances: rows (4) are divided by the capacity and a shortage counts instances.
    /// Only for one offer and one resource.
    pub whole_demand: bool,
    /// Maximum number of starts in an interval.
    pub scale_up: Option<u32>,
    /// Maximum number of stops in an interval.
    pub scale_down: Option<u32>,
    /// Minimum number of instances.
    pub least: u32,
    /// Maximum number of instances.
    pub most: Option<u32>,
    /// Maximum share of the demand for resource 0 that spot capacity may provide; `None` for no limit.
    pub spot_share: Option<f64>,
    /// Price of a missing unit for one interval, by resource; `None` if nothing may be missing.
    pub shortage_price: Option<Vec<f64>>,
}

/// A plan over time: series by offer (or resource) and interval.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Plan {
    /// Its cost.
    pub cost: f64,
    /// Whether the cost is proven to be minimal (a time limit may end the search before).
    pub proven: bool,
    /// On-demand instances ready, by offer.
    pub ready: Vec<Vec<f64>>,
    /// Starts that become ready, by offer.
    pub starts: Vec<Vec<f64>>,
    /// Stops, by offer.
    pub stops: Vec<Vec<f64>>,
    /// Reserved instances, by offer.
    pub reserved: Vec<f64>,
    /// Spot instances, by offer.
    pub spot: Vec<Vec<f64>>,
    /// Shortage, by resource.
    pub shortage: Vec<Vec<f64>>,
}

/// The columns of one offer.
#[derive(Debug, Default)]
struct OfferColumns {
    ready: Vec<Column>,
    starts: Vec<Column>,
    stops: Vec<Column>,
    reserved: Option<Column>,
    spot: Vec<Column>,
}

impl OfferColumns {
    /// All instances in an interval, with the share of their capacity that counts.
    fn running(&self, t: usize, loss: f64) -> impl Iterator<Item = (Column, f64)> {
        let spot = self.spot.get(t).map(|column| (*column, 1.0 - loss));
        [Some((self.ready[t], 1.0)), self.reserved.map(|column| (column, 1.0)), spot].into_iter().flatten()
    }
}

impl ProvisioningProblem {
    /// The cheapest plan if fractions of instances can be run.
    ///
    /// # Errors
    /// Invalid input, or requirements that cannot be met.
    pub fn relaxed(&self, options: SolveOptions) -> Result<Plan, OptimizeError> {
        self.validate()?;
        match self.one_type() {
            Some(problem) => Ok(self.plan_of_one_type(problem.relaxed().map_err(|error| self.in_units(error))?)),
            None => self.solve(false, options),
        }
    }

    /// The cheapest plan in whole instances.
    ///
    /// # Errors
    /// Those of [`ProvisioningProblem::relaxed`], and if the time limit ends before a plan is found.
    pub fn whole(&self, options: SolveOptions) -> Result<Plan, OptimizeError> {
        self.validate()?;
        match self.one_type() {
            Some(problem) => Ok(self.plan_of_one_type(problem.whole().map_err(|error| self.in_units(error))?)),
            None => self.solve(true, options),
        }
    }

    /// The number of intervals.
    pub fn intervals(&self) -> usize {
        self.demand.first().map_or(0, Vec::len)
    }

    /// The equivalent problem for one instance type, if there is one.
    pub fn one_type(&self) -> Option<OneType> {
        let ([offer], [demand]) = (&self.offers[..], &self.demand[..]) else { return None };
        let capacity = *offer.capacity.first()?;
        if offer.reserved.is_some() || offer.spot.is_some() || capacity <= 0.0 {
            return None;
        }
        let needed = demand.iter().map(|demand| {
            let needed = (1.0 + self.headroom) * demand / capacity;
            if self.whole_demand { (needed - 1e-9).ceil() } else { needed }
        });
        let unit = if self.whole_demand { 1.0 } else { capacity };
        let shortage_price = self.shortage_price.as_ref().and_then(|prices| prices.first());
        Some(OneType {
            needed: needed.collect(),
            price: offer.price,
            start_cost: offer.start_cost,
            stop_cost: offer.stop_cost,
            lead: offer.lead,
            minimum_run: offer.minimum_run,
            initial: offer.initial,
            scale_up: self.scale_up,
            scale_down: self.scale_down,
            least: self.least,
            most: self.most,
            shortage_price: shortage_price.map(|price| price * unit),
        })
    }

    fn plan_of_one_type(&self, plan: super::OneTypePlan) -> Plan {
        let unit = if self.whole_demand { 1.0 } else { self.offers[0].capacity[0] };
        Plan {
            cost: plan.cost,
            proven: true,
            ready: vec![plan.ready],
            starts: vec![plan.starts],
            stops: vec![plan.stops],
            reserved: vec![0.0],
            spot: vec![vec![0.0; self.intervals()]],
            shortage: vec![plan.shortage.iter().map(|missing| missing * unit).collect()],
        }
    }

    /// Converts shortfalls of demand from instances to units of the resource, as reported for several types.
    fn in_units(&self, error: OptimizeError) -> OptimizeError {
        let OptimizeError::Infeasible(mut missed) = error else { return error };
        let capacity = if self.whole_demand { 1.0 } else { self.offers[0].capacity[0] };
        for shortfall in &mut missed {
            if matches!(shortfall.requirement, Requirement::Demand { .. }) {
                shortfall.amount *= capacity;
            }
        }
        OptimizeError::Infeasible(missed)
    }

    /// Solves by linear or integer programming, whatever the shape of the problem.
    ///
    /// # Errors
    /// Those of [`ProvisioningProblem::whole`].
    pub fn solve(&self, whole: bool, options: SolveOptions) -> Result<Plan, OptimizeError> {
        self.validate()?;
        let mut program = Program::default();
        let columns: Vec<OfferColumns> =
            self.offers.iter().map(|offer| self.columns(&mut program, offer, whole)).collect();
        for (place, (offer, of)) in self.offers.iter().zip(&columns).enumerate() {
            follow_in_time(&mut program, offer, of);
            run_for_minimum(&mut program, place, offer, of);
        }
        let missing = self.cover_demand(&mut program, &columns);
        for t in 0..self.intervals() {
            self.limit_spot(&mut program, &columns, t);
            self.limit_changes(&mut program, &columns, t);
            self.limit_instances(&mut program, &columns, t);
        }
        if !whole {
            return Ok(plan(&program, &columns, &missing, &program.solve(options)?));
        }
        self.cut(&mut program, &columns);
        let Ok(relaxed) = program.relaxed().solve(options) else {
            // The integer program tells which requirements cannot be met.
            return Ok(plan(&program, &columns, &missing, &program.solve(options)?));
        };
        if program.holds(&relaxed.values) {
            return Ok(plan(&program, &columns, &missing, &relaxed));
        }
        let first = self.rounded(&plan(&program, &columns, &missing, &relaxed));
        let start = values(&program, &columns, &missing, &first);
        Ok(plan(&program, &columns, &missing, &program.solve_from(Some(&start), options)?))
    }

    /// Adds the columns of an offer with their costs; rows (2) and the limit on reserved instances are column limits.
    /// Starts and stops of whole instances are integral by themselves, as differences.
    fn columns(&self, program: &mut Program, offer: &Offer, whole: bool) -> OfferColumns {
        let mut of = OfferColumns::default();
        let intervals = self.intervals();
        let start_price = offer.start_cost + offer.price * offer.lead as f64;
        of.reserved = offer.reserved.map(|way| program.column(way.price * intervals as f64, way.most(), whole));
        for t in 0..intervals {
            of.ready.push(program.column(offer.price, f64::INFINITY, whole));
            of.starts.push(program.column(start_price, if t < offer.lead { 0.0 } else { f64::INFINITY }, false));
            of.stops.push(program.column(offer.stop_cost, f64::INFINITY, false));
            of.spot.extend(offer.spot.map(|way| program.column(way.price, f64::INFINITY, whole)));
        }
        of
    }

    /// Rows (4); returns the shortage columns.
    fn cover_demand(&self, program: &mut Program, columns: &[OfferColumns]) -> Vec<Vec<Column>> {
        let mut missing = Vec::new();
        for (resource, demand) in self.demand.iter().enumerate() {
            let price = self.shortage_price.as_ref().map(|prices| prices[resource]);
            let mut of_resource = Vec::new();
            for (interval, demand) in demand.iter().enumerate() {
                let mut terms = Vec::new();
                let mut unit = 1.0;
                for (offer, of) in self.offers.iter().zip(columns) {
                    unit = if self.whole_demand { offer.capacity[resource] } else { 1.0 };
                    let capacity = offer.capacity[resource] / unit;
                    terms
                        .extend(of.running(interval, offer.loss()).map(|(column, counts)| (column, capacity * counts)));
                }
                if let Some(price) = price {
                    let short = program.column(price, f64::INFINITY, false);
                    terms.push((short, 1.0));
                    of_resource.push(short);
                }
                let needed = (1.0 + self.headroom) * demand / unit;
                let needed = if self.whole_demand { (needed - 1e-9).ceil() } else { needed };
                program.row(Requirement::Demand { resource, interval }, terms, Relation::AtLeast, needed);
            }
            missing.push(of_resource);
        }
        missing
    }

    /// Row (5).
    fn limit_spot(&self, program: &mut Program, columns: &[OfferColumns], t: usize) {
        let Some(share) = self.spot_share else { return };
        let term = |(offer, of): (&Offer, &OfferColumns)| {
            of.spot.get(t).map(|column| (*column, offer.capacity[0] * (1.0 - offer.loss())))
        };
        let terms: Vec<(Column, f64)> = self.offers.iter().zip(columns).filter_map(term).collect();
        if !terms.is_empty() {
            let most = share * (1.0 + self.headroom) * self.demand[0][t];
            program.row(Requirement::SpotShare { interval: t }, terms, Relation::AtMost, most);
        }
    }

    /// Rows (6).
    fn limit_changes(&self, program: &mut Program, columns: &[OfferColumns], t: usize) {
        if let Some(most) = self.scale_up {
            let terms = columns.iter().map(|of| (of.starts[t], 1.0)).collect();
            program.row(Requirement::ScaleUp { interval: t }, terms, Relation::AtMost, f64::from(most));
        }
        if let Some(most) = self.scale_down {
            let terms = columns.iter().map(|of| (of.stops[t], 1.0)).collect();
            program.row(Requirement::ScaleDown { interval: t }, terms, Relation::AtMost, f64::from(most));
        }
    }

    /// Rows (7).
    fn limit_instances(&self, program: &mut Program, columns: &[OfferColumns], t: usize) {
        let instances = || columns.iter().flat_map(|of| of.running(t, 0.0)).collect::<Vec<_>>();
        if self.least > 0 {
            let least = f64::from(self.least);
            program.row(Requirement::Least { interval: t }, instances(), Relation::AtLeast, least);
        }
        if let Some(most) = self.most {
            program.row(Requirement::Most { interval: t }, instances(), Relation::AtMost, f64::from(most));
        }
    }

    fn validate(&self) -> Result<(), OptimizeError> {
        let invalid = |what: String| Err(OptimizeError::Invalid(what));
        if self.intervals() == 0 || self.offers.is_empty() {
            return invalid("there is no demand, or no offer".into());
        }
        if self.demand.iter().any(|series| series.len() != self.intervals()) {
            return invalid("the demands of different resources differ in length".into());
        }
        if self.whole_demand && (self.offers.len() > 1 || self.demand.len() > 1 || self.offers[0].capacity[..] == [0.0])
        {
            return invalid(
                "demand can be counted in instances only with a single offer that has capacity, and a single resource"
                    .into(),
            );
        }
        self.demand.iter().flatten().try_for_each(|demand| non_negative("a demand", *demand))?;
        non_negative("the headroom", self.headroom)?;
        non_negative("the spot share", self.spot_share.unwrap_or(0.0))?;
        if let Some(prices) = &self.shortage_price {
            if prices.len() != self.demand.len() {
                return invalid("there must be one shortage price per resource".into());
            }
            prices.iter().try_for_each(|price| non_negative("a shortage price", *price))?;
        }
        self.offers.iter().try_for_each(|offer| offer.validate(self.demand.len()))
    }
}

impl Offer {
    fn loss(&self) -> f64 {
        self.spot.map_or(0.0, |spot| spot.loss)
    }

    fn validate(&self, resources: usize) -> Result<(), OptimizeError> {
        if self.capacity.len() != resources {
            return Err(OptimizeError::Invalid(format!("{} does not state a capacity for each resource", self.name)));
        }
        self.capacity.iter().try_for_each(|capacity| non_negative("a capacity", *capacity))?;
        non_negative("a price", self.price)?;
        non_negative("a start cost", self.start_cost)?;
        non_negative("a stop cost", self.stop_cost)?;
        self.reserved.iter().try_for_each(Reserved::validate)?;
        self.spot.iter().try_for_each(Spot::validate)
    }
}

/// Converts column values to a plan.
fn plan(program: &Program, columns: &[OfferColumns], missing: &[Vec<Column>], solved: &Values) -> Plan {
    let series = |columns: &[Column]| columns.iter().map(|column| solved.values[*column]).collect::<Vec<f64>>();
    Plan {
        cost: program.cost(&solved.values),
        proven: solved.proven,
        ready: columns.iter().map(|of| series(&of.ready)).collect(),
        starts: columns.iter().map(|of| series(&of.starts)).collect(),
        stops: columns.iter().map(|of| series(&of.stops)).collect(),
        reserved: columns.iter().map(|of| of.reserved.map_or(0.0, |column| solved.values[column])).collect(),
        spot: columns.iter().map(|of| series(&of.spot)).collect(),
        shortage: missing.iter().map(|of| series(of)).collect(),
    }
}

/// Converts a plan to column values.
fn values(program: &Program, columns: &[OfferColumns], missing: &[Vec<Column>], plan: &Plan) -> Vec<f64> {
    let mut values = vec![0.0; program.size()];
    let mut put = |columns: &[Column], series: &[f64]| {
        columns.iter().zip(series).for_each(|(column, value)| values[*column] = *value);
    };
    for (place, of) in columns.iter().enumerate() {
        put(&of.ready, &plan.ready[place]);
        put(&of.starts, &plan.starts[place]);
        put(&of.stops, &plan.stops[place]);
        put(&of.spot, &plan.spot[place]);
        put(of.reserved.as_slice(), &plan.reserved[place..=place]);
    }
    missing.iter().zip(&plan.shortage).for_each(|(columns, series)| put(columns, series));
    values
}

/// Rows (1).
fn follow_in_time(program: &mut Program, offer: &Offer, of: &OfferColumns) {
    for t in 0..of.ready.len() {
        let mut terms = vec![(of.ready[t], 1.0), (of.starts[t], -1.0), (of.stops[t], 1.0)];
        terms.extend(t.checked_sub(1).map(|before| (of.ready[before], -1.0)));
        let initial = if t == 0 { f64::from(offer.initial) } else { 0.0 };
        program.row(Requirement::Identity, terms, Relation::Equal, initial);
    }
}

/// Rows (3). A run of one interval needs no row.
fn run_for_minimum(program: &mut Program, place: usize, offer: &Offer, of: &OfferColumns) {
    if offer.minimum_run <= 1 {
        return;
    }
    for t in 0..of.ready.len() {
        let first = (t + 1).saturating_sub(offer.minimum_run);
        let mut terms = vec![(of.ready[t], 1.0)];
        terms.extend(of.starts[first..=t].iter().map(|start| (*start, -1.0)));
        program.row(Requirement::MinimumRun { offer: place, interval: t }, terms, Relation::AtLeast, 0.0);
    }
}

mod cuts;
mod rounding;
