//! Random choices that can be made again.

use uuid::Uuid;

/// SplitMix64: small, and good enough to choose.
#[derive(Clone, Debug)]
pub struct Seeded(u64);

impl Seeded {
    /// Choices from this seed on.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn fresh_seed() -> u64 {
        Uuid::new_v4().as_u64_pair().0
    }

    /// A number below `limit`.
    pub fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % limit as u64).expect("below a limit that fits")
    }

    pub fn pick<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        &choices[self.below(choices.len())]
    }
}
