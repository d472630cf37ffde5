//! The only folder that names wgpu: a scene and cameras in, views with metric depth out.
//!
//! [`Gpu`] owns the device, [`GpuScene`] what was uploaded, [`Renderer`] the pipelines and the
//! targets. A sweep of cameras is one submission; [`Pending`] is its readback, so that the caller
//! can submit the next sweep before it waits for this one. [`Renderer::capture`] takes cameras of any
//! model and draws the channels that [`Sensors`] names beside colour and depth.

mod capture;
mod cluster;
mod config;
mod cull;
mod draw_list;
mod error;
mod fine_cull;
mod gpu;
mod gpu_data;
mod gpu_scene;
mod mesh;
mod mipmap;
mod painted;
mod panorama;
mod record;
mod renderer;
mod sampler;
mod sensors;
mod target;
mod texture_upload;
mod timing;

pub use capture::PendingCaptures;
pub use config::{Alpha, CompressedTextures, Culling, Filter, RenderConfig, Shading};
pub use error::RenderError;
pub use gpu::{AdapterReport, Gpu, GpuConfig, adapters};
pub use gpu_scene::GpuScene;
pub use mipmap::{MipLevel, mip_chain};
pub use painted::PaintedIds;
pub use renderer::{Pending, Renderer};
pub use sensors::Sensors;
pub use timing::Timings;
