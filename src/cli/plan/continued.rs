//! The header of a plan while it grows, and the plan of an earlier run that it continues.

use std::path::{Path, PathBuf};

use covista::export::native::SkippedScene;
use covista::plan::{PlanHeader, PlanReader, PlanScene};
use covista::scene::SceneSource;

use crate::cli::exit::Failure;
use crate::cli::generate::scenes::SceneLog;
use crate::cli::open::Walkable;

/// The header; its scenes are those that were opened so far.
pub struct PlanLog {
    header: PlanHeader,
    path: PathBuf,
}

impl PlanLog {
    /// Of a run whose plan goes to `path`.
    pub fn new(header: PlanHeader, path: &Path) -> Self {
        Self {
            header,
            path: path.to_owned(),
        }
    }

    /// The header as it is known by now.
    pub fn header(&self) -> &PlanHeader {
        &self.header
    }

    /// Records that a scene is used, which must be the one that the plan knows by that name.
    pub fn add(&mut self, source: &SceneSource, walkable: &Walkable) -> anyhow::Result<()> {
        let (name, hash) = (&walkable.scene.name, walkable.scene.hash_hex());
        match self.header.scenes.iter().find(|known| known.name == *name) {
            Some(known) if known.hash == hash => Ok(()),
            Some(known) => Err(self.other_run(&format!("hash of the scene {name}"), &known.hash, &hash)),
            None => {
                self.header.scenes.push(PlanScene {
                    name: name.clone(),
                    spec: source.to_string(),
                    hash,
                });
                Ok(())
            }
        }
    }

    /// Opens the plan at the path, which must be one of this run; its scenes count as opened.
    pub fn continued(&mut self) -> anyhow::Result<PlanReader> {
        let reader = PlanReader::open(&self.path)?;
        let (old, new) = (reader.header(), &self.header);
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
        if let Some((what, there, here)) = checks.into_iter().find(|(_, there, here)| there != here) {
            return Err(self.other_run(what, &there, &here));
        }
        let opened = std::mem::replace(&mut self.header.scenes, reader.header().scenes.clone());
        for scene in opened {
            // It lies where it was found just now.
            if let Some(known) = self.header.scenes.iter_mut().find(|known| known.name == scene.name) {
                known.spec = scene.spec;
            }
        }
        self.header.skipped.clone_from(&reader.header().skipped);
        Ok(reader)
    }

    fn other_run(&self, what: &str, there: &str, here: &str) -> anyhow::Error {
        Failure::arguments(format!(
            "the plan was made by another run: its {what} is {there}, and {here} here; use the same one, or \
             --overwrite to replace the plan: {}",
            self.path.display()
        ))
    }
}

impl SceneLog for PlanLog {
    fn skipped(&self) -> &[SkippedScene] {
        &self.header.skipped
    }

    fn opened(&mut self, source: &SceneSource, scene: &Walkable) -> anyhow::Result<()> {
        self.add(source, scene)
    }

    fn skip(&mut self, scene: &str, reason: &str) -> anyhow::Result<()> {
        self.header.skipped.push(SkippedScene {
            scene: scene.into(),
            reason: reason.into(),
        });
        Ok(())
    }
}
