//! nerfstudio's `transforms.json`, one folder a scene.
//!
//! ```text
//! out/<scene>/
//!   transforms.json
//!   images/00000000_1.png ...
//!   depth/00000000_1.png  ...   16-bit, millimetres: nerfstudio's default unit
//! ```
//!
//! `transform_matrix` takes OpenGL camera axes (x right, y up, z back) to a world that is **Z up**, as
//! nerfstudio has it; `applied_transform` is the turn from this program's Y-up world. `cx`, `cy` have pixel
//! centres at +0.5, which nerfstudio's rays assume. Frames `2 i` and `2 i + 1` are pair `i`.

use std::path::{Path, PathBuf};

use glam::{DMat4, DVec4};
use serde_json::{Value, json};

use super::depth::encode_png_mm;
use super::native::RunRecord;
use super::scene_folders::SceneFolders;
use super::staged::write;
use super::{ExportError, PairWriter, PictureFormat, encode_picture, json as text};
use crate::camera::Camera;
use crate::view::{View, ViewPair};

/// Name of the file with the cameras.
pub const TRANSFORMS: &str = "transforms.json";

/// Z-up world from Y-up world, the upper three rows: x stays, y becomes z, z becomes -y.
const APPLIED: [[f64; 4]; 3] = [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, -1.0, 0.0], [0.0, 1.0, 0.0, 0.0]];

/// The turn of [`APPLIED`].
pub(super) fn z_up_from_y_up() -> DMat4 {
    let [x, y, z] = APPLIED.map(DVec4::from_array);
    DMat4::from_cols(x, y, z, DVec4::W).transpose()
}

/// OpenGL camera axes from OpenCV's, and back.
pub(super) fn flip_y_and_z() -> DMat4 {
    DMat4::from_diagonal(DVec4::new(1.0, -1.0, -1.0, 1.0))
}

/// Writes scenes; pairs must come scene by scene.
#[derive(Debug)]
pub(super) struct NerfstudioWriter {
    dir: PathBuf,
    pictures: PictureFormat,
    folders: SceneFolders,
    scene: Option<(String, Vec<Value>)>,
}

impl NerfstudioWriter {
    /// Starts in an empty folder.
    pub(super) fn new(dir: &Path, run: &RunRecord) -> Self {
        Self {
            dir: dir.to_path_buf(),
            pictures: run.pictures,
            folders: SceneFolders::of(run),
            scene: None,
        }
    }

    fn end_scene(&mut self) -> Result<(), ExportError> {
        let Some((scene, frames)) = self.scene.take() else {
            return Ok(());
        };
        let transforms = json!({
            "camera_model": "OPENCV",
            "k1": 0.0, "k2": 0.0, "p1": 0.0, "p2": 0.0,
            "applied_transform": APPLIED,
            "frames": frames,
        });
        let path = self.dir.join(self.folders.get(&scene)).join(TRANSFORMS);
        write(&path, text::pretty(&transforms).as_bytes())
    }

    fn frame(&self, folder: &Path, stem: &str, view: &View) -> Result<Value, ExportError> {
        let picture = format!("images/{stem}.{}", self.pictures.extension());
        let depth = format!("depth/{stem}.png");
        write(&folder.join(&picture), &encode_picture(&view.color, self.pictures)?)?;
        write(&folder.join(&depth), &encode_png_mm(&view.depth)?)?;
        let k = &view.camera.intrinsics;
        Ok(json!({
            "file_path": picture,
            "depth_file_path": depth,
            "w": k.width, "h": k.height, "fl_x": k.fx, "fl_y": k.fy, "cx": k.cx, "cy": k.cy,
            "transform_matrix": transform_matrix(&view.camera),
        }))
    }
}

/// Rows of the matrix from OpenGL camera axes to the Z-up world.
fn transform_matrix(camera: &Camera) -> [[f64; 4]; 4] {
    let matrix = z_up_from_y_up() * DMat4::from(camera.world_from_camera) * flip_y_and_z();
    matrix.transpose().to_cols_array_2d()
}

impl PairWriter for NerfstudioWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let name = &pair.origin.scene;
        if self.scene.as_ref().is_none_or(|(scene, _)| scene != name) {
            self.end_scene()?;
            self.scene = Some((name.clone(), Vec::new()));
        }
        let folder = self.dir.join(self.folders.get(name));
        let number = self.scene.as_ref().map_or(0, |(_, frames)| frames.len() / 2);
        let first = self.frame(&folder, &format!("{number:08}_1"), &pair.first)?;
        let second = self.frame(&folder, &format!("{number:08}_2"), &pair.second)?;
        if let Some((_, frames)) = &mut self.scene {
            frames.extend([first, second]);
        }
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_scene()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Intrinsics;
    use glam::DVec3;

    #[test]
    fn a_level_camera_has_its_y_axis_along_world_z() {
        let camera = Camera::level(Intrinsics::from_hfov(8, 8, 1.0), DVec3::new(1.0, 2.0, 3.0), 0.0);
        let rows = transform_matrix(&camera);
        // Columns are the camera's axes: right is +x, up is +z, back is (0, -1, 0) since it looks along +y.
        assert_eq!(rows.map(|r| r[0]), [1.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.map(|r| r[1]), [0.0, 0.0, 1.0, 0.0]);
        assert_eq!(rows.map(|r| r[2]), [0.0, -1.0, 0.0, 0.0]);
        assert_eq!(rows.map(|r| r[3]), [1.0, -3.0, 2.0, 1.0]);
    }
}
