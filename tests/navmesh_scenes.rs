//! Our own navmesh of real scenes beside the one that habitat-sim built from the same mesh.

mod common;

use covista::navmesh::{NavMesh, NavMeshConfig};
use covista::rng::Rng;
use covista::scene::{SceneConfig, Up, load};
use glam::Vec3;
use serde_json::Value;

const ROOMS: [&str; 3] = ["white-room", "wooden-staircase", "contemporary-bathroom"];

struct Room {
    name: &'static str,
    ours: NavMesh,
    theirs: NavMesh,
    facts: Value,
    points: Value,
    steps: Value,
}

fn json(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture")).expect("json")
}

fn vec3(value: &Value) -> Vec3 {
    let at = |i: usize| value[i].as_f64().expect("number") as f32;
    Vec3::new(at(0), at(1), at(2))
}

fn build(scene: &std::path::Path) -> NavMesh {
    let config = SceneConfig {
        up: Up::Y,
        ..Default::default()
    };
    let scene = load(scene, &config).expect("readable");
    NavMesh::build(&scene, &NavMeshConfig::default()).expect("builds")
}

fn rooms() -> Vec<Room> {
    ROOMS
        .into_iter()
        .filter_map(|name| {
            let scene = common::shared(&format!("scenes/{name}/{name}.glb"))?;
            let folder = common::shared(&format!("fixtures/habitat/{name}"))?;
            Some(Room {
                name,
                ours: build(&scene),
                theirs: NavMesh::load(folder.join(format!("{name}.navmesh"))).expect("readable"),
                facts: json(&folder.join("facts.json")),
                points: json(&folder.join("random_points.json")),
                steps: json(&folder.join("try_step.json")),
            })
        })
        .collect()
}

#[test]
fn a_navmesh_of_a_real_room_is_that_of_habitat() {
    for Room {
        name,
        ours,
        theirs,
        facts,
        points,
        steps,
    } in rooms()
    {
        let area = facts["navigable_area"].as_f64().expect("area");
        println!(
            "{name}: {:.3} m2 (habitat {area:.3}), {} islands ({}), {} polygons ({}), bytes equal: {}",
            ours.navigable_area_m2(),
            ours.islands().len(),
            theirs.islands().len(),
            ours.polygons().len(),
            theirs.polygons().len(),
            ours.to_bytes() == theirs.to_bytes(),
        );
        assert!((ours.navigable_area_m2() / area - 1.0).abs() < 0.03, "{name}");
        assert_eq!(
            ours.islands().len() as u64,
            facts["num_islands"].as_u64().expect("count"),
            "{name}"
        );
        let bounds = ours.bounds();
        assert!(
            bounds.min.distance(vec3(&facts["bounds"][0])) < 1e-4,
            "{name}: {bounds:?}"
        );
        assert!(
            bounds.max.distance(vec3(&facts["bounds"][1])) < 1e-4,
            "{name}: {bounds:?}"
        );

        // Of thousand points a few may lie within a cell of an edge that was simplified otherwise.
        let points = points.as_array().expect("points");
        let on_ours = points.iter().filter(|p| ours.is_navigable(vec3(&p["p"]), 0.5)).count();
        let mut rng = Rng::stream(1, "test", &[]);
        let on_theirs = (0..1000)
            .filter(|_| theirs.is_navigable(ours.random_navigable_point(&mut rng).expect("floor"), 0.5))
            .count();
        println!("{name}: {on_ours} of theirs navigable on ours, {on_theirs} of ours on theirs");
        assert!(on_ours >= 990 && on_theirs >= 990, "{name}");

        let steps = steps.as_array().expect("steps");
        let close = |sliding: bool, key: &str| {
            let ends = steps.iter().filter(|s| {
                let (start, end) = (vec3(&s["start"]), vec3(&s["end"]));
                let reached = if sliding {
                    ours.try_step(start, end)
                } else {
                    ours.try_step_no_sliding(start, end)
                };
                reached.distance(vec3(&s[key])) < 0.05
            });
            ends.count() as f64 / steps.len() as f64
        };
        let (sliding, stopping) = (close(true, "result"), close(false, "result_no_sliding"));
        println!("{name}: steps within 5 cm: {sliding} sliding, {stopping} not");
        assert!(sliding >= 0.95 && stopping >= 0.95, "{name}");
    }
}

