//! Many scenes in turn: one sequence whatever the timing, bounded memory, broken scenes passed over, ranks apart, a
//! stream that goes on after an end, and pairs that go to the trainer without passing the host.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use covista::config::Config;
use covista::generate::{GenerateError, Rank, ScenePairs, ScenesConfig, ScenesReport, WalkableConfig};
use covista::render::Gpu;
use covista::scene::SceneList;
use covista::stream::{PairStream, StreamConfig, StreamPlace};
use covista::view::{PairPlace, ViewPair};

/// Small pictures and a filter that most positions pass: what is tested is whose turn it is.
fn config(sets: &[&str]) -> Config {
    let easy = [
        "select.min_laplacian_variance=0",
        "select.min_overlap=0.1",
        "select.max_overlap=0.9",
        "stream.pairs_per_scene=2",
    ];
    let sets: Vec<String> = easy.iter().chain(sets).map(|&set| set.to_owned()).collect();
    Config::load("smoke", None, &sets).unwrap()
}

fn scenes_config(config: &Config) -> ScenesConfig {
    ScenesConfig {
        walkable: WalkableConfig {
            scene: config.scene.clone(),
            procedural: config.procedural.clone(),
            navmesh: config.navmesh.clone(),
            sweep: config.sweep.clone(),
        },
        generator: config.generator(),
        pairs_per_scene: config.stream.pairs_per_scene,
        scenes_in_memory: config.stream.scenes_in_memory,
        max_positions: config.generate.max_positions_per_pair,
    }
}

fn list(specs: &[&str]) -> Arc<SceneList> {
    let specs: Vec<String> = specs.iter().map(|&spec| spec.to_owned()).collect();
    Arc::new(SceneList::parse(&specs, &[]).unwrap())
}

fn scenes(gpu: &Gpu, specs: &[&str], sets: &[&str], rank: Rank) -> ScenePairs {
    ScenePairs::new(gpu, list(specs), scenes_config(&config(sets)), 7, rank).unwrap()
}

/// The first `count` pairs: place, scene and a hash of the bytes; and what became of the scenes.
fn first(mut pairs: ScenePairs, count: usize) -> (Vec<(PairPlace, String, String)>, ScenesReport) {
    let report = pairs.report();
    let made = pairs.by_ref().take(count).map(|pair| {
        let (place, pair): (PairPlace, ViewPair) = pair.unwrap();
        let mut hasher = blake3::Hasher::new();
        hasher
            .update(pair.first.color.as_raw())
            .update(pair.second.color.as_raw());
        (place, pair.origin.scene, hasher.finalize().to_hex().to_string())
    });
    let made = made.collect();
    let report = report.lock().unwrap().clone();
    (made, report)
}

#[test]
fn the_sequence_is_one_whatever_is_held_in_memory() {
    let Some(gpu) = common::gpu() else { return };
    let specs = ["procedural:3", "procedural:*"];
    let (whole, report) = first(scenes(&gpu, &specs, &[], Rank::default()), 6);
    assert!(report.most_in_memory <= 2, "{report:?}");
    assert_eq!((report.pairs, report.turns), (6, 3));
    let flats: BTreeSet<&String> = whole.iter().map(|(_, scene, _)| scene).collect();
    assert!(flats.len() >= 2, "{flats:?}");
    let unique: BTreeSet<&String> = whole.iter().map(|(_, _, hash)| hash).collect();
    assert_eq!(unique.len(), 6, "no pair comes twice");
    for held in [1, 3] {
        let set = format!("stream.scenes_in_memory={held}");
        let (again, report) = first(scenes(&gpu, &specs, &[&set], Rank::default()), 6);
        assert_eq!(again, whole, "{held} scenes in memory");
        assert!(report.most_in_memory <= held, "{report:?}");
    }
    // Two ranks make the same pairs between them: the first has turns 0 and 2, the second turn 1.
    let mut together: Vec<_> = [(0, 4), (1, 2)]
        .into_iter()
        .flat_map(|(rank, count)| first(scenes(&gpu, &specs, &[], Rank::new(rank, 2).unwrap()), count).0)
        .collect();
    together.sort_by_key(|(place, ..)| (place.turn, place.nth));
    assert_eq!(together, whole);
}

#[test]
fn scenes_that_cannot_be_used_are_passed_over_and_named() {
    let Some(gpu) = common::gpu() else { return };
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path.display().to_string()
    };
    let broken = write("broken.glb", b"glTF but not for long");
    let wall = write("wall.obj", b"v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n");
    let (made, report) = first(scenes(&gpu, &[&broken, "procedural:3", &wall], &[], Rank::default()), 6);
    assert!(made.iter().all(|(_, scene, _)| scene.contains('3')), "{made:?}");
    let named: BTreeSet<&str> = report.skipped.iter().map(|skipped| skipped.scene.as_str()).collect();
    assert_eq!(named, BTreeSet::from([broken.as_str(), wall.as_str()]));
    assert!(report.skipped.iter().all(|skipped| skipped.turns >= 2), "{report:?}");

    let mut none = scenes(&gpu, &[&broken, &wall], &[], Rank::default());
    let error = none.next().unwrap().unwrap_err();
    let message = error.to_string();
    assert!(matches!(error, GenerateError::NoScene { .. }), "{message}");
    assert!(
        message.contains("broken.glb") && message.contains("wall.obj"),
        "{message}"
    );
    assert!(none.next().is_none(), "an error is the last item");
    let mut only = scenes(&gpu, &[&wall], &[], Rank::default());
    assert!(matches!(only.next(), Some(Err(GenerateError::Walkable(_)))));
}

