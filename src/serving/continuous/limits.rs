//! What an engine is told at its start.

use super::versions::Engine;

/// In which order requests are served.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Order {
    /// First come, first served.
    #[default]
    Fcfs,
    /// By priority, lowest number first, then by arrival.
    Priority,
}

/// The settings of an engine's scheduler, named as vLLM's flags where they have one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limits {
    /// Whose rules apply.
    pub engine: Engine,
    /// Tokens per block.
    pub block_size: u32,
    /// `num_gpu_blocks`: blocks of the pool. One of them is the engine's own and holds nothing.
    pub blocks: u32,
    /// `max_num_batched_tokens`: tokens computed in one step.
    pub batched_tokens: u32,
    /// `max_num_seqs`: requests that run at once.
    pub sequences: u32,
    /// `max_num_active_seqs`: a lower limit on requests that run at once, without a smaller batch buffer.
    pub active_sequences: Option<u32>,
    /// `max_model_len`: tokens of a request, prompt and answer together.
    pub length: u32,
    /// `enable_chunked_prefill`: whether a prompt may be divided because the step's budget is short.
    pub chunked_prefill: bool,
    /// `enable_prefix_caching`: whether blocks are found again by their content.
    pub prefix_caching: bool,
    /// `policy`.
    pub order: Order,
    /// `scheduler_reserve_full_isl`: a request is admitted only if blocks for all its known tokens are free.
    pub reserve_prompt: bool,
    /// `long_prefill_token_threshold`: the most tokens that one request gets in a step; zero if all.
    pub long_prefill: u32,
    /// `long_prefill_token_threshold_adaptive`: the threshold is at least an even share of the step's budget.
    pub long_prefill_adaptive: bool,
    /// `watermark`: the share of the blocks kept free at admission while others run.
    pub watermark: f64,
    /// `prefill_schedule_interval`: prompts are computed only in every n-th step while others decode.
    pub prefill_interval: u32,
    /// `async_scheduling`: a step is scheduled before the result of the one before is known.
    pub asynchronous: bool,
}

impl Default for Limits {
    /// vLLM 0.33 serving on a GPU of less than 70 GiB, synchronously.
    fn default() -> Self {
        Limits {
            engine: Engine::Vllm033,
            block_size: 16,
            blocks: 2048,
            batched_tokens: 2048,
            sequences: 256,
            active_sequences: None,
            length: 8192,
            chunked_prefill: true,
            prefix_caching: true,
            order: Order::Fcfs,
            reserve_prompt: true,
            long_prefill: 0,
            long_prefill_adaptive: false,
            watermark: 0.0,
            prefill_interval: 1,
            asynchronous: false,
        }
    }
}

impl Limits {
    /// Requests that may run at once.
    pub fn running(&self) -> u32 {
        self.active_sequences.map_or(self.sequences, |active| active.min(self.sequences))
    }

    /// Blocks that can hold tokens.
    pub fn usable_blocks(&self) -> u32 {
        self.blocks.saturating_sub(1)
    }

    /// Blocks that `tokens` fill or begin.
    pub fn blocks_for(&self, tokens: u32) -> u32 {
        tokens.div_ceil(self.block_size.max(1))
    }

    /// Blocks kept free at admission while others run.
    pub(super) fn kept_free(&self) -> u32 {
        (self.watermark.max(0.0) * f64::from(self.blocks)) as u32
    }
}
