//! The run itself: trains, judges, saves and says so.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use covista::feed::Feed;
use covista::generate::GenerateError;
use covista::train::checkpoint::Checkpoints;
use covista::train::held_out::HeldOut;
use covista::train::journal::{Journal, MetricsRow};
use covista::train::pictures::sheet;
use covista::train::run::drive;
use covista::train::save::finish_run;
use covista::train::step::Trainer;
use covista::train::{Best, RunState, StepReport, TrainError, TrainSummary};

use super::screen::Head;
use super::watch::Watch;
use crate::cli::exit::Failure;

/// Rows of a picture of reconstructions.
const PICTURE_ROWS: usize = 4;

/// What a run is made with beside trainer and stream.
pub struct Session {
    /// Folder of the run; nothing is written without it.
    pub run: Option<PathBuf>,
    /// Whether the folder was made for this very run.
    pub fresh: bool,
    /// Lines instead of the dashboard.
    pub plain: bool,
    /// JSON instead of lines.
    pub json: bool,
    /// What renders.
    pub adapter: String,
    /// Raised by Ctrl-C.
    pub interrupted: Arc<AtomicBool>,
    /// Pairs to judge by.
    pub held_out: Option<HeldOut>,
}

/// What changes from update to update.
struct Going<'a, F> {
    session: &'a Session,
    stream: &'a RefCell<F>,
    state: RunState,
    journal: Option<Journal>,
    checkpoints: Option<Checkpoints>,
    /// Updates of the newest checkpoint.
    saved: u64,
    watch: Watch,
}

impl Session {
    /// Trains to the end, or until interrupted: then a checkpoint is written and the error says so.
    pub fn train<F: Feed<Error = GenerateError>>(
        &self,
        stream: &RefCell<F>,
        state: RunState,
        mut trainer: Trainer,
    ) -> anyhow::Result<()> {
        let outcome = self.go(stream, state, &mut trainer);
        if let Some(run) = self
            .run
            .as_ref()
            .filter(|_| self.fresh && outcome.is_err() && trainer.updates() == 0)
        {
            // Nothing was learnt: the name is free again. The error that ended the run is the one to report.
            let _ = std::fs::remove_dir_all(run);
        }
        outcome
    }

    fn go<F: Feed<Error = GenerateError>>(
        &self,
        stream: &RefCell<F>,
        state: RunState,
        trainer: &mut Trainer,
    ) -> anyhow::Result<()> {
        let config = trainer.config().clone();
        let head = Head {
            title: format!(
                "{:?} on {}, {} pairs an update, peak learning rate {:.2e}; rendering on {}",
                config.model,
                trainer.device().name(),
                config.effective_batch(),
                config.peak_lr(),
                self.adapter
            ),
            steps: config.steps,
        };
        eprintln!("training {}, {} updates", head.title, head.steps);
        let opened = self
            .run
            .as_ref()
            .map(|run| Journal::open(run, trainer.updates(), state.cadence.tensorboard));
        let (journal, rows) = opened.transpose()?.unzip();
        let mut going = Going {
            session: self,
            stream,
            checkpoints: self.run.as_ref().map(|run| Checkpoints::new(run, state.cadence.keep)),
            state,
            journal,
            saved: trainer.updates(),
            watch: Watch::open(head, rows.unwrap_or_default(), self.plain, self.json, &self.interrupted)?,
        };
        let stopping = || self.interrupted.load(Ordering::SeqCst);
        // An update that is cut short by an interrupt leaves the trainer as it was.
        let batches = std::iter::from_fn(|| (!stopping()).then(|| stream.borrow_mut().next(config.batch)));
        let mut failure = None;
        let summary = drive(trainer, batches, |report, trainer| match going.after(report, trainer) {
            Ok(()) if !stopping() => ControlFlow::Continue(()),
            outcome => {
                failure = outcome.err();
                ControlFlow::Break(())
            }
        });
        if let Some(error) = failure {
            return Err(error);
        }
        let summary = summary?;
        let done = trainer.updates() >= config.steps;
        if (done && going.state.cadence.save_every > 0) || (!done && trainer.updates() > going.saved) {
            going.save(trainer)?;
        }
        let state = going.finish();
        print_summary(&summary);
        if stopping() && !done {
            return Err(self.interruption(&summary));
        }
        if let Some(run) = &self.run {
            finish_run(run, trainer, &state, &summary)?;
            eprintln!("wrote {}", run.display());
        }
        Ok(())
    }

