//! Positions that are made before they are asked for, each in a thread of its own.
//!
//! A position waits for the device twice, for its pictures and for the back faces of the pair that it would keep, and
//! some of its steps keep one core busy. With several under way there is work for every core meanwhile.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use super::Position;
use super::composer::{Composer, InFlight};
use crate::render::RenderError;

/// A position under way. Dropping it gives it up and waits until its thread has let go of the device.
pub(super) struct Ahead {
    thread: Option<JoinHandle<Result<Position, RenderError>>>,
    given_up: Arc<AtomicBool>,
}

impl Ahead {
    /// Positions that are begun before they are asked for, at most, for pictures of so many pixels: a software adapter
    /// of two cores is kept busy by four, and large pictures must not fill the memory.
    pub fn most(pixels: u64) -> usize {
        if pixels <= 256 * 256 { 4 } else { 2 }
    }

    /// Goes on with a position whose pictures were asked for.
    pub fn spawn(composer: &Arc<Composer>, in_flight: InFlight) -> Result<Self, RenderError> {
        let (composer, given_up) = (Arc::clone(composer), Arc::<AtomicBool>::default());
        let told = Arc::clone(&given_up);
        let thread = std::thread::Builder::new()
            .name("covista-position".to_owned())
            .spawn(move || composer.finish(in_flight, &told))
            .map_err(|error| RenderError::Device {
                action: "starting the thread that compares views",
                reason: error.to_string(),
            })?;
        Ok(Self {
            thread: Some(thread),
            given_up,
        })
    }

    /// Says that nobody wants it any more.
    pub fn give_up(&self) {
        self.given_up.store(true, Ordering::Relaxed);
    }

    /// The position, once it is made.
    pub fn wait(mut self) -> Result<Position, RenderError> {
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(position)) => position,
            Some(Err(panic)) => std::panic::resume_unwind(panic),
            None => Err(RenderError::Device {
                action: "waiting for the comparison of views",
                reason: "it was waited for before".to_owned(),
            }),
        }
    }
}

impl Drop for Ahead {
    fn drop(&mut self) {
        self.give_up();
        if let Some(thread) = self.thread.take() {
            // A panic in what nobody wants any more is of no account.
            let _ = thread.join();
        }
    }
}
