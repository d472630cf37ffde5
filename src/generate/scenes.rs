//! Pairs of many scenes: turn after turn, the next scene read while this one is walked.
//!
//! Which samples are made is a pure function of the list, the seed and the configuration: turn `k` takes the samples
//! of its scene from `visit * pairs_per_scene * max_positions` on, until `pairs_per_scene` pairs are kept or
//! `max_positions` positions in a row gave none. Timing and what failed elsewhere change nothing.
//!
//! Memory: at most `scenes_in_memory` scenes are held at any time, the one being read among them.

use std::collections::{BTreeMap, VecDeque};
use std::marker::PhantomData;
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;

use super::harvest::Harvest;
use super::loader::Loader;
use super::pairs::{GenerateError, refusals};
use super::turns::{Rank, Turn, Turns};
use super::walkable::{Walkable, WalkableConfig, WalkableError};
use super::{GeneratorConfig, PairGenerator};
use crate::render::{Gpu, RenderError, RendererPool};
use crate::scene::{SceneList, SceneSource};
use crate::view::{PairPlace, ViewPair};

/// Turns in a row without a pair after which a run ends: the fault is then not the scenes'.
const EMPTY_TURNS: usize = 20;
/// Skipped scenes that a report names.
const MOST_SKIPPED: usize = 1000;

/// How scenes take turns.
#[derive(Debug, Clone, PartialEq)]
pub struct ScenesConfig {
    /// How a scene becomes walkable.
    pub walkable: WalkableConfig,
    /// Which pairs it gives.
    pub generator: GeneratorConfig,
    /// Pairs a turn, at least 1.
    pub pairs_per_scene: u64,
    /// Scenes held at any time, the one being read among them, at least 1.
    pub scenes_in_memory: usize,
    /// Positions in a row without a pair after which a turn ends, at least 1.
    pub max_positions: u64,
}

/// A scene that was passed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SkippedScene {
    /// Its name in the list.
    pub scene: String,
    /// Why.
    pub reason: String,
    /// Turns that it lost.
    pub turns: u64,
}

/// What became of the scenes so far.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct ScenesReport {
    /// Turns that were begun, those without a pair included.
    pub turns: u64,
    /// Scenes that were read, each time counted.
    pub loads: u64,
    /// Positions looked at.
    pub positions: u64,
    /// Pairs kept.
    pub pairs: u64,
    /// Bytes of pictures that travelled from the device to the host.
    pub bytes_read: u64,
    /// Largest number of scenes held at one time, the one being read among them.
    pub most_in_memory: usize,
    /// Scenes that could not be read or walked, and turns that gave no pair, in order of their first occurrence.
    pub skipped: Vec<SkippedScene>,
}

/// An endless iterator over pairs of many scenes. One thread owns it, and with it the device's queue.
pub struct ScenePairs<P = ViewPair> {
    renderers: RendererPool,
    config: ScenesConfig,
    seed: u64,
    turns: Turns,
    /// Turns that were looked at ahead of time.
    ahead: VecDeque<Turn>,
    current: Option<Walk>,
    /// Uploaded scenes, the longest unused first; the current one is the last.
    resident: Vec<(SceneSource, PairGenerator)>,
    loader: Loader,
    /// Why an entry of the list cannot be used.
    broken: BTreeMap<usize, String>,
    empty_turns: usize,
    /// Pairs to be made again before going on, in order.
    remake: VecDeque<PairPlace>,
    report: Arc<Mutex<ScenesReport>>,
    failed: bool,
    made: PhantomData<fn() -> P>,
}

/// A turn under way.
#[derive(Debug)]
struct Walk {
    turn: Turn,
    pairs: u64,
}

impl<P: Harvest> ScenePairs<P> {
    /// Prepares the renderer; the first scene is read when the first pair is asked for.
    ///
    /// # Errors
    /// The device refuses, or no thread can be started.
    pub fn new(
        gpu: &Gpu,
        list: Arc<SceneList>,
        config: ScenesConfig,
        seed: u64,
        rank: Rank,
    ) -> Result<Self, RenderError> {
        let loader = Loader::spawn(config.walkable.clone()).map_err(|error| RenderError::Device {
            action: "starting the thread that reads scenes",
            reason: error.to_string(),
        })?;
        Ok(Self {
            renderers: P::renderers(gpu, &config.generator.render)?,
            turns: Turns::new(list, seed, rank),
            config,
            seed,
            ahead: VecDeque::new(),
            current: None,
            resident: Vec::new(),
            loader,
            broken: BTreeMap::new(),
            empty_turns: 0,
            remake: VecDeque::new(),
            report: Arc::default(),
            failed: false,
            made: PhantomData,
        })
    }

    /// Goes on as if the pairs up to the last of `ring` had been made: gives those of `ring` again, in order, and then
    /// what follows the last.
    pub fn resumed(mut self, ring: &[PairPlace]) -> Self {
        self.remake = ring.iter().copied().collect();
        self
    }

