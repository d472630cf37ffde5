//! How frames of a video become candidates.

use serde::{Deserialize, Serialize};

use super::frame::Prepare;

/// Frames between two of the list.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interval {
    /// By the speed of the video: so many frames as move the picture by this many pixels of 224 ([`super::Speed`]).
    Displacement(f64),
    /// Seconds, above 0.
    Seconds(f64),
    /// Frames, at least 1.
    Frames(usize),
}

/// Which frames of the list are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Pairing {
    /// Each with the next one.
    Consecutive {
        /// Where the overlap with the next one is above the range, the one after that is tried, and the next one is
        /// passed over if that pair is kept.
        second_next: bool,
        /// From one first frame to the next, in frames of the list; at least 1.
        advance: usize,
    },
    /// In windows: the first frames against some near the end, the smallest overlap in range is kept.
    Window {
        /// Frames of a window.
        frames: usize,
        /// How many of its first frames are first views.
        first: usize,
        /// The first of the second views, counted in the window.
        second_from: usize,
        /// How many second views.
        second: usize,
    },
}

/// A complete rule.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct VideoRule {
    /// Frames between two of the list.
    pub interval: Interval,
    /// Which are compared.
    pub pairing: Pairing,
    /// What is done to each frame.
    pub prepare: Prepare,
    /// Shorter videos are passed over, seconds; 0 for none.
    pub min_seconds: f64,
}

/// Rules that were published.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VideoRuleName {
    /// Supplement 2.1: an interval by the speed of the video, consecutive frames, the second next where these are
    /// too similar.
    Paper,
    /// Released for CO3D: frames 0 and 5, 10 and 15, ...
    Co3d,
    /// Released for ScanNet: windows of 60 frames, the first 10 against frames 49 to 58.
    Scannet,
    /// Released for Mannequin: seconds t and t + 1 of clips of 3 s or more, the bottom fifth cut off.
    Mannequin,
    /// Released for ARKitScenes: seconds t and t + 1 of videos of 5 s or more, t + 2 where these are too similar.
    Arkit,
}

/// Pixels of 224 that the picture should move between frames of the list. A picture that shifts keeps 84 % to the next
/// frame and 69 % to the one after that; one whose middle comes nearer, which loses its patches' partners sooner, is
/// paired with the next.
const DISPLACEMENT_PX: f64 = 35.0;

impl VideoRule {
    /// A published rule.
    pub fn named(name: VideoRuleName) -> Self {
        let consecutive = |second_next, advance| Pairing::Consecutive { second_next, advance };
        let plain = Self {
            interval: Interval::Displacement(DISPLACEMENT_PX),
            pairing: consecutive(true, 1),
            prepare: Prepare::default(),
            min_seconds: 0.0,
        };
        match name {
            VideoRuleName::Paper => plain,
            VideoRuleName::Co3d => Self {
                interval: Interval::Frames(5),
                pairing: consecutive(false, 2),
                ..plain
            },
            VideoRuleName::Scannet => Self {
                interval: Interval::Frames(1),
                pairing: Pairing::Window {
                    frames: 60,
                    first: 10,
                    second_from: 49,
                    second: 10,
                },
                ..plain
            },
            VideoRuleName::Mannequin => Self {
                interval: Interval::Seconds(1.0),
                pairing: consecutive(false, 1),
                prepare: Prepare {
                    crop_bottom: 0.2,
                    ..Prepare::default()
                },
                min_seconds: 3.0,
            },
            VideoRuleName::Arkit => Self {
                interval: Interval::Seconds(1.0),
                min_seconds: 5.0,
                ..plain
            },
        }
    }

    /// Checks every range.
    ///
    /// # Errors
    /// A sentence with the value and its range.
    pub fn validate(&self) -> Result<(), String> {
        match self.interval {
            Interval::Displacement(px) if !(1.0..=224.0).contains(&px) => {
                return Err(format!("a displacement of {px} px must lie in 1 to 224"));
            }
            Interval::Seconds(seconds) if !(seconds > 0.0 && seconds <= 3600.0) => {
                return Err(format!(
                    "an interval of {seconds} s must lie above 0 and at most at 3600"
                ));
            }
            Interval::Frames(0) => return Err("an interval of 0 frames must be at least 1".to_owned()),
            _ => {}
        }
        match self.pairing {
            Pairing::Consecutive { advance: 0, .. } => return Err("an advance of 0 must be at least 1".to_owned()),
            Pairing::Window {
                frames,
                first,
                second_from,
                second,
            } if first == 0 || second == 0 || second_from + second > frames || first > frames => {
                return Err(format!(
                    "a window of {frames} frames does not hold {first} first and {second} second ones from \
                     {second_from} on"
                ));
            }
            _ => {}
        }
        if !(0.0..=0.9).contains(&self.prepare.crop_bottom) {
            return Err(format!(
                "crop_bottom = {} must lie in 0 to 0.9",
                self.prepare.crop_bottom
            ));
        }
        if !(self.min_seconds >= 0.0 && self.min_seconds.is_finite()) {
            return Err(format!("min_seconds = {} must be at least 0", self.min_seconds));
        }
        Ok(())
    }
}
