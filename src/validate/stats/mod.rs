//! Statistics of weighted samples. A weight counts how often a value is in the sample, so that a bootstrap
//! resample is the same values with other weights, and nothing is sorted twice.

mod bootstrap;
mod correlation;
mod ranking;

pub use bootstrap::{Spread, resample_weights};
pub use correlation::{ascending, mean, pearson, spearman};
pub use ranking::{Curves, Ranking};
