//! What `torch.save` writes: a zip archive of one pickle and the bytes of its tensors.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek, SeekFrom};

use zip::{CompressionMethod, ZipArchive};

use super::checkpoint::{Checkpoint, Format, Stated};
use super::pickle::{Id, MAX_BYTES, Node, Pickle};
use super::tensor_ref::{Found, TensorRef, tensor_ref};
use crate::train::croco::PositionCode;
use crate::train::params::NamedTensor;

/// Bytes of numbers that may be read, per byte of the file: half-precision files take 2, tied weights a little more.
const GROWTH: u64 = 4;
/// Smallest entry of a zip archive's directory, bytes.
const DIRECTORY_ENTRY: u64 = 46;

/// The weights in the archive `file` of `length` bytes.
pub(super) fn read<R: Read + Seek>(mut file: R, length: u64) -> Result<Checkpoint, String> {
    check_directory(&mut file, length)?;
    let mut archive = ZipArchive::new(file).map_err(|error| format!("the zip archive is damaged: {error}"))?;
    let name = archive
        .file_names()
        .filter(|name| *name == "data.pkl" || name.ends_with("/data.pkl"))
        .min_by_key(|name| name.len());
    let name = name
        .ok_or("the zip archive has no data.pkl: torch.save did not write it")?
        .to_owned();
    let prefix = name.trim_end_matches("data.pkl").to_owned();
    let bytes = entry(&mut archive, &name, length.min(MAX_BYTES as u64))?;
    let order = format!("{prefix}byteorder");
    let big_endian = match archive.index_for_name(&order) {
        Some(_) => entry(&mut archive, &order, length)?.starts_with(b"big"),
        None => false,
    };
    let pickle = Pickle::read(&bytes).map_err(|error| format!("its pickle is damaged: {error}"))?;
    let place = state_dict(&pickle)?;
    let mut found = Checkpoint {
        format: Format::Torch,
        tensors: Vec::new(),
        elements: BTreeMap::new(),
        under: place.under.clone(),
        besides: besides(&pickle, &place),
        stated: stated(&pickle)?,
    };
    let mut wanted: BTreeMap<String, Vec<(String, TensorRef)>> = BTreeMap::new();
    let mut total = 0u64;
    for &(key, value) in pickle.entries(place.dict).unwrap_or_default() {
        let Some(key) = pickle.text(key) else { continue };
        match tensor_ref(&pickle, value).map_err(|reason| format!("tensor {key}: {reason}"))? {
            Found::Tensor(tensor) => {
                total = total.saturating_add(tensor.count().saturating_mul(4));
                if total > GROWTH.saturating_mul(length) {
                    return Err(format!("tensor {key}: the tensors are far larger than the file"));
                }
                *found.elements.entry(tensor.kind).or_default() += 1;
                let name = key.strip_prefix("module.").unwrap_or(key).to_owned();
                wanted.entry(tensor.storage.clone()).or_default().push((name, tensor));
            }
            Found::OtherType(kind) => found.besides.push(format!("{key}: tensor of {kind}")),
            Found::Nothing => found.besides.push(format!("{key}: {}", describe(&pickle, value))),
        }
    }
    for (storage, tensors) in wanted {
        let bytes = entry(&mut archive, &format!("{prefix}data/{storage}"), length)?;
        for (name, tensor) in tensors {
            let values = tensor.values(&bytes, big_endian);
            found.tensors.push(NamedTensor {
                values: values.map_err(|reason| format!("tensor {name}: {reason}"))?,
                shape: tensor.shape,
                name,
            });
        }
    }
    found.tensors.sort_by(|a, b| a.name.cmp(&b.name));
    let names: BTreeSet<&str> = found.tensors.iter().map(|tensor| tensor.name.as_str()).collect();
    if names.len() < found.tensors.len() {
        return Err("two tensors have one name".into());
    }
    Ok(found)
}

