//! The node hierarchy: which meshes are placed where.

use std::path::Path;

use glam::{Affine3A, Mat4, Quat, Vec3};

use super::json::{Node, Root};
use super::lights;
use crate::scene::builder::SceneBuilder;
use crate::scene::config::Limits;
use crate::scene::error::SceneError;

/// A mesh at its place.
pub(super) struct Placement {
    /// Index into the file's meshes.
    pub(super) mesh: usize,
    /// From mesh coordinates to the scene's world.
    pub(super) world_from_mesh: Affine3A,
    /// 1-based number in the order of the file's hierarchy.
    pub(super) instance: u32,
}

/// Walks the default scene (or the first; or, in a file without scenes, every root) and lists the placed meshes.
///
/// A node is placed once: the second way to it, in a cycle or through a second parent, is dropped with a warning.
pub(super) fn placements(
    root: &Root<'_>,
    world_from_file: Affine3A,
    limits: &Limits,
    builder: &mut SceneBuilder,
    path: &Path,
) -> Result<Vec<Placement>, SceneError> {
    let mut seen = vec![false; root.nodes.len()];
    let mut placed = Vec::new();
    let mut nodes = 0u64;
    // A stack, not recursion: the file decides how deep it goes. Reversed, so that the order is the file's.
    let mut stack: Vec<(usize, Affine3A)> = roots(root, builder, path)?
        .into_iter()
        .rev()
        .map(|node| (node, world_from_file))
        .collect();
    while let Some((index, world_from_parent)) = stack.pop() {
        let node = root.nodes.get(index).ok_or_else(|| {
            SceneError::malformed(
                path,
                format!("node {index} is named but there are {}", root.nodes.len()),
            )
        })?;
        if std::mem::replace(&mut seen[index], true) {
            builder.warn(format!("node {index} has more than one parent: placed once"));
            continue;
        }
        nodes += 1;
        if nodes > limits.max_nodes {
            return Err(SceneError::TooLarge {
                what: format!("a scene of {nodes} nodes or more"),
                limit: "limits.max_nodes",
                allowed: limits.max_nodes,
                path: path.to_owned(),
            });
        }
        let world_from_node = world_from_parent * local(node);
        if node.extensions.instancing.is_some() {
            builder.warn("EXT_mesh_gpu_instancing is ignored: instanced meshes are drawn once");
        }
        if let Some(mesh) = node.mesh {
            if node.skin.is_some() {
                builder.warn("skins are ignored: skinned meshes are drawn in their bind shape");
            }
            placed.push(Placement {
                mesh,
                world_from_mesh: world_from_node,
                instance: placed.len() as u32 + 1,
            });
        }
        if let Some(reference) = &node.extensions.light {
            lights::place(root, reference.light, world_from_node, builder);
        }
        stack.extend(node.children.iter().rev().map(|&child| (child, world_from_node)));
    }
    Ok(placed)
}

fn roots(root: &Root<'_>, builder: &mut SceneBuilder, path: &Path) -> Result<Vec<usize>, SceneError> {
    if root.scenes.is_empty() {
        let mut is_child = vec![false; root.nodes.len()];
        for &child in root.nodes.iter().flat_map(|n| &n.children) {
            if let Some(slot) = is_child.get_mut(child) {
                *slot = true;
            }
        }
        return Ok((0..root.nodes.len()).filter(|&n| !is_child[n]).collect());
    }
    let chosen = root.scene.unwrap_or(0);
    if root.scenes.len() > 1 {
        builder.warn(format!(
            "the file has {} scenes: scene {chosen} is read",
            root.scenes.len()
        ));
    }
    match root.scenes.get(chosen) {
        Some(scene) => Ok(scene.nodes.clone()),
        None => Err(SceneError::malformed(
            path,
            format!("scene {chosen} is the default but there are {}", root.scenes.len()),
        )),
    }
}

fn local(node: &Node) -> Affine3A {
    if let Some(matrix) = &node.matrix {
        return Affine3A::from_mat4(Mat4::from_cols_array(matrix));
    }
    let rotation = node.rotation.map_or(Quat::IDENTITY, Quat::from_array);
    // Writers round; a quaternion far from unit length would scale.
    let rotation = if rotation.length_squared() > 0.0 {
        rotation.normalize()
    } else {
        Quat::IDENTITY
    };
    Affine3A::from_scale_rotation_translation(
        node.scale.map_or(Vec3::ONE, Vec3::from),
        rotation,
        node.translation.map_or(Vec3::ZERO, Vec3::from),
    )
}
