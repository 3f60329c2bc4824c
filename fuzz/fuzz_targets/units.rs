//! Any text as a quantity of every unit; what is read must read back from how it is shown.
#![no_main]

use std::fmt::{Debug, Display};
use std::str::FromStr;

use libfuzzer_sys::fuzz_target;
use plimsoll::units::{
    Bytes, Fraction, Millicores, Quantity, Rate, SimDuration, UnitError, Usd, UsdPerHour, Utilization,
};
use plimsoll::workload::parse_instant;

/// Exact types are read back exactly, as far as binary64 counts (2^53: nine petabytes, a hundred days in nanoseconds).
fn exact<T: FromStr<Err = UnitError> + Display + Debug + PartialEq>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let shown = value.to_string();
        if shown.bytes().filter(u8::is_ascii_digit).count() > 15 {
            return;
        }
        assert_eq!(shown.parse::<T>().as_ref(), Ok(&value), "`{text}` is shown as `{shown}`");
    }
}

/// Types that are shown rounded only have to be readable.
fn readable<T: FromStr<Err = UnitError> + Display>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let shown = value.to_string();
        assert!(shown.parse::<T>().is_ok(), "`{text}` is shown as `{shown}`");
    }
}

fuzz_target!(|text: &str| {
    exact::<SimDuration>(text);
    exact::<Millicores>(text);
    exact::<Bytes>(text);
    exact::<Quantity>(text);
    readable::<Usd>(text);
    readable::<UsdPerHour>(text);
    readable::<Rate>(text);
    readable::<Fraction>(text);
    readable::<Utilization>(text);
    let _ = parse_instant(text);
});
