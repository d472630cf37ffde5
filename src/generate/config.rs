//! What the composer needs to know.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::overlap::{GeometricOverlapConfig, HomographyOverlapConfig};
use crate::render::RenderConfig;
use crate::select::SelectConfig;
use crate::sweep::SweepConfig;
use crate::sweep::croco::CrocoConfig;

/// How long to look for pairs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GenerateConfig {
    /// Positions tried for each pair asked for before giving up; 1 to 100,000; default 100.
    pub max_positions_per_pair: u64,
    /// Pairs that a run of `covista generate` makes of one scene before it turns to the next, and the smallest part
    /// that shards divide it into; 1 to 10,000; default 64.
    pub block_pairs: u64,
    /// Scenes kept ready, on the CPU and on the device, while a run turns from one to the other; 1 to 64; default 2.
    pub scenes_in_memory: usize,
}

impl Default for GenerateConfig {
    fn default() -> Self {
        Self {
            max_positions_per_pair: 100,
            block_pairs: 64,
            scenes_in_memory: 2,
        }
    }
}

impl GenerateConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        for (name, value, most) in [
            ("max_positions_per_pair", self.max_positions_per_pair, 100_000),
            ("block_pairs", self.block_pairs, 10_000),
            ("scenes_in_memory", self.scenes_in_memory as u64, 64),
        ] {
            if !(1..=most).contains(&value) {
                return Err(format!("{name} = {value} must lie in 1 to {most}"));
            }
        }
        Ok(())
    }
}

/// The sections of the configuration that decide which pairs a scene gives.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct GeneratorConfig {
    /// Where views come from.
    pub sampler: SamplerConfig,
    /// The agent's protocol, for the sampler `sweep`.
    pub sweep: SweepConfig,
    /// Drawing of views.
    pub render: RenderConfig,
    /// The image-only metric.
    pub overlap: HomographyOverlapConfig,
    /// The true overlap.
    pub truth: GeometricOverlapConfig,
    /// Which candidate is kept.
    pub select: SelectConfig,
}

/// Where the views of a pair come from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct SamplerConfig {
    /// `sweep` (MIMIC: 24 views, the published filter chooses) or `croco` (two views, covisibility decides). Default `sweep`.
    pub kind: SamplerKind,
    /// CroCo's poses.
    pub croco: CrocoConfig,
    /// CroCo: smallest covisibility of a kept pair by the 5 cm rule, 0 to 1; default 0.5.
    pub croco_min_covisibility: f64,
    /// CroCo: share of pixels with a surface that each view needs, 0 to 1; default 0.7.
    pub croco_min_valid_fraction: f64,
    /// CroCo: second views tried for one first view, 1 to 10,000; default 100.
    pub croco_tries: u64,
}

/// The samplers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SamplerKind {
    /// Three stops of eight views, MIMIC supplement 2.1.
    #[default]
    Sweep,
    /// A random view and one that looks at what it saw, CroCo 3.3.
    Croco,
}

impl Default for SamplerConfig {
    fn default() -> Self {
        Self {
            kind: SamplerKind::default(),
            croco: CrocoConfig::default(),
            croco_min_covisibility: 0.5,
            croco_min_valid_fraction: 0.7,
            croco_tries: 100,
        }
    }
}

impl SamplerConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        self.croco.validate()?;
        for (name, value) in [
            ("croco_min_covisibility", self.croco_min_covisibility),
            ("croco_min_valid_fraction", self.croco_min_valid_fraction),
        ] {
            if !(0.0..=1.0).contains(&value) {
                return Err(format!("{name} = {value} must lie in 0 to 1"));
            }
        }
        if !(1..=10_000).contains(&self.croco_tries) {
            return Err(format!("croco_tries = {} must lie in 1 to 10000", self.croco_tries));
        }
        Ok(())
    }
}
