//! Navmeshes of shapes whose walkable floor is known by construction.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "common/rooms.rs"]
mod rooms;

use covista::navmesh::{NavMesh, NavMeshConfig, NavMeshError};
use covista::rng::Rng;
use glam::Vec3;
use rooms::{Soup, two_rooms};

fn build(soup: &Soup) -> NavMesh {
    build_with(soup, &NavMeshConfig::default())
}

fn build_with(soup: &Soup, config: &NavMeshConfig) -> NavMesh {
    NavMesh::build_from_triangles(&soup.vertices, &soup.triangles, config).expect("builds")
}

fn refusal(soup: &Soup, config: &NavMeshConfig) -> NavMeshError {
    NavMesh::build_from_triangles(&soup.vertices, &soup.triangles, config).expect_err("refused")
}

#[test]
fn a_floor_keeps_its_area_less_the_margin() {
    let mut soup = Soup::default();
    soup.floor([0.0, 10.0], 0.0, [0.0, 8.0]);
    let navmesh = build(&soup);
    assert_eq!(navmesh.islands().len(), 1);
    // The edge of the world is a drop (one cell), and two cells are eroded by the agent's radius.
    let expected = (10.0 - 0.3) * (8.0 - 0.3);
    let area = navmesh.navigable_area_m2();
    assert!((area / expected - 1.0).abs() < 0.01, "{area} m2, expected {expected}");
    // Of a rectangle the radius is half its diagonal.
    let radius = navmesh.islands()[0].radius_m;
    assert!((radius - 0.5 * f64::hypot(9.7, 7.7)).abs() < 0.1, "{radius}");
    let bounds = navmesh.bounds();
    assert_eq!((bounds.min, bounds.max), (Vec3::ZERO, Vec3::new(10.0, 0.0, 8.0)));
}

#[test]
fn a_gap_makes_two_islands_and_a_door_joins_two_rooms() {
    let mut soup = Soup::default();
    soup.floor([0.0, 4.0], 0.0, [0.0, 4.0])
        .floor([5.0, 9.0], 0.0, [0.0, 4.0]);
    let apart = build(&soup);
    assert_eq!(apart.islands().len(), 2);
    let (a, b) = (Vec3::new(2.0, 0.0, 2.0), Vec3::new(7.0, 0.0, 2.0));
    assert_ne!(apart.island_at(a), apart.island_at(b));
    assert_eq!(apart.geodesic_distance_m(a, b), f64::INFINITY);
    assert_eq!(apart.try_step(a, b), a, "a step cannot jump to another island");

    let joined = build(&two_rooms());
    let island = joined.island_at(Vec3::new(2.0, 0.0, 2.0));
    assert_eq!(island, joined.island_at(Vec3::new(8.0, 0.0, 2.0)));
}

#[test]
fn a_geodesic_goes_through_the_door() {
    let navmesh = build(&two_rooms());
    let (start, goal) = (Vec3::new(2.0, 0.2, 1.0), Vec3::new(8.0, 0.2, 1.0));
    let path = navmesh.find_path(start, goal).expect("through the door");
    // Around the near door post, which keeps the agent 0.1 m away: (4.8, 3.6) and (5.2, 3.6).
    let expected = f64::hypot(2.8, 2.6) + 0.4 + f64::hypot(2.8, 2.6);
    assert!(
        (path.length_m - expected).abs() < 0.15,
        "{} m, expected {expected}",
        path.length_m
    );
    assert_eq!(path.points.first().map(|p| p.x), Some(2.0));
    assert_eq!(path.points.last().map(|p| p.x), Some(8.0));
}

