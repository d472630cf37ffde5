//! MTL: colour, opacity and texture of each material.

use std::collections::HashMap;

use super::parse::floats;
use crate::scene::model::Wrap;

/// One `newmtl` entry.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct MtlMaterial {
    /// `Kd`.
    pub(super) diffuse: [f32; 3],
    /// `d`, or 1 - `Tr`.
    pub(super) opacity: f32,
    /// `map_Kd`: a file name.
    pub(super) texture: Option<String>,
    /// `-clamp on` of `map_Kd`.
    pub(super) wrap: Wrap,
    /// `map_d`: a file name.
    pub(super) opacity_map: Option<String>,
}

impl Default for MtlMaterial {
    fn default() -> Self {
        Self {
            diffuse: [1.0; 3],
            opacity: 1.0,
            texture: None,
            wrap: Wrap::Repeat,
            opacity_map: None,
        }
    }
}

/// Reads a material library into `materials`; numbers that are none are sentences in `warnings`.
pub(super) fn parse(bytes: &[u8], materials: &mut HashMap<String, MtlMaterial>, warnings: &mut Vec<String>) {
    let text = String::from_utf8_lossy(bytes);
    let mut current: Option<String> = None;
    for line in text.lines().map(str::trim) {
        let (keyword, rest) = line.split_once(char::is_whitespace).unwrap_or((line, ""));
        let rest = rest.trim();
        if keyword == "newmtl" {
            materials.insert(rest.to_owned(), MtlMaterial::default());
            current = Some(rest.to_owned());
            continue;
        }
        let Some(material) = current.as_ref().and_then(|name| materials.get_mut(name)) else {
            continue;
        };
        let number = |warnings: &mut Vec<String>| match floats::<3>(rest.as_bytes()) {
            Ok((values, count)) if count > 0 => Some((values, count)),
            _ => {
                warnings.push(format!(
                    "a {keyword} line of the material library is no colour or number: ignored"
                ));
                None
            }
        };
        match keyword.to_ascii_lowercase().as_str() {
            "kd" => {
                if let Some((values, count)) = number(warnings) {
                    // One number is a grey.
                    material.diffuse = if count == 3 { values } else { [values[0]; 3] };
                }
            }
            "d" => {
                let rest = rest.strip_prefix("-halo").unwrap_or(rest);
                if let Ok((values, 1..)) = floats::<1>(rest.as_bytes()) {
                    material.opacity = values[0];
                }
            }
            "tr" => {
                if let Ok((values, 1..)) = floats::<1>(rest.as_bytes()) {
                    material.opacity = 1.0 - values[0];
                }
            }
            "map_kd" => {
                let (file, clamp) = texture_file(rest);
                material.texture = Some(file);
                material.wrap = if clamp { Wrap::Clamp } else { Wrap::Repeat };
            }
            "map_d" => material.opacity_map = Some(texture_file(rest).0),
            _ => {}
        }
    }
}

/// The file name after the options of a texture line, and whether it clamps. The name may hold blanks.
fn texture_file(rest: &str) -> (String, bool) {
    let mut clamp = false;
    let mut left = rest;
    while let Some(option) = left.strip_prefix('-') {
        let (name, mut after) = option.split_once(char::is_whitespace).unwrap_or((option, ""));
        let (least, most) = match name {
            "s" | "o" | "t" => (1, 3),
            "mm" => (2, 2),
            "blendu" | "blendv" | "boost" | "cc" | "clamp" | "texres" | "bm" | "imfchan" | "type" => (1, 1),
            _ => break,
        };
        for taken in 0..most {
            after = after.trim_start();
            let (value, next) = after.split_once(char::is_whitespace).unwrap_or((after, ""));
            if taken >= least && value.parse::<f32>().is_err() {
                break;
            }
            clamp |= name == "clamp" && value == "on";
            after = next;
        }
        left = after.trim_start();
    }
    (left.to_owned(), clamp)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_come_before_the_name() {
        assert_eq!(texture_file("wood.jpg"), ("wood.jpg".to_owned(), false));
        assert_eq!(
            texture_file("-clamp on -s 1 2 -o 0.5 0 0 my wood.jpg"),
            ("my wood.jpg".to_owned(), true)
        );
    }
}
