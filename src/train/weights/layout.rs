//! Which model a set of tensors makes up, read off names and shapes.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::train::croco::names::{is_position_table, key, parameter_shapes, position_keys};
use crate::train::croco::{Architecture, CrocoConfig, DecoderSize, ModelSize, PositionCode, Width};
use crate::train::error::TrainError;

/// Shapes by key, in PyTorch's layout.
pub type Shapes = BTreeMap<String, Vec<usize>>;

/// What names and shapes cannot tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Hints {
    /// Attention heads of the encoder; by default those of the known width with as many channels.
    pub encoder_heads: Option<usize>,
    /// Attention heads of the decoder; by default those of the known width with as many channels.
    pub decoder_heads: Option<usize>,
    /// Position code; by default cosine where the file holds position tables, else rotary.
    pub pos: Option<PositionCode>,
    /// Side of the input, pixels; by default that of the position tables, else 224.
    pub image: Option<usize>,
}

/// The model whose parameters `shapes` holds.
///
/// # Errors
/// The keys are not those of CroCo, MIMIC or MAE, a part of the model is missing altogether, or the number of
/// heads is in doubt.
pub fn infer(shapes: &Shapes, hints: &Hints) -> Result<CrocoConfig, TrainError> {
    let architecture = architecture(shapes)?;
    let dim = |path: &str| match shapes.get(&key(architecture, path)).map(Vec::as_slice) {
        Some(&[dim]) if dim > 0 => Ok(dim),
        Some(shape) => Err(refused(format!("{} has shape {shape:?}", key(architecture, path)))),
        None => Err(refused(format!(
            "{} is missing: this is no whole {architecture:?} model",
            key(architecture, path)
        ))),
    };
    let decoder_blocks = match architecture {
        Architecture::Mae => "self_blocks.",
        Architecture::Croco | Architecture::Mimic => "dec_blocks.",
    };
    let width = |norm: &str, blocks: &str, heads: Option<usize>, flag: &str| -> Result<Width, TrainError> {
        let dim = dim(norm)?;
        let heads = heads.or_else(|| usual_heads(dim)).ok_or_else(|| {
            refused(format!(
                "the number of heads of {dim} channels is not known: name it by {flag}"
            ))
        })?;
        if heads == 0 || !dim.is_multiple_of(heads) {
            return Err(refused(format!("{dim} channels cannot be shared by {heads} heads")));
        }
        let depth = depth(shapes, &key(architecture, blocks));
        Ok(Width { dim, depth, heads })
    };
    let encoder = width("enc_norm.weight", "enc_blocks.", hints.encoder_heads, "--encoder-heads")?;
    let decoder = width(
        "dec_norm.weight",
        decoder_blocks,
        hints.decoder_heads,
        "--decoder-heads",
    )?;
    let patch = match shapes.get("patch_embed.proj.weight").map(Vec::as_slice) {
        Some(&[_, 3, height, width]) if height == width && (1..=64).contains(&height) => height,
        other => return Err(refused(format!("patch_embed.proj.weight has shape {other:?}"))),
    };
    let table = shapes.get(position_keys(architecture)[0]);
    let tabled = table.map(|shape| side(shape, architecture, patch)).transpose()?;
    let pos = hints.pos.unwrap_or(match table {
        None if architecture == Architecture::Croco => PositionCode::Rope,
        _ => PositionCode::Cosine,
    });
    if pos == PositionCode::Rope && ![encoder, decoder].iter().all(|w| (w.dim / w.heads).is_multiple_of(4)) {
        return Err(refused("a rotary code needs heads of a multiple of 4 channels".into()));
    }
    Ok(CrocoConfig {
        architecture,
        encoder,
        decoder,
        pos,
        image: tabled.or(hints.image).unwrap_or(224),
        patch,
    })
}

fn architecture(shapes: &Shapes) -> Result<Architecture, TrainError> {
    let any = |prefix: &str| shapes.keys().any(|key| key.starts_with(prefix));
    if any("enc_blocks.") {
        Ok(Architecture::Croco)
    } else if any("decoder_blocks_croco.") {
        Ok(Architecture::Mimic)
    } else if any("blocks.") && any("decoder_blocks.") {
        Ok(Architecture::Mae)
    } else if any("blocks.") {
        Err(refused(
            "these are the keys of an encoder alone (timm's layout): a decoder is needed".into(),
        ))
    } else {
        let first: Vec<&str> = shapes.keys().take(3).map(String::as_str).collect();
        Err(refused(format!(
            "the keys are not those of CroCo, MIMIC or MAE (the first are {})",
            first.join(", ")
        )))
    }
}

fn usual_heads(dim: usize) -> Option<usize> {
    let decoders = [
        DecoderSize::Micro,
        DecoderSize::Tiny,
        DecoderSize::Small,
        DecoderSize::Base,
    ];
    let widths = ModelSize::ALL.into_iter().map(|size| size.widths().0);
    let mut known = widths.chain(decoders.into_iter().filter_map(DecoderSize::width));
    known.find(|width| width.dim == dim).map(|width| width.heads)
}

/// How many blocks have keys; their numbers must be 0 to that for the model to be whole, which [`compare`] sees.
fn depth(shapes: &Shapes, prefix: &str) -> usize {
    let numbers = shapes
        .keys()
        .filter_map(|key| key.strip_prefix(prefix)?.split('.').next());
    numbers.collect::<BTreeSet<_>>().len()
}

