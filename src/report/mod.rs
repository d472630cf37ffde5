//! Pages: the one that shows a set, the one that shows a training run, and the gallery that shows scenes. Each is one HTML file that holds its pictures, plots
//! and numbers.
//!
//! Nothing on it is loaded from elsewhere, so it can be mailed. It reads on a phone, in light and in
//! dark, with and without scripts.

mod figures;
mod gallery;
mod input;
mod map;
mod page;
mod pair_picture;
mod palette;
mod picture;
pub mod reconstruction;
pub mod run;
mod svg;
mod template;
pub mod validation;

pub use gallery::{DEPTH_BIN_M, DEPTH_BINS, Gallery, GalleryScene, SceneFigures, render_gallery, write_gallery};
pub use input::{PageInput, Reconstruction, ShownPair, TrainingCurve};
pub use page::{render_page, write_page};
pub use pair_picture::{MatchStyle, match_color, pair_picture};
