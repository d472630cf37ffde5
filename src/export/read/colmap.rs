//! A pair of a COLMAP model, text or binary: images `2 i + 1` and `2 i + 2`, and the points that both see.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use glam::{DAffine3, DQuat, DVec2, DVec3};

use super::{ReadPair, bytes, listed, no_such_pair, picture, text};
use crate::camera::{Camera, Intrinsics};
use crate::export::{ExportError, Format};

/// An image of a model.
struct Registered {
    camera: u64,
    name: String,
    camera_from_world: DAffine3,
    /// Places by point.
    points: BTreeMap<u64, DVec2>,
}

struct Model {
    cameras: BTreeMap<u64, Intrinsics>,
    images: BTreeMap<u64, Registered>,
}

pub(super) fn read(dir: &Path, index: u64) -> Result<ReadPair, ExportError> {
    let mut before = 0;
    let mut found = None;
    for (model_dir, pictures) in models(dir)? {
        let model = match model_dir.join("images.bin").exists() {
            true => Model::binary(&model_dir)?,
            false => Model::text(&model_dir)?,
        };
        let pairs = model.images.len() as u64 / 2;
        if (before..before + pairs).contains(&index) {
            let place = (index - before) as usize;
            let ids: Vec<u64> = model.images.keys().copied().skip(2 * place).take(2).collect();
            found = Some(of_images(&model_dir, &pictures, &model, [ids[0], ids[1]])?);
        }
        before += pairs;
    }
    let mut pair = found.ok_or_else(|| no_such_pair(dir, index, before))?;
    pair.pairs = before;
    Ok(pair)
}

/// Folders of models, each with the folder of its pictures.
fn models(dir: &Path) -> Result<Vec<(PathBuf, PathBuf)>, ExportError> {
    let is_model = |dir: &Path| dir.join("images.bin").exists() || dir.join("images.txt").exists();
    if is_model(dir) {
        let images = dir
            .ancestors()
            .take(3)
            .map(|above| above.join("images"))
            .find(|images| images.is_dir());
        return Ok(vec![(dir.to_path_buf(), images.unwrap_or(dir.join("images")))]);
    }
    let scenes = match dir.join("sparse").is_dir() {
        true => vec![dir.to_path_buf()],
        false => listed(dir, |name| dir.join(name).join("sparse").is_dir())?,
    };
    let of_scene = |scene: PathBuf| {
        let sparse = scene.join("sparse");
        let model = [sparse.join("0"), sparse.join("text"), sparse]
            .into_iter()
            .find(|dir| is_model(dir));
        model.map(|model| (model, scene.join("images")))
    };
    Ok(scenes.into_iter().filter_map(of_scene).collect())
}

fn of_images(dir: &Path, pictures: &Path, model: &Model, ids: [u64; 2]) -> Result<ReadPair, ExportError> {
    let images = ids.map(|id| &model.images[&id]);
    let read = |image: &Registered| picture(&pictures.join(&image.name), &bytes(&pictures.join(&image.name))?);
    let camera = |image: &Registered| {
        let intrinsics = model.cameras.get(&image.camera).copied();
        let intrinsics =
            intrinsics.ok_or_else(|| ExportError::damaged(dir, format!("there is no camera {}", image.camera)))?;
        Ok::<_, ExportError>(Camera {
            intrinsics,
            world_from_camera: image.camera_from_world.inverse(),
        })
    };
    let shared = images[0]
        .points
        .iter()
        .filter_map(|(id, place)| Some([*place, *images[1].points.get(id)?]));
    Ok(ReadPair {
        format: Format::Colmap,
        pairs: 0,
        name: format!("{} images {} and {}", dir.display(), ids[0], ids[1]),
        scene_hash: None,
        pictures: [read(images[0])?, read(images[1])?],
        cameras: Some([camera(images[0])?, camera(images[1])?]),
        depths: None,
        matches: shared.collect(),
        matches_from: "points of the model that both images see",
    })
}

fn pose(numbers: [f64; 7]) -> DAffine3 {
    let [w, x, y, z, tx, ty, tz] = numbers;
    let rotation = DQuat::from_xyzw(x, y, z, w).normalize();
    DAffine3::from_rotation_translation(rotation, DVec3::new(tx, ty, tz))
}

