//! Positions that are made before they are asked for, each in a thread of its own.
//!
//! A position waits for the device twice, for its pictures and for the back faces of the pair that it would keep, and
//! some of its steps keep one core busy. With several under way there is work for every core meanwhile.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvError, Sender, TryRecvError};

use super::Position;
use super::composer::{Composer, InFlight};
use crate::render::RenderError;

/// Threads that positions are made in. They stay while it lives: what libraries keep of a thread they keep for good.
pub(super) struct Crew {
    jobs: Sender<Box<dyn FnOnce() + Send>>,
}

impl Crew {
    /// Starts so many threads. They end after it is dropped, and nobody waits for that.
    pub fn new(threads: usize) -> Result<Self, RenderError> {
        let (jobs, asked) = crossbeam_channel::unbounded::<Box<dyn FnOnce() + Send>>();
        for _ in 0..threads {
            let asked = asked.clone();
            let work = move || asked.into_iter().for_each(|job| job());
            let thread = std::thread::Builder::new().name("covista-position".to_owned());
            thread.spawn(work).map_err(|error| RenderError::Device {
                action: "starting the threads that compare views",
                reason: error.to_string(),
            })?;
        }
        Ok(Self { jobs })
    }

    /// Has `work` done; what comes of it, or its panic, is received.
    fn ask<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Receiver<std::thread::Result<T>> {
        let (sender, receiver) = crossbeam_channel::bounded(1);
        let job = move || {
            // All that `work` holds is let go before anybody hears of it, or who waits for that too.
            let done = catch_unwind(AssertUnwindSafe(work));
            let _ = sender.send(done);
        };
        // Where no thread is left the receiver hears of it.
        let _ = self.jobs.send(Box::new(job));
        receiver
    }
}

/// A position under way. Dropping it gives it up and waits until its thread has let go of the device.
pub(super) struct Ahead {
    made: Made,
    given_up: Arc<AtomicBool>,
}

/// What is known of a position.
enum Made {
    /// It is being made.
    Soon(Receiver<std::thread::Result<Result<Position, RenderError>>>),
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
    pub fn begin(crew: &Crew, composer: &Arc<Composer>, index: u64) -> Self {
        let given_up = Arc::<AtomicBool>::default();
        let finish = |in_flight: InFlight| {
            let (composer, told) = (Arc::clone(composer), Arc::clone(&given_up));
            Made::Soon(crew.ask(move || composer.finish(in_flight, &told)))
        };
        let made = composer.start(index).map_or_else(Made::Never, finish);
        Self { made, given_up }
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
            Made::Soon(coming) => match received(&coming) {
                Ok(Ok(position)) => position,
                Ok(Err(panic)) => resume_unwind(panic),
                Err(_) => Err(unmade("its thread has ended")),
            },
            Made::Never(error) => Err(error),
            Made::Told => Err(unmade("it was waited for before")),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.give_up();
        if let Made::Soon(coming) = &self.made {
            // A panic in what nobody wants any more is of no account.
            let _ = received(coming);
        }
    }
}

fn unmade(why: &str) -> RenderError {
    RenderError::Device {
        action: "waiting for the comparison of views",
        reason: why.to_owned(),
    }
}

/// Waits for work that spreads over rayon's pool: a thread of the pool takes part meanwhile, for nobody else may be left to
/// do it.
fn received<T>(coming: &Receiver<T>) -> Result<T, RecvError> {
    while rayon::current_thread_index().is_some() {
        match coming.try_recv() {
            Ok(done) => return Ok(done),
            Err(TryRecvError::Disconnected) => return Err(RecvError),
            Err(TryRecvError::Empty) => {}
        }
        if rayon::yield_now() != Some(rayon::Yield::Executed) {
            std::thread::sleep(Duration::from_micros(200));
        }
    }
    coming.recv()
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
            let crew = Crew::new(1).unwrap();
            let spread = move || inner.install(|| (0..1000_u64).into_par_iter().sum::<u64>());
            sender.send(received(&crew.ask(spread)).unwrap().unwrap()).unwrap();
        });
        assert_eq!(waited.recv_timeout(Duration::from_secs(60)), Ok(499_500));
    }

    #[test]
    fn a_panic_costs_its_own_work_alone() {
        let crew = Crew::new(1).unwrap();
        let (held, watch) = (Arc::new(3), Arc::new(()));
        let inside = Arc::clone(&watch);
        let broken = crew.ask(move || {
            let _inside = inside;
            panic!("broken");
        });
        let whole = crew.ask(move || *held);
        let panic: Result<(), _> = received(&broken).unwrap();
        assert_eq!(*panic.unwrap_err().downcast::<&str>().unwrap(), "broken");
        // What it held was let go before it was told.
        assert_eq!(Arc::strong_count(&watch), 1);
        assert_eq!(received(&whole).unwrap().unwrap(), 3);
    }
}
