//! What can be wrong with a table of pairs.

/// A table that cannot be judged.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum TableError {
    /// The text is not comma-separated.
    #[error("line {line}: {what}")]
    Text {
        /// Line number, from 1.
        line: usize,
        /// What is wrong.
        what: String,
    },
    /// A column is missing from the first line.
    #[error("the column {column:?} is missing; there are: {found}")]
    Column {
        /// Its name.
        column: String,
        /// The columns that are there.
        found: String,
    },
    /// A cell does not hold what its column should.
    #[error("line {line}: {column} = {value:?} {why}")]
    Cell {
        /// Line number, from 1.
        line: usize,
        /// The column.
        column: String,
        /// What stands there.
        value: String,
        /// What it should be.
        why: &'static str,
    },
    /// A pair is listed twice.
    #[error("line {line}: the pair {key} stands there a second time{of}")]
    Duplicate {
        /// Line number of the second one, from 1.
        line: usize,
        /// The pair.
        key: String,
        /// Of which metric, where there are several.
        of: String,
    },
    /// A pair that the plan does not have.
    #[error("line {line}: the pair {key} is not in the plan; take the keys from plan.csv as they are")]
    Unknown {
        /// Line number, from 1.
        line: usize,
        /// The pair.
        key: String,
    },
    /// Pairs of the plan without a number.
    #[error(
        "{count} of {all} pairs of the plan are missing{of}, the first is {key}; give every pair of plan.csv a line, \
         and leave its overlap empty where the metric has no answer"
    )]
    Missing {
        /// How many.
        count: usize,
        /// Pairs of the plan.
        all: usize,
        /// The first of them.
        key: String,
        /// Of which metric, where there are several.
        of: String,
    },
    /// There is no pair at all.
    #[error("there is no pair in the table")]
    Empty,
}
