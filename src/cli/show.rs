//! `covista show`: one pair of any format as a picture with its correspondences.

use std::path::PathBuf;

use covista::export::{PictureFormat, ReadPair, encode_picture, read_pair};
use covista::report::{MatchStyle, pair_picture};

use super::common::{ConfigArgs, SceneArgs, UpArg};
use super::exit::Failure;

/// Arguments of `covista show`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// File or folder of pairs in any format: native, mimic, croco, dust3r, webdataset (tar), parquet, colmap,
    /// nerfstudio, safetensors, npy
    path: PathBuf,
    /// Which pair, from 0
    #[arg(long, short, value_name = "I", default_value_t = 0)]
    index: u64,
    /// The picture to write [default: pair-I.png in the current folder]
    #[arg(long, value_name = "PNG")]
    out: Option<PathBuf>,
    /// How matches are drawn
    #[arg(long, value_enum, default_value_t = Style::Lines)]
    style: Style,
    /// Draw at most this many matches, evenly spread
    #[arg(long, value_name = "N", default_value_t = 40)]
    matches: usize,
    /// Write a recording for the Rerun viewer instead of a picture (cargo feature `rerun`)
    #[arg(long, value_name = "RRD", conflicts_with_all = ["out", "style", "matches"])]
    rerun: Option<PathBuf>,
    /// Scene of the recording: a file or procedural:SEED
    #[arg(long, value_name = "FILE|procedural[:SEED]", requires = "rerun")]
    scene: Option<String>,
    /// Up axis of the scene; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto", requires = "scene")]
    up: Option<UpArg>,
    /// How the scene is read
    #[command(flatten)]
    config: ConfigArgs,
    /// Say what was read as JSON on standard output
    #[arg(long)]
    json: bool,
}

/// The values of `--style`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
enum Style {
    /// A line from place to place
    Lines,
    /// A dot of one colour at both places
    Dots,
}

/// Runs `covista show`.
pub fn run(args: Args) -> anyhow::Result<()> {
    let pair = read_pair(&args.path, args.index)?;
    if let Some(out) = &args.rerun {
        let scene = args.scene.clone().map(|scene| SceneArgs { scene, up: args.up });
        record(out, &pair, scene, &args.config)?;
        return tell(&args, &pair, out);
    }
    let style = match args.style {
        Style::Lines => MatchStyle::Lines,
        Style::Dots => MatchStyle::Dots,
    };
    let [first, second] = &pair.pictures;
    let picture = pair_picture([first, second], &pair.matches, style, args.matches);
    let default = PathBuf::from(format!("pair-{}.png", args.index));
    let out = args.out.clone().unwrap_or(default);
    let bytes = encode_picture(&picture, PictureFormat::Png)?;
    std::fs::write(&out, bytes)
        .map_err(|error| Failure::output(format!("cannot write the picture ({error}): {}", out.display())))?;
    tell(&args, &pair, &out)
}

#[cfg(feature = "rerun")]
use super::show_rerun::write as record;

/// What stands in for the recording in a build without the feature.
#[cfg(not(feature = "rerun"))]
fn record(_: &std::path::Path, _: &ReadPair, _: Option<SceneArgs>, _: &ConfigArgs) -> anyhow::Result<()> {
    Err(Failure::arguments(
        "this build has no Rerun recordings: build it with `cargo build --release --features rerun`",
    ))
}

fn tell(args: &Args, pair: &ReadPair, out: &std::path::Path) -> anyhow::Result<()> {
    let [first, second] = pair.pictures.each_ref().map(|picture| picture.dimensions());
    if args.json {
        let cameras = pair.cameras.map(|cameras| {
            cameras.map(|camera| {
                serde_json::json!({
                    "K": camera.intrinsics.matrix_row_major(),
                    "world_from_camera": camera.world_from_camera_row_major(),
                })
            })
        });
        let summary = serde_json::json!({
            "format": pair.format,
            "pairs": pair.pairs,
            "index": args.index,
            "name": pair.name,
            "sizes": [first, second],
            "matches": pair.matches.len(),
            "matches_from": pair.matches_from,
            "cameras": cameras,
            "depth": pair.depths.is_some(),
            "out": out.display().to_string(),
        });
        println!("{summary}");
    } else {
        println!(
            "{} pair {} of {} ({}): {} x {} and {} x {} pixels, {} matches from {}; {}",
            pair.format,
            args.index,
            pair.pairs,
            pair.name,
            first.0,
            first.1,
            second.0,
            second.1,
            pair.matches.len(),
            pair.matches_from,
            out.display()
        );
    }
    Ok(())
}
