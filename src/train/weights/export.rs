//! A model's weights under the names that other programs expect.

use std::str::FromStr;

use crate::train::croco::names::{key, position_keys, position_tables};
use crate::train::croco::{Architecture, CrocoConfig, PositionCode};
use crate::train::error::TrainError;
use crate::train::params::NamedTensor;

/// Whose names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layout {
    /// CroCo's released checkpoints.
    Croco,
    /// MIMIC's released checkpoints.
    Mimic,
    /// MAE's released pretraining checkpoints.
    Mae,
    /// timm's `VisionTransformer`, the encoder alone.
    Timm,
}

impl FromStr for Layout {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "croco" => Ok(Self::Croco),
            "mimic" => Ok(Self::Mimic),
            "mae" => Ok(Self::Mae),
            "timm" => Ok(Self::Timm),
            other => Err(format!("unknown layout `{other}`: use croco, mimic, mae or timm")),
        }
    }
}

impl Layout {
    fn of(architecture: Architecture) -> Self {
        match architecture {
            Architecture::Croco => Self::Croco,
            Architecture::Mimic => Self::Mimic,
            Architecture::Mae => Self::Mae,
        }
    }
}

/// The tensors of a model, given as [`parameters`](crate::train::params::parameters) names them, in `layout`.
///
/// The full model goes out under the names of its own kind, position tables included. For timm the encoder goes
/// out alone, without a head (`num_classes=0`); that of CroCo has no class token, so it fits a model made with
/// `class_token=False, global_pool=""`.
///
/// # Errors
/// The layout has no place for the model: another kind's names, or a rotary code in timm's.
pub fn export(
    config: &CrocoConfig,
    parameters: Vec<NamedTensor>,
    layout: Layout,
) -> Result<Vec<NamedTensor>, TrainError> {
    let own = Layout::of(config.architecture);
    if layout == own {
        let mut all = parameters;
        all.extend(position_tables(config));
        return Ok(all);
    }
    if layout != Layout::Timm {
        return Err(TrainError::Weights(format!(
            "a {own:?} model does not fit the layout {layout:?}: CroCo has no class token, MAE no cross-attention; \
             use its own layout, or timm for the encoder"
        )));
    }
    if config.pos == PositionCode::Rope {
        return Err(TrainError::Weights(
            "timm's VisionTransformer adds position tables and has no 2-D rotary code of base 100: a model with \
             rotary positions gives other outputs there; use the layout croco"
                .into(),
        ));
    }
    let mut encoder: Vec<NamedTensor> = parameters
        .into_iter()
        .map(|tensor| NamedTensor {
            // The keys of CroCo are field paths; those of the others have timm's names already.
            name: match config.architecture {
                Architecture::Croco => key(Architecture::Mae, &tensor.name),
                Architecture::Mimic | Architecture::Mae => tensor.name,
            },
            ..tensor
        })
        .filter(|tensor| {
            let parts = ["patch_embed.", "cls_token", "blocks.", "norm."];
            parts.iter().any(|part| tensor.name.starts_with(part))
        })
        .collect();
    let table = position_tables(config)
        .into_iter()
        .find(|table| table.name == position_keys(config.architecture)[0]);
    encoder.extend(table.map(|table| NamedTensor {
        name: "pos_embed".into(),
        shape: vec![1, table.values.len() / config.encoder.dim, config.encoder.dim],
        values: table.values,
    }));
    Ok(encoder)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::croco::{Croco, ModelSize};
    use crate::train::params::parameters;
    use burn::tensor::Device;

    fn model(architecture: Architecture, pos: PositionCode) -> (CrocoConfig, Vec<NamedTensor>) {
        let config = CrocoConfig {
            architecture,
            ..CrocoConfig::croco(ModelSize::Micro, pos, 64, 16)
        };
        let model = Croco::new(config, 0, &Device::flex().autodiff());
        (config, parameters(&model).unwrap())
    }

    #[test]
    fn timm_gets_its_own_keys() {
        for (architecture, rows, count) in [(Architecture::Croco, 16, 29), (Architecture::Mimic, 17, 30)] {
            let (config, tensors) = model(architecture, PositionCode::Cosine);
            let encoder = export(&config, tensors, Layout::Timm).unwrap();
            let find = |name: &str| encoder.iter().find(|t| t.name == name).unwrap();
            assert_eq!(find("pos_embed").shape, [1, rows, 64]);
            assert_eq!(find("blocks.1.mlp.fc1.weight").shape, [256, 64]);
            // Patch embedding 2, final norm 2, positions 1, twelve a block, and the class token where there is one.
            assert_eq!(
                encoder.len(),
                count,
                "{:?}",
                encoder.iter().map(|t| &t.name).collect::<Vec<_>>()
            );
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_with_the_reason() {
        let refused = |architecture, pos, layout| {
            let (config, tensors) = model(architecture, pos);
            export(&config, tensors, layout).unwrap_err().to_string()
        };
        assert!(refused(Architecture::Croco, PositionCode::Rope, Layout::Timm).contains("rotary"));
        assert!(refused(Architecture::Croco, PositionCode::Cosine, Layout::Mimic).contains("class token"));
    }
}
