//! Traces in, requests out.

mod files;
mod readers;
mod shipped;
mod streams;
pub mod traces;
