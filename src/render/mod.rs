//! The only folder that names wgpu: a scene and cameras in, views with metric depth out.
//!
//! [`Gpu`] owns the device, [`GpuScene`] what was uploaded, [`Renderer`] the pipelines and the
//! targets. A sweep of cameras is one submission; [`Pending`] is its readback, so that the caller
//! can submit the next sweep before it waits for this one. [`Renderer::capture`] takes cameras of any
//! model and draws the channels that [`Sensors`] names beside colour and depth. [`Drawn`] are views of which the host
//! has seen only what it needs to choose; [`TensorWriter`] writes the chosen ones into a tensor of the same device.

mod adapter;
mod capture;
mod cluster;
mod compute;
mod config;
mod cull;
mod draw_list;
mod drawn;
mod error;
mod fine_cull;
mod gpu;
mod gpu_data;
mod gpu_scene;
mod gray;
mod guard;
mod images;
mod mesh;
mod mipmap;
mod painted;
mod panorama;
mod pool;
mod readback;
mod record;
mod renderer;
mod sampler;
mod sensors;
mod target;
mod tensor;
mod texture_upload;
mod timing;

pub use adapter::{AdapterReport, adapters};
pub use capture::PendingCaptures;
pub use config::{Alpha, CompressedTextures, Culling, Filter, RenderConfig, Shading};
pub use drawn::Drawn;
pub use error::RenderError;
pub use gpu::{Gpu, GpuConfig};
pub use gpu_scene::GpuScene;
pub use images::GpuImages;
pub use mipmap::{MipLevel, mip_chain};
pub use painted::PaintedIds;
pub use pool::RendererPool;
pub use renderer::{Pending, Renderer};
pub use sensors::Sensors;
pub use tensor::{PictureWindow, TensorBytes, TensorWriter};
pub use timing::Timings;
