//! Many scenes with weights: what `--scene` and `--scenes` name, expanded in a fixed order.

mod error;
mod spec;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

pub use error::SceneListError;

use super::habitat::{HabitatKind, habitat_kind, list_scenes};
use super::source::SceneSource;
use spec::{Spec, What};

/// Scenes that one list may hold.
const MOST: usize = 1_000_000;

/// One place of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneEntry {
    /// What stands there.
    pub scene: ListedSource,
    /// How often its turn comes, relative to the others; above 0.
    pub weight: f64,
}

/// A scene, or flats without end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ListedSource {
    /// The same scene at every turn.
    Scene(SceneSource),
    /// `procedural:*`: a flat that was never seen before at every turn.
    FreshFlats,
}

/// Scenes and their weights, in a fixed order, none of them twice.
///
/// A list is made of specs, each `[WEIGHT:]SPEC` with a weight above 0 (default 1) and one of
///
/// | spec | scenes |
/// |---|---|
/// | a scene file, or `DATASET#NAME` | that scene |
/// | a folder or a `.scene_dataset_config.json` | all its scenes ([`list_scenes`]), each with the weight |
/// | `procedural:SEED`, `procedural` | the flat of the seed, or of seed 0 |
/// | `procedural:A-B` | the flats of the seeds A to B, both included, each with the weight |
/// | `procedural:*` | a fresh flat at every turn, without end; it weighs as one scene |
///
/// A path that begins like a weight or a recipe is written `./3:room.glb`, `./procedural:1`. A scene that is named
/// twice is one entry with the sum of the weights.
#[derive(Debug, Clone, PartialEq)]
pub struct SceneList {
    entries: Vec<SceneEntry>,
}

impl SceneList {
    /// Expands `specs` (paths as they are), then the specs in `files` (one a line; blank lines and lines that begin
    /// with `#` are passed over; paths are relative to the file's folder).
    ///
    /// # Errors
    /// A spec that cannot be read, names nothing that is there, or a folder without scenes: the message names the
    /// argument or file and line. No scene at all, or more than a million.
    pub fn parse(specs: &[String], files: &[PathBuf]) -> Result<Self, SceneListError> {
        let mut list = Builder::default();
        for text in specs {
            list.add(text, Path::new(""), &format!("--scene {text}"))?;
        }
        for file in files {
            let text = std::fs::read_to_string(file).map_err(|source| SceneListError::Unreadable {
                source,
                path: file.clone(),
            })?;
            let folder = file.parent().unwrap_or(Path::new(""));
            for (number, line) in text.lines().enumerate() {
                let line = line.trim();
                if !line.is_empty() && !line.starts_with('#') {
                    list.add(line, folder, &format!("{}, line {}", file.display(), number + 1))?;
                }
            }
        }
        if list.entries.is_empty() {
            return Err(SceneListError::Empty);
        }
        Ok(Self { entries: list.entries })
    }

    /// One scene.
    pub fn one(scene: SceneSource) -> Self {
        Self {
            entries: vec![SceneEntry {
                scene: ListedSource::Scene(scene),
                weight: 1.0,
            }],
        }
    }

    /// The entries, at least one, in the order in which they were named.
    pub fn entries(&self) -> &[SceneEntry] {
        &self.entries
    }

    /// The scene of a list that holds one.
    pub fn single(&self) -> Option<&SceneSource> {
        match self.entries.as_slice() {
            [
                SceneEntry {
                    scene: ListedSource::Scene(scene),
                    ..
                },
            ] => Some(scene),
            _ => None,
        }
    }

    /// The scenes and weights of a list without fresh flats.
    ///
    /// # Errors
    /// [`SceneListError::Endless`] where `procedural:*` is in it.
    pub fn finite(&self) -> Result<Vec<(SceneSource, f64)>, SceneListError> {
        let each = self.entries.iter().map(|entry| match &entry.scene {
            ListedSource::Scene(scene) => Ok((scene.clone(), entry.weight)),
            ListedSource::FreshFlats => Err(SceneListError::Endless),
        });
        each.collect()
    }
}

/// A list while it grows.
#[derive(Debug, Default)]
struct Builder {
    entries: Vec<SceneEntry>,
    /// Place of each scene by what tells it from others.
    places: HashMap<String, usize>,
}

impl Builder {
    /// Adds what one spec names; `origin` says where it stands.
    fn add(&mut self, text: &str, folder: &Path, origin: &str) -> Result<(), SceneListError> {
        let bad = |what: String| SceneListError::BadSpec {
            origin: origin.to_owned(),
            what,
        };
        let Spec { weight, what } = Spec::parse(text).map_err(bad)?;
        match what {
            What::FreshFlats => self.push(ListedSource::FreshFlats, weight, origin),
            What::Flats(seeds) => {
                for seed in seeds {
                    self.push(ListedSource::Scene(SceneSource::Procedural(seed)), weight, origin)?;
                }
                Ok(())
            }
            What::Path(path) => self.add_path(&folder.join(path), weight, origin),
        }
    }

