//! Where a patch lies: fixed sine-cosine tables (CroCo v1, MIMIC) or 2-D rotary angles (CroCo v2).

/// `[grid * grid, dim]` row-major: the first half of the channels codes the column (x), the second the
/// row (y); each half is sines followed by cosines of `position * 10000^(-k / (dim / 4))`.
///
/// `dim` must be a multiple of 4. (He et al. 2022 and CroCo share this order.)
pub fn sincos_2d(dim: usize, grid: usize) -> Vec<f32> {
    let quarter = dim / 4;
    let omega: Vec<f64> = (0..quarter)
        .map(|k| libm::pow(10000.0, -(k as f64) / quarter as f64))
        .collect();
    let mut table = Vec::with_capacity(grid * grid * dim);
    for row in 0..grid {
        for column in 0..grid {
            for position in [column, row] {
                let angle = |w: &f64| position as f64 * w;
                table.extend(omega.iter().map(|w| libm::sin(angle(w)) as f32));
                table.extend(omega.iter().map(|w| libm::cos(angle(w)) as f32));
            }
        }
    }
    table
}

/// [`sincos_2d`] below `class_tokens` rows of zeros: `[class_tokens + grid * grid, dim]`.
pub fn sincos_table(dim: usize, grid: usize, class_tokens: usize) -> Vec<f32> {
    let mut table = vec![0.0; class_tokens * dim];
    table.extend(sincos_2d(dim, grid));
    table
}

/// Cosines and sines of 2-D rotary position codes for every token of a grid.
///
/// A head of `dim` channels is cut in two halves, the first turned by the row, the second by the
/// column; inside a half of `d` channels, channel `i` pairs with `i + d / 2` and turns by
/// `position * base^(-2 i / d)` (CroCo v2, section 3.1; base 100).
#[derive(Debug, Clone, PartialEq)]
pub struct RotaryTable {
    /// Channels of a head, a multiple of 4.
    pub dim: usize,
    /// `[tokens, dim]` row-major.
    pub cos: Vec<f32>,
    /// `[tokens, dim]` row-major; the sign of the pair's first half is already negative, so that
    /// `turned = x * cos + swap(x) * sin` where `swap` exchanges the two halves of each half.
    pub sin: Vec<f32>,
}

/// CroCo v2's rotary base.
pub const ROPE_BASE: f32 = 100.0;

impl RotaryTable {
    /// The table of a `grid` x `grid` image for heads of `dim` channels.
    pub fn new(dim: usize, grid: usize) -> Self {
        let half = dim / 2;
        let pairs = half / 2;
        let frequency: Vec<f32> = (0..pairs)
            .map(|i| libm::powf(ROPE_BASE, -((2 * i) as f32) / half as f32))
            .collect();
        let (mut cos, mut sin) = (Vec::new(), Vec::new());
        for row in 0..grid {
            for column in 0..grid {
                for position in [row, column] {
                    let angle = |f: &f32| position as f32 * f;
                    for _ in 0..2 {
                        cos.extend(frequency.iter().map(|f| libm::cosf(angle(f))));
                    }
                    sin.extend(frequency.iter().map(|f| -libm::sinf(angle(f))));
                    sin.extend(frequency.iter().map(|f| libm::sinf(angle(f))));
                }
            }
        }
        Self { dim, cos, sin }
    }

    /// The rows of the given tokens, in that order.
    pub fn rows(&self, tokens: &[i32]) -> Self {
        let pick = |table: &[f32]| {
            let row = |&token: &i32| {
                let start = token as usize * self.dim;
                &table[start..start + self.dim]
            };
            tokens.iter().flat_map(row).copied().collect()
        };
        Self {
            dim: self.dim,
            cos: pick(&self.cos),
            sin: pick(&self.sin),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sincos_codes_columns_first() {
        let table = sincos_2d(8, 3);
        // Token of row 2, column 1: halves are [sin x, sin x/100, cos x, cos x/100] and the same of y.
        let token = &table[(2 * 3 + 1) * 8..][..8];
        let want = [
            1.0f64.sin(),
            0.01f64.sin(),
            1.0f64.cos(),
            0.01f64.cos(),
            2.0f64.sin(),
            0.02f64.sin(),
            2.0f64.cos(),
            0.02f64.cos(),
        ];
        for (got, want) in token.iter().zip(want) {
            assert!((f64::from(*got) - want).abs() < 1e-7);
        }
    }

    #[test]
    fn rotation_keeps_the_length_and_depends_on_the_difference() {
        let (dim, grid) = (16, 4);
        let table = RotaryTable::new(dim, grid);
        let x: Vec<f32> = (0..dim).map(|i| (i as f32 * 0.7).sin()).collect();
        let turn = |x: &[f32], token: usize| -> Vec<f32> {
            let quarter = dim / 4;
            (0..dim)
                .map(|c| {
                    let other = if (c / quarter) % 2 == 0 {
                        c + quarter
                    } else {
                        c - quarter
                    };
                    x[c] * table.cos[token * dim + c] + x[other] * table.sin[token * dim + c]
                })
                .collect()
        };
        let dot = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f32>();
        let y: Vec<f32> = (0..dim).map(|i| (i as f32 * 1.3).cos()).collect();
        assert!((dot(&turn(&x, 11), &turn(&x, 11)) - dot(&x, &x)).abs() < 1e-4);
        // Tokens (1,1) and (2,3), shifted by (1,0): the products agree.
        let a = dot(&turn(&x, 5), &turn(&y, 11));
        let b = dot(&turn(&x, 9), &turn(&y, 15));
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}
