//! Pairs as they are made: a worker thread, a bounded channel, a ring that lets each pair be drawn again.
//!
//! The sequence of batches is a pure function of the sequence of pairs and the seed, whatever the
//! timing: before every `reuse`-th draw one new pair enters the ring (waiting for it if need be) and
//! the oldest leaves a full one, and each draw picks a place of the ring from the seeded stream.
//!
//! Memory: the ring holds `ring_pairs` pairs of `2 * height * width * 3` bytes (301 kB at 224 px), the
//! channel at most `channel_pairs` whole pairs with depth (about 1 MB each at 224 px).

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::Receiver;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::rng::Rng;
use crate::view::{PairOverlaps, ViewPair};

/// How pairs become batches.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct StreamConfig {
    /// Pairs kept in memory to draw from; 1 to 1,000,000; default 256 (77 MB at 224 px).
    pub ring_pairs: usize,
    /// Draws for each new pair that enters the ring; 1 to 1,000,000; default 32. 1 is "each pair about once".
    pub reuse: usize,
    /// Pairs that must be in the ring before the first draw; 1 to `ring_pairs`; default 8.
    pub warm_pairs: usize,
    /// Whole pairs that may wait between generator and ring; 1 to 1024; default 4.
    pub channel_pairs: usize,
}

impl Default for StreamConfig {
    fn default() -> Self {
        Self {
            ring_pairs: 256,
            reuse: 32,
            warm_pairs: 8,
            channel_pairs: 4,
        }
    }
}

impl StreamConfig {
    /// Checks every range.
    pub fn validate(&self) -> Result<(), String> {
        let checks = [
            ("ring_pairs", self.ring_pairs, 1, 1_000_000),
            ("reuse", self.reuse, 1, 1_000_000),
            ("warm_pairs", self.warm_pairs, 1, self.ring_pairs),
            ("channel_pairs", self.channel_pairs, 1, 1024),
        ];
        for (name, value, low, high) in checks {
            if !(low..=high).contains(&value) {
                return Err(format!("{name} = {value} must lie in {low} to {high}"));
            }
        }
        Ok(())
    }
}

/// Host bytes of a batch of pairs, ready for any tensor library.
#[derive(Debug, Clone, PartialEq)]
pub struct PairBatch {
    /// First views, `[batch, height, width, 3]` row-major, 8-bit.
    pub first: Vec<u8>,
    /// Second views, same shape.
    pub second: Vec<u8>,
    /// `[batch, height, width, 3]`.
    pub shape: [usize; 4],
    /// Overlaps of each pair, `[batch]`.
    pub overlaps: Vec<PairOverlaps>,
    /// Sample index of each pair, `[batch]`.
    pub indices: Vec<u64>,
}

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

/// Why a stream ended.
#[derive(Debug, thiserror::Error)]
pub enum StreamError<E> {
    /// The generator failed.
    #[error(transparent)]
    Source(E),
    /// The generator ended before the first batch could be drawn.
    #[error("the source ended after {received} pairs, before the {needed} that a first batch needs")]
    TooFewPairs {
        /// Pairs that came.
        received: u64,
        /// `warm_pairs` of the configuration.
        needed: usize,
    },
    /// Two pairs of different size met.
    #[error("a pair of {got:?} pixels came after pairs of {expected:?}: all pairs of a stream have one size")]
    SizeChanged {
        /// Width and height of the pairs before.
        expected: (u32, u32),
        /// Width and height of this one.
        got: (u32, u32),
    },
    /// The worker thread ended by a panic.
    #[error("the thread that makes pairs ended by a panic; its message stands above")]
    WorkerPanicked,
}