    fn interruption(&self, summary: &TrainSummary) -> anyhow::Error {
        let go_on = match &self.run {
            Some(run) if summary.steps > 0 => format!("; go on with --resume {}", run.display()),
            _ => String::new(),
        };
        Failure::interrupted(format!("interrupted after {} steps{go_on}", summary.steps))
    }
}

impl<F: Feed> Going<'_, F> {
    /// What happens after an update: judging, the log, pictures, a checkpoint.
    fn after(&mut self, report: &StepReport, trainer: &Trainer) -> anyhow::Result<()> {
        let updates = trainer.updates();
        // An interrupt may find more batches drawn than an update has seen: what counts is where this one ended.
        self.state.stream = Some(self.stream.borrow().place());
        let cadence = self.state.cadence.clone();
        let due = |every: u64| every > 0 && updates.is_multiple_of(every);
        let mut row = MetricsRow {
            report: *report,
            validation_loss: None,
            scene: self
                .stream
                .borrow()
                .newest_scene()
                .map(|s| s.name.clone())
                .unwrap_or_default(),
            unix_time: SystemTime::now()
                .duration_since(SystemTime::UNIX_EPOCH)
                .map_or(0.0, |since| since.as_secs_f64()),
        };
        let mut is_best = false;
        if let Some(held_out) = &self.session.held_out {
            if due(cadence.validate_every) {
                let loss = held_out.loss(&trainer.judged(), trainer.config(), trainer.device())?;
                row.validation_loss = Some(loss);
                is_best = self.state.best.is_none_or(|best| loss < best.loss);
                if is_best {
                    self.state.best = Some(Best { updates, loss });
                }
            }
            if let Some(run) = self.session.run.as_ref().filter(|_| due(cadence.pictures_every)) {
                save_picture(run, held_out, trainer)?;
            }
        }
        if let Some(journal) = &mut self.journal {
            journal.write(&row)?;
        }
        self.watch.row(&row)?;
        if is_best || due(cadence.save_every) {
            self.save(trainer)?;
        }
        Ok(())
    }

    /// Writes a checkpoint, where there is a run to write to and none of this update.
    fn save(&mut self, trainer: &Trainer) -> anyhow::Result<()> {
        self.state.data.add_scenes(self.stream.borrow().scenes());
        let Some(checkpoints) = &self.checkpoints else {
            return Ok(());
        };
        if self.saved == trainer.updates() {
            return Ok(checkpoints.prune(&self.state)?);
        }
        let path = checkpoints.write(trainer, &self.state)?;
        self.saved = trainer.updates();
        self.watch.note(format!("wrote {}", path.display()));
        Ok(())
    }

    /// Gives the terminal back.
    fn finish(mut self) -> RunState {
        self.state.data.add_scenes(self.stream.borrow().scenes());
        self.state
    }
}

/// `RUN/pictures/00000100.png`: masked view, reference, reconstruction and target of the first held-out pairs.
fn save_picture(run: &Path, held_out: &HeldOut, trainer: &Trainer) -> anyhow::Result<()> {
    let rows = held_out.pictures(&trainer.judged(), trainer.config(), trainer.device(), PICTURE_ROWS)?;
    let folder = run.join("pictures");
    let path = folder.join(format!("{:08}.png", trainer.updates()));
    let temporary = folder.join(format!(".{:08}.png", trainer.updates()));
    let saved = std::fs::create_dir_all(&folder)
        .map_err(image::ImageError::from)
        .and_then(|()| sheet(&rows).save_with_format(&temporary, image::ImageFormat::Png))
        .and_then(|()| Ok(std::fs::rename(&temporary, &path)?));
    saved.map_err(|error| {
        let source = std::io::Error::other(error);
        TrainError::Output { source, path }.into()
    })
}

fn print_summary(summary: &TrainSummary) {
    eprintln!(
        "{} steps, {} pairs in {:.1} s: {:.1} pairs/s, {:.1} % of it waiting for data; loss {:.3} -> {:.3}",
        summary.steps,
        summary.pairs,
        summary.seconds,
        summary.pairs_per_s,
        100.0 * summary.data_wait,
        summary.first_loss,
        summary.last_loss
    );
}
