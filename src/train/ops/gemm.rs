//! Matrix products on parts of slices.

/// A matrix that lies in a slice with any strides.
#[derive(Debug, Clone, Copy)]
pub struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// `rows` x `columns` numbers, each row contiguous, rows `row_stride` apart, from `data[0]` on.
    pub fn new(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(rows > 0 && columns > 0 && (rows - 1) * row_stride + columns <= data.len());
        Self {
            data,
            rows,
            columns,
            row_stride,
            column_stride: 1,
        }
    }

    /// The transpose.
    pub fn t(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// `out = scale * a b`, row-major and contiguous, on this thread.
pub fn multiply(a: Matrix<'_>, b: Matrix<'_>, scale: f32, out: &mut [f32]) {
    assert!(a.columns == b.rows && out.len() == a.rows * b.columns);
    // SAFETY: `Matrix` keeps every index `row * row_stride + column * column_stride` of its rows and
    // columns inside its slice (checked when made, kept by `t`), `out` has exactly rows x columns
    // elements, and it cannot overlap the inputs because it is borrowed mutably.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            false,
            a.data.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.data.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            0.0,
            scale,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strided_and_transposed_products_agree_with_the_definition() {
        let data: Vec<f32> = (0..60).map(|i| (i as f32 * 0.9).sin()).collect();
        let a = Matrix::new(&data[2..], 4, 3, 10);
        let b = Matrix::new(&data[5..], 4, 5, 11);
        let mut out = vec![0.0; 15];
        multiply(a.t(), b, 2.0, &mut out);
        for i in 0..3 {
            for j in 0..5 {
                let want: f32 = (0..4).map(|k| 2.0 * data[2 + k * 10 + i] * data[5 + k * 11 + j]).sum();
                assert!((out[i * 5 + j] - want).abs() < 1e-5);
            }
        }
    }
}
