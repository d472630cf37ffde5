//! Several devices of one process: each computes the gradients of whole batches, one device sums them and updates.
//!
//! The sum is taken in the order of the batches, so the number of devices changes nothing but the time (on `flex`, to
//! the last bit). What Burn 0.22 offers beyond this, a reduction between CUDA devices by NCCL, is not used; nothing
//! exchanges gradients between processes.

use burn::module::Module;
use burn::optim::GradientsParams;

use super::batch::ViewTensors;
use super::croco::Croco;
use super::device::TrainDevice;
use super::error::TrainError;
use super::step::Recipe;

/// Loss and gradients of one batch.
type Gradients = Result<(f32, GradientsParams), TrainError>;

/// Copies of a model on devices beside its own.
pub(super) struct Replicas<'a> {
    copies: Vec<(Croco, &'a TrainDevice)>,
}

impl<'a> Replicas<'a> {
    /// Copies the model as it stands.
    pub fn new(model: &Croco, others: &'a [TrainDevice]) -> Self {
        let copy = |device: &'a TrainDevice| (model.clone().fork(device.burn()), device);
        Self {
            copies: others.iter().map(copy).collect(),
        }
    }

    /// Batches that can be at work at the same time.
    pub fn count(&self) -> usize {
        self.copies.len() + 1
    }

    /// Losses and gradients of at most [`Self::count`] batches, given as their tensors and numbers: the first on
    /// `main`, where all gradients are brought. In the order of the batches.
    pub fn run(
        &self,
        model: &Croco,
        main: &TrainDevice,
        recipe: &Recipe,
        tasks: Vec<(ViewTensors, u64)>,
    ) -> Vec<Gradients> {
        if self.copies.is_empty() {
            // Burn orders work by thread: one device alone stays in the caller's.
            let work = tasks.into_iter();
            return work
                .map(|(views, index)| recipe.gradients(model, views, index))
                .collect();
        }
        let copies = self.copies.iter().map(|(copy, device)| (copy.clone(), *device));
        let devices = std::iter::once((model.clone(), main)).chain(copies);
        std::thread::scope(|scope| {
            let threads: Vec<_> = tasks
                .into_iter()
                .zip(devices)
                .map(|((views, index), (copy, device))| {
                    scope.spawn(move || {
                        let there = device.burn().clone().inner();
                        let views = ViewTensors {
                            first: views.first.to_device(&there),
                            second: views.second.to_device(&there),
                        };
                        recipe.gradients(&copy, views, index)
                    })
                })
                .collect();
            let home = main.burn().clone().inner();
            let joined = threads.into_iter().map(|thread| {
                let lost = |_| TrainError::Read("the thread of a device ended by a panic".to_owned());
                let (loss, gradients) = thread.join().map_err(lost).and_then(|outcome| outcome)?;
                Ok((loss, gradients.to_device(&home, model)))
            });
            joined.collect()
        })
    }
}
