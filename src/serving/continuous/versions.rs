//! What differs between versions of vLLM.

/// A version of vLLM whose scheduler was recorded.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Engine {
    /// vLLM 0.33.0.
    #[default]
    Vllm033,
    /// vLLM 0.19.0.
    Vllm019,
}

impl Engine {
    /// All of them, with the names by which scenarios choose them.
    pub const ALL: [(&'static str, Engine); 2] = [("vllm-0.33", Engine::Vllm033), ("vllm-0.19", Engine::Vllm019)];

    /// Its name in scenarios.
    pub fn name(self) -> &'static str {
        match self {
            Engine::Vllm033 => "vllm-0.33",
            Engine::Vllm019 => "vllm-0.19",
        }
    }

    pub(super) fn rules(self) -> Rules {
        let new = self == Engine::Vllm033;
        Rules { empty_blocks_first: new, threshold_spares_the_only_one: new, goes_on_after_own_preemption: new }
    }
}

/// The rules that differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rules {
    /// Freed blocks without content are taken before all others, instead of in the order in which they were freed
    /// (from 0.28.0).
    pub empty_blocks_first: bool,
    /// The long-prefill threshold does not apply to a request that is the only one (from 0.31.0).
    pub threshold_spares_the_only_one: bool,
    /// When a running request gives up its own blocks, those after it still get tokens (0.33.0; matters with
    /// priorities only, because otherwise it is the last).
    pub goes_on_after_own_preemption: bool,
}
