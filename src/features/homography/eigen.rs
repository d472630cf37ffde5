//! Eigenvalues of small symmetric matrices.

/// Eigenvalues and eigenvectors (one a row) of a symmetric matrix by cyclic Jacobi rotations, in no order.
pub(super) fn eigen<const N: usize>(mut a: [[f64; N]; N]) -> ([f64; N], [[f64; N]; N]) {
    let mut vectors = [[0.0f64; N]; N];
    for (i, row) in vectors.iter_mut().enumerate() {
        row[i] = 1.0;
    }
    for _ in 0..30 {
        let off: f64 = (0..N)
            .flat_map(|i| (i + 1..N).map(move |j| (i, j)))
            .map(|(i, j)| a[i][j] * a[i][j])
            .sum();
        let diagonal: f64 = (0..N).map(|i| a[i][i] * a[i][i]).sum();
        if off <= 1e-30 * diagonal {
            break;
        }
        for p in 0..N - 1 {
            for q in p + 1..N {
                rotate(&mut a, &mut vectors, p, q);
            }
        }
    }
    (std::array::from_fn(|i| a[i][i]), vectors)
}

/// One Jacobi rotation that makes `a[p][q]` vanish; `vectors` holds eigenvectors as rows.
fn rotate<const N: usize>(a: &mut [[f64; N]; N], vectors: &mut [[f64; N]; N], p: usize, q: usize) {
    let apq = a[p][q];
    if apq == 0.0 {
        return;
    }
    let theta = (a[q][q] - a[p][p]) / (2.0 * apq);
    let t = theta.signum() / (theta.abs() + (theta * theta + 1.0).sqrt());
    let cos = 1.0 / (t * t + 1.0).sqrt();
    let sin = t * cos;
    for k in 0..N {
        let (x, y) = (a[k][p], a[k][q]);
        a[k][p] = cos * x - sin * y;
        a[k][q] = sin * x + cos * y;
    }
    for k in 0..N {
        let (x, y) = (a[p][k], a[q][k]);
        a[p][k] = cos * x - sin * y;
        a[q][k] = sin * x + cos * y;
    }
    for k in 0..N {
        let (x, y) = (vectors[p][k], vectors[q][k]);
        vectors[p][k] = cos * x - sin * y;
        vectors[q][k] = sin * x + cos * y;
    }
}
