//! Reads one TOML into the configs that the modules declare.
