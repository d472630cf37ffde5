//! The page that holds metrics of overlap against the truth: one HTML file with its plots and pictures.

mod input;
mod page;
mod plots;
mod tables;

pub use input::{ShownBlunder, ValidationInput};
pub use page::{render_validation, write_validation};
