//! `covista mine video`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use covista::export::native::SceneRecord;
use covista::mine::{Clip, Interval, Speed, Turn, Unreadable, VideoRule, VideoRuleName, measure_speed, mine_clip};
use serde_json::json;

use super::super::common;
use super::super::exit::Failure;
use super::Common;
use super::set::MinedSet;

/// Arguments of `covista mine video`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Folders of frames (sorted by the numbers in their names), or video files where ffmpeg is installed
    #[arg(required = true, value_name = "FRAMES_DIR|FILE")]
    clips: Vec<PathBuf>,
    #[command(flatten)]
    common: Common,
    /// Which frames are compared
    #[arg(long, value_enum, default_value_t = Rule::Paper)]
    rule: Rule,
    /// Frames between two that are compared: auto (by the speed of the video), such as 1.5s or 5f [default: the rule's]
    #[arg(long, value_name = "auto|Ns|Nf")]
    every: Option<Every>,
    /// With auto: how far the picture should move between two frames, pixels of 224 in the median
    #[arg(long, value_name = "PX", default_value_t = 35.0)]
    displacement_px: f64,
    /// Frames a second of folders; videos and folders of `covista walk` know their own
    #[arg(long, value_name = "N")]
    fps: Option<f64>,
    /// Share of the height to cut off at the bottom, 0 to 0.9 [default: the rule's]
    #[arg(long, value_name = "SHARE")]
    crop_bottom: Option<f64>,
    /// Turn every frame to the right: 0, 90, 180 or 270 degrees
    #[arg(long, value_name = "DEG", default_value_t = 0)]
    rotate: i64,
    /// Turns by name of the clip: a JSON object {"name": degrees} or lines name,degrees; others turn by --rotate
    #[arg(long, value_name = "FILE")]
    rotations: Option<PathBuf>,
    /// Pass over shorter videos, seconds [default: the rule's]
    #[arg(long, value_name = "S")]
    min_seconds: Option<f64>,
}

/// The values of `--rule`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Rule {
    /// An interval by the speed of the video, each frame with the next, or the one after that where too similar
    Paper,
    /// Frames 0 and 5, 10 and 15, and so on
    Co3d,
    /// Windows of 60 frames, the first 10 against frames 49 to 58, the smallest overlap in range
    Scannet,
    /// Each second with the next, clips of 3 s or more, the bottom fifth cut off
    Mannequin,
    /// Each second with the next, or the one after that, videos of 5 s or more; needs --rotate or --rotations
    Arkit,
}

/// The values of `--every`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Every {
    Auto,
    Seconds(f64),
    Frames(usize),
}

impl FromStr for Every {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither auto, nor seconds such as 1.5s, nor frames such as 5f");
        match text
            .strip_suffix('s')
            .zip(Some(true))
            .or(text.strip_suffix('f').zip(Some(false)))
        {
            _ if text == "auto" => Ok(Self::Auto),
            Some((seconds, true)) => seconds.parse().map(Self::Seconds).map_err(|_| wrong()),
            Some((frames, false)) => frames.parse().map(Self::Frames).map_err(|_| wrong()),
            None => Err(wrong()),
        }
    }
}

/// Runs `covista mine video`.
pub fn run(args: &Args) -> anyhow::Result<()> {
    MinedSet::check_out(&args.common)?;
    let (config, rule) = args.common.load(&[])?;
    let base = args.rule()?;
    let turns = args.turns()?;
    let mut clips = args
        .clips
        .iter()
        .map(|path| Clip::open(path, args.fps))
        .collect::<Result<Vec<_>, _>>()?;
    name_apart(&mut clips);
    if args.common.truth && !clips.iter().any(Clip::has_geometry) {
        return Err(Failure::arguments(
            "--truth needs depth and poses beside the frames, as `covista walk` and `covista render` write them",
        ));
    }
    let mut planned: Vec<(VideoRule, Speed)> = Vec::new();
    let bar = common::progress(clips.len() as u64, "clips measured");
    for clip in &clips {
        let mut own = base;
        if let Some(&turn) = turns.get(&clip.name) {
            own.prepare.turn = turn;
        }
        let speed = measure_speed(clip, &own, &rule)?;
        planned.push((own, speed));
        bar.inc(1);
    }
    bar.finish_and_clear();
    let records = clips.iter().map(|clip| {
        Ok(SceneRecord {
            name: clip.name.clone(),
            hash: clip.hash_hex()?,
        })
    });
    let records = records.collect::<anyhow::Result<Vec<_>>>()?;
    let facts: Vec<_> = clips
        .iter()
        .zip(&planned)
        .map(|(clip, (own, speed))| {
            json!({
                "name": clip.name,
                "frames": clip.len(),
                "fps": clip.fps(),
                "turn": own.prepare.turn,
                "speed": speed,
            })
        })
        .collect();
    let source = json!({"source": "video", "rule": base, "clips": facts});
    let mut set = MinedSet::open(&args.common, &config, &rule, records, source)?;
    let bar = common::progress(clips.len() as u64, "clips");
    for (clip, (own, speed)) in clips.iter().zip(&planned) {
        let mut unreadable = Unreadable::default();
        let read = mine_clip(clip, own, speed.interval_frames, &rule, &mut unreadable, |trial| {
            set.take(&clip.name, trial)
        })?;
        set.tally.sources += 1;
        set.tally.pictures += read;
        set.tally.unreadable.merge(unreadable);
        bar.inc(1);
    }
    bar.finish_and_clear();
    set.finish(json!({"clips": facts}))
}