    /// Where to read what became of the scenes, also while they are walked in another thread.
    pub fn report(&self) -> Arc<Mutex<ScenesReport>> {
        Arc::clone(&self.report)
    }

    fn note(&self, change: impl FnOnce(&mut ScenesReport)) {
        change(&mut self.report.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn upload(&self, walkable: &Walkable) -> Result<PairGenerator, RenderError> {
        let mut generator = PairGenerator::with_renderers(
            &self.renderers,
            &walkable.scene,
            Arc::clone(&walkable.navmesh),
            self.config.generator.clone(),
            self.seed,
        )?;
        P::prepare(&mut generator)?;
        Ok(generator)
    }

    /// The turn at `place` of those to come.
    fn peek(&mut self, place: usize) -> Option<&Turn> {
        while self.ahead.len() <= place {
            self.ahead.push_back(self.turns.next()?);
        }
        self.ahead.get(place)
    }

    /// The generator of a scene, as the last of the resident ones; `None` where the scene is passed over.
    fn enter(&mut self, turn: &Turn) -> Result<bool, GenerateError> {
        if let Some(reason) = self.broken.get(&turn.entry).cloned() {
            self.skip(turn, reason);
            return Ok(false);
        }
        if let Some(place) = self.resident.iter().position(|(scene, _)| *scene == turn.scene) {
            let kept = self.resident.remove(place);
            self.resident.push(kept);
            return Ok(true);
        }
        self.make_room();
        self.note_held();
        let outcome = self.loader.take(&turn.scene);
        self.note(|report| report.loads += 1);
        let uploaded = outcome.and_then(|walkable| match self.upload(&walkable) {
            Ok(generator) => Ok(Ok(generator)),
            Err(error @ (RenderError::TooLarge { .. } | RenderError::Texture(_))) => {
                Err(WalkableError::Upload(error.to_string()))
            }
            Err(error) => Ok(Err(error)),
        });
        match uploaded {
            Ok(generator) => {
                self.resident.push((turn.scene.clone(), generator?));
                Ok(true)
            }
            Err(error) if !error.is_about_the_scene() => Err(error.into()),
            Err(error) => {
                let reason = error.to_string();
                // Another flat of the same entry may well be fine.
                let is_fresh = self.turns.is_fresh(turn.entry);
                if !is_fresh {
                    self.broken.insert(turn.entry, reason.clone());
                }
                self.skip(turn, reason);
                match self.turns.list().single() {
                    Some(_) => Err(error.into()),
                    None => Ok(false),
                }
            }
        }
    }

    /// Lets go of the longest unused scenes until one more may be read.
    fn make_room(&mut self) {
        let most = self.config.scenes_in_memory.max(1) - 1;
        let over = self.resident.len().saturating_sub(most);
        self.resident.drain(..over);
    }

    fn note_held(&self) {
        let held = self.resident.len() + 1;
        self.note(|report| report.most_in_memory = report.most_in_memory.max(held));
    }

    /// Has the next scene that is not at hand read, where memory allows it beside the current one.
    fn prepare(&mut self) {
        let Some(current) = self.current.as_ref().map(|walk| walk.turn.scene.clone()) else {
            return;
        };
        if self.config.scenes_in_memory < 2 || self.loader.is_busy() {
            return;
        }
        for place in 0..self.turns.list().entries().len().min(1000) {
            let Some(turn) = self.peek(place).cloned() else { return };
            if turn.scene == current || self.broken.contains_key(&turn.entry) {
                continue;
            }
            if self.resident.iter().all(|(scene, _)| *scene != turn.scene) {
                self.make_room();
                self.note_held();
                self.loader.request(&turn.scene);
            }
            return;
        }
    }

    /// Counts a turn that gives nothing.
    fn skip(&mut self, turn: &Turn, reason: String) {
        self.empty_turns += 1;
        let scene = turn.scene.to_string();
        let mut report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let is_full = report.skipped.len() >= MOST_SKIPPED;
        match report.skipped.iter_mut().find(|skipped| skipped.scene == scene) {
            Some(skipped) => skipped.turns += 1,
            None if is_full => {}
            None => {
                tracing::warn!("passing over {scene}: {reason}");
                let turns = 1;
                report.skipped.push(SkippedScene { scene, reason, turns });
            }
        }
    }

    /// Ends a run in which nothing gives pairs.
    fn check_hope(&self) -> Result<(), GenerateError> {
        let entries = self.turns.list().entries().len();
        let all_broken = self.broken.len() == entries;
        // A short list has been through all its scenes sooner; fresh flats are always others.
        let most = match (0..entries).any(|entry| self.turns.is_fresh(entry)) {
            true => EMPTY_TURNS,
            false => EMPTY_TURNS.min(2 * entries),
        };
        if !all_broken && self.empty_turns < most {
            return Ok(());
        }
        let report = self.report.lock().unwrap_or_else(PoisonError::into_inner);
        let last = report.skipped.iter().rev().take(3);
        let reasons: Vec<String> = last.map(|s| format!("{}: {}", s.scene, s.reason)).collect();
        Err(GenerateError::NoScene {
            turns: self.empty_turns,
            reasons: reasons.join("; "),
        })
    }

    /// First sample of a turn.
    fn first_index(&self, turn: &Turn) -> u64 {
        let stride = self.config.pairs_per_scene.saturating_mul(self.config.max_positions);
        turn.visit.saturating_mul(stride)
    }

    /// The next pair, or `None` where the turn gave none and another is to be tried.
    fn step(&mut self) -> Result<Option<(PairPlace, P)>, GenerateError> {
        if let Some(place) = self.remake.pop_front() {
            return self.remade(place).map(Some);
        }
        if self
            .current
            .as_ref()
            .is_none_or(|walk| walk.pairs >= self.config.pairs_per_scene)
        {
            self.current = None;
            self.check_hope()?;
            let Some(turn) = self.peek(0).cloned() else {
                return Ok(None);
            };
            self.ahead.pop_front();
            self.note(|report| report.turns += 1);
            if !self.enter(&turn)? {
                return Ok(None);
            }
            let first = self.first_index(&turn);
            if let Some((_, generator)) = self.resident.last_mut() {
                generator.seek(first);
            }
            self.current = Some(Walk { turn, pairs: 0 });
            self.prepare();
        }
        self.walk()
    }

    /// One more pair of the current turn.
    fn walk(&mut self) -> Result<Option<(PairPlace, P)>, GenerateError> {
        let (Some(walk), Some((_, generator))) = (&mut self.current, self.resident.last_mut()) else {
            return Ok(None);
        };
        let mut refused = BTreeMap::new();
        for tried in 1..=self.config.max_positions {
            let (index, outcome) = P::next(generator)?;
            match outcome {
                Ok(pair) => {
                    let place = PairPlace {
                        turn: walk.turn.number,
                        index,
                        nth: walk.pairs,
                        scene: generator.scene_word(),
                    };
                    walk.pairs += 1;
                    let bytes_read = self.renderers.bytes_read();
                    self.empty_turns = 0;
                    self.note(|report| {
                        report.positions += tried;
                        report.pairs += 1;
                        report.bytes_read = bytes_read;
                    });
                    return Ok(Some((place, pair)));
                }
                Err(reason) => *refused.entry(reason).or_default() += 1,
            }
        }
        let barren = GenerateError::Barren {
            positions: self.config.max_positions,
            reasons: refusals(refused),
        };
        self.note(|report| report.positions += self.config.max_positions);
        let Some(ended) = self.current.take() else {
            return Ok(None);
        };
        if ended.pairs == 0 {
            self.skip(&ended.turn, barren.to_string());
            if self.turns.list().single().is_some() {
                return Err(barren);
            }
        }
        Ok(None)
    }

    /// A pair of the ring of an earlier run.
    fn remade(&mut self, place: PairPlace) -> Result<(PairPlace, P), GenerateError> {
        let lost = |reason: String| GenerateError::NotRemade {
            turn: place.turn,
            index: place.index,
            reason,
        };
        if self.current.as_ref().is_none_or(|walk| walk.turn.number != place.turn) {
            self.current = None;
            let turn = loop {
                let Some(turn) = self.peek(0).cloned() else {
                    return Err(lost("there is no such turn".to_owned()));
                };
                if turn.number > place.turn {
                    return Err(lost("another rank or list made it".to_owned()));
                }
                self.ahead.pop_front();
                if turn.number == place.turn {
                    break turn;
                }
            };
            if !self.enter(&turn)? {
                return Err(lost(format!("the scene {} cannot be used any more", turn.scene)));
            }
            self.current = Some(Walk { turn, pairs: 0 });
            self.prepare();
        }
        let (Some(walk), Some((_, generator))) = (&mut self.current, self.resident.last_mut()) else {
            return Err(lost("its scene is gone".to_owned()));
        };
        walk.pairs = place.nth + 1;
        match P::at(generator, place.index)? {
            Ok(pair) => {
                generator.seek(place.index + 1);
                self.empty_turns = 0;
                let scene = generator.scene_word();
                Ok((PairPlace { scene, ..place }, pair))
            }
            Err(reason) => Err(lost(format!("the position is refused now: {reason}"))),
        }
    }
}

impl<P: Harvest> Iterator for ScenePairs<P> {
    type Item = Result<(PairPlace, P), GenerateError>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.failed {
            match self.step() {
                Ok(Some(pair)) => return Some(Ok(pair)),
                Ok(None) => {}
                Err(error) => {
                    self.failed = true;
                    return Some(Err(error));
                }
            }
        }
        None
    }
}
