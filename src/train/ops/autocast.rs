//! Matrix products in half precision, everything else in float32: what the field calls autocast.
//!
//! Weights, residuals, norms, softmax and loss stay float32. The casts are recorded, so gradients of the
//! float32 weights come out as float32.

use std::cell::Cell;

use burn::tensor::{FloatDType, Tensor, module};

thread_local! {
    static PRODUCTS: Cell<Option<FloatDType>> = const { Cell::new(None) };
}

/// Runs a forward pass whose matrix products are made in `dtype`; `None`: float32 like all else.
pub fn autocast<T>(dtype: Option<FloatDType>, forward: impl FnOnce() -> T) -> T {
    struct Restore(Option<FloatDType>);
    impl Drop for Restore {
        fn drop(&mut self) {
            PRODUCTS.set(self.0);
        }
    }
    let _restore = Restore(PRODUCTS.replace(dtype));
    forward()
}

/// Whether a forward pass in half precision is under way.
pub(super) fn is_half() -> bool {
    PRODUCTS.get().is_some()
}

/// `x W + b` of `[batch, tokens, inputs]` and `[inputs, outputs]`.
pub fn linear(x: Tensor<3>, weight: Tensor<2>, bias: Tensor<1>) -> Tensor<3> {
    match PRODUCTS.get() {
        None => module::linear(x, weight, Some(bias)),
        Some(half) => {
            let product = module::linear(x.cast(half), weight.cast(half), Some(bias.cast(half)));
            product.cast(FloatDType::F32)
        }
    }
}

/// The matrix product of the last two dimensions.
pub(super) fn product(a: Tensor<4>, b: Tensor<4>) -> Tensor<4> {
    match PRODUCTS.get() {
        None => a.matmul(b),
        Some(half) => a.cast(half).matmul(b.cast(half)).cast(FloatDType::F32),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    #[test]
    fn products_are_rounded_and_gradients_come_back_in_full() {
        let device = Device::flex().autodiff();
        let x = Tensor::<3>::from_data(TensorData::new(vec![1.001f32, -0.3333], [1, 1, 2]), &device);
        let weight = Tensor::<2>::from_data(TensorData::new(vec![0.1f32, 0.7], [2, 1]), &device).require_grad();
        let bias = Tensor::<1>::from_data(TensorData::new(vec![0.0f32], [1]), &device);
        let value = |dtype| {
            let y = autocast(dtype, || linear(x.clone(), weight.clone(), bias.clone()));
            let grads = y.clone().sum().backward();
            let grad: Vec<f32> = weight.grad(&grads).unwrap().try_into_vec_as().unwrap();
            (y.into_scalar::<f32>(), grad)
        };
        let exact = 1.001 * 0.1 - 0.3333 * 0.7;
        let (full, grad) = value(None);
        assert!((full - exact).abs() < 1e-6 && (grad[0] - 1.001).abs() < 1e-6);
        for (dtype, error) in [(FloatDType::BF16, 4e-3), (FloatDType::F16, 1e-3)] {
            let (half, grad) = value(Some(dtype));
            assert!(half != full && (half - full).abs() < error, "{dtype:?}: {half} {full}");
            // The gradient of a weight is its input, rounded to the half type.
            assert!(
                (grad[0] - 1.001).abs() < error && (grad[1] + 0.3333).abs() < error,
                "{grad:?}"
            );
        }
        assert!(!is_half());
    }
}
