//! Habitat's colour recipe in 64 bits on the CPU, from the text alone: what a pixel should show.
//!
//! Stored bytes, isotropic trilinear, level from the longer of the two pixel steps in texels, mip
//! sizes halved with floor, each level resampled linearly at normalised coordinates and rounded.

use covista::scene::{MipMode, Sampler, Texture, Wrap};
use glam::{DVec2, DVec4};

/// A texture with its levels.
pub struct CpuTexture {
    levels: Vec<Level>,
}

struct Level {
    width: usize,
    height: usize,
    texels: Vec<DVec4>,
}

impl Level {
    fn texel(&self, x: i64, y: i64, wrap: [Wrap; 2]) -> DVec4 {
        let at = |i: i64, size: usize, wrap| {
            let n = size as i64;
            (match wrap {
                Wrap::Repeat => i.rem_euclid(n),
                Wrap::Clamp => i.clamp(0, n - 1),
                Wrap::Mirror => {
                    let i = i.rem_euclid(2 * n);
                    if i < n { i } else { 2 * n - 1 - i }
                }
            }) as usize
        };
        self.texels[at(y, self.height, wrap[1]) * self.width + at(x, self.width, wrap[0])]
    }

    fn nearest(&self, uv: DVec2, wrap: [Wrap; 2]) -> DVec4 {
        let at = (uv * DVec2::new(self.width as f64, self.height as f64)).floor();
        self.texel(at.x as i64, at.y as i64, wrap)
    }

    fn bilinear(&self, uv: DVec2, wrap: [Wrap; 2]) -> DVec4 {
        let at = uv * DVec2::new(self.width as f64, self.height as f64) - 0.5;
        let base = at.floor();
        let share = at - base;
        let (x, y) = (base.x as i64, base.y as i64);
        let top = self.texel(x, y, wrap).lerp(self.texel(x + 1, y, wrap), share.x);
        let bottom = self.texel(x, y + 1, wrap).lerp(self.texel(x + 1, y + 1, wrap), share.x);
        top.lerp(bottom, share.y)
    }
}

impl CpuTexture {
    pub fn new(texture: &Texture) -> Self {
        let texels = texture
            .rgba()
            .expect("pixels")
            .chunks_exact(4)
            .map(|t| DVec4::new(t[0].into(), t[1].into(), t[2].into(), t[3].into()))
            .collect();
        let mut levels = vec![Level {
            width: texture.width as usize,
            height: texture.height as usize,
            texels,
        }];
        while let Some(above) = levels.last().filter(|l| l.width > 1 || l.height > 1) {
            let (width, height) = ((above.width / 2).max(1), (above.height / 2).max(1));
            let texels = (0..width * height)
                .map(|i| {
                    let uv = DVec2::new(
                        ((i % width) as f64 + 0.5) / width as f64,
                        ((i / width) as f64 + 0.5) / height as f64,
                    );
                    // Halves round up, as 8-bit targets do.
                    (above.bilinear(uv, [Wrap::Clamp; 2]) + 0.5 + 1e-9).floor()
                })
                .collect();
            levels.push(Level { width, height, texels });
        }
        Self { levels }
    }

    /// RGBA in levels, with the steps of `uv` from one pixel to the next right and down.
    pub fn sample(&self, uv: DVec2, right: DVec2, down: DVec2, sampler: &Sampler) -> DVec4 {
        let size = DVec2::new(self.levels[0].width as f64, self.levels[0].height as f64);
        let longest = (right * size).length().max((down * size).length());
        let unclamped = longest.log2();
        let last = (self.levels.len() - 1) as f64;
        let level = match sampler.mip {
            MipMode::None => 0.0,
            MipMode::Nearest => unclamped.round().clamp(0.0, last),
            MipMode::Linear => unclamped.clamp(0.0, last),
        };
        let linear = if unclamped <= 0.0 {
            sampler.mag_linear
        } else {
            sampler.min_linear
        };
        let at = |level: usize| {
            let level = &self.levels[level.min(self.levels.len() - 1)];
            if linear {
                level.bilinear(uv, sampler.wrap)
            } else {
                level.nearest(uv, sampler.wrap)
            }
        };
        let fine = level.floor() as usize;
        at(fine).lerp(at(fine + 1), level.fract())
    }
}
