//! Furniture and small things. Each function builds one piece in its own frame: origin on the floor
//! in the middle of the piece's back edge, x right, y up, z to the front.

mod beds;
mod clutter;
mod decor;
mod kitchen;
mod maker;
mod seats;
mod storage;
mod tables;
mod wet;

pub(super) use beds::{bed, nightstand};
pub(super) use clutter::{books_upright, scatter, still_things, toys};
pub(super) use decor::{ceiling_lamp, clock, floor_lamp, framed_picture, plant, rug, table_lamp};
pub(super) use kitchen::{fridge, kitchen_run, wall_cabinets};
pub(super) use maker::Maker;
pub(super) use seats::{armchair, chair, pouf, sofa};
pub(super) use storage::{bookcase, coat_rack, dresser, media_unit, wall_shelf, wardrobe};
pub(super) use tables::{coffee_table, desk, dining_table, side_table};
pub(super) use wet::{basin, bath_tub, hamper, mirror, shower_shelf, toilet, towels, washing_machine};
