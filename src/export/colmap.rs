//! COLMAP models: one a scene, binary and text, with points that are known rather than triangulated.
//!
//! ```text
//! out/<scene>/
//!   images/00000000_1.png 00000000_2.png ...
//!   sparse/0/     cameras.bin images.bin points3D.bin
//!   sparse/text/  cameras.txt images.txt points3D.txt
//! ```
//!
//! Cameras are PINHOLE, pixel centres at +0.5 as COLMAP has them; poses are `cam_from_world` with OpenCV
//! camera axes; the world is metres, Y up. Every eighth pixel of a first view that the second one sees
//! unoccluded is a point with a track of two.

use std::fs::File;
use std::io::{BufWriter, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use glam::DVec2;

use super::camera_params::quaternion;
use super::covisible::{CovisiblePoint, covisible_points};
use super::native::RunRecord;
use super::scene_folders::SceneFolders;
use super::staged::{Lines, write};
use super::{ExportError, PairWriter, PictureFormat, encode_picture};
use crate::camera::{Camera, Intrinsics};
use crate::view::ViewPair;

/// Pixels between points, both ways.
const POINT_STEP: u32 = 8;
/// COLMAP's number of the model with fx, fy, cx, cy.
const PINHOLE: i32 = 1;

/// Writes models; pairs must come scene by scene.
#[derive(Debug)]
pub(super) struct ColmapWriter {
    dir: PathBuf,
    pictures: PictureFormat,
    folders: SceneFolders,
    model: Option<Model>,
}

impl ColmapWriter {
    /// Starts in an empty folder.
    pub(super) fn new(dir: &Path, run: &RunRecord) -> Self {
        Self {
            dir: dir.to_path_buf(),
            pictures: run.pictures,
            folders: SceneFolders::of(run),
            model: None,
        }
    }

    fn end_model(&mut self) -> Result<(), ExportError> {
        self.model.take().map_or(Ok(()), Model::finish)
    }
}

impl PairWriter for ColmapWriter {
    fn write_pair(&mut self, pair: &ViewPair) -> Result<(), ExportError> {
        let scene = &pair.origin.scene;
        if self.model.as_ref().is_none_or(|model| model.scene != *scene) {
            self.end_model()?;
            self.model = Some(Model::start(scene, &self.dir.join(self.folders.get(scene)))?);
        }
        match &mut self.model {
            Some(model) => model.add(pair, self.pictures),
            None => Ok(()),
        }
    }

    fn finish(mut self: Box<Self>) -> Result<(), ExportError> {
        self.end_model()
    }
}

/// The model of the scene in hand.
#[derive(Debug)]
struct Model {
    scene: String,
    dir: PathBuf,
    cameras: Vec<Intrinsics>,
    images: Counted,
    images_text: Lines,
    points: Counted,
    points_text: Lines,
}

impl Model {
    fn start(scene: &str, dir: &Path) -> Result<Self, ExportError> {
        let (binary, text) = (dir.join("sparse/0"), dir.join("sparse/text"));
        let mut images_text = Lines::create(text.join("images.txt"))?;
        images_text.line("# Image list with two lines of data per image:")?;
        images_text.line("#   IMAGE_ID, QW, QX, QY, QZ, TX, TY, TZ, CAMERA_ID, NAME")?;
        images_text.line("#   POINTS2D[] as (X, Y, POINT3D_ID)")?;
        let mut points_text = Lines::create(text.join("points3D.txt"))?;
        points_text.line("# 3D point list with one line of data per point:")?;
        points_text.line("#   POINT3D_ID, X, Y, Z, R, G, B, ERROR, TRACK[] as (IMAGE_ID, POINT2D_IDX)")?;
        Ok(Self {
            scene: scene.into(),
            dir: dir.to_path_buf(),
            cameras: Vec::new(),
            images: Counted::create(binary.join("images.bin"))?,
            images_text,
            points: Counted::create(binary.join("points3D.bin"))?,
            points_text,
        })
    }

    fn add(&mut self, pair: &ViewPair, pictures: PictureFormat) -> Result<(), ExportError> {
        let number = self.images.count / 2;
        let points = covisible_points(&pair.first, &pair.second, POINT_STEP);
        let first_point = self.points.count + 1;
        let first_image = self.images.count + 1;
        let places: [Vec<DVec2>; 2] = [
            points.iter().map(|p| p.first).collect(),
            points.iter().map(|p| p.second).collect(),
        ];
        for (which, view) in [&pair.first, &pair.second].into_iter().enumerate() {
            let name = format!("{number:08}_{}.{}", which + 1, pictures.extension());
            write(
                &self.dir.join("images").join(&name),
                &encode_picture(&view.color, pictures)?,
            )?;
            self.add_image(&view.camera, &name, &places[which], first_point)?;
        }
        for (place, point) in points.iter().enumerate() {
            self.add_point(point, first_point + place as u64, first_image, place)?;
        }
        Ok(())
    }

    /// The number of a camera with these intrinsics, from 1.
    fn camera_id(&mut self, intrinsics: Intrinsics) -> u32 {
        let known = self.cameras.iter().position(|camera| *camera == intrinsics);
        let place = known.unwrap_or_else(|| {
            self.cameras.push(intrinsics);
            self.cameras.len() - 1
        });
        place as u32 + 1
    }

    fn add_image(
        &mut self,
        camera: &Camera,
        name: &str,
        places: &[DVec2],
        first_point: u64,
    ) -> Result<(), ExportError> {
        let camera_id = self.camera_id(camera.intrinsics);
        let id = self.images.count + 1;
        let pose = camera.camera_from_world();
        let q = quaternion(pose.matrix3);
        let t = pose.translation;
        let numbers = [q.w, q.x, q.y, q.z, t.x, t.y, t.z];

        let mut record = Vec::with_capacity(96 + 24 * places.len());
        record.extend_from_slice(&(id as u32).to_le_bytes());
        numbers.iter().for_each(|v| record.extend_from_slice(&v.to_le_bytes()));
        record.extend_from_slice(&camera_id.to_le_bytes());
        record.extend_from_slice(name.as_bytes());
        record.push(0);
        record.extend_from_slice(&(places.len() as u64).to_le_bytes());
        for (place, point) in places.iter().zip(first_point..) {
            record.extend_from_slice(&place.x.to_le_bytes());
            record.extend_from_slice(&place.y.to_le_bytes());
            record.extend_from_slice(&point.to_le_bytes());
        }
        self.images.add(&record)?;

        let pose: Vec<String> = numbers.iter().map(f64::to_string).collect();
        self.images_text
            .line(&format!("{id} {} {camera_id} {name}", pose.join(" ")))?;
        let points: Vec<String> = places
            .iter()
            .zip(first_point..)
            .map(|(place, point)| format!("{} {} {point}", place.x, place.y))
            .collect();
        self.images_text.line(&points.join(" "))
    }

    fn add_point(&mut self, point: &CovisiblePoint, id: u64, image: u64, place: usize) -> Result<(), ExportError> {
        let world = point.world.to_array();
        let mut record = Vec::with_capacity(64);
        record.extend_from_slice(&id.to_le_bytes());
        world.iter().for_each(|v| record.extend_from_slice(&v.to_le_bytes()));
        record.extend_from_slice(&point.color.0);
        record.extend_from_slice(&0f64.to_le_bytes());
        record.extend_from_slice(&2u64.to_le_bytes());
        for image in [image, image + 1] {
            record.extend_from_slice(&(image as u32).to_le_bytes());
            record.extend_from_slice(&(place as u32).to_le_bytes());
        }
        self.points.add(&record)?;
        let [x, y, z] = world;
        let [r, g, b] = point.color.0;
        self.points_text.line(&format!(
            "{id} {x} {y} {z} {r} {g} {b} 0 {image} {place} {} {place}",
            image + 1
        ))
    }

    fn finish(self) -> Result<(), ExportError> {
        let mut binary = Counted::create(self.dir.join("sparse/0/cameras.bin"))?;
        let mut text = Lines::create(self.dir.join("sparse/text/cameras.txt"))?;
        text.line("# Camera list with one line of data per camera:")?;
        text.line("#   CAMERA_ID, MODEL, WIDTH, HEIGHT, PARAMS[]")?;
        for (id, k) in (1u32..).zip(&self.cameras) {
            let mut record = Vec::new();
            record.extend_from_slice(&id.to_le_bytes());
            record.extend_from_slice(&PINHOLE.to_le_bytes());
            record.extend_from_slice(&u64::from(k.width).to_le_bytes());
            record.extend_from_slice(&u64::from(k.height).to_le_bytes());
            for value in [k.fx, k.fy, k.cx, k.cy] {
                record.extend_from_slice(&value.to_le_bytes());
            }
            binary.add(&record)?;
            text.line(&format!(
                "{id} PINHOLE {} {} {} {} {} {}",
                k.width, k.height, k.fx, k.fy, k.cx, k.cy
            ))?;
        }
        binary.finish()?;
        text.finish()?;
        self.images.finish()?;
        self.images_text.finish()?;
        self.points.finish()?;
        self.points_text.finish()
    }
}

/// A binary file that starts with the number of its records, which is known last.
#[derive(Debug)]
struct Counted {
    file: BufWriter<File>,
    path: PathBuf,
    count: u64,
}

impl Counted {
    fn create(path: PathBuf) -> Result<Self, ExportError> {
        write(&path, &0u64.to_le_bytes())?;
        let file = File::options().write(true).open(&path);
        let mut file = BufWriter::new(file.map_err(|e| ExportError::create(&path, e))?);
        file.seek(SeekFrom::End(0)).map_err(|e| ExportError::write(&path, e))?;
        Ok(Self { file, path, count: 0 })
    }

    fn add(&mut self, record: &[u8]) -> Result<(), ExportError> {
        self.count += 1;
        self.file
            .write_all(record)
            .map_err(|e| ExportError::write(&self.path, e))
    }

    fn finish(mut self) -> Result<(), ExportError> {
        self.file
            .seek(SeekFrom::Start(0))
            .and_then(|_| self.file.write_all(&self.count.to_le_bytes()))
            .and_then(|()| self.file.flush())
            .map_err(|e| ExportError::write(&self.path, e))
    }
}