/// An endless iterator of batches over a generator that runs in its own thread.
///
/// Once the generator ends, batches go on from the pairs in the ring; dropping the stream stops the
/// generator before its next pair and joins its thread.
#[derive(Debug)]
pub struct PairStream<E> {
    // Dropped before the thread is joined, so that a worker blocked on a full channel wakes up.
    receiver: Option<Receiver<Result<ViewPair, E>>>,
    worker: Option<JoinHandle<()>>,
    stop: Arc<AtomicBool>,
    config: StreamConfig,
    ring: VecDeque<Stored>,
    size: Option<(u32, u32)>,
    rng: Rng,
    stats: StreamStats,
    exhausted: bool,
}

#[derive(Debug)]
struct Stored {
    first: Vec<u8>,
    second: Vec<u8>,
    overlaps: PairOverlaps,
    index: u64,
}

impl<E: Send + 'static> PairStream<E> {
    /// Starts the generator in its own thread. `make` runs there, so the generator itself need not be `Send`.
    ///
    /// `seed` decides the draws; the pairs are the generator's own business.
    pub fn spawn<I>(
        make: impl FnOnce() -> I + Send + 'static,
        config: &StreamConfig,
        seed: u64,
    ) -> std::io::Result<Self>
    where
        I: Iterator<Item = Result<ViewPair, E>>,
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
            size: None,
            rng: Rng::stream(seed, "stream", &[]),
            stats: StreamStats::default(),
            exhausted: false,
        })
    }

    /// The next `batch` pairs, drawn with replacement from the ring as the module head tells.
    pub fn next_batch(&mut self, batch: usize) -> Result<PairBatch, StreamError<E>> {
        while self.ring.len() < self.config.warm_pairs && !self.exhausted {
            self.take_one()?;
        }
        let Some((width, height)) = self.size else {
            return Err(self.too_few());
        };
        if self.stats.pairs_received < self.config.warm_pairs as u64 {
            return Err(self.too_few());
        }
        let bytes = width as usize * height as usize * 3;
        let mut out = PairBatch {
            first: Vec::with_capacity(batch * bytes),
            second: Vec::with_capacity(batch * bytes),
            shape: [batch, height as usize, width as usize, 3],
            overlaps: Vec::with_capacity(batch),
            indices: Vec::with_capacity(batch),
        };
        for _ in 0..batch {
            if self.stats.draws > 0 && self.stats.draws.is_multiple_of(self.config.reuse as u64) && !self.exhausted {
                self.take_one()?;
            }
            let place = self.rng.below(self.ring.len() as u64) as usize;
            let stored = &self.ring[place];
            out.first.extend_from_slice(&stored.first);
            out.second.extend_from_slice(&stored.second);
            out.overlaps.push(stored.overlaps.clone());
            out.indices.push(stored.index);
            self.stats.draws += 1;
        }
        Ok(out)
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

    /// Counters so far.
    pub fn stats(&self) -> StreamStats {
        self.stats
    }

    /// Lets one pair into the ring, waiting for the generator if none is ready.
    fn take_one(&mut self) -> Result<(), StreamError<E>> {
        let Some(receiver) = &self.receiver else {
            return Ok(());
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
                    Ok(())
                };
            }
        };
        let got = pair.first.color.dimensions();
        let expected = *self.size.get_or_insert(got);
        if got != expected || pair.second.color.dimensions() != expected {
            return Err(StreamError::SizeChanged { expected, got });
        }
        if self.ring.len() == self.config.ring_pairs {
            self.ring.pop_front();
        }
        self.ring.push_back(Stored {
            first: pair.first.color.as_raw().clone(),
            second: pair.second.color.as_raw().clone(),
            overlaps: pair.overlaps,
            index: pair.origin.index,
        });
        self.stats.pairs_received += 1;
        Ok(())
    }

    fn too_few(&self) -> StreamError<E> {
        StreamError::TooFewPairs {
            received: self.stats.pairs_received,
            needed: self.config.warm_pairs,
        }
    }
}

impl<E> Drop for PairStream<E> {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.receiver = None;
        if let Some(worker) = self.worker.take() {
            // A panic of the worker was printed by the panic hook; while dropping there is nobody to tell.
            let _ = worker.join();
        }
    }
}
