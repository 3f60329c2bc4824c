//! Conversations with a language model: every turn sends the whole conversation so far.

use std::sync::Arc;

use super::batch::geometric;
use super::curve::{Curve, DayShape, Season};
use super::plugin::GeneratorPlugin;
use super::process::{Envelope, Model, Process, Request, Synthetic};
use super::steady::positive_rate;
use super::tokens::{Lognormal, TokenModel};
use super::visits::{Visitor, Visits, lead, starts};
use crate::config::Fields;
use crate::random::{Distribution, Draw, Purpose};
use crate::workload::recipe::Opening;
use crate::workload::shape::pulse::Pulse;

/// The entry in the list.
pub const PLUGIN: GeneratorPlugin = GeneratorPlugin {
    name: "llm-chat",
    summary: "conversations of mean `rate` with `turns: 2` on average; input tokens grow by every prompt and answer, `system` and `context` bound them",
    source: "turns and lengths: LMSYS-Chat-1M (Zheng et al. 2024); conversations as the unit of arrival: ServeGen (Xiang et al. 2025)",
    build: |node, sink| {
        let fields = Fields::open(node, "llm-chat", sink)?;
        let before = sink.len();
        // Tokens are those of a prompt and its response here, not of a request.
        let lengths = fields.or("tokens", usual_lengths(), sink);
        let envelope = Envelope::dated(&fields, sink);
        let rate = positive_rate(&fields, "rate", sink);
        let season = Season::read(&fields, rate.unwrap_or(1.0), &DayShape::bell(15.0 * 3600.0, 3.0), sink);
        let events: Vec<Pulse> = fields.or("events", Vec::new(), sink);
        let turns = fields.or("turns", 2.0, sink);
        let think = fields.or("think", Distribution::lognormal(60.0, 1.5), sink);
        let per_token = fields.or("per-token", crate::units::SimDuration::from_millis(20), sink).as_secs_f64();
        let system = fields.or("system", 0, sink);
        let context = fields.or("context", 8192, sink);
        fields.finish(sink);
        if !(1.0..=1e4).contains(&turns) || !think.mean().is_finite() || context == 0 || system >= context {
            sink.push(node.error("expected 1 to 10000 `turns`, think times of finite mean, and a `system` prompt shorter than the `context`"));
        }
        let season = season.filter(|_| sink.len() == before)?;
        let curve = Arc::new(Curve::seasonal(season, &events, &envelope));
        Some(Synthetic::recipe(Chat { curve, turns, think, per_token, system, context, lengths }, envelope))
    },
};

/// On average LMSYS-Chat-1M has 2.0 turns per conversation, 69.5 tokens per prompt and 214.5 per response; the spread
/// and the weak correlation represent the wide, nearly independent lengths of published traces.
fn usual_lengths() -> TokenModel {
    TokenModel::new(Lognormal::new(69.5, 1.5), Lognormal::new(214.5, 1.0), 0.2, 1 << 20)
}

/// The number of turns is geometric. Turn k sends the system prompt, all earlier prompts and responses and the new
/// prompt, of which the newest `context` tokens are kept. It arrives after the response was written (`per_token`
/// seconds each) and a think time. Without a limit the mean input of turn k is system + k prompt + (k - 1) response.
#[derive(Debug, Clone)]
struct Chat {
    curve: Arc<Curve>,
    turns: f64,
    think: Distribution,
    per_token: f64,
    system: u32,
    context: u32,
    lengths: TokenModel,
}

impl Model for Chat {
    fn process(&self, opening: Opening) -> Box<dyn Process> {
        let lead = lead(self.turns * (self.think.mean() + 300.0 * self.per_token));
        let talk = Talk {
            model: self.clone(),
            draw: opening.draw(Purpose::Modulation, 1),
            lengths: opening.draw(Purpose::Attribute, 0),
        };
        Box::new(Visits::new(starts(&self.curve, lead, opening), talk))
    }

    fn scaled(&self, factor: f64) -> Option<Self> {
        Some(Chat { curve: Arc::new(self.curve.scaled(factor)), ..self.clone() })
    }

    fn makes_tokens(&self) -> bool {
        true
    }
}

struct Talk {
    model: Chat,
    draw: Draw,
    lengths: Draw,
}

impl Visitor for Talk {
    fn visit(&mut self, start: f64, requests: &mut Vec<Request>) {
        let chat = &self.model;
        let mut at = start;
        let mut spoken = chat.system;
        for turn in 0..geometric(chat.turns, &mut self.draw) {
            if turn > 0 {
                at += chat.think.sample(&mut self.draw);
            }
            let (prompt, answer) = chat.lengths.sample(&mut self.lengths);
            let input = spoken.saturating_add(prompt).min(chat.context);
            requests.push(Request { at, tokens: (input, answer), class: 0 });
            spoken = input.saturating_add(answer);
            at += chat.per_token * f64::from(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{Counts, recipe, requests};

    const CHAT: &str =
        "llm-chat: { rate: 5/s, peak-to-trough: 1, turns: 3, think: 2s, per-token: 0ns, system: 10, context: 1000000,
        tokens: { input: { mean: 50, cv: 0.5 }, output: { mean: 200, cv: 0.5 } }, for: 60000s }";

    #[test]
    fn inputs_grow_with_the_conversation() {
        let all = requests(&*recipe(CHAT));
        let n = all.len() as f64;
        assert!((n / 900_000.0 - 1.0).abs() < 0.015, "{n}");
        // Geometric number of turns with mean m: the mean position of a request within its conversation is E[n (n + 1)
        // / 2] / m = m.
        let mean_in = all.tokens_in.iter().map(|t| f64::from(*t)).sum::<f64>() / n;
        let expected = 10.0 + 3.0 * 50.0 + 2.0 * 200.0;
        assert!((mean_in / expected - 1.0).abs() < 0.01, "{mean_in} for {expected}");
        let mean_out = all.tokens_out.iter().map(|t| f64::from(*t)).sum::<f64>() / n;
        assert!((mean_out / 200.0 - 1.0).abs() < 0.01, "{mean_out}");
    }

    #[test]
    fn turns_cluster_and_the_context_is_kept() {
        let counts = Counts::of(&*recipe(CHAT), 200.0);
        // E[n^2] / E[n] = 2 m - 1 = 5 over times much longer than a conversation.
        assert!((counts.index_of_dispersion() / 5.0 - 1.0).abs() < 0.25, "{}", counts.index_of_dispersion());
        let bounded = requests(&*recipe(&CHAT.replace("1000000", "300").replace("60000s", "600s")));
        assert_eq!(bounded.tokens_in.iter().max(), Some(&300));
    }
}
