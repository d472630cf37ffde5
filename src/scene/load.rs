//! The one way in: a path becomes a scene.

use std::path::Path;

use glam::Affine3A;

use super::builder::SceneBuilder;
use super::config::{Limits, SceneConfig, Up};
use super::error::SceneError;
use super::files::SceneFiles;
use super::habitat::{habitat_kind, load_habitat};
use super::model::Scene;
use super::up::{guess, world_from_file};
use super::{gltf, obj, ply};
use crate::contain::{contained, said};

enum Kind {
    Gltf,
    Obj,
    Ply,
}

/// Reads a scene file (`.glb`, `.gltf`, `.obj` with its `.mtl`, `.ply`) into world coordinates: metres, Y up; or what
/// a Habitat file describes (`.scene_instance.json`, `.stage_config.json`, `.scene_dataset_config.json#NAME`).
///
/// Nothing outside the file's own folder is read. The scene's hash is BLAKE3 over the main file, then what it refers
/// to: buffers in order, then the images that are used, in order. What was ignored or repaired is in
/// [`Scene::warnings`].
///
/// # Errors
/// [`SceneError`], each with the path: missing or unreadable files, files that break their format, features that are
/// not supported, limits, and a scene without a triangle. Hostile files end in an error or in a sane scene, within
/// the memory that [`super::Limits`] states.
pub fn load(path: impl AsRef<Path>, config: &SceneConfig) -> Result<Scene, SceneError> {
    load_with_up(path, config).map(|(scene, _)| scene)
}

/// As [`load`], and says which axis of the file was taken as up: [`Up::Y`] or [`Up::Z`].
///
/// # Errors
/// As [`load`].
pub fn load_with_up(path: impl AsRef<Path>, config: &SceneConfig) -> Result<(Scene, Up), SceneError> {
    let path = path.as_ref();
    let named = path.to_string_lossy();
    let file = named.rsplit_once('#').map_or(path, |(file, _)| Path::new(file));
    if !path.exists() && habitat_kind(file).is_some() || habitat_kind(path).is_some() {
        return Ok((load_habitat(path, &config.limits)?, Up::Y));
    }
    let (mut files, bytes) = SceneFiles::open(path, &config.limits)?;
    let guess = guess(path, config.up);
    let mut builder = SceneBuilder::new(path, &config.limits);
    let world_from_file = world_from_file(guess.up);
    read_kind(path, &bytes, world_from_file, &config.limits, &mut files, &mut builder)?;
    let mut scene = builder.finish(files.digest())?;
    let up = guess.settle(&mut scene);
    Ok((scene, up))
}

/// Reads one asset of a scene that is put together of several, and says what the limits leave for the others.
pub(super) fn read_asset(
    path: &Path,
    world_from_file: Affine3A,
    limits: &Limits,
) -> Result<(Scene, Limits), SceneError> {
    let (mut files, bytes) = SceneFiles::open(path, limits)?;
    let mut builder = SceneBuilder::new(path, limits);
    read_kind(path, &bytes, world_from_file, limits, &mut files, &mut builder)?;
    let scene = builder.finish(files.digest())?;
    let pixels = scene.textures.iter().map(|t| u64::from(t.width) * u64::from(t.height));
    let left = Limits {
        max_file_bytes: files.bytes_left(),
        max_texture_pixels: limits.max_texture_pixels.saturating_sub(pixels.sum()),
        ..limits.clone()
    };
    Ok((scene, left))
}

fn read_kind(
    path: &Path,
    bytes: &[u8],
    world_from_file: Affine3A,
    limits: &Limits,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let read = match kind(path, bytes)? {
        Kind::Gltf => gltf::read,
        Kind::Obj => obj::read,
        Kind::Ply => ply::read,
    };
    decoded(path, || read(bytes, world_from_file, limits, files, builder))
}

/// Runs a reader with the decoders of other crates below it: a panic in one of them is a file that cannot be read.
fn decoded<T>(path: &Path, read: impl FnOnce() -> Result<T, SceneError>) -> Result<T, SceneError> {
    // What the reader had built is thrown away with the error, so that nothing half-done is seen.
    contained(read).unwrap_or_else(|panic| {
        let what = format!("a decoder gave up on it ({})", super::files::shorten(said(&*panic)));
        Err(SceneError::malformed(path, what))
    })
}

/// The kind of a file: by its first bytes where they tell, else by its suffix.
fn kind(path: &Path, bytes: &[u8]) -> Result<Kind, SceneError> {
    if bytes.is_empty() {
        return Err(SceneError::malformed(path, "it is empty"));
    }
    if gltf::is_glb(bytes) {
        return Ok(Kind::Gltf);
    }
    if bytes.starts_with(b"ply\n") || bytes.starts_with(b"ply\r") {
        return Ok(Kind::Ply);
    }
    let suffix = path.extension().map(|e| e.to_string_lossy().to_lowercase());
    match suffix.as_deref() {
        Some("gltf") => Ok(Kind::Gltf),
        Some("obj") => Ok(Kind::Obj),
        Some("ply") => Ok(Kind::Ply),
        Some("glb") => Err(SceneError::malformed(path, "it does not begin like a GLB")),
        _ => Err(SceneError::UnknownKind {
            what: match suffix {
                Some(suffix) => format!("the suffix is .{suffix}"),
                None => "it has no suffix".to_owned(),
            },
            path: path.to_owned(),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_of_a_decoder_is_a_file_that_cannot_be_read() {
        let path = Path::new("a.glb");
        let panicked = decoded::<()>(path, || panic!("index {} out of range", 7));
        let message = panicked.unwrap_err().to_string();
        assert!(
            message.contains("index 7 out of range") && message.ends_with("a.glb"),
            "{message}"
        );
        assert_eq!(decoded(path, || Ok(3)).unwrap(), 3);
    }
}
