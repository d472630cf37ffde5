//! Patch partners held against the truth.

use super::row::PartnerScore;
use crate::overlap::patch_votes::PatchMap;
use crate::view::Correspondence;

/// Judges each partner (a, b) that a metric gives.
///
/// The true partner of a patch is the patch of the other view that most of its pixels fall into; it has
/// none where most fall outside or are hidden. A metric finds its partners in one of the two directions,
/// so (a, b) is *right* when b is the true partner of a or a that of b; *off by one* when b is one of the eight
/// neighbours of a's true partner or a one of those of b's; without *true partner* when neither has one;
/// and *wrong* otherwise.
pub fn score_partners(found: &Correspondence, [there, back]: [&PatchMap; 2]) -> PartnerScore {
    let mut score = PartnerScore::default();
    let partner = |map: &PatchMap, patch: u16| map.get(usize::from(patch)).copied().flatten();
    for &(first, second) in &found.patches {
        let steps = [(partner(there, first), second), (partner(back, second), first)]
            .into_iter()
            .filter_map(|(truth, said)| Some(steps_apart(truth?, said, found.grid)))
            .min();
        match steps {
            None => score.no_partner += 1,
            Some(0) => score.right += 1,
            Some(1) => score.near += 1,
            Some(_) => score.wrong += 1,
        }
    }
    score
}

/// Patches from one to another as a king walks.
fn steps_apart(a: u16, b: u16, grid: u32) -> u32 {
    let place = |patch: u16| (u32::from(patch) % grid.max(1), u32::from(patch) / grid.max(1));
    let ((ax, ay), (bx, by)) = (place(a), place(b));
    ax.abs_diff(bx).max(ay.abs_diff(by))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_verdict_is_given() {
        // A grid of 4: the truth shifts by one column to the right, the last column leaves the view.
        let there: PatchMap = (0..16u16).map(|p| (p % 4 < 3).then_some(p + 1)).collect();
        let back: PatchMap = (0..16u16).map(|p| (p % 4 > 0).then(|| p - 1)).collect();
        let score = |patches: &[(u16, u16)]| {
            let found = Correspondence {
                grid: 4,
                patches: patches.to_vec(),
            };
            let s = score_partners(&found, [&there, &back]);
            [s.right, s.near, s.wrong, s.no_partner]
        };
        assert_eq!(score(&[(0, 1), (5, 6)]), [2, 0, 0, 0]);
        assert_eq!(score(&[(0, 2), (0, 5), (0, 6)]), [0, 3, 0, 0]);
        // Neighbours in raster order are none across the border of the picture.
        assert_eq!(score(&[(2, 4), (0, 3)]), [0, 0, 2, 0]);
        // Patch 3 leaves the view and nothing enters patch 0.
        assert_eq!(score(&[(3, 0)]), [0, 0, 0, 1]);
        assert_eq!(score(&[]), [0; 4]);
    }

    #[test]
    fn the_better_direction_counts() {
        // Zoomed in: patches 0 and 1 both fall into patch 0, which itself falls into patch 0.
        let there: PatchMap = vec![Some(0), Some(0), None, None];
        let back: PatchMap = vec![Some(1), None, None, None];
        let found = |pair| Correspondence {
            grid: 2,
            patches: vec![pair],
        };
        assert_eq!(score_partners(&found((1, 0)), [&there, &back]).right, 1);
        assert_eq!(score_partners(&found((0, 0)), [&there, &back]).right, 1);
    }
}
