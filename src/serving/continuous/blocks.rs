//! The pool of blocks that hold keys and values, and what they contain.
//!
//! A block that nobody uses stays in the free list with its content until it is taken, so that a request that starts
//! with the same tokens finds it. Real engines compare a chain of hashes over all tokens up to the end of a block. Here
//! a chain is named by the request that had these tokens first and the block's position in it, which is the same
//! relation without collisions.

/// What a full block holds: the tokens of block `index` of `owner`, after all tokens before them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Content {
    /// The number of the request (or of another sequence of tokens) that had them first.
    pub owner: u64,
    /// Position of the block in it.
    pub index: u32,
}

impl Content {
    /// The number of the chain that it is in, out of a power of two.
    fn chain(self, chains: usize) -> usize {
        // Fibonacci hashing: blocks of one owner are spread evenly.
        let mixed = (self.owner.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ u64::from(self.index))
            .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (mixed >> 32) as usize & (chains - 1)
    }
}

/// No block.
const NONE: u32 = u32::MAX;

/// A block of the pool.
#[derive(Debug, Clone, Copy)]
struct Block {
    /// Requests that use it. It is in the free list if there are none.
    users: u32,
    /// Neighbours in the free list; beyond its ends is the block after the last.
    before: u32,
    after: u32,
    /// What it holds, if it is full and may be found.
    content: Option<Content>,
    /// Neighbours among blocks whose contents share a chain, oldest first.
    older: u32,
    newer: u32,
}

/// Blocks by number, the list of free ones in the order in which they are taken, and an index of contents.
#[derive(Debug)]
pub struct BlockPool {
    /// The last one is not a block but both ends of the free list.
    blocks: Vec<Block>,
    /// First and last block of each chain.
    chains: Vec<(u32, u32)>,
    free: u32,
    /// Whether freed blocks without content are taken before all others.
    empty_first: bool,
}

impl BlockPool {
    /// A pool of `count` empty blocks.
    pub fn new(count: u32, empty_first: bool) -> Self {
        let count = count.min(NONE - 1);
        let around = count + 1;
        let block = |number: u32| Block {
            users: 0,
            before: (number + around - 1) % around,
            after: (number + 1) % around,
            content: None,
            older: NONE,
            newer: NONE,
        };
        let chains = (count as usize + 1).next_power_of_two();
        BlockPool {
            blocks: (0..around).map(block).collect(),
            chains: vec![(NONE, NONE); chains],
            free: count,
            empty_first,
        }
    }

    /// Number of blocks that nobody uses.
    pub fn free(&self) -> u32 {
        self.free
    }

    /// Whether nobody uses `block`.
    pub fn is_free(&self, block: u32) -> bool {
        self.blocks[block as usize].users == 0
    }

    /// The block that has held `content` for longest.
    pub fn find(&self, content: Content) -> Option<u32> {
        let mut block = self.chains[content.chain(self.chains.len())].0;
        while block != NONE {
            let entry = &self.blocks[block as usize];
            if entry.content == Some(content) {
                return Some(block);
            }
            block = entry.newer;
        }
        None
    }

    /// Adds a user to a block that was found.
    pub fn share(&mut self, block: u32) {
        if self.is_free(block) {
            self.unlink(block);
        }
        self.blocks[block as usize].users += 1;
    }

    /// Takes the first free block, which loses its content.
    pub fn take(&mut self) -> Option<u32> {
        let ends = self.blocks.len() - 1;
        let block = self.blocks[ends].after;
        if block as usize == ends {
            return None;
        }
        self.unlink(block);
        self.forget(block);
        self.blocks[block as usize].users = 1;
        Some(block)
    }

    /// Removes a user from a block. If it was the last, the block is free but keeps its content.
    pub fn release(&mut self, block: u32) {
        let ends = self.blocks.len() as u32 - 1;
        let entry = &mut self.blocks[block as usize];
        entry.users -= 1;
        if entry.users > 0 {
            return;
        }
        let first = self.empty_first && entry.content.is_none();
        let (before, after) =
            if first { (ends, self.blocks[ends as usize].after) } else { (self.blocks[ends as usize].before, ends) };
        (self.blocks[block as usize].before, self.blocks[block as usize].after) = (before, after);
        self.blocks[before as usize].after = block;
        self.blocks[after as usize].before = block;
        self.free += 1;
    }

