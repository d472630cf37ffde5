//! Descriptors laid out for integer dot products.

use crate::features::sift::Descriptor;

/// Elements of a descriptor.
pub(super) const LENGTH: usize = 128;
/// Descriptors whose bytes are interleaved: 32-bit lanes of the widest vector.
pub(super) const LANES: usize = 16;
/// Elements that share a 32-bit lane.
pub(super) const QUAD: usize = 4;
/// Lanes of one descriptor.
pub(super) const QUADS: usize = LENGTH / QUAD;
/// Squared distance given to places that hold no descriptor; beyond any true one (128 * 255^2).
pub(super) const FAR: i32 = 1 << 30;

/// Descriptors with what their squared distances need besides dot products.
///
/// Made once a view: every pair that the view takes part in reads it.
#[derive(Debug, Clone, Default)]
pub struct DescriptorSet {
    /// `[n, 128]`, padded with zeros to a whole block of [`LANES`].
    pub(super) rows: Vec<Descriptor>,
    /// The same in blocks of [`LANES`] descriptors, `[quad][descriptor][element of the quad]`.
    pub(super) blocks: Vec<[[u8; LANES * QUAD]; QUADS]>,
    /// Squared length of each; [`FAR`] in the padding.
    pub(super) squares: Vec<i32>,
    /// Sum of the elements of each.
    pub(super) sums: Vec<i32>,
    len: usize,
}

impl DescriptorSet {
    /// Lays out `descriptors`.
    pub fn new(descriptors: &[Descriptor]) -> Self {
        let padded = descriptors.len().next_multiple_of(LANES);
        let mut rows = descriptors.to_vec();
        rows.resize(padded, [0; LENGTH]);
        let mut blocks = vec![[[0; LANES * QUAD]; QUADS]; padded / LANES];
        for (block, rows) in blocks.iter_mut().zip(rows.chunks_exact(LANES)) {
            for (quad, out) in block.iter_mut().enumerate() {
                for (row, out) in rows.iter().zip(out.chunks_exact_mut(QUAD)) {
                    out.copy_from_slice(&row[quad * QUAD..(quad + 1) * QUAD]);
                }
            }
        }
        let square = |d: &Descriptor| d.iter().map(|&v| i32::from(v) * i32::from(v)).sum();
        let mut squares: Vec<i32> = descriptors.iter().map(square).collect();
        squares.resize(padded, FAR);
        let sums = rows.iter().map(|d| d.iter().map(|&v| i32::from(v)).sum()).collect();
        Self {
            rows,
            blocks,
            squares,
            sums,
            len: descriptors.len(),
        }
    }

    /// How many descriptors.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
}