    fn add_path(&mut self, path: &Path, weight: f64, origin: &str) -> Result<(), SceneListError> {
        let holds_many = path.is_dir() || habitat_kind(path) == Some(HabitatKind::Dataset);
        if !holds_many {
            let named = path.to_string_lossy();
            let file = match named.rsplit_once('#') {
                Some((file, _)) if !path.exists() => Path::new(file),
                _ => path,
            };
            if !file.exists() {
                return Err(SceneListError::BadSpec {
                    origin: origin.to_owned(),
                    what: format!("there is no file or folder {}", file.display()),
                });
            }
            return self.push(ListedSource::Scene(SceneSource::File(path.to_owned())), weight, origin);
        }
        let scenes = list_scenes(path).map_err(|source| SceneListError::Scene {
            origin: origin.to_owned(),
            source: Box::new(source),
        })?;
        if scenes.is_empty() {
            return Err(SceneListError::BadSpec {
                origin: origin.to_owned(),
                what: format!(
                    "no scene (.glb, .gltf, .obj, .ply, Habitat dataset) lies in {}",
                    path.display()
                ),
            });
        }
        for scene in scenes {
            self.push(ListedSource::Scene(SceneSource::File(scene.path)), weight, origin)?;
        }
        Ok(())
    }

    fn push(&mut self, scene: ListedSource, weight: f64, origin: &str) -> Result<(), SceneListError> {
        let key = match &scene {
            ListedSource::FreshFlats => "procedural:*".to_owned(),
            ListedSource::Scene(SceneSource::Procedural(seed)) => format!("procedural:{seed}"),
            ListedSource::Scene(SceneSource::File(path)) => {
                let whole = path.canonicalize().unwrap_or_else(|_| path.clone());
                format!("file:{}", whole.display())
            }
        };
        if let Some(&place) = self.places.get(&key) {
            self.entries[place].weight += weight;
            return Ok(());
        }
        if self.entries.len() >= MOST {
            return Err(SceneListError::BadSpec {
                origin: origin.to_owned(),
                what: format!("the list holds more than {MOST} scenes"),
            });
        }
        self.places.insert(key, self.entries.len());
        self.entries.push(SceneEntry { scene, weight });
        Ok(())
    }
}

impl std::fmt::Display for ListedSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scene(scene) => scene.fmt(f),
            Self::FreshFlats => f.write_str("procedural:*"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn specs(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    fn names(list: &SceneList) -> Vec<(String, f64)> {
        let each = list
            .entries()
            .iter()
            .map(|entry| (entry.scene.to_string(), entry.weight));
        each.collect()
    }

    #[test]
    fn recipes_expand_in_order_and_repeats_add_up() {
        let list = SceneList::parse(
            &specs(&["procedural:3-5", "2:procedural:*", "0.5:procedural:4", "procedural"]),
            &[],
        )
        .unwrap();
        let expected = [
            ("procedural:3", 1.0),
            ("procedural:4", 1.5),
            ("procedural:5", 1.0),
            ("procedural:*", 2.0),
            ("procedural:0", 1.0),
        ];
        assert_eq!(names(&list), expected.map(|(name, weight)| (name.to_owned(), weight)));
        assert!(matches!(list.finite(), Err(SceneListError::Endless)));
        assert!(list.single().is_none());
    }

    #[test]
    fn folders_and_files_are_listed_relative_to_where_they_are_named() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["b.glb", "a.ply", "notes.txt"] {
            std::fs::write(folder.path().join(name), b"x").unwrap();
        }
        let file = folder.path().join("scenes.txt");
        std::fs::write(&file, "# rooms\n\n  3:a.ply\n.\nprocedural:7\n").unwrap();
        let list = SceneList::parse(&[], std::slice::from_ref(&file)).unwrap();
        let weights: Vec<f64> = list.entries().iter().map(|entry| entry.weight).collect();
        // a.ply is named by itself and by its folder.
        assert_eq!(weights, [4.0, 1.0, 1.0]);
        assert!(list.entries()[1].scene.to_string().ends_with("b.glb"));
    }

    #[test]
    fn errors_name_the_argument_or_the_line() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("scenes.txt");
        for (line, part) in [
            ("procedural:x", "whole number"),
            ("procedural:9-3", "first seed is larger"),
            ("0:procedural:1", "weight"),
            ("no/such/room.glb", "no file or folder"),
            ("2:", "no scene"),
        ] {
            std::fs::write(&file, format!("procedural:1\n{line}\n")).unwrap();
            let message = SceneList::parse(&[], std::slice::from_ref(&file))
                .unwrap_err()
                .to_string();
            assert!(message.contains("line 2") && message.contains(part), "{message}");
        }
        let empty = folder.path().join("empty");
        std::fs::create_dir(&empty).unwrap();
        let message = SceneList::parse(&[empty.display().to_string()], &[])
            .unwrap_err()
            .to_string();
        assert!(message.contains("--scene") && message.contains("no scene"), "{message}");
        assert!(matches!(SceneList::parse(&[], &[]), Err(SceneListError::Empty)));
    }
}
