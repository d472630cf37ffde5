//! Parameters by name, in the layout of released checkpoints.
//!
//! The names are those of the model's own kind: CroCo's, MIMIC's or MAE's (see [`names`]). PyTorch keeps a linear as `[out, in]` and the patch
//! embedding as a convolution `[out, 3, patch, patch]`; ours are `[in, out]` with `in` in the order row,
//! column, channel. Everything here speaks PyTorch's layout.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::croco::{Architecture, Croco, names};
use super::error::TrainError;

/// One tensor in PyTorch's layout.
#[derive(Debug, Clone, PartialEq)]
pub struct NamedTensor {
    /// Key name.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Values.
    pub values: Vec<f32>,
}

const PATCH_WEIGHT: &str = "patch_embed.proj.weight";

/// All parameters of the model.
///
/// # Errors
/// The device cannot be read.
pub fn parameters(model: &Croco) -> Result<Vec<NamedTensor>, TrainError> {
    collect(model, None)
}

/// The gradients of all parameters that have one, as [`parameters`] names them.
///
/// # Errors
/// The device cannot be read.
pub fn gradients(model: &Croco, grads: &GradientsParams) -> Result<Vec<NamedTensor>, TrainError> {
    collect(model, Some(grads))
}

/// The model with every parameter replaced by the tensor of its name. Position tables may be among
/// `tensors`; they are fixed and not read.
///
/// # Errors
/// A parameter is missing, a name is unknown, or a shape differs: nothing is replaced then.
pub fn load(model: Croco, tensors: Vec<NamedTensor>) -> Result<Croco, TrainError> {
    let mut by_name: BTreeMap<String, NamedTensor> = tensors
        .into_iter()
        .filter(|t| !names::is_position_table(&t.name))
        .map(|t| (t.name.clone(), t))
        .collect();
    let mut problems = Vec::new();
    let own: BTreeMap<String, Vec<usize>> = names::parameter_shapes(&model.config()).into_iter().collect();
    for (name, want) in &own {
        match by_name.get(name) {
            None => problems.push(format!("{name} is missing")),
            Some(got) if got.shape != *want => {
                problems.push(format!("{name} has shape {:?} where {want:?} is wanted", got.shape));
            }
            Some(_) => {}
        }
    }
    let known = |name: &String| own.contains_key(name);
    problems.extend(
        by_name
            .keys()
            .filter(|name| !known(name))
            .map(|name| format!("{name} is unknown")),
    );
    if !problems.is_empty() {
        let shown = problems.iter().take(5).cloned().collect::<Vec<_>>().join("; ");
        let more = problems.len().saturating_sub(5);
        let tail = if more > 0 {
            format!("; and {more} more")
        } else {
            String::new()
        };
        return Err(TrainError::Weights(shown + &tail));
    }
    let config = model.config();
    Ok(model.map(&mut Loader {
        path: Vec::new(),
        architecture: config.architecture,
        patch: config.patch,
        tensors: &mut by_name,
    }))
}

fn collect(model: &Croco, grads: Option<&GradientsParams>) -> Result<Vec<NamedTensor>, TrainError> {
    let mut collector = Collector {
        path: Vec::new(),
        architecture: model.config().architecture,
        patch: model.config().patch,
        grads,
        found: Vec::new(),
        failure: None,
    };
    model.visit(&mut collector);
    match collector.failure {
        Some(reason) => Err(TrainError::Read(reason)),
        None => Ok(collector.found),
    }
}

struct Collector<'a> {
    path: Vec<String>,
    architecture: Architecture,
    patch: usize,
    grads: Option<&'a GradientsParams>,
    found: Vec<NamedTensor>,
    failure: Option<String>,
}

impl ModuleVisitor for Collector<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let tensor = match self.grads {
            None => Some(param.val().inner()),
            Some(grads) => grads.get::<D>(param.id),
        };
        let Some(tensor) = tensor else { return };
        let shape = tensor.dims();
        let name = names::key(self.architecture, &self.path.join("."));
        match tensor.try_into_vec_as::<f32>() {
            Ok(values) => self.found.push(to_torch(name, &shape, values, self.patch)),
            Err(error) => self.failure = Some(format!("{name}: {error:?}")),
        }
    }
}

struct Loader<'a> {
    path: Vec<String>,
    architecture: Architecture,
    patch: usize,
    tensors: &'a mut BTreeMap<String, NamedTensor>,
}

