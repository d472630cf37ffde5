//! Our kernels against Burn's composed operations: values and every gradient.

use burn::tensor::{Device, Tensor, TensorData};

/// Runs both ways on the same inputs of the given shapes and compares outputs and gradients.
pub fn compare<const N: usize>(
    shapes: [[usize; 3]; N],
    one: impl Fn([Tensor<3>; N]) -> Tensor<3>,
    other: impl Fn([Tensor<3>; N]) -> Tensor<3>,
) {
    let run = |work: &dyn Fn([Tensor<3>; N]) -> Tensor<3>| {
        let device = Device::flex().autodiff();
        let wave = |count: usize, phase: f32| -> Vec<f32> {
            (0..count)
                .map(|i| ((i * 7919 % 1009) as f32 * 0.11 + phase).sin() * 2.0)
                .collect()
        };
        let mut phase = 0.0;
        let inputs = shapes.map(|shape| {
            phase += 1.0;
            let data = TensorData::new(wave(shape.iter().product(), phase), shape);
            Tensor::<3>::from_data(data, &device).require_grad()
        });
        let output = work(inputs.clone());
        let weights = TensorData::new(wave(output.shape().num_elements(), 9.0), output.dims());
        let total = (output.clone() * Tensor::from_data(weights, &device)).sum();
        let grads = total.backward();
        let mut all = vec![output.inner().try_into_vec_as::<f32>().unwrap()];
        for input in &inputs {
            all.push(input.grad(&grads).unwrap().try_into_vec_as::<f32>().unwrap());
        }
        all
    };
    for (i, (a, b)) in run(&one).iter().zip(run(&other)).enumerate() {
        let scale = a.iter().fold(0.0f32, |m, v| m.max(v.abs()));
        let off = a.iter().zip(&b).fold(0.0f32, |m, (a, b)| m.max((a - b).abs()));
        assert!(scale > 0.0 && a.len() == b.len());
        assert!(off < 2e-5 * scale, "tensor {i}: off by {off} of {scale}");
    }
}
