//! Instances of the reference files.

use plimsoll::optimize::{Offer, ProvisioningProblem, Reserved, Spot};
use serde_json::Value;

pub(crate) fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or_else(|| panic!("{value} is not a number"))
}

pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap_or_else(|| panic!("{value} is not a list")).iter().map(number).collect()
}

pub(crate) fn types(instance: &Value) -> impl Iterator<Item = &Value> {
    instance["types"].as_array().unwrap_or_else(|| panic!("no types")).iter()
}

pub(crate) fn name(of: &Value) -> String {
    of["name"].as_str().unwrap_or_else(|| panic!("no name")).to_string()
}

pub(crate) fn whole_number(value: &Value) -> usize {
    value.as_u64().unwrap_or_else(|| panic!("{value} is not a whole number")) as usize
}

fn limit(value: &Value) -> Option<u32> {
    (!value.is_null()).then(|| whole_number(value) as u32)
}

fn offer(of: &Value) -> Offer {
    let price = |key: &str| of.get(key).map(number);
    Offer {
        name: name(of),
        capacity: numbers(&of["cap"]),
        price: number(&of["price"]),
        start_cost: number(&of["start_cost"]),
        stop_cost: number(&of["stop_cost"]),
        lead: whole_number(&of["lead"]),
        minimum_run: whole_number(&of["min_run"]),
        initial: whole_number(&of["x0"]) as u32,
        reserved: price("reserved_price").map(|price| Reserved { price, most: limit(&of["reserved_max"]) }),
        spot: price("spot_price").map(|price| Spot { price, loss: number(&of["spot_loss"]) }),
    }
}

/// A problem over time.
pub(crate) fn provisioning(instance: &Value) -> ProvisioningProblem {
    let demand = instance["demand"].as_array().unwrap_or_else(|| panic!("no demand"));
    ProvisioningProblem {
        offers: types(instance).map(offer).collect(),
        demand: demand.iter().map(numbers).collect(),
        headroom: number(&instance["headroom"]),
        whole_demand: instance["round_demand"] == true,
        scale_up: limit(&instance["rate_up"]),
        scale_down: limit(&instance["rate_down"]),
        least: limit(&instance["n_min"]).unwrap_or(0),
        most: limit(&instance["n_max"]),
        spot_share: instance.get("spot_share").map(number),
        shortage_price: instance.get("shortage_price").map(numbers),
    }
}
