//! Levenberg-Marquardt with Fletcher's rule for the damping.
//!
//! R. Fletcher, "A modified Marquardt subroutine for non-linear least squares" (AERE R 6799, 1971). OpenCV up to
//! 4.x refines homographies with it and stops after ten steps, mostly before convergence, so the path
//! matters and not only the minimum.

use super::algebra::Homography;
use super::eigen::eigen;
use super::fit::PointPair;
use super::normal::{NormalEquations, normal_equations, solve_definite, squared_error};

/// A step that gains less than this share of what the linear model promised raises the damping ...
const POOR: f64 = 0.25;
/// ... and one that gains more than this share halves it.
const GOOD: f64 = 0.75;
/// A pivot so many times above the cutoff of eigenvalues cannot hide an eigenvalue below it.
const WELL_CONDITIONED: f64 = 1e5;

/// At most `iterations` steps from `h`, which must be normalised; never worse than `h`.
pub fn refine_fletcher(h: &Homography, pairs: &[PointPair], iterations: usize) -> Homography {
    let mut best = *h;
    let mut at = normal_equations(&best, pairs);
    let scale: [f64; 8] = std::array::from_fn(|i| at.matrix[i][i]);
    let (mut damping, mut cutoff) = (1.0, 0.75);
    for _ in 0..iterations {
        let mut system = at.matrix;
        for i in 0..8 {
            system[i][i] += damping * scale[i];
        }
        let step = solve_least(&system, &at.gradient);
        let mut candidate = best;
        for (value, change) in candidate.iter_mut().zip(step) {
            *value -= change;
        }
        let error = squared_error(&candidate, pairs);
        let gain = at.error - error;
        let ratio = gain / nonzero(promised(&at, &step));
        if ratio > GOOD {
            damping *= 0.5;
            if damping < cutoff {
                damping = 0.0;
            }
        } else if ratio < POOR {
            let slope: f64 = step.iter().zip(&at.gradient).map(|(d, v)| d * v).sum();
            let mut factor = (2.0 - gain / nonzero(slope)).clamp(2.0, 10.0);
            if damping == 0.0 {
                cutoff = 1.0 / largest_variance(&at.matrix);
                damping = cutoff;
                factor *= 0.5;
            }
            damping *= factor;
        }
        if error < at.error {
            best = candidate;
            at = normal_equations(&best, pairs);
        }
        let longest = step.iter().fold(0.0, |a: f64, d| a.max(d.abs()));
        if longest < f64::from(f32::EPSILON) || at.largest < f64::from(f32::EPSILON) {
            break;
        }
    }
    best
}

/// How much of the error the linear model says a step removes.
fn promised(at: &NormalEquations, step: &[f64; 8]) -> f64 {
    let row = |i: usize| -> f64 { at.matrix[i].iter().zip(step).map(|(a, d)| a * d).sum() };
    (0..8).map(|i| step[i] * (2.0 * at.gradient[i] - row(i))).sum()
}

fn nonzero(value: f64) -> f64 {
    if value.abs() > f64::EPSILON { value } else { 1.0 }
}

/// Least-squares solution of a symmetric system: directions whose eigenvalue is lost in rounding are left out, as
/// OpenCV's `DECOMP_EIG` does. They are what a homography of nearly collinear points has too much of.
fn solve_least(matrix: &[[f64; 8]; 8], right: &[f64; 8]) -> [f64; 8] {
    let trace: f64 = (0..8).map(|i| matrix[i][i]).sum();
    let least = 2.0 * f64::EPSILON * trace;
    if let Some(solution) = solve_definite(*matrix, *right, WELL_CONDITIONED * least) {
        return solution;
    }
    let (values, vectors) = eigen(*matrix);
    let mut solution = [0.0; 8];
    for (value, vector) in values.iter().zip(&vectors) {
        if value.abs() > least {
            let along: f64 = vector.iter().zip(right).map(|(a, b)| a * b).sum();
            for (sum, component) in solution.iter_mut().zip(vector) {
                *sum += along / value * component;
            }
        }
    }
    solution
}

/// The largest diagonal element of the inverse.
fn largest_variance(matrix: &[[f64; 8]; 8]) -> f64 {
    (0..8)
        .map(|i| {
            let unit: [f64; 8] = std::array::from_fn(|j| f64::from(u8::from(i == j)));
            solve_least(matrix, &unit)[i].abs()
        })
        .fold(f64::EPSILON, f64::max)
}