/// Side of the input from the shape of a position table.
fn side(shape: &[usize], architecture: Architecture, patch: usize) -> Result<usize, TrainError> {
    let rows = match (architecture, shape) {
        (Architecture::Croco, &[rows, _]) => rows,
        (Architecture::Mimic | Architecture::Mae, &[1, rows, _]) => rows.saturating_sub(1),
        _ => return Err(refused(format!("the position table has shape {shape:?}"))),
    };
    let grid = rows.isqrt();
    if grid == 0 || grid * grid != rows || grid > 4096 {
        return Err(refused(format!("a position table of {rows} patches is not square")));
    }
    Ok(grid * patch)
}

fn refused(reason: String) -> TrainError {
    TrainError::Weights(reason)
}

/// How the tensors of a file and the parameters of a model go together.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Comparison {
    /// Parameters that the file holds in the right shape.
    pub matched: Vec<Entry>,
    /// Parameters that the file lacks.
    pub missing: Vec<Entry>,
    /// Parameters that the file holds in another shape.
    pub misshapen: Vec<Misshapen>,
    /// Position tables of the file, which the model computes itself.
    pub tables: Vec<Entry>,
    /// Tensors of the file that the model has no place for.
    pub left_over: Vec<Entry>,
}

/// A key and its shape.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Key.
    pub name: String,
    /// Shape in PyTorch's layout.
    pub shape: Vec<usize>,
}

/// A key whose shapes differ.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Misshapen {
    /// Key.
    pub name: String,
    /// Shape in the file.
    pub shape: Vec<usize>,
    /// Shape that the model wants.
    pub wanted: Vec<usize>,
}

impl Comparison {
    /// Whether the file holds every parameter.
    pub fn whole(&self) -> bool {
        self.missing.is_empty() && self.misshapen.is_empty()
    }
}

/// Holds the tensors of a file against the parameters of a model.
pub fn compare(config: &CrocoConfig, shapes: &Shapes) -> Comparison {
    let mut result = Comparison::default();
    let mut known = BTreeSet::new();
    for (name, wanted) in parameter_shapes(config) {
        match shapes.get(&name) {
            None => result.missing.push(Entry {
                name: name.clone(),
                shape: wanted,
            }),
            Some(shape) if *shape == wanted => result.matched.push(Entry {
                name: name.clone(),
                shape: wanted,
            }),
            Some(shape) => result.misshapen.push(Misshapen {
                name: name.clone(),
                shape: shape.clone(),
                wanted,
            }),
        }
        known.insert(name);
    }
    for (name, shape) in shapes.iter().filter(|(name, _)| !known.contains(*name)) {
        let entry = Entry {
            name: name.clone(),
            shape: shape.clone(),
        };
        if is_position_table(name) {
            result.tables.push(entry);
        } else {
            result.left_over.push(entry);
        }
    }
    result
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::croco::names::position_tables;

    fn shapes(config: &CrocoConfig) -> Shapes {
        let tables = position_tables(config).into_iter().map(|t| (t.name, t.shape));
        parameter_shapes(config).into_iter().chain(tables).collect()
    }

    #[test]
    fn every_kind_and_size_is_recognised() {
        for size in ModelSize::ALL {
            for (architecture, pos, image) in [
                (Architecture::Croco, PositionCode::Cosine, 224),
                (Architecture::Croco, PositionCode::Rope, 224),
                (Architecture::Mimic, PositionCode::Cosine, 256),
                (Architecture::Mae, PositionCode::Cosine, 224),
            ] {
                let config = CrocoConfig {
                    architecture,
                    ..CrocoConfig::croco(size, pos, image, 16)
                };
                let shapes = shapes(&config);
                assert_eq!(infer(&shapes, &Hints::default()).unwrap(), config);
                assert!(compare(&config, &shapes).whole());
            }
        }
    }

    #[test]
    fn what_differs_is_named() {
        let config = CrocoConfig::croco(ModelSize::Micro, PositionCode::Rope, 224, 16);
        let mut shapes = shapes(&config);
        shapes.remove("enc_blocks.1.norm1.bias");
        shapes.insert("dec_norm.bias".into(), vec![7]);
        shapes.insert("dec_blocks2.0.norm1.bias".into(), vec![48]);
        let result = compare(&config, &shapes);
        assert_eq!(result.missing[0].name, "enc_blocks.1.norm1.bias");
        assert_eq!(result.misshapen[0].wanted, [48]);
        assert_eq!(result.left_over[0].name, "dec_blocks2.0.norm1.bias");
        assert!(!result.whole());
    }

    #[test]
    fn an_encoder_alone_and_strangers_are_refused_by_name() {
        let one = |key: &str| Shapes::from([(key.to_owned(), vec![768])]);
        let message = |key: &str| infer(&one(key), &Hints::default()).unwrap_err().to_string();
        assert!(message("blocks.0.norm1.weight").contains("encoder alone"));
        assert!(message("layer1.0.conv1.weight").contains("layer1.0.conv1.weight"));
        assert!(message("enc_blocks.0.norm1.weight").contains("enc_norm.weight is missing"));
    }
}
