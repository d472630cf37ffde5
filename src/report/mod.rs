//! The page that shows a set: one HTML file that holds its pictures, plots and numbers.
//!
//! Nothing on it is loaded from elsewhere, so it can be mailed. It reads on a phone, in light and in
//! dark, with and without scripts.

mod figures;
mod input;
mod map;
mod page;
mod palette;
mod picture;
mod svg;
pub mod validation;

pub use input::{PageInput, Reconstruction, ShownPair, TrainingCurve};
pub use page::{render_page, write_page};
