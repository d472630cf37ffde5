//! `BATCH_VIEW_camera_params.json`: one file a view.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::batches::CameraParams;
use super::{ImportOptions, Imported, PixelCentres, json, listed, position};
use crate::camera::Camera;
use crate::plan::PlanError;

const ENDING: &str = "_camera_params.json";
/// Endings of the picture that may lie beside a camera file.
const PICTURES: [&str; 3] = ["jpeg", "jpg", "png"];

/// Every batch of a folder.
pub fn read_folder(folder: &Path, options: &ImportOptions) -> Result<Imported, PlanError> {
    let mut batches: BTreeMap<(u64, String), Vec<(u64, PathBuf)>> = BTreeMap::new();
    for path in listed(folder)? {
        if let Some((batch, view)) = name(&path) {
            let number = batch.parse().unwrap_or(u64::MAX);
            batches.entry((number, batch)).or_default().push((view, path));
        }
    }
    let mut positions = Vec::new();
    for (place, ((number, _), mut views)) in batches.into_iter().enumerate() {
        views.sort();
        let cameras = views.iter().map(|(_, path)| camera(path, options));
        let cameras = cameras.collect::<Result<Vec<_>, _>>()?;
        let index = if number == u64::MAX { place as u64 } else { number };
        positions.extend(position(index, &cameras));
    }
    if positions.is_empty() {
        let why = format!("the folder holds no two files BATCH_VIEW{ENDING} of one batch");
        return Err(PlanError::malformed(folder, None, why));
    }
    Ok(Imported {
        kind: "camera files",
        scene: None,
        positions,
    })
}

/// The batch of one file: it and its siblings.
pub fn read_batch_of(path: &Path, options: &ImportOptions) -> Result<Imported, PlanError> {
    let folder = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let all = read_folder(folder.unwrap_or(Path::new(".")), options)?;
    let number = name(path).and_then(|(batch, _)| batch.parse::<u64>().ok());
    let positions: Vec<_> = all
        .positions
        .into_iter()
        .filter(|position| Some(position.index) == number)
        .collect();
    if positions.is_empty() {
        let why = format!("name it BATCH_VIEW{ENDING} and lay the other views of the batch beside it");
        return Err(PlanError::malformed(path, None, why));
    }
    Ok(Imported { positions, ..all })
}

/// Batch and view of a file's name.
fn name(path: &Path) -> Option<(String, u64)> {
    let stem = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
    let (batch, view) = stem.rsplit_once('_')?;
    Some((batch.to_owned(), view.parse().ok()?))
}

fn camera(path: &Path, options: &ImportOptions) -> Result<Camera, PlanError> {
    let malformed = |why: String| PlanError::malformed(path, None, why);
    let params = CameraParams::read(&json(path)?).map_err(malformed)?;
    let given = options.width.map(|width| (width, options.height.unwrap_or(width)));
    let size = given.or_else(|| picture_size(path)).unwrap_or_else(|| {
        // Centred, as both programs write it; half a pixel off where centres are integers.
        [params.k[2], params.k[5]]
            .map(|centre| (2.0 * centre + 0.5).round() as u32 & !1)
            .into()
    });
    let centres = options.centres.or(params.centres(size)).unwrap_or(PixelCentres::Half);
    params.camera(size, centres).map_err(malformed)
}

/// Size of the picture beside a camera file.
fn picture_size(path: &Path) -> Option<(u32, u32)> {
    let name = path.file_name()?.to_str()?.strip_suffix(ENDING)?;
    PICTURES
        .iter()
        .find_map(|ending| image::image_dimensions(path.with_file_name(format!("{name}.{ending}"))).ok())
}
