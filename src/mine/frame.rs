//! A frame as it is compared: cut, turned, scaled, with its features.

use std::sync::Arc;

use image::RgbImage;
use image::imageops::{crop_imm, rotate90, rotate180, rotate270};
use serde::{Deserialize, Serialize};

use crate::overlap::{HomographyOverlapConfig, ViewFeatures, view_features, working_picture};
use crate::view::View;

/// A turn to the right.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Turn {
    /// As stored.
    #[default]
    #[serde(rename = "0")]
    None,
    /// 90 degrees.
    #[serde(rename = "90")]
    Quarter,
    /// 180 degrees.
    #[serde(rename = "180")]
    Half,
    /// 270 degrees.
    #[serde(rename = "270")]
    ThreeQuarters,
}

impl Turn {
    /// The turn of so many degrees to the right; `None` unless they are a multiple of 90.
    pub fn from_degrees(degrees: i64) -> Option<Self> {
        match degrees.rem_euclid(360) {
            0 => Some(Self::None),
            90 => Some(Self::Quarter),
            180 => Some(Self::Half),
            270 => Some(Self::ThreeQuarters),
            _ => None,
        }
    }
}

/// What is done to a picture before it is compared.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Prepare {
    /// Turn to the right, first.
    pub turn: Turn,
    /// Share of the height that is cut off at the bottom (captions), 0 to 0.9.
    pub crop_bottom: f64,
}

impl Prepare {
    /// Whether pictures stay as they are, up to their size.
    pub fn is_none(&self) -> bool {
        self.turn == Turn::None && self.crop_bottom == 0.0
    }

    /// The picture at the size at which pictures are compared, 224 x 224.
    pub fn apply(&self, picture: RgbImage) -> RgbImage {
        let turned = match self.turn {
            Turn::None => picture,
            Turn::Quarter => rotate90(&picture),
            Turn::Half => rotate180(&picture),
            Turn::ThreeQuarters => rotate270(&picture),
        };
        let kept = ((1.0 - self.crop_bottom) * f64::from(turned.height())).round().max(1.0) as u32;
        if kept >= turned.height() {
            return match working_picture(&turned) {
                std::borrow::Cow::Borrowed(_) => turned,
                std::borrow::Cow::Owned(scaled) => scaled,
            };
        }
        let cut = crop_imm(&turned, 0, 0, turned.width(), kept).to_image();
        working_picture(&cut).into_owned()
    }
}

/// A frame ready to be compared.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    /// What becomes part of a pair: with depth and pose where they are known.
    pub view: Arc<View>,
    /// Of its picture.
    pub features: ViewFeatures,
}

impl Frame {
    pub fn new(view: View, config: &HomographyOverlapConfig) -> Self {
        Self {
            features: view_features(&view.color, config),
            view: Arc::new(view),
        }
    }
}

#[cfg(test)]
mod tests {
    use image::Rgb;

    use super::*;

    #[test]
    fn turning_and_cutting_come_before_scaling() {
        // Left half red, right half green; a quarter to the right puts red on top.
        let picture = RgbImage::from_fn(
            400,
            200,
            |x, _| if x < 200 { Rgb([255, 0, 0]) } else { Rgb([0, 255, 0]) },
        );
        let prepare = Prepare {
            turn: Turn::Quarter,
            crop_bottom: 0.5,
        };
        let made = prepare.apply(picture);
        assert_eq!(made.dimensions(), (224, 224));
        assert!(made.pixels().all(|pixel| pixel.0 == [255, 0, 0]));
        assert_eq!(Turn::from_degrees(-90), Some(Turn::ThreeQuarters));
        assert_eq!(Turn::from_degrees(45), None);
    }
}
