//! Any text as a template of functions: YAML or JSON, and the same as Bicep.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::catalog::function_rules;
use plimsoll::config::functions::read_functions;
use plimsoll::config::{Diagnostics, SourceFile};

fuzz_target!(|text: &str| {
    for name in ["fuzz.yaml", "fuzz.bicep"] {
        let mut sink = Diagnostics::new();
        read_functions(&[SourceFile::new(name, text)], function_rules(), &mut sink);
        let _ = sink.to_string();
    }
});
