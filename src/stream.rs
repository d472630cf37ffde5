//! Pairs as they are made: a worker thread, a bounded channel, a ring that lets each pair be drawn again.
//!
//! The sequence of batches is a pure function of the sequence of pairs and the seed, whatever the
//! timing: before every `reuse`-th draw one new pair enters the ring (waiting for it if need be) and
//! the oldest leaves a full one, and each draw picks a place of the ring from the seeded stream.
//!
//! Memory: the ring holds `ring_pairs` pairs of `2 * height * width * 3` bytes (301 kB at 224 px), the
//! channel at most `channel_pairs` more, and one is in the hand of each side.

mod config;
mod error;
mod pair;
mod shrink;

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use serde::{Deserialize, Serialize};

pub use config::StreamConfig;
pub use error::StreamError;
pub use pair::{HostImages, PairBatch, PairImages, Placed, SceneSeen};
pub use shrink::shrunk;

use crate::rng::Rng;
use crate::view::PairPlace;

/// What a stream has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize)]
pub struct StreamStats {
    /// Pairs that entered the ring.
    pub pairs_received: u64,
    /// Draws made.
    pub draws: u64,
    /// Time that callers spent waiting for new pairs.
    pub waited: Duration,
}

/// Where a stream stands between two batches: with the scenes, the configuration and the seed of the run it is all
/// that is needed to go on as if nothing had happened.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct StreamPlace {
    /// Draws made.
    pub draws: u64,
    /// Pairs that entered the ring.
    pub received: u64,
    /// The pairs of the ring, oldest first.
    pub ring: Vec<PairPlace>,
}

/// An endless iterator of batches over a generator that runs in its own thread.
///
/// Once the generator ends, batches go on from the pairs in the ring; dropping the stream stops the
/// generator before its next pair and joins its thread.
#[derive(Debug)]
pub struct PairStream<E, P = HostImages> {
    // Dropped before the thread is joined, so that a worker blocked on a full channel wakes up.
    receiver: Option<Receiver<Result<Placed<P>, E>>>,
    worker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    config: StreamConfig,
    ring: VecDeque<Arc<Placed<P>>>,
    /// Pairs that a restored stream has yet to get back.
    missing: VecDeque<PairPlace>,
    scenes: Vec<SceneSeen>,
    newest_scene: usize,
    size: Option<(u32, u32)>,
    seed: u64,
    stats: StreamStats,
    exhausted: bool,
}

impl<E: Send + 'static> PairStream<E> {
    /// Starts the generator in its own thread. `make` runs there, so the generator itself need not be `Send`.
    ///
    /// `seed` decides the draws; the pairs are the generator's own business.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn spawn<I, T>(
        make: impl FnOnce() -> I + Send + 'static,
        config: &StreamConfig,
        seed: u64,
    ) -> std::io::Result<Self>
    where
        I: Iterator<Item = Result<T, E>>,
        T: Into<Placed<HostImages>>,
    {
        let factor = config.shrink;
        let small = move |pair: T| -> Placed<HostImages> {
            let pair: Placed<HostImages> = pair.into();
            pair.shrunk(factor)
        };
        Self::spawn_placed(move || make().map(move |item| item.map(small)), config, seed)
    }

    /// The next `batch` pairs, drawn with replacement from the ring as the module head tells.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn next_batch(&mut self, batch: usize) -> Result<PairBatch, StreamError<E>> {
        let drawn = self.draw(batch)?;
        let pairs: Vec<&Placed<HostImages>> = drawn.iter().map(AsRef::as_ref).collect();
        Ok(PairBatch::of(&pairs))
    }

    /// Batches without end; an error is the last item.
    pub fn batches(&mut self, batch: usize) -> impl Iterator<Item = Result<PairBatch, StreamError<E>>> {
        let mut failed = false;
        std::iter::from_fn(move || {
            (!failed).then(|| {
                let next = self.next_batch(batch);
                failed = next.is_err();
                next
            })
        })
    }
}

