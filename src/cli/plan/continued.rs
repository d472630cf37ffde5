//! A plan while it grows: its header, its journal, and what an earlier run left of it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::export::ExportError;
use covista::export::native::SkippedScene;
use covista::plan::{PlanEnd, PlanError, PlanHeader, PlanJournal, PlanReader, PlanScene, PlannedPosition};
use covista::scene::SceneSource;

use crate::cli::exit::Failure;
use crate::cli::generate::scenes::SceneLog;
use crate::cli::open::Walkable;

/// The header; its scenes are those that were opened so far.
pub struct PlanLog {
    header: PlanHeader,
    path: PathBuf,
    /// Once it is begun.
    journal: Option<PlanJournal>,
}

impl PlanLog {
    /// Of a run whose plan goes to `path`.
    pub fn new(header: PlanHeader, path: &Path) -> Self {
        Self {
            header,
            path: path.to_owned(),
            journal: None,
        }
    }

    /// Begins a plan that continues none. Unless it may `replace` others none may be there by now.
    pub fn start(&mut self, replace: bool) -> anyhow::Result<()> {
        let mut journal = PlanJournal::claim(&self.path)?;
        let is_new = journal.is_new()?;
        if !replace && (self.path.exists() || !is_new) {
            let refused = refusal(&self.path);
            if is_new {
                journal.remove();
            }
            return Err(refused);
        }
        let begun = journal.begin(&self.header).and_then(|()| journal.begun());
        Ok(self.keep(journal, begun)?)
    }

    /// Continues what an earlier run left, journal or plan, or begins; returns the pairs of each sample index that it tried.
    pub fn resume(&mut self) -> anyhow::Result<BTreeMap<u64, u64>> {
        let mut journal = PlanJournal::claim(&self.path)?;
        let mut known = BTreeMap::new();
        let begun = journal.resume(|position| {
            known.insert(position.index, position.pairs.len() as u64);
        });
        if begun.map_err(|error| damaged(error, &self.path))? {
            let other = self.difference(journal.header());
            // Both may be there where a plan was to be replaced; of one run the longer one counts.
            if other.is_some() || self.planned_already() <= journal.positions() {
                if let Some((what, there, here)) = other {
                    return Err(self.other_run(&self.journal_path(), what, &there, &here));
                }
                self.takes(journal.header());
                self.journal = Some(journal);
                return Ok(known);
            }
        }
        // A journal that was not begun counts for nothing: what it continued is still there.
        known.clear();
        let copied = self.copied(&mut journal, &mut known);
        self.keep(journal, copied)?;
        Ok(known)
    }

    /// Begins the journal with what stands in the plan, if there is one.
    fn copied(&mut self, journal: &mut PlanJournal, known: &mut BTreeMap<u64, u64>) -> anyhow::Result<()> {
        let reader = match self.path.exists() {
            true => Some(PlanReader::open(&self.path)?),
            false => None,
        };
        if let Some(reader) = &reader {
            if let Some((what, there, here)) = self.difference(reader.header()) {
                return Err(self.other_run(&self.path, what, &there, &here));
            }
            self.takes(reader.header());
        }
        journal.begin(&self.header)?;
        for position in reader.into_iter().flatten() {
            match position {
                Ok(position) => {
                    known.insert(position.index, position.pairs.len() as u64);
                    journal.position(position)?;
                }
                // What is whole counts.
                Err(PlanError::CutOff { .. }) => break,
                Err(error) => return Err(error.into()),
            }
        }
        Ok(journal.begun()?)
    }

    /// Positions of a plan of this run; 0 where there is none.
    fn planned_already(&self) -> u64 {
        let reader = PlanReader::open(&self.path).ok();
        let reader = reader.filter(|reader| self.difference(reader.header()).is_none());
        reader.map_or(0, |reader| reader.take_while(Result::is_ok).count() as u64)
    }

    /// Keeps a journal that could be begun, and removes another.
    fn keep<E>(&mut self, journal: PlanJournal, begun: Result<(), E>) -> Result<(), E> {
        match begun {
            Ok(()) => self.journal = Some(journal),
            Err(_) => journal.remove(),
        }
        begun
    }

    /// Adds what came of a sample.
    pub fn position(&mut self, position: PlannedPosition) -> Result<(), ExportError> {
        let journal = self.journal.as_mut().ok_or_else(|| never_begun(&self.path))?;
        journal.position(position)
    }

    /// Positions so far.
    pub fn positions(&self) -> u64 {
        self.journal.as_ref().map_or(0, PlanJournal::positions)
    }

    /// Pairs so far.
    pub fn pairs(&self) -> u64 {
        self.journal.as_ref().map_or(0, PlanJournal::pairs)
    }

    /// Where the journal lies.
    pub fn journal_path(&self) -> PathBuf {
        PlanJournal::path_of(&self.path)
    }

    /// Leaves no journal behind.
    pub fn abandon(self) {
        if let Some(journal) = self.journal {
            journal.remove();
        }
    }

    /// Writes the plan; where that fails the journal stays.
    pub fn finish(self) -> Result<PlanEnd, ExportError> {
        let path = &self.path;
        let journal = self
            .journal
            .ok_or_else(|| ExportError::damaged(path, "it was never begun"))?;
        journal.finish(&self.header)
    }

