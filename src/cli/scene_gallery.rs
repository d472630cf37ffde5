//! `covista scene gallery`: what an agent sees in invented flats, beside real scenes.

use std::ops::Range;
use std::path::PathBuf;

use covista::config::Config;
use covista::generate::SamplerKind;
use covista::overlap::{ViewFeatures, view_features};
use covista::render::{Gpu, GpuConfig};
use covista::report::{DEPTH_BIN_M, DEPTH_BINS, Gallery, GalleryScene, SceneFigures, write_gallery};
use covista::select::{pair_seed, select_measuring_all};
use covista::sweep::VIEWS_PER_STOP;
use covista::view::View;
use rayon::prelude::*;

use super::bench_render::cpu_time;
use super::common::{self, ConfigArgs, SceneArgs, UpArg};
use super::exit::Failure;
use super::open::Walkable;

/// Arguments of `covista scene gallery`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Seeds of the invented flats, first..end (the end is left out)
    #[arg(long, value_name = "FIRST..END", default_value = "0..12", value_parser = parse_seeds)]
    seeds: Range<u64>,
    /// Scene to compare with; may be repeated
    #[arg(long = "scene", value_name = "FILE")]
    scenes: Vec<String>,
    /// Up axis of the files; by default Z for Habitat stages and Y for everything else
    #[arg(long, value_name = "y|z|auto")]
    up: Option<UpArg>,
    /// Positions sampled in each scene: 24 views and 128 candidate pairs each
    #[arg(long, value_name = "N", default_value_t = 6)]
    positions: usize,
    /// Folder for gallery.html and gallery.json
    #[arg(long, value_name = "DIR")]
    out: PathBuf,
    /// Adapter to render on, by a part of its name
    #[arg(long, value_name = "NAME")]
    adapter: Option<String>,
    #[command(flatten)]
    config: ConfigArgs,
}

fn parse_seeds(text: &str) -> Result<Range<u64>, String> {
    let wrong = || format!("{text:?} is not a range of seeds such as 0..12");
    let (first, end) = text.split_once("..").ok_or_else(wrong)?;
    let (first, end) = (
        first.parse::<u64>().map_err(|_| wrong())?,
        end.parse::<u64>().map_err(|_| wrong())?,
    );
    if first > end || end - first > 1000 {
        return Err(format!("{text:?}: 0 to 1000 seeds, the first one first"));
    }
    Ok(first..end)
}

/// Runs `covista scene gallery`.
pub fn run(args: &Args) -> anyhow::Result<()> {
    let config = args.config.load()?;
    if config.sampler.kind != SamplerKind::Sweep {
        return Err(Failure::arguments(
            "the gallery looks at sweeps: sampler.kind must be \"sweep\"",
        ));
    }
    if args.positions == 0 || args.positions > 1000 {
        return Err(Failure::arguments(format!(
            "--positions is {}, allowed is 1 to 1000",
            args.positions
        )));
    }
    let stop = common::interrupt_flag()?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    std::fs::create_dir_all(&args.out)
        .map_err(|error| Failure::output(format!("cannot make the folder: {error}: {}", args.out.display())))?;
    let flats = args.seeds.clone().map(|seed| format!("procedural:{seed}"));
    let sources: Vec<String> = flats.chain(args.scenes.iter().cloned()).collect();
    let bar = common::progress(sources.len() as u64, "scenes");
    let mut scenes = Vec::with_capacity(sources.len());
    for source in sources {
        common::check(&stop)?;
        let scene = SceneArgs {
            scene: source,
            up: args.up,
        };
        scenes.push(look(&scene, &mut config.clone(), args.positions, &gpu)?);
        bar.inc(1);
    }
    bar.finish_and_clear();
    let gallery = Gallery {
        scenes,
        min_laplacian_variance: config.select.min_laplacian_variance,
        overlap: [config.select.min_overlap, config.select.max_overlap],
        adapter: gpu.adapter().to_string(),
    };
    write_gallery(&gallery, &args.out.join("gallery.html"))?;
    let figures: Vec<&SceneFigures> = gallery.scenes.iter().map(|s| &s.figures).collect();
    let record = serde_json::json!({
        "config": config.to_json(),
        "adapter": gallery.adapter,
        "scenes": figures,
    });
    let path = args.out.join("gallery.json");
    std::fs::write(&path, format!("{}\n", serde_json::to_string_pretty(&record)?))
        .map_err(|error| Failure::output(format!("cannot write the figures: {error}: {}", path.display())))?;
    for f in figures {
        println!(
            "{:<24} {:>7} triangles  {:>5.0} m2  {:>4.0} keypoints  {:>3.0} % pass  {:>4.1} pairs a position",
            f.name,
            f.triangles,
            f.navigable_m2,
            f.keypoints_median,
            100.0 * f.gate_share,
            f.pairs_per_position
        );
    }
    println!("{}", args.out.join("gallery.html").display());
    Ok(())
}

