//! One AdamW update of one flattened parameter.

use burn::tensor::Tensor;

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

/// New value, first and second moment of a parameter with gradient `grad`; all `[count]`.
pub fn adamw_update(
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

/// Sum of squares of `[count]`, as `[1]`.
pub fn sum_of_squares(x: Tensor<1>) -> Tensor<1> {
    (x.clone() * x).sum()
}
