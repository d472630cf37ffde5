//! Where stream, renderer and trainer meet: what gives batches to a training run.
//!
//! Pairs on the host become [`PairBatch`]es. Pairs that stayed on the device that trains go
//! from texture to tensor without the host: the ring holds [`GpuImages`] (459 kB a pair at 224 px, 117 MB for 256
//! pairs), a batch names the drawn ones, its tensors are allocated by Burn and filled by one compute pass on the queue
//! that both share.

use std::sync::Arc;

use crate::generate::DevicePair;
use crate::render::{Gpu, GpuImages, PictureWindow, RenderError, TensorBytes, TensorWriter};
use crate::stream::{HostImages, PairBatch, PairImages, PairStream, Placed, SceneSeen, StreamError, StreamPlace};
use crate::train::augment::Framing;
use crate::train::batch::{Batch, ViewTensor, ViewTensors, byte_values};
use crate::train::gpu_batch::{TensorSlot, filled};
use crate::train::{TrainDevice, TrainError};
use crate::view::PairPlace;

/// A stream of pairs as a training run sees it.
pub trait Feed {
    /// What it gives.
    type Batch: Batch;
    /// What its source may fail with.
    type Error: std::error::Error + Send + Sync + 'static;

    /// The next `count` pairs.
    ///
    /// # Errors
    /// The source fails or ends too early.
    fn next(&mut self, count: usize) -> Result<Self::Batch, StreamError<Self::Error>>;

    /// Where it stands, to go on from there after an end.
    fn place(&self) -> StreamPlace;

    /// The scenes whose pairs came so far.
    fn scenes(&self) -> &[SceneSeen];

    /// The scene of the newest pair.
    fn newest_scene(&self) -> Option<&SceneSeen>;
}

impl<E: std::error::Error + Send + Sync + 'static> Feed for PairStream<E, HostImages> {
    type Batch = PairBatch;
    type Error = E;

    fn next(&mut self, count: usize) -> Result<PairBatch, StreamError<E>> {
        self.next_batch(count)
    }

    fn place(&self) -> StreamPlace {
        PairStream::place(self)
    }

    fn scenes(&self) -> &[SceneSeen] {
        PairStream::scenes(self)
    }

    fn newest_scene(&self) -> Option<&SceneSeen> {
        PairStream::newest_scene(self)
    }
}

/// A stream whose pairs lie on the device that trains.
#[derive(Debug)]
pub struct DeviceStream<E> {
    stream: PairStream<E, GpuImages>,
    writer: Arc<TensorWriter>,
}

impl<E: Send + 'static> DeviceStream<E> {
    /// Pairs on `gpu`, which must be the device of the trainer.
    ///
    /// # Errors
    /// The device refuses the compute pass.
    pub fn new(stream: PairStream<E, GpuImages>, gpu: &Gpu) -> Result<Self, RenderError> {
        Ok(Self {
            stream,
            writer: Arc::new(TensorWriter::new(gpu, &byte_values())?),
        })
    }
}

impl<E: std::error::Error + Send + Sync + 'static> Feed for DeviceStream<E> {
    type Batch = DeviceBatch;
    type Error = E;

    fn next(&mut self, count: usize) -> Result<DeviceBatch, StreamError<E>> {
        let pairs = self.stream.draw(count)?;
        Ok(DeviceBatch {
            positions: pairs.iter().map(|pair| pair.place.index).collect(),
            pairs,
            writer: Arc::clone(&self.writer),
        })
    }

    fn place(&self) -> StreamPlace {
        self.stream.place()
    }

    fn scenes(&self) -> &[SceneSeen] {
        self.stream.scenes()
    }

    fn newest_scene(&self) -> Option<&SceneSeen> {
        self.stream.newest_scene()
    }
}

impl PairImages for GpuImages {
    fn sizes(&self) -> [(u32, u32); 2] {
        [(self.side(), self.side()); 2]
    }
}

impl From<(PairPlace, DevicePair)> for Placed<GpuImages> {
    fn from((place, pair): (PairPlace, DevicePair)) -> Self {
        Self {
            place,
            scene: (&pair.origin).into(),
            overlaps: pair.overlaps,
            images: pair.images,
        }
    }
}

/// Drawn pairs on the device, and how they become tensors.
#[derive(Debug, Clone)]
pub struct DeviceBatch {
    /// The pairs, shared with the ring.
    pub pairs: Vec<Arc<Placed<GpuImages>>>,
    positions: Vec<u64>,
    writer: Arc<TensorWriter>,
}

impl DeviceBatch {
    /// The first views (`view` 0) or the references (1) as a tensor.
    fn tensor(
        &self,
        view: usize,
        side: usize,
        swapped: &[bool],
        framing: Framing,
        device: &TrainDevice,
    ) -> Result<ViewTensor, TrainError> {
        let mut windows = Vec::with_capacity(self.pairs.len());
        for (place, (pair, &swap)) in self.pairs.iter().zip(swapped).enumerate() {
            let whole = pair.images.side() as usize;
            let draw = framing.draw([whole; 2], side, place, view);
            if !draw.steps.is_empty() {
                return Err(TrainError::Handover(
                    "colours are not changed on the device: train.augment must be none for pairs that stay there"
                        .to_owned(),
                ));
            }
            windows.push(PictureWindow {
                pair: &pair.images,
                picture: usize::from((view == 1) != swap),
                left: draw.left as u32,
                top: draw.top as u32,
            });
        }
        filled(
            [windows.len(), 3, side, side],
            device,
            |TensorSlot { buffer, offset, size }| {
                let bytes = TensorBytes { buffer, offset, size };
                let written = self.writer.write(&windows, side as u32, &bytes);
                written.map_err(|error| error.to_string())
            },
        )
    }
}

impl Batch for DeviceBatch {
    fn pairs(&self) -> usize {
        self.pairs.len()
    }

    fn positions(&self) -> &[u64] {
        &self.positions
    }

    fn views(
        &self,
        side: usize,
        swapped: &[bool],
        framing: Framing,
        device: &TrainDevice,
    ) -> Result<ViewTensors, TrainError> {
        let sides = self.pairs.iter().map(|pair| pair.images.side() as usize);
        let wrong = sides.into_iter().find(|&whole| !framing.fits([whole; 2], side));
        if wrong.is_some() || swapped.len() != self.pairs.len() {
            let got = wrong.unwrap_or(side);
            return Err(TrainError::BatchShape {
                got_height: got,
                got_width: got,
                want: side,
            });
        }
        Ok(ViewTensors {
            first: self.tensor(0, side, swapped, framing, device)?,
            second: self.tensor(1, side, swapped, framing, device)?,
        })
    }
}
