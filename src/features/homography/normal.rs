//! The normal equations of the reprojection error, and their solution.

use super::algebra::Homography;
use super::fit::PointPair;

/// One Gauss-Newton step's worth of numbers at a homography whose last element is 1.
#[derive(Debug, Clone)]
pub(super) struct NormalEquations {
    /// Jacobian transposed times Jacobian.
    pub matrix: [[f64; 8]; 8],
    /// Jacobian transposed times residuals.
    pub gradient: [f64; 8],
    /// Sum of squared residuals.
    pub error: f64,
    /// Largest absolute residual along an axis.
    pub largest: f64,
}

/// Residuals of one pair, and what the Jacobian needs.
#[inline(always)]
fn residual(h: &Homography, pair: &PointPair) -> (f64, f64, f64, f64, f64) {
    let ([x, y], [u, v]) = (pair.first, pair.second);
    let w = h[6] * x + h[7] * y + 1.0;
    let w = if w.abs() > f64::EPSILON { 1.0 / w } else { 0.0 };
    let px = (h[0] * x + h[1] * y + h[2]) * w;
    let py = (h[3] * x + h[4] * y + h[5]) * w;
    (px - u, py - v, px, py, w)
}

/// The normal equations of all pairs at `h`.
pub(super) fn normal_equations(h: &Homography, pairs: &[PointPair]) -> NormalEquations {
    let (mut matrix, mut gradient, mut error, mut largest) = ([[0.0; 8]; 8], [0.0; 8], 0.0, 0.0f64);
    for pair in pairs {
        let (rx, ry, px, py, w) = residual(h, pair);
        let (xw, yw) = (pair.first[0] * w, pair.first[1] * w);
        let jx = [xw, yw, w, 0.0, 0.0, 0.0, -xw * px, -yw * px];
        let jy = [0.0, 0.0, 0.0, xw, yw, w, -xw * py, -yw * py];
        for i in 0..8 {
            for j in 0..=i {
                matrix[i][j] += jx[i] * jx[j] + jy[i] * jy[j];
            }
            gradient[i] += jx[i] * rx + jy[i] * ry;
        }
        error += rx * rx + ry * ry;
        largest = largest.max(rx.abs()).max(ry.abs());
    }
    for i in 0..8 {
        for j in i + 1..8 {
            matrix[i][j] = matrix[j][i];
        }
    }
    NormalEquations {
        matrix,
        gradient,
        error,
        largest,
    }
}

/// Sum of squared residuals of all pairs at `h`.
pub(super) fn squared_error(h: &Homography, pairs: &[PointPair]) -> f64 {
    let square = |pair| {
        let (rx, ry, ..) = residual(h, pair);
        rx * rx + ry * ry
    };
    pairs.iter().map(square).sum()
}

/// Solves a symmetric positive definite system by Cholesky factors; `None` when it is not definite, which is when a
/// squared pivot is `least` or below.
pub(super) fn solve_definite(mut a: [[f64; 8]; 8], mut b: [f64; 8], least: f64) -> Option<[f64; 8]> {
    for i in 0..8 {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - sum;
            if i == j {
                if rest.is_nan() || rest <= least {
                    return None;
                }
                a[i][i] = rest.sqrt();
            } else {
                a[i][j] = rest / a[j][j];
            }
        }
    }
    for i in 0..8 {
        let sum: f64 = (0..i).map(|k| a[i][k] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i][i];
    }
    for i in (0..8).rev() {
        let sum: f64 = (i + 1..8).map(|k| a[k][i] * b[k]).sum();
        b[i] = (b[i] - sum) / a[i][i];
    }
    Some(b)
}

/// One Gauss-Newton step, damped just enough to be defined.
pub(in crate::features) fn gauss_newton_step(mut matrix: [[f64; 8]; 8], gradient: [f64; 8]) -> Option<[f64; 8]> {
    for (i, row) in matrix.iter_mut().enumerate() {
        row[i] += 1e-6 * row[i] + 1e-12;
    }
    solve_definite(matrix, gradient, 0.0)
}
