//! The quadratic through the neighbourhood of a sample (Lowe 2004, section 4).

use super::params::SiftParams;
use super::patch::Patch;

/// Value, gradient and second derivatives by finite differences, in shares of the grey range.
pub(super) struct Quadratic {
    value: f32,
    gradient: [f32; 3],
    hessian: [[f32; 3]; 3],
}

impl Quadratic {
    /// From the neighbourhoods in the layer below, the layer itself and the one above.
    pub fn new([below, here, above]: &[Patch; 3]) -> Self {
        const SCALE: f32 = 1.0 / 255.0;
        const CROSS: f32 = SCALE * 0.25;
        let value = here[1][1];
        let twice = value * 2.0;
        let xx = (here[1][2] + here[1][0] - twice) * SCALE;
        let yy = (here[2][1] + here[0][1] - twice) * SCALE;
        let ss = (above[1][1] + below[1][1] - twice) * SCALE;
        let xy = (here[2][2] - here[2][0] - here[0][2] + here[0][0]) * CROSS;
        let xs = (above[1][2] - above[1][0] - below[1][2] + below[1][0]) * CROSS;
        let ys = (above[2][1] - above[0][1] - below[2][1] + below[0][1]) * CROSS;
        Self {
            value: value * SCALE,
            gradient: [
                (here[1][2] - here[1][0]) * (SCALE * 0.5),
                (here[2][1] - here[0][1]) * (SCALE * 0.5),
                (above[1][1] - below[1][1]) * (SCALE * 0.5),
            ],
            hessian: [[xx, xy, xs], [xy, yy, ys], [xs, ys, ss]],
        }
    }

    /// Offset of the extremum from the sample: x, y, layer; zeros where the quadratic has none.
    pub fn extremum(&self) -> [f32; 3] {
        solve(self.hessian, self.gradient).map_or([0.0; 3], |offset| offset.map(|v| -v))
    }

    /// Absolute contrast at the extremum, unless it is too low or lies on an edge.
    pub fn accepted_contrast(&self, offset: [f32; 3], params: &SiftParams) -> Option<f32> {
        let [gx, gy, gs] = self.gradient;
        let slope = gx * offset[0] + gy * offset[1] + gs * offset[2];
        let contrast = (self.value + slope * 0.5).abs();
        if contrast * (params.octave_layers as f32) < params.contrast_threshold as f32 {
            return None;
        }
        let [[xx, xy, _], [_, yy, _], _] = self.hessian;
        let (trace, determinant) = (xx + yy, xx * yy - xy * xy);
        let edge = params.edge_threshold as f32;
        let on_edge = determinant <= 0.0 || trace * trace * edge >= (edge + 1.0) * (edge + 1.0) * determinant;
        (!on_edge).then_some(contrast)
    }
}

/// Solves a symmetric 3x3 system by Cramer's rule; `None` when the determinant is 0.
///
/// The systems are nearly singular, so the last bits of the minors decide where an extremum is and whether there is
/// one. They are fused where OpenCV's build fuses them; `mul_add` gives the same bits on every machine.
fn solve([[xx, xy, xs], [_, yy, ys], [_, _, ss]]: [[f32; 3]; 3], [x, y, s]: [f32; 3]) -> Option<[f32; 3]> {
    let minor = |a: f32, b: f32, c: f32, d: f32| a * b - c * d;
    let sum = |a: [f32; 2], b: [f32; 2], c: [f32; 2]| a[0] * a[1] - b[0] * b[1] + c[0] * c[1];
    let yy_ss = minor(yy, ss, ys, ys);
    let determinant = sum([xx, yy_ss], [xy, minor(xy, ss, xs, ys)], [xs, minor(xy, ys, xs, yy)]);
    if determinant == 0.0 {
        return None;
    }
    let scale = 1.0 / determinant;
    let (y_ss, y_ys, xy_s) = (minor(y, ss, ys, s), minor(y, ys, yy, s), minor(xy, s, y, xs));
    Some([
        scale * sum([x, yy_ss], [xy, y_ss], [xs, y_ys]),
        scale * sum([xx, y_ss], [x, minor(xy, ss, ys, xs)], [xs, xy_s]),
        scale * sum([xx, -y_ys], [xy, xy_s], [x, minor(xy, ys, yy, xs)]),
    ])
}
