//! The truth: which pixels of one view the other one sees, from depth and pose.
//!
//! **Pixel covisibility.** A pixel p of view A with depth z > 0 is the world point X. It is *covisible*
//! in view B when X projects to q inside B's image and B's own surface at q lies at the depth of X:
//!
//! `|z_B(X) - z_B[q]| <= k * ( z_B(X) / f_B + (|dz/dx| + |dz/dy|) / 2 )`
//!
//! `z_B[q]` is B's depth carried from the centre of the pixel that holds q to q itself along the local
//! plane, which is exact for planar surfaces because 1/z is affine in the image. The right side is the
//! only error that sampling at pixel centres leaves: the width of a pixel on the surface, and how much
//! depth changes over half a pixel. `k` is [`GeometricOverlapConfig::occlusion_tolerance_px`].
//! `tests/validate_rays.rs` holds the decision against rays cast into the scene.
//!
//! With V(A) the pixels of A that show a surface and C(A, B) those of them that are covisible in B, the
//! overlap of A to B is `|C(A, B)| / |V(A)|`.
//!
//! **Intersection over union** of the visible surface, measured in pixels of both views. What both see is
//! measured twice, once in the pixels of each, and counts with the mean; the union is what is left of the
//! sum of both when the common part is counted once:
//!
//! `I = (|C(A, B)| + |C(B, A)|) / 2`, `IoU = I / ( |V(A)| + |V(B)| - I )`
//!
//! **Patch truth.** The published vote (MIMIC supplement 2.2) fed with these correspondences in place
//! of a homography: a point that B does not see votes "out".

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::patch_votes::{self, Claims, PatchGrid, PatchMap};
use super::reprojection::{Block, Fate, Landing, Reprojection};
use super::surface::Surface;
use crate::view::{Correspondence, Overlap, View};

/// How the truth is measured.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct GeometricOverlapConfig {
    /// Occlusion tolerance in pixel footprints (k in the module head); above 0, at most 10; default 1.
    pub occlusion_tolerance_px: f64,
}

impl Default for GeometricOverlapConfig {
    fn default() -> Self {
        Self {
            occlusion_tolerance_px: 1.0,
        }
    }
}

impl GeometricOverlapConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let k = self.occlusion_tolerance_px;
        if k > 0.0 && k <= 10.0 {
            Ok(())
        } else {
            Err(format!(
                "occlusion_tolerance_px = {k} must lie above 0 and at most at 10"
            ))
        }
    }
}

/// The true overlap of two views.
#[derive(Debug, Clone, PartialEq)]
pub struct GeometricOverlap {
    /// Share of pixels with a surface that the other view sees, both ways.
    pub covisibility: Overlap,
    /// Share of patches with a partner under the published one-to-one vote, both ways.
    pub patches: Overlap,
    /// The patch partners: the direction with fewer of them, as the published metric keeps it.
    pub correspondence: Correspondence,
}

/// Measures the true overlap both ways. Views of any size; patches need square views that 16 divides.
pub fn geometric_overlap(first: &View, second: &View, config: &GeometricOverlapConfig) -> GeometricOverlap {
    surface_overlap([&Surface::new(first), &Surface::new(second)], config)
}

/// As [`geometric_overlap`], for views that take part in many pairs.
pub fn surface_overlap([first, second]: [&Surface<'_>; 2], config: &GeometricOverlapConfig) -> GeometricOverlap {
    let forward = Passage::new(first, second, config, &mut Vec::new());
    let backward = Passage::new(second, first, config, &mut Vec::new());
    forward.overlap_with(&backward)
}

/// Share of pixels with a surface that the other view sees, both ways, without the patches.
pub fn covisibility(first: &View, second: &View, config: &GeometricOverlapConfig) -> Overlap {
    surface_covisibility([&Surface::new(first), &Surface::new(second)], config)
}

/// As [`covisibility`], for views that take part in many pairs.
pub fn surface_covisibility([first, second]: [&Surface<'_>; 2], config: &GeometricOverlapConfig) -> Overlap {
    let share = |from: &Surface<'_>, to: &Surface<'_>| {
        let reprojection = Reprojection::new(from, to, config);
        let mut covisible = 0u32;
        reprojection.blocks(|_, landings| {
            let seen = landings.iter().filter(|l| l.fate == Fate::Seen);
            covisible += seen.filter(|l| reprojection.contains(l.pixel)).count() as u32;
        });
        f64::from(covisible) / f64::from(from.valid().max(1))
    };
    Overlap {
        first_to_second: share(first, second),
        second_to_first: share(second, first),
    }
}

/// All pixels of one view carried into another, counted.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// Pixels with a surface: |V(A)|.
    pub valid: u32,
    /// Those that the other view sees: |C(A, B)|.
    pub covisible: u32,
    /// Those that project into the other image and are hidden there.
    pub hidden: u32,
    /// Sum of the z-depths of the covisible pixels in their own view, metres.
    pub depth_sum_m: f64,
    /// The patch of the other view that each patch truly votes for, in raster order; `None` for "out".
    pub votes: PatchMap,
    /// The votes made one-to-one in raster order, as the published rule does.
    pub partners: PatchMap,
    grid: PatchGrid,
}

/// A covisible pixel whose column and row are 2 more than a multiple of 4: what pair measures that need not
/// look at every pixel are taken from.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LatticePoint {
    /// Column in its own view.
    pub x: u32,
    /// Row in its own view.
    pub y: u32,
    /// z-depth in its own view, metres.
    pub depth_m: f64,
    /// Where it lands in the other view.
    pub landing: Landing,
}

