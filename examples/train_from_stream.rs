//! Thirty training steps on pairs made meanwhile: nothing passes a file.
//!
//! `cargo run --release --example train_from_stream -- [IGNORED] [SCENE]`

use std::ops::ControlFlow;
use std::sync::Arc;

use covista::config::Config;
use covista::generate::PairGenerator;
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuConfig};
use covista::scene::SceneSource;
use covista::stream::PairStream;
use covista::train::{ModelSize, TrainDevice, train};

fn main() -> anyhow::Result<()> {
    let source = std::env::args().nth(2).unwrap_or_else(|| "procedural:1".to_owned());
    let mut config = Config::load("smoke", None, &[])?;
    config.train.model = ModelSize::Micro;
    config.train.steps = 30;

    let scene = SceneSource::parse(&source)?.load(&config.scene)?;
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh)?);
    let gpu = Gpu::new(&GpuConfig::default())?;
    let generator = PairGenerator::new(&gpu, &scene, navmesh, config.generator(), 0)?;
    let tries = config.generate.max_positions_per_pair;

    let mut stream = PairStream::spawn(move || generator.into_pairs(tries), &config.stream, 0)?;
    let (summary, _model) = train(
        stream.batches(config.train.batch),
        &config.train,
        &TrainDevice::flex(),
        |report| {
            println!(
                "step {:2}  loss {:.3}  waiting {:.0} %",
                report.step,
                report.loss,
                100.0 * report.data_wait
            );
            ControlFlow::Continue(())
        },
    )?;
    println!(
        "{} pairs drawn from {} different ones, loss {:.3} -> {:.3}",
        summary.pairs,
        stream.stats().pairs_received,
        summary.first_loss,
        summary.last_loss
    );
    Ok(())
}
