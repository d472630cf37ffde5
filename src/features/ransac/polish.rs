//! Local optimisation of one model by iteratively reweighted least squares.

use fearless_simd::{Simd as _, dispatch};

use super::super::homography::{Homography, gauss_newton_step};
use super::score::{BLOCK, Columns, Limits, Score};

/// Sums over all pairs at one model.
#[derive(Debug, Clone, Copy)]
struct Sums {
    matrix: [[f64; 8]; 8],
    gradient: [f64; 8],
}

/// Squared reach of the loss in each round, in units of the true one: wide at first, so that pairs just beyond
/// the sample's own error are taken in.
const ROUNDS: [f32; 5] = [2.0, 1.5, 1.0, 1.0, 1.0];

/// Refines a model to the pairs near it and keeps the best model met. `score` is that of the model.
pub(super) fn polish(columns: &Columns, model: Homography, score: Score, limits: Limits) -> (Homography, Score) {
    let mut best = (model, score);
    let mut current = model;
    for width in ROUNDS {
        let sums = dispatch!(columns.level(), simd => simd.vectorize(#[inline(always)] || {
            sums(columns, &current, limits.reach2 * width)
        }));
        let Some(step) = gauss_newton_step(sums.matrix, sums.gradient) else {
            break;
        };
        for (value, change) in current.iter_mut().zip(step) {
            *value -= change;
        }
        let score = columns.score(&current, limits);
        if score.quality > best.1.quality {
            best = (current, score);
        }
    }
    best
}

/// The weighted Gauss-Newton equations. The Jacobian of a pair consists of products of few numbers, so 27 sums
/// make up the whole matrix.
#[inline(always)]
fn sums(columns: &Columns, h: &Homography, reach2: f32) -> Sums {
    let h = h.map(|v| v as f32);
    let scale = 1.0 / reach2;
    let mut s = [[0.0f32; BLOCK]; 27];
    for [x, y, u, v, pair_weight] in columns.blocks() {
        for l in 0..BLOCK {
            let w = 1.0 / (h[6] * x[l] + h[7] * y[l] + 1.0);
            let px = (h[0] * x[l] + h[1] * y[l] + h[2]) * w;
            let py = (h[3] * x[l] + h[4] * y[l] + h[5]) * w;
            let (rx, ry) = (px - u[l], py - v[l]);
            let near = 1.0 - (rx * rx + ry * ry) * scale;
            // NaN, from a point at infinity, has no weight.
            let inside = near > 0.0;
            let near = if inside { near } else { 0.0 };
            let weight = pair_weight[l] * near;
            let w = if inside { w } else { 0.0 };
            let (px, py) = if inside { (px, py) } else { (0.0, 0.0) };
            let (rx, ry) = if inside { (rx, ry) } else { (0.0, 0.0) };
            let (a, b) = (x[l] * w, y[l] * w);
            let (wa, wb, ww) = (weight * a, weight * b, weight * w);
            let products = [wa * a, wa * b, wa * w, wb * b, wb * w, ww * w];
            for k in 0..6 {
                s[k][l] += products[k];
            }
            for k in 0..5 {
                s[6 + k][l] += products[k] * px;
                s[11 + k][l] += products[k] * py;
            }
            let square = px * px + py * py;
            s[16][l] += products[0] * square;
            s[17][l] += products[1] * square;
            s[18][l] += products[3] * square;
            let along = rx * px + ry * py;
            s[19][l] += wa * rx;
            s[20][l] += wb * rx;
            s[21][l] += ww * rx;
            s[22][l] += wa * ry;
            s[23][l] += wb * ry;
            s[24][l] += ww * ry;
            s[25][l] += wa * along;
            s[26][l] += wb * along;
        }
    }
    assemble(s.map(|lanes| lanes.iter().map(|&v| f64::from(v)).sum()))
}

/// The normal equations from their 27 different elements.
#[inline(always)]
fn assemble(s: [f64; 27]) -> Sums {
    let [aa, ab, aw, bb, bw, ww] = [s[0], s[1], s[2], s[3], s[4], s[5]];
    let plain = [[aa, ab, aw], [ab, bb, bw], [aw, bw, ww]];
    let mut matrix = [[0.0; 8]; 8];
    for i in 0..3 {
        for j in 0..3 {
            matrix[i][j] = plain[i][j];
            matrix[3 + i][3 + j] = plain[i][j];
        }
    }
    // Rows a, b, w of the products with p x, then with p y.
    for (start, base) in [(6, 0), (11, 3)] {
        let [aap, abp, awp, bbp, bwp] = [s[start], s[start + 1], s[start + 2], s[start + 3], s[start + 4]];
        for (row, [with_a, with_b]) in [[aap, abp], [abp, bbp], [awp, bwp]].into_iter().enumerate() {
            for (column, value) in [(6, -with_a), (7, -with_b)] {
                matrix[base + row][column] = value;
                matrix[column][base + row] = value;
            }
        }
    }
    matrix[6][6] = s[16];
    matrix[6][7] = s[17];
    matrix[7][6] = s[17];
    matrix[7][7] = s[18];
    let gradient = [s[19], s[20], s[21], s[22], s[23], s[24], -s[25], -s[26]];
    Sums { matrix, gradient }
}
