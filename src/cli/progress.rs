//! The progress of the policies of a run.

use std::io::IsTerminal;
use std::sync::Mutex;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::terminal::remark;
use crate::scenario::Scenario;

/// Progress: bars on a terminal, one line per policy elsewhere.
pub(super) struct Bars {
    bars: Vec<ProgressBar>,
    names: Vec<String>,
    plain: bool,
    done: Mutex<Vec<bool>>,
}

impl Bars {
    pub(super) fn new(scenario: &Scenario, quiet: bool) -> Bars {
        let names: Vec<String> = scenario.policies.iter().map(|plan| plan.label.clone()).collect();
        let terminal = std::io::stderr().is_terminal();
        let target = if terminal && !quiet { ProgressDrawTarget::stderr() } else { ProgressDrawTarget::hidden() };
        let multi = MultiProgress::with_draw_target(target);
        let width = names.iter().map(|name| name.chars().count()).max().unwrap_or(0);
        let template = format!("  {{msg:{width}}} [{{bar:40}}] {{percent:>3}}% {{eta}}");
        let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bars = names.iter().map(|name| {
            let bar = multi.add(ProgressBar::new(1000));
            bar.set_style(style.clone().progress_chars("=> "));
            bar.set_message(name.clone());
            bar
        });
        let bars = bars.collect();
        if !terminal && !quiet {
            remark(&format!(
                "{}: {} of simulated time, {} {}",
                scenario.name,
                scenario.duration.rounded(),
                names.len(),
                if names.len() == 1 { "policy" } else { "policies" }
            ));
        }
        Bars { bars, done: Mutex::new(vec![false; names.len()]), names, plain: !terminal && !quiet }
    }

    pub(super) fn tell(&self, policy: usize, share: f64) {
        self.bars[policy].set_position((share * 1000.0) as u64);
        if share < 1.0 || !self.plain {
            return;
        }
        if let Ok(mut done) = self.done.lock()
            && !std::mem::replace(&mut done[policy], true)
        {
            remark(&format!("  {} done", self.names[policy]));
        }
    }

    pub(super) fn finish(&self) {
        self.bars.iter().for_each(ProgressBar::finish_and_clear);
    }
}
