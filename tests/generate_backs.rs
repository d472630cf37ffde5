//! Pairs whose views look through surfaces from behind are refused, and only because of that.

mod common;

use std::sync::Arc;

use covista::config::Config;
use covista::generate::{Outcome, PairGenerator, Position};
use covista::navmesh::NavMesh;
use covista::render::Gpu;
use covista::scene::{Primitive, Scene, SceneSource};

/// The first positions of a flat that was walked without what was added to it.
fn positions(gpu: &Gpu, scene: &Scene, navmesh: &Arc<NavMesh>, most: f64) -> Vec<Position> {
    positions_of(Config::default(), gpu, scene, navmesh, most)
}

fn positions_of(mut config: Config, gpu: &Gpu, scene: &Scene, navmesh: &Arc<NavMesh>, most: f64) -> Vec<Position> {
    config.select.max_back_face_fraction = most;
    let generator = PairGenerator::new(gpu, scene, Arc::clone(navmesh), config.generator(), 1).expect("a generator");
    generator.take(3).map(|position| position.expect("drawn")).collect()
}

fn kept(positions: &[Position]) -> Vec<(u64, [u32; 2])> {
    positions
        .iter()
        .filter_map(|position| match &position.outcome {
            Outcome::Kept(pair) => Some((position.index, pair.origin.views)),
            Outcome::Refused(_) => None,
        })
        .collect()
}

#[test]
fn a_sheet_that_shows_its_back_alone_refuses_the_pairs_that_look_through_it() {
    let Some(gpu) = common::gpu() else { return };
    let config = Config::default();
    let scene = SceneSource::Procedural(3).load(&config.scene).expect("a flat");
    let navmesh = Arc::new(NavMesh::build(&scene, &config.navmesh).expect("a floor"));
    let plain = positions(&gpu, &scene, &navmesh, 0.3);
    let expected = kept(&plain);
    assert!(!expected.is_empty(), "the flat gives pairs: {:?}", plain[0].refused);
    assert_eq!(kept(&positions(&gpu, &scene, &navmesh, 1.0)), expected);

    // A sheet just below all eyes (1.2 m and more) that faces down: they see its back, which is left out of pictures.
    let bounds = scene.bounds().expect("walls");
    let (a, b) = (bounds.min - 5.0, bounds.max + 5.0);
    let stops = plain.iter().flat_map(|position| &position.stops);
    let y = stops.map(|stop| stop[1] as f32).fold(f32::INFINITY, f32::min) + 1.15;
    let mut sheeted = scene.clone();
    sheeted.primitives.push(Primitive {
        positions: vec![[a.x, y, a.z], [b.x, y, a.z], [b.x, y, b.z], [a.x, y, b.z]],
        indices: vec![0, 1, 2, 0, 2, 3],
        ..Primitive::default()
    });
    assert_eq!(kept(&positions(&gpu, &sheeted, &navmesh, 1.0)), expected);
    let refused = positions(&gpu, &sheeted, &navmesh, 0.3);
    assert_eq!(kept(&refused), []);
    for (index, _) in expected {
        let reasons = &refused[index as usize].refused;
        let count = |name: &str| reasons.get(name).copied().unwrap_or(0);
        assert!(count("back_faces") + count("inside_geometry") > 0, "{reasons:?}");
    }
}

#[test]
fn crocos_views_are_held_to_the_same_limit() {
    let Some(gpu) = common::gpu() else { return };
    let croco = Config::load("croco", None, &[]).expect("a profile");
    assert_eq!(croco.select.max_back_face_fraction, 1.0, "CroCo itself sets no limit");
    let scene = SceneSource::Procedural(3).load(&croco.scene).expect("a flat");
    let navmesh = Arc::new(NavMesh::build(&scene, &croco.navmesh).expect("a floor"));
    let free = positions_of(croco.clone(), &gpu, &scene, &navmesh, 1.0);
    assert!(!kept(&free).is_empty(), "the flat gives pairs");
    assert_eq!(
        kept(&positions_of(croco.clone(), &gpu, &scene, &navmesh, 0.3)),
        kept(&free)
    );

    // Walls turned inside out: every ray meets a back.
    let mut turned = scene.clone();
    for primitive in &mut turned.primitives {
        primitive.indices.chunks_exact_mut(3).for_each(|t| t.swap(1, 2));
    }
    for position in positions_of(croco, &gpu, &turned, &navmesh, 0.3) {
        let Outcome::Refused(reason) = position.outcome else {
            panic!("a pair of backs was kept")
        };
        assert!(["back_faces", "inside_geometry", "holes"].contains(&reason), "{reason}");
    }
}
