//! navmesh.