impl ModuleMapper for Loader<'_> {
    fn enter_module(&mut self, name: &str, _container: &str) {
        self.path.push(name.to_owned());
    }

    fn exit_module(&mut self, _name: &str, _container: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let name = names::key(self.architecture, &self.path.join("."));
        let Some(tensor) = self.tensors.remove(&name) else {
            return param;
        };
        let (id, old, mapper) = param.consume();
        let data = TensorData::new(from_torch(tensor, self.patch), old.dims());
        let trainable = old.is_require_grad();
        let value = Tensor::<D>::from_data(data, &old.device());
        Param::from_mapped_value(id, value.set_require_grad(trainable), mapper)
    }
}

/// From our layout to PyTorch's.
fn to_torch(name: String, shape: &[usize], values: Vec<f32>, patch: usize) -> NamedTensor {
    if let (PATCH_WEIGHT, &[_, outputs]) = (name.as_str(), shape) {
        let mut moved = vec![0.0; values.len()];
        for_patch_weight(patch, outputs, |ours, torch| moved[torch] = values[ours]);
        return NamedTensor {
            name,
            shape: vec![outputs, 3, patch, patch],
            values: moved,
        };
    }
    match *shape {
        [inputs, outputs] => NamedTensor {
            name,
            shape: vec![outputs, inputs],
            values: transposed(&values, inputs, outputs),
        },
        _ => NamedTensor {
            name,
            shape: shape.to_vec(),
            values,
        },
    }
}

/// The inverse of [`to_torch`], values only.
fn from_torch(tensor: NamedTensor, patch: usize) -> Vec<f32> {
    match tensor.shape[..] {
        [outputs, 3, _, _] => {
            let mut moved = vec![0.0; tensor.values.len()];
            for_patch_weight(patch, outputs, |ours, torch| moved[ours] = tensor.values[torch]);
            moved
        }
        [outputs, inputs] => transposed(&tensor.values, outputs, inputs),
        _ => tensor.values,
    }
}

/// Calls `pair(index in [row, column, channel, output], index in [output, channel, row, column])`.
fn for_patch_weight(patch: usize, outputs: usize, mut pair: impl FnMut(usize, usize)) {
    for y in 0..patch {
        for x in 0..patch {
            for c in 0..3 {
                for o in 0..outputs {
                    let ours = ((y * patch + x) * 3 + c) * outputs + o;
                    pair(ours, ((o * 3 + c) * patch + y) * patch + x);
                }
            }
        }
    }
}

fn transposed(values: &[f32], rows: usize, columns: usize) -> Vec<f32> {
    let mut out = Vec::with_capacity(values.len());
    for column in 0..columns {
        out.extend((0..rows).map(|row| values[row * columns + column]));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::croco::{CrocoConfig, ModelSize, PositionCode};
    use burn::tensor::Device;

    fn model(seed: u64) -> Croco {
        let config = CrocoConfig::croco(ModelSize::Micro, PositionCode::Cosine, 32, 16);
        Croco::new(config, seed, &Device::flex().autodiff())
    }

    #[test]
    fn what_is_saved_loads_again() {
        let source = parameters(&model(1)).unwrap();
        let target = load(model(2), source.clone()).unwrap();
        assert_eq!(parameters(&target).unwrap(), source);
        assert_ne!(parameters(&model(2)).unwrap(), source);
    }

    #[test]
    fn every_kind_has_the_keys_of_its_checkpoints() {
        for (architecture, key, count) in [
            (Architecture::Mimic, "decoder_blocks_croco.0.cross_attn.projk.bias", 60),
            (Architecture::Mae, "decoder_blocks.0.attn.qkv.weight", 48),
        ] {
            let config = CrocoConfig {
                architecture,
                ..CrocoConfig::croco(ModelSize::Micro, PositionCode::Cosine, 32, 16)
            };
            let names: Vec<String> = parameters(&Croco::new(config, 0, &Device::flex().autodiff()))
                .unwrap()
                .into_iter()
                .map(|tensor| tensor.name)
                .collect();
            for name in [key, "cls_token", "blocks.1.mlp.fc2.weight", "decoder_pred.weight"] {
                assert!(names.iter().any(|n| n == name), "{name} in {names:?}");
            }
            assert_eq!(names.len(), count, "{names:?}");
        }
    }

    #[test]
    fn missing_unknown_and_misshapen_are_named() {
        let mut tensors = parameters(&model(1)).unwrap();
        tensors[0].name = "stranger".into();
        let message = load(model(2), tensors).unwrap_err().to_string();
        assert!(
            message.contains("stranger is unknown") && message.contains("is missing"),
            "{message}"
        );
    }
}
