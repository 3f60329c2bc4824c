//! Any bytes as a trace: recognised by content, then read as every format in turn, whether it looks like it or not.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::workload::{FORMATS, TraceOptions, inspect};

fuzz_target!(|content: &[u8]| {
    let path = plimsoll_fuzz::file("trace", content);
    let _ = inspect(&path, &TraceOptions::default()).map_err(|error| error.to_string());
    for format in FORMATS {
        let options = TraceOptions { format: Some(format.name.into()), ..TraceOptions::default() };
        let _ = inspect(&path, &options).map_err(|error| error.to_string());
    }
});
