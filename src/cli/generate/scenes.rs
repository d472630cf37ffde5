//! The scenes of a run, opened when their turn comes.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;

use covista::config::Config;
use covista::export::native::{NativeWriter, SkippedScene, SourceRecord};
use covista::generate::{Loader, PairGenerator, Position, WalkableError};
use covista::render::{Gpu, RenderError, RendererPool};
use covista::rng::Rng;
use covista::scene::{ListedSource, SceneList, SceneSource};

use crate::cli::exit::Failure;
use crate::cli::open::{self, Walkable};

/// A scene of the list, or the flat that `procedural:*` stands for in one block.
type Key = (usize, Option<u64>);

/// Told of the scenes of a run as they are opened or found of no use.
pub trait SceneLog {
    /// Those that were found of no use, by earlier parts of the run too.
    fn skipped(&self) -> &[SkippedScene];
    /// The scene is used from here on.
    fn opened(&mut self, source: &SceneSource, scene: &Walkable) -> anyhow::Result<()>;
    /// The scene, as it was asked for, cannot be used.
    fn skip(&mut self, scene: &str, reason: &str) -> anyhow::Result<()>;
}

impl SceneLog for NativeWriter {
    fn skipped(&self) -> &[SkippedScene] {
        self.skipped()
    }

    fn opened(&mut self, _: &SceneSource, scene: &Walkable) -> anyhow::Result<()> {
        self.add_scene(&scene.record())?;
        Ok(self.set_topdown(&scene.scene.name, &scene.top_down())?)
    }

    fn skip(&mut self, scene: &str, reason: &str) -> anyhow::Result<()> {
        Ok(self.skip_scene(scene, reason)?)
    }
}

/// Scenes by their place in the list: some open, some found of no use.
pub struct Scenes<'a> {
    list: &'a SceneList,
    sources: &'a [SourceRecord],
    /// Names for scenes whose files have the name of another's.
    names: Vec<Option<String>>,
    config: &'a Config,
    seed: u64,
    gpu: Gpu,
    /// Draw all of them; made with the first.
    renderers: Option<RendererPool>,
    /// Scenes that were read before there was a device.
    ready: BTreeMap<usize, Walkable>,
    /// Reads the scene of the next block; started with the first of them.
    loader: Option<Loader>,
    /// Most recently used first.
    open: VecDeque<(Key, OpenScene)>,
    skipped: BTreeMap<usize, String>,
}

/// A scene on the device.
pub struct OpenScene {
    /// What the set calls it.
    pub name: String,
    generator: PairGenerator,
    next: Option<u64>,
}

impl OpenScene {
    /// Makes a position while so many pairs are `wanted`; going on where the last one ended, the next are made meanwhile.
    pub fn position(&mut self, index: u64, wanted: u64) -> Result<Position, RenderError> {
        self.generator.look_ahead(wanted);
        if self.next != Some(index) {
            self.generator.seek(index);
        }
        self.next = Some(index + 1);
        match self.generator.next() {
            Some(position) => position,
            None => self.generator.position(index),
        }
    }
}

impl<'a> Scenes<'a> {
    /// No scene is open yet; those that are `ready` need not be read. `sources` are the entries of `list`.
    pub fn new(
        list: &'a SceneList,
        sources: &'a [SourceRecord],
        config: &'a Config,
        seed: u64,
        gpu: Gpu,
        ready: BTreeMap<usize, Walkable>,
    ) -> Self {
        Self {
            names: distinct_names(list),
            list,
            sources,
            config,
            seed,
            gpu,
            renderers: None,
            ready,
            loader: None,
            open: VecDeque::new(),
            skipped: BTreeMap::new(),
        }
    }

