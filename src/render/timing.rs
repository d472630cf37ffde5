//! Where a renderer's time goes, for `covista bench render`. Nothing else reads it.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// Time spent by the calling threads since the renderer was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Timings {
    /// Choosing the clusters that each camera may see.
    pub cull: Duration,
    /// Recording and submitting commands, culling not included.
    pub record: Duration,
    /// Waiting for the device to finish drawing and copying.
    pub draw: Duration,
    /// Turning mapped memory into views.
    pub readback: Duration,
}

/// The running sums behind [`Timings`], nanoseconds.
#[derive(Debug, Default)]
pub(super) struct Stopwatch {
    cull: AtomicU64,
    record: AtomicU64,
    draw: AtomicU64,
    readback: AtomicU64,
    /// Bytes, unlike the others.
    bytes: AtomicU64,
}

/// A step that is timed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Cull,
    Record,
    Draw,
    Readback,
}

impl Stopwatch {
    /// Runs `work` and adds its time to `step`.
    pub fn time<T>(&self, step: Step, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        let spent = start.elapsed().as_nanos() as u64;
        self.sum(step).fetch_add(spent, Ordering::Relaxed);
        result
    }

    /// Counts bytes that travelled to the host.
    pub fn count_bytes(&self, bytes: u64) {
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
    }

    /// Bytes that travelled to the host.
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    fn sum(&self, step: Step) -> &AtomicU64 {
        match step {
            Step::Cull => &self.cull,
            Step::Record => &self.record,
            Step::Draw => &self.draw,
            Step::Readback => &self.readback,
        }
    }

    pub fn read(&self) -> Timings {
        let of = |step| Duration::from_nanos(self.sum(step).load(Ordering::Relaxed));
        Timings {
            cull: of(Step::Cull),
            record: of(Step::Record),
            draw: of(Step::Draw),
            readback: of(Step::Readback),
        }
    }
}
