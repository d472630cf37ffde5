//! Reading and writing safetensors.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use safetensors::SafeTensors;
use safetensors::tensor::{Dtype, TensorView};

use super::checkpoint::{Checkpoint, Format, Stated};
use super::element::ElementType;
use crate::train::croco::CrocoConfig;
use crate::train::error::TrainError;
use crate::train::params::NamedTensor;

/// Key of the model's description in the file's metadata.
const CONFIG: &str = "covista";

/// The tensors of a file.
pub(super) fn read(bytes: &[u8]) -> Result<Checkpoint, String> {
    let file = SafeTensors::deserialize(bytes).map_err(|error| error.to_string())?;
    let (_, header) = SafeTensors::read_metadata(bytes).map_err(|error| error.to_string())?;
    let own = header.metadata().as_ref().and_then(|metadata| metadata.get(CONFIG));
    let mut found = Checkpoint {
        format: Format::Safetensors,
        tensors: Vec::new(),
        elements: BTreeMap::new(),
        under: None,
        besides: Vec::new(),
        stated: Stated {
            config: own.and_then(|text| serde_json::from_str(text).ok()),
            ..Default::default()
        },
    };
    for (name, view) in file.tensors() {
        let kind = match view.dtype() {
            Dtype::F32 => ElementType::F32,
            Dtype::F64 => ElementType::F64,
            Dtype::F16 => ElementType::F16,
            Dtype::BF16 => ElementType::Bf16,
            other => {
                found
                    .besides
                    .push(format!("{name}: {other:?} of shape {:?}", view.shape()));
                continue;
            }
        };
        *found.elements.entry(kind).or_default() += 1;
        found.tensors.push(NamedTensor {
            name,
            shape: view.shape().to_vec(),
            values: kind.decode_all(view.data(), false),
        });
    }
    found.tensors.sort_by(|a, b| a.name.cmp(&b.name));
    found.besides.sort();
    Ok(found)
}

/// Writes 32-bit floats, under a temporary name first; `config`, if given, is stated in the file's metadata.
///
/// # Errors
/// The file cannot be written; what stood at `path` is as it was then.
pub fn write(path: &Path, tensors: &[NamedTensor], config: Option<&CrocoConfig>) -> Result<(), TrainError> {
    let failed = |source: std::io::Error| TrainError::Output {
        source,
        path: path.to_owned(),
    };
    let mut views = Vec::with_capacity(tensors.len());
    for tensor in tensors {
        let bytes = bytemuck::cast_slice(&tensor.values);
        let view = TensorView::new(Dtype::F32, tensor.shape.clone(), bytes);
        views.push((
            tensor.name.as_str(),
            view.map_err(|error| failed(std::io::Error::other(error.to_string())))?,
        ));
    }
    let mut metadata = HashMap::from([("format".to_owned(), "pt".to_owned())]);
    if let Some(config) = config {
        let text = serde_json::to_string(config).map_err(|error| failed(error.into()))?;
        metadata.insert(CONFIG.to_owned(), text);
    }
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let temporary = path.with_file_name(format!(".{name}.tmp-{}", std::process::id()));
    let written = safetensors::serialize_to_file(views, Some(metadata), &temporary);
    let written = written.map_err(|error| match error {
        safetensors::SafeTensorError::IoError(source) => source,
        other => std::io::Error::other(other.to_string()),
    });
    written
        .and_then(|()| std::fs::rename(&temporary, path))
        .map_err(|source| {
            // What is half-written is of no use; the error that stopped it is the one to report.
            let _ = std::fs::remove_file(&temporary);
            failed(source)
        })
}
