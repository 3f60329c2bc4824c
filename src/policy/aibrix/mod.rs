//! `aibrix`: the pod autoscaler of AIBrix, with its strategies APA and KPA.

pub mod algorithm;
