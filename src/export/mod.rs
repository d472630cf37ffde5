//! What leaves the program when asked: one file a format.
//!
//! Nothing here knows scenes or the GPU: views, cameras and pairs come in, files go out.

mod error;
pub mod npy;

pub use error::ExportError;
