//! Habitat's own navmesh files: what we read, ask and write is what habitat-sim answers.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use covista::navmesh::NavMesh;
use covista::rng::Rng;
use glam::Vec3;
use serde_json::Value;

const ROOMS: [&str; 3] = ["white-room", "wooden-staircase", "contemporary-bathroom"];
const TEST_SCENES: [&str; 3] = ["apartment_1", "skokloster-castle", "van-gogh-room"];

fn json(path: &std::path::Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("fixture")).expect("json")
}

fn vec3(value: &Value) -> Vec3 {
    let at = |i: usize| value[i].as_f64().expect("number") as f32;
    Vec3::new(at(0), at(1), at(2))
}

struct Room {
    name: &'static str,
    navmesh: NavMesh,
    facts: Value,
    points: Value,
    steps: Value,
}

/// The three rooms with the navmesh that habitat-sim built; empty without the shared folder.
fn rooms() -> Vec<Room> {
    ROOMS
        .into_iter()
        .filter_map(|name| {
            let folder = common::shared(&format!("fixtures/habitat/{name}"))?;
            Some(Room {
                name,
                navmesh: NavMesh::load(folder.join(format!("{name}.navmesh"))).expect("readable"),
                facts: json(&folder.join("facts.json")),
                points: json(&folder.join("random_points.json")),
                steps: json(&folder.join("try_step.json")),
            })
        })
        .collect()
}

/// Share of the items for which `good` holds, printed.
fn share(what: &str, items: &Value, good: impl Fn(&Value) -> bool) -> f64 {
    let items = items.as_array().expect("array");
    let share = items.iter().filter(|item| good(item)).count() as f64 / items.len() as f64;
    println!("{what}: {:.1} % of {}", 100.0 * share, items.len());
    share
}

#[test]
fn islands_and_area_are_those_of_habitat() {
    for Room {
        name, navmesh, facts, ..
    } in rooms()
    {
        let area = facts["navigable_area"].as_f64().expect("area");
        assert!((navmesh.navigable_area_m2() - area).abs() < 1e-4 * area, "{name}");
        let theirs = facts["islands"].as_array().expect("islands");
        assert_eq!(navmesh.islands().len(), theirs.len(), "{name}");
        for (ours, theirs) in navmesh.islands().iter().zip(theirs) {
            let (area, radius) = (
                theirs["area"].as_f64().expect("area"),
                theirs["radius"].as_f64().expect("radius"),
            );
            println!(
                "{name}: {:.4}/{area:.4} m2, {:.4}/{radius:.4} m",
                ours.area_m2, ours.radius_m
            );
            assert!((ours.area_m2 - area).abs() < 1e-4 * area, "{name}: {ours:?} {theirs}");
            assert!((ours.radius_m - radius).abs() < 1e-4, "{name}: {ours:?} {theirs}");
        }
        let triangles = facts["navmesh_triangles"].as_u64().expect("count");
        assert_eq!(navmesh.detail_triangles().count() as u64, triangles, "{name}");
    }
}

#[test]
fn random_points_of_habitat_are_navigable_with_its_islands_and_obstacle_distances() {
    for Room {
        name, navmesh, points, ..
    } in rooms()
    {
        assert_eq!(
            share(&format!("{name}: navigable"), &points, |p| navmesh
                .is_navigable(vec3(&p["p"]), 0.5)),
            1.0
        );
        let island = share(&format!("{name}: island"), &points, |p| {
            navmesh.island_at(vec3(&p["p"])) == p["island"].as_u64().map(|i| i as usize)
        });
        assert_eq!(island, 1.0, "{name}");
        let distance = share(&format!("{name}: obstacle distance"), &points, |p| {
            let ours = navmesh
                .distance_to_closest_obstacle(vec3(&p["p"]), 2.0)
                .expect("on the floor");
            (f64::from(ours) - p["dist_obstacle"].as_f64().expect("distance")).abs() < 1e-3
        });
        assert!(distance >= 0.99, "{name}");
    }
}

#[test]
fn steps_end_where_habitat_ends_them() {
    for Room {
        name, navmesh, steps, ..
    } in rooms()
    {
        let near = |a: Vec3, b: &Value| a.distance(vec3(b)) < 1e-3;
        let sliding = share(&format!("{name}: sliding"), &steps, |s| {
            near(navmesh.try_step(vec3(&s["start"]), vec3(&s["end"])), &s["result"])
        });
        assert!(sliding >= 0.99, "{name}");
        let stopping = share(&format!("{name}: no sliding"), &steps, |s| {
            near(
                navmesh.try_step_no_sliding(vec3(&s["start"]), vec3(&s["end"])),
                &s["result_no_sliding"],
            )
        });
        assert!(stopping >= 0.99, "{name}");
    }
}

#[test]
fn snapping_and_navigability_agree_with_habitat() {
    for Room {
        name, navmesh, steps, ..
    } in rooms()
    {
        let snap = share(&format!("{name}: snap"), &steps, |s| {
            match (navmesh.snap_point(vec3(&s["end"])), s["snap_of_end"][0].as_f64()) {
                (Some(ours), Some(_)) => ours.distance(vec3(&s["snap_of_end"])) < 1e-3,
                (ours, theirs) => ours.is_none() && theirs.is_none_or(f64::is_nan),
            }
        });
        assert!(snap >= 0.99, "{name}");
        let navigable = share(&format!("{name}: navigable"), &steps, |s| {
            navmesh.is_navigable(vec3(&s["end"]), 0.5) == s["end_navigable"].as_bool().expect("bool")
        });
        assert!(navigable >= 0.99, "{name}");
    }
}