impl Model {
    fn text(dir: &Path) -> Result<Self, ExportError> {
        let lines = |name: &str| -> Result<(PathBuf, Vec<String>), ExportError> {
            let path = dir.join(name);
            let all = text(&path)?;
            // A line of points may be empty, so only comments are left out.
            let lines = all
                .lines()
                .filter(|line| !line.starts_with('#'))
                .map(str::to_string)
                .collect();
            Ok((path, lines))
        };
        let mut cameras = BTreeMap::new();
        let (path, camera_lines) = lines("cameras.txt")?;
        for line in camera_lines.iter().filter(|line| !line.is_empty()) {
            let words: Vec<&str> = line.split_whitespace().collect();
            let numbers = |from: usize| words.get(from..).map(|words| words.iter().map(|w| w.parse::<f64>()));
            let numbers: Option<Vec<f64>> = numbers(2).and_then(|all| all.collect::<Result<_, _>>().ok());
            let camera = match (words.as_slice(), numbers.as_deref()) {
                ([id, "PINHOLE", ..], Some([w, h, fx, fy, cx, cy])) => id
                    .parse()
                    .ok()
                    .map(|id| (id, intrinsics([*fx, *fy, *cx, *cy], *w as u32, *h as u32))),
                _ => None,
            };
            let (id, camera) =
                camera.ok_or_else(|| ExportError::damaged(&path, format!("not a PINHOLE camera: {line}")))?;
            cameras.insert(id, camera);
        }
        let mut images = BTreeMap::new();
        let (path, image_lines) = lines("images.txt")?;
        for pair in image_lines.chunks(2).filter(|pair| !pair[0].is_empty()) {
            let image = image_of_lines(&pair[0], pair.get(1).map_or("", String::as_str));
            let (id, image) = image.ok_or_else(|| ExportError::damaged(&path, format!("not an image: {}", pair[0])))?;
            images.insert(id, image);
        }
        Ok(Self { cameras, images })
    }

    fn binary(dir: &Path) -> Result<Self, ExportError> {
        let path = dir.join("cameras.bin");
        let data = bytes(&path)?;
        let cameras = binary_cameras(&mut Cursor(&data))
            .ok_or_else(|| ExportError::damaged(&path, "the cameras are cut off or not all of the model PINHOLE"))?;
        let path = dir.join("images.bin");
        let data = bytes(&path)?;
        let images = binary_images(&mut Cursor(&data)).ok_or_else(|| ExportError::damaged(&path, "it is cut off"))?;
        Ok(Self { cameras, images })
    }
}

fn intrinsics([fx, fy, cx, cy]: [f64; 4], width: u32, height: u32) -> Intrinsics {
    Intrinsics {
        fx,
        fy,
        cx,
        cy,
        width,
        height,
    }
}

fn image_of_lines(head: &str, points: &str) -> Option<(u64, Registered)> {
    let mut words = head.splitn(10, ' ');
    let id = words.next()?.parse().ok()?;
    let mut numbers = [0.0; 7];
    for number in &mut numbers {
        *number = words.next()?.parse().ok()?;
    }
    let camera = words.next()?.parse().ok()?;
    let name = words.next()?.to_string();
    let words: Vec<&str> = points.split_whitespace().collect();
    let mut places = BTreeMap::new();
    for point in words.chunks_exact(3) {
        // -1 is a place without a point.
        if let Ok(id) = point[2].parse() {
            places.insert(id, DVec2::new(point[0].parse().ok()?, point[1].parse().ok()?));
        }
    }
    let image = Registered {
        camera,
        name,
        camera_from_world: pose(numbers),
        points: places,
    };
    Some((id, image))
}

/// Bytes from the front; `None` where they end.
struct Cursor<'a>(&'a [u8]);

impl Cursor<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (head, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*head)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    fn f64(&mut self) -> Option<f64> {
        self.array().map(f64::from_le_bytes)
    }

    fn f64s<const N: usize>(&mut self) -> Option<[f64; N]> {
        let mut all = [0.0; N];
        for value in &mut all {
            *value = self.f64()?;
        }
        Some(all)
    }

    fn name(&mut self) -> Option<String> {
        let end = self.0.iter().position(|&byte| byte == 0)?;
        let name = String::from_utf8_lossy(&self.0[..end]).into_owned();
        self.0 = &self.0[end + 1..];
        Some(name)
    }
}

fn binary_cameras(data: &mut Cursor<'_>) -> Option<BTreeMap<u64, Intrinsics>> {
    let mut cameras = BTreeMap::new();
    for _ in 0..data.u64()? {
        let id = u64::from(data.u32()?);
        let pinhole = data.u32()? == 1;
        let (width, height) = (data.u64()?, data.u64()?);
        let camera = intrinsics(data.f64s()?, u32::try_from(width).ok()?, u32::try_from(height).ok()?);
        cameras.insert(id, pinhole.then_some(camera)?);
    }
    Some(cameras)
}

fn binary_images(data: &mut Cursor<'_>) -> Option<BTreeMap<u64, Registered>> {
    let mut images = BTreeMap::new();
    for _ in 0..data.u64()? {
        let id = u64::from(data.u32()?);
        let camera_from_world = pose(data.f64s()?);
        let camera = u64::from(data.u32()?);
        let name = data.name()?;
        let mut points = BTreeMap::new();
        for _ in 0..data.u64()? {
            let [x, y] = data.f64s()?;
            points.insert(data.u64()?, DVec2::new(x, y));
        }
        // The number of a place without a point.
        points.remove(&u64::MAX);
        let image = Registered {
            camera,
            name,
            camera_from_world,
            points,
        };
        images.insert(id, image);
    }
    Some(images)
}
