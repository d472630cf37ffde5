//! The frozen rule that turns a seed into random draws.
//!
//! Every sample owns a stream that depends on `(seed, domain, parts)` alone, never on threads or on
//! what was drawn before it, so any sample can be made again by itself. The conversions from raw
//! 64-bit words are written out here because those of `rand` may change between versions; the
//! golden test below pins them. Changing anything in this file changes every data set.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng as _, SeedableRng};

/// A ChaCha8 stream with frozen conversions.
#[derive(Debug, Clone)]
pub struct Rng(ChaCha8Rng);

impl Rng {
    /// The stream of `(seed, domain, parts)`.
    ///
    /// `domain` names the use ("sweep", "votes", ...), `parts` the sample: scene hash, index and so
    /// on. Distinct arguments give independent streams: the key is a BLAKE3 hash of all of them.
    pub fn stream(seed: u64, domain: &str, parts: &[u64]) -> Self {
        let mut hasher = blake3::Hasher::new_derive_key("covista random stream v1");
        hasher.update(&seed.to_le_bytes());
        hasher.update(&(domain.len() as u64).to_le_bytes());
        hasher.update(domain.as_bytes());
        for part in parts {
            hasher.update(&part.to_le_bytes());
        }
        Self(ChaCha8Rng::from_seed(*hasher.finalize().as_bytes()))
    }

    /// The next raw 64-bit word.
    pub fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    /// Passes over so many words, as drawing them would.
    pub fn skip(&mut self, words: u64) {
        let position = self.0.get_word_pos();
        self.0.set_word_pos(position + 2 * u128::from(words));
    }

    /// Uniform in [0, 1): the top 53 bits of one word times 2^-53.
    pub fn unit(&mut self) -> f64 {
        (self.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
    }

    /// Uniform in [`low`, `high`).
    pub fn range(&mut self, low: f64, high: f64) -> f64 {
        low + (high - low) * self.unit()
    }

    /// Uniform integer in [0, `n`), without bias (Lemire's multiply and reject). `n` must not be 0.
    pub fn below(&mut self, n: u64) -> u64 {
        assert!(n > 0, "cannot draw below 0");
        let threshold = n.wrapping_neg() % n;
        loop {
            let wide = u128::from(self.next_u64()) * u128::from(n);
            if (wide as u64) >= threshold {
                return (wide >> 64) as u64;
            }
        }
    }

    /// One element of a slice that must not be empty.
    pub fn pick<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len() as u64) as usize]
    }

    /// True with probability `p`.
    pub fn chance(&mut self, p: f64) -> bool {
        self.unit() < p
    }

    /// Standard normal draw (Box-Muller, one of the two values, trigonometry of `libm`).
    pub fn normal(&mut self) -> f64 {
        let radius = libm::sqrt(-2.0 * libm::log(1.0 - self.unit()));
        radius * libm::cos(std::f64::consts::TAU * self.unit())
    }

    /// Fisher-Yates shuffle from the last element down.
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i as u64 + 1) as usize);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_differ_by_every_argument() {
        let first = |seed, domain, parts: &[u64]| Rng::stream(seed, domain, parts).next_u64();
        let base = first(1, "sweep", &[2, 3]);
        assert_eq!(base, first(1, "sweep", &[2, 3]));
        for other in [
            first(2, "sweep", &[2, 3]),
            first(1, "votes", &[2, 3]),
            first(1, "sweep", &[3, 2]),
            first(1, "sweep", &[2]),
        ] {
            assert_ne!(base, other);
        }
    }

    #[test]
    fn skipping_is_drawing() {
        for words in [0, 1, 5, 31, 32, 33, 1000] {
            let (mut drawn, mut skipped) = (Rng::stream(1, "test", &[]), Rng::stream(1, "test", &[]));
            assert_eq!(drawn.next_u64(), skipped.next_u64());
            for _ in 0..words {
                drawn.next_u64();
            }
            skipped.skip(words);
            assert_eq!(drawn.next_u64(), skipped.next_u64());
        }
    }

    #[test]
    fn draws_are_frozen() {
        let mut rng = Rng::stream(7, "golden", &[1, 2, 3]);
        assert_eq!(
            [rng.next_u64(), rng.next_u64()],
            [644_441_862_196_034_173, 2_506_491_984_604_873_821]
        );
        assert_eq!(rng.unit().to_bits(), 4_605_218_860_910_629_307);
        assert_eq!(rng.range(-2.0, 5.0).to_bits(), 4_616_955_223_705_366_089);
        assert_eq!(
            [rng.below(10), rng.below(1_000_003), rng.below(u64::MAX)],
            [4, 195_500, 6_217_924_992_323_847_343]
        );
        assert_eq!(rng.normal().to_bits(), 4_611_841_478_544_363_813);
        let mut items: Vec<u8> = (0..10).collect();
        rng.shuffle(&mut items);
        assert_eq!(items, [4, 2, 3, 0, 8, 1, 7, 9, 5, 6]);
    }

    #[test]
    fn below_is_even() {
        let mut rng = Rng::stream(0, "test", &[]);
        let mut counts = [0u32; 7];
        for _ in 0..70_000 {
            counts[rng.below(7) as usize] += 1;
        }
        // Six degrees of freedom: 22.5 is the 99.9th percentile.
        let chi2: f64 = counts.iter().map(|&c| (f64::from(c) - 1e4).powi(2) / 1e4).sum();
        assert!(chi2 < 22.5, "chi-square {chi2}");
    }

    #[test]
    fn shuffle_keeps_every_item() {
        let mut items: Vec<u32> = (0..100).collect();
        Rng::stream(5, "test", &[]).shuffle(&mut items);
        assert_ne!(items, (0..100).collect::<Vec<_>>());
        items.sort_unstable();
        assert_eq!(items, (0..100).collect::<Vec<_>>());
    }
}
