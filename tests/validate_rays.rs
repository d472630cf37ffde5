//! The occlusion test of the truth against an independent twin: a shadow ray from the other eye to the surface point.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::sync::Arc;

use common::raycast::RayCaster;
use covista::generate::{GeneratorConfig, PairGenerator};
use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::overlap::{GeometricOverlapConfig, Reprojection, Surface};
use covista::scene::{Scene, SceneConfig, SceneSource, Up, load};
use covista::sweep::SweepConfig;
use covista::view::View;
use glam::DVec2;

/// How the decision compares with rays, in pixels.
#[derive(Debug, Default)]
struct Score {
    /// Truly seen, and among them those judged hidden.
    seen: u32,
    false_occluded: u32,
    /// Truly hidden, and among them those judged seen.
    hidden: u32,
    false_visible: u32,
    /// Largest error of a view's covisible share.
    worst_share: f64,
}

impl Score {
    fn compare(&mut self, caster: &RayCaster, from: &View, to: &View, near_m: f64) {
        let surfaces = [Surface::new(from), Surface::new(to)];
        let passage = Reprojection::new(&surfaces[0], &surfaces[1], &GeometricOverlapConfig::default());
        let (mut truly, mut judged) = (0i64, 0i64);
        for y in 0..from.depth.height {
            for x in 0..from.depth.width {
                let depth = f64::from(from.depth.at(x, y));
                if depth <= 0.0 {
                    continue;
                }
                let centre = DVec2::new(f64::from(x) + 0.5, f64::from(y) + 0.5);
                let point = from.camera.unproject(centre, depth);
                let Some(pixel) = to.camera.project(point).filter(|p| to.camera.intrinsics.contains(*p)) else {
                    assert!(passage.at(x, y).is_none());
                    continue;
                };
                // The point lies on a triangle to within a millimetre; a ray that grazes it meets it a little off.
                let distance = to.camera.camera_from_world().transform_point3(point).z;
                let slack = 2e-3 + 2e-3 * distance;
                let hit = caster
                    .cast(&to.camera, pixel, near_m)
                    .map_or(f64::INFINITY, |hit| hit.depth);
                let (sees, says) = ((hit - distance).abs() <= slack, passage.at(x, y).is_some());
                truly += i64::from(sees);
                judged += i64::from(says);
                self.seen += u32::from(sees);
                self.hidden += u32::from(!sees);
                self.false_occluded += u32::from(sees && !says);
                self.false_visible += u32::from(!sees && says);
            }
        }
        let valid = f64::from(surfaces[0].valid().max(1));
        self.worst_share = self.worst_share.max((truly - judged).abs() as f64 / valid);
    }
}

/// Holds the decisions on views of sweeps through a scene against rays: rates of false occlusion among the seen and of
/// false sight among all that project inside. Views of the three stops that look nearly the same way are compared.
fn hold(scene: &Scene, most_occluded: f64, most_visible: f64) {
    let Some(gpu) = common::gpu() else { return };
    let config = GeneratorConfig {
        sweep: SweepConfig {
            min_island_radius_m: 0.5,
            ..SweepConfig::default()
        },
        ..GeneratorConfig::default()
    };
    let near_m = config.render.near_m;
    let navmesh = Arc::new(NavMesh::build(scene, &NavMeshConfig::default()).unwrap());
    let generator = PairGenerator::new(&gpu, scene, navmesh, config, 5).unwrap();
    let caster = RayCaster::new(scene);
    let mut score = Score::default();
    for index in 0..3 {
        let (_, views) = generator.sweep_views(index).unwrap().unwrap();
        for first in 0..8 {
            let forward = |place: &usize| views[*place].camera.forward().dot(views[first].camera.forward());
            let second = (8..24).max_by(|a, b| forward(a).total_cmp(&forward(b))).unwrap();
            score.compare(&caster, &views[first], &views[second], near_m);
            score.compare(&caster, &views[second], &views[first], near_m);
        }
    }
    let rate = |part: u32, of: u32| f64::from(part) / f64::from(of.max(1));
    let inside = score.seen + score.hidden;
    let occluded = rate(score.false_occluded, score.seen);
    let visible = rate(score.false_visible, inside);
    println!(
        "{}: {inside} points project inside, {} of them truly seen; false occluded {:.3} % of the seen, false visible \
         {:.3} % of all ({:.2} % of the hidden); largest error of a covisible share {:.2} points",
        scene.name,
        score.seen,
        100.0 * occluded,
        100.0 * visible,
        100.0 * rate(score.false_visible, score.hidden),
        100.0 * score.worst_share
    );
    assert!(
        score.seen > 200_000 && score.hidden > 10_000,
        "too little to tell: {score:?}"
    );
    assert!(occluded < most_occluded, "{:.3} % false occluded", 100.0 * occluded);
    assert!(visible < most_visible, "{:.3} % false visible", 100.0 * visible);
    assert!(
        score.worst_share < 0.03,
        "a share is off by {:.2} points",
        100.0 * score.worst_share
    );
}

fn shared(name: &str) -> Option<Scene> {
    let path = common::shared(&format!("scenes/{name}/{name}.glb"))?;
    let config = SceneConfig {
        up: Up::Y,
        ..SceneConfig::default()
    };
    Some(load(path, &config).unwrap())
}

#[test]
fn visibility_in_the_white_room_agrees_with_rays() {
    if let Some(scene) = shared("white-room") {
        hold(&scene, 0.02, 0.01);
    }
}

#[test]
fn visibility_in_the_wooden_staircase_agrees_with_rays() {
    if let Some(scene) = shared("wooden-staircase") {
        hold(&scene, 0.02, 0.01);
    }
}

#[test]
fn visibility_in_the_contemporary_bathroom_agrees_with_rays() {
    if let Some(scene) = shared("contemporary-bathroom") {
        hold(&scene, 0.02, 0.01);
    }
}

#[test]
fn visibility_in_an_invented_flat_agrees_with_rays() {
    let scene = SceneSource::Procedural(3).load(&SceneConfig::default()).unwrap();
    hold(&scene, 0.02, 0.01);
}
