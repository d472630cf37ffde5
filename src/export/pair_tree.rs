//! The trees that CroCo and DUSt3R read: one folder a scene, numbered views.
//!
//! ```text
//! out/
//!   pairs.txt                             both paths of a pair, relative to this folder, in one line
//!   <scene>/
//!     00000000_1.jpeg  00000000_2.jpeg    JPEG of quality 95
//!     00000000_1_camera_params.json  ...  K with pixel centres at integers, OpenCV axes
//!     00000000_1_depth.exr           ...  metres, or .npy, or none
//!     metadata.json                       poses of all pairs of the scene
//! ```
//!
//! CroCo's `metadata.json` has `multiviews`, by pair: `positions` and `orientations` (quaternion w, x, y, z
//! of Habitat's camera axes: x right, y up, z back), `covisibility_ratios`, `valid_fractions`,
//! `pairwise_visibility_ratios`. DUSt3R's has `view_batches[pair][view]` with the camera of the JSON files
//! and `size`; beside it stands `Habitat_<scenes>_scenes_train.txt`, one `<scene>/<pair>` a line.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::native::RunRecord;
use super::scene_folders::SceneFolders;
use super::staged::{Lines, write};
use super::{DepthFormat, ExportError, PairWriter, PictureFormat, camera_params, encode_picture, json as text};
use crate::view::{Measure, View, ViewPair};

/// Name of the list of pairs.
pub const LIST: &str = "pairs.txt";
/// Name of the poses of a scene.
pub const METADATA: &str = "metadata.json";

/// Whose `metadata.json` a tree has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flavour {
    Croco,
    Dust3r,
}

/// Writes one tree; pairs must come scene by scene.
#[derive(Debug)]
pub(super) struct PairTreeWriter {
    dir: PathBuf,
    flavour: Flavour,
    depth: DepthFormat,
    folders: SceneFolders,
    list: Lines,
    /// DUSt3R's list of scenes and pairs.
    split: Option<Lines>,
    scene: Option<SceneInHand>,
}

#[derive(Debug)]
struct SceneInHand {
    name: String,
    folder: String,
    pairs: Vec<Value>,
}

impl PairTreeWriter {
    /// Starts a tree in an empty folder.
    pub(super) fn new(dir: &Path, flavour: Flavour, depth: DepthFormat, run: &RunRecord) -> Result<Self, ExportError> {
        let split = match flavour {
            Flavour::Croco => None,
            Flavour::Dust3r => {
                let name = format!("Habitat_{}_scenes_train.txt", run.scenes.len());
                Some(Lines::create(dir.join(name))?)
            }
        };
        Ok(Self {
            dir: dir.to_path_buf(),
            flavour,
            depth,
            folders: SceneFolders::of(run),
            list: Lines::create(dir.join(LIST))?,
            split,
            scene: None,
        })
    }

    /// Folder and label of the next pair of a scene.
    fn next(&mut self, scene: &str) -> Result<(String, String), ExportError> {
        if self.scene.as_ref().is_none_or(|s| s.name != scene) {
            self.end_scene()?;
            self.scene = Some(SceneInHand {
                name: scene.into(),
                folder: self.folders.get(scene),
                pairs: Vec::new(),
            });
        }
        let hand = self.scene.as_ref().map(|s| (s.folder.clone(), s.pairs.len()));
        let (folder, number) = hand.unwrap_or_default();
        Ok((folder, format!("{number:08}")))
    }

    fn write_view(&self, stem: &Path, view: &View) -> Result<(), ExportError> {
        let file = |ending: &str| PathBuf::from(format!("{}{ending}", stem.display()));
        write(&file(".jpeg"), &encode_picture(&view.color, PictureFormat::Jpeg)?)?;
        let camera = text::pretty(&camera_params::encode(&view.camera));
        write(&file("_camera_params.json"), camera.as_bytes())?;
        if let Some((extension, bytes)) = self.depth.encode(&view.depth)? {
            write(&file(&format!("_depth.{extension}")), &bytes)?;
        }
        Ok(())
    }

    fn end_scene(&mut self) -> Result<(), ExportError> {
        let Some(scene) = self.scene.take() else { return Ok(()) };
        let mut metadata = Map::from_iter([
            ("scene".to_string(), json!(scene.name)),
            ("scene_dataset_config_file".to_string(), json!("")),
        ]);
        match self.flavour {
            Flavour::Dust3r => metadata.insert("view_batches".into(), Value::Array(scene.pairs)),
            Flavour::Croco => {
                let labelled = scene.pairs.into_iter().enumerate();
                let pairs: Map<_, _> = labelled.map(|(i, pair)| (format!("{i:08}"), pair)).collect();
                metadata.insert("multiviews".into(), Value::Object(pairs))
            }
        };
        let path = self.dir.join(scene.folder).join(METADATA);
        write(&path, text::pretty(&Value::Object(metadata)).as_bytes())
    }
}

impl PairWriter for PairTreeWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let (folder, label) = self.next(&pair.origin.scene)?;
        let stem = |view: u32| format!("{folder}/{label}_{view}");
        for (number, view) in [(1, &pair.first), (2, &pair.second)] {
            self.write_view(&self.dir.join(stem(number)), view)?;
        }
        let record = match self.flavour {
            Flavour::Croco => croco_record(pair),
            Flavour::Dust3r => json!([batch_view(&pair.first), batch_view(&pair.second)]),
        };
        if let Some(scene) = &mut self.scene {
            scene.pairs.push(record);
        }
        if let Some(split) = &mut self.split {
            split.line(&format!("{folder}/{label}"))?;
        }
        self.list.line(&format!("{}.jpeg {}.jpeg", stem(1), stem(2)))
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_scene()?;
        self.list.finish()?;
        self.split.map_or(Ok(()), Lines::finish)
    }
}

/// One pair of CroCo's `metadata.json`.
///
/// The covisibility is CroCo's own measure where the run took it, else the first of true covisibility and the
/// others that was taken; `null` where none was.
fn croco_record(pair: &ViewPair) -> Value {
    let views = [&pair.first, &pair.second];
    let order = [
        Measure::Croco,
        Measure::Covisibility,
        Measure::PatchTruth,
        Measure::Homography,
    ];
    let overlap = order.iter().find_map(|measure| measure.of(&pair.overlaps));
    json!({
        "positions": views.map(|view| view.camera.eye().to_array()),
        "orientations": views.map(|view| camera_params::habitat_orientation(&view.camera)),
        "covisibility_ratios": [Value::from(1.0), overlap.map_or(Value::Null, |o| o.min().into())],
        "valid_fractions": views.map(|view| view.depth.valid_fraction()),
        "pairwise_visibility_ratios": overlap.map_or(Value::Null, |o| {
            json!([[1.0, o.first_to_second], [o.second_to_first, 1.0]])
        }),
    })
}

/// One view of DUSt3R's `view_batches`.
fn batch_view(view: &View) -> Value {
    let mut record = camera_params::encode(&view.camera);
    record["size"] = json!([view.color.width(), view.color.height()]);
    record
}
