//! What to paint, how many metres it covers and how many pixels it gets.

use super::super::canvas::Canvas;
use super::super::color::Rgb;
use super::{Cloth, Paper, RugStyle, fabrics, floors, prints, stuff, walls};
use crate::rng::Rng;
use crate::scene::Texture;

/// A texture to be painted.
#[derive(Debug, Clone, PartialEq)]
pub(in super::super) enum Recipe {
    /// Floor boards; `contrast` from 0.2 (calm) to 0.7 (rustic).
    Planks { wood: Rgb, contrast: f32 },
    /// Mosaic parquet.
    Parquet { wood: Rgb },
    /// Marbled floor tiles, `per_side` of them over the texture.
    Tiles { pair: [Rgb; 2], grout: Rgb, per_side: i32 },
    /// Patchwork of cement tiles.
    Encaustic { palette: Vec<Rgb> },
    /// Stone chips in a binder.
    Terrazzo { binder: Rgb },
    /// Tufted carpet.
    Carpet { color: Rgb },
    /// Painted plaster.
    Plaster { color: Rgb, rough: f32 },
    /// Brickwork.
    Brick { color: Rgb, mortar: Rgb },
    /// Printed wallpaper.
    Wallpaper {
        paper: Paper,
        ground: Rgb,
        palette: Vec<Rgb>,
    },
    /// Glazed wall tiles of the given size in metres.
    WallTiles {
        color: Rgb,
        grout: Rgb,
        accents: Vec<Rgb>,
        tile_m: [f32; 2],
    },
    /// Vertical boards.
    Boards { wood: Rgb },
    /// Upholstery, curtains, bedding.
    Cloth { pattern: Cloth, palette: Vec<Rgb> },
    /// A whole rug.
    Rug { style: RugStyle, palette: Vec<Rgb> },
    /// Furniture wood, to be tinted.
    Wood,
    /// Veined stone.
    Marble { body: Rgb, vein: Rgb },
    /// Metal, enamel, ceramics: to be tinted.
    Metal,
    /// Leaves.
    Leaf,
    /// A sheet of pictures.
    Pictures,
    /// A sheet of book spines.
    Spines,
    /// A sheet of labels.
    Labels,
    /// The world outside.
    Outside,
}

impl Recipe {
    /// Metres that one repeat covers along u and v; [1, 1] for sheets that are laid by cell.
    pub(in super::super) fn extent(&self) -> [f32; 2] {
        match self {
            Self::Planks { .. } | Self::Parquet { .. } | Self::Tiles { .. } => [4.0, 4.0],
            Self::Terrazzo { .. } | Self::Encaustic { .. } | Self::Carpet { .. } => [3.6, 3.6],
            Self::Plaster { .. } | Self::Wallpaper { .. } | Self::Brick { .. } | Self::WallTiles { .. } => [5.6, 2.8],
            Self::Boards { .. } => [2.8, 2.8],
            Self::Cloth { .. } => [1.1, 1.1],
            Self::Wood | Self::Metal => [1.2, 1.2],
            Self::Marble { .. } => [1.6, 1.6],
            _ => [1.0, 1.0],
        }
    }

    /// Width and height in pixels when the largest textures are `px` across.
    fn pixels(&self, px: u32) -> [u32; 2] {
        match self {
            Self::Plaster { .. } | Self::Wallpaper { .. } | Self::Brick { .. } | Self::WallTiles { .. } => [px, px / 2],
            // Nobody's eye comes nearer to a floor than a metre.
            Self::Planks { .. } | Self::Parquet { .. } | Self::Tiles { .. } => [3 * px / 4, 3 * px / 4],
            Self::Terrazzo { .. } | Self::Encaustic { .. } | Self::Carpet { .. } => [3 * px / 4, 3 * px / 4],
            Self::Cloth { .. } | Self::Wood | Self::Marble { .. } | Self::Boards { .. } => [px / 2, px / 2],
            Self::Labels | Self::Rug { .. } => [px / 2, px / 2],
            Self::Metal | Self::Leaf => [px / 4, px / 4],
            Self::Outside => [2 * px, px / 2],
            _ => [px, px],
        }
    }

    /// Paints the texture; the same stream gives the same bytes.
    pub(in super::super) fn paint(&self, name: &str, px: u32, rng: &mut Rng) -> Texture {
        let (size, extent) = (self.pixels(px), self.extent());
        self.canvas(size, extent, rng).into_texture(name)
    }

    fn canvas(&self, size: [u32; 2], extent: [f32; 2], rng: &mut Rng) -> Canvas {
        let (side, metres) = (size[0], extent[0]);
        match self {
            Self::Planks { wood, contrast } => floors::planks(side, metres, *wood, *contrast, rng),
            Self::Parquet { wood } => floors::parquet(side, metres, *wood, rng),
            Self::Tiles { pair, grout, per_side } => floors::tiles(side, metres, *per_side, *pair, *grout, rng),
            Self::Encaustic { palette } => floors::encaustic(side, 18, palette, rng),
            Self::Terrazzo { binder } => floors::terrazzo(side, metres, *binder, rng),
            Self::Carpet { color } => floors::carpet(side, metres, *color, rng),
            Self::Plaster { color, rough } => walls::plaster(size, extent, *color, *rough, rng),
            Self::Brick { color, mortar } => walls::brick(size, extent, *color, *mortar, rng),
            Self::Wallpaper { paper, ground, palette } => walls::wallpaper(size, extent, *paper, *ground, palette, rng),
            Self::WallTiles {
                color,
                grout,
                accents,
                tile_m,
            } => walls::wall_tiles(size, extent, *tile_m, [*color, *grout], accents, rng),
            Self::Boards { wood } => walls::boards(size, extent, *wood, rng),
            Self::Cloth { pattern, palette } => fabrics::cloth(side, metres, *pattern, palette, rng),
            Self::Rug { style, palette } => fabrics::rug(size, *style, palette, rng),
            Self::Wood => stuff::wood(side, rng),
            Self::Marble { body, vein } => stuff::marble(side, *body, *vein, rng),
            Self::Metal => stuff::metal(side, rng),
            Self::Leaf => stuff::leaf(side, rng),
            Self::Pictures => prints::pictures(side, rng),
            Self::Spines => prints::spines(side, rng),
            Self::Labels => prints::labels(side, rng),
            Self::Outside => stuff::outside(size, rng),
        }
    }
}
