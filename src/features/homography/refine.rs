//! Levenberg-Marquardt on the reprojection error.

use super::algebra::Homography;
use super::fit::PointPair;
use super::normal::{normal_equations, solve_definite};

/// Minimises the sum of squared distances in the second picture over the eight free parameters
/// (the last element stays 1), by at most `iterations` damped steps.
///
/// Returns `h` itself when no step improves it. `h` must be normalised.
pub fn refine(h: &Homography, pairs: &[PointPair], iterations: usize) -> Homography {
    let mut best = *h;
    let mut at = normal_equations(&best, pairs);
    let mut damping = 1e-3;
    for _ in 0..iterations {
        let mut system = at.matrix;
        for (i, row) in system.iter_mut().enumerate() {
            row[i] += damping * row[i].max(1e-12);
        }
        let Some(step) = solve_definite(system, at.gradient, 0.0) else {
            damping *= 10.0;
            continue;
        };
        let mut candidate = best;
        for (value, change) in candidate.iter_mut().zip(step) {
            *value -= change;
        }
        let next = normal_equations(&candidate, pairs);
        if next.error < at.error {
            let gain = at.error - next.error;
            best = candidate;
            at = next;
            damping *= 0.1;
            if gain <= 1e-12 * at.error {
                break;
            }
        } else {
            damping *= 10.0;
        }
    }
    best
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
