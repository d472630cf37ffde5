//! Poses that CroCo and DUSt3R released are drawn where they say.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::path::Path;

use common::program::command as covista;
use covista::export::native::NativeReader;
use covista::export::npy;
use covista::scene::{primitives, write_glb};
use serde_json::{Value, json};

const ROOM: [f64; 3] = [4.0, 3.0, 6.0];

fn write_room(path: &Path) {
    let size = ROOM.map(|side| side as f32);
    write_glb(&primitives::box_room(size, None), path).unwrap();
}

/// Distance to the walls along a ray, in lengths of `direction`. The room's floor is at 0, its middle at x = z = 0.
fn to_the_wall(eye: [f64; 3], direction: [f64; 3]) -> f64 {
    let low = [-0.5 * ROOM[0], 0.0, -0.5 * ROOM[2]];
    let high = [0.5 * ROOM[0], ROOM[1], 0.5 * ROOM[2]];
    (0..3)
        .map(|axis| {
            let wall = if direction[axis] > 0.0 { high[axis] } else { low[axis] };
            let t = (wall - eye[axis]) / direction[axis];
            if t.is_finite() { t } else { f64::INFINITY }
        })
        .fold(f64::INFINITY, f64::min)
}

/// Depth of a view of the room by hand: `ray(column, row)` is the direction of a pixel in the world with a length
/// of 1 along the optical axis.
fn assert_depth(file: &Path, [width, height]: [usize; 2], eye: [f64; 3], ray: impl Fn(usize, usize) -> [f64; 3]) {
    let (shape, metres) = npy::read_f32(file).unwrap();
    assert_eq!(shape, [height, width]);
    let mut wrong = 0;
    for row in 0..height {
        for column in 0..width {
            let expected = to_the_wall(eye, ray(column, row));
            let found = f64::from(metres[row * width + column]);
            // Pixels that hold an edge of the room may fall to either wall; they are as deep all the same.
            wrong += usize::from((found - expected).abs() > 2e-4 * expected.max(1.0));
        }
    }
    assert!(
        wrong <= width * height / 500,
        "{wrong} of {} pixels: {}",
        width * height,
        file.display()
    );
}

/// A vector turned by the quaternion (w, x, y, z).
fn turned([w, x, y, z]: [f64; 4], v: [f64; 3]) -> [f64; 3] {
    let cross = |a: [f64; 3], b: [f64; 3]| {
        [
            a[1] * b[2] - a[2] * b[1],
            a[2] * b[0] - a[0] * b[2],
            a[0] * b[1] - a[1] * b[0],
        ]
    };
    let u = [x, y, z];
    let first = cross(u, v);
    let second = cross(u, first);
    std::array::from_fn(|i| v[i] + 2.0 * w * first[i] + 2.0 * second[i])
}

/// Left by `yaw`, then up by `pitch`, then rolled, radians, about Habitat's camera axes; (w, x, y, z).
fn quaternion(yaw: f64, pitch: f64, roll: f64) -> [f64; 4] {
    let product = |[a, b, c, d]: [f64; 4], [e, f, g, h]: [f64; 4]| {
        [
            a * e - b * f - c * g - d * h,
            a * f + b * e + c * h - d * g,
            a * g - b * h + c * e + d * f,
            a * h + b * g - c * f + d * e,
        ]
    };
    let half = |angle: f64| (0.5 * angle).sin_cos();
    let ((sy, cy), (sp, cp), (sr, cr)) = (half(yaw), half(pitch), half(roll));
    product(product([cy, 0.0, sy, 0.0], [cp, sp, 0.0, 0.0]), [cr, 0.0, 0.0, sr])
}

const POSES: [([f64; 3], [f64; 3]); 3] = [
    ([0.9, 1.2, -1.1], [0.4, 0.1, 0.05]),
    ([-0.7, 1.6, 0.8], [0.7, -0.15, -0.08]),
    ([0.3, 1.4, 1.9], [0.1, 0.2, 0.0]),
];

fn draw_others(folder: &Path, plan: &Path, out: &Path, args: &[&str]) {
    let room = folder.join("room.glb");
    write_room(&room);
    let mut command = covista();
    command.arg("render").arg("--plan").arg(plan).arg("--scene").arg(room);
    command.args(["--up", "y"]).arg("--out").arg(out).args(args);
    command.assert().success();
}

/// Rows of the rotation that takes OpenCV's camera axes to the world, from a quaternion of Habitat's.
fn rotation(q: [f64; 4]) -> [[f64; 3]; 3] {
    let columns = [
        turned(q, [1.0, 0.0, 0.0]),
        turned(q, [0.0, -1.0, 0.0]),
        turned(q, [0.0, 0.0, -1.0]),
    ];
    std::array::from_fn(|row| columns.map(|column| column[row]))
}

fn apply(rows: &[[f64; 3]; 3], v: [f64; 3]) -> [f64; 3] {
    rows.map(|row| row[0] * v[0] + row[1] * v[1] + row[2] * v[2])
}

