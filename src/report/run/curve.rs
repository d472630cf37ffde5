//! A log of any length in bounded memory.

/// Buckets that a curve may have before neighbours are merged; a page is a few hundred pixels wide.
const MOST: usize = 2048;

/// Sums over neighbouring updates.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Bucket {
    /// Updates in it.
    pub count: u64,
    step: f64,
    loss: f64,
    lr: f64,
    grad_norm: f64,
    /// Updates whose norm is a number.
    norms: u64,
    /// Pairs trained on.
    pub pairs: f64,
    /// Wall time, s.
    pub seconds: f64,
    /// Wall time spent waiting for the stream, s.
    pub waited: f64,
}

impl Bucket {
    /// One update: its number, loss, learning rate, gradient norm (not a number where there is none), pairs, wall time and the share of it spent
    /// waiting.
    pub fn of([step, loss, lr, grad_norm, pairs, seconds, data_wait]: [f64; 7]) -> Self {
        Self {
            count: 1,
            step,
            loss,
            lr,
            grad_norm: if grad_norm.is_finite() { grad_norm } else { 0.0 },
            norms: u64::from(grad_norm.is_finite()),
            pairs,
            seconds,
            waited: data_wait * seconds,
        }
    }

    fn add(&mut self, other: &Self) {
        self.count += other.count;
        self.step += other.step;
        self.loss += other.loss;
        self.lr += other.lr;
        self.grad_norm += other.grad_norm;
        self.norms += other.norms;
        self.pairs += other.pairs;
        self.seconds += other.seconds;
        self.waited += other.waited;
    }

    fn mean(&self, sum: f64) -> f64 {
        sum / self.count.max(1) as f64
    }

    /// Mean number of its updates.
    pub fn step(&self) -> f64 {
        self.mean(self.step)
    }

    /// Mean loss.
    pub fn loss(&self) -> f64 {
        self.mean(self.loss)
    }

    /// Mean learning rate.
    pub fn lr(&self) -> f64 {
        self.mean(self.lr)
    }

    /// Mean gradient norm of the updates where it is a number.
    pub fn grad_norm(&self) -> f64 {
        self.grad_norm / self.norms.max(1) as f64
    }

    /// Pairs over wall time, 1/s.
    pub fn pairs_per_s(&self) -> f64 {
        self.pairs / self.seconds.max(1e-9)
    }

    /// Share of the wall time spent waiting, in [0, 1].
    pub fn data_wait(&self) -> f64 {
        self.waited / self.seconds.max(1e-9)
    }
}

/// The updates of a run in at most 2048 buckets of equally many.
#[derive(Debug, Clone, PartialEq)]
pub struct Curve {
    buckets: Vec<Bucket>,
    stride: u64,
    total: Bucket,
}

impl Default for Curve {
    fn default() -> Self {
        Self {
            buckets: Vec::new(),
            stride: 1,
            total: Bucket::default(),
        }
    }
}

impl Curve {
    /// Adds the next update.
    pub fn add(&mut self, update: &Bucket) {
        self.total.add(update);
        match self.buckets.last_mut() {
            Some(last) if last.count < self.stride => last.add(update),
            _ => self.buckets.push(*update),
        }
        if self.buckets.len() > MOST {
            self.stride *= 2;
            let merged = self.buckets.chunks(2).map(|pair| {
                let mut sum = pair[0];
                pair[1..].iter().for_each(|next| sum.add(next));
                sum
            });
            self.buckets = merged.collect();
        }
    }

    /// Neighbouring updates together, in order.
    pub fn buckets(&self) -> &[Bucket] {
        &self.buckets
    }

    /// All updates together.
    pub fn total(&self) -> &Bucket {
        &self.total
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_keeps_its_sums_in_few_buckets() {
        let mut curve = Curve::default();
        for step in 0..50_000 {
            let step = f64::from(step);
            curve.add(&Bucket::of([step, step * 2.0, 1.0, 0.5, 8.0, 0.25, 0.1]));
        }
        assert!(curve.buckets().len() <= MOST && curve.buckets().len() > MOST / 3);
        assert_eq!(curve.total().count, 50_000);
        assert_eq!(curve.buckets().iter().map(|b| b.count).sum::<u64>(), 50_000);
        for bucket in curve.buckets() {
            assert!((bucket.loss() - 2.0 * bucket.step()).abs() < 1e-6);
            assert!((bucket.pairs_per_s() - 32.0).abs() < 1e-9 && (bucket.data_wait() - 0.1).abs() < 1e-9);
        }
        assert!(curve.buckets().windows(2).all(|pair| pair[0].step() < pair[1].step()));
    }
}
