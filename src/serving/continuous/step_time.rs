//! How long a step takes.
//!
//! A step reads the weights once, computes each of its tokens, and reads the keys and values of every request that
//! decodes. Five numbers describe that as well as tables of tens of thousands of measured layers do: against recorded
//! runs of vLLM both are within 2% of the mean response time. Skewed batches take longer than their mean suggests,
//! because the longest request holds the others up.

use super::scheduler::Load;

/// A step's time as a linear function of what it computes. Microseconds at the reference speed.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct StepTime {
    /// Of every step.
    pub base: f64,
    /// Of every token.
    pub token: f64,
    /// Of every token above [`StepTime::KNEE`], where computing becomes slower than reading the weights.
    pub token_above: f64,
    /// Of every token of a prompt, besides `token`.
    pub prompt_token: f64,
    /// Of every token before a request that decodes.
    pub context: f64,
    /// Of every pair of a token of a prompt and a token before it.
    pub attention: f64,
    /// Of every request.
    pub sequence: f64,
    /// The share of the distance between the mean and the longest context that the step takes as its context.
    pub skew: f64,
}

impl StepTime {
    /// Tokens from which on `token_above` counts.
    pub const KNEE: u32 = 128;
    /// The usual `skew`.
    pub const SKEW: f64 = 0.05;

    /// Profiles fitted to measured tables: model and GPU, bfloat16, one GPU.
    pub const PROFILES: [(&'static str, StepTime); 2] = [
        (
            "llama-3.1-8b/rtx-4090",
            StepTime {
                base: 17_760.0,
                token: 21.0,
                token_above: 72.7,
                context: 0.163,
                attention: 0.003_62,
                sequence: 0.0,
                skew: StepTime::SKEW,
                prompt_token: 0.0,
            },
        ),
        (
            "llama-3.1-8b/rtx-pro-6000",
            StepTime {
                base: 11_280.0,
                token: 5.92,
                token_above: 29.9,
                context: 0.105,
                attention: 0.001_81,
                sequence: 8.5,
                skew: StepTime::SKEW,
                prompt_token: 0.0,
            },
        ),
    ];

    /// Microseconds that a step with this load takes.
    pub fn micros(&self, load: &Load) -> f64 {
        let tokens = f64::from(load.tokens);
        let above = f64::from(load.tokens.saturating_sub(StepTime::KNEE));
        let (sum, decodes) = (load.context as f64, f64::from(load.decodes));
        let context = sum + self.skew * (decodes * f64::from(load.longest) - sum);
        self.base
            + self.token * tokens
            + self.token_above * above
            + self.prompt_token * (tokens - decodes)
            + self.context * context
            + self.attention * load.prefill
            + self.sequence * f64::from(load.sequences)
    }

    /// Microseconds that a request takes alone, with a prompt and an answer of so many tokens and at most `budget`
    /// tokens in a step.
    pub fn alone(&self, prompt: u32, output: u32, budget: u32) -> f64 {
        let (mut computed, mut micros) = (0, 0.0);
        while computed < prompt {
            let tokens = (prompt - computed).min(budget.max(1));
            micros += self.micros(&Load::of_one(computed, tokens));
            computed += tokens;
        }
        let decodes = f64::from(output.saturating_sub(1));
        let context = decodes * f64::from(prompt) + decodes * (decodes - 1.0).max(0.0) / 2.0;
        micros + decodes * (self.base + self.token + self.sequence) + self.context * context
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rtx_4090() -> StepTime {
        StepTime::PROFILES[0].1
    }

    /// 64 requests that decode after 500 tokens on the mean and 900 at most, and a chunk of 200 tokens after 100.
    #[test]
    fn every_part_of_a_step_counts() {
        let load = Load {
            tokens: 264,
            sequences: 65,
            decodes: 64,
            context: 32_000,
            longest: 900,
            prefill: 200.0 * (100.0 + 100.0),
        };
        // 17,760 + 21 x 264 + 72.7 x 136 + 0.163 x 64 x (500 + 5% of 400) + 0.00362 x 40,000
        let expected = 17_760.0 + 5_544.0 + 9_887.2 + 0.163 * 64.0 * 520.0 + 144.8;
        assert!((rtx_4090().micros(&load) - expected).abs() < 1e-6, "{}", rtx_4090().micros(&load));
        let other = StepTime::PROFILES[1].1;
        let expected = 11_280.0 + 5.92 * 264.0 + 29.9 * 136.0 + 0.105 * 33_280.0 + 0.001_81 * 40_000.0 + 8.5 * 65.0;
        assert!((other.micros(&load) - expected).abs() < 1e-6);
    }

    #[test]
    fn the_time_alone_is_the_sum_of_its_steps() {
        let time = StepTime { sequence: 3.0, ..rtx_4090() };
        // Chunks of 300, 300 and 100 tokens, then 9 more tokens one by one.
        let chunks = [(0, 300), (300, 300), (600, 100)].map(|(before, tokens)| Load::of_one(before, tokens));
        let decodes = (0..9).map(|n| Load::of_one(700 + n, 1));
        let sum: f64 = chunks.into_iter().chain(decodes).map(|load| time.micros(&load)).sum();
        assert!((time.alone(700, 10, 300) - sum).abs() < 1e-6, "{} {sum}", time.alone(700, 10, 300));
        // The step that reads the prompt yields the only token.
        assert_eq!(time.alone(50, 1, 300), time.micros(&Load::of_one(0, 50)));
    }
}
