//! The passes of one camera, written into a command encoder.

use super::config::RenderConfig;
use super::draw_list::{Draw, rules};
use super::gpu_scene::{GpuScene, Group};
use super::mesh::Coverage;
use super::renderer::Model;
use super::target::Target;

/// What each pass of one camera draws.
#[derive(Debug)]
pub(super) struct Lists {
    pub colors: Vec<Draw>,
    pub numbers: Option<Vec<Draw>>,
    pub backs: Option<Vec<Draw>>,
}

/// What all passes of a batch share.
pub(super) struct Recorder<'a> {
    pub model: &'a Model,
    pub config: &'a RenderConfig,
    pub scene: &'a GpuScene,
    pub target: &'a Target,
}

impl Recorder<'_> {
    /// Colour and depth, then the channels that have a list.
    pub fn record(&self, encoder: &mut wgpu::CommandEncoder, layer: usize, lists: &Lists) {
        let views = &self.target.layer_views[layer];
        self.colors(encoder, layer, &lists.colors);
        if let (Some(marks), Some(list)) = (&views.marks, &lists.backs) {
            self.backs(encoder, layer, marks, list);
        }
        if let (Some((numbers, depth)), Some(list)) = (&views.numbers, &lists.numbers) {
            self.numbers(encoder, layer, numbers, depth, list);
        }
    }

    fn colors(&self, encoder: &mut wgpu::CommandEncoder, layer: usize, list: &[Draw]) {
        let views = &self.target.layer_views[layer];
        let mut pass = begin(encoder, "view", &views.color, &views.depth, wgpu::LoadOp::Clear(0.0));
        pass.set_bind_group(0, &self.target.view_group, &[self.target.uniform_offset(layer)]);
        pass.set_vertex_buffer(0, self.scene.vertices.slice(..));
        pass.set_index_buffer(self.scene.indices.slice(..), wgpu::IndexFormat::Uint32);
        let mut bound = None;
        let mut picked = false;
        for draw in list {
            if bound != Some(draw.group) {
                let group = &self.scene.groups[draw.group];
                let (coverage, cull) = rules(self.config, group);
                pass.set_pipeline(self.model.pipelines.get(group.paint, coverage, cull));
                self.bind_material(&mut pass, group);
                bound = Some(draw.group);
            }
            if picked != draw.picked {
                picked = draw.picked;
                let buffer = if picked {
                    self.target.indices()
                } else {
                    &self.scene.indices
                };
                pass.set_index_buffer(buffer.slice(..), wgpu::IndexFormat::Uint32);
            }
            pass.draw_indexed(draw.indices.clone(), 0, 0..1);
        }
    }

    /// Back faces against the depth that the colours left.
    fn backs(&self, encoder: &mut wgpu::CommandEncoder, layer: usize, marks: &wgpu::TextureView, list: &[Draw]) {
        let depth = &self.target.layer_views[layer].depth;
        let mut pass = begin(encoder, "back faces", marks, depth, wgpu::LoadOp::Load);
        pass.set_bind_group(0, &self.target.view_group, &[self.target.uniform_offset(layer)]);
        pass.set_vertex_buffer(0, self.scene.vertices.slice(..));
        pass.set_index_buffer(self.scene.indices.slice(..), wgpu::IndexFormat::Uint32);
        self.each(&mut pass, list, |pass, draw, coverage, fresh| {
            if fresh {
                pass.set_pipeline(self.model.sensors.back(&self.model.stage, coverage));
            }
            pass.draw_indexed(draw.indices.clone(), 0, 0..1);
        });
    }

    /// Triangle numbers, whose vertices stand in the order of the scene's indices.
    fn numbers(
        &self,
        encoder: &mut wgpu::CommandEncoder,
        layer: usize,
        numbers: &wgpu::TextureView,
        depth: &wgpu::TextureView,
        list: &[Draw],
    ) {
        let Some(corners) = &self.scene.triangle_numbers else {
            return;
        };
        let mut pass = begin(encoder, "triangle numbers", numbers, depth, wgpu::LoadOp::Clear(0.0));
        pass.set_bind_group(0, &self.target.view_group, &[self.target.uniform_offset(layer)]);
        pass.set_vertex_buffer(0, corners.vertices.slice(..));
        self.each(&mut pass, list, |pass, draw, coverage, fresh| {
            if fresh {
                let (_, cull) = rules(self.config, &self.scene.groups[draw.group]);
                pass.set_pipeline(self.model.sensors.number(&self.model.stage, coverage, cull));
            }
            pass.draw(draw.indices.clone(), 0..1);
        });
    }

    /// Calls `work` for each draw, with true where its group's state is not set yet.
    fn each(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        list: &[Draw],
        mut work: impl FnMut(&mut wgpu::RenderPass<'_>, &Draw, Coverage, bool),
    ) {
        let mut bound = None;
        for draw in list {
            let group = &self.scene.groups[draw.group];
            let fresh = bound != Some(draw.group);
            if fresh {
                self.bind_material(pass, group);
                bound = Some(draw.group);
            }
            work(pass, draw, rules(self.config, group).0, fresh);
        }
    }

    fn bind_material(&self, pass: &mut wgpu::RenderPass<'_>, group: &Group) {
        pass.set_bind_group(1, &group.material[self.config.filter as usize], &[]);
    }
}

/// A pass with one colour target, cleared to zero, and a depth target.
fn begin<'a>(
    encoder: &'a mut wgpu::CommandEncoder,
    label: &str,
    color: &wgpu::TextureView,
    depth: &wgpu::TextureView,
    depth_load: wgpu::LoadOp<f32>,
) -> wgpu::RenderPass<'a> {
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: color,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations {
                load: wgpu::LoadOp::Clear(wgpu::Color::BLACK),
                store: wgpu::StoreOp::Store,
            },
        })],
        depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
            view: depth,
            depth_ops: Some(wgpu::Operations {
                load: depth_load,
                store: wgpu::StoreOp::Store,
            }),
            stencil_ops: None,
        }),
        ..Default::default()
    })
}