/// Refuses a directory that claims more entries than fit into the file, for which memory would be set aside.
fn check_directory<R: Read + Seek>(file: &mut R, length: u64) -> Result<(), String> {
    let damaged = |error: std::io::Error| format!("the zip archive cannot be read: {error}");
    // The end record of 22 bytes, a comment of at most 65,535; before it the locator (20) and record (56) of zip64.
    let tail_length = length.min(22 + 65_535 + 20 + 56);
    file.seek(SeekFrom::Start(length - tail_length)).map_err(damaged)?;
    let mut tail = Vec::new();
    file.take(tail_length).read_to_end(&mut tail).map_err(damaged)?;
    let unsigned = |at: usize, width: usize| -> Option<u64> {
        let bytes = tail.get(at..at.checked_add(width)?)?;
        Some(bytes.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    };
    let signed = |mark: &'static [u8; 4]| tail.windows(4).enumerate().filter(move |(_, four)| *four == mark);
    // Each record tells the number twice: of this disk and of all.
    let classic = signed(b"PK\x05\x06").flat_map(|(at, _)| [unsigned(at + 8, 2), unsigned(at + 10, 2)]);
    let classic = classic.flatten().filter(|&count| count < 0xffff);
    let large = signed(b"PK\x06\x06").flat_map(|(at, _)| [unsigned(at + 24, 8), unsigned(at + 32, 8)]);
    let large = large.flatten();
    match classic.chain(large).max() {
        Some(count) if count.saturating_mul(DIRECTORY_ENTRY) > length => {
            Err(format!("the zip archive is damaged: it claims {count} entries"))
        }
        _ => Ok(()),
    }
}

/// The bytes of one entry, of which there may be `limit`.
fn entry<R: Read + Seek>(archive: &mut ZipArchive<R>, name: &str, limit: u64) -> Result<Vec<u8>, String> {
    let failed = |error: &dyn std::fmt::Display| format!("{name} in the zip archive: {error}");
    let file = archive.by_name(name).map_err(|error| failed(&error))?;
    if file.compression() != CompressionMethod::Stored {
        return Err(failed(&"it is compressed, which torch.save does not do"));
    }
    let size = file.size();
    if size > limit {
        return Err(failed(&format!("it claims {size} bytes")));
    }
    let mut bytes = Vec::with_capacity(size as usize);
    file.take(size)
        .read_to_end(&mut bytes)
        .map_err(|error| failed(&error))?;
    Ok(bytes)
}

struct Place {
    dict: Id,
    under: Option<String>,
}

/// The dictionary of the model's tensors: the whole file, or what lies under a usual key.
fn state_dict(pickle: &Pickle<'_>) -> Result<Place, String> {
    let root = pickle.root();
    let holds_tensors = |id: Id| {
        let entries = pickle.entries(id).unwrap_or_default();
        entries
            .iter()
            .any(|&(_, value)| matches!(tensor_ref(pickle, value), Ok(Found::Tensor(_)) | Err(_)))
    };
    for key in ["model", "state_dict", "model_state_dict"] {
        if let Some(dict) = pickle.value(root, key)
            && holds_tensors(dict)
        {
            return Ok(Place {
                dict,
                under: Some(key.to_owned()),
            });
        }
    }
    if holds_tensors(root) {
        return Ok(Place {
            dict: root,
            under: None,
        });
    }
    Err(format!(
        "it holds no dictionary of tensors, neither at the top nor under `model`; it holds {}",
        describe(pickle, root)
    ))
}

/// What lies beside the model at the top of the file.
fn besides(pickle: &Pickle<'_>, place: &Place) -> Vec<String> {
    if place.under.is_none() {
        return Vec::new();
    }
    let entries = pickle.entries(pickle.root()).unwrap_or_default().iter();
    entries
        .filter(|(_, value)| *value != place.dict)
        .take(64)
        .map(|&(key, value)| format!("{}: {}", pickle.text(key).unwrap_or("?"), describe(pickle, value)))
        .collect()
}

/// A value in a few words.
fn describe(pickle: &Pickle<'_>, id: Id) -> String {
    match pickle.get(id) {
        Node::Dict(entries) => format!("dictionary of {}", entries.len()),
        Node::List(parts) | Node::Tuple(parts) => format!("list of {}", parts.len()),
        Node::Call(call) => {
            let (module, name) = pickle.global(call.callee).unwrap_or(("?", "?"));
            let fields = call.state.and_then(|state| pickle.entries(state));
            match fields {
                Some(fields) => format!("{module}.{name} with {} fields", fields.len()),
                None => format!("{module}.{name}"),
            }
        }
        Node::Text(text) => text.chars().take(80).collect(),
        Node::Int(value) => value.to_string(),
        Node::Float(value) => value.to_string(),
        Node::Bool(value) => value.to_string(),
        Node::None => "None".into(),
        Node::Long(_) | Node::Bytes(_) | Node::Global(..) | Node::Persistent(_) => "another value".into(),
    }
}

/// What `croco_kwargs` says, where there is one.
fn stated(pickle: &Pickle<'_>) -> Result<Stated, String> {
    let Some(kwargs) = pickle.value(pickle.root(), "croco_kwargs") else {
        return Ok(Stated::default());
    };
    let number = |key: &str| {
        let id = pickle.value(kwargs, key)?;
        // The image's size may be a pair.
        let id = pickle.parts(id).and_then(|parts| parts.first().copied()).unwrap_or(id);
        match *pickle.get(id) {
            Node::Int(value) => usize::try_from(value).ok().filter(|value| (1..=65_536).contains(value)),
            _ => None,
        }
    };
    let pos = match pickle.value(kwargs, "pos_embed").and_then(|id| pickle.text(id)) {
        None => None,
        Some("cosine") => Some(PositionCode::Cosine),
        Some("RoPE100") => Some(PositionCode::Rope),
        Some(other) => {
            return Err(format!(
                "position code `{other}` is not supported: cosine and RoPE100 are"
            ));
        }
    };
    Ok(Stated {
        config: None,
        encoder_heads: number("enc_num_heads"),
        decoder_heads: number("dec_num_heads"),
        pos,
        image: number("img_size"),
    })
}
