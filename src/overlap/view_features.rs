//! What the metric needs of one view, computed once however many pairs it takes part in.

use std::borrow::Cow;
use std::cell::RefCell;

use image::{GrayImage, RgbImage};

use super::config::HomographyOverlapConfig;
use crate::features::gray::gray;
use crate::features::laplacian::laplacian_variance;
use crate::features::matching::DescriptorSet;
use crate::features::resize::resize_bilinear;
use crate::features::sift::{Keypoint, Sift, SiftParams};

/// Width and height in pixels at which views are compared.
pub const WORKING_SIZE: u32 = 224;

/// Keypoints, descriptors and texture of one view at [`WORKING_SIZE`].
#[derive(Debug, Clone, Default)]
pub struct ViewFeatures {
    /// In pixels of the working picture, centres at integers.
    pub keypoints: Vec<Keypoint>,
    /// One a keypoint.
    pub descriptors: DescriptorSet,
    /// Variance of the Laplacian, grey levels squared: what the texture gate looks at.
    pub laplacian_variance: f64,
}

thread_local! {
    /// The pyramid of one picture takes some megabytes; each thread keeps its own for the next picture.
    static WORKSPACE: RefCell<Option<(SiftParams, Sift)>> = const { RefCell::new(None) };
}

/// Features of a picture, resized to [`WORKING_SIZE`] square (bilinear) if it has another size.
pub fn view_features(color: &RgbImage, config: &HomographyOverlapConfig) -> ViewFeatures {
    view_features_of_gray(&gray(&working_picture(color)), config)
}

/// As [`view_features`], of the luma of a picture that has [`WORKING_SIZE`] already.
pub fn view_features_of_gray(gray: &GrayImage, config: &HomographyOverlapConfig) -> ViewFeatures {
    let features = WORKSPACE.with_borrow_mut(|workspace| {
        if workspace.as_ref().is_none_or(|(params, _)| *params != config.sift) {
            *workspace = None;
        }
        let (_, sift) = workspace.get_or_insert_with(|| (config.sift.clone(), Sift::new(config.sift.clone())));
        sift.detect_and_describe(gray)
    });
    ViewFeatures {
        descriptors: DescriptorSet::new(&features.descriptors),
        keypoints: features.keypoints,
        laplacian_variance: laplacian_variance(gray),
    }
}

/// What the texture gate looks at, without keypoints: variance of the Laplacian at [`WORKING_SIZE`], grey levels squared.
pub fn texture(color: &RgbImage) -> f64 {
    laplacian_variance(&gray(&working_picture(color)))
}

/// The picture at [`WORKING_SIZE`]; black when it has no pixels at all.
pub fn working_picture(color: &RgbImage) -> Cow<'_, RgbImage> {
    match color.dimensions() {
        (WORKING_SIZE, WORKING_SIZE) => Cow::Borrowed(color),
        (0, _) | (_, 0) => Cow::Owned(RgbImage::new(WORKING_SIZE, WORKING_SIZE)),
        _ => Cow::Owned(resize_bilinear(color, WORKING_SIZE, WORKING_SIZE)),
    }
}
