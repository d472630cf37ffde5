//! Models that several unit tests train or ask.

use super::{CrocoConfig, ModelSize, TrainConfig};

/// The smallest model, for pictures of 32 x 32 in patches of 8.
pub fn micro_32() -> CrocoConfig {
    let config = TrainConfig {
        model: ModelSize::Micro,
        image: 32,
        patch: 8,
        ..TrainConfig::default()
    };
    config.croco()
}
