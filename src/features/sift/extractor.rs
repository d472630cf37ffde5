//! Keypoints and descriptors of one picture.

use std::cmp::Ordering;

use fearless_simd::Level;
use image::GrayImage;

use super::descriptor::{Descriptor, DescriptorScratch, Frame, GROUP, describe};
use super::detect::{Extremum, extrema};
use super::orientation::orientations;
use super::params::SiftParams;
use super::scale_space::ScaleSpace;

/// A place, a scale and a direction in a picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Keypoint {
    /// Column in pixels, pixel centres at integers.
    pub x: f32,
    /// Row in pixels, pixel centres at integers.
    pub y: f32,
    /// Diameter of the neighbourhood in pixels: twice the scale.
    pub size: f32,
    /// Direction in degrees, [0, 360), clockwise in the picture.
    pub angle_deg: f32,
    /// Contrast at the fitted extremum, in shares of the grey range.
    pub response: f32,
    /// Octave (signed low byte, -1 is the doubled picture), layer (second byte) and layer offset (third), as OpenCV packs them.
    pub octave: i32,
}

/// Keypoints sorted by position, and the descriptor of each.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Features {
    /// Sorted by x, then y, then falling size, then angle.
    pub keypoints: Vec<Keypoint>,
    /// One a keypoint, in the same order.
    pub descriptors: Vec<Descriptor>,
}

/// SIFT with its working memory, which the next picture reuses.
#[derive(Debug)]
pub struct Sift {
    params: SiftParams,
    level: Level,
    space: ScaleSpace,
    extrema: Vec<Extremum>,
    descriptors: Box<DescriptorScratch>,
    /// Keypoints in the order in which they are described.
    order: Vec<u32>,
}

impl Sift {
    /// With the best instruction set of this machine.
    pub fn new(params: SiftParams) -> Self {
        Self::with_level(params, Level::new())
    }

    /// With a chosen instruction set; the results are the same for each.
    pub fn with_level(params: SiftParams, level: Level) -> Self {
        Self {
            params,
            level,
            space: ScaleSpace::default(),
            extrema: Vec::new(),
            descriptors: Box::default(),
            order: Vec::new(),
        }
    }

    /// Keypoints and descriptors of a picture; empty for one too small to have any.
    pub fn detect_and_describe(&mut self, gray: &GrayImage) -> Features {
        if gray.width() == 0 || gray.height() == 0 {
            return Features::default();
        }
        self.space.build(self.level, gray, &self.params);
        let mut keypoints = Vec::new();
        for (index, octave) in self.space.octaves().iter().enumerate() {
            self.extrema.clear();
            extrema(self.level, octave, &self.params, &mut self.extrema);
            for extremum in &self.extrema {
                let base = unoriented(extremum, index, &self.params);
                let scale = base.size * 0.5 / (1u64 << index) as f32;
                let plane = &octave.gauss[extremum.layer];
                let place = (extremum.column, extremum.row);
                orientations(self.level, plane, place, scale, |angle_deg| {
                    keypoints.push(Keypoint { angle_deg, ..base });
                });
            }
        }
        keypoints.sort_by(by_position);
        keypoints.dedup_by(|a, b| (a.x, a.y, a.size, a.angle_deg) == (b.x, b.y, b.size, b.angle_deg));
        for keypoint in &mut keypoints {
            // From the doubled picture to the picture itself.
            keypoint.octave = (keypoint.octave & !255) | ((keypoint.octave - 1) & 255);
            keypoint.x *= 0.5;
            keypoint.y *= 0.5;
            keypoint.size *= 0.5;
        }
        let descriptors = self.describe(&keypoints);
        Features { keypoints, descriptors }
    }

    fn describe(&mut self, keypoints: &[Keypoint]) -> Vec<Descriptor> {
        // Windows of about the same size side by side waste the least.
        let extent = |k: u32| {
            let keypoint = &keypoints[k as usize];
            keypoint.size * scale_of(keypoint)
        };
        self.order.clear();
        self.order.extend(0..keypoints.len() as u32);
        self.order
            .sort_unstable_by(|&a, &b| extent(a).total_cmp(&extent(b)).then(a.cmp(&b)));
        let mut descriptors = vec![[0; _]; keypoints.len()];
        for group in self.order.chunks(GROUP) {
            let places: [_; GROUP] = std::array::from_fn(|i| {
                let keypoint = &keypoints[group[i.min(group.len() - 1)] as usize];
                let octave = (keypoint.octave & 255) as i8;
                let layer = (keypoint.octave >> 8 & 255) as usize;
                (
                    &self.space.octaves()[(octave + 1) as usize].gauss[layer],
                    frame(keypoint),
                )
            });
            let described = describe(self.level, &places[..group.len()], &mut self.descriptors);
            for (&k, descriptor) in group.iter().zip(described) {
                descriptors[k as usize] = descriptor;
            }
        }
        descriptors
    }
}

/// Pixels of a keypoint's plane in one of the picture.
fn scale_of(keypoint: &Keypoint) -> f32 {
    let octave = (keypoint.octave & 255) as i8;
    if octave >= 0 {
        1.0 / (1u64 << octave) as f32
    } else {
        (1u64 << -octave) as f32
    }
}

/// A keypoint in pixels of its plane.
fn frame(keypoint: &Keypoint) -> Frame {
    let scale = scale_of(keypoint);
    let angle = 360.0 - keypoint.angle_deg;
    Frame {
        x: keypoint.x * scale,
        y: keypoint.y * scale,
        scale: keypoint.size * scale * 0.5,
        angle: if (angle - 360.0).abs() < f32::EPSILON {
            0.0
        } else {
            angle
        },
    }
}

/// The keypoint of an extremum of octave `index`, in pixels of the doubled picture, without an angle.
fn unoriented(extremum: &Extremum, index: usize, params: &SiftParams) -> Keypoint {
    let factor = (1u64 << index) as f32;
    let [dx, dy, ds] = extremum.offset;
    let exponent = (extremum.layer as f32 + ds) / params.octave_layers as f32;
    Keypoint {
        x: (extremum.column as f32 + dx) * factor,
        y: (extremum.row as f32 + dy) * factor,
        size: params.sigma as f32 * libm::exp2f(exponent) * factor * 2.0,
        angle_deg: -1.0,
        response: extremum.response,
        octave: index as i32 + ((extremum.layer as i32) << 8) + ((((ds + 0.5) * 255.0).round_ties_even() as i32) << 16),
    }
}

/// OpenCV's order of keypoints, in which it looks for duplicates.
fn by_position(a: &Keypoint, b: &Keypoint) -> Ordering {
    a.x.total_cmp(&b.x)
        .then(a.y.total_cmp(&b.y))
        .then(b.size.total_cmp(&a.size))
        .then(a.angle_deg.total_cmp(&b.angle_deg))
        .then(b.response.total_cmp(&a.response))
        .then(b.octave.cmp(&a.octave))
}
