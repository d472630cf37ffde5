//! What leaves the program when asked: one file a format.
//!
//! Nothing here knows scenes or the GPU: views, cameras and pairs come in, files go out.

mod error;
pub mod json;
pub mod mimic;
pub mod native;
pub mod npy;
mod picture;
pub mod webdataset;

pub use error::ExportError;
pub use picture::{PictureFormat, encode_picture};
