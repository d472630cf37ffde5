//! The arithmetic of a run, and the scale that keeps small gradients alive in float16.

use burn::tensor::{DType, FloatDType};
use serde::{Deserialize, Serialize};

use super::device::TrainDevice;
use super::error::TrainError;

/// The type that matrix products are made in. Weights, moments, norms, softmax and loss are float32 always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// float32.
    #[default]
    F32,
    /// bfloat16.
    Bf16,
    /// float16, the loss scaled so that small gradients do not vanish.
    F16,
}

impl Precision {
    /// The half type; none for float32.
    pub(crate) fn half(self) -> Option<FloatDType> {
        match self {
            Self::F32 => None,
            Self::Bf16 => Some(FloatDType::BF16),
            Self::F16 => Some(FloatDType::F16),
        }
    }

    /// Refuses a type that `device` does not compute in.
    ///
    /// # Errors
    /// [`TrainError::Precision`].
    pub fn check(self, device: &TrainDevice) -> Result<(), TrainError> {
        let supported = match self {
            Self::F32 => true,
            Self::Bf16 => device.burn().supports_dtype(DType::BF16),
            Self::F16 => device.burn().supports_dtype(DType::F16),
        };
        if supported {
            return Ok(());
        }
        Err(TrainError::Precision {
            precision: if self == Self::Bf16 { "bf16" } else { "f16" },
            device: device.name().to_owned(),
        })
    }
}

/// First scale, as PyTorch's GradScaler has it.
const FIRST: f64 = 65536.0;
/// Updates in a row without overflow after which the scale doubles.
const PATIENCE: u32 = 2000;

/// The factor on a float16 loss: halved when a gradient overflows (that update is left out), doubled after
/// 2000 updates without.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct LossScale {
    /// The factor.
    pub scale: f64,
    /// Updates since it changed.
    pub good: u32,
    /// Updates that were left out.
    pub skipped: u64,
}

impl LossScale {
    /// The scale of a run that begins; none where the products cannot overflow.
    pub fn new(precision: Precision) -> Option<Self> {
        (precision == Precision::F16).then_some(Self {
            scale: FIRST,
            good: 0,
            skipped: 0,
        })
    }

    /// Takes in whether the gradients of an update were finite.
    pub fn follow(&mut self, finite: bool) {
        if !finite {
            self.scale /= 2.0;
            self.good = 0;
            self.skipped += 1;
        } else if self.good + 1 == PATIENCE {
            self.scale *= 2.0;
            self.good = 0;
        } else {
            self.good += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scale_falls_at_once_and_grows_slowly() {
        let mut scale = LossScale::new(Precision::F16).unwrap();
        scale.follow(false);
        assert_eq!((scale.scale, scale.skipped), (FIRST / 2.0, 1));
        (1..PATIENCE).for_each(|_| scale.follow(true));
        assert_eq!(scale.scale, FIRST / 2.0);
        scale.follow(true);
        assert_eq!((scale.scale, scale.good), (FIRST, 0));
        assert_eq!(LossScale::new(Precision::Bf16), None);
    }

    #[test]
    fn the_cpu_computes_in_all_of_them() {
        for precision in [Precision::F32, Precision::Bf16, Precision::F16] {
            precision.check(&TrainDevice::flex()).unwrap();
        }
    }
}
