//! `covista show --rerun`: a pair as a recording for the Rerun viewer: the scene, cameras, views with depth,
//! and correspondences.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;

use covista::camera::Camera;
use covista::export::ReadPair;
use covista::report::match_color;
use covista::scene::{Primitive, Scene};
use covista::view::DepthMap;
use glam::{DVec2, DVec3};
use re_chunk::{Chunk, ChunkId, RowId, TimePoint};
use re_log_encoding::{CrateVersion, EncodeError, Encoder, EncodingOptions};
use re_log_types::{LogMsg, SetStoreInfo, StoreId, StoreInfo, StoreSource};
use re_sdk_types::archetypes::{
    DepthImage, Image, LineStrips3D, Mesh3D, Pinhole, Points2D, Points3D, Transform3D, ViewCoordinates,
};
use re_sdk_types::components::{Color, PinholeProjection};
use re_sdk_types::datatypes::{ChannelDatatype, Rgba32};
use re_sdk_types::{AsComponents, components};

use super::common::{ConfigArgs, SceneArgs};
use super::exit::Failure;

/// Correspondences whose rays are drawn in space.
const RAYS: usize = 40;

/// Writes the recording, with the mesh of `scene`, if one is given, read as the configuration says.
pub fn write(out: &Path, pair: &ReadPair, scene: Option<SceneArgs>, config: &ConfigArgs) -> anyhow::Result<()> {
    let failed = |error: &dyn std::fmt::Display| {
        Failure::output(format!("cannot write the recording ({error}): {}", out.display()))
    };
    // Nothing is written where the scene cannot be read.
    let scene = match scene {
        Some(args) => {
            let scene = args.load(&mut config.load()?)?;
            check_scene(&args.scene, &scene, pair)?;
            Some(scene)
        }
        None => None,
    };
    let file = File::create(out).map_err(|error| failed(&error))?;
    let written = Recording::start(BufWriter::new(file), pair).and_then(|mut recording| {
        let logged = log(&mut recording, pair, scene.as_ref());
        recording.finish(logged)
    });
    written.map_err(|error| {
        // What does not fit on a disk is no recording; a device is not removed.
        if out.is_file() {
            let _ = std::fs::remove_file(out);
        }
        failed(&error)
    })
}

/// A recording under way. Ids are counted, and nothing in it has a time.
struct Recording<W: Write> {
    encoder: Encoder<W>,
    store: StoreId,
    rows: u128,
}

impl<W: Write> Recording<W> {
    fn start(out: W, pair: &ReadPair) -> Result<Self, EncodeError> {
        let store = StoreId::recording("covista", format!("{} {}", pair.format, pair.name));
        let mut encoder = Encoder::new_eager(CrateVersion::LOCAL, EncodingOptions::PROTOBUF_COMPRESSED, out)?;
        encoder.append(&LogMsg::SetStoreInfo(SetStoreInfo {
            row_id: RowId::from_u128(1).as_tuid(),
            info: StoreInfo::new(store.clone(), StoreSource::Other("covista".to_owned())),
        }))?;
        Ok(Self {
            encoder,
            store,
            rows: 1,
        })
    }

    /// Says what an entity is, at all times.
    fn log(&mut self, entity: &str, what: &dyn AsComponents) -> Result<(), EncodeError> {
        self.rows += 1;
        let chunk = Chunk::builder_with_id(ChunkId::from_u128(self.rows), entity)
            .with_archetype(RowId::from_u128(self.rows), TimePoint::default(), what)
            .build()?;
        let message = LogMsg::ArrowMsg(self.store.clone(), chunk.to_arrow_msg()?);
        self.encoder.append(&message).map(|_| ())
    }

    /// Ends it, where all was `logged`.
    fn finish(mut self, logged: Result<(), EncodeError>) -> Result<(), EncodeError> {
        let ended = logged
            .and_then(|()| self.encoder.finish())
            .and_then(|()| self.encoder.flush_blocking());
        if ended.is_err() {
            // Dropped as it is, the encoder would try again, and complain again; so does the buffer, in vain and silently.
            drop(self.encoder.into_inner());
        }
        ended
    }
}

/// A pair lies in its own scene only: in another one its views would show nothing of what is around them.
fn check_scene(spec: &str, scene: &Scene, pair: &ReadPair) -> anyhow::Result<()> {
    match &pair.scene_hash {
        Some(hash) if *hash != scene.hash_hex() => Err(Failure::input(format!(
            "the pair was made in another scene: {spec} has the hash {} and the pair's has {hash}; give the scene \
             that the set was made from, read as it was then (--up, --profile, --set)",
            scene.hash_hex()
        ))),
        _ => Ok(()),
    }
}

fn log(recording: &mut Recording<impl Write>, pair: &ReadPair, scene: Option<&Scene>) -> Result<(), EncodeError> {
    recording.log("world", &ViewCoordinates::RIGHT_HAND_Y_UP())?;
    if let Some(scene) = scene {
        log_scene(recording, scene)?;
    }
    for (place, name) in ["first", "second"].into_iter().enumerate() {
        let entity = format!("world/{name}");
        let picture = &pair.pictures[place];
        let size = [picture.width(), picture.height()];
        if let Some(cameras) = &pair.cameras {
            log_camera(recording, &entity, &cameras[place])?;
        }
        let image = Image::from_rgb24(picture.as_raw().clone(), size);
        recording.log(&format!("{entity}/image"), &image)?;
        if let Some(depths) = &pair.depths {
            recording.log(&format!("{entity}/depth"), &depth_image(&depths[place]))?;
        }
        let dots = pair.matches.iter().map(|both| both[place].as_vec2().to_array());
        let dots = Points2D::new(dots).with_colors(colors(pair)).with_radii([2.0f32]);
        recording.log(&format!("{entity}/correspondences"), &dots)?;
    }
    log_points(recording, pair)
}

