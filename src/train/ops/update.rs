//! One AdamW update of one flattened parameter.

use burn::backend::Flex;
use burn::tensor::{Tensor, TensorData};
use rayon::prelude::*;

use super::flex::{self, Host};
use super::kernels::{self, vectorised};

/// Numbers that one task works on: fixed, so that sums do not depend on the number of threads.
const CHUNK: usize = 1 << 16;

/// What all elements of an update share.
#[derive(Debug, Clone, Copy)]
pub struct AdamWFactors {
    /// Multiplies the gradient (clipping, accumulation).
    pub grad_scale: f64,
    /// Decay of the first moment.
    pub beta1: f64,
    /// Decay of the second moment.
    pub beta2: f64,
    /// Added to the root.
    pub eps: f64,
    /// Learning rate over the first moment's bias correction.
    pub rate: f64,
    /// Root of the second moment's bias correction.
    pub root_correction: f64,
    /// `1 - lr * decay`, what is kept of the parameter.
    pub keep: f64,
}

/// New value, first and second moment of a parameter with gradient `grad`; all `[count]`, none recorded.
pub fn adamw_update(
    value: Tensor<1>,
    grad: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    factors: &AdamWFactors,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    if crate::train::device::is_flex(&value.device()) {
        // The tensors move, so that memory nobody else holds is written in place.
        let parts = [value, grad, first, second].map(|tensor| tensor.try_into_primitive::<Flex>());
        if let [Ok(value), Ok(grad), Ok(first), Ok(second)] = parts {
            let updated = in_place(value, &grad, first, second, factors);
            let [value, first, second] = updated.map(Tensor::from_primitive::<Flex>);
            return (value, first, second);
        }
        unreachable!("a tensor on the flex device is not a flex tensor");
    }
    portable(value, grad, first, second, factors)
}

fn portable(
    value: Tensor<1>,
    grad: Tensor<1>,
    first: Tensor<1>,
    second: Tensor<1>,
    factors: &AdamWFactors,
) -> (Tensor<1>, Tensor<1>, Tensor<1>) {
    let grad = grad.mul_scalar(factors.grad_scale);
    let first = first.mul_scalar(factors.beta1) + grad.clone().mul_scalar(1.0 - factors.beta1);
    let second = second.mul_scalar(factors.beta2) + (grad.clone() * grad).mul_scalar(1.0 - factors.beta2);
    let root = second
        .clone()
        .sqrt()
        .div_scalar(factors.root_correction)
        .add_scalar(factors.eps);
    let value = value.mul_scalar(factors.keep) - (first.clone() / root).mul_scalar(factors.rate);
    (value, first, second)
}

fn in_place(value: Host, grad: &Host, first: Host, second: Host, factors: &AdamWFactors) -> [Host; 3] {
    let grad = flex::contiguous(grad);
    let [mut value, mut first, mut second] = [value, first, second].map(flex::writable);
    if std::env::var_os("DBG_UNIQ").is_some() {
        eprintln!(
            "unique {} {} {} {}",
            value.is_unique(),
            grad.is_unique(),
            first.is_unique(),
            second.is_unique()
        );
    }
    let f = factors;
    let [scale, beta1, beta2, eps, rate, correction, keep] =
        [f.grad_scale, f.beta1, f.beta2, f.eps, f.rate, f.root_correction, f.keep].map(|x| x as f32);
    let (rest1, rest2) = ((1.0 - f.beta1) as f32, (1.0 - f.beta2) as f32);
    flex::numbers_mut(&mut value)
        .par_chunks_mut(CHUNK)
        .zip(flex::numbers_mut(&mut first).par_chunks_mut(CHUNK))
        .zip(flex::numbers_mut(&mut second).par_chunks_mut(CHUNK))
        .zip(flex::numbers(&grad).par_chunks(CHUNK))
        .for_each(|(((value, first), second), grad)| {
            vectorised(|| {
                let moments = first.iter_mut().zip(second.iter_mut());
                for ((value, (m, v)), &grad) in value.iter_mut().zip(moments).zip(grad) {
                    let g = grad * scale;
                    *m = *m * beta1 + g * rest1;
                    *v = *v * beta2 + g * g * rest2;
                    *value = *value * keep - *m / (v.sqrt() / correction + eps) * rate;
                }
            });
        });
    [value, first, second]
}

/// Sum of squares of `[count]`, as `[1]`; not recorded.
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    if crate::train::device::is_flex(&x.device())
        && let Ok(host) = x.clone().try_into_primitive::<Flex>()
    {
        let host = flex::contiguous(&host);
        let parts: Vec<f32> = flex::numbers(&host)
            .par_chunks(CHUNK)
            .map(|part| vectorised(|| kernels::sum(|i| part[i] * part[i], part.len())))
            .collect();
        let total = parts.into_iter().map(f64::from).sum::<f64>() as f32;
        return Tensor::from_data(TensorData::new(vec![total], [1]), &burn::tensor::Device::flex());
    }
    (x.clone() * x).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::Device;

    #[test]
    fn in_place_and_portable_updates_agree() {
        let tensor = |phase: f32| {
            let values: Vec<f32> = (0..1000).map(|i| (i as f32 * 0.3 + phase).sin().abs()).collect();
            Tensor::<1>::from_data(TensorData::new(values, [1000]), &Device::flex())
        };
        let factors = AdamWFactors {
            grad_scale: 0.5,
            beta1: 0.9,
            beta2: 0.95,
            eps: 1e-8,
            rate: 1e-2,
            root_correction: 0.7,
            keep: 0.999,
        };
        let ours = adamw_update(tensor(0.0), tensor(1.0), tensor(2.0), tensor(3.0), &factors);
        let theirs = portable(tensor(0.0), tensor(1.0), tensor(2.0), tensor(3.0), &factors);
        for (a, b) in [(ours.0, theirs.0), (ours.1, theirs.1), (ours.2, theirs.2)] {
            let off: f32 = (a - b).abs().max().into_scalar();
            assert!(off < 1e-6, "{off}");
        }
    }

    #[test]
    fn the_sum_of_squares_is_that() {
        let x = Tensor::<1>::from_floats([3.0, -4.0, 12.0], &Device::flex());
        assert_eq!(sum_of_squares(x).into_scalar::<f32>(), 169.0);
    }
}
