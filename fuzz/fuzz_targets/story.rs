//! Any text as a story: errors with a place, or a story that is told without a panic.
#![no_main]

use std::path::Path;

use libfuzzer_sys::fuzz_target;
use plimsoll::config::{Diagnostics, SourceFile};
use plimsoll::experiment::Story;

fuzz_target!(|text: &str| {
    let mut sink = Diagnostics::new();
    let story = Story::parse(&SourceFile::new("story.yaml", text), Path::new("."), &[], &mut sink);
    assert_eq!(story.is_none(), sink.has_errors(), "{sink}");
    let _ = sink.to_string();
    // Long stories are lawful and would only hold up the search.
    if let Some(story) = story.filter(|story| story.decisions().is_some_and(|count| count < 500)) {
        let _ = story.tell().map_err(|diagnostic| diagnostic.to_string());
    }
});
