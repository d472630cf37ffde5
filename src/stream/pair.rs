//! What a stream carries: pairs with their places, and batches of them.

use serde::{Deserialize, Serialize};

use super::shrink::shrunk;
use crate::view::{PairOrigin, PairOverlaps, PairPlace, View, ViewPair};

/// A scene that pairs came from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SceneSeen {
    /// Name, as in the origin of its pairs.
    pub name: String,
    /// BLAKE3 of the scene's bytes, hexadecimal.
    pub hash: String,
}

impl From<&PairOrigin> for SceneSeen {
    fn from(origin: &PairOrigin) -> Self {
        Self {
            name: origin.scene.clone(),
            hash: origin.scene_hash.clone(),
        }
    }
}

/// A pair on its way through a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct Placed<P> {
    /// Where it stands in the run.
    pub place: PairPlace,
    /// The scene it shows.
    pub scene: SceneSeen,
    /// Overlap by every measure that was asked for.
    pub overlaps: PairOverlaps,
    /// Both pictures, wherever they lie.
    pub images: P,
}

/// The two pictures of a pair, in host memory or elsewhere.
pub trait PairImages: Send + Sync + 'static {
    /// Width and height of each, pixels.
    fn sizes(&self) -> [(u32, u32); 2];
}

/// Both pictures in host memory, rows of interleaved 8-bit RGB.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostImages {
    /// Width and height of each, pixels.
    pub sizes: [(u32, u32); 2],
    /// First view, `[height, width, 3]`.
    pub first: Vec<u8>,
    /// Second view, same layout.
    pub second: Vec<u8>,
}

impl PairImages for HostImages {
    fn sizes(&self) -> [(u32, u32); 2] {
        self.sizes
    }
}

impl Placed<HostImages> {
    /// The pair with pictures `factor` times smaller.
    pub(super) fn shrunk(self, factor: u32) -> Self {
        if factor == 1 {
            return self;
        }
        let HostImages { sizes, first, second } = self.images;
        Self {
            images: HostImages {
                first: shrunk(&first, sizes[0], factor),
                second: shrunk(&second, sizes[1], factor),
                sizes: sizes.map(|(width, height)| (width / factor, height / factor)),
            },
            ..self
        }
    }
}

impl From<(PairPlace, ViewPair)> for Placed<HostImages> {
    fn from((place, pair): (PairPlace, ViewPair)) -> Self {
        let colors = [&pair.first.color, &pair.second.color];
        Self {
            place,
            scene: (&pair.origin).into(),
            images: HostImages {
                sizes: colors.map(|color| color.dimensions()),
                first: colors[0].as_raw().clone(),
                second: colors[1].as_raw().clone(),
            },
            overlaps: pair.overlaps,
        }
    }
}

impl From<ViewPair> for Placed<HostImages> {
    fn from(pair: ViewPair) -> Self {
        let index = pair.origin.index;
        (
            PairPlace {
                index,
                ..PairPlace::default()
            },
            pair,
        )
            .into()
    }
}

/// Host bytes of a batch of pairs, ready for any tensor library.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBatch {
    /// First views, `[batch, height, width, 3]` row-major, 8-bit.
    pub first: Vec<u8>,
    /// Second views, same shape.
    pub second: Vec<u8>,
    /// `[batch, height, width, 3]`.
    pub shape: [usize; 4],
    /// Overlaps of each pair, `[batch]`.
    pub overlaps: Vec<PairOverlaps>,
    /// Sample index of each pair, `[batch]`.
    pub indices: Vec<u64>,
}

impl PairBatch {
    /// The pairs as one batch, in order, their pictures `shrink` times smaller; `None` where there are none or their
    /// sizes differ.
    pub fn from_views(pairs: &[ViewPair], shrink: u32) -> Option<Self> {
        let size = pairs.first()?.first.color.dimensions();
        let views = || pairs.iter().flat_map(|pair| [&pair.first, &pair.second]);
        if views().any(|view| view.color.dimensions() != size) {
            return None;
        }
        let bytes = |view: fn(&ViewPair) -> &View| {
            let mut all = Vec::new();
            for pair in pairs {
                all.extend(shrunk(view(pair).color.as_raw(), size, shrink));
            }
            all
        };
        Some(Self {
            first: bytes(|pair| &pair.first),
            second: bytes(|pair| &pair.second),
            shape: [pairs.len(), (size.1 / shrink) as usize, (size.0 / shrink) as usize, 3],
            overlaps: pairs.iter().map(|pair| pair.overlaps.clone()).collect(),
            indices: pairs.iter().map(|pair| pair.origin.index).collect(),
        })
    }

    /// Puts pairs of one size together.
    pub(super) fn of(pairs: &[&Placed<HostImages>]) -> Self {
        let (width, height) = pairs.first().map_or((0, 0), |pair| pair.images.sizes[0]);
        let bytes = width as usize * height as usize * 3;
        let mut batch = Self {
            first: Vec::with_capacity(pairs.len() * bytes),
            second: Vec::with_capacity(pairs.len() * bytes),
            shape: [pairs.len(), height as usize, width as usize, 3],
            overlaps: pairs.iter().map(|pair| pair.overlaps.clone()).collect(),
            indices: pairs.iter().map(|pair| pair.place.index).collect(),
        };
        for pair in pairs {
            batch.first.extend_from_slice(&pair.images.first);
            batch.second.extend_from_slice(&pair.images.second);
        }
        batch
    }
}