    /// Records that a scene is used, which must be the one that the plan knows by that name.
    pub fn add(&mut self, source: &SceneSource, walkable: &Walkable) -> anyhow::Result<()> {
        let (name, hash) = (&walkable.scene.name, walkable.scene.hash_hex());
        match self.header.scenes.iter().find(|known| known.name == *name) {
            Some(known) if known.hash == hash => Ok(()),
            Some(known) => {
                let what = format!("hash of the scene {name}");
                Err(self.other_run(&self.path, &what, &known.hash, &hash))
            }
            None => {
                let scene = PlanScene {
                    name: name.clone(),
                    spec: source.to_string(),
                    hash,
                };
                if let Some(journal) = &mut self.journal {
                    journal.scene(&scene)?;
                }
                self.header.scenes.push(scene);
                Ok(())
            }
        }
    }

    /// What sets a plan apart from one of this run, and its value there and here.
    fn difference(&self, old: &PlanHeader) -> Option<(&'static str, String, String)> {
        let new = &self.header;
        // A single scene has been opened by now, so its file may have moved; of several none has.
        let is_single = !new.scenes.is_empty();
        let scenes = |header: &PlanHeader| {
            let asked = header.blocks.iter().flat_map(|blocks| &blocks.sources);
            let opened = header
                .scenes
                .iter()
                .map(|scene| format!("{} {}", scene.name, scene.hash));
            let names: Vec<String> = match is_single && asked.clone().count() == 1 {
                true => opened.collect(),
                false => asked
                    .map(|source| format!("{}:{}", source.weight, source.scene))
                    .collect(),
            };
            names.join(", ")
        };
        let blocks = |header: &PlanHeader| {
            header.blocks.as_ref().map_or_else(
                || "not said".to_owned(),
                |blocks| {
                    let quota = blocks.sources.iter().find_map(|source| source.quota);
                    let quota = quota.map(|quota| format!(", at most {quota} pairs a scene"));
                    let pairs = blocks.pairs.map(|pairs| format!(" of {pairs}"));
                    format!(
                        "blocks of {} pairs{}{}",
                        blocks.block_pairs,
                        quota.unwrap_or_default(),
                        pairs.unwrap_or_default()
                    )
                },
            )
        };
        let checks = [
            (
                "covista version",
                old.covista_version.clone(),
                new.covista_version.clone(),
            ),
            ("config hash", old.config_hash.clone(), new.config_hash.clone()),
            ("seed", old.seed.to_string(), new.seed.to_string()),
            ("list of scenes", scenes(old), scenes(new)),
            ("division", blocks(old), blocks(new)),
        ];
        checks.into_iter().find(|(_, there, here)| there != here)
    }

    /// Takes over from a plan of this run; its scenes count as opened.
    fn takes(&mut self, old: &PlanHeader) {
        let opened = std::mem::replace(&mut self.header.scenes, old.scenes.clone());
        for scene in opened {
            // It lies where it was found just now.
            if let Some(known) = self.header.scenes.iter_mut().find(|known| known.name == scene.name) {
                known.spec = scene.spec;
            }
        }
        self.header.skipped.clone_from(&old.skipped);
    }

    fn other_run(&self, path: &Path, what: &str, there: &str, here: &str) -> anyhow::Error {
        let others = if path != self.path && self.path.exists() {
            "delete it to go on from the plan beside it"
        } else {
            "--overwrite to replace it"
        };
        Failure::arguments(format!(
            "the plan was made by another run: its {what} is {there}, and {here} here; use the same one, or {others}: {}",
            path.display()
        ))
    }
}

/// Why a plan is not begun at `path`, where a plan or the journal of one is.
pub fn refusal(path: &Path) -> anyhow::Error {
    let (what, found) = match path.exists() {
        true => ("the plan exists already", path.to_owned()),
        false => ("an unfinished plan is there", PlanJournal::path_of(path)),
    };
    Failure::output(format!(
        "{what}; give another --out, --resume to continue it or --overwrite to replace it: {}",
        found.display()
    ))
}

/// A journal is no set, and can be done without.
fn damaged(error: ExportError, plan: &Path) -> anyhow::Error {
    match error {
        ExportError::Damaged { path, why } => Failure::input(format!(
            "the journal of the plan is damaged, {why}; {}: {}",
            match plan.exists() {
                true => "delete it to go on from the plan beside it",
                false => "--overwrite to begin again",
            },
            path.display()
        )),
        error => error.into(),
    }
}

fn never_begun(path: &Path) -> ExportError {
    ExportError::damaged(path, "the plan was not begun")
}

impl SceneLog for PlanLog {
    fn skipped(&self) -> &[SkippedScene] {
        &self.header.skipped
    }

    fn opened(&mut self, source: &SceneSource, scene: &Walkable) -> anyhow::Result<()> {
        self.add(source, scene)
    }

    fn skip(&mut self, scene: &str, reason: &str) -> anyhow::Result<()> {
        let skipped = SkippedScene {
            scene: scene.into(),
            reason: reason.into(),
        };
        if let Some(journal) = &mut self.journal {
            journal.skipped(&skipped)?;
        }
        self.header.skipped.push(skipped);
        Ok(())
    }
}