#[test]
fn points_on_a_real_floor_are_uniform_by_area() {
    let Some(scene) = common::shared("scenes/white-room/white-room.glb") else {
        return;
    };
    let navmesh = build(&scene);
    let plan_area = |vertices: &[Vec3]| -> f64 {
        let corner = |i: usize| {
            (
                f64::from(vertices[i % vertices.len()].x),
                f64::from(vertices[i % vertices.len()].z),
            )
        };
        (0..vertices.len())
            .map(|i| corner(i).0 * corner(i + 1).1 - corner(i + 1).0 * corner(i).1)
            .sum::<f64>()
            .abs()
            / 2.0
    };
    let areas: Vec<f64> = navmesh.polygons().iter().map(|p| plan_area(&p.vertices)).collect();
    let inside = |polygon: &[Vec3], p: Vec3| {
        let turns: Vec<f32> = (0..polygon.len())
            .map(|i| {
                let (a, b) = (polygon[i], polygon[(i + 1) % polygon.len()]);
                (b.x - a.x) * (p.z - a.z) - (b.z - a.z) * (p.x - a.x)
            })
            .collect();
        turns.iter().all(|&t| t >= 0.0) || turns.iter().all(|&t| t <= 0.0)
    };
    let draws = 20_000;
    let mut counts = vec![0u32; areas.len()];
    let mut rng = Rng::stream(2, "test", &[]);
    for _ in 0..draws {
        let p = navmesh.random_navigable_point(&mut rng).expect("floor");
        if let Some(polygon) = navmesh
            .polygons()
            .iter()
            .position(|polygon| inside(&polygon.vertices, p))
        {
            counts[polygon] += 1;
        }
    }
    let total: f64 = areas.iter().sum();
    let (mut chi2, mut bins) = (0.0, 0);
    for (&count, area) in counts.iter().zip(&areas) {
        let expected = f64::from(draws) * area / total;
        if expected >= 5.0 {
            chi2 += (f64::from(count) - expected).powi(2) / expected;
            bins += 1;
        }
    }
    // At most 20 degrees of freedom: 45.3 is the 99.9th percentile.
    assert!(
        (5..=21).contains(&bins) && chi2 < 45.3,
        "chi-square {chi2} over {bins} polygons"
    );
}

fn obj(path: &std::path::Path) -> (Vec<[f32; 3]>, Vec<[u32; 3]>) {
    let options = tobj::LoadOptions {
        triangulate: true,
        single_index: false,
        ..Default::default()
    };
    let (models, _) = tobj::load_obj(path, &options).expect("readable");
    let (mut vertices, mut triangles) = (Vec::new(), Vec::new());
    for model in models {
        let base = vertices.len() as u32;
        vertices.extend(model.mesh.positions.as_chunks::<3>().0);
        triangles.extend(
            model
                .mesh
                .indices
                .as_chunks::<3>()
                .0
                .iter()
                .map(|t| t.map(|i| i + base)),
        );
    }
    (vertices, triangles)
}

/// Area of the triangles that face up within 45 degrees, square metres.
fn open_ground_m2(vertices: &[[f32; 3]], triangles: &[[u32; 3]]) -> f64 {
    triangles
        .iter()
        .map(|t| {
            let [a, b, c] = t.map(|i| Vec3::from(vertices[i as usize]).as_dvec3());
            let normal = (b - a).cross(c - a);
            if normal.y > 45f64.to_radians().cos() * normal.length() {
                normal.length() / 2.0
            } else {
                0.0
            }
        })
        .sum()
}

/// Cells for ground of a hundred metres, so that a test does not take a minute.
fn coarse() -> NavMeshConfig {
    NavMeshConfig {
        cell_size_m: 0.2,
        agent_radius_m: 0.2,
        agent_max_climb_m: 0.6,
        ..Default::default()
    }
}

