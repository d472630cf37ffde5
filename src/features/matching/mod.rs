//! Brute-force nearest neighbours of descriptors, with the ratio test.
//!
//! Distances are exact integers: `descriptor_set` lays the descriptors out, `nearest` finds the two
//! nearest in the best way that the machine offers (8-bit dot products where there are any), and
//! `ratio_test` decides.

mod descriptor_set;
mod nearest;
mod ratio_test;

pub use descriptor_set::DescriptorSet;
pub use ratio_test::{Match, match_descriptors};
