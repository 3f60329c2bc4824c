//! A request inside an engine.

use super::blocks::Content;
use super::queue::Rank;

/// What the scheduler is told of a request that arrives.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arriving {
    /// What the caller knows it by.
    pub tag: u32,
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens of the answer.
    pub output: u32,
    /// Lowest is served first, where priorities count.
    pub priority: i32,
}

/// The tokens that a request has in common with another sequence: up to the end of block `until`, counted from the
/// request's start, they are those of `owner`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The number of the sequence, see [`Content`].
    pub owner: u64,
    /// Blocks, including those of the prefixes before.
    pub until: u32,
}

/// Where a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum State {
    /// The slot is free.
    Gone,
    Waiting,
    Running,
}

/// A request with its progress. Tokens are counted from the start of the prompt.
#[derive(Debug)]
pub(super) struct Request {
    pub tag: u32,
    pub state: State,
    pub rank: Rank,
    /// Tokens of the prompt.
    pub prompt: u32,
    /// Tokens known: prompt and answer so far.
    pub known: u32,
    /// Tokens known at its end.
    pub end: u32,
    /// Tokens whose keys and values are computed, or are being computed.
    pub computed: u32,
    /// Tokens being computed.
    pub in_flight: u32,
    /// Tokens of the answer that steps in flight will yield.
    pub expected: u32,
    /// Of those in flight, the tokens from before it lost its blocks.
    pub stale: u32,
    /// Whether its last step left a part of the known tokens out.
    pub partial: bool,
    /// Times that it lost its blocks.
    pub preemptions: u32,
    /// Its blocks that are in the index of contents, from the first on.
    pub published: u32,
    /// Its blocks in order.
    pub blocks: Vec<u32>,
    /// What it has in common with others.
    pub prefixes: Vec<Prefix>,
}

impl Request {
    pub fn empty() -> Self {
        Request {
            tag: 0,
            state: State::Gone,
            rank: Rank { priority: 0, number: 0 },
            prompt: 0,
            known: 0,
            end: 0,
            computed: 0,
            in_flight: 0,
            expected: 0,
            stale: 0,
            partial: false,
            preemptions: 0,
            published: 0,
            blocks: Vec::new(),
            prefixes: Vec::new(),
        }
    }

    /// What its block number `index` holds when it is full.
    pub fn content(&self, index: u32) -> Content {
        let shared = self.prefixes.iter().find(|prefix| index < prefix.until);
        Content { owner: shared.map_or(self.rank.number, |prefix| prefix.owner), index }
    }

    /// Whether the steps in flight are sure to yield the last token of its answer.
    pub fn needs_no_step(&self) -> bool {
        self.expected > 0 && self.computed + 2 - self.expected >= self.end
    }
}
