//! Positions that are made before they are asked for, each in a thread of its own.
//!
//! A position waits for the device twice, for its pictures and for the back faces of the pair that it would keep, and
//! some of its steps keep one core busy. With several under way there is work for every core meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::Position;
use super::composer::{Composer, InFlight};
use crate::render::RenderError;

/// A position under way. Dropping it gives it up and waits until its thread has let go of the device.
pub(super) struct Ahead {
    made: Made,
    given_up: Arc<AtomicBool>,
}

/// What is known of a position.
enum Made {
    /// It is being made.
    Soon(JoinHandle<Result<Position, RenderError>>),
    /// It could not be begun.
    Never(RenderError),
    /// Whoever waited has it.
    Told,
}

impl Ahead {
    /// Positions that are begun before they are asked for, at most, for pictures of so many pixels: a software adapter
    /// of two cores is kept busy by four, and large pictures, of which a position has 24, must not fill the memory.
    pub fn most(pixels: u64) -> usize {
        match pixels {
            0..=65_536 => 4,
            65_537..=262_144 => 2,
            _ => 1,
        }
    }

    /// Begins the position of an index. Where it cannot be begun the error waits for its turn, as a position would: what
    /// was begun before it is still made.
    pub fn begin(composer: &Arc<Composer>, index: u64) -> Self {
        let given_up = Arc::<AtomicBool>::default();
        let begun = composer
            .start(index)
            .and_then(|in_flight| Self::spawn(composer, in_flight, Arc::clone(&given_up)));
        let made = begun.map_or_else(Made::Never, Made::Soon);
        Self { made, given_up }
    }

    /// Goes on with a position whose pictures were asked for.
    fn spawn(
        composer: &Arc<Composer>,
        in_flight: InFlight,
        given_up: Arc<AtomicBool>,
    ) -> Result<JoinHandle<Result<Position, RenderError>>, RenderError> {
        let composer = Arc::clone(composer);
        std::thread::Builder::new()
            .name("covista-position".to_owned())
            .spawn(move || composer.finish(in_flight, &given_up))
            .map_err(|error| RenderError::Device {
                action: "starting the thread that compares views",
                reason: error.to_string(),
            })
    }

    /// Whether it could not even be begun.
    pub fn is_refused(&self) -> bool {
        matches!(self.made, Made::Never(_))
    }

    /// Says that nobody wants it any more.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// The position, once it is made.
    pub fn wait(mut self) -> Result<Position, RenderError> {
        match std::mem::replace(&mut self.made, Made::Told) {
            Made::Soon(thread) => joined(thread).unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
            Made::Never(error) => Err(error),
            Made::Told => Err(RenderError::Device {
                action: "waiting for the comparison of views",
                reason: "it was waited for before".to_owned(),
            }),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.give_up();
        if let Made::Soon(thread) = std::mem::replace(&mut self.made, Made::Told) {
            // A panic in what nobody wants any more is of no account.
            let _ = joined(thread);
        }
    }
}

/// Waits for a thread whose work spreads over rayon's pool: a thread of the pool takes part meanwhile, for nobody else may
/// be left to do it.
fn joined<T>(thread: JoinHandle<T>) -> std::thread::Result<T> {
    while rayon::current_thread_index().is_some() && !thread.is_finished() {
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    thread.join()
}

#[cfg(test)]
mod tests {
    use rayon::prelude::*;

    use super::*;

    #[test]
    fn the_only_thread_of_a_pool_may_wait() {
        let pool = Arc::new(rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap());
        let inner = Arc::clone(&pool);
        let (sender, waited) = std::sync::mpsc::channel();
        pool.spawn(move || {
            let spread = move || inner.install(|| (0..1000_u64).into_par_iter().sum::<u64>());
            sender.send(joined(std::thread::spawn(spread)).unwrap()).unwrap();
        });
        assert_eq!(waited.recv_timeout(Duration::from_secs(60)), Ok(499_500));
    }
}
