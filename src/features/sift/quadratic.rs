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

    /// Offset of the extremum from the sample: x, y, layer.
    pub fn extremum(&self) -> [f32; 3] {
        solve(self.hessian, self.gradient).map(|v| -v)
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

/// Solves a 3x3 system by elimination with partial pivoting; zeros when it is singular, as OpenCV returns.
fn solve(mut a: [[f32; 3]; 3], mut b: [f32; 3]) -> [f32; 3] {
    for i in 0..3 {
        let pivot = (i + 1..3).fold(i, |best, r| if a[r][i].abs() > a[best][i].abs() { r } else { best });
        if a[pivot][i].abs() < f32::EPSILON * 10.0 {
            return [0.0; 3];
        }
        a.swap(i, pivot);
        b.swap(i, pivot);
        for r in i + 1..3 {
            let factor = a[r][i] / a[i][i];
            for c in i + 1..3 {
                a[r][c] -= factor * a[i][c];
            }
            b[r] -= factor * b[i];
        }
    }
    let z = b[2] / a[2][2];
    let y = (b[1] - a[1][2] * z) / a[1][1];
    let x = (b[0] - a[0][1] * y - a[0][2] * z) / a[0][0];
    [x, y, z]
}
