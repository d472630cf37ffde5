//! How pairs become batches.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// How pairs become batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamConfig {
    /// Pairs kept in memory to draw from; 1 to 1,000,000; default 256 (77 MB at 224 px).
    pub ring_pairs: usize,
    /// Draws for each new pair that enters the ring; 1 to 1,000,000; default 32. 1 is "each pair about once".
    pub reuse: usize,
    /// Pairs that must be in the ring before the first draw; 1 to `ring_pairs`; default 8.
    pub warm_pairs: usize,
    /// Pairs that may wait between generator and ring; 1 to 1024; default 4.
    pub channel_pairs: usize,
    /// Pairs of one scene in a row before the next scene has its turn, and pairs of each flat of `procedural:*`;
    /// 1 to 1,000,000; default 64.
    pub pairs_per_scene: u64,
    /// Scenes held at any time, the one being read ahead among them; 1 to 64; default 2. 1 reads none ahead: each
    /// change of scene is then waited for. More keeps scenes that come back.
    pub scenes_in_memory: usize,
    /// Pictures enter the ring this many times smaller, blocks of pixels averaged, while overlap is judged at full
    /// size: for small models. A divisor of `render.crop_px`, 1 to 16; default 1. For pairs in host memory.
    pub shrink: u32,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            ring_pairs: 256,
            reuse: 32,
            warm_pairs: 8,
            channel_pairs: 4,
            pairs_per_scene: 64,
            scenes_in_memory: 2,
            shrink: 1,
        }
    }
}

impl StreamConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let checks = [
            ("ring_pairs", self.ring_pairs as u64, 1, 1_000_000),
            ("reuse", self.reuse as u64, 1, 1_000_000),
            ("warm_pairs", self.warm_pairs as u64, 1, self.ring_pairs as u64),
            ("channel_pairs", self.channel_pairs as u64, 1, 1024),
            ("pairs_per_scene", self.pairs_per_scene, 1, 1_000_000),
            ("scenes_in_memory", self.scenes_in_memory as u64, 1, 64),
            ("shrink", u64::from(self.shrink), 1, 16),
        ];
        for (name, value, low, high) in checks {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} = {value} must lie in {low} to {high}"));
            }
        }
        Ok(())
    }
}
