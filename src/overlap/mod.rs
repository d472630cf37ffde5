//! overlap.