    /// The scene, opened where it is not; `None` where it is of no use, which `log` is then told.
    ///
    /// With one scene what is wrong with it is an error; with several it is one when it is wrong with all.
    pub fn open(
        &mut self,
        source: usize,
        block: u64,
        log: &mut dyn SceneLog,
    ) -> anyhow::Result<Option<&mut OpenScene>> {
        if self.is_skipped(source, log) {
            return Ok(None);
        }
        let key = self.key(source, block);
        if let Some(place) = self.open.iter().position(|(open, _)| *open == key) {
            if let Some(scene) = self.open.remove(place) {
                self.open.push_front(scene);
            }
        } else {
            match self.load(key, log) {
                Ok(scene) => self.open.push_front((key, scene)),
                Err(error) if self.sources.len() > 1 && is_about_the_scene(&error) => {
                    self.skip(source, &error, log)?;
                    return Ok(None);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(self.open.front_mut().map(|(_, scene)| scene))
    }

    /// True where the scene was found of no use, now or by an earlier part of the run.
    pub fn is_skipped(&self, source: usize, log: &dyn SceneLog) -> bool {
        let spec = &self.sources[source].scene;
        self.skipped.contains_key(&source) || log.skipped().iter().any(|skipped| skipped.scene == *spec)
    }

    /// Has the scene that a coming block starts with read in a thread of its own, where memory allows another one.
    pub fn prepare(&mut self, source: usize, block: u64, log: &dyn SceneLog) {
        let key = self.key(source, block);
        let at_hand = self.ready.contains_key(&source) || self.open.iter().any(|(open, _)| *open == key);
        if at_hand || self.config.generate.scenes_in_memory < 2 || self.is_skipped(source, log) {
            return;
        }
        // Room first, here as well.
        self.open.truncate(self.config.generate.scenes_in_memory - 1);
        let scene = self.source(key);
        // Without a thread the scene is read when its turn comes.
        if let Some(loader) = self.loader() {
            loader.request(&scene);
        }
    }

    fn key(&self, source: usize, block: u64) -> Key {
        let fresh = self.list.entries()[source].scene == ListedSource::FreshFlats;
        (source, fresh.then_some(block))
    }

    fn source(&self, (source, block): Key) -> SceneSource {
        match &self.list.entries()[source].scene {
            ListedSource::Scene(scene) => scene.clone(),
            ListedSource::FreshFlats => {
                let stream = [block.unwrap_or_default()];
                SceneSource::Procedural(Rng::stream(self.seed, "block flat", &stream).next_u64())
            }
        }
    }

    fn loader(&mut self) -> Option<&mut Loader> {
        if self.loader.is_none() {
            self.loader = Loader::spawn(open::walkable_config(self.config)).ok();
        }
        self.loader.as_mut()
    }

    fn read(&mut self, key: Key) -> anyhow::Result<Walkable> {
        if let Some(walkable) = self.ready.remove(&key.0) {
            return Ok(walkable);
        }
        let scene = self.source(key);
        match &mut self.loader {
            Some(loader) => Ok(loader.take(&scene)?.into()),
            None => Walkable::load(&scene, self.config),
        }
    }

    fn load(&mut self, key: Key, log: &mut dyn SceneLog) -> anyhow::Result<OpenScene> {
        // Room first: the oldest gives its memory back before the new one is read.
        self.open.truncate(self.config.generate.scenes_in_memory - 1);
        let mut walkable = self.read(key)?;
        if let Some(name) = &self.names[key.0] {
            walkable.rename(name);
        }
        let renderers = match &mut self.renderers {
            Some(renderers) => renderers,
            none => none.insert(RendererPool::new(&self.gpu, &self.config.render)?),
        };
        let generator = walkable.generator_with(renderers, self.config, self.seed)?;
        log.opened(&self.source(key), &walkable)?;
        Ok(OpenScene {
            name: walkable.scene.name.clone(),
            generator,
            next: None,
        })
    }

    fn skip(&mut self, source: usize, error: &anyhow::Error, log: &mut dyn SceneLog) -> anyhow::Result<()> {
        let (scene, reason) = (&self.sources[source].scene, format!("{error:#}"));
        tracing::warn!("skipped scene {scene}: {reason}");
        log.skip(scene, &reason)?;
        self.skipped.insert(source, reason);
        match self.skipped.values().next() {
            Some(reason) if self.skipped.len() == self.sources.len() => Err(Failure::input(format!(
                "none of the {} scenes can be used; the first: {reason}",
                self.sources.len()
            ))),
            _ => Ok(()),
        }
    }
}

/// For files that share their stem (`a/mesh.ply`, `b/mesh.ply`) as much of the path as tells them apart.
fn distinct_names(list: &SceneList) -> Vec<Option<String>> {
    let path = |entry: &ListedSource| match entry {
        ListedSource::Scene(SceneSource::File(path)) => Some(path.clone()),
        _ => None,
    };
    let paths: Vec<_> = list.entries().iter().map(|entry| path(&entry.scene)).collect();
    let tail = |path: &Path, parts: usize| -> String {
        // A scene is called by its stem.
        let path = if parts == 1 {
            path.with_extension("")
        } else {
            path.to_owned()
        };
        let all: Vec<_> = path
            .components()
            .map(|part| part.as_os_str().to_string_lossy().into_owned())
            .collect();
        all[all.len().saturating_sub(parts)..].join("/")
    };
    let mut names = vec![None; paths.len()];
    for parts in 1..64 {
        let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (place, path) in paths.iter().enumerate() {
            if let Some(path) = path {
                seen.entry(tail(path, parts)).or_default().push(place);
            }
        }
        let mut clashes = false;
        for places in seen.values().filter(|places| places.len() > 1) {
            for &place in places {
                clashes = true;
                names[place] = paths[place].as_deref().map(|path| tail(path, parts + 1));
            }
        }
        if !clashes {
            break;
        }
    }
    names
}

/// True for what another scene may do better: not for the device, the configuration or the output.
fn is_about_the_scene(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<WalkableError>()
            .is_some_and(WalkableError::is_about_the_scene)
            || matches!(cause.downcast_ref::<RenderError>(), Some(RenderError::TooLarge { .. }))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lost_device_is_not_about_the_scene() {
        let lost = RenderError::Lost {
            action: "drawing",
            reason: "reset".into(),
        };
        assert!(!is_about_the_scene(&anyhow::Error::from(lost)));
    }

    #[test]
    fn a_file_that_cannot_be_read_just_now_is_not_about_the_scene() {
        let read = |source: std::io::Error| {
            use covista::scene::SceneError;
            let path = "room.glb".into();
            anyhow::Error::from(WalkableError::Scene(SceneError::Read { source, path }))
        };
        // EIO and EMFILE, which have no kind of their own.
        for passing in [5, 24] {
            assert!(!is_about_the_scene(&read(std::io::Error::from_raw_os_error(passing))));
        }
        assert!(!is_about_the_scene(&read(std::io::ErrorKind::TimedOut.into())));
        let navmesh = covista::navmesh::NavMeshError::Read {
            path: "room.navmesh".into(),
            reason: std::io::Error::from_raw_os_error(5),
        };
        assert!(!is_about_the_scene(&anyhow::Error::from(WalkableError::NavMesh(
            navmesh
        ))));
        assert!(is_about_the_scene(&read(std::io::ErrorKind::PermissionDenied.into())));
        assert!(!is_about_the_scene(&anyhow::Error::from(WalkableError::NoReader)));
    }

    #[test]
    fn files_of_one_name_are_told_apart_by_their_folders() {
        let dir = tempfile::tempdir().unwrap();
        let mut specs = vec!["procedural:1".to_owned()];
        for name in [
            "a/habitat/mesh.ply",
            "b/habitat/mesh.ply",
            "room.glb",
            "c/flat.obj",
            "c/flat.glb",
        ] {
            let path = dir.path().join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, b"x").unwrap();
            specs.push(path.display().to_string());
        }
        let list = SceneList::parse(&specs, &[]).unwrap();
        let some = |name: &str| Some(name.to_owned());
        let expected = [
            None,
            some("a/habitat/mesh.ply"),
            some("b/habitat/mesh.ply"),
            None,
            some("c/flat.obj"),
            some("c/flat.glb"),
        ];
        assert_eq!(distinct_names(&list), expected);
    }
}
