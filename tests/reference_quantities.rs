//! Kubernetes quantities compared with recordings of the official Python client's parser
//! (`tests/reference/quantities`), which is more lenient than the API server: a text is valid if that parser accepts it
//! *and* the documented grammar does.

use plimsoll::units::{Bytes, Millicores, Quantity};
use serde_json::Value;

use crate::support::reference_files;

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

#[test]
fn quantities_are_read_as_recorded() {
    let (mut taken, mut refused, mut negative, mut huge) = (0, 0, 0, 0);
    let files = reference_files("quantities").into_iter().map(|path| std::fs::read_to_string(path).unwrap());
    let cases =
        files.flat_map(|text| serde_json::from_str::<Value>(&text).unwrap()["cases"].as_array().unwrap().clone());
    for case in cases {
        let text = case["input"]["text"].as_str().unwrap();
        let right = case["expected"]["valid"] == true && case["kubernetes_grammar"] == true;
        let (cpu, memory) = (text.parse::<Millicores>().ok(), text.parse::<Bytes>().ok());
        if !right {
            refused += 1;
            assert_eq!((cpu, memory, text.parse::<Quantity>().ok()), (None, None, None), "`{text}` is no quantity");
            continue;
        }
        let value = case["expected"]["value"].as_str().unwrap();
        if value.starts_with('-') && value != "-0" {
            // The API server rejects negative requests.
            negative += 1;
            assert_eq!((cpu, memory), (None, None), "`{text}` is negative");
            continue;
        }
        let value = value.trim_start_matches('-');
        let (millis, bytes) = (rounded_up(value, 3), rounded_up(value, 0));
        huge += u32::from(millis.is_none());
        taken += 1;
        assert_eq!(cpu.map(Millicores::get), millis, "`{text}` in thousandths");
        assert_eq!(memory.map(Bytes::get), bytes, "`{text}` in whole units");
        let small = millis.and_then(|millis| i64::try_from(millis).ok());
        assert_eq!(text.parse::<Quantity>().ok().map(Quantity::millis), small, "`{text}` as a metric");
    }
    assert!(taken > 150 && refused > 100 && negative > 10 && huge > 5, "{taken}, {refused}, {negative}, {huge}");
}
