//! The bytes behind buffers, buffer views and URIs.

use std::borrow::Cow;

use base64::Engine as _;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose};

use super::json::Root;
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
        Ok(Self { buffers })
    }

    /// The bytes of a buffer view.
    pub(super) fn view(&self, root: &Root<'_>, index: usize) -> Result<&[u8], String> {
        let view = root
            .buffer_views
            .get(index)
            .ok_or_else(|| format!("buffer view {index} is named but there are {}", root.buffer_views.len()))?;
        let bytes = self
            .buffers
            .get(view.buffer)
            .ok_or_else(|| format!("buffer {} is named but there are {}", view.buffer, self.buffers.len()))?
            .as_ref()
            .map_err(|why| format!("buffer {}: {why}", view.buffer))?;
        view.byte_offset
            .checked_add(view.byte_length)
            .and_then(|end| bytes.get(view.byte_offset..end))
            .ok_or_else(|| {
                format!(
                    "buffer view {index} wants {} bytes at {} of buffer {}, which has {}",
                    view.byte_length,
                    view.byte_offset,
                    view.buffer,
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
