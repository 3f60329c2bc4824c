//! Any text as a file of Kubernetes manifests.
#![no_main]

use libfuzzer_sys::fuzz_target;
use plimsoll::config::kubernetes::{Deployment, Manifests};
use plimsoll::config::{Diagnostics, SourceFile};
use plimsoll::policy::hpa::read_manifest;

fuzz_target!(|text: &str| {
    let mut sink = Diagnostics::new();
    if let Some(manifests) = Manifests::parse(&SourceFile::new("fuzz.yaml", text), &mut sink) {
        Deployment::all(&manifests, &mut sink);
        for object in &manifests.objects {
            read_manifest(object, &mut sink);
        }
    }
    let _ = sink.to_string();
});
