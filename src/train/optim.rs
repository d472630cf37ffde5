//! AdamW with a global gradient norm.
//!
//! Ours rather than Burn's so that its state carries the names of the parameters, 1-D parameters are
//! exempt from decay by their rank, and one pass over memory does the whole update on the CPU.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{Tensor, TensorData};

use super::config::TrainConfig;
use super::croco::Croco;
use super::error::TrainError;
use super::ops::{AdamWFactors, adamw_update, sum_of_squares};

/// Running means of a parameter's gradient and of its square, flattened.
#[derive(Debug, Clone)]
struct Moments {
    first: Tensor<1>,
    second: Tensor<1>,
}

/// AdamW (Loshchilov and Hutter 2019) as PyTorch computes it.
#[derive(Debug, Clone)]
pub struct AdamW {
    beta1: f64,
    beta2: f64,
    eps: f64,
    weight_decay: f64,
    updates: u64,
    moments: BTreeMap<u64, Moments>,
}

/// The optimiser's state on the host.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct AdamWState {
    /// Updates made.
    pub updates: u64,
    /// Parameter number to (first, second) moments, flattened in our own layout.
    pub moments: BTreeMap<u64, (Vec<f32>, Vec<f32>)>,
}

impl AdamW {
    /// An optimiser without history.
    pub fn new(config: &TrainConfig) -> Self {
        Self {
            beta1: config.beta1,
            beta2: config.beta2,
            eps: config.eps,
            weight_decay: config.weight_decay,
            updates: 0,
            moments: BTreeMap::new(),
        }
    }

    /// One update of every parameter that has a gradient; gradients are first multiplied by `scale`.
    pub fn update(&mut self, model: Croco, mut grads: GradientsParams, lr: f64, scale: f64) -> Croco {
        self.updates += 1;
        let time = self.updates as f64;
        let factors = AdamWFactors {
            grad_scale: scale,
            beta1: self.beta1,
            beta2: self.beta2,
            eps: self.eps,
            rate: lr / (1.0 - libm::pow(self.beta1, time)),
            root_correction: libm::sqrt(1.0 - libm::pow(self.beta2, time)),
            keep: 1.0 - lr * self.weight_decay,
        };
        model.map(&mut Updater {
            factors,
            grads: &mut grads,
            moments: &mut self.moments,
        })
    }

    /// A copy of the state on the host.
    ///
    /// # Errors
    /// The device cannot be read.
    pub fn state(&self) -> Result<AdamWState, TrainError> {
        let read = |tensor: &Tensor<1>| {
            let vector = tensor.try_to_vec_as::<f32>();
            vector.map_err(|error| TrainError::Read(format!("{error:?}")))
        };
        let mut moments = BTreeMap::new();
        for (&id, m) in &self.moments {
            moments.insert(id, (read(&m.first)?, read(&m.second)?));
        }
        Ok(AdamWState {
            updates: self.updates,
            moments,
        })
    }

    /// Goes on from `state`, whose tensors move to the device of `model`.
    pub fn restore(&mut self, state: AdamWState, model: &Croco) {
        let Some(device) = model.devices().first().map(|device| device.clone().inner()) else {
            return;
        };
        let upload = |values: Vec<f32>| {
            let count = values.len();
            Tensor::from_data(TensorData::new(values, [count]), &device)
        };
        self.updates = state.updates;
        self.moments = state
            .moments
            .into_iter()
            .map(|(id, (first, second))| {
                let (first, second) = (upload(first), upload(second));
                (id, Moments { first, second })
            })
            .collect();
    }
}

struct Updater<'a> {
    factors: AdamWFactors,
    grads: &'a mut GradientsParams,
    moments: &'a mut BTreeMap<u64, Moments>,
}

impl ModuleMapper for Updater<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, tensor, mapper) = param.consume();
        let Some(grad) = self.grads.remove::<D>(id) else {
            return Param::from_mapped_value(id, tensor, mapper);
        };
        let shape = tensor.dims();
        let factors = AdamWFactors {
            keep: if D == 1 { 1.0 } else { self.factors.keep },
            ..self.factors
        };
        let count = shape.iter().product::<usize>();
        let value = tensor.inner().reshape([count]);
        let grad = grad.reshape([count]);
        let moments = self.moments.remove(&id.val()).unwrap_or_else(|| Moments {
            first: value.zeros_like(),
            second: value.zeros_like(),
        });
        let (value, first, second) = adamw_update(value, grad, moments.first, moments.second, &factors);
        self.moments.insert(id.val(), Moments { first, second });
        let value = value.reshape(shape).autodiff().require_grad();
        Param::from_mapped_value(id, value, mapper)
    }
}

/// Euclidean norm of all gradients together.
///
/// # Errors
/// The device cannot be read.
pub fn global_norm(model: &Croco, grads: &GradientsParams) -> Result<f64, TrainError> {
    let mut squares = Squares {
        grads,
        sums: Vec::new(),
    };
    model.visit(&mut squares);
    if squares.sums.is_empty() {
        return Ok(0.0);
    }
    let sums = Tensor::cat(squares.sums, 0).try_into_vec_as::<f32>();
    let sums = sums.map_err(|error| TrainError::Read(format!("{error:?}")))?;
    Ok(sums.into_iter().map(f64::from).sum::<f64>().sqrt())
}

struct Squares<'a> {
    grads: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Squares<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            let count = grad.dims().iter().product::<usize>();
            self.sums.push(sum_of_squares(grad.reshape([count])));
        }
    }
}
