//! A file of weights, whoever wrote it.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Error, ErrorKind, Read};
use std::path::Path;

use serde::Serialize;

use super::element::ElementType;
use super::layout::{Hints, Shapes};
use super::{safetensors_file, torch_file};
use crate::train::croco::{CrocoConfig, PositionCode};
use crate::train::error::TrainError;
use crate::train::params::NamedTensor;

/// Kinds of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Format {
    /// What `torch.save` writes since PyTorch 1.6: a zip archive with a pickle.
    Torch,
    /// safetensors.
    Safetensors,
}

/// The weights of a file, in PyTorch's layout, as 32-bit floats.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// Kind of file.
    pub format: Format,
    /// Floating-point tensors of the model.
    pub tensors: Vec<NamedTensor>,
    /// In which element types the file holds them, and how many of each.
    pub elements: BTreeMap<ElementType, usize>,
    /// Where in the file the model lies (`model` of a training checkpoint), if not at the top.
    pub under: Option<String>,
    /// What else the file holds, in words: `optimizer: dictionary of 2`.
    pub besides: Vec<String>,
    /// The file's own statement of its model: what Covista wrote, or CroCo's `croco_kwargs`.
    pub stated: Stated,
}

/// What a file says of its model.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stated {
    /// Covista's own record.
    pub config: Option<CrocoConfig>,
    /// Heads of the encoder.
    pub encoder_heads: Option<usize>,
    /// Heads of the decoder.
    pub decoder_heads: Option<usize>,
    /// Position code.
    pub pos: Option<PositionCode>,
    /// Side of the input, pixels.
    pub image: Option<usize>,
}

impl Checkpoint {
    /// Reads a file of weights; a folder is taken for a run, whose `model.safetensors` is read.
    ///
    /// Memory is bounded by a small multiple of the file's size. Pickles are read as data: nothing in them runs.
    ///
    /// # Errors
    /// The file cannot be read, is damaged, is of another kind, or holds no floating-point tensors.
    pub fn read(path: &Path) -> Result<Self, TrainError> {
        let path = &if path.is_dir() {
            path.join("model.safetensors")
        } else {
            path.to_owned()
        };
        let system = |source| TrainError::Input {
            source,
            path: path.clone(),
        };
        let damaged = |reason: String| system(Error::new(ErrorKind::InvalidData, reason));
        let file = File::open(path).map_err(system)?;
        let length = file.metadata().map_err(system)?.len();
        let mut head = [0; 16];
        let mut got = 0;
        let mut start = (&file).take(16);
        while let Ok(count @ 1..) = start.read(&mut head[got..]) {
            got += count;
        }
        let read = match &head[..got] {
            [b'P', b'K', 3, 4, ..] => {
                torch_file::read(BufReader::new(File::open(path).map_err(system)?), length).map_err(damaged)?
            }
            [0x80, _, 0x8a, 0x0a, ..] => {
                return Err(damaged(
                    "it is of the format before PyTorch 1.6; load it with torch.load and save it again with torch.save"
                        .into(),
                ));
            }
            [_, _, _, _, _, _, 0, 0, b'{', ..] => {
                safetensors_file::read(&std::fs::read(path).map_err(system)?).map_err(damaged)?
            }
            _ => return Err(damaged("it is neither a PyTorch .pth nor a safetensors file".into())),
        };
        if read.tensors.is_empty() {
            return Err(damaged("it holds no floating-point tensors by name".into()));
        }
        Ok(read)
    }

    /// Shapes by name.
    pub fn shapes(&self) -> Shapes {
        let shapes = self.tensors.iter();
        shapes
            .map(|tensor| (tensor.name.clone(), tensor.shape.clone()))
            .collect()
    }

    /// What the file states, where `given` leaves it open.
    pub fn hints(&self, given: &Hints) -> Hints {
        let own = self.stated.config;
        let stated = &self.stated;
        Hints {
            encoder_heads: given
                .encoder_heads
                .or(own.map(|c| c.encoder.heads))
                .or(stated.encoder_heads),
            decoder_heads: given
                .decoder_heads
                .or(own.map(|c| c.decoder.heads))
                .or(stated.decoder_heads),
            pos: given.pos.or(own.map(|c| c.pos)).or(stated.pos),
            image: given.image.or(own.map(|c| c.image)).or(stated.image),
        }
    }
}
