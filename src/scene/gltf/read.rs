//! Composes the steps of reading a glTF file.

use glam::Affine3A;
use rayon::prelude::*;

use super::accessor::Accessors;
use super::buffers::Buffers;
use super::json::{Root, TextureInfo};
use super::primitive::{Plan, plan};
use super::{container, extensions, material, nodes, textures};
use crate::contain::or_error;
use crate::scene::builder::SceneBuilder;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;
use crate::scene::files::SceneFiles;
use crate::scene::model::{Material, Primitive};

/// A primitive to be read and where it goes.
struct Job<'a> {
    plan: Plan<'a>,
    material: usize,
    world_from_mesh: Affine3A,
    instance: u32,
}

/// Reads a glTF file into `builder`.
pub(in crate::scene) fn read(
    bytes: &[u8],
    world_from_file: Affine3A,
    limits: &Limits,
    files: &mut SceneFiles,
    builder: &mut SceneBuilder,
) -> Result<(), SceneError> {
    let path = files.path.clone();
    let (json, bin) = container::split(bytes, &path)?;
    let root = container::parse(json, &path)?;
    extensions::check(&root, builder, &path)?;
    let buffers = Buffers::load(&root, bin, files)?;
    let accessors = Accessors {
        root: &root,
        buffers: &buffers,
    };

    let default_material = root.materials.len();
    for (index, json) in root.materials.iter().enumerate() {
        let converted = material::convert(index, json, builder);
        builder.scene.materials.push(converted);
    }
    builder.scene.materials.push(Material::default());
    let base_texture =
        |index: usize| -> Option<&TextureInfo> { root.materials.get(index).and_then(material::base_texture) };

    let jobs = jobs(&root, &accessors, world_from_file, limits, builder, files)?;
    let primitives: Vec<Result<Primitive, String>> = jobs
        .par_iter()
        .map(|job| {
            or_error(|| {
                job.plan
                    .read(&accessors, base_texture(job.material), job.world_from_mesh)
            })
        })
        .collect();
    for (job, primitive) in jobs.iter().zip(primitives) {
        let mut primitive = primitive.map_err(|what| SceneError::malformed(&path, what))?;
        if job.material > default_material {
            return Err(SceneError::malformed(
                &path,
                format!("material {} is named but there are {default_material}", job.material),
            ));
        }
        primitive.material = job.material;
        primitive.instance = job.instance;
        builder.add(primitive)?;
    }
    drop(jobs);

    let kept = builder.keep_used_materials();
    let wanted: Vec<Option<&TextureInfo>> = kept.iter().map(|&old| base_texture(old)).collect();
    textures::attach(&root, &buffers, &wanted, files, limits, builder)
}

/// What is to be read, in the file's order, within the limits.
fn jobs<'a>(
    root: &'a Root<'a>,
    accessors: &Accessors<'_>,
    world_from_file: Affine3A,
    limits: &Limits,
    builder: &mut SceneBuilder,
    files: &SceneFiles,
) -> Result<Vec<Job<'a>>, SceneError> {
    let malformed = |what: String| SceneError::malformed(&files.path, what);
    let mut jobs = Vec::new();
    for placed in nodes::placements(root, world_from_file, limits, builder, &files.path)? {
        let mesh = root.meshes.get(placed.mesh).ok_or_else(|| {
            malformed(format!(
                "mesh {} is named but there are {}",
                placed.mesh,
                root.meshes.len()
            ))
        })?;
        for json in &mesh.primitives {
            let plan = plan(json, accessors).map_err(|what| match &mesh.name {
                Some(name) => malformed(format!("mesh {:?}: {what}", crate::scene::files::shorten(name))),
                None => malformed(format!("mesh {}: {what}", placed.mesh)),
            })?;
            let Some(plan) = plan else {
                builder.warn("points, lines and primitives without positions are not drawn");
                continue;
            };
            if !json.targets.is_empty() {
                builder.warn("morph targets are ignored: meshes are drawn in their base shape");
            }
            builder.reserve(plan.vertices, plan.triangles)?;
            jobs.push(Job {
                plan,
                material: json.material.unwrap_or(root.materials.len()),
                world_from_mesh: placed.world_from_mesh,
                instance: placed.instance,
            });
        }
    }
    Ok(jobs)
}
