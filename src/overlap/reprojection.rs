//! Pixels of one view carried into another, with the occlusion test.

use glam::{DAffine3, DMat3, DVec2, DVec3};

use super::geometric_overlap::GeometricOverlapConfig;
use super::patch_votes::{PATCH, PATCH_PIXELS};
use super::surface::Surface;

/// The way from the pixels of one view into the image of another.
#[derive(Debug, Clone, Copy)]
pub struct Reprojection<'a> {
    from: &'a Surface<'a>,
    to: &'a Surface<'a>,
    to_from: DAffine3,
    /// Pixel (x, y, 1) with centres at +0.5 to the direction, in the second camera's frame, whose length along the
    /// first camera's axis is one.
    ray: DMat3,
    tolerance_px: f64,
}

/// What became of the surface point at the centre of a pixel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The pixel shows no surface.
    Hole,
    /// The point does not project into the other image, nor into half a pixel beyond its right and lower border.
    Outside,
    /// The point projects into the other image, which shows something else there.
    Hidden,
    /// The other image shows the point.
    Seen,
}

/// A pixel carried over.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Landing {
    /// What became of it.
    pub fate: Fate,
    /// Where it lands in the second image, pixels with centres at +0.5; undefined for holes and points outside.
    pub pixel: DVec2,
    /// The surface point in the second camera's frame, metres; undefined for holes and whole blocks outside.
    pub point: DVec3,
}

const NOWHERE: Landing = Landing {
    fate: Fate::Hole,
    pixel: DVec2::ZERO,
    point: DVec3::ZERO,
};

/// A block of up to 16 x 16 pixels: its top-left pixel and its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Block {
    /// First column.
    pub left: u32,
    /// First row.
    pub top: u32,
    /// Columns.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl<'a> Reprojection<'a> {
    /// Prepares the motion from the camera frame of `from` to that of `to`.
    pub fn new(from: &'a Surface<'a>, to: &'a Surface<'a>, config: &GeometricOverlapConfig) -> Self {
        let to_from = to.camera_from_world * from.view.camera.world_from_camera;
        let i = from.view.camera.intrinsics;
        let unproject = DMat3::from_cols(
            DVec3::new(1.0 / i.fx, 0.0, 0.0),
            DVec3::new(0.0, 1.0 / i.fy, 0.0),
            DVec3::new(-i.cx / i.fx, -i.cy / i.fy, 1.0),
        );
        Self {
            from,
            to,
            to_from,
            ray: to_from.matrix3 * unproject,
            tolerance_px: config.occlusion_tolerance_px,
        }
    }

    /// The first camera's centre in the second camera's frame, metres.
    pub fn eye(&self) -> DVec3 {
        self.to_from.translation
    }

    /// Where the surface at the centre of pixel (`x`, `y`) of the first view appears in the second, in
    /// pixels with centres at +0.5; `None` when there is no surface, or it is outside or hidden there.
    pub fn at(&self, x: u32, y: u32) -> Option<DVec2> {
        let landing = self.landing(x, y, self.row(y));
        (landing.fate == Fate::Seen && self.contains(landing.pixel)).then_some(landing.pixel)
    }

    /// True where `pixel` lies inside the second image.
    pub fn contains(&self, pixel: DVec2) -> bool {
        self.to.view.camera.intrinsics.contains(pixel)
    }

    /// Calls `visit` with every block of the first view in raster order and its pixels in raster order; without
    /// pixels where the whole block lies outside the second image or shows no surface.
    pub fn blocks(&self, mut visit: impl FnMut(Block, &[Landing])) {
        let (width, height) = (self.from.view.depth.width, self.from.view.depth.height);
        let mut landings = [NOWHERE; PATCH_PIXELS];
        for top in (0..height).step_by(PATCH as usize) {
            for left in (0..width).step_by(PATCH as usize) {
                let block = Block {
                    left,
                    top,
                    width: PATCH.min(width - left),
                    height: PATCH.min(height - top),
                };
                if !self.may_land(block) {
                    visit(block, &[]);
                    continue;
                }
                let mut place = 0;
                for y in top..top + block.height {
                    let row = self.row(y);
                    for x in left..left + block.width {
                        landings[place] = self.landing(x, y, row);
                        place += 1;
                    }
                }
                visit(block, &landings[..place]);
            }
        }
    }

    /// The part of a row's rays that its pixels share.
    fn row(&self, y: u32) -> DVec3 {
        self.ray.y_axis * (f64::from(y) + 0.5) + self.ray.z_axis
    }

    #[inline(always)]
    fn landing(&self, x: u32, y: u32, row: DVec3) -> Landing {
        let depth = f64::from(self.from.view.depth.at(x, y));
        if depth <= 0.0 {
            return NOWHERE;
        }
        let point = (self.ray.x_axis * (f64::from(x) + 0.5) + row) * depth + self.to_from.translation;
        let outside = Landing {
            fate: Fate::Outside,
            point,
            ..NOWHERE
        };
        let i = &self.to.view.camera.intrinsics;
        if point.z <= 0.0 {
            return outside;
        }
        let inverse = 1.0 / point.z;
        let pixel = DVec2::new(i.fx * point.x * inverse + i.cx, i.fy * point.y * inverse + i.cy);
        let [right, bottom] = self.border();
        if !(pixel.x >= 0.0 && pixel.y >= 0.0 && pixel.x < right && pixel.y < bottom) {
            return outside;
        }
        let seen = self.to.lies_at(pixel, point.z, self.tolerance_px);
        Landing {
            fate: if seen { Fate::Seen } else { Fate::Hidden },
            pixel,
            point,
        }
    }

    /// Where the region of interest ends: half a pixel beyond the last pixels, which the patch votes reach.
    fn border(&self) -> [f64; 2] {
        let i = &self.to.view.camera.intrinsics;
        [f64::from(i.width) + 0.5, f64::from(i.height) + 0.5]
    }

    /// False where no point of the block can land in the second image: all eight corners of the part of
    /// space that holds its surface lie on the outer side of one plane of the view frustum.
    fn may_land(&self, block: Block) -> bool {
        let Some([near, far]) = self.from.range(block.left / PATCH, block.top / PATCH) else {
            return false;
        };
        let i = &self.to.view.camera.intrinsics;
        let [right, bottom] = self.border();
        // Each plane through the eye as a product with a point that is negative outside.
        let planes = [
            DVec3::Z,
            DVec3::new(i.fx, 0.0, i.cx),
            DVec3::new(-i.fx, 0.0, right - i.cx),
            DVec3::new(0.0, i.fy, i.cy),
            DVec3::new(0.0, -i.fy, bottom - i.cy),
        ];
        let (left, top) = (f64::from(block.left), f64::from(block.top));
        let (right, bottom) = (left + f64::from(block.width), top + f64::from(block.height));
        let corners = [(left, top), (right, top), (left, bottom), (right, bottom)]
            .map(|(x, y)| self.ray.x_axis * x + self.ray.y_axis * y + self.ray.z_axis);
        !planes.iter().any(|plane| {
            corners.iter().all(|ray| {
                let (along, offset) = (plane.dot(*ray), plane.dot(self.to_from.translation));
                along * near + offset < 0.0 && along * far + offset < 0.0
            })
        })
    }
}
