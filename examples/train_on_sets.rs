//! Training on sets that `covista generate` made before, so that several runs can share their pairs.
//!
//! `cargo run --release --example train_on_sets -- RUN [SECTION.KEY=VALUE]... SET...`
//!
//! Each pair enters the ring once and stays; `RUN` is what `covista pretrain --out RUN` writes.

use std::ops::ControlFlow;
use std::path::Path;

use anyhow::Context;
use covista::config::Config;
use covista::export::native::{NativeReader, Replay};
use covista::stream::PairStream;
use covista::train::run::drive;
use covista::train::save::{begin_run, finish_run};
use covista::train::step::Trainer;
use covista::train::{DataRecord, RunState, TrainDevice};

fn main() -> anyhow::Result<()> {
    let mut args = std::env::args().skip(1);
    let run = args.next().context("name a new folder for the run")?;
    let (settings, folders): (Vec<String>, Vec<String>) = args.partition(|arg| arg.contains('='));
    let mut config = Config::load("tiny", None, &settings)?;

    let sets = folders.iter().map(|folder| NativeReader::open(Path::new(folder)));
    let sets = sets.collect::<Result<Vec<_>, _>>()?;
    let made_by = sets.first().context("name at least one set")?.run().clone();
    let replay = Replay::new(sets);
    let pairs = replay.len();
    config.stream.ring_pairs = pairs;
    config.stream.warm_pairs = pairs;
    config.stream.reuse = 1_000_000;
    let source = replay.take(pairs);

    let mut stream = PairStream::spawn(move || source, &config.stream, config.train.seed)?;
    let device = TrainDevice::flex();
    let mut trainer = Trainer::new(&config.train, &device)?;
    let mut state = RunState {
        data: DataRecord {
            profile: made_by.profile,
            sources: folders,
            seed: made_by.seed,
            config_hash: made_by.config_hash,
            config: config.to_json(),
            ..DataRecord::default()
        },
        ..RunState::default()
    };
    begin_run(Path::new(&run), &trainer, &state)?;
    let steps = config.train.steps;
    let summary = drive(&mut trainer, stream.batches(config.train.batch), |report, _| {
        let step = report.step + 1;
        if step.is_multiple_of(50) || step == steps {
            println!(
                "step {step} of {steps}  loss {:.4}  {:.1} pairs/s",
                report.loss, report.pairs_per_s
            );
        }
        ControlFlow::Continue(())
    })?;
    state.data.add_scenes(stream.scenes());
    finish_run(Path::new(&run), &trainer, &state, &summary)?;
    println!(
        "{pairs} pairs, loss {:.3} -> {:.3}",
        summary.first_loss, summary.last_loss
    );
    Ok(())
}
