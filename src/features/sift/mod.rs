//! Scale-invariant features (Lowe 2004), decision for decision those of OpenCV's `SIFT_create()`.
//!
//! The steps, one file each: [`scale_space`](self) builds the pyramid, `detect` finds and fits
//! extrema, `orientation` gives each its directions, `descriptor` describes them. Known quirks of
//! OpenCV that are kept because fixtures and the published metric depend on them: the doubled picture
//! is aligned by pixel area but coordinates are halved as if aligned by centres (a shift of a
//! quarter pixel), the first contrast test uses a truncated threshold, and keypoints come sorted by
//! position.

mod blur;
mod descriptor;
mod detect;
mod extractor;
mod math;
mod orientation;
mod params;
mod patch;
mod plane;
mod quadratic;
mod scale_space;
mod window;

pub use descriptor::Descriptor;
pub use extractor::{Features, Keypoint, Sift};
pub use params::SiftParams;