#[test]
fn a_step_slides_along_a_wall_and_stops_without_sliding() {
    let navmesh = build(&two_rooms());
    let start = navmesh.snap_point(Vec3::new(4.0, 0.0, 1.0)).expect("floor");
    let end = start + Vec3::new(1.5, 0.0, 1.5);
    let wall = 4.9 - 0.1;
    let slid = navmesh.try_step(start, end);
    assert!((slid.x - wall).abs() < 0.06 && (slid.z - end.z).abs() < 0.01, "{slid}");
    let stopped = navmesh.try_step_no_sliding(start, end);
    assert!((stopped.x - wall).abs() < 0.06, "{stopped}");
    assert!(
        (stopped.z - (start.z + stopped.x - start.x)).abs() < 1e-3,
        "stays on its line: {stopped}"
    );
    let free = start + Vec3::new(-0.5, 0.0, 0.5);
    assert!(navmesh.try_step(start, free).distance(free) < 1e-5);
}

#[test]
fn distance_to_the_nearest_obstacle_is_measured_from_the_margin() {
    let navmesh = build(&two_rooms());
    let distance = |x, z| navmesh.distance_to_closest_obstacle(Vec3::new(x, 0.0, z), 2.0);
    assert!((distance(4.0, 1.5).expect("floor") - 0.8).abs() < 0.06);
    assert_eq!(distance(2.4, 4.0), Some(2.0), "farther than the search radius");
    assert_eq!(distance(50.0, 50.0), None);
}

#[test]
fn navigable_means_within_a_centimetre_and_half_a_metre() {
    let navmesh = build(&two_rooms());
    let on = navmesh.snap_point(Vec3::new(2.0, 0.0, 2.0)).expect("floor");
    assert!(navmesh.is_navigable(on, 0.5));
    assert!(navmesh.is_navigable(on + Vec3::Y * 0.49, 0.5));
    assert!(!navmesh.is_navigable(on + Vec3::Y * 0.51, 0.5));
    assert!(!navmesh.is_navigable(Vec3::new(5.0, on.y, 1.0), 0.5), "inside the wall");
    assert_eq!(navmesh.snap_point(on + Vec3::Y * 3.0), Some(on));
    assert_eq!(navmesh.snap_point(Vec3::new(-7.0, 0.0, 2.0)), None);
}

#[test]
fn stairs_are_climbed_and_high_steps_are_not() {
    let stairs = |rise: f32| {
        let mut soup = Soup::default();
        soup.floor([0.0, 3.0], 0.0, [0.0, 3.0]);
        for step in 1..=10u8 {
            let x = 3.0 + 0.3 * f32::from(step - 1);
            soup.solid([x, x + 0.3], [-0.5, rise * f32::from(step)], [0.0, 3.0]);
        }
        soup.solid([6.0, 9.0], [-0.5, rise * 10.0], [0.0, 3.0]);
        let navmesh = build(&soup);
        let top = navmesh.island_at(Vec3::new(7.5, rise * 10.0, 1.5));
        assert!(top.is_some());
        top == navmesh.island_at(Vec3::new(1.0, 0.0, 1.5))
    };
    assert!(stairs(0.175));
    assert!(!stairs(0.45));
}

#[test]
fn a_ramp_is_walkable_up_to_the_slope() {
    let ramp = |degrees: f32| {
        let rise = 4.0 * degrees.to_radians().tan();
        let mut soup = Soup::default();
        soup.floor([0.0, 3.0], 0.0, [0.0, 3.0]);
        soup.quad([[3.0, 0.0, 0.0], [3.0, 0.0, 3.0], [7.0, rise, 3.0], [7.0, rise, 0.0]]);
        build(&soup).navigable_area_m2()
    };
    assert!(ramp(30.0) > 15.0);
    assert!(ramp(50.0) < 9.0);
}

