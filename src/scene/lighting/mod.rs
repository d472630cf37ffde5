//! Light.
use super::model::{Primitive, Scene};
/// Lit copies.
pub fn light_primitives(scene: &Scene) -> Vec<Primitive> {
    scene.primitives.clone()
}
