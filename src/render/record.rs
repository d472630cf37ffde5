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
        self.indexed(&mut pass, list, |group, coverage, cull| {
            self.model.pipelines.get(group.paint, coverage, cull)
        });
    }

    /// Back faces against the depth that the colours left.
    fn backs(&self, encoder: &mut wgpu::CommandEncoder, layer: usize, marks: &wgpu::TextureView, list: &[Draw]) {
        let depth = &self.target.layer_views[layer].depth;
        let mut pass = begin(encoder, "back faces", marks, depth, wgpu::LoadOp::Load);
        pass.set_bind_group(0, &self.target.view_group, &[self.target.uniform_offset(layer)]);
        pass.set_vertex_buffer(0, self.scene.vertices.slice(..));
        self.indexed(&mut pass, list, |_, coverage, _| {
            self.model.sensors.back(&self.model.stage, coverage)
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
        let pipeline = |_: &Group, coverage, cull| self.model.sensors.number(&self.model.stage, coverage, cull);
        // Picked triangles are listed by the places of their vertices, which stand in order otherwise.
        pass.set_index_buffer(self.target.indices().slice(..), wgpu::IndexFormat::Uint32);
        self.each(&mut pass, list, pipeline, |pass, draw| {
            if draw.picked {
                pass.draw_indexed(draw.indices.clone(), 0, 0..1);
            } else {
                pass.draw(draw.indices.clone(), 0..1);
            }
        });
    }

    /// Draws with the scene's indices or those that were picked.
    fn indexed<'p>(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        list: &[Draw],
        pipeline: impl Fn(&Group, Coverage, bool) -> &'p wgpu::RenderPipeline,
    ) {
        let mut picked = None;
        self.each(pass, list, pipeline, |pass, draw| {
            if picked != Some(draw.picked) {
                picked = Some(draw.picked);
                let buffer = if draw.picked {
                    self.target.indices()
                } else {
                    &self.scene.indices
                };
                pass.set_index_buffer(buffer.slice(..), wgpu::IndexFormat::Uint32);
            }
            pass.draw_indexed(draw.indices.clone(), 0, 0..1);
        });
    }

    /// Sets pipeline and material where the group changes, and calls `work` for each draw.
    fn each<'p>(
        &self,
        pass: &mut wgpu::RenderPass<'_>,
        list: &[Draw],
        pipeline: impl Fn(&Group, Coverage, bool) -> &'p wgpu::RenderPipeline,
        mut work: impl FnMut(&mut wgpu::RenderPass<'_>, &Draw),
    ) {
        let mut bound = None;
        for draw in list {
            if bound != Some(draw.group) {
                let group = &self.scene.groups[draw.group];
                let (coverage, cull) = rules(self.config, group);
                pass.set_pipeline(pipeline(group, coverage, cull));
                pass.set_bind_group(1, &group.material[self.config.filter as usize], &[]);
                bound = Some(draw.group);
            }
            work(pass, draw);
        }
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