#[test]
fn tiles_make_the_same_floor_as_one_tile() {
    let soup = two_rooms();
    let one = build(&soup);
    let config = NavMeshConfig {
        single_tile_max_cells: 1,
        tile_size_cells: 64,
        ..Default::default()
    };
    let tiled = build_with(&soup, &config);
    assert!(
        one.tile_count() == 1 && tiled.tile_count() == 12,
        "{}",
        tiled.tile_count()
    );
    assert_eq!(tiled.islands().len(), 1);
    let ratio = tiled.navigable_area_m2() / one.navigable_area_m2();
    assert!((ratio - 1.0).abs() < 0.01, "area ratio {ratio}");
    let (start, goal) = (Vec3::new(1.0, 0.2, 1.0), Vec3::new(9.0, 0.2, 7.0));
    let (a, b) = (
        one.geodesic_distance_m(start, goal),
        tiled.geodesic_distance_m(start, goal),
    );
    assert!((a - b).abs() < 0.15, "{a} and {b} m");
    let again = NavMesh::from_bytes(&tiled.to_bytes()).expect("readable");
    assert_eq!(again.polygons(), tiled.polygons());
    // By area, not by tile: the last tiles hold less floor than the first.
    let mut rng = Rng::stream(5, "test", &[]);
    let beyond = |p: Vec3| p.x > 9.6;
    let drawn = (0..20_000).filter(|_| tiled.random_navigable_point(&mut rng).is_some_and(beyond));
    let (share, expected) = (drawn.count() as f64 / 20_000.0, 0.25 * 7.7 / tiled.navigable_area_m2());
    assert!(
        (share - expected).abs() < 0.005,
        "{share} of the points on {expected} of the floor"
    );
}

#[test]
fn points_are_uniform_over_the_floor() {
    let navmesh = build(&two_rooms());
    let mut rng = Rng::stream(3, "test", &[]);
    // Bins of 0.5 m inside the first room, clear of its margins, and the same in the second.
    let mut counts = vec![0u32; 2 * 8 * 14];
    let mut inside = 0;
    for _ in 0..200_000 {
        let p = navmesh.random_navigable_point(&mut rng).expect("floor");
        assert!((0.0..0.41).contains(&p.y));
        for (room, left) in [0.5, 5.5].into_iter().enumerate() {
            let (x, z) = ((p.x - left) / 0.5, (p.z - 0.5) / 0.5);
            if (0.0..8.0).contains(&x) && (0.0..14.0).contains(&z) {
                counts[(room * 8 + x as usize) * 14 + z as usize] += 1;
                inside += 1;
            }
        }
    }
    let expected = f64::from(inside) / counts.len() as f64;
    let chi2: f64 = counts
        .iter()
        .map(|&c| (f64::from(c) - expected).powi(2) / expected)
        .sum();
    // 223 degrees of freedom: 292 is the 99.9th percentile.
    assert!(chi2 < 292.0, "chi-square {chi2}");
    let share = f64::from(inside) / 200_000.0;
    let area_share = 2.0 * 4.0 * 7.0 / navmesh.navigable_area_m2();
    assert!(
        (share - area_share).abs() < 0.005,
        "{share} of the points on {area_share} of the area"
    );
}

#[test]
fn points_near_a_place_stay_near_and_points_on_an_island_on_it() {
    let mut soup = Soup::default();
    soup.floor([0.0, 4.0], 0.0, [0.0, 4.0])
        .floor([5.0, 9.0], 0.0, [0.0, 9.0]);
    let navmesh = build(&soup);
    let mut rng = Rng::stream(4, "test", &[]);
    let center = Vec3::new(3.5, 0.0, 2.0);
    for _ in 0..200 {
        let near = navmesh
            .random_navigable_point_near(&mut rng, center, 0.8)
            .expect("floor");
        assert!((near.x - center.x).hypot(near.z - center.z) <= 0.8 && navmesh.is_navigable(near, 0.5));
        let large = navmesh.random_navigable_point_on(&mut rng, |island| island.area_m2 > 20.0);
        assert!(large.is_some_and(|p| p.x > 5.0));
    }
    assert_eq!(
        navmesh.random_navigable_point_on(&mut rng, |island| island.area_m2 > 200.0),
        None
    );
}

