//! What leaves the program when asked: one file a format.
//!
//! Nothing here knows scenes or the GPU: views, cameras and pairs come in, files go out. A run writes the
//! native format; [`convert`] makes any other from it.

mod batches;
mod camera_params;
mod card;
mod colmap;
mod convert;
mod covisible;
mod depth;
mod error;
mod exr;
mod format;
pub mod json;
pub(crate) mod lines;
pub(crate) mod lock;
pub mod mimic;
pub mod native;
mod nerfstudio;
pub mod npy;
mod pair_tree;
mod pair_writer;
mod parquet;
mod parquet_table;
mod picture;
mod read;
mod scene_folders;
mod staged;
pub mod webdataset;

pub use convert::{CARD, RECORD, convert, describe_folder};
pub use covisible::{CovisiblePoint, covisible_points};
pub use depth::DepthFormat;
pub use error::ExportError;
pub use format::{ExportOptions, Format};
pub use pair_writer::PairWriter;
pub use picture::{PictureFormat, encode_picture};
pub use read::{ReadPair, read_pair};
pub use staged::{StagedFolder, beside, may_write, remove};
