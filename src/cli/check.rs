//! `plimsoll check`.

use clap::Args;

use super::test::is_story;
use super::{Failure, ScenarioArguments, remark, say, shown};
use crate::config::Diagnostics;
use crate::engine::scenario::Scenario;
use crate::experiment::{Story, expectations};

/// Arguments of `check`.
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  plimsoll check scenarios/*.yaml")]
pub(super) struct CheckArguments {
    #[command(flatten)]
    input: ScenarioArguments,
}

pub(super) fn check(arguments: &CheckArguments) -> Result<(), Failure> {
    let mut failed = false;
    for path in &arguments.input.scenarios {
        let mut found = Diagnostics::new();
        if is_story(path) {
            let story = Story::read(path, &[], &mut found);
            if !found.is_empty() {
                remark(&shown(&found));
            }
            match story {
                Some(story) => say(&format!("{}: ok, a story: {}", path.display(), story.title))?,
                None => failed = true,
            }
            continue;
        }
        let scenario = Scenario::read(path, &arguments.input.set, &mut found);
        let scenario = scenario.filter(|scenario| {
            expectations(scenario, &mut found);
            !found.has_errors()
        });
        if !found.is_empty() {
            remark(&shown(&found));
        }
        match scenario {
            Some(scenario) => say(&facts(&scenario))?,
            None => failed = true,
        }
    }
    if failed { Err(Failure::Input("error: not all scenarios can be run".into())) } else { Ok(()) }
}

fn facts(scenario: &Scenario) -> String {
    let services: Vec<&str> = scenario.services.iter().map(|service| service.spec.name.as_str()).collect();
    let policies: Vec<&str> = scenario.policies.iter().map(|plan| plan.label.as_str()).collect();
    format!(
        "{}: ok, {} of {}, policies {}",
        scenario.path.display(),
        scenario.duration,
        services.join(" and "),
        policies.join(", ")
    )
}
