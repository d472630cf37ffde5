//! Key names of the released checkpoints, for each kind of model.

use super::config::{Architecture, CrocoConfig, PositionCode};
use super::pos_embed::sincos_table;
use crate::train::params::NamedTensor;

/// Field of [`Croco`](super::Croco), and its name in MIMIC's and MAE's checkpoints.
const MAE_STYLE: [(&str, &str); 6] = [
    ("enc_blocks", "blocks"),
    ("enc_norm", "norm"),
    ("dec_blocks", "decoder_blocks_croco"),
    ("self_blocks", "decoder_blocks"),
    ("dec_norm", "decoder_norm"),
    ("prediction_head", "decoder_pred"),
];

/// The key of the parameter at a field path such as `enc_blocks.0.norm1.weight`.
///
/// CroCo's keys are the field paths themselves; MIMIC and MAE share the names of MAE, but for the decoder's blocks.
pub fn key(architecture: Architecture, path: &str) -> String {
    if architecture != Architecture::Croco {
        let (head, rest) = path.split_at(path.find('.').unwrap_or(path.len()));
        if let Some((_, name)) = MAE_STYLE.iter().find(|(field, _)| *field == head) {
            return format!("{name}{rest}");
        }
    }
    path.to_owned()
}

/// Names of the position tables of encoder and decoder.
pub fn position_keys(architecture: Architecture) -> [&'static str; 2] {
    match architecture {
        Architecture::Croco => ["enc_pos_embed", "dec_pos_embed"],
        Architecture::Mimic | Architecture::Mae => ["pos_embed", "decoder_pos_embed"],
    }
}

/// Whether `key` names a position table of any kind of model.
pub fn is_position_table(key: &str) -> bool {
    let kinds = [Architecture::Croco, Architecture::Mimic];
    kinds.into_iter().any(|kind| position_keys(kind).contains(&key))
}

/// Key and shape of every parameter in PyTorch's layout, without building the model: linears `[out, in]`,
/// the patch embedding `[encoder dim, 3, patch, patch]`.
pub fn parameter_shapes(config: &CrocoConfig) -> Vec<(String, Vec<usize>)> {
    let (encoder, decoder) = (config.encoder.dim, config.decoder.dim);
    let mut list = ShapeList(Vec::new());
    list.push(
        "patch_embed.proj.weight".into(),
        vec![encoder, 3, config.patch, config.patch],
    );
    list.push("patch_embed.proj.bias".into(), vec![encoder]);
    if config.architecture.class_tokens() > 0 {
        list.push("cls_token".into(), vec![1, 1, encoder]);
    }
    list.push("mask_token".into(), vec![1, 1, decoder]);
    for i in 0..config.encoder.depth {
        list.block(&format!("enc_blocks.{i}"), encoder);
    }
    list.norm("enc_norm", encoder);
    list.linear("decoder_embed", encoder, decoder);
    for i in 0..config.decoder.depth {
        if config.architecture == Architecture::Mae {
            list.block(&format!("self_blocks.{i}"), decoder);
            continue;
        }
        let block = format!("dec_blocks.{i}");
        list.block(&block, decoder);
        list.norm(&format!("{block}.norm3"), decoder);
        list.norm(&format!("{block}.norm_y"), decoder);
        for part in ["projq", "projk", "projv", "proj"] {
            list.linear(&format!("{block}.cross_attn.{part}"), decoder, decoder);
        }
    }
    list.norm("dec_norm", decoder);
    list.linear("prediction_head", decoder, config.pixels());
    let named = list.0.into_iter();
    named
        .map(|(path, shape)| (key(config.architecture, &path), shape))
        .collect()
}

/// Field paths and shapes in the making.
struct ShapeList(Vec<(String, Vec<usize>)>);

impl ShapeList {
    fn push(&mut self, path: String, shape: Vec<usize>) {
        self.0.push((path, shape));
    }