#[test]
fn a_stream_goes_on_after_an_end() {
    let Some(gpu) = common::gpu() else { return };
    let config = StreamConfig {
        ring_pairs: 3,
        reuse: 2,
        warm_pairs: 2,
        channel_pairs: 1,
        ..StreamConfig::default()
    };
    let open = |place: &StreamPlace| {
        let pairs = scenes(&gpu, &["procedural:3", "procedural:5"], &[], Rank::default()).resumed(&place.ring);
        PairStream::spawn(move || pairs, &config, 7).unwrap().restored(place)
    };
    let mut whole = open(&StreamPlace::default());
    for _ in 0..3 {
        whole.next_batch(3).unwrap();
    }
    let place = whole.place();
    assert_eq!(place.ring.len(), 3);
    let mut resumed = open(&place);
    for _ in 0..3 {
        assert!(resumed.next_batch(3).unwrap() == whole.next_batch(3).unwrap());
    }
    assert_eq!(resumed.place(), whole.place());
    // Other scenes have samples of the same numbers, and they are told apart.
    drop(resumed);
    let other = scenes(&gpu, &["procedural:4", "procedural:6"], &[], Rank::default()).resumed(&place.ring);
    let mut other = PairStream::spawn(move || other, &config, 7).unwrap().restored(&place);
    assert!(other.next_batch(1).is_err());
}

/// On the software adapter: the tensors are the host path's to the last bit, and what travelled to the host is what the
/// filter looked at.
#[cfg(feature = "train")]
#[test]
fn pairs_reach_the_trainer_without_passing_the_host() {
    use covista::feed::{DeviceStream, Feed};
    use covista::generate::DevicePair;
    use covista::stream::Placed;
    use covista::train::augment::Framing;
    use covista::train::batch::{Batch, ViewTensors};
    use covista::train::{DeviceChoice, TrainDevice};

    if common::gpu().is_none() {
        return;
    }
    let (device, shared) = TrainDevice::open(DeviceChoice::Wgpu).unwrap();
    let setup = shared.unwrap();
    let gpu = Gpu::from_parts(setup.instance, setup.adapter, setup.device, setup.queue);
    let stream_config = StreamConfig {
        ring_pairs: 4,
        reuse: 1,
        warm_pairs: 2,
        channel_pairs: 1,
        ..StreamConfig::default()
    };
    let values = |views: &ViewTensors| {
        let read = |tensor: &burn::tensor::Tensor<4>| tensor.clone().try_to_vec_as::<f32>().unwrap();
        [read(&views.first), read(&views.second)]
    };
    let specs = ["procedural:3"];
    // The filter by luma alone, with depth and back faces of candidates, and by colours and depth of every view.
    let with_truth = [
        "select.check_covisibility=true",
        "select.max_back_face_fraction=0.3",
        "select.min_valid_fraction=0.9",
    ];
    for (sets, side) in [
        (&[][..], 224),
        (&with_truth[..], 224),
        (&["render.crop_px=96", "train.image=96"][..], 96),
    ] {
        let host = scenes(&gpu, &specs, sets, Rank::default());
        let lean = ScenePairs::<DevicePair>::new(&gpu, list(&specs), scenes_config(&config(sets)), 7, Rank::default());
        let lean = lean.unwrap();
        let reports = [host.report(), lean.report()];
        let mut host = PairStream::spawn(move || host, &stream_config, 7).unwrap();
        let placed = lean.map(|pair| pair.map(Placed::from));
        let lean = PairStream::spawn_placed(move || placed, &stream_config, 7).unwrap();
        let mut lean = DeviceStream::new(lean, &gpu).unwrap();
        for _ in 0..2 {
            let on_host = host.next_batch(2).unwrap();
            let on_device = lean.next(2).unwrap();
            for (pair, (index, overlaps)) in on_device
                .pairs
                .iter()
                .zip(on_host.indices.iter().zip(&on_host.overlaps))
            {
                assert_eq!(pair.place.index, *index);
                assert_eq!(pair.overlaps.homography, overlaps.homography);
                let known = pair.overlaps.covisibility.is_some();
                assert!(!known || pair.overlaps == *overlaps);
            }
            let expected = on_host
                .views(side, &[false, true], Framing::Exact, &TrainDevice::flex())
                .unwrap();
            let written = on_device.views(side, &[false, true], Framing::Exact, &device).unwrap();
            assert!(values(&written) == values(&expected), "{sets:?}");
        }
        drop((lean, host));
        let [host, lean] = reports.map(|report| report.lock().unwrap().clone());
        let gray = 24 * (224 * 224 + 4);
        if sets.is_empty() {
            // Every position that was looked at, and the one that was under way when a turn ended.
            assert_eq!(lean.bytes_read, (lean.positions + lean.turns) * gray);
        }
        if side == 224 {
            assert!(
                lean.bytes_read * 5 < host.bytes_read,
                "{} of {}",
                lean.bytes_read,
                host.bytes_read
            );
        }
    }
}