impl Args {
    fn rule(&self) -> anyhow::Result<VideoRule> {
        let mut rule = VideoRule::named(match self.rule {
            Rule::Paper => VideoRuleName::Paper,
            Rule::Co3d => VideoRuleName::Co3d,
            Rule::Scannet => VideoRuleName::Scannet,
            Rule::Mannequin => VideoRuleName::Mannequin,
            Rule::Arkit => VideoRuleName::Arkit,
        });
        let by_speed = matches!(rule.interval, Interval::Displacement(_));
        rule.interval = match self.every {
            Some(Every::Auto) => Interval::Displacement(self.displacement_px),
            None if by_speed => Interval::Displacement(self.displacement_px),
            Some(Every::Seconds(seconds)) => Interval::Seconds(seconds),
            Some(Every::Frames(frames)) => Interval::Frames(frames),
            None => rule.interval,
        };
        rule.prepare.turn = turn(self.rotate)?;
        rule.prepare.crop_bottom = self.crop_bottom.unwrap_or(rule.prepare.crop_bottom);
        rule.min_seconds = self.min_seconds.unwrap_or(rule.min_seconds);
        if self.fps.is_some_and(|fps| !(fps > 0.0 && fps.is_finite())) {
            return Err(Failure::arguments("--fps must be above 0"));
        }
        rule.validate().map_err(Failure::arguments)?;
        Ok(rule)
    }

    fn turns(&self) -> anyhow::Result<BTreeMap<String, Turn>> {
        let Some(path) = &self.rotations else {
            return Ok(BTreeMap::new());
        };
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::input(format!("cannot read ({error}): {}", path.display())))?;
        let degrees = degrees_by_name(&text).map_err(|why| Failure::input(format!("{}: {why}", path.display())))?;
        degrees
            .into_iter()
            .map(|(name, degrees)| Ok((name, turn(degrees)?)))
            .collect()
    }
}

fn turn(degrees: i64) -> anyhow::Result<Turn> {
    Turn::from_degrees(degrees)
        .ok_or_else(|| Failure::arguments(format!("a turn of {degrees} degrees is not 0, 90, 180 or 270")))
}

/// A JSON object, or lines with a comma.
fn degrees_by_name(text: &str) -> Result<BTreeMap<String, i64>, String> {
    if text.trim_start().starts_with('{') {
        return serde_json::from_str(text).map_err(|error| error.to_string());
    }
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(number, line)| {
            let wrong = || format!("line {} is not name,degrees", number + 1);
            let (name, degrees) = line.rsplit_once(',').ok_or_else(wrong)?;
            Ok((name.trim().to_owned(), degrees.trim().parse().map_err(|_| wrong())?))
        })
        .collect()
}

/// Clips of one name get more of their path, so that each has its own.
fn name_apart(clips: &mut [Clip]) {
    let full: Vec<Vec<String>> = clips
        .iter()
        .map(|clip| {
            let path = std::fs::canonicalize(clip.path()).unwrap_or_else(|_| clip.path().to_owned());
            let parents = path.parent().map(Path::to_owned).unwrap_or_default();
            let parts = parents
                .components()
                .map(|part| part.as_os_str().to_string_lossy().into_owned());
            parts.chain([clip.name.clone()]).collect()
        })
        .collect();
    let tail = |parts: &[String], depth: usize| parts[parts.len().saturating_sub(depth)..].join("/");
    for place in 0..clips.len() {
        let same = |depth: usize| {
            let own = tail(&full[place], depth);
            full.iter()
                .enumerate()
                .any(|(other, parts)| other != place && tail(parts, depth) == own)
        };
        let depth = (1..full[place].len())
            .find(|depth| !same(*depth))
            .unwrap_or(full[place].len());
        clips[place].name = tail(&full[place], depth);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn intervals_are_read_or_refused() {
        assert_eq!("auto".parse(), Ok(Every::Auto));
        assert_eq!("1.5s".parse(), Ok(Every::Seconds(1.5)));
        assert_eq!("5f".parse(), Ok(Every::Frames(5)));
        for text in ["5", "s", "1.5f", "-1f", "fast"] {
            assert!(text.parse::<Every>().is_err(), "{text}");
        }
    }

    #[test]
    fn turns_are_read_in_both_forms() {
        let expected = BTreeMap::from([("a b".to_owned(), 90), ("c".to_owned(), -90)]);
        assert_eq!(degrees_by_name("{\"a b\": 90, \"c\": -90}"), Ok(expected.clone()));
        assert_eq!(degrees_by_name("a b,90\n\nc, -90\n"), Ok(expected));
        assert_eq!(degrees_by_name("a\n"), Err("line 1 is not name,degrees".to_owned()));
    }
}
