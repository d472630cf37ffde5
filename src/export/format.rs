//! The formats by name, and what can be chosen about them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::DepthFormat;

/// A layout that pairs can be written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// One folder a pair and a manifest: everything that is known.
    Native,
    /// The released MIMIC tree: JPEG, `corresponding.npy`, a CSV.
    Mimic,
    /// CroCo's tree: `*_1.jpeg`, `*_2.jpeg`, `pairs.txt`, `metadata.json`, cameras, depth.
    Croco,
    /// DUSt3R's tree: pictures, depth and `*_camera_params.json`, `metadata.json`.
    Dust3r,
    /// Tar shards for WebDataset.
    Webdataset,
    /// Parquet with embedded pictures for Hugging Face `datasets`.
    Parquet,
    /// COLMAP models, binary and text.
    Colmap,
    /// nerfstudio's `transforms.json`.
    Nerfstudio,
    /// Batches as safetensors.
    Safetensors,
    /// Batches as NumPy arrays.
    Npy,
}

impl Format {
    /// All of them, in the order in which they are listed.
    pub const ALL: [Self; 10] = [
        Self::Native,
        Self::Mimic,
        Self::Croco,
        Self::Dust3r,
        Self::Webdataset,
        Self::Parquet,
        Self::Colmap,
        Self::Nerfstudio,
        Self::Safetensors,
        Self::Npy,
    ];

    /// Whether it has no way to say that depth and pose of a pair are unknown.
    pub fn needs_geometry(self) -> bool {
        !matches!(self, Self::Native | Self::Mimic | Self::Webdataset)
    }

    /// Its name on the command line, and of its folder among several.
    pub fn name(self) -> &'static str {
        match self {
            Self::Native => "native",
            Self::Mimic => "mimic",
            Self::Croco => "croco",
            Self::Dust3r => "dust3r",
            Self::Webdataset => "webdataset",
            Self::Parquet => "parquet",
            Self::Colmap => "colmap",
            Self::Nerfstudio => "nerfstudio",
            Self::Safetensors => "safetensors",
            Self::Npy => "npy",
        }
    }

    /// True where the layout has one folder a scene, so that pairs are written scene by scene.
    pub(super) fn by_scene(self) -> bool {
        matches!(self, Self::Croco | Self::Dust3r | Self::Colmap | Self::Nerfstudio)
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = Self::ALL.into_iter().find(|format| format.name() == text);
        known.ok_or_else(|| {
            let names = Self::ALL.map(Self::name);
            format!("there is no format {text:?}; the formats are {}", names.join(", "))
        })
    }
}

/// What can be chosen about a conversion.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ExportOptions {
    /// Name of the whole: first level of folders of a MIMIC tree, title of the card.
    pub dataset: String,
    /// Pairs in one tar shard or Parquet file, at least 1 (default 1000).
    pub shard_pairs: u64,
    /// Pairs in one batch of safetensors or npy, at least 1 (default 64).
    pub batch_pairs: u64,
    /// How the trees of CroCo and DUSt3R hold depth.
    pub depth: DepthFormat,
    /// Licence of the source scenes as its user states it; `None` leaves the card saying that it is not recorded.
    pub scene_license: Option<String>,
}

impl Default for ExportOptions {
    fn default() -> Self {
        Self {
            dataset: "Covista".into(),
            shard_pairs: 1000,
            batch_pairs: 64,
            depth: DepthFormat::default(),
            scene_license: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back_and_others_refused() {
        for format in Format::ALL {
            assert_eq!(format.name().parse(), Ok(format));
            assert_eq!(serde_json::to_value(format).unwrap(), format.name());
        }
        assert!("tar".parse::<Format>().unwrap_err().contains("webdataset"));
    }
}
