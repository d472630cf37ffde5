//! An adapter that is too small, and one that goes away.

use std::path::Path;
use std::sync::{Arc, mpsc};
use std::time::Duration;

use covista::camera::{Camera, Intrinsics};
use covista::config::Config;
use covista::export::native::{NativeWriter, RunRecord, SceneRecord, Trial};
use covista::generate::{Outcome, PairGenerator};
use covista::navmesh::NavMesh;
use covista::render::{Gpu, GpuScene, RenderConfig, RenderError, Renderer, Sensors};
use covista::scene::SceneSource;
use covista::scene::primitives::box_room;
use glam::DVec3;

use crate::common;
use crate::process::{Bench, assert_same, finish, tree};

const SIDE: u32 = 64;
/// Colour and depth, on the adapter and on their way back.
const PICTURE_BYTES: u64 = 16 * SIDE as u64 * SIDE as u64;

fn room(gpu: &Gpu) -> (Renderer, GpuScene) {
    let config = RenderConfig::default();
    let scene = GpuScene::upload_for(gpu, &box_room([4.0, 2.5, 3.0], None), &config, Sensors::default()).unwrap();
    (Renderer::new(gpu, &config).unwrap(), scene)
}

fn cameras() -> Vec<Camera> {
    let intrinsics = Intrinsics::from_hfov(SIDE, SIDE, 1.5);
    (0..24)
        .map(|i| Camera::level(intrinsics, DVec3::new(0.3, 1.4, 0.2), f64::from(i) * 0.26))
        .collect()
}

#[test]
fn batches_shrink_until_they_fit() {
    let Some(gpu) = common::gpu() else { return };
    let (renderer, scene) = room(&gpu);
    let all_at_once = renderer.render(&scene, &cameras()).unwrap();
    for pictures in [1, 5, 23] {
        let small = gpu.clone().with_picture_budget(pictures * PICTURE_BYTES);
        let renderer = Renderer::new(&small, &RenderConfig::default()).unwrap();
        assert_eq!(renderer.render(&scene, &cameras()).unwrap(), all_at_once, "{pictures}");
        // Later batches begin with what fitted.
        assert_eq!(renderer.render(&scene, &cameras()[..7]).unwrap(), all_at_once[..7]);
    }
    let none = gpu.clone().with_picture_budget(PICTURE_BYTES - 1);
    let renderer = Renderer::new(&none, &RenderConfig::default()).unwrap();
    let error = renderer.render(&scene, &cameras()).unwrap_err();
    assert!(matches!(error, RenderError::OutOfMemory { .. }), "{error}");
}

#[test]
fn a_run_on_a_small_adapter_gives_the_same_set_or_a_clear_end() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(4);
    let whole = bench.whole();
    let with_budget = |name: &str, bytes: u64| {
        let mut command = bench.command(&bench.path(name), &[]);
        command.env("COVISTA_PICTURE_BYTES", bytes.to_string());
        finish(command.spawn().unwrap())
    };
    let picture = 16 * 96 * 96;
    with_budget("small", 3 * picture).expect(0, "no memory for");
    assert_same(&whole, &tree(&bench.path("small")));
    with_budget("tiny", picture - 1).expect(4, "out of memory");
    // What it had done before it ended is continued on a larger one.
    bench.run(&bench.path("tiny"), &["--resume"]).expect(0, "");
    assert_same(&whole, &tree(&bench.path("tiny")));
}

#[test]
fn a_lost_device_is_an_error_at_every_step() {
    let Some(gpu) = common::gpu() else { return };
    let (renderer, scene) = room(&gpu);
    renderer.render(&scene, &cameras()).unwrap();
    let under_way = renderer.submit(&scene, &cameras()).unwrap();
    // What a driver does that crashes or is reset.
    gpu.device().destroy();
    let lost = |error: RenderError| assert!(matches!(error, RenderError::Lost { .. }), "{error:?}");
    if let Err(error) = under_way.wait() {
        lost(error);
    }
    lost(renderer.render(&scene, &cameras()).unwrap_err());
    lost(renderer.render(&scene, &cameras()[..1]).unwrap_err());
    lost(Renderer::new(&gpu, &RenderConfig::default()).unwrap_err());
    let again = GpuScene::upload_for(
        &gpu,
        &box_room([2.0, 2.5, 2.0], None),
        &RenderConfig::default(),
        Sensors::default(),
    );
    lost(again.err().unwrap());
}

