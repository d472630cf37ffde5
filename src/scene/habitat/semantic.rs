//! HM3D's `*.semantic.txt`: which painted colour is which object.
//!
//! `*.semantic.glb` is the same scan with a texture in which every object has one colour; this table
//! turns colours into ids. First line `HM3D Semantic Annotations`, then `id,RRGGBB,"category",region`.

use std::collections::BTreeMap;
use std::path::Path;

use super::files::read_json;
use crate::scene::error::SceneError;

const HEADER: &str = "HM3D Semantic Annotations";

/// One annotated object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SemanticLabel {
    /// Object id; 0 stands for "unknown" and is not listed.
    pub id: u32,
    /// Painted colour, red, green, blue.
    pub color: [u8; 3],
    /// Category as written, which may hold commas.
    pub category: String,
    /// Room that it belongs to; -1 where none is given.
    pub region: i32,
}

/// All objects of a scene.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SemanticTable {
    /// In the order of the file.
    pub labels: Vec<SemanticLabel>,
    by_color: BTreeMap<[u8; 3], u32>,
}

impl SemanticTable {
    /// Reads a `.semantic.txt`.
    ///
    /// # Errors
    /// A file that is not there, is no annotation file, or has a line that breaks the format (named by number).
    pub fn read(path: &Path) -> Result<Self, SceneError> {
        let bytes = read_json(path)?;
        Self::parse(&String::from_utf8_lossy(&bytes)).map_err(|what| SceneError::malformed(path, what))
    }

    /// As [`Self::read`], from the text.
    ///
    /// # Errors
    /// What is wrong, with the number of the line.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut lines = text.lines().enumerate();
        match lines.next() {
            Some((_, first)) if first.trim_start_matches('\u{feff}').trim() == HEADER => {}
            _ => return Err(format!("the first line is not {HEADER:?}")),
        }
        let mut table = Self::default();
        for (number, line) in lines {
            if line.trim().is_empty() {
                continue;
            }
            let label =
                label(line).ok_or_else(|| format!("line {} is not id,RRGGBB,\"category\",region", number + 1))?;
            if let Some(other) = table.by_color.insert(label.color, label.id) {
                return Err(format!(
                    "line {}: objects {other} and {} have the same colour",
                    number + 1,
                    label.id
                ));
            }
            table.labels.push(label);
        }
        Ok(table)
    }

    /// The object painted in a colour; 0 for a colour that is not listed.
    pub fn id_of(&self, color: [u8; 3]) -> u32 {
        self.by_color.get(&color).copied().unwrap_or(0)
    }

    /// Ids of a picture of the `.semantic.glb`, drawn without light, filter or mip levels; `[height, width]` row-major.
    pub fn ids_of(&self, picture: &image::RgbImage) -> Vec<u32> {
        picture.pixels().map(|pixel| self.id_of(pixel.0)).collect()
    }
}

fn label(line: &str) -> Option<SemanticLabel> {
    let (id, rest) = line.trim().split_once(',')?;
    let (color, rest) = rest.split_once(',')?;
    // The category stands in quotes and may hold commas; the region is what follows the last quote.
    let (category, region) = match rest.trim().strip_prefix('"') {
        Some(quoted) => {
            let (category, after) = quoted.rsplit_once('"')?;
            (category, after.trim().strip_prefix(',').unwrap_or(""))
        }
        None => rest.rsplit_once(',').unwrap_or((rest, "")),
    };
    let color = color.trim();
    let channel = |at: usize| u8::from_str_radix(color.get(at..at + 2)?, 16).ok();
    if color.len() != 6 {
        return None;
    }
    Some(SemanticLabel {
        id: id.trim().parse().ok()?,
        color: [channel(0)?, channel(2)?, channel(4)?],
        category: category.to_owned(),
        region: match region.trim() {
            "" => -1,
            region => region.parse().ok()?,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str =
        "HM3D Semantic Annotations\n1,A0B1C2,\"wall, white\",0\n2,010203,\"chair\",3\n\n3,FFFFFF,lamp,\n";

    #[test]
    fn categories_may_hold_commas() {
        let table = SemanticTable::parse(TEXT).unwrap();
        assert_eq!(table.labels.len(), 3);
        assert_eq!(table.labels[0].category, "wall, white");
        assert_eq!((table.labels[1].region, table.labels[2].region), (3, -1));
        assert_eq!(table.id_of([1, 2, 3]), 2);
        assert_eq!(table.id_of([9, 9, 9]), 0);
        let picture = image::RgbImage::from_raw(2, 1, vec![0xA0, 0xB1, 0xC2, 0, 0, 0]).unwrap();
        assert_eq!(table.ids_of(&picture), [1, 0]);
    }

    #[test]
    fn broken_files_name_the_line() {
        assert!(SemanticTable::parse("something").unwrap_err().contains("first line"));
        let wrong = SemanticTable::parse("HM3D Semantic Annotations\n1,XYZ,\"a\",0").unwrap_err();
        assert!(wrong.contains("line 2"), "{wrong}");
        let twice = format!("{TEXT}4,010203,\"table\",1\n");
        assert!(SemanticTable::parse(&twice).unwrap_err().contains("same colour"));
    }
}
