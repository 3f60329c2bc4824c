//! Agones: rows of its tests and cases worked out from its rules.

use jiff::{SignedDuration, Timestamp};
use plimsoll::policy::agones::schedule::Schedule;
use plimsoll::policy::agones::sizes::{Buffer, Counted, CounterPolicy, Fleet, Sized, by_buffer, by_counter};
use plimsoll::policy::cron;
use serde_json::{Value, json};

use super::{Actual, integer, list};

pub fn run(kind: &str, input: &Value) -> Actual {
    Ok(match kind {
        "buffer" => {
            let (min, max) = (integer(input, "min_replicas"), integer(input, "max_replicas"));
            sized(by_buffer(integer(input, "allocated"), buffer(&input["buffer"])?, min, max))
        }
        "counter" | "list" => counter(input)?,
        "schedule_active" => json!({ "active": schedule(input)?.is_active(time(&input["now"])?.ok_or("no time")?) }),
        _ => return Err(format!("unknown kind `{kind}`")),
    })
}

fn sized(sized: Sized) -> Value {
    json!({ "replicas": sized.replicas, "limited": sized.limited })
}

fn buffer(value: &Value) -> Result<Buffer, String> {
    if let Some(number) = value.as_i64() {
        return Ok(Buffer::Number(number));
    }
    let percent = value.as_str().and_then(|text| text.strip_suffix('%')).and_then(|number| number.parse().ok());
    percent.map(Buffer::Percent).ok_or(format!("{value} is no buffer"))
}

fn counter(input: &Value) -> Actual {
    // A key that the fleet does not know is an error before anything is computed.
    if input["known_in_template"] == false || input["known_in_status"] == false {
        return Ok(json!({ "error": true }));
    }
    let counted = |of: &Value| Counted { count: integer(of, "count"), capacity: integer(of, "capacity") };
    let fleet = Fleet {
        replicas: integer(input, "replicas"),
        template: counted(&input["template"]),
        total: counted(&input["status"]),
        allocated_count: input["status"]["allocated_count"].as_i64().unwrap_or(0),
        deletion_order: list(input, "deletion_order").iter().map(counted).collect(),
    };
    let of = &input["policy"];
    let policy = CounterPolicy {
        buffer: buffer(&of["buffer"])?,
        min_capacity: integer(of, "min_capacity"),
        max_capacity: integer(of, "max_capacity"),
    };
    Ok(by_counter(&fleet, &policy).map_or(json!({ "error": true }), sized))
}

fn time(value: &Value) -> Result<Option<Timestamp>, String> {
    value.as_str().map(|text| text.parse().map_err(|e| format!("{text}: {e}"))).transpose()
}

fn schedule(input: &Value) -> Result<Schedule, String> {
    let text = |name: &str| input[name].as_str().filter(|text| !text.is_empty());
    let cron = |text: &str| cron::Schedule::parse(text);
    let duration = |text: &str| text.parse::<SignedDuration>().map_err(|e| format!("{text}: {e}"));
    Ok(Schedule {
        start: time(&input["start"])?,
        end: time(&input["end"])?,
        start_cron: text("start_cron").map(cron).transpose()?,
        timezone: text("timezone").unwrap_or_default().into(),
        duration: text("duration").map(duration).transpose()?,
    })
}