/// Samples positions in one scene and measures what is seen there.
fn look(source: &SceneArgs, config: &mut Config, positions: usize, gpu: &Gpu) -> anyhow::Result<GalleryScene> {
    let before = cpu_time();
    // Built once alone for its time, so that the navmesh is not counted.
    let _ = source.load(config)?;
    let build_cpu_s = cpu_time().zip(before).map(|(after, before)| after - before);
    let walkable = Walkable::open(source, config)?;
    let generator = walkable.lone_generator(gpu, config, 0)?;
    let mut tally = Tally::default();
    let limit = 100 * positions as u64;
    for index in 0..limit {
        if tally.positions == positions {
            break;
        }
        if let Ok((_, views)) = generator.sweep_views(index)? {
            let views: Vec<&View> = views.iter().map(|v| v.as_ref()).collect();
            tally.add(&views, config, index);
        }
    }
    let (navmesh, scene) = (&walkable.navmesh, &walkable.scene);
    let heights = navmesh.islands().iter().map(|i| (i.min[1], i.max[1]));
    let (low, high) = heights.fold((f32::INFINITY, f32::NEG_INFINITY), |(a, b), h| (a.min(h.0), b.max(h.1)));
    let per_position = |count: usize| count as f64 / tally.positions.max(1) as f64;
    let surface: usize = tally.depths.iter().sum();
    let mut keypoints: Vec<usize> = tally.views.iter().map(|v| v.keypoints).collect();
    keypoints.sort_unstable();
    let figures = SceneFigures {
        name: scene.name.clone(),
        invented: source.scene.starts_with("procedural"),
        hash: scene.hash_hex(),
        triangles: scene.triangle_count(),
        textures: scene.textures.len(),
        build_cpu_s,
        navigable_m2: navmesh.navigable_area_m2(),
        rise_m: f64::from((high - low).max(0.0)),
        positions: tally.positions,
        views: keypoints.len(),
        keypoints_median: keypoints.get(keypoints.len() / 2).map_or(0.0, |&n| n as f64),
        gate_share: tally.passed as f64 / keypoints.len().max(1) as f64,
        pairs_per_position: per_position(tally.gated),
        pairs_per_position_ungated: per_position(tally.ungated),
        positions_with_pair: per_position(tally.with_pair),
        depth_median_m: median_depth(&tally.fine, surface),
        depth_histogram: tally.depths.iter().map(|&n| n as f64 / surface.max(1) as f64).collect(),
        holes: tally.holes as f64 / (tally.holes + surface).max(1) as f64,
    };
    Ok(GalleryScene {
        figures,
        map: walkable.top_down().image,
        views: tally.shown(),
    })
}

/// Pixels skipped between two that are counted, along each axis.
const DEPTH_STRIDE: usize = 3;
/// Width of a bin from which the median depth is taken, metres.
const FINE_M: f64 = 0.01;

/// A view that may be shown.
struct Seen {
    keypoints: usize,
    picture: image::RgbImage,
}

/// What has been counted so far.
struct Tally {
    positions: usize,
    views: Vec<Seen>,
    passed: usize,
    gated: usize,
    ungated: usize,
    with_pair: usize,
    depths: Vec<usize>,
    fine: Vec<usize>,
    holes: usize,
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            positions: 0,
            views: Vec::new(),
            passed: 0,
            gated: 0,
            ungated: 0,
            with_pair: 0,
            depths: vec![0; DEPTH_BINS],
            fine: vec![0; (100.0 / FINE_M) as usize],
            holes: 0,
        }
    }
}

impl Tally {
    fn add(&mut self, views: &[&View], config: &Config, index: u64) {
        let features: Vec<ViewFeatures> = views
            .par_iter()
            .map(|view| view_features(&view.color, &config.overlap))
            .collect();
        let gate = config.select.min_laplacian_variance;
        let (first, second) = features.split_at(VIEWS_PER_STOP);
        let seed = pair_seed(index, 0, 0);
        let selection = select_measuring_all(first, second, &config.overlap, &config.select, seed);
        let measured = selection.overlaps.iter().flatten().flatten();
        self.ungated += measured.filter(|o| config.select.refusal_of(**o).is_none()).count();
        self.gated += selection.in_range.len();
        self.with_pair += usize::from(!selection.in_range.is_empty());
        self.passed += features.iter().filter(|f| f.laplacian_variance >= gate).count();
        for (view, features) in views.iter().zip(&features) {
            self.depth(view);
            self.views.push(Seen {
                keypoints: features.keypoints.len(),
                picture: view.color.clone(),
            });
        }
        self.positions += 1;
    }

    fn depth(&mut self, view: &View) {
        let width = view.depth.width as usize;
        for row in view.depth.metres.chunks_exact(width).step_by(DEPTH_STRIDE) {
            for &z in row.iter().step_by(DEPTH_STRIDE) {
                if z <= 0.0 {
                    self.holes += 1;
                    continue;
                }
                let bin = |width: f64, n: usize| ((f64::from(z) / width) as usize).min(n - 1);
                self.depths[bin(DEPTH_BIN_M, DEPTH_BINS)] += 1;
                let n = self.fine.len();
                self.fine[bin(FINE_M, n)] += 1;
            }
        }
    }

    /// Of the first and of the second half of the views the one with the median number of keypoints.
    fn shown(mut self) -> Vec<image::RgbImage> {
        let half = self.views.len() / 2;
        let second = self.views.split_off(half);
        [self.views, second]
            .into_iter()
            .filter_map(|mut part| {
                part.sort_by_key(|v| v.keypoints);
                let middle = part.len() / 2;
                (!part.is_empty()).then(|| part.swap_remove(middle).picture)
            })
            .collect()
    }
}

/// The depth that half of the counted pixels stay below, metres.
fn median_depth(fine: &[usize], total: usize) -> f64 {
    let mut below = 0;
    let bin = fine.iter().position(|n| {
        below += n;
        2 * below > total
    });
    bin.map_or(0.0, |k| (k as f64 + 0.5) * FINE_M)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range() {
        assert_eq!(parse_seeds("3..7"), Ok(3..7));
        assert!(parse_seeds("7..3").is_err() && parse_seeds("5").is_err() && parse_seeds("a..b").is_err());
    }

    #[test]
    fn the_median_depth_splits_the_pixels() {
        let mut fine = vec![0; 10];
        (fine[2], fine[5], fine[9]) = (1, 3, 1);
        assert_eq!(median_depth(&fine, 5), 5.5 * FINE_M);
        assert_eq!(median_depth(&[0; 4], 0), 0.0);
    }
}
