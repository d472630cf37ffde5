//! Weights of other programs, in and out.
//!
//! [`Checkpoint::read`] reads a file, a PyTorch `.pth` or safetensors, as named tensors; [`infer`] tells which
//! model they make up and [`compare`] what is missing or left over; [`load_model`] builds the model, and
//! [`export`] names a model's weights as others expect them.

mod checkpoint;
mod element;
mod export;
mod layout;
mod model_file;
pub mod pickle;
mod safetensors_file;
mod tensor_ref;
mod torch_file;

pub use checkpoint::{Checkpoint, Format, Stated};
pub use element::ElementType;
pub use export::{Layout, export};
pub use layout::{Comparison, Entry, Hints, Misshapen, Shapes, compare, infer};
pub use model_file::{ModelFile, load_model};
pub use safetensors_file::write as write_safetensors;
