//! Where a piece stands: a rotation and an origin, trigonometry by `libm`.

use glam::{Mat3, Vec3};

/// Local coordinates of a piece (x right, y up, z towards the viewer) placed in the world.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Frame {
    pub(super) axes: Mat3,
    pub(super) origin: Vec3,
}

impl Frame {
    /// The world's own frame.
    pub(super) const WORLD: Self = Self {
        axes: Mat3::IDENTITY,
        origin: Vec3::ZERO,
    };

    /// Turned by whole quarter turns about y: exact, so boxes stay axis-aligned.
    pub(super) fn quarter(origin: Vec3, quarters: i32) -> Self {
        let (sin, cos) = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][quarters.rem_euclid(4) as usize];
        Self {
            axes: about_y(sin, cos),
            origin,
        }
    }

    /// Turned by `angle` radians about y; 0 leaves z towards the world's z, a quarter turns it to x.
    pub(super) fn turned(origin: Vec3, angle: f32) -> Self {
        Self {
            axes: about_y(libm::sinf(angle), libm::cosf(angle)),
            origin,
        }
    }

    /// A frame at local `offset`, turned by `angle` about the local y axis.
    pub(super) fn child(&self, offset: Vec3, angle: f32) -> Self {
        let local = Self::turned(Vec3::ZERO, angle);
        Self {
            axes: self.axes * local.axes,
            origin: self.point(offset),
        }
    }

    /// The same origin, tipped by `angle` about the local x axis: positive tips the top towards z.
    pub(super) fn tipped(&self, angle: f32) -> Self {
        let (sin, cos) = (libm::sinf(angle), libm::cosf(angle));
        let tip = Mat3::from_cols(Vec3::X, Vec3::new(0.0, cos, sin), Vec3::new(0.0, -sin, cos));
        Self {
            axes: self.axes * tip,
            origin: self.origin,
        }
    }

    /// World position of a local point.
    pub(super) fn point(&self, local: Vec3) -> Vec3 {
        self.axes * local + self.origin
    }

    /// World direction of a local one.
    pub(super) fn direction(&self, local: Vec3) -> Vec3 {
        self.axes * local
    }
}

fn about_y(sin: f32, cos: f32) -> Mat3 {
    Mat3::from_cols(Vec3::new(cos, 0.0, -sin), Vec3::Y, Vec3::new(sin, 0.0, cos))
}