fn log_camera(recording: &mut Recording<impl Write>, entity: &str, camera: &Camera) -> Result<(), EncodeError> {
    let axes = camera.world_from_camera.matrix3.to_cols_array_2d();
    let axes = axes.map(|axis| axis.map(|value| value as f32));
    let pose = Transform3D::from_translation_mat3x3(camera.eye().as_vec3().to_array(), axes);
    recording.log(entity, &pose)?;
    let k = &camera.intrinsics;
    let projection = PinholeProjection::from_focal_length_and_principal_point(
        [k.fx as f32, k.fy as f32],
        [k.cx as f32, k.cy as f32],
    );
    let lens = Pinhole::new(projection)
        .with_resolution([k.width as f32, k.height as f32])
        .with_camera_xyz(components::ViewCoordinates::RDF)
        .with_image_plane_distance(0.3f32);
    recording.log(entity, &lens)
}

fn depth_image(depth: &DepthMap) -> DepthImage {
    let bytes: Vec<u8> = depth.metres.iter().flat_map(|z| z.to_le_bytes()).collect();
    DepthImage::from_data_type_and_bytes(bytes, [depth.width, depth.height], ChannelDatatype::F32).with_meter(1.0f32)
}

/// The surface points of the correspondences, and rays to them from both cameras.
fn log_points(recording: &mut Recording<impl Write>, pair: &ReadPair) -> Result<(), EncodeError> {
    let (Some([first, second]), Some([depth, _])) = (&pair.cameras, &pair.depths) else {
        return Ok(());
    };
    let point = |place: DVec2| -> Option<DVec3> {
        let (x, y) = (place.x as u32, place.y as u32);
        let inside = x < depth.width && y < depth.height;
        let metres = f64::from(if inside { depth.at(x, y) } else { 0.0 });
        (metres > 0.0).then(|| first.unproject(place, metres))
    };
    let found = pair.matches.iter().zip(colors(pair));
    let found: Vec<(DVec3, Color)> = found
        .filter_map(|(both, color)| Some((point(both[0])?, color)))
        .collect();
    let array = |point: DVec3| point.as_vec3().to_array();
    let points = Points3D::new(found.iter().map(|(point, _)| array(*point)))
        .with_colors(found.iter().map(|(_, color)| *color))
        .with_radii([0.02f32]);
    recording.log("world/correspondences", &points)?;
    let step = found.len().div_ceil(RAYS).max(1);
    let rays = || found.iter().step_by(step);
    let strips = LineStrips3D::new(rays().map(|(point, _)| [first.eye(), *point, second.eye()].map(array)))
        .with_colors(rays().map(|(_, color)| *color));
    recording.log("world/rays", &strips)
}

/// One colour a match, the same everywhere.
fn colors(pair: &ReadPair) -> impl Iterator<Item = Color> {
    let size = pair.pictures[0].dimensions();
    pair.matches.iter().map(move |both| {
        let [r, g, b] = match_color(both[0], size).0;
        Color::from_rgb(r, g, b)
    })
}

/// Primitives that become one mesh: a mesh of a recording carries its texture, and many primitives share one.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Surface {
    material: usize,
    has_uvs: bool,
    has_colors: bool,
}

/// One mesh a material, with its texture.
fn log_scene(recording: &mut Recording<impl Write>, scene: &Scene) -> Result<(), EncodeError> {
    let mut surfaces: BTreeMap<Surface, Vec<&Primitive>> = BTreeMap::new();
    for primitive in &scene.primitives {
        let surface = Surface {
            material: primitive.material,
            has_uvs: !primitive.uvs.is_empty(),
            has_colors: !primitive.colors.is_empty(),
        };
        surfaces.entry(surface).or_default().push(primitive);
    }
    let byte = |value: f32| (value.clamp(0.0, 1.0) * 255.0).round() as u8;
    for (number, (surface, primitives)) in surfaces.iter().enumerate() {
        let mut triangles = Vec::new();
        let mut before = 0;
        for primitive in primitives {
            let corners = primitive.indices.chunks_exact(3);
            triangles.extend(corners.map(|t| [t[0] + before, t[1] + before, t[2] + before]));
            before += primitive.positions.len() as u32;
        }
        let positions = primitives.iter().flat_map(|p| p.positions.iter().copied());
        let mut mesh = Mesh3D::new(positions).with_triangle_indices(triangles);
        if surface.has_colors {
            let colors = primitives.iter().flat_map(|p| p.colors.iter());
            mesh = mesh.with_vertex_colors(colors.map(|c| Color::from_rgb(byte(c[0]), byte(c[1]), byte(c[2]))));
        }
        if let Some(material) = scene.materials.get(surface.material) {
            let [r, g, b, _] = material.base_color.map(byte);
            mesh = mesh.with_albedo_factor(Rgba32::from_rgb(r, g, b));
            let texture = material.texture.as_ref().and_then(|t| scene.textures.get(t.texture));
            // A texture that cannot be unpacked leaves its surface plain.
            if let Some((texture, rgba)) = texture.and_then(|t| Some((t, t.rgba().ok()?)))
                && surface.has_uvs
            {
                let image = Image::from_rgba32(rgba.into_owned(), [texture.width, texture.height]);
                mesh = mesh
                    .with_vertex_texcoords(primitives.iter().flat_map(|p| p.uvs.iter().copied()))
                    .with_albedo_texture_image(image);
            }
        }
        recording.log(&format!("world/scene/{number:04}"), &mesh)?;
    }
    Ok(())
}
