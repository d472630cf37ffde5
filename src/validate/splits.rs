//! Named bins that split the pairs by what may make the metric fail.

use super::row::PairRow;
use super::table::ROTATION_ONLY_M;

/// One way to split.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    /// Key in JSON.
    pub key: &'static str,
    /// Headline.
    pub title: &'static str,
    /// What is measured.
    pub says: &'static str,
    /// Names of the bins, ascending.
    pub bins: &'static [&'static str],
    /// The value that is binned; `None` leaves the pair out. The second argument is the place of the metric.
    value: fn(&PairRow, usize) -> Option<f64>,
    /// Lower ends of the second bin and those after it.
    edges: &'static [f64],
}

impl Split {
    /// The bin of a pair.
    pub fn bin(&self, row: &PairRow, metric: usize) -> Option<usize> {
        let value = (self.value)(row, metric)?;
        Some(self.edges.iter().take_while(|edge| value >= **edge).count())
    }
}

/// All splits by a number; the split by scene has a bin a scene.
pub const SPLITS: &[Split] = &[
    Split {
        key: "parallax",
        title: "Parallax",
        says: "mean angle between the rays to common points",
        bins: &["below 5°", "5° to 10°", "10° to 20°", "20° and more"],
        value: |row, _| row.truth.angle_deg,
        edges: &[5.0, 10.0, 20.0],
    },
    Split {
        key: "planarity",
        title: "Planarity",
        says: "largest share of the common surface in one plane",
        bins: &["below 0.4", "0.4 to 0.6", "0.6 to 0.8", "0.8 and more"],
        value: |row, _| row.truth.planarity,
        edges: &[0.4, 0.6, 0.8],
    },
    Split {
        key: "translation",
        title: "Translation",
        says: "distance of the eyes; below 5 cm the views differ by a rotation alone",
        bins: &["rotation only", "5 cm to 0.5 m", "0.5 to 1 m", "1 m and more"],
        value: |row, _| Some(row.truth.baseline_m),
        edges: &[ROTATION_ONLY_M, 0.5, 1.0],
    },
    Split {
        key: "occlusion",
        title: "Occlusion",
        says: "share of pixels that project into the other view and are hidden there, larger direction",
        bins: &["below 2 %", "2 to 5 %", "5 to 15 %", "15 % and more"],
        value: |row, _| Some(row.truth.hidden.first_to_second.max(row.truth.hidden.second_to_first)),
        edges: &[0.02, 0.05, 0.15],
    },
    Split {
        key: "distance",
        title: "Distance",
        says: "mean depth of the common surface",
        bins: &["below 1.5 m", "1.5 to 2.5 m", "2.5 to 4 m", "4 m and more"],
        value: |row, _| row.truth.mean_depth_m,
        edges: &[1.5, 2.5, 4.0],
    },
    Split {
        key: "texture",
        title: "Texture",
        says: "smaller variance of the Laplacian of the two views; the released code asks for 1000",
        bins: &["below 500", "500 to 1000", "1000 to 2000", "2000 and more"],
        value: |row, _| Some(row.texture[0].min(row.texture[1])),
        edges: &[500.0, 1000.0, 2000.0],
    },
    Split {
        key: "inliers",
        title: "Inliers",
        says: "matches that agree with the homography",
        bins: &["below 10", "10 to 19", "20 to 49", "50 and more"],
        value: |row, metric| row.readings[metric].inliers.map(f64::from),
        edges: &[10.0, 20.0, 50.0],
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bin_has_a_name() {
        for split in SPLITS {
            assert_eq!(split.bins.len(), split.edges.len() + 1, "{}", split.key);
            assert!(split.edges.windows(2).all(|w| w[0] < w[1]), "{}", split.key);
        }
    }
}