#[test]
fn a_device_lost_at_any_moment_is_told() {
    for round in 0..40 {
        let Some(gpu) = common::gpu() else { return };
        let device = gpu.device().clone();
        let (begun, begins) = mpsc::channel();
        let loser = std::thread::spawn(move || {
            begins.recv().unwrap();
            std::thread::sleep(Duration::from_micros(round * 1_300));
            device.destroy();
        });
        let config = RenderConfig::default();
        begun.send(()).unwrap();
        let work = || -> Result<(), RenderError> {
            let model = box_room([4.0, 2.5, 3.0], None);
            loop {
                let scene = GpuScene::upload_for(&gpu, &model, &config, Sensors::default())?;
                let renderer = Renderer::new(&gpu, &config)?;
                renderer.render(&scene, &cameras()[..4])?;
                renderer.submit_gray(&scene, &cameras()[..4], 32)?.drawn(32)?.depth(0)?;
            }
        };
        let error = work().unwrap_err();
        loser.join().unwrap();
        assert!(matches!(error, RenderError::Lost { .. }), "{round}: {error:?}");
    }
}

/// A device that somebody else made, who alone hears of its loss.
#[test]
fn the_loss_of_a_shared_device_is_told() {
    let Some(own) = common::gpu() else { return };
    let instance = wgpu::Instance::new(wgpu::InstanceDescriptor::new_without_display_handle());
    let adapters = pollster::block_on(instance.enumerate_adapters(wgpu::Backends::VULKAN));
    let Some(adapter) = adapters.into_iter().find(|a| a.get_info().name == own.adapter().name) else {
        println!("skipped: {} is not there under Vulkan", own.adapter().name);
        return;
    };
    let required_limits = adapter.limits();
    let request = wgpu::DeviceDescriptor {
        required_limits,
        ..wgpu::DeviceDescriptor::default()
    };
    let (device, queue) = pollster::block_on(adapter.request_device(&request)).unwrap();
    let (teller, told) = mpsc::channel();
    device.set_device_lost_callback(move |_, _| teller.send(()).unwrap());
    let gpu = Gpu::from_parts(instance, adapter, device, queue);
    let (renderer, scene) = room(&gpu);
    renderer.render(&scene, &cameras()[..4]).unwrap();
    gpu.device().destroy();
    for _ in 0..2 {
        let error = renderer.render(&scene, &cameras()[..4]).unwrap_err();
        assert!(matches!(error, RenderError::Lost { .. }), "{error:?}");
    }
    // Whoever made it still hears of it.
    told.recv_timeout(Duration::from_secs(60)).unwrap();
}

/// Positions of a room, written as the command does, until `positions` are or the device is lost before one of them.
fn write(out: &Path, gpu: &Gpu, bench: &Bench, positions: u64, lost_at: Option<u64>) -> Result<(), RenderError> {
    let settings = bench.settings();
    let sets: Vec<String> = settings.iter().filter(|set| set.contains('=')).cloned().collect();
    let config = Config::load("smoke", None, &sets).unwrap();
    let scene = SceneSource::File(bench.path("room.glb")).load(&config.scene).unwrap();
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh).unwrap());
    let record = SceneRecord {
        name: scene.name.clone(),
        hash: scene.hash_hex(),
    };
    let run = RunRecord::new("smoke", config.data_json(), 3, vec![record], &gpu.adapter().to_string());
    let mut writer = NativeWriter::resume(out, &run).unwrap();
    let mut generator = PairGenerator::new(gpu, &scene, navmesh, config.generator(), 3)?;
    for index in 0..positions {
        if writer.is_done(&scene.name, index) {
            continue;
        }
        if lost_at == Some(index) {
            gpu.device().destroy();
        }
        generator.seek(index);
        let position = generator.next().unwrap()?;
        let trial = Trial {
            scene: scene.name.clone(),
            index,
            ..Trial::default()
        };
        match position.outcome {
            Outcome::Kept(pair) => drop(writer.write_pair(&trial, &pair).unwrap()),
            Outcome::Refused(reason) => writer.write_refusal(&trial, reason).unwrap(),
        }
    }
    writer.finish().unwrap();
    Ok(())
}

#[test]
fn a_device_lost_midway_costs_nothing_that_was_written() {
    let (Some(gpu), Some(other)) = (common::gpu(), common::gpu()) else {
        return;
    };
    let bench = Bench::new(1);
    let (whole, out) = (bench.path("undisturbed"), bench.path("lost"));
    write(&whole, &other, &bench, 16, None).unwrap();
    let error = write(&out, &gpu, &bench, 16, Some(3)).unwrap_err();
    assert!(matches!(error, RenderError::Lost { .. }), "{error:?}");
    // Three positions are kept, and what had been made ahead of the loss; a device that works goes on after them.
    let journal = std::fs::read_to_string(out.join("progress.jsonl")).unwrap();
    assert!(journal.matches("\"event\":\"trial\"").count() >= 3, "{journal}");
    write(&out, &other, &bench, 16, None).unwrap();
    assert_same(&tree(&whole), &tree(&out));
}
