//! How far two sets of SIFT features agree.

use covista::features::sift::{Descriptor, Features, Keypoint};

/// Length of a descriptor.
pub const LENGTH: f64 = 512.0;

/// Agreement summed over pictures.
#[derive(Debug, Clone, Default)]
pub struct Agreement {
    /// Keypoints of ours, and of theirs.
    pub counts: (usize, usize),
    /// Theirs that ours hold: within 0.5 px, 5 % of scale and 5 degrees.
    pub found: usize,
    /// Theirs that ours hold to the last bit.
    pub identical_keypoints: usize,
    /// Distance of the nearest descriptor among ours that agree in place, sorted by [`Agreement::sorted`].
    pub distances: Vec<f64>,
    /// Descriptors without any difference, and with none above 1.
    pub identical: usize,
    pub within_one: usize,
}

/// Whether two keypoints are the same for the acceptance figures.
pub fn agree(a: &Keypoint, b: &Keypoint) -> bool {
    let turn = (a.angle_deg - b.angle_deg).rem_euclid(360.0);
    (a.x - b.x).hypot(a.y - b.y) < 0.5 && (a.size / b.size - 1.0).abs() < 0.05 && turn.min(360.0 - turn) < 5.0
}

fn distance(a: &Descriptor, b: &Descriptor) -> f64 {
    a.iter()
        .zip(b)
        .map(|(&a, &b)| f64::from(a.abs_diff(b)).powi(2))
        .sum::<f64>()
        .sqrt()
}

impl Agreement {
    /// Adds a picture. `theirs` may be a part of their keypoints, of `their_count` in all.
    pub fn add(&mut self, ours: &Features, theirs: &Features, their_count: usize) {
        self.counts.0 += ours.keypoints.len();
        self.counts.1 += their_count;
        // Ours are sorted by x.
        let from = |x: f32| ours.keypoints.partition_point(|k| k.x < x);
        for (keypoint, descriptor) in theirs.keypoints.iter().zip(&theirs.descriptors) {
            let near: Vec<usize> = (from(keypoint.x - 0.5)..from(keypoint.x + 0.5))
                .filter(|&i| agree(&ours.keypoints[i], keypoint))
                .collect();
            let nearest = near.iter().min_by(|&&i, &&j| {
                distance(&ours.descriptors[i], descriptor).total_cmp(&distance(&ours.descriptors[j], descriptor))
            });
            let Some(&nearest) = nearest else { continue };
            self.found += 1;
            self.identical_keypoints += usize::from(near.iter().any(|&i| ours.keypoints[i] == *keypoint));
            let ours = &ours.descriptors[nearest];
            self.distances.push(distance(ours, descriptor));
            self.identical += usize::from(ours == descriptor);
            self.within_one += usize::from(ours.iter().zip(descriptor).all(|(a, b)| a.abs_diff(*b) <= 1));
        }
    }

    /// Distance that a share of the descriptors stays below.
    pub fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.distances.clone();
        sorted.sort_by(f64::total_cmp);
        sorted
            .get((share * sorted.len() as f64) as usize)
            .or(sorted.last())
            .copied()
            .unwrap_or(0.0)
    }

    /// One line of figures; `compared` is how many of their keypoints were looked for.
    pub fn report(&self, name: &str, compared: usize) -> String {
        let percent = |n: usize| 100.0 * n as f64 / compared.max(1) as f64;
        format!(
            "{name:24} {:6} keypoints, theirs {:6}; found {:.2} % of {compared}, bit-identical {:.1} %; descriptors \
             identical {:.1} %, within 1 {:.1} %, distance median {:.2} 90 % {:.2} 99 % {:.2} (of {LENGTH})",
            self.counts.0,
            self.counts.1,
            percent(self.found),
            percent(self.identical_keypoints),
            percent(self.identical),
            percent(self.within_one),
            self.quantile(0.5),
            self.quantile(0.9),
            self.quantile(0.99)
        )
    }
}

/// Features as scripts/fidelity and make.py write them: a count, then x, y, size, angle, response (f32) and octave
/// (i32) of each, then 128 bytes of each; little endian.
pub fn read_sift(bytes: &[u8]) -> Features {
    let word = |i: usize| <[u8; 4]>::try_from(&bytes[4 * i..4 * i + 4]).unwrap();
    let n = u32::from_le_bytes(word(0)) as usize;
    let float = |i| f32::from_le_bytes(word(i));
    let keypoints = (0..n)
        .map(|k| 1 + 6 * k)
        .map(|i| Keypoint {
            x: float(i),
            y: float(i + 1),
            size: float(i + 2),
            angle_deg: float(i + 3),
            response: float(i + 4),
            octave: i32::from_le_bytes(word(i + 5)),
        })
        .collect();
    let descriptors = bytes[4 + 24 * n..]
        .chunks_exact(128)
        .map(|d| Descriptor::try_from(d).unwrap())
        .collect();
    Features { keypoints, descriptors }
}
