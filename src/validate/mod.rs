//! A metric of overlap held against what geometry knows.
//!
//! [`Measurement`] measures every candidate pair of a position by geometry and by any number of
//! image-only metrics; a [`Table`] of such pairs, to which [`Table::add_external`] adds anybody's
//! numbers, gives a [`Summary`]: correlations, the filter's precision and recall, curves, patch
//! accuracy, all of it split by what may make a metric fail, with bootstrap resamples of whole positions.

mod causes;
mod csv;
mod error;
mod external;
mod figures;
mod measure;
mod partners;
mod plan;
mod row;
mod splits;
pub mod stats;
mod summary;
pub mod table;
mod worst;

pub use causes::{Cause, CauseCounts, Causes, Terms, main_cause, terms};
pub use csv::push_line;
pub use error::TableError;
pub use external::same_position;
pub use figures::{Contest, FIGURES, FigureKey, FigureName, Figures, HALF, TruthKind};
pub use measure::{JudgedMetric, MeasuredPair, Measurement, PositionKey};
pub use partners::score_partners;
pub use plan::{PartnerRow, Plan, PlannedPosition, PlannedScene, parse_partners, partner_lines, plan_lines};
pub use row::{MetricRule, PairKey, PairRow, PartnerScore, Pose, Reading, Table, Truth, mark_chosen};
pub use splits::{SPLITS, Split};
pub use summary::{
    BinSummary, CALIBRATION_BINS, CommonFigures, CommonSummary, KEPT, MetricSummary, RESAMPLES, SplitSummary, Summary,
    TruthSummary,
};
pub use worst::{Blunder, Found, Worst};
