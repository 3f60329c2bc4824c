//! Temporary.
#![allow(missing_docs)]
use crate::{catalog::Billing, units::*};
#[derive(Debug, Default)]
pub struct LeaseBook(Vec<Settled>);
#[derive(Debug, Clone)]
pub struct Settled {
    pub what: String,
    pub start: SimTime,
    pub end: SimTime,
    pub billed: SimDuration,
    pub price: UsdPerHour,
    pub cost: Usd,
}
impl LeaseBook {
    pub fn open(&mut self, what: &str, start: SimTime, price: UsdPerHour, _b: Billing) -> usize {
        self.0.push(Settled {
            what: what.into(),
            start,
            end: SimTime::MAX,
            billed: SimDuration::ZERO,
            price,
            cost: Usd::ZERO,
        });
        self.0.len() - 1
    }
    pub fn close(&mut self, id: usize, end: SimTime) {
        self.0[id].end = end;
    }
    pub fn settle(&mut self, end: SimTime) -> Vec<Settled> {
        self.0
            .iter()
            .cloned()
            .map(|mut l| {
                l.end = l.end.min(end);
                l.billed = l.end.since(l.start);
                l.cost = l.price.over(l.billed);
                l
            })
            .collect()
    }
}
