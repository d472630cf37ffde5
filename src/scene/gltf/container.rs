//! From bytes to JSON: the GLB container, limits on what the JSON may hold, the version.

use std::path::Path;

use super::json::Root;
use crate::scene::error::SceneError;

const MAGIC: &[u8; 4] = b"glTF";
const JSON_CHUNK: u32 = 0x4E4F_534A;
const BIN_CHUNK: u32 = 0x004E_4942;

/// JSON objects in a file. A short object may take hundreds of bytes in memory, so they are counted beforehand.
const MAX_OBJECTS: usize = 2_000_000;
/// Commas in the JSON, which bound the numbers in its lists.
const MAX_COMMAS: usize = 64_000_000;

/// True for bytes that begin like a GLB.
pub(in crate::scene) fn is_glb(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Splits a GLB into its JSON and its binary chunk; anything else is JSON as a whole.
pub(super) fn split<'a>(bytes: &'a [u8], path: &Path) -> Result<(&'a [u8], Option<&'a [u8]>), SceneError> {
    if !is_glb(bytes) {
        // Some tools write a byte order mark.
        return Ok((bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes), None));
    }
    let word = |at: usize| -> Option<u32> { Some(u32::from_le_bytes(*bytes.get(at..at + 4)?.first_chunk()?)) };
    let truncated = || SceneError::malformed(path, format!("the GLB ends early, after {} bytes", bytes.len()));
    let version = word(4).ok_or_else(truncated)?;
    if version != 2 {
        return Err(wrong_version(&version.to_string(), path));
    }
    let length = word(8).ok_or_else(truncated)? as usize;
    if bytes.len() < length {
        return Err(SceneError::malformed(
            path,
            format!("the GLB ends early: {} of {length} bytes are there", bytes.len()),
        ));
    }
    let (mut json, mut bin) = (None, None);
    let mut at = 12;
    while at + 8 <= length {
        let size = word(at).ok_or_else(truncated)? as usize;
        let kind = word(at + 4).ok_or_else(truncated)?;
        let chunk = (at + 8)
            .checked_add(size)
            .filter(|&end| end <= length)
            .and_then(|end| bytes.get(at + 8..end))
            .ok_or_else(|| {
                SceneError::malformed(
                    path,
                    format!("the GLB chunk at byte {at} claims {size} bytes, past the end"),
                )
            })?;
        match kind {
            JSON_CHUNK if json.is_none() => json = Some(chunk),
            BIN_CHUNK if bin.is_none() => bin = Some(chunk),
            // Unknown chunks are to be ignored.
            _ => {}
        }
        at += 8 + size;
    }
    let json = json.ok_or_else(|| SceneError::malformed(path, "the GLB has no JSON chunk"))?;
    Ok((json, bin))
}

/// Parses the JSON and checks the version.
pub(super) fn parse<'a>(json: &'a [u8], path: &Path) -> Result<Root<'a>, SceneError> {
    let count = |byte: u8| json.iter().filter(|&&b| b == byte).count();
    let (objects, commas) = (count(b'{'), count(b','));
    if objects > MAX_OBJECTS || commas > MAX_COMMAS {
        return Err(SceneError::malformed(
            path,
            format!(
                "its JSON holds {objects} objects and {commas} commas, more than {MAX_OBJECTS} and {MAX_COMMAS} \
                 that any scene needs"
            ),
        ));
    }
    let text = std::str::from_utf8(json)
        .map_err(|e| SceneError::malformed(path, format!("its JSON is not UTF-8 at byte {}", e.valid_up_to())))?;
    // GLB pads with spaces, some writers with zeros.
    let text = text.trim_end_matches(['\0', ' ', '\n', '\r', '\t']);
    if text.is_empty() {
        return Err(SceneError::malformed(path, "its JSON is empty"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let root: Root<'a> = serde_path_to_error::deserialize(&mut deserializer).map_err(|e| {
        let place = e.path().to_string();
        let place = if place == "." || place == "?" {
            String::new()
        } else {
            format!(" at {place}")
        };
        SceneError::malformed(path, format!("its JSON{place}: {}", e.inner()))
    })?;
    let version = root.asset.min_version.as_ref().unwrap_or(&root.asset.version);
    if version.split('.').next() != Some("2") || root.asset.version.split('.').next() != Some("2") {
        return Err(wrong_version(version, path));
    }
    Ok(root)
}

fn wrong_version(version: &str, path: &Path) -> SceneError {
    SceneError::Unsupported {
        feature: format!("glTF version {:?}", crate::scene::files::shorten(version)),
        advice: "convert it to glTF 2.0".to_owned(),
        path: path.to_owned(),
    }
}
