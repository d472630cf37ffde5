//! A running mean of the weights.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::croco::Croco;
use super::error::TrainError;
use super::params::{self, NamedTensor};

/// Exponential moving average: `mean = decay * mean + (1 - decay) * weights` after each update, from the
/// initial weights on. One more copy of the parameters in memory.
#[derive(Debug, Clone)]
pub struct Ema {
    decay: f64,
    mean: Croco,
}

impl Ema {
    /// The mean of one value: `model` as it is.
    pub fn new(model: &Croco, decay: f64) -> Self {
        Self {
            decay,
            mean: model.valid(),
        }
    }

    /// Takes the weights after an update in.
    pub fn follow(&mut self, model: &Croco) {
        let mut now = Weights::default();
        model.visit(&mut now);
        let mean = self.mean.clone();
        self.mean = mean.map(&mut Mixer {
            decay: self.decay,
            now: now.by_id,
        });
    }

    /// The same mean with the values that [`params::parameters`] gave of one.
    ///
    /// # Errors
    /// The tensors do not fit the model.
    pub fn restored(&self, tensors: Vec<NamedTensor>) -> Result<Self, TrainError> {
        Ok(Self {
            decay: self.decay,
            mean: params::load(self.mean.clone(), tensors)?,
        })
    }

    /// A model with the mean weights, without gradients.
    pub fn model(&self) -> &Croco {
        &self.mean
    }
}

/// The weights of a model, flattened, by the id of their parameter.
#[derive(Default)]
struct Weights {
    by_id: BTreeMap<u64, Tensor<1>>,
}

impl ModuleVisitor for Weights {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.val().inner();
        let count = value.dims().iter().product::<usize>();
        self.by_id.insert(param.id.val(), value.reshape([count]));
    }
}

struct Mixer {
    decay: f64,
    now: BTreeMap<u64, Tensor<1>>,
}

impl ModuleMapper for Mixer {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let (id, mean, mapper) = param.consume();
        let Some(now) = self.now.remove(&id.val()) else {
            return Param::from_mapped_value(id, mean, mapper);
        };
        let now = now.reshape(mean.dims());
        let mixed = mean.inner().mul_scalar(self.decay) + now.mul_scalar(1.0 - self.decay);
        Param::from_mapped_value(id, mixed, mapper)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::croco::{CrocoConfig, ModelSize, PositionCode};
    use burn::tensor::Device;

    #[test]
    fn the_mean_moves_by_its_share() {
        let config = CrocoConfig::croco(ModelSize::Micro, PositionCode::Cosine, 32, 16);
        let model = |seed| Croco::new(config, seed, &Device::flex().autodiff());
        let (from, to) = (model(1), model(2));
        // Two models of one run share the ids of their parameters.
        let to = params::load(from.clone(), params::parameters(&to).unwrap()).unwrap();
        let mut ema = Ema::new(&from, 0.75);
        ema.follow(&to);
        ema.follow(&to);
        let [a, b, mean] = [&from, &to, ema.model()].map(|m| params::parameters(m).unwrap());
        for ((a, b), mean) in a.iter().zip(&b).zip(&mean) {
            assert_eq!(a.name, mean.name);
            for ((a, b), mean) in a.values.iter().zip(&b.values).zip(&mean.values) {
                assert!((0.5625 * a + 0.4375 * b - mean).abs() < 1e-6);
            }
        }
        let again = Ema::new(&from, 0.75).restored(mean.clone()).unwrap();
        assert_eq!(params::parameters(again.model()).unwrap(), mean);
    }
}