    fn norm(&mut self, path: &str, dim: usize) {
        self.push(format!("{path}.weight"), vec![dim]);
        self.push(format!("{path}.bias"), vec![dim]);
    }

    fn linear(&mut self, path: &str, inputs: usize, outputs: usize) {
        self.push(format!("{path}.weight"), vec![outputs, inputs]);
        self.push(format!("{path}.bias"), vec![outputs]);
    }

    /// Self-attention and perceptron with their norms.
    fn block(&mut self, path: &str, dim: usize) {
        self.norm(&format!("{path}.norm1"), dim);
        self.linear(&format!("{path}.attn.qkv"), dim, 3 * dim);
        self.linear(&format!("{path}.attn.proj"), dim, dim);
        self.norm(&format!("{path}.norm2"), dim);
        self.linear(&format!("{path}.mlp.fc1"), dim, 4 * dim);
        self.linear(&format!("{path}.mlp.fc2"), 4 * dim, dim);
    }
}

/// The fixed tables that a checkpoint stores beside its parameters: `[tokens, dim]` each for CroCo,
/// `[1, 1 + tokens, dim]` for MIMIC and MAE, none with a rotary code.
pub fn position_tables(config: &CrocoConfig) -> Vec<NamedTensor> {
    if config.pos == PositionCode::Rope {
        return Vec::new();
    }
    let class_tokens = config.architecture.class_tokens();
    let rows = class_tokens + config.tokens();
    let dims = [config.encoder.dim, config.decoder.dim];
    let tables = position_keys(config.architecture).into_iter().zip(dims);
    tables
        .map(|(name, dim)| NamedTensor {
            name: name.into(),
            shape: match class_tokens {
                0 => vec![rows, dim],
                _ => vec![1, rows, dim],
            },
            values: sincos_table(dim, config.grid(), class_tokens),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::croco::{Croco, ModelSize};
    use crate::train::params::parameters;
    use burn::tensor::Device;

    #[test]
    fn shapes_are_those_of_the_model_itself() {
        for architecture in [Architecture::Croco, Architecture::Mimic, Architecture::Mae] {
            let config = CrocoConfig {
                architecture,
                ..CrocoConfig::croco(ModelSize::Micro, PositionCode::Cosine, 32, 8)
            };
            let model = Croco::new(config, 0, &Device::flex().autodiff());
            let mut built: Vec<_> = parameters(&model)
                .unwrap()
                .into_iter()
                .map(|tensor| (tensor.name, tensor.shape))
                .collect();
            let mut listed = parameter_shapes(&config);
            built.sort();
            listed.sort();
            assert_eq!(listed, built);
        }
    }

    #[test]
    fn published_sizes_have_their_published_numbers_of_parameters() {
        let millions = |config: CrocoConfig| {
            let shapes = parameter_shapes(&config);
            let count: usize = shapes.iter().map(|(_, shape)| shape.iter().product::<usize>()).sum();
            (count as f64 / 1e5).round() / 10.0
        };
        let croco = |size| CrocoConfig::croco(size, PositionCode::Rope, 224, 16);
        assert_eq!(millions(croco(ModelSize::Base)), 120.1);
        assert_eq!(millions(croco(ModelSize::BaseBasedec)), 200.3);
        assert_eq!(millions(croco(ModelSize::Large)), 417.9);
    }

    #[test]
    fn mimic_and_mae_keep_their_own_names() {
        let path = "dec_blocks.3.cross_attn.projq.weight";
        assert_eq!(key(Architecture::Croco, path), path);
        assert_eq!(
            key(Architecture::Mimic, path),
            "decoder_blocks_croco.3.cross_attn.projq.weight"
        );
        assert_eq!(
            key(Architecture::Mae, "self_blocks.0.mlp.fc1.bias"),
            "decoder_blocks.0.mlp.fc1.bias"
        );
        assert_eq!(key(Architecture::Mae, "enc_norm.weight"), "norm.weight");
        assert_eq!(key(Architecture::Mae, "cls_token"), "cls_token");
    }
}
