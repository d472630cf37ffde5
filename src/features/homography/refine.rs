//! Levenberg-Marquardt on the reprojection error.

use super::algebra::Homography;
use super::fit::PointPair;

/// Minimises the sum of squared distances in the second picture over the eight free parameters
/// (the last element stays 1), by at most `iterations` damped steps.
///
/// Returns `h` itself when no step improves it. `h` must be normalised.
pub fn refine(h: &Homography, pairs: &[PointPair], iterations: usize) -> Homography {
    let mut best = *h;
    let (mut normal, mut gradient, mut error) = normal_equations(&best, pairs);
    let mut damping = 1e-3;
    for _ in 0..iterations {
        let mut system = normal;
        for (i, row) in system.iter_mut().enumerate() {
            row[i] += damping * row[i].max(1e-12);
        }
        let Some(step) = solve(system, gradient) else {
            damping *= 10.0;
            continue;
        };
        let mut candidate = best;
        for (value, change) in candidate.iter_mut().zip(step) {
            *value -= change;
        }
        let next = normal_equations(&candidate, pairs);
        if next.2 < error {
            let gain = error - next.2;
            best = candidate;
            (normal, gradient, error) = next;
            damping *= 0.1;
            if gain <= 1e-12 * error {
                break;
            }
        } else {
            damping *= 10.0;
        }
    }
    best
}

/// JtJ, Jt r and the squared error of the reprojection residuals.
fn normal_equations(h: &Homography, pairs: &[PointPair]) -> ([[f64; 8]; 8], [f64; 8], f64) {
    let (mut normal, mut gradient, mut error) = ([[0.0; 8]; 8], [0.0; 8], 0.0);
    for pair in pairs {
        let ([x, y], [u, v]) = (pair.first, pair.second);
        let w = h[6] * x + h[7] * y + 1.0;
        let w = if w.abs() > f64::EPSILON { 1.0 / w } else { 0.0 };
        let px = (h[0] * x + h[1] * y + h[2]) * w;
        let py = (h[3] * x + h[4] * y + h[5]) * w;
        let (rx, ry) = (px - u, py - v);
        let (xw, yw) = (x * w, y * w);
        let jx = [xw, yw, w, 0.0, 0.0, 0.0, -xw * px, -yw * px];
        let jy = [0.0, 0.0, 0.0, xw, yw, w, -xw * py, -yw * py];
        for i in 0..8 {
            for j in 0..=i {
                normal[i][j] += jx[i] * jx[j] + jy[i] * jy[j];
            }
            gradient[i] += jx[i] * rx + jy[i] * ry;
        }
        error += rx * rx + ry * ry;
    }
    for i in 0..8 {
        for j in i + 1..8 {
            normal[i][j] = normal[j][i];
        }
    }
    (normal, gradient, error)
}

/// Solves a symmetric positive definite system by Cholesky factors; `None` when it is not definite.
fn solve(mut a: [[f64; 8]; 8], mut b: [f64; 8]) -> Option<[f64; 8]> {
    for i in 0..8 {
        for j in 0..=i {
            let sum: f64 = (0..j).map(|k| a[i][k] * a[j][k]).sum();
            let rest = a[i][j] - sum;
            if i == j {
                if rest.is_nan() || rest <= 0.0 {
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

#[cfg(test)]
mod tests {
    use super::super::algebra::project;
    use super::*;

    #[test]
    fn walks_back_to_the_truth() {
        let truth = [1.1, 0.2, 5.0, -0.1, 0.9, -7.0, 1e-4, -2e-4, 1.0];
        let pairs: Vec<_> = (0..40)
            .map(|i| {
                let (x, y) = (f64::from(i * 37 % 224), f64::from(i * 91 % 223));
                let (u, v) = project(&truth, x, y);
                PointPair {
                    first: [x, y],
                    second: [u, v],
                }
            })
            .collect();
        let off = [1.12, 0.18, 7.0, -0.12, 0.91, -5.0, 1.2e-4, -1.8e-4, 1.0];
        let h = refine(&off, &pairs, 10);
        assert!(h.iter().zip(truth).all(|(a, b)| (a - b).abs() < 1e-7), "{h:?}");
    }
}
