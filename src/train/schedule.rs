//! Learning rate: linear warm-up, then half a cosine, set anew at every update.

use super::config::TrainConfig;

/// Learning rate by update.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Schedule {
    /// Rate at the end of the warm-up.
    pub peak: f64,
    /// Rate at the end of the cosine.
    pub floor: f64,
    /// Updates of linear warm-up, not necessarily whole.
    pub warmup: f64,
    /// Updates from the first to the end of the cosine.
    pub horizon: f64,
}

impl Schedule {
    /// The schedule of a run.
    pub fn new(config: &TrainConfig) -> Self {
        let horizon = config.horizon() as f64;
        Self {
            peak: config.peak_lr(),
            floor: config.min_lr,
            warmup: config.warmup_fraction * horizon,
            horizon,
        }
    }

    /// Rate of update `step`, counted from 0 (whose rate is 0 when there is a warm-up, as published).
    pub fn rate(&self, step: u64) -> f64 {
        let at = step as f64;
        if at < self.warmup {
            return self.peak * at / self.warmup;
        }
        let progress = ((at - self.warmup) / (self.horizon - self.warmup).max(1.0)).min(1.0);
        self.floor + (self.peak - self.floor) * 0.5 * (1.0 + libm::cos(std::f64::consts::PI * progress))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn corners_of_the_published_schedule() {
        let schedule = Schedule {
            peak: 1.5e-4,
            floor: 0.0,
            warmup: 40.0,
            horizon: 800.0,
        };
        let close = |step, want: f64| assert!((schedule.rate(step) - want).abs() < 1e-15, "step {step}");
        close(0, 0.0);
        close(20, 0.75e-4);
        close(40, 1.5e-4);
        close(420, 0.75e-4);
        close(800, 0.0);
        close(900, 0.0);
    }

    #[test]
    fn no_warmup_starts_at_the_peak() {
        let config = TrainConfig {
            warmup_fraction: 0.0,
            ..Default::default()
        };
        assert_eq!(Schedule::new(&config).rate(0), config.peak_lr());
    }
}
