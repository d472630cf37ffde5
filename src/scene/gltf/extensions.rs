//! Which extensions a file may require.

use std::path::Path;

use super::json::Root;
use crate::scene::builder::SceneBuilder;
use crate::scene::error::SceneError;

/// Extensions that are honoured.
const HONOURED: &[&str] = &[
    "KHR_mesh_quantization",
    "KHR_texture_transform",
    "KHR_materials_unlit",
    "KHR_materials_pbrSpecularGlossiness",
    "EXT_texture_webp",
    "KHR_draco_mesh_compression",
    "EXT_meshopt_compression",
    "KHR_meshopt_compression",
    "KHR_texture_basisu",
    "GOOGLE_texture_basis",
];

/// Extensions that change nothing in what flat shading draws of a static scene.
const HARMLESS: &[&str] = &[
    "KHR_lights_punctual",
    "KHR_materials_anisotropy",
    "KHR_materials_clearcoat",
    "KHR_materials_common",
    "KHR_materials_dispersion",
    "KHR_materials_emissive_strength",
    "KHR_materials_ior",
    "KHR_materials_iridescence",
    "KHR_materials_sheen",
    "KHR_materials_specular",
    "KHR_materials_transmission",
    "KHR_materials_variants",
    "KHR_materials_volume",
    "KHR_animation_pointer",
    "KHR_xmp",
    "KHR_xmp_json_ld",
    "KHR_audio",
    "MSFT_lod",
    "MOZ_lightmap",
    "MOZ_hubs_components",
    "ADOBE_materials_clearcoat_specular",
    "EXT_lights_image_based",
    "AGI_articulations",
    "CESIUM_RTC",
];

/// What to do about an extension that is refused.
fn advice(extension: &str) -> &'static str {
    match extension {
        "EXT_mesh_gpu_instancing" => "expand the instances first, for example with `gltf-transform uninstance IN OUT`",
        _ => "export the scene without it",
    }
}

/// Refuses a file whose `extensionsRequired` names one that is not supported, and warns of lights, which flat shading
/// does not use.
pub(super) fn check(root: &Root<'_>, builder: &mut SceneBuilder, path: &Path) -> Result<(), SceneError> {
    if root.extensions_used.iter().any(|name| name == "KHR_lights_punctual") {
        builder.warn("KHR_lights_punctual is ignored under flat shading: surfaces show their base colour");
    }
    for extension in &root.extensions_required {
        let name = extension.as_ref();
        if !HONOURED.contains(&name) && !HARMLESS.contains(&name) {
            return Err(unsupported(name, path));
        }
    }
    Ok(())
}

/// The error for one extension.
pub(super) fn unsupported(extension: &str, path: &Path) -> SceneError {
    SceneError::Unsupported {
        feature: format!("the glTF extension {}", crate::scene::files::shorten(extension)),
        advice: advice(extension).to_owned(),
        path: path.to_owned(),
    }
}
