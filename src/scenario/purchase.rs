//! Ways of purchase: `purchase: spot`, `purchase: reserved-3y`, `purchase: { reserved-1y: 4 }`.

use super::price::{PriceFact, Sources, found};
use crate::billing::Reservation;
use crate::catalog::{InstanceType, Purchase};
use crate::config::{Diagnostics, Fields, FromNode, Value, Yaml, not_one_of};
use crate::units::UsdPerHour;

/// The most instances committed to.
const MOST: u32 = 100_000;

/// How an instance type is bought.
#[derive(Clone, Copy)]
pub(super) struct Buying<'a> {
    /// The field; `None` for on demand.
    pub purchase: Option<&'a Yaml>,
    /// What it says; `None` if that is a mistake, which was reported.
    stated: Option<Stated>,
}

impl<'a> Buying<'a> {
    /// Reads `purchase:`. There are `first` instances at the start, which a commitment without a number is for.
    pub(super) fn read(fields: &Fields<'a>, first: u32, sink: &mut Diagnostics) -> Buying<'a> {
        let purchase = fields.node_of("purchase");
        let on_demand = Stated { purchase: Purchase::OnDemand, count: 0, price: None };
        let stated = purchase.map_or(Some(on_demand), |node| Stated::read(node, first, sink));
        Buying { purchase, stated }
    }

    /// Reports a commitment to shares of instances.
    pub(super) fn check_share(&self, sink: &mut Diagnostics) {
        if let (Some(node), Some(Stated { purchase: Purchase::Reserved1y | Purchase::Reserved3y, .. })) =
            (self.purchase, self.stated)
        {
            let error = node.error("a share of an instance cannot be committed to");
            sink.push(error.help("write `instance:`, or state the price of a replica: `per-replica: $0.05/h`"));
        }
    }
}

/// Looks up the price of the stated way of purchase. Returns the instance type at that price, and the name of the lease on the bill. A
/// commitment is noted in the contract; what it does not cover is leased on demand.
pub(super) fn buy(
    instance: InstanceType,
    what: String,
    buying: Buying<'_>,
    sources: &mut Sources,
    sink: &mut Diagnostics,
) -> Option<(InstanceType, String)> {
    let fact = |what: &str, of: &InstanceType| PriceFact::new(what, of.provider, &of.region, &of.price_source);
    let stated = buying.stated?;
    let node = buying.purchase;
    let priced = |sink: &mut Diagnostics| {
        let (price, source) = match stated.price {
            Some(price) => (price, Default::default()),
            None => found(sources.list.purchased(&instance, stated.purchase), node?, sink)?,
        };
        Some(InstanceType { price, price_source: source, ..instance.clone() })
    };
    match stated.purchase {
        Purchase::OnDemand => {
            sources.facts.push(fact(&what, &instance));
            Some((instance, what))
        }
        Purchase::Spot => {
            let (instance, what) = (priced(sink)?, format!("{what}, spot"));
            sources.facts.extend(stated.price.is_none().then(|| fact(&what, &instance)));
            sources.spot.push(what.clone());
            Some((instance, what))
        }
        Purchase::Reserved1y | Purchase::Reserved3y => {
            let at = priced(sink)?;
            let name = format!("{what}, {}", stated.purchase);
            sources.facts.extend(stated.price.is_none().then(|| fact(&name, &at)));
            sources.facts.push(fact(&what, &instance));
            let reservation = Reservation { of: what.clone(), what: name, count: stated.count, price: at.price };
            sources.contract.reserved.push(reservation);
            Some((instance, what))
        }
    }
}

/// A way of purchase as stated.
#[derive(Clone, Copy)]
struct Stated {
    purchase: Purchase,
    /// How many are committed to.
    count: u32,
    /// The price, if it is stated.
    price: Option<UsdPerHour>,
}

impl Stated {
    fn read(node: &Yaml, first: u32, sink: &mut Diagnostics) -> Option<Stated> {
        let stated = match &node.value {
            Value::Mapping(_) => Stated::mapping(node, sink)?,
            _ => Stated { purchase: named(node, sink)?, count: first, price: None },
        };
        if stated.purchase.years() == 0 {
            return Some(stated);
        }
        if stated.count == 0 {
            let error = node.error("how many instances are committed to is not stated");
            sink.push(error.help(format!("write `purchase: {{ {}: 4 }}`", stated.purchase)));
            return None;
        }
        Some(stated)
    }

    fn mapping(node: &Yaml, sink: &mut Diagnostics) -> Option<Stated> {
        let fields = Fields::open(node, "purchase", sink)?;
        let price: Option<UsdPerHour> = fields.optional("price", sink);
        let commitments =
            [Purchase::Reserved1y, Purchase::Reserved3y].map(|purchase| (purchase, fields.node_of(purchase.name())));
        let spot = fields.node_of(Purchase::Spot.name());
        fields.finish(sink);
        let given: Vec<_> = commitments.into_iter().filter_map(|(purchase, node)| Some((purchase, node?))).collect();
        match (given.as_slice(), spot) {
            ([(purchase, node)], None) => {
                let count = u32::from_node(node, sink)?;
                if !(1..=MOST).contains(&count) {
                    sink.push(node.error(format!("the number of instances committed to must be from 1 to {MOST}")));
                    return None;
                }
                Some(Stated { purchase: *purchase, count, price })
            }
            ([], Some(spot)) if price.is_none() => {
                let price = UsdPerHour::from_node(spot, sink)?;
                Some(Stated { purchase: Purchase::Spot, count: 0, price: Some(price) })
            }
            _ => {
                let error = node.error("a purchase is one of `spot`, `reserved-1y` and `reserved-3y`");
                sink.push(
                    error.help(
                        "write `purchase: spot`, `purchase: { spot: $0.03/h }` or `purchase: { reserved-1y: 4 }`",
                    ),
                );
                None
            }
        }
    }
}

fn named(node: &Yaml, sink: &mut Diagnostics) -> Option<Purchase> {
    let text = node.as_text().unwrap_or("");
    let found = Purchase::ALL.into_iter().find(|purchase| purchase.name() == text);
    if found.is_none() {
        sink.push(not_one_of(node, text, "a way of purchase", &Purchase::ALL.map(Purchase::name)));
    }
    found
}
