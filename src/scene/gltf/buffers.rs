//! The bytes behind buffers, buffer views and URIs.

use std::borrow::Cow;
use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};
use rayon::prelude::*;

use super::json::{Meshopt, MeshoptFilter, MeshoptMode, Root};
use super::meshopt;
use crate::contain::or_error;
use crate::scene::error::SceneError;
use crate::scene::files::{SceneFiles, shorten};

/// Base64 with or without its padding: both are found in files.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The bytes of all buffers. One that is missing is an error only when something reads it.
pub(super) struct Buffers<'a> {
    buffers: Vec<Result<Cow<'a, [u8]>, String>>,
    /// Decompressed buffer views.
    unpacked: BTreeMap<usize, Result<Vec<u8>, String>>,
}

impl<'a> Buffers<'a> {
    /// Reads the buffers in order and hashes the external ones.
    pub(super) fn load(root: &Root<'_>, bin: Option<&'a [u8]>, files: &mut SceneFiles) -> Result<Self, SceneError> {
        let mut buffers = Vec::with_capacity(root.buffers.len());
        for (index, buffer) in root.buffers.iter().enumerate() {
            buffers.push(match (&buffer.uri, index, bin) {
                (Some(uri), _, _) => match read_uri(uri, files) {
                    Ok(bytes) => Ok(Cow::Owned(bytes)),
                    Err(SceneError::MissingPart { reference, .. }) => Err(format!("its file {reference:?} is missing")),
                    Err(other) => return Err(other),
                },
                (None, 0, Some(bin)) => Ok(Cow::Borrowed(bin)),
                _ => Err("it has neither a URI nor a binary chunk".to_owned()),
            });
        }
        let mut loaded = Self {
            buffers,
            unpacked: BTreeMap::new(),
        };
        loaded.unpack(root, files)?;
        Ok(loaded)
    }

    /// Decompresses the views that have no plain bytes. Their size counts as if it were read.
    fn unpack(&mut self, root: &Root<'_>, files: &mut SceneFiles) -> Result<(), SceneError> {
        let mut packed: Vec<(usize, &Meshopt)> = Vec::new();
        for (index, view) in root.buffer_views.iter().enumerate() {
            let extensions = &view.extensions;
            let Some(meshopt) = extensions.khr_meshopt.as_ref().or(extensions.ext_meshopt.as_ref()) else {
                continue;
            };
            if self.view(root, index).is_ok() {
                continue;
            }
            let bytes = (meshopt.count as u64).saturating_mul((meshopt.byte_stride as u64).max(4));
            files.spend(bytes)?;
            packed.push((index, meshopt));
        }
        self.unpacked = packed
            .into_par_iter()
            .map(|(index, meshopt)| (index, or_error(|| self.unpack_view(meshopt))))
            .collect();
        Ok(())
    }

    fn unpack_view(&self, view: &Meshopt) -> Result<Vec<u8>, String> {
        let bytes = self.slice("compressed data", view.buffer, view.byte_offset, view.byte_length)?;
        let narrow = |indices: Vec<u32>| match view.byte_stride {
            2 => Ok(indices.into_iter().flat_map(|i| (i as u16).to_le_bytes()).collect()),
            4 => Ok(indices.into_iter().flat_map(u32::to_le_bytes).collect()),
            other => Err(format!("its indices have a stride of {other}")),
        };
        let mut out = match view.mode {
            MeshoptMode::Attributes => meshopt::attributes(bytes, view.count, view.byte_stride)?,
            MeshoptMode::Triangles => narrow(meshopt::triangles(bytes, view.count)?)?,
            MeshoptMode::Indices => narrow(meshopt::indices(bytes, view.count)?)?,
        };
        match view.filter {
            MeshoptFilter::None => {}
            MeshoptFilter::Exponential => meshopt::exponential(&mut out),
            MeshoptFilter::Color => meshopt::color(&mut out, view.byte_stride)?,
            // Only normals and tangents use these, and those are not read.
            MeshoptFilter::Octahedral | MeshoptFilter::Quaternion => {}
        }
        Ok(out)
    }

    /// The bytes of a buffer view.
    pub(super) fn view(&self, root: &Root<'_>, index: usize) -> Result<&[u8], String> {
        if let Some(unpacked) = self.unpacked.get(&index) {
            let why = |why: &String| format!("buffer view {index}: {why}");
            return unpacked.as_deref().map_err(why);
        }
        let view = root
            .buffer_views
            .get(index)
            .ok_or_else(|| format!("buffer view {index} is named but there are {}", root.buffer_views.len()))?;
        self.slice(
            &format!("buffer view {index}"),
            view.buffer,
            view.byte_offset,
            view.byte_length,
        )
    }

    fn slice(&self, what: &str, buffer: usize, offset: usize, length: usize) -> Result<&[u8], String> {
        let bytes = self
            .buffers
            .get(buffer)
            .ok_or_else(|| format!("buffer {buffer} is named but there are {}", self.buffers.len()))?
            .as_ref()
            .map_err(|why| format!("buffer {buffer}: {why}"))?;
        offset
            .checked_add(length)
            .and_then(|end| bytes.get(offset..end))
            .ok_or_else(|| {
                format!(
                    "{what} wants {length} bytes at {offset} of buffer {buffer}, which has {}",
                    bytes.len()
                )
            })
    }
}

/// The bytes of a data URI or of a file beside the scene; hashed when they come from a file.
pub(super) fn read_uri(uri: &str, files: &mut SceneFiles) -> Result<Vec<u8>, SceneError> {
    if let Some(rest) = uri.strip_prefix("data:") {
        let bytes = data_uri(rest).map_err(|what| SceneError::malformed(&files.path, what))?;
        files.spend(bytes.len() as u64)?;
        return Ok(bytes);
    }
    if uri.contains("://") {
        return Err(SceneError::OutsideFolder {
            reference: shorten(uri),
            path: files.path.clone(),
        });
    }
    let bytes = files.read(uri)?;
    files.hash(&bytes);
    Ok(bytes)
}

fn data_uri(rest: &str) -> Result<Vec<u8>, String> {
    let (kind, payload) = rest.split_once(',').ok_or("a data URI has no comma")?;
    if !kind.ends_with(";base64") {
        return Err(format!("a data URI is not base64 ({:?})", shorten(kind)));
    }
    let decoded = BASE64.decode(payload);
    // The URL-safe alphabet is a common mistake.
    decoded
        .or_else(|_| general_purpose::URL_SAFE_NO_PAD.decode(payload.trim_end_matches('=')))
        .map_err(|e| format!("a data URI is not valid base64: {e}"))
}