#[test]
fn the_recast_meshes_build_also_far_from_the_origin() {
    for name in ["nav_test", "dungeon", "undulating"] {
        let Some(file) = common::shared(&format!("scenes/recast-meshes/{name}.obj")) else {
            return;
        };
        let (vertices, triangles) = obj(&file);
        let navmesh = NavMesh::build_from_triangles(&vertices, &triangles, &coarse()).expect("builds");
        println!(
            "{name}: {:.1} m2 in {} islands, {} polygons, largest radius {:.1} m; upward faces {:.1} m2",
            navmesh.navigable_area_m2(),
            navmesh.islands().len(),
            navmesh.polygons().len(),
            navmesh.largest_island_radius_m(),
            open_ground_m2(&vertices, &triangles),
        );
        let mut rng = Rng::stream(1, "test", &[]);
        for _ in 0..200 {
            let p = navmesh.random_navigable_point(&mut rng).expect("floor");
            assert!(navmesh.is_navigable(p, 0.5), "{name}: {p}");
            let q = navmesh.try_step(p, p + Vec3::new(0.25, 0.0, 0.1));
            assert!(navmesh.is_navigable(q, 0.5), "{name}: {p} to {q}");
        }
    }
}

#[test]
fn open_ground_keeps_its_area() {
    // Hills without overhangs: all that faces up within 45 degrees, less the margin, is walkable.
    let Some(file) = common::shared("scenes/recast-meshes/undulating.obj") else {
        return;
    };
    let (vertices, triangles) = obj(&file);
    let navmesh = NavMesh::build_from_triangles(&vertices, &triangles, &NavMeshConfig::default()).expect("builds");
    let expected = open_ground_m2(&vertices, &triangles);
    println!(
        "undulating: {:.1} m2, upward faces {expected:.1} m2",
        navmesh.navigable_area_m2()
    );
    assert!((navmesh.navigable_area_m2() / expected - 1.0).abs() < 0.03);
}

#[test]
fn undulating_ground_near_5000_equals_the_same_ground_at_the_origin() {
    let Some(file) = common::shared("scenes/recast-meshes/undulating.obj") else {
        return;
    };
    let (vertices, triangles) = obj(&file);
    // A whole number of cells, so that both grids lie alike.
    let moved: Vec<[f32; 3]> = vertices.iter().map(|v| [v[0] - 5000.0, v[1], v[2] - 5000.0]).collect();
    let config = coarse();
    let far = NavMesh::build_from_triangles(&vertices, &triangles, &config).expect("builds");
    let near = NavMesh::build_from_triangles(&moved, &triangles, &config).expect("builds");
    let ratio = far.navigable_area_m2() / near.navigable_area_m2();
    assert!((ratio - 1.0).abs() < 0.03, "{ratio}");
    assert_eq!(far.islands().len(), near.islands().len());
}

#[test]
fn the_level_of_three_pathfinding_has_the_floor_of_its_reference_mesh() {
    let Some(folder) = common::shared("scenes/three-pathfinding") else {
        return;
    };
    let (vertices, triangles) = obj(&folder.join("level.obj"));
    // The reference joins ground and towers by steps that Habitat's agent (0.2 m) does not climb.
    let config = NavMeshConfig {
        agent_max_climb_m: 0.4,
        ..Default::default()
    };
    let navmesh = NavMesh::build_from_triangles(&vertices, &triangles, &config).expect("builds");
    let (reference, faces) = obj(&folder.join("level.nav.obj"));
    let expected = open_ground_m2(&reference, &faces);
    println!(
        "level: {:.2} m2, reference {expected:.2} m2",
        navmesh.navigable_area_m2()
    );
    assert!((navmesh.navigable_area_m2() / expected - 1.0).abs() < 0.03);
    // Without the crumbs of the reference, that small regions do not leave here.
    assert_eq!(navmesh.islands().len(), 4);
}

#[test]
fn the_wooden_stairs_are_climbed_by_an_agent_that_can() {
    let Some(file) = common::shared("scenes/wooden-staircase/wooden-staircase.glb") else {
        return;
    };
    let scene = SceneConfig {
        up: Up::Y,
        ..Default::default()
    };
    let scene = load(file, &scene).expect("readable");
    // Ground floor and landing, either side of steps of about 0.26 m.
    let joined = |config: &NavMeshConfig| {
        let navmesh = NavMesh::build(&scene, config).expect("builds");
        navmesh
            .islands()
            .iter()
            .any(|island| island.min[1] < 0.3 && island.max[1] > 3.4)
    };
    assert!(!joined(&NavMeshConfig::default()), "Habitat's agent climbs 0.2 m");
    let climber = NavMeshConfig {
        agent_max_climb_m: 0.3,
        cell_height_m: 0.1,
        ..Default::default()
    };
    assert!(joined(&climber));
}
