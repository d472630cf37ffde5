//! `covista render --plan`: the pictures of planned pairs, as a set.

mod draw;
mod job;

use std::collections::VecDeque;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use covista::export::native::NativeWriter;
use covista::plan::PlanReader;
use covista::render::{Gpu, GpuConfig};

use super::capture_files::Channels;
use super::common;
use super::exit::{Failure, advise};
use super::formats::FormatArgs;
use super::render::Args;
use draw::{Batch, Painters, next_batch};
use job::Job;

/// Arguments of `covista render --plan` beyond those of `--cameras`.
#[derive(Debug, clap::Args)]
pub struct PlanArgs {
    /// Draw the pairs of a plan instead of --cameras: a file of `covista plan`; CroCo's or DUSt3R's metadata.json; a
    /// *_camera_params.json or a folder of them
    #[arg(long, value_name = "PLAN")]
    pub plan: Option<PathBuf>,
    /// Width of the pictures of a plan, pixels; they show what the planned ones show
    #[arg(long, value_name = "PX", requires = "plan", value_parser = clap::value_parser!(u32).range(16..=4096))]
    pub size: Option<u32>,
    #[command(flatten)]
    pub formats: FormatArgs,
    /// Draw a plan in a scene that is not the one it was made for
    #[arg(long, requires = "plan")]
    pub force: bool,
    /// Continue the folder of an interrupted `render --plan`
    #[arg(long, requires = "plan")]
    pub resume: bool,
    /// Where camera files of others put pixel centres [default: integer in DUSt3R's metadata.json; in camera files
    /// whichever centres the principal point]
    #[arg(long, value_enum, requires = "plan")]
    pub pixel_centres: Option<Centres>,
    /// How the pictures of a plan are stored
    #[arg(long, value_enum, default_value_t = Pictures::Png, requires = "plan")]
    pub pictures: Pictures,
    /// Print the counters of a plan as JSON on stdout
    #[arg(long, requires = "plan")]
    pub json: bool,
}

/// The values of `--pixel-centres`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Centres {
    /// The centre of the first pixel is (0.5, 0.5)
    Half,
    /// The centre of the first pixel is (0, 0)
    Integer,
}

/// The values of `--pictures`.
#[derive(Debug, Clone, Copy, clap::ValueEnum)]
pub enum Pictures {
    /// Lossless
    Png,
    /// JPEG of quality 95
    Jpg,
}

/// Runs `covista render --plan`.
pub fn run(args: &Args, path: &Path) -> anyhow::Result<()> {
    draw(args, path).map_err(|error| advise(error, common::resume_command))
}

fn draw(args: &Args, path: &Path) -> anyhow::Result<()> {
    let plan = &args.plan;
    let layout = plan.formats.layout(&args.out)?;
    if !plan.resume {
        layout.check(false)?;
    }
    let channels = Channels::new(&args.sensors);
    let stop = common::interrupt_flag()?;
    let mut job = match PlanReader::recognises(path) {
        true => Job::of_plan(args, PlanReader::open(path)?)?,
        false => Job::of_others(args, path)?,
    };
    let opened = job.open_all(args)?;
    let gpu = Gpu::new(&GpuConfig {
        adapter: args.adapter.clone(),
    })?;
    let run = job.record(path, &channels, plan.pictures, &opened, &gpu)?;
    let native = layout.native_dir();
    let mut writer = match plan.resume && native.exists() {
        true => NativeWriter::resume(&native, &run)?,
        false => NativeWriter::create(&native, &run)?,
    };
    for scene in &opened {
        if let Some(topdown) = &scene.topdown {
            writer.set_topdown(&scene.record.name, topdown)?;
        }
    }
    for scene in &job.skipped {
        if !writer.skipped().contains(scene) {
            writer.skip_scene(&scene.scene, &scene.reason)?;
        }
    }
    let bar = common::progress(0, "pairs");
    let mut positions = job.positions.peekable();
    let mut painters = Painters {
        gpu: &gpu,
        opened,
        on_device: VecDeque::new(),
        settings: job.settings,
        channels: &channels,
    };
    let mut waiting: VecDeque<Batch> = VecDeque::new();
    loop {
        if stop.load(Ordering::SeqCst) {
            bar.abandon();
            return Err(Failure::interrupted(format!(
                "interrupted with {} pairs, which are kept; continue with: {}",
                writer.pairs(),
                common::resume_command()
            )));
        }
        // The device draws the next batch while this one is written.
        if let Some(batch) = next_batch(&mut positions, &painters.opened, &writer)? {
            waiting.push_back(painters.submit(batch)?);
            if waiting.len() < 2 {
                continue;
            }
        }
        let Some(batch) = waiting.pop_front() else { break };
        painters.write(batch, &mut writer)?;
        bar.set_position(writer.pairs() as u64);
    }
    bar.finish_and_clear();
    let counters = writer.finish()?;
    layout.export(&stop)?;
    if plan.json {
        println!("{}", serde_json::to_string(&counters)?);
    } else {
        println!(
            "{} pairs from {} positions in {}",
            counters.pairs,
            counters.positions,
            args.out.display()
        );
    }
    Ok(())
}
