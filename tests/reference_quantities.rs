//! Kubernetes quantities compared with recordings of the official Python client's parser
//! (`tests/reference/quantities`), which is more lenient than the API server: a text is valid if that parser accepts it
//! *and* the documented grammar does.

use std::cell::Cell;

use plimsoll::units::{Bytes, Millicores, Quantity};
use serde_json::Value;

use crate::support::prove;

/// A nonnegative decimal number times 10^`decimals`, rounded up; `None` beyond 2^64. Digit by digit.
fn rounded_up(text: &str, decimals: usize) -> Option<u64> {
    let (mantissa, exponent) = text.split_once('E').unwrap_or((text, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let point = whole.len() as i64 + exponent.parse::<i64>().unwrap() + decimals as i64;
    let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|digit| digit - b'0').collect();
    let mut value: u128 = 0;
    for place in 0..point.max(0) {
        value = value * 10 + u128::from(digits.get(place as usize).copied().unwrap_or(0));
        if value > u128::from(u64::MAX) {
            return None;
        }
    }
    let rest = digits.iter().skip(point.max(0) as usize).any(|digit| *digit != 0);
    u64::try_from(value + u128::from(rest)).ok()
}

/// How a text is read.
enum Read {
    Refused,
    Negative,
    /// Whether it is below 2^64 thousandths.
    Taken(bool),
}

#[test]
fn quantities_are_read_as_recorded() {
    let [taken, refused, negative, huge] = [0; 4].map(Cell::new);
    let more = |count: &Cell<u32>| count.set(count.get() + 1);
    prove("quantities", |_, _, case| {
        match read(case)? {
            Read::Refused => more(&refused),
            Read::Negative => more(&negative),
            Read::Taken(fits) => {
                more(&taken);
                huge.set(huge.get() + u32::from(!fits));
            }
        }
        Ok(())
    });
    let [taken, refused, negative, huge] = [taken, refused, negative, huge].map(Cell::into_inner);
    assert!(taken > 150 && refused > 100 && negative > 10 && huge > 5, "{taken}, {refused}, {negative}, {huge}");
}

/// Compares one text; what is read wrongly is an error or a panic.
fn read(case: &Value) -> Result<Read, String> {
    if case["kind"] != "parse_quantity" {
        return Err(format!("unknown kind {}", case["kind"]));
    }
    let text = case["input"]["text"].as_str().ok_or("no text")?;
    let right = case["expected"]["valid"] == true && case["kubernetes_grammar"] == true;
    let (cpu, memory) = (text.parse::<Millicores>().ok(), text.parse::<Bytes>().ok());
    if !right {
        assert_eq!((cpu, memory, text.parse::<Quantity>().ok()), (None, None, None), "`{text}` is no quantity");
        return Ok(Read::Refused);
    }
    let value = case["expected"]["value"].as_str().ok_or("no value")?;
    if value.starts_with('-') && value != "-0" {
        // The API server rejects negative requests.
        assert_eq!((cpu, memory), (None, None), "`{text}` is negative");
        return Ok(Read::Negative);
    }
    let value = value.trim_start_matches('-');
    let (millis, bytes) = (rounded_up(value, 3), rounded_up(value, 0));
    assert_eq!(cpu.map(Millicores::get), millis, "`{text}` in thousandths");
    assert_eq!(memory.map(Bytes::get), bytes, "`{text}` in whole units");
    let small = millis.and_then(|millis| i64::try_from(millis).ok());
    assert_eq!(text.parse::<Quantity>().ok().map(Quantity::millis), small, "`{text}` as a metric");
    Ok(Read::Taken(millis.is_some()))
}