#[test]
fn geodesics_agree_with_habitat() {
    for Room {
        name, navmesh, steps, ..
    } in rooms()
    {
        let same = share(&format!("{name}: geodesic"), &steps, |s| {
            let path = navmesh.find_path(vec3(&s["start"]), vec3(&s["path_goal"]));
            match (path, s["path_found"].as_bool().expect("bool")) {
                (Some(path), true) => (path.length_m - s["geodesic"].as_f64().expect("length")).abs() < 1e-3,
                (path, found) => path.is_some() == found,
            }
        });
        assert!(same >= 0.99, "{name}");
    }
}

#[test]
fn version_1_files_read_and_write_as_habitat_resaves_them() {
    for name in TEST_SCENES {
        let (Some(file), Some(folder)) = (
            common::shared(&format!("assets/navmesh-habitat-test-scenes/{name}.navmesh")),
            common::shared("fixtures/habitat/test-scene-navmeshes"),
        ) else {
            return;
        };
        let navmesh = NavMesh::load(&file).expect("readable");
        let facts = json(&folder.join(format!("{name}.json")));
        assert_eq!(
            navmesh.islands().len() as u64,
            facts["islands"].as_u64().expect("count")
        );
        let area = facts["area"].as_f64().expect("area");
        assert!((navmesh.navigable_area_m2() - area).abs() < 1e-4 * area, "{name}");
        let bounds = navmesh.bounds();
        assert!(bounds.min.distance(vec3(&facts["bounds"][0])) < 1e-4, "{name}");
        assert!(bounds.max.distance(vec3(&facts["bounds"][1])) < 1e-4, "{name}");
        for (ours, theirs) in navmesh
            .islands()
            .iter()
            .zip(facts["island"].as_array().expect("islands"))
        {
            assert!(
                (ours.area_m2 - theirs[0].as_f64().expect("area")).abs() < 1e-3,
                "{name}: {ours:?} {theirs}"
            );
            assert!(
                (ours.radius_m - theirs[1].as_f64().expect("radius")).abs() < 1e-3,
                "{name}: {ours:?} {theirs}"
            );
        }
        assert_eq!(
            share(name, &facts["points"], |p| navmesh.is_navigable(vec3(p), 0.5)),
            1.0
        );

        let near = |a: Vec3, b: &Value| a.distance(vec3(b)) < 1e-3;
        let sliding = share(&format!("{name}: sliding"), &facts["try_step"], |s| {
            near(navmesh.try_step(vec3(&s["start"]), vec3(&s["end"])), &s["result"])
        });
        let stopping = share(&format!("{name}: no sliding"), &facts["try_step"], |s| {
            near(
                navmesh.try_step_no_sliding(vec3(&s["start"]), vec3(&s["end"])),
                &s["no_sliding"],
            )
        });
        assert!(sliding >= 0.99 && stopping >= 0.99, "{name}");

        let resaved = std::fs::read(folder.join(format!("{name}.resaved.navmesh"))).expect("fixture");
        let ours = navmesh.to_bytes();
        assert_eq!(ours.len(), resaved.len(), "{name}");
        let differing = ours.iter().zip(&resaved).filter(|(a, b)| a != b).count();
        assert_eq!(
            differing, 0,
            "{name}: bytes differ from habitat-sim's own version 2 file"
        );
    }
}

#[test]
fn version_2_files_come_back_byte_for_byte() {
    for name in ROOMS {
        let Some(file) = common::shared(&format!("fixtures/habitat/{name}/{name}.navmesh")) else {
            return;
        };
        let bytes = std::fs::read(file).expect("fixture");
        let navmesh = NavMesh::from_bytes(&bytes).expect("readable");
        assert_eq!(navmesh.config(), &Default::default());
        assert!(navmesh.to_bytes() == bytes, "{name}");
    }
}

#[test]
fn damaged_real_files_are_refused_or_can_be_asked() {
    for name in TEST_SCENES {
        let Some(file) = common::shared(&format!("assets/navmesh-habitat-test-scenes/{name}.navmesh")) else {
            return;
        };
        let good = std::fs::read(file).expect("fixture");
        let mut rng = Rng::stream(9, name, &[]);
        let mut usable = 0;
        for _ in 0..400 {
            let mut bytes = good.clone();
            for _ in 0..1 + rng.below(6) {
                let at = rng.below(bytes.len() as u64) as usize;
                bytes[at] = rng.next_u64() as u8;
            }
            if rng.chance(0.1) {
                bytes.truncate(rng.below(bytes.len() as u64) as usize);
            }
            let Ok(navmesh) = NavMesh::from_bytes(&bytes) else {
                continue;
            };
            usable += 1;
            let start = navmesh.random_navigable_point(&mut rng).unwrap_or(Vec3::ONE);
            let end = navmesh.random_navigable_point(&mut rng).unwrap_or(Vec3::ONE);
            navmesh.try_step(start, end);
            navmesh.try_step_no_sliding(start, end);
            navmesh.find_path(start, end);
            navmesh.distance_to_closest_obstacle(start, 2.0);
            navmesh.random_navigable_point_near(&mut rng, start, 0.5);
            let map = navmesh.top_down(0.1);
            assert!(map.cells.len() <= 4200 * 4200);
            assert!(NavMesh::from_bytes(&navmesh.to_bytes()).is_ok());
        }
        println!("{name}: {usable} of 400 damaged copies are still navmeshes");
    }
}
