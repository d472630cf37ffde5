//! CPU and wall seconds of what the commands measure.

use std::time::Instant;

use cpu_time::ProcessTime;
use serde::{Deserialize, Serialize};

/// Seconds that something took.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Spent {
    /// User and system time of all threads of this process, seconds.
    pub cpu_s: f64,
    /// Time on the wall, seconds.
    pub wall_s: f64,
}

/// A stretch of time that has begun.
pub struct Clock {
    cpu: ProcessTime,
    wall: Instant,
}

impl Clock {
    /// From now on.
    pub fn start() -> Self {
        Self {
            cpu: ProcessTime::now(),
            wall: Instant::now(),
        }
    }

    /// Up to now.
    pub fn spent(&self) -> Spent {
        Spent {
            cpu_s: self.cpu.elapsed().as_secs_f64(),
            wall_s: self.wall.elapsed().as_secs_f64(),
        }
    }
}

impl Spent {
    /// Runs `work` and adds what it took.
    pub fn time<T>(&mut self, work: impl FnOnce() -> T) -> T {
        let clock = Clock::start();
        let result = work();
        let spent = clock.spent();
        self.cpu_s += spent.cpu_s;
        self.wall_s += spent.wall_s;
        result
    }

    /// The share of one of `parts` equal parts.
    pub fn per(self, parts: u64) -> Self {
        let parts = parts.max(1) as f64;
        Self {
            cpu_s: self.cpu_s / parts,
            wall_s: self.wall_s / parts,
        }
    }
}
