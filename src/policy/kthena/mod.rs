//! `kthena`: the autoscaler of Volcano's kthena.

pub mod algorithm;