#[test]
fn poses_of_croco_are_drawn_where_they_say() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let q = POSES.map(|(_, [yaw, pitch, roll])| quaternion(yaw, pitch, roll));
    let metadata = json!({
        "scene": "anywhere",
        "multiviews": {
            "10": {"positions": [POSES[1].0, POSES[2].0], "orientations": [q[1], q[2]], "covisibility_ratios": [1.0, 0.6]},
            "2": {"positions": [POSES[0].0, POSES[1].0], "orientations": [q[0], q[1]], "valid_fractions": [1.0, 1.0]},
        },
    });
    let plan = folder.path().join("metadata.json");
    std::fs::write(&plan, metadata.to_string()).unwrap();
    let out = folder.path().join("drawn");
    draw_others(
        folder.path(),
        &plan,
        &out,
        &["--width", "64", "--height", "48", "--hfov-deg", "70"],
    );
    let focal = 32.0 / (35f64.to_radians()).tan();
    // Entry 2 comes before entry 10.
    for (pair, views) in [[0, 1], [1, 2]].into_iter().enumerate() {
        for (name, view) in ["first", "second"].into_iter().zip(views) {
            let file = out.join(format!("{pair:06}/{name}.depth.npy"));
            assert_depth(&file, [64, 48], POSES[view].0, |column, row| {
                let (x, y) = (column as f64 + 0.5 - 32.0, row as f64 + 0.5 - 24.0);
                turned(q[view], [x / focal, -y / focal, -1.0])
            });
        }
    }
    let record: Value = serde_json::from_slice(&std::fs::read(out.join("000001/pair.json")).unwrap()).unwrap();
    assert_eq!(record["index"], 10);
    assert!(record["overlaps"]["croco"]["first_to_second"].as_f64().is_some());
}

#[test]
fn camera_files_and_batches_of_dust3r_are_drawn_where_they_say() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let r = POSES.map(|(_, [yaw, pitch, roll])| rotation(quaternion(yaw, pitch, roll)));
    let (focal, centre) = ([50.0, 54.0], [30.5, 25.5]);
    let k = |centre: [f64; 2]| json!([[focal[0], 0.0, centre[0]], [0.0, focal[1], centre[1]], [0.0, 0.0, 1.0]]);
    let size = [60usize, 52];

    // Pixel centres at integers.
    let view = |i: usize| json!({"camera_intrinsics": k(centre), "size": size, "R_cam2world": r[i], "t_cam2world": POSES[i].0});
    let metadata = json!({"scene": "anywhere", "scene_dataset_config_file": "",
        "view_batches": [[view(0), view(1), view(2)]]});
    let plan = folder.path().join("metadata.json");
    std::fs::write(&plan, metadata.to_string()).unwrap();
    let out = folder.path().join("batches");
    draw_others(folder.path(), &plan, &out, &[]);
    let check = |out: &Path, pair: usize, views: [usize; 2], shift: f64| {
        for (name, view) in ["first", "second"].into_iter().zip(views) {
            let file = out.join(format!("{pair:06}/{name}.depth.npy"));
            assert_depth(&file, size, POSES[view].0, |column, row| {
                let x = (column as f64 + shift - centre[0]) / focal[0];
                let y = (row as f64 + shift - centre[1]) / focal[1];
                apply(&r[view], [x, y, 1.0])
            });
        }
    };
    // The first view goes with each other one.
    check(&out, 0, [0, 1], 0.0);
    check(&out, 1, [0, 2], 0.0);
    assert_eq!(NativeReader::open(&out).unwrap().len(), 2);

    // Camera files, pixel centres at halves; translations may be columns.
    let files = folder.path().join("cameras");
    std::fs::create_dir(&files).unwrap();
    for (name, i) in [("00000003_1", 1), ("00000003_2", 2), ("notes", 0)] {
        let t = POSES[i].0.map(|v| [v]);
        let params = json!({"camera_intrinsics": k(centre), "R_cam2world": r[i], "t_cam2world": t});
        std::fs::write(files.join(format!("{name}_camera_params.json")), params.to_string()).unwrap();
    }
    let out = folder.path().join("files");
    let args = ["--width", "60", "--height", "52", "--pixel-centres", "half"];
    draw_others(folder.path(), &files, &out, &args);
    check(&out, 0, [1, 2], 0.5);

    // What is no plan at all is said.
    for (text, part) in [
        ("{}", "no poses"),
        ("[1, 2", "neither a plan"),
        (
            r#"{"view_batches": [[{"size": [4, 4]}, {}]]}"#,
            "camera_intrinsics is missing",
        ),
        (
            r#"{"positions": [[0,0,0],[0,0,0]], "orientations": [[2,0,0,0],[1,0,0,0]]}"#,
            "unit quaternion",
        ),
    ] {
        std::fs::write(&plan, text).unwrap();
        let mut command = covista();
        command
            .arg("render")
            .arg("--plan")
            .arg(&plan)
            .arg("--scene")
            .arg(folder.path().join("room.glb"));
        let failed = command
            .arg("--out")
            .arg(folder.path().join("none"))
            .assert()
            .failure()
            .code(3);
        let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
        assert!(said.contains(part), "{said}");
    }
}