#[test]
fn the_same_stream_gives_the_same_points() {
    let navmesh = build(&two_rooms());
    let points = |seed| {
        let mut rng = Rng::stream(seed, "test", &[]);
        (0..50)
            .map(|_| navmesh.random_navigable_point(&mut rng))
            .collect::<Vec<_>>()
    };
    assert_eq!(points(1), points(1));
    assert_ne!(points(1), points(2));
    let shared = &navmesh;
    let from_threads: Vec<_> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..4u64)
            .map(|seed| scope.spawn(move || shared.random_navigable_point(&mut Rng::stream(seed, "t", &[]))))
            .collect();
        handles.into_iter().map(|h| h.join().expect("thread")).collect()
    });
    let alone: Vec<_> = (0..4u64)
        .map(|seed| navmesh.random_navigable_point(&mut Rng::stream(seed, "t", &[])))
        .collect();
    assert_eq!(from_threads, alone);
}

#[test]
fn a_written_file_reads_back_equal() {
    let navmesh = build(&two_rooms());
    let folder = tempfile::tempdir().expect("temporary folder");
    let file = folder.path().join("rooms.navmesh");
    navmesh.save(&file).expect("written");
    let again = NavMesh::load(&file).expect("readable");
    assert_eq!(again.polygons(), navmesh.polygons());
    assert_eq!(again.islands(), navmesh.islands());
    assert_eq!(again.config(), navmesh.config());
    assert_eq!(again.to_bytes(), navmesh.to_bytes());
    assert_eq!(
        std::fs::read_dir(folder.path()).expect("folder").count(),
        1,
        "no temporary file is left"
    );
    let nowhere = navmesh.save(folder.path().join("missing/rooms.navmesh"));
    assert!(matches!(nowhere, Err(NavMeshError::Write { .. })));
}

#[test]
fn broken_files_are_refused_in_words() {
    let good = build(&two_rooms()).to_bytes();
    for length in 0..good.len() {
        assert!(NavMesh::from_bytes(&good[..length]).is_err(), "cut at {length}");
    }
    let mut wrong = good.clone();
    wrong[0] = b'X';
    assert!(NavMesh::from_bytes(&wrong).expect_err("magic").contains("TESM"));
    let mut many = good.clone();
    many[32..36].copy_from_slice(&i32::MAX.to_le_bytes());
    assert!(NavMesh::from_bytes(&many).expect_err("slots").contains("slots"));
    // Any single damaged byte is an error or a navmesh that can still be asked.
    for at in 0..good.len() {
        for flip in [0xff, 0x80, 0x01] {
            let mut bytes = good.clone();
            bytes[at] ^= flip;
            if let Ok(navmesh) = NavMesh::from_bytes(&bytes) {
                let mut rng = Rng::stream(1, "test", &[]);
                let start = navmesh.random_navigable_point(&mut rng).unwrap_or(Vec3::ONE);
                navmesh.try_step(start, start + Vec3::X);
                navmesh.geodesic_distance_m(start, start + Vec3::Z);
            }
        }
    }
    let missing = NavMesh::load("/nonexistent/a.navmesh")
        .expect_err("missing")
        .to_string();
    assert!(missing.ends_with("/nonexistent/a.navmesh"), "{missing}");
}

