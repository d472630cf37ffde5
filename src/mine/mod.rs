//! Pairs from pictures that exist: frames of videos, and groups of pictures of one place.
//!
//! A [`Clip`] gives frames in order, from a folder or a video file; [`mine_clip`] pairs them by a [`VideoRule`].
//! [`Groups`] gathers pictures by a key in their names; [`mine_groups`] pairs those of a group. Both judge
//! candidates with [`crate::select`] and hand each [`Trial`] on as it is done, in an order that depends on nothing
//! but the input: names are compared by their numbers, draws come from the seed. Pictures are held a few at a time.
//!
//! Where depth and poses lie beside the frames (`covista walk`), pairs carry them, and the filter is held against
//! the truth ([`Tally`]).

mod clip;
mod error;
mod ffmpeg;
mod frame;
mod geometry;
mod groups;
mod judge;
mod list;
mod picture;
mod rule;
mod speed;
mod tally;
mod video;

pub use clip::Clip;
pub use error::MineError;
pub use frame::{Prepare, Turn};
pub use groups::{Groups, KeepOfGroup, mine_groups};
pub use judge::{Judged, MineRule, Outcome, Trial};
pub use list::{list_pictures, natural_order, walk_pictures};
pub use picture::{PictureError, read_picture, read_working_picture};
pub use rule::{Interval, Pairing, VideoRule, VideoRuleName};
pub use speed::Speed;
pub use tally::{Tally, TruthTally, Unreadable};
pub use video::{measure_speed, mine_clip};
