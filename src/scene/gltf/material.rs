//! Materials: base colour, alpha, sampler.

use super::json::{MaterialJson, Root, SamplerJson, TextureInfo};
use crate::scene::builder::SceneBuilder;
use crate::scene::model::{AlphaMode, Material, MipMode, Sampler, Wrap};

/// The texture that a material's base colour refers to. Specular-glossiness comes first where it is given: the
/// metallic-roughness values beside it are its fallback.
pub(super) fn base_texture<'a>(material: &'a MaterialJson<'_>) -> Option<&'a TextureInfo> {
    match &material.extensions.specular_glossiness {
        Some(sg) => sg.diffuse_texture.as_ref(),
        None => material.pbr_metallic_roughness.base_color_texture.as_ref(),
    }
}

/// The material without its texture.
pub(super) fn convert(index: usize, json: &MaterialJson<'_>, builder: &mut SceneBuilder) -> Material {
    let factor = match &json.extensions.specular_glossiness {
        Some(sg) => sg.diffuse_factor,
        None => json.pbr_metallic_roughness.base_color_factor,
    };
    let glows = json.emissive_factor.is_some_and(|f| f.iter().any(|&c| c > 0.0));
    if glows || json.emissive_texture.is_some() {
        builder.warn("emissive colours are ignored: surfaces show their base colour");
    }
    let alpha = match json.alpha_mode.as_deref() {
        None | Some("OPAQUE") => AlphaMode::Opaque,
        Some("MASK") => AlphaMode::Mask(json.alpha_cutoff.unwrap_or(0.5)),
        Some("BLEND") => AlphaMode::Blend,
        Some(_) => {
            builder.warn(format!("material {index} has an unknown alphaMode: drawn opaque"));
            AlphaMode::Opaque
        }
    };
    Material {
        name: match &json.name {
            Some(name) => crate::scene::files::shorten(name),
            None => format!("material {index}"),
        },
        // NaN cannot come from JSON, infinity can.
        base_color: factor.unwrap_or([1.0; 4]).map(|c| c.clamp(0.0, 1.0)),
        texture: None,
        alpha,
        double_sided: json.double_sided,
        unlit: json.extensions.unlit.is_some(),
    }
}

/// A texture's sampler; missing parts are trilinear and repeat, as in Magnum.
pub(super) fn sampler(root: &Root<'_>, texture: usize) -> Sampler {
    let index = root.textures.get(texture).and_then(|t| t.sampler);
    index
        .and_then(|index| root.samplers.get(index))
        .map_or_else(Sampler::default, convert_sampler)
}

fn convert_sampler(json: &SamplerJson) -> Sampler {
    const NEAREST: u32 = 9728;
    let (min_linear, mip) = match json.min_filter {
        Some(9728) => (false, MipMode::None),
        Some(9729) => (true, MipMode::None),
        Some(9984) => (false, MipMode::Nearest),
        Some(9985) => (true, MipMode::Nearest),
        Some(9986) => (false, MipMode::Linear),
        _ => (true, MipMode::Linear),
    };
    let wrap = |mode| match mode {
        Some(33071) => Wrap::Clamp,
        Some(33648) => Wrap::Mirror,
        _ => Wrap::Repeat,
    };
    Sampler {
        mag_linear: json.mag_filter != Some(NEAREST),
        min_linear,
        mip,
        wrap: [wrap(json.wrap_s), wrap(json.wrap_t)],
    }
}
