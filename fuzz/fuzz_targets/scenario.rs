//! Any bytes as a scenario: errors with a place, or a scenario; shown either way, since showing must not panic either.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::config::Diagnostics;
use plimsoll::scenario::Scenario;

fuzz_target!(|content: &[u8]| {
    let path = plimsoll_fuzz::file("scenario.yaml", content);
    let mut sink = Diagnostics::new();
    let scenario = Scenario::read(&path, &[], &mut sink);
    assert_eq!(scenario.is_none(), sink.has_errors(), "{sink}");
    let _ = sink.to_string();
});