impl<E: Send + 'static, P: PairImages> PairStream<E, P> {
    /// As [`PairStream::spawn`], for pairs wherever their pictures lie.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn spawn_placed<I>(
        make: impl FnOnce() -> I + Send + 'static,
        config: &StreamConfig,
        seed: u64,
    ) -> std::io::Result<Self>
    where
        I: Iterator<Item = Result<Placed<P>, E>>,
    {
        let (sender, receiver) = crossbeam_channel::bounded(config.channel_pairs);
        let stop = Arc::new(AtomicBool::new(false));
        let stopped = Arc::clone(&stop);
        let worker = std::thread::Builder::new()
            .name("covista-pairs".to_owned())
            .spawn(move || {
                for item in make() {
                    let failed = item.is_err();
                    if stopped.load(Ordering::Relaxed) || sender.send(item).is_err() || failed {
                        break;
                    }
                }
            })?;
        Ok(Self {
            receiver: Some(receiver),
            worker: Some(worker),
            stop,
            config: config.clone(),
            ring: VecDeque::with_capacity(config.ring_pairs.min(4096)),
            missing: VecDeque::new(),
            scenes: Vec::new(),
            newest_scene: 0,
            size: None,
            seed,
            stats: StreamStats::default(),
            exhausted: false,
        })
    }

    /// Goes on at `place`. The source must give the pairs of `place.ring` again, in order, and then those that follow;
    /// they are waited for at the first draw.
    pub fn restored(mut self, place: &StreamPlace) -> Self {
        self.missing = place.ring.iter().copied().collect();
        self.stats.draws = place.draws;
        self.stats.pairs_received = place.received;
        self
    }

    /// Where the stream stands: between two calls of [`Self::draw`] or [`PairStream::next_batch`].
    pub fn place(&self) -> StreamPlace {
        StreamPlace {
            draws: self.stats.draws,
            received: self.stats.pairs_received,
            ring: self
                .ring
                .iter()
                .map(|pair| pair.place)
                .chain(self.missing.iter().copied())
                .collect(),
        }
    }

    /// The next `count` pairs, drawn with replacement from the ring as the module head tells. The pairs are shared with
    /// the ring, which may let go of them meanwhile.
    ///
    /// # Errors
    /// See [`StreamError`].
    pub fn draw(&mut self, count: usize) -> Result<Vec<Arc<Placed<P>>>, StreamError<E>> {
        while let Some(expected) = self.missing.front().copied() {
            let pair = self.receive()?;
            let got = pair.as_ref().map(|pair| pair.place);
            let (Some(pair), true) = (pair, got == Some(expected)) else {
                return Err(StreamError::OtherPair { expected, got });
            };
            self.missing.pop_front();
            self.ring.push_back(Arc::new(pair));
        }
        while self.ring.len() < self.config.warm_pairs && !self.exhausted {
            self.take_one()?;
        }
        if self.stats.pairs_received < self.config.warm_pairs as u64 {
            return Err(StreamError::TooFewPairs {
                received: self.stats.pairs_received,
                needed: self.config.warm_pairs,
            });
        }
        let mut drawn = Vec::with_capacity(count);
        for _ in 0..count {
            if self.stats.draws > 0 && self.stats.draws.is_multiple_of(self.config.reuse as u64) && !self.exhausted {
                self.take_one()?;
            }
            // A stream of its own for each draw: their number is then all of the random state.
            let mut rng = Rng::stream(self.seed, "stream", &[self.stats.draws]);
            let place = rng.below(self.ring.len() as u64) as usize;
            drawn.push(Arc::clone(&self.ring[place]));
            self.stats.draws += 1;
        }
        Ok(drawn)
    }

    /// The scenes whose pairs have entered the ring so far, in the order of their first pair.
    pub fn scenes(&self) -> &[SceneSeen] {
        &self.scenes
    }

    /// The scene of the pair that entered the ring last.
    pub fn newest_scene(&self) -> Option<&SceneSeen> {
        self.scenes.get(self.newest_scene)
    }

    /// Counters so far.
    pub fn stats(&self) -> StreamStats {
        self.stats
    }

    /// Lets one pair into the ring, waiting for the generator if none is ready.
    fn take_one(&mut self) -> Result<(), StreamError<E>> {
        let Some(pair) = self.receive()? else {
            return Ok(());
        };
        if self.ring.len() == self.config.ring_pairs {
            self.ring.pop_front();
        }
        self.ring.push_back(Arc::new(pair));
        self.stats.pairs_received += 1;
        Ok(())
    }

    /// The generator's next pair; `None` once it has ended.
    fn receive(&mut self) -> Result<Option<Placed<P>>, StreamError<E>> {
        let Some(receiver) = &self.receiver else {
            return Ok(None);
        };
        let started = Instant::now();
        let item = receiver.recv();
        self.stats.waited += started.elapsed();
        let pair = match item {
            Ok(Ok(pair)) => pair,
            Ok(Err(error)) => {
                self.exhausted = true;
                return Err(StreamError::Source(error));
            }
            Err(crossbeam_channel::RecvError) => {
                self.exhausted = true;
                let panicked = self.worker.take().is_some_and(|worker| worker.join().is_err());
                return if panicked {
                    Err(StreamError::WorkerPanicked)
                } else {
                    Ok(None)
                };
            }
        };
        let sizes = pair.images.sizes();
        let expected = *self.size.get_or_insert(sizes[0]);
        match sizes.into_iter().find(|&size| size != expected) {
            Some(got) => Err(StreamError::SizeChanged { expected, got }),
            None => {
                // From the back: a new pair mostly has the scene of the one before it.
                let known = self.scenes.iter().rposition(|scene| *scene == pair.scene);
                self.newest_scene = known.unwrap_or_else(|| {
                    self.scenes.push(pair.scene.clone());
                    self.scenes.len() - 1
                });
                Ok(Some(pair))
            }
        }
    }
}

impl<E, P> Drop for PairStream<E, P> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.receiver = None;
        if let Some(worker) = self.worker.take() {
            // A panic of the worker was printed by the panic hook; while dropping there is nobody to tell.
            let _ = worker.join();
        }
    }
}
