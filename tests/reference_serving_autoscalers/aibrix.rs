//! AIBrix: rows of its tests and cases worked out from its rules.

use plimsoll::policy::aibrix::algorithm::{Limits, Proposed, Windows, apa, cooled_down, kpa};
use serde_json::{Value, json};

use super::{Actual, integer, list, number};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "apa" => {
            let (current, used) = (integer(input, "current"), number(input, "use_per_pod"));
            json!({ "replicas": apa(current, used, number(input, "target"), &limits(input)) })
        }
        "kpa" => {
            let windows = Windows {
                stable: number(input, "stable"),
                panic: number(input, "panic"),
                target: number(input, "target"),
            };
            let mut peak = integer(input, "max_panic_pods");
            let peak = (input["in_panic"] == true).then_some(&mut peak);
            let activation = integer(input, "activation_scale");
            json!({ "replicas": kpa(integer(input, "current"), &windows, peak, activation, &limits(input)) })
        }
        "panic" => {
            let windows = Windows { stable: number(input, "stable"), panic: number(input, "panic"), target: 1.0 };
            json!({ "panic": windows.is_panic(number(input, "threshold")) })
        }
        "stabilize" => {
            let proposed =
                |past: &Value| Proposed { time_s: number(past, "time_s"), replicas: integer(past, "replicas") };
            let history: Vec<Proposed> = list(input, "history").iter().map(proposed).collect();
            let (now, proposal) = (number(input, "now_s"), integer(input, "proposal"));
            let windows = (number(input, "up_window_s"), number(input, "down_window_s"));
            let current = integer(input, "current");
            json!({ "replicas": cooled_down(&history, now, proposal, current, windows.0, windows.1) })
        }
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn limits(input: &Value) -> Limits {
    Limits {
        up_tolerance: number(input, "up_tolerance"),
        down_tolerance: number(input, "down_tolerance"),
        max_scale_up_rate: number(input, "max_scale_up_rate"),
        max_scale_down_rate: number(input, "max_scale_down_rate"),
    }
}
