//! The set that a mining run writes, and what it says at the end.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use covista::config::Config;
use covista::export::PictureFormat;
use covista::export::native::{self, NativeWriter, RunRecord, SceneRecord, Selection};
use covista::mine::{MineRule, Outcome, Tally, Trial};
use covista::view::Measure;
use serde_json::{Value, json};

use super::super::common;
use super::super::exit::Failure;
use super::super::render_plan::Pictures;
use super::Common;
use super::judged::JudgedFolder;

/// Names of unreadable pictures that are said on standard error.
const MOST_SAID: usize = 20;

/// A set that is being filled.
pub struct MinedSet<'a> {
    common: &'a Common,
    rule: &'a MineRule,
    writer: NativeWriter,
    stop: Arc<AtomicBool>,
    judged: Option<JudgedFolder>,
    /// What was counted.
    pub tally: Tally,
}

impl<'a> MinedSet<'a> {
    /// Starts or continues the set. `source` is what the record says of the rule and the input.
    pub fn open(
        common: &'a Common,
        config: &Config,
        rule: &'a MineRule,
        scenes: Vec<SceneRecord>,
        source: Value,
    ) -> anyhow::Result<Self> {
        let record = json!({
            "overlap": config.overlap,
            "select": config.select,
            "truth": config.truth,
            "mine": source,
        });
        let judged = common.validate.as_ref().map(|dir| {
            let profile = &common.config.profile;
            JudgedFolder::create(dir, profile, config, rule, &scenes, common.resume)
        });
        let judged = judged.transpose()?;
        let mut run = RunRecord::new(
            &common.config.profile,
            record,
            common.seed,
            scenes,
            "none: pictures from files",
        );
        run.selection = Selection {
            measure: Measure::Homography,
            low: rule.select.min_overlap,
            high: rule.select.max_overlap,
        };
        run.pictures = match common.pictures {
            Pictures::Png => PictureFormat::Png,
            Pictures::Jpg => PictureFormat::Jpeg,
        };
        let stop = common::interrupt_flag()?;
        let layout = common.formats.layout(&common.out)?;
        let native = layout.native_dir();
        if common.overwrite {
            layout.clear()?;
        }
        let writer = match common.resume && native.exists() {
            true => NativeWriter::resume(&native, &run)?,
            false => NativeWriter::create(&native, &run)?,
        };
        Ok(Self {
            common,
            rule,
            writer,
            stop,
            judged,
            tally: Tally::default(),
        })
    }

    /// Refuses an output folder before any work is done.
    pub fn check_out(common: &Common) -> anyhow::Result<()> {
        let layout = common.formats.layout(&common.out)?;
        match common.resume {
            true => Ok(()),
            false => layout.check(common.overwrite),
        }
    }

    /// Counts a trial and writes it, unless an earlier run did.
    pub fn take(&mut self, source: &str, trial: Trial) -> anyhow::Result<()> {
        if self.stop.load(Ordering::SeqCst) {
            return Err(Failure::interrupted(format!(
                "interrupted with {} pairs, which are kept; continue with: {}",
                self.writer.pairs(),
                common::resume_command()
            )));
        }
        self.tally.add(&trial, &self.rule.select);
        if let Some(folder) = &mut self.judged {
            folder.add(source, &trial.judged)?;
        }
        if self.writer.is_done(source, trial.index) {
            return Ok(());
        }
        let record = native::Trial {
            scene: source.to_owned(),
            index: trial.index,
            stops: Vec::new(),
            refused: trial.refused,
        };
        let written = match trial.outcome {
            Outcome::Kept(pairs) => self.writer.write_pairs(&record, &pairs).map(|_| ()),
            Outcome::Refused(reason) => self.writer.write_refusal(&record, reason),
        };
        written.with_context(|| {
            format!(
                "{} pairs are complete, candidate set {} of {source} and all after it are missing",
                self.writer.pairs(),
                trial.index
            )
        })
    }

    /// Completes the set, says what came of it, and fails where --strict or an empty set ask for it.
    pub fn finish(self, further: Value) -> anyhow::Result<()> {
        let (common, tally) = (self.common, self.tally);
        self.writer.finish()?;
        common.formats.layout(&common.out)?.export(&self.stop)?;
        if let Some(folder) = self.judged {
            folder.finish()?;
        }
        for file in tally.unreadable.files.iter().take(MOST_SAID) {
            eprintln!("covista: skipped: {file}");
        }
        let more = tally.unreadable.count.saturating_sub(MOST_SAID as u64);
        if more > 0 {
            eprintln!("covista: skipped: {more} more; --json names the first thousand");
        }
        match common.json {
            true => {
                let mut told = serde_json::to_value(&tally)?;
                if let (Some(told), Value::Object(further)) = (told.as_object_mut(), further) {
                    told.extend(further);
                }
                println!("{}", serde_json::to_string(&told)?);
            }
            false => tell(&tally, &common.out),
        }
        if tally.pairs == 0 {
            return Err(Failure::input(format!(
                "no pair among {} candidate sets of {} pictures ({} unreadable); the set is empty: {}",
                tally.trials,
                tally.pictures,
                tally.unreadable.count,
                common.out.display()
            )));
        }
        if common.strict && tally.unreadable.count > 0 {
            return Err(Failure::input(format!(
                "--strict: {} pictures could not be read; the set holds what the others gave: {}",
                tally.unreadable.count,
                common.out.display()
            )));
        }
        Ok(())
    }
}

fn tell(tally: &Tally, out: &Path) {
    println!(
        "{} pairs from {} of {} candidate sets ({} pictures, {} unreadable) in {}",
        tally.pairs,
        tally.trials_kept,
        tally.trials,
        tally.pictures,
        tally.unreadable.count,
        out.display()
    );
    for (reason, count) in &tally.refused {
        println!("refused {count:7}  {reason}");
    }
    let Some(truth) = &tally.truth else { return };
    println!(
        "{} of {} candidates with known geometry pass",
        truth.passed, truth.candidates
    );
    let share = |value: Option<f64>| value.map_or("-".to_owned(), |value| format!("{:.1} %", 100.0 * value));
    for (name, score) in [
        ("true patch overlap", &truth.patches),
        ("true covisibility", &truth.covisibility),
    ] {
        println!(
            "against {name:18}: precision {}, recall {} of {}, mean abs. error {}",
            share(score.precision),
            share(score.recall),
            score.in_range,
            share(score.mean_abs_error)
        );
    }
}
