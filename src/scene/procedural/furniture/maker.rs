//! What builds a piece of furniture.

use super::super::mesh::Mesh;
use super::super::style::Kit;
use crate::rng::Rng;

/// What every piece needs to be built.
pub(in super::super) struct Maker<'a> {
    pub(in super::super) mesh: &'a mut Mesh,
    pub(in super::super) kit: &'a Kit,
    pub(in super::super) rng: &'a mut Rng,
}
