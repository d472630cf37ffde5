//! AdamW with a global gradient norm.
//!
//! Ours rather than Burn's so that its state carries the names of the parameters, 1-D parameters are
//! exempt from decay by their rank, and one pass over memory does the whole update on the CPU.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;

use super::config::TrainConfig;
use super::croco::Croco;
use super::error::TrainError;
use super::ops::{AdamWFactors, adamw_update, sum_of_squares};
use super::params::{self, NamedTensor};

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

    /// The moments on the host, as `first.KEY` and `second.KEY` in PyTorch's layout.
    ///
    /// # Errors
    /// The device cannot be read.
    pub fn tensors(&self, model: &Croco) -> Result<Vec<NamedTensor>, TrainError> {
        let mut all = Vec::new();
        for (prefix, second) in [("first", false), ("second", true)] {
            let as_grads = self.as_gradients(model, second);
            for mut tensor in params::gradients(model, &as_grads)? {
                tensor.name = format!("{prefix}.{}", tensor.name);
                all.push(tensor);
            }
        }
        Ok(all)
    }

    /// Goes on from moments that [`Self::tensors`] gave after `updates` updates.
    ///
    /// # Errors
    /// The moments are not those of all parameters of `model`; nothing is replaced then.
    pub fn restore(&mut self, model: &Croco, tensors: Vec<NamedTensor>, updates: u64) -> Result<(), TrainError> {
        let mut moments = BTreeMap::new();
        if updates > 0 {
            let side = |prefix: &str| -> Result<Croco, TrainError> {
                let part = tensors.iter().filter_map(|tensor| {
                    let name = tensor.name.strip_prefix(prefix)?.to_owned();
                    Some(NamedTensor { name, ..tensor.clone() })
                });
                params::load(model.clone(), part.collect())
            };
            side("first.")?.visit(&mut Absorb {
                second: false,
                into: &mut moments,
            });
            side("second.")?.visit(&mut Absorb {
                second: true,
                into: &mut moments,
            });
        }
        self.moments = moments;
        self.updates = updates;
        Ok(())
    }

    /// One kind of moment by parameter, in the shapes of the parameters.
    fn as_gradients(&self, model: &Croco, second: bool) -> GradientsParams {
        let mut shaped = Shaped {
            moments: &self.moments,
            second,
            out: GradientsParams::new(),
        };
        model.visit(&mut shaped);
        shaped.out
    }
}

struct Shaped<'a> {
    moments: &'a BTreeMap<u64, Moments>,
    second: bool,
    out: GradientsParams,
}

impl ModuleVisitor for Shaped<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(moments) = self.moments.get(&param.id.val()) {
            let flat = if self.second { &moments.second } else { &moments.first };
            self.out.register::<D>(param.id, flat.clone().reshape(param.dims()));
        }
    }
}

/// Takes parameters that hold moments as moments.
struct Absorb<'a> {
    second: bool,
    into: &'a mut BTreeMap<u64, Moments>,
}

impl ModuleVisitor for Absorb<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        let count = value.dims().iter().product::<usize>();
        let flat = value.reshape([count]);
        let slot = self.into.entry(param.id.val()).or_insert_with(|| Moments {
            first: flat.clone(),
            second: flat.clone(),
        });
        if self.second {
            slot.second = flat;
        }
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
