//! Which patches of the first view are hidden.

use crate::rng::Rng;

/// The hidden and visible patches of every image of a batch.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatchMask {
    batch: usize,
    tokens: usize,
    visible: usize,
    /// `[batch, tokens]`, true where hidden.
    hidden: Vec<bool>,
}

impl PatchMask {
    /// Draws `masked` of `tokens` patches for each of `batch` images.
    ///
    /// Image `i` of micro-batch `index` owns the stream `(seed, "mask", [index, i])`, so a mask does not
    /// depend on what else is drawn. The `masked` first of a shuffled order are hidden.
    pub fn draw(batch: usize, tokens: usize, masked: usize, seed: u64, index: u64) -> Self {
        let mut hidden = vec![false; batch * tokens];
        let mut order: Vec<usize> = Vec::with_capacity(tokens);
        for (i, row) in hidden.chunks_mut(tokens).enumerate() {
            order.clear();
            order.extend(0..tokens);
            Rng::stream(seed, "mask", &[index, i as u64]).shuffle(&mut order);
            for &token in order.iter().take(masked) {
                row[token] = true;
            }
        }
        Self {
            batch,
            tokens,
            visible: tokens - masked.min(tokens),
            hidden,
        }
    }

    /// The mask given by `flags`, `[batch, tokens]`, non-zero where hidden.
    ///
    /// `None` unless every image hides the same number of patches, at least one and not all.
    pub fn from_flags(flags: &[u8], tokens: usize) -> Option<Self> {
        if tokens == 0 || flags.is_empty() || !flags.len().is_multiple_of(tokens) {
            return None;
        }
        let hidden: Vec<bool> = flags.iter().map(|&flag| flag != 0).collect();
        let count = |row: &[bool]| row.iter().filter(|&&flag| !flag).count();
        let visible = count(&hidden[..tokens]);
        let even = hidden.chunks(tokens).all(|row| count(row) == visible);
        (even && visible > 0 && visible < tokens).then_some(Self {
            batch: flags.len() / tokens,
            tokens,
            visible,
            hidden,
        })
    }

    /// Images.
    pub fn batch(&self) -> usize {
        self.batch
    }

    /// Patches an image.
    pub fn tokens(&self) -> usize {
        self.tokens
    }

    /// Visible patches an image.
    pub fn visible(&self) -> usize {
        self.visible
    }

    /// Patches that are hidden in the whole batch.
    pub fn hidden_total(&self) -> usize {
        self.batch * (self.tokens - self.visible)
    }

    /// `[batch, tokens]`, true where hidden.
    pub fn hidden(&self) -> &[bool] {
        &self.hidden
    }

    /// Rows of a `[batch * tokens, ..]` table that are visible, ascending: `batch * visible` of them.
    pub fn visible_rows(&self) -> Vec<i32> {
        let rows = self.hidden.iter().enumerate().filter(|(_, hidden)| !**hidden);
        rows.map(|(row, _)| row as i32).collect()
    }

    /// Token index of each row of [`Self::visible_rows`] within its own image.
    pub fn visible_tokens(&self) -> Vec<i32> {
        let tokens = self.tokens as i32;
        self.visible_rows().into_iter().map(|row| row % tokens).collect()
    }

    /// Where each token of the full sequence comes from in a table that holds, image after image, its
    /// `class_tokens` and its visible tokens, and in the last row the mask token:
    /// `batch * (class_tokens + tokens)` indices.
    pub fn fill_rows(&self, class_tokens: usize) -> Vec<i32> {
        let mask_row = (self.batch * (class_tokens + self.visible)) as i32;
        let mut next = 0..mask_row;
        let mut rows = Vec::with_capacity(self.hidden.len() + self.batch * class_tokens);
        for image in self.hidden.chunks(self.tokens) {
            rows.extend(next.by_ref().take(class_tokens));
            rows.extend(image.iter().map(|&hidden| match hidden {
                true => mask_row,
                false => next.next().unwrap_or(mask_row),
            }));
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_image_hides_the_same_number_of_other_patches() {
        let mask = PatchMask::draw(3, 196, 176, 7, 0);
        for row in mask.hidden().chunks(196) {
            assert_eq!(row.iter().filter(|&&h| h).count(), 176);
        }
        assert_ne!(mask.hidden()[..196], mask.hidden()[196..392]);
        assert_eq!(mask, PatchMask::draw(3, 196, 176, 7, 0));
        assert_ne!(mask, PatchMask::draw(3, 196, 176, 7, 1));
    }

    #[test]
    fn every_patch_is_hidden_about_as_often() {
        let mask = PatchMask::draw(4000, 16, 12, 1, 0);
        for token in 0..16 {
            let times = mask.hidden().iter().skip(token).step_by(16).filter(|&&h| h).count();
            // 4000 draws of p = 0.75: six standard deviations are 164.
            assert!(times.abs_diff(3000) < 164, "token {token}: {times}");
        }
    }

    #[test]
    fn rows_point_where_they_say() {
        let mask = PatchMask::from_flags(&[1, 0, 1, 0, 0, 1, 1, 0], 4).unwrap();
        assert_eq!(mask.visible_rows(), [1, 3, 4, 7]);
        assert_eq!(mask.visible_tokens(), [1, 3, 0, 3]);
        assert_eq!(mask.fill_rows(0), [4, 0, 4, 1, 2, 4, 4, 3]);
        assert_eq!(mask.fill_rows(1), [0, 6, 1, 6, 2, 3, 4, 6, 6, 5]);
        assert_eq!(PatchMask::from_flags(&[1, 0, 1, 1], 2), None);
    }
}