#[test]
fn what_cannot_be_walked_on_is_refused_with_advice() {
    let config = NavMeshConfig::default();
    assert!(matches!(refusal(&Soup::default(), &config), NavMeshError::EmptyScene));
    let mut wall = Soup::default();
    wall.quad([[0.0, 0.0, 0.0], [5.0, 0.0, 0.0], [5.0, 5.0, 0.0], [0.0, 5.0, 0.0]]);
    let message = refusal(&wall, &config).to_string();
    assert!(
        message.contains("no walkable floor") && message.contains("--up z"),
        "{message}"
    );
    let mut ceiling = Soup::default();
    ceiling.quad([[0.0, 2.0, 0.0], [5.0, 2.0, 0.0], [5.0, 2.0, 5.0], [0.0, 2.0, 5.0]]);
    assert!(refusal(&ceiling, &config).to_string().contains("face down"));
    let mut low = Soup::default();
    low.floor([0.0, 5.0], 0.0, [0.0, 5.0])
        .solid([0.0, 5.0], [1.0, 1.2], [0.0, 5.0]);
    let on_top = build(&low);
    assert!(
        on_top.detail_triangles().flatten().all(|v| v.y > 1.0),
        "no head room below the slab"
    );

    let mut nan = Soup::default();
    nan.floor([0.0, 5.0], f32::NAN, [0.0, 5.0]);
    assert!(matches!(refusal(&nan, &config), NavMeshError::BrokenMesh(_)));
    let stray = Soup {
        vertices: vec![[0.0; 3]],
        triangles: vec![[0, 0, 7]],
    };
    assert!(matches!(refusal(&stray, &config), NavMeshError::BrokenMesh(_)));
    let mut huge = Soup::default();
    huge.floor([-1e4, 1e4], 0.0, [-1e4, 1e4]);
    let message = refusal(&huge, &config).to_string();
    assert!(
        message.contains("20000 x 20000 m") && message.contains("cell_size_m to at least 1"),
        "{message}"
    );
    let bad = NavMeshConfig {
        agent_max_slope_deg: 120.0,
        ..Default::default()
    };
    assert!(
        refusal(&two_rooms(), &bad)
            .to_string()
            .contains("agent_max_slope_deg is 120")
    );
}

#[test]
fn the_island_gate_names_a_value_that_admits_the_scene() {
    let navmesh = build(&two_rooms());
    assert!(navmesh.require_island_radius(1.5).is_ok());
    let message = navmesh.require_island_radius(20.0).expect_err("too small").to_string();
    let admitting = navmesh.largest_island_radius_m();
    assert!(
        message.contains(&format!("{:.2} would admit", (admitting * 100.0).floor() / 100.0)),
        "{message}"
    );
    assert!(
        navmesh
            .require_island_radius((admitting * 100.0).floor() / 100.0)
            .is_ok()
    );
}

#[test]
fn the_map_shows_the_floor_from_above() {
    let navmesh = build(&two_rooms());
    let map = navmesh.top_down(0.05);
    let covered = map.cells.iter().flatten().count() as f64 * 0.05 * 0.05;
    assert!(
        (covered / navmesh.navigable_area_m2() - 1.0).abs() < 0.02,
        "{covered} m2"
    );
    let at = |x: f32, z: f32| {
        let pixel = map.pixel_of(Vec3::new(x, 0.0, z));
        map.mask().get_pixel(pixel.x as u32, pixel.y as u32).0[0]
    };
    assert_eq!((at(2.0, 2.0), at(5.0, 1.0), at(5.0, 4.0)), (255, 0, 255));
    assert_eq!(map.picture().dimensions(), (map.width, map.height));
}

#[test]
fn the_map_of_one_level_leaves_the_others_out() {
    let mut soup = Soup::default();
    soup.floor([0.0, 6.0], 0.0, [0.0, 6.0])
        .solid([0.0, 3.0], [2.8, 3.0], [0.0, 6.0]);
    let navmesh = build(&soup);
    let heights = |low, high| {
        let map = navmesh.top_down_between(0.05, low, high);
        let cells: Vec<f32> = map.cells.iter().flatten().map(|cell| cell.1).collect();
        assert!(cells.iter().all(|h| (low..=high).contains(h)));
        cells.len()
    };
    let (ground, upper) = (heights(-0.5, 1.0), heights(2.0, 4.0));
    assert!(
        upper > 1000 && (ground as f64 / upper as f64 - 2.0).abs() < 0.15,
        "{ground} and {upper} cells"
    );
}