/// Columns and rows between two lattice points.
pub const LATTICE_STEP: u32 = 4;
const LATTICE_START: u32 = 2;

impl Passage {
    /// Carries every pixel of `from` into `to`. `lattice` takes the covisible lattice points in block order.
    pub fn new(
        from: &Surface<'_>,
        to: &Surface<'_>,
        config: &GeometricOverlapConfig,
        lattice: &mut Vec<LatticePoint>,
    ) -> Self {
        let sides = [from, to].map(|s| s.view.depth.width.min(s.view.depth.height));
        let grid = PatchGrid::new(sides[0].min(sides[1]));
        let reprojection = Reprojection::new(from, to, config);
        let mut passage = Self {
            valid: from.valid(),
            covisible: 0,
            hidden: 0,
            depth_sum_m: 0.0,
            votes: Vec::with_capacity(grid.len()),
            partners: Vec::new(),
            grid,
        };
        let mut poll = Poll::new(grid);
        reprojection.blocks(|block, landings| {
            for (landing, place) in landings.iter().zip(0..) {
                let counts = matches!(landing.fate, Fate::Seen | Fate::Hidden) && reprojection.contains(landing.pixel);
                if !counts {
                    continue;
                }
                if landing.fate == Fate::Hidden {
                    passage.hidden += 1;
                    continue;
                }
                let (x, y) = (block.left + place % block.width, block.top + place / block.width);
                let depth_m = f64::from(from.view.depth.at(x, y));
                passage.covisible += 1;
                passage.depth_sum_m += depth_m;
                if x % LATTICE_STEP == LATTICE_START && y % LATTICE_STEP == LATTICE_START {
                    lattice.push(LatticePoint {
                        x,
                        y,
                        depth_m,
                        landing: *landing,
                    });
                }
            }
            if poll.is_patch(block) {
                passage.votes.push(poll.winner(landings));
            }
        });
        let mut claims = Claims::new(grid);
        for vote in &passage.votes {
            claims.claim(vote.unwrap_or(grid.out()));
        }
        passage.partners = claims.partners;
        passage
    }

    /// Share of pixels with a surface that the other view sees.
    pub fn covisibility(&self) -> f64 {
        f64::from(self.covisible) / f64::from(self.valid.max(1))
    }

    /// Share of pixels with a surface that project into the other image and are hidden there.
    pub fn hidden_fraction(&self) -> f64 {
        f64::from(self.hidden) / f64::from(self.valid.max(1))
    }

    /// The true overlap from this passage and the one back.
    pub fn overlap_with(&self, back: &Self) -> GeometricOverlap {
        GeometricOverlap {
            covisibility: Overlap {
                first_to_second: self.covisibility(),
                second_to_first: back.covisibility(),
            },
            patches: patch_votes::overlap(self.grid, &self.partners, &back.partners),
            correspondence: patch_votes::correspondence(self.grid, &self.partners, &back.partners),
        }
    }

    /// Intersection over union of the visible surface (module head); 0 where neither view shows any.
    pub fn iou_with(&self, back: &Self) -> f64 {
        let common = 0.5 * (f64::from(self.covisible) + f64::from(back.covisible));
        let union = f64::from(self.valid) + f64::from(back.valid) - common;
        if union > 0.0 { common / union } else { 0.0 }
    }
}

/// Counts the votes of one patch after another.
struct Poll {
    grid: PatchGrid,
    counts: Vec<u16>,
}

impl Poll {
    fn new(grid: PatchGrid) -> Self {
        Self {
            grid,
            counts: vec![0; grid.len() + 1],
        }
    }

    /// Whether a block is one of the grid's patches; blocks of the rest that fills no patch are none.
    fn is_patch(&self, block: Block) -> bool {
        let size = self.grid.side * patch_votes::PATCH;
        block.left < size && block.top < size
    }

    /// The label that reaches the highest count first; `None` for "out".
    fn winner(&mut self, landings: &[Landing]) -> Option<u16> {
        let out = self.grid.out();
        let (mut most, mut winner) = (0, out);
        for landing in landings {
            let label = self.label(landing);
            let count = &mut self.counts[usize::from(label)];
            *count += 1;
            if *count > most {
                (most, winner) = (*count, label);
            }
        }
        self.counts.fill(0);
        (winner != out).then_some(winner)
    }

    /// The votes count in integer pixels as OpenCV does: half a pixel off ours.
    fn label(&self, landing: &Landing) -> u16 {
        match landing.fate {
            Fate::Seen => self.grid.label(Some((landing.pixel.x - 0.5, landing.pixel.y - 0.5))),
            _ => self.grid.out(),
        }
    }
}
