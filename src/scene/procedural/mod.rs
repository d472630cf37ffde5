//! A furnished flat from a seed.
