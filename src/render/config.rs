//! What a picture is made of: size, field of view and the switches in which renderers differ.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::camera::Intrinsics;

/// Image size, projection and drawing rules.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct RenderConfig {
    /// Width and height of a rendered picture, pixels, 16..=4096. Default 256 (MIMIC supplement 2.1).
    pub size_px: u32,
    /// Width and height of the centred window that is kept, pixels, 16..=size_px. Default 224.
    pub crop_px: u32,
    /// Horizontal field of view of the whole picture, degrees, 10..=150. Default 90 (Habitat).
    pub hfov_deg: f64,
    /// Distance of the near plane along the optical axis, metres, 0.0001..=1. Default 0.01 (Habitat).
    pub near_m: f64,
    /// Which back faces are left out. Default `habitat`.
    pub culling: Culling,
    /// What the alpha channel does. Default `habitat`.
    pub alpha: Alpha,
    /// How textures are filtered. Default `mip`.
    pub filter: Filter,
    /// Whether Basis textures stay block-compressed on the device. Default `auto`.
    pub compressed_textures: CompressedTextures,
    /// Whether surfaces are lit. Default `flat` (Habitat's stages).
    pub shading: Shading,
}

/// Which back faces are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Culling {
    /// All of them, whatever the material says: seen from behind, walls vanish.
    Habitat,
    /// Those of materials that are not double-sided.
    Gltf,
    /// None.
    None,
}

/// What the alpha channel does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Alpha {
    /// Nothing: mask and blend are drawn opaque and hide what lies behind.
    Habitat,
    /// `MASK` leaves holes, `BLEND` is laid over what lies behind and leaves its depth.
    Gltf,
}

/// How textures are filtered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Filter {
    /// As the material's sampler asks, with mip levels; trilinear where it asks nothing.
    Mip,
    /// Bilinear in the nearest mip level, whatever the sampler says.
    MipNearest,
    /// Bilinear in the full image, no mip levels.
    Bilinear,
    /// The nearest texel of the full image.
    Nearest,
}

impl Filter {
    /// Every filter, in the order of the enumeration.
    pub const ALL: [Self; 4] = [Self::Mip, Self::MipNearest, Self::Bilinear, Self::Nearest];
}

/// Whether Basis Universal textures are sampled as BC7 blocks, a quarter of the memory of RGBA8, with the mip levels of
/// their file. Other textures, and those without all their levels or with a side that is no multiple of four, are
/// RGBA8 with levels computed here whatever this says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CompressedTextures {
    /// On adapters with BC textures that are not software: a CPU unpacks blocks at every sample.
    Auto,
    /// On all adapters with BC textures.
    Always,
    /// On none.
    Never,
}

/// Whether surfaces are lit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Shading {
    /// The stored colour and nothing else: what scans want, whose textures hold the light of their room.
    Flat,
    /// The stored colour under light that is computed once at upload ([`crate::scene::lighting`]): the
    /// file's own lights or a hemisphere and a soft key light, dimmed by ambient occlusion. For textures
    /// without baked light.
    Lit,
}

impl Default for RenderConfig {
    fn default() -> Self {
        Self {
            size_px: 256,
            crop_px: 224,
            hfov_deg: 90.0,
            near_m: 0.01,
            culling: Culling::Habitat,
            alpha: Alpha::Habitat,
            filter: Filter::Mip,
            compressed_textures: CompressedTextures::Auto,
            shading: Shading::Flat,
        }
    }
}

impl RenderConfig {
    /// Intrinsics of the whole picture: square pixels, centred.
    pub fn intrinsics(&self) -> Intrinsics {
        Intrinsics::from_hfov(self.size_px, self.size_px, self.hfov_deg.to_radians())
    }

    /// Checks every field's range; the message names field, value and range.
    pub fn validate(&self) -> Result<(), String> {
        if !(16..=4096).contains(&self.size_px) {
            return Err(format!("render.size_px = {} is not within 16..=4096", self.size_px));
        }
        if !(16..=self.size_px).contains(&self.crop_px) {
            return Err(format!(
                "render.crop_px = {} is not within 16..={} (render.size_px)",
                self.crop_px, self.size_px
            ));
        }
        if !(10.0..=150.0).contains(&self.hfov_deg) {
            return Err(format!("render.hfov_deg = {} is not within 10..=150", self.hfov_deg));
        }
        if !(1e-4..=1.0).contains(&self.near_m) {
            return Err(format!("render.near_m = {} is not within 0.0001..=1", self.near_m));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_valid_and_has_the_published_focal_length() {
        let config = RenderConfig::default();
        assert_eq!(config.validate(), Ok(()));
        assert!((config.intrinsics().fx - 128.0).abs() < 1e-9);
    }

    #[test]
    fn a_refusal_names_field_value_and_range() {
        let config = RenderConfig {
            crop_px: 300,
            ..RenderConfig::default()
        };
        let message = config.validate().expect_err("out of range");
        for part in ["render.crop_px", "300", "16..=256"] {
            assert!(message.contains(part), "{message}");
        }
        let config = RenderConfig {
            hfov_deg: f64::NAN,
            ..RenderConfig::default()
        };
        assert!(config.validate().is_err());
    }
}
