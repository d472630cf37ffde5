//! Means and correlations.

/// Weighted mean; `None` without weight.
pub fn mean(values: &[f64], weights: &[u32]) -> Option<f64> {
    let total: f64 = weights.iter().map(|&w| f64::from(w)).sum();
    let sum: f64 = values.iter().zip(weights).map(|(v, &w)| v * f64::from(w)).sum();
    (total > 0.0).then(|| sum / total)
}

/// Pearson's correlation: `sum (x - mx)(y - my) / sqrt( sum (x - mx)^2 sum (y - my)^2 )`; `None` for fewer than
/// two values or where one side does not vary.
pub fn pearson(x: &[f64], y: &[f64], weights: &[u32]) -> Option<f64> {
    let (mx, my) = (mean(x, weights)?, mean(y, weights)?);
    let (mut xx, mut yy, mut xy) = (0.0, 0.0, 0.0);
    for ((x, y), &w) in x.iter().zip(y).zip(weights) {
        let (dx, dy, w) = (x - mx, y - my, f64::from(w));
        xx += w * dx * dx;
        yy += w * dy * dy;
        xy += w * dx * dy;
    }
    // Sums of squares of rounding errors alone are no variation.
    let least = |m: f64| f64::EPSILON * (1.0 + m * m);
    (xx > least(mx) && yy > least(my)).then(|| (xy / (xx * yy).sqrt()).clamp(-1.0, 1.0))
}

/// Spearman's correlation: Pearson's of the ranks, equal values sharing the mean of their ranks.
///
/// `order_x` and `order_y` list the places of `x` and `y` in ascending order of value.
pub fn spearman(x: &[f64], y: &[f64], orders: [&[u32]; 2], weights: &[u32]) -> Option<f64> {
    pearson(&ranks(x, orders[0], weights), &ranks(y, orders[1], weights), weights)
}

/// Places in ascending order of value; equal values keep their order.
pub fn ascending(values: &[f64]) -> Vec<u32> {
    let mut order: Vec<u32> = (0..values.len() as u32).collect();
    order.sort_by(|&a, &b| values[a as usize].total_cmp(&values[b as usize]));
    order
}

/// Rank of each value in the sample in which value i stands `weights[i]` times, from 1; equal values share the
/// mean of their ranks.
fn ranks(values: &[f64], order: &[u32], weights: &[u32]) -> Vec<f64> {
    let mut ranks = vec![0.0; values.len()];
    let mut before = 0.0;
    for equal in order.chunk_by(|&a, &b| values[a as usize] == values[b as usize]) {
        let count: f64 = equal.iter().map(|&i| f64::from(weights[i as usize])).sum();
        for &i in equal {
            ranks[i as usize] = before + 0.5 * (count + 1.0);
        }
        before += count;
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rho(x: &[f64], y: &[f64], weights: &[u32]) -> Option<f64> {
        spearman(x, y, [&ascending(x), &ascending(y)], weights)
    }

    #[test]
    fn known_correlations() {
        // By hand: deviations (-1.5, -0.5, 0.5, 1.5) and (-1, 0, -1, 2): 4 / sqrt(5 * 6).
        let (x, y) = ([1.0, 2.0, 3.0, 4.0], [1.0, 2.0, 1.0, 4.0]);
        assert!((pearson(&x, &y, &[1; 4]).unwrap() - 4.0 / 30f64.sqrt()).abs() < 1e-12);
        // Ranks of y with its tie: 1.5, 3, 1.5, 4; deviations -1, 0.5, -1, 1.5.
        let expected = (1.5 + -0.25 - 0.5 + 2.25) / (5.0f64 * 4.5).sqrt();
        assert!((rho(&x, &y, &[1; 4]).unwrap() - expected).abs() < 1e-12);
    }

    #[test]
    fn order_alone_counts_for_spearman() {
        let x = [0.1, 0.5, 0.2, 0.9, 0.7];
        let cubed = x.map(|v: f64| v * v * v);
        assert_eq!(rho(&x, &cubed, &[1; 5]), Some(1.0));
        assert!(pearson(&x, &cubed, &[1; 5]).unwrap() < 0.99);
        let against = x.map(|v| -v);
        assert_eq!(rho(&x, &against, &[1; 5]), Some(-1.0));
    }

    #[test]
    fn a_weight_is_a_repetition() {
        let (x, y) = ([0.3, 0.8, 0.3, 0.1], [0.2, 0.9, 0.4, 0.4]);
        let weights = [2, 0, 3, 1];
        let repeat = |values: &[f64; 4]| -> Vec<f64> {
            let each = values.iter().zip(weights);
            each.flat_map(|(v, w)| std::iter::repeat_n(*v, w as usize)).collect()
        };
        let (rx, ry) = (repeat(&x), repeat(&y));
        let close = |a: Option<f64>, b: Option<f64>| (a.unwrap() - b.unwrap()).abs() < 1e-12;
        assert!(close(pearson(&x, &y, &weights), pearson(&rx, &ry, &[1; 6])));
        assert!(close(rho(&x, &y, &weights), rho(&rx, &ry, &[1; 6])));
    }

    #[test]
    fn what_does_not_vary_has_no_correlation() {
        assert_eq!(pearson(&[0.1; 7], &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], &[1; 7]), None);
        assert_eq!(pearson(&[1.0, 2.0], &[1.0, 2.0], &[0, 0]), None);
        assert_eq!(pearson(&[], &[], &[]), None);
        assert_eq!(rho(&[1.0], &[2.0], &[5]), None);
    }
}
