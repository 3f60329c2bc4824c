//! A scenario with the reader's defaults.

use std::path::PathBuf;
use std::sync::Arc;

use super::{Scenario, ScenarioSource, ServicePlan, Variant};
use crate::cluster::PLACEMENTS;
use crate::config::kubernetes::Release;
use crate::engine::{LostNodes, MetricsSpec, REFERENCE_UTILIZATION};
use crate::units::SimDuration;

impl Scenario {
    /// A scenario of `services` under each of `policies`, with the reader's defaults: seed 1, statistics from the start
    /// in intervals of a minute, no objectives, nodes, zones or faults.
    #[doc(hidden)]
    pub fn new(
        name: impl Into<String>,
        duration: SimDuration,
        services: Vec<ServicePlan>,
        policies: Vec<Variant>,
    ) -> Scenario {
        let name = name.into();
        Scenario {
            title: name.clone(),
            path: PathBuf::from(format!("{name}.yaml")),
            origin: ScenarioSource::file(format!("{name}.yaml")),
            name,
            description: String::new(),
            seed: 1,
            duration,
            warm_up: SimDuration::ZERO,
            finds_warm_up: false,
            time_zone: None,
            interval: SimDuration::from_secs(60),
            services,
            pools: Vec::new(),
            node_leases: Vec::new(),
            node_policies: Vec::new(),
            zones: Vec::new(),
            outages: Vec::new(),
            moments: Vec::new(),
            lost_nodes: LostNodes::default(),
            placement: &PLACEMENTS[0],
            kubernetes: Release::default(),
            metrics: MetricsSpec::default(),
            objectives: Vec::new(),
            reference_utilization: REFERENCE_UTILIZATION,
            expect: Vec::new(),
            policies,
            sources: Vec::new(),
            prices: Vec::new(),
            contract: Default::default(),
            price_list: Arc::default(),
        }
    }
}
