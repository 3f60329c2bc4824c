//! Traces in, requests out.

mod files;
mod shipped;
mod streams;
mod traces;
