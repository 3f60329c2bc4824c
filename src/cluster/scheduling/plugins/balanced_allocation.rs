//! NodeResourcesBalancedAllocation: resources are taken to similar shares.

use crate::cluster::scheduling::plugin::{Context, MAX_SCORE, Part, Plugin, Score};
use crate::cluster::scheduling::pod::Kind;
use crate::cluster::scheduling::profile::Profile;
use crate::cluster::scheduling::requests::{CPU, EPHEMERAL_STORAGE, MEMORY};
use crate::cluster::scheduling::state::NodeState;

/// The plug-in (kubernetes `noderesources/balanced_allocation.go`; by what the pod changes: kubernetes#135573).
pub struct NodeResourcesBalancedAllocation;

impl Plugin for NodeResourcesBalancedAllocation {
    fn name(&self) -> &'static str {
        "NodeResourcesBalancedAllocation"
    }

    fn weight(&self) -> i64 {
        1
    }

    fn score<'a>(&self, context: Context<'a>, _: &[&'a NodeState]) -> Part<Box<dyn Score + 'a>> {
        let (incoming, profile) = (context.incoming, context.profile);
        match profile.balanced_resources.iter().any(|resource| incoming.reserved.of(&resource.name) != 0) {
            true => Part::Takes(Box::new(Balance { incoming, profile })),
            false => Part::Skipped,
        }
    }
}

struct Balance<'a> {
    incoming: &'a Kind,
    profile: &'a Profile,
}

impl Balance<'_> {
    /// One hundred less the standard deviation of the shares taken, with or without the incoming pod.
    fn score(&self, node: &NodeState, with: bool) -> i64 {
        // Room for all resources without an allocation, in the usual case.
        let mut shares = [0.0; 8];
        let mut count = 0;
        for resource in self.profile.balanced_resources.iter() {
            let (has, asked) = (node.allocatable.of(&resource.name), self.incoming.reserved.of(&resource.name));
            let always = [CPU, MEMORY, EPHEMERAL_STORAGE].contains(&resource.name.as_str());
            if has == 0 || (asked == 0 && !always) || count == shares.len() {
                continue;
            }
            let taken = node.load.taken().of(&resource.name) + if with { asked } else { 0 };
            shares[count] = (taken as f64 / has as f64).min(1.0);
            count += 1;
        }
        ((1.0 - deviation(&shares[..count])) * MAX_SCORE as f64) as i64
    }
}

impl Score for Balance<'_> {
    fn raw(&self, node: &NodeState) -> i64 {
        let with = self.score(node, true);
        match self.profile.balance_by_change {
            false => with,
            true => MAX_SCORE / 2 + (MAX_SCORE / 2 + with - self.score(node, false)) / 2,
        }
    }
}

/// The population standard deviation.
fn deviation(shares: &[f64]) -> f64 {
    match shares {
        [] | [_] => 0.0,
        [a, b] => (a - b).abs() / 2.0,
        _ => {
            let count = shares.len() as f64;
            let mean = shares.iter().sum::<f64>() / count;
            (shares.iter().map(|share| (share - mean) * (share - mean)).sum::<f64>() / count).sqrt()
        }
    }
}