    /// Notes that `block` is full and holds `content` from now on.
    pub fn publish(&mut self, block: u32, content: Content) {
        let chains = self.chains.len();
        let chain = &mut self.chains[content.chain(chains)];
        let last = std::mem::replace(&mut chain.1, block);
        if last == NONE {
            chain.0 = block;
        } else {
            self.blocks[last as usize].newer = block;
        }
        let entry = &mut self.blocks[block as usize];
        (entry.content, entry.older, entry.newer) = (Some(content), last, NONE);
    }

    /// Removes a block from the free list.
    fn unlink(&mut self, block: u32) {
        let Block { before, after, .. } = self.blocks[block as usize];
        self.blocks[before as usize].after = after;
        self.blocks[after as usize].before = before;
        self.free -= 1;
    }

    /// Removes a block from the index of contents.
    fn forget(&mut self, block: u32) {
        let Some(content) = self.blocks[block as usize].content.take() else { return };
        let Block { older, newer, .. } = self.blocks[block as usize];
        let chains = self.chains.len();
        let chain = &mut self.chains[content.chain(chains)];
        if older == NONE {
            chain.0 = newer;
        }
        if newer == NONE {
            chain.1 = older;
        }
        if older != NONE {
            self.blocks[older as usize].newer = newer;
        }
        if newer != NONE {
            self.blocks[newer as usize].older = older;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn content(owner: u64, index: u32) -> Content {
        Content { owner, index }
    }

    /// Takes three blocks, fills the second, and frees all, last block first.
    fn freed(empty_first: bool) -> (BlockPool, [u32; 3]) {
        let mut pool = BlockPool::new(4, empty_first);
        let taken = [0; 3].map(|_| pool.take().unwrap());
        pool.publish(taken[1], content(7, 0));
        taken.iter().rev().for_each(|block| pool.release(*block));
        (pool, taken)
    }

    #[test]
    fn a_free_block_keeps_its_content_until_it_is_taken() {
        let (mut pool, taken) = freed(false);
        assert_eq!(pool.free(), 4);
        assert_eq!(pool.find(content(7, 0)), Some(taken[1]));
        assert_eq!(pool.find(content(7, 1)), None);
        // The block never taken, then the others in the order in which they were freed.
        assert_eq!(pool.take(), Some(3));
        assert_eq!(pool.take(), Some(taken[2]));
        assert_eq!(pool.take(), Some(taken[1]));
        assert_eq!(pool.find(content(7, 0)), None);
    }

    #[test]
    fn newer_engines_take_empty_blocks_first() {
        let (mut pool, taken) = freed(true);
        let order = [0; 4].map(|_| pool.take().unwrap());
        assert_eq!(order, [taken[0], taken[2], 3, taken[1]]);
        assert_eq!(pool.take(), None);
    }

    #[test]
    fn a_shared_block_is_free_when_its_last_user_leaves() {
        let (mut pool, taken) = freed(false);
        pool.share(taken[1]);
        pool.share(taken[1]);
        assert_eq!((pool.free(), pool.is_free(taken[1])), (3, false));
        pool.release(taken[1]);
        assert_eq!(pool.free(), 3);
        pool.release(taken[1]);
        assert_eq!(pool.free(), 4);
    }

    #[test]
    fn of_equal_contents_the_oldest_is_found() {
        let mut pool = BlockPool::new(64, false);
        let blocks: Vec<u32> = (0..64).map(|_| pool.take().unwrap()).collect();
        // Three copies of each content, in one chain or several.
        blocks.iter().for_each(|block| pool.publish(*block, content(1, block % 21)));
        assert_eq!(pool.find(content(1, 5)), Some(5));
        pool.release(5);
        pool.release(26);
        assert_eq!(pool.take(), Some(5));
        assert_eq!(pool.find(content(1, 5)), Some(26));
        assert_eq!(pool.take(), Some(26));
        assert_eq!(pool.find(content(1, 5)), Some(47));
        assert_eq!(pool.find(content(1, 4)), Some(4));
    }
}
