//! Procedural textures. A [`Recipe`] says what to paint and how large it is; painting is a pure
//! function of the recipe and its own random stream, so textures are made in parallel.

mod fabrics;
mod floors;
mod pictures;
mod prints;
mod recipe;
mod stuff;
mod walls;

pub(super) use fabrics::{Cloth, RugStyle};
pub(super) use prints::{LABEL_GRID, PICTURE_GRID, SPINE_GRID};
pub(super) use recipe::Recipe;
pub(super) use walls::Paper;
