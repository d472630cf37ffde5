//! Plans and streams: what is planned and drawn later, or streamed, is what `generate` gives.

#![allow(clippy::unwrap_used, reason = "in a test a panic is the report")]

mod common;

use std::collections::BTreeMap;
use std::path::Path;

use common::program::command as covista;
use common::tree::tree;
use covista::export::native::NativeReader;
use covista::export::npy;
use covista::plan::PlanReader;
use covista::scene::{SceneConfig, SceneSource, write_glb};
use serde_json::Value;

const RUN: [&str; 8] = [
    "--scene",
    "procedural:3",
    "--profile",
    "smoke",
    "--seed",
    "11",
    "--pairs",
    "3",
];

#[test]
fn a_plan_drawn_later_is_the_set_that_generate_gives() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let plan = path("plan.jsonl");
    covista()
        .arg("generate")
        .args(RUN)
        .arg("--out")
        .arg(path("set"))
        .assert()
        .success();
    covista()
        .arg("plan")
        .args(RUN)
        .arg("--out")
        .arg(&plan)
        .assert()
        .success();
    let draw = |out: &str, args: &[&str]| {
        let mut command = covista();
        command
            .arg("render")
            .arg("--plan")
            .arg(&plan)
            .arg("--out")
            .arg(path(out))
            .args(args);
        command
    };
    draw("drawn", &[]).assert().success();
    let (set, drawn) = (tree(&path("set")), tree(&path("drawn")));
    assert_eq!(set.keys().collect::<Vec<_>>(), drawn.keys().collect::<Vec<_>>());
    for (name, bytes) in &set {
        assert!(bytes == &drawn[name], "{name} differs");
    }
    assert!(std::fs::metadata(&plan).unwrap().len() < 100_000);

    // A plan of fewer pairs, continued, is the same plan.
    let mut fewer = RUN;
    fewer[7] = "1";
    covista()
        .arg("plan")
        .args(fewer)
        .arg("--out")
        .arg(path("grown"))
        .assert()
        .success();
    let again = covista().arg("plan").args(RUN).arg("--out").arg(path("grown")).assert();
    again.failure().code(5);
    let mut resumed = covista();
    resumed
        .arg("plan")
        .args(RUN)
        .arg("--resume")
        .arg("--out")
        .arg(path("grown"));
    resumed.assert().success();
    assert!(std::fs::read(path("grown")).unwrap() == std::fs::read(&plan).unwrap());

    // Twice the size with more channels: the same poses and field of view.
    let more = ["--size", "448", "--sensors", "normal,instance,validity,flow"];
    draw("large", &more).assert().success();
    let (small, large) = (
        NativeReader::open(&path("set")).unwrap(),
        NativeReader::open(&path("large")).unwrap(),
    );
    assert_eq!(small.len(), large.len());
    for (a, b) in small.pairs().zip(large.pairs()) {
        let (a, b) = (a.unwrap(), b.unwrap());
        assert_eq!(b.first.color.dimensions(), (448, 448));
        assert_eq!(a.first.camera.world_from_camera, b.first.camera.world_from_camera);
        let (ka, kb) = (a.second.camera.intrinsics, b.second.camera.intrinsics);
        assert!((2.0 * ka.fx - kb.fx).abs() < 1e-9 && kb.cx == 224.0);
        let (ca, cb) = (a.overlaps.covisibility.unwrap(), b.overlaps.covisibility.unwrap());
        assert!((ca.min() - cb.min()).abs() < 0.05, "{ca:?} {cb:?}");
        assert_eq!((a.true_correspondence.grid, b.true_correspondence.grid), (14, 28));
        let centre = (a.first.depth.at(112, 112), b.first.depth.at(224, 224));
        assert!((centre.0 - centre.1).abs() < 0.05 * centre.0.max(0.1), "{centre:?}");
    }
    let first = path("large").join("000000");
    let (shape, normals) = npy::read_f32(&first.join("second.normal.npy")).unwrap();
    assert_eq!(shape, [448, 448, 3]);
    let hit = normals.chunks(3).map(|n| n.iter().map(|v| v * v).sum::<f32>());
    assert!(hit.clone().any(|length| length > 0.0) && hit.clone().all(|l| l == 0.0 || (l - 1.0).abs() < 1e-4));
    for name in [
        "first.instance.npy",
        "first.validity.png",
        "first.flow.npy",
        "second.flow_state.png",
    ] {
        assert!(first.join(name).is_file(), "{name}");
    }

    // Recordings are for builds that can make them.
    if cfg!(not(feature = "rerun")) {
        let mut show = covista();
        show.arg("show").arg(path("set")).arg("--rerun").arg(path("pair.rrd"));
        let shown = show.assert().failure().code(2);
        let said = String::from_utf8_lossy(&shown.get_output().stderr).into_owned();
        assert!(
            said.contains("--features rerun") && !path("pair.rrd").exists(),
            "{said}"
        );
    }

    // Another scene is refused, unless it is wanted.
    let other = draw("other", &["--scene", "procedural:4"]).assert().failure().code(3);
    let said = String::from_utf8_lossy(&other.get_output().stderr).into_owned();
    assert!(said.contains("another scene") && said.contains("--force"), "{said}");
    assert!(!path("other").exists());
    draw("other", &["--scene", "procedural:4", "--force"])
        .assert()
        .success();

    // What decides on pairs cannot be changed any more.
    let late = draw("late", &["--set", "select.min_overlap=0.1"])
        .assert()
        .failure()
        .code(2);
    assert!(String::from_utf8_lossy(&late.get_output().stderr).contains("has decided"));

    // A plan that was cut off is told from a whole one.
    let text = std::fs::read_to_string(&plan).unwrap();
    let cut = path("cut.jsonl");
    for keep in [text.len() - 3, text.len() / 2] {
        std::fs::write(&cut, &text[..keep]).unwrap();
        let failed = covista()
            .arg("render")
            .arg("--plan")
            .arg(&cut)
            .arg("--out")
            .arg(path(&format!("cut-{keep}")))
            .assert();
        let failed = failed.failure().code(3);
        let said = String::from_utf8_lossy(&failed.get_output().stderr).into_owned();
        assert!(said.contains("cut off"), "{said}");
    }
}

/// A room without textures, and its file.
/// Bytes of a tar by member.
fn members(tar: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut archive = tar::Archive::new(tar);
    let mut found = BTreeMap::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        std::io::Read::read_to_end(&mut entry, &mut bytes).unwrap();
        found.insert(name, bytes);
    }
    found
}

/// The samples of a stream by their index: what the pair is, and its pictures.
fn indexed(found: &BTreeMap<String, Vec<u8>>) -> BTreeMap<u64, [Vec<u8>; 3]> {
    let records = found
        .iter()
        .filter_map(|(name, json)| Some((name.strip_suffix(".json")?, json)));
    let sample = |(key, json): (&str, &Vec<u8>)| {
        let index = serde_json::from_slice::<Value>(json).unwrap()["index"]
            .as_u64()
            .unwrap();
        let [first, second] = ["first", "second"].map(|view| found[&format!("{key}.{view}.png")].clone());
        (index, [json.clone(), first, second])
    };
    records.map(sample).collect()
}

/// Many scenes, two files of one name and one of no use among them.
fn write_list(folder: &Path) -> Vec<String> {
    for (place, seed) in [("a", 5), ("b", 6)] {
        let scene = SceneSource::Procedural(seed).load(&SceneConfig::default()).unwrap();
        std::fs::create_dir(folder.join(place)).unwrap();
        write_glb(&scene, &folder.join(place).join("flat.glb")).unwrap();
    }
    std::fs::write(folder.join("broken.glb"), b"glTF but not for long").unwrap();
    std::fs::write(
        folder.join("list.txt"),
        "a/flat.glb\n2:b/flat.glb\n# and no more\nbroken.glb\n",
    )
    .unwrap();
    let run = [
        "--scene",
        "procedural:3-4",
        "--scene",
        "procedural:*",
        "--profile",
        "smoke",
        "--seed",
        "11",
        "--set",
        "generate.block_pairs=2",
        "--set",
        "select.min_laplacian_variance=0",
        "--set",
        "select.min_overlap=0.1",
        "--set",
        "select.max_overlap=0.9",
        "--scenes",
    ];
    let list = folder.join("list.txt").display().to_string();
    run.into_iter().map(str::to_owned).chain([list]).collect()
}

#[test]
fn plans_and_streams_of_many_scenes_are_what_generate_gives() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let run = write_list(folder.path());
    let with = |command: &str, pairs: &str, out: &str, more: &[&str]| {
        let mut made = covista();
        made.arg(command).args(&run).args(["--pairs", pairs]).args(more);
        made.arg("--out").arg(path(out)).assert()
    };
    with("generate", "14", "set", &[]).success();
    with("plan", "14", "plan", &[]).success();
    let mut draw = covista();
    draw.arg("render")
        .arg("--plan")
        .arg(path("plan"))
        .arg("--out")
        .arg(path("drawn"));
    draw.assert().success();
    let (set, drawn) = (tree(&path("set")), tree(&path("drawn")));
    assert_eq!(set.keys().collect::<Vec<_>>(), drawn.keys().collect::<Vec<_>>());
    for (name, bytes) in &set {
        assert!(bytes == &drawn[name], "{name} differs");
    }
    let reader = NativeReader::open(&path("set")).unwrap();
    let names: Vec<&str> = reader.run().scenes.iter().map(|scene| scene.name.as_str()).collect();
    assert!(
        names.len() >= 5 && names.contains(&"a/flat.glb") && names.contains(&"b/flat.glb"),
        "{names:?}"
    );
    assert_eq!(reader.skipped().len(), 1);

    // A plan of fewer pairs, continued, is the same plan; of other scenes or weights it is not continued.
    with("plan", "5", "grown", &[]).success();
    with("plan", "14", "grown", &["--resume"]).success();
    assert!(std::fs::read(path("grown")).unwrap() == std::fs::read(path("plan")).unwrap());
    let other = with("plan", "14", "grown", &["--resume", "--scene", "procedural:9"])
        .failure()
        .code(2);
    let said = String::from_utf8_lossy(&other.get_output().stderr).into_owned();
    assert!(
        said.contains("list of scenes") && said.contains("procedural:9"),
        "{said}"
    );
    assert!(
        !folder.path().read_dir().unwrap().any(|file| {
            let name = file.unwrap().file_name();
            name.to_string_lossy().starts_with('.')
        }),
        "nothing unfinished stays"
    );

    // Quotas hold, as in generate.
    with("plan", "8", "limited", &["--scene-quota", "2"]).success();
    let mut of_scene: BTreeMap<String, usize> = BTreeMap::new();
    for position in PlanReader::open(&path("limited")).unwrap() {
        let position = position.unwrap();
        *of_scene.entry(position.scene).or_default() += position.pairs.len();
    }
    let fixed = |(scene, _): &(&String, &usize)| {
        !scene.starts_with("procedural") || ["procedural-3", "procedural-4"].contains(&scene.as_str())
    };
    assert!(
        of_scene.iter().filter(fixed).all(|(_, pairs)| *pairs <= 2),
        "{of_scene:?}"
    );

    // A scene that is not there any more, or another one now.
    std::fs::copy(path("a").join("flat.glb"), path("b").join("flat.glb")).unwrap();
    let mut draw = covista();
    draw.arg("render")
        .arg("--plan")
        .arg(path("plan"))
        .arg("--out")
        .arg(path("late"));
    let late = draw.assert().failure().code(3);
    let said = String::from_utf8_lossy(&late.get_output().stderr).into_owned();
    assert!(said.contains("another scene") && said.contains("b/flat.glb"), "{said}");
    assert!(!path("late").exists());
}

#[test]
fn streams_of_many_scenes_hold_what_generate_writes() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let run = write_list(folder.path());
    let mut made = covista();
    made.arg("generate").args(&run).args(["--pairs", "10"]);
    made.arg("--out").arg(folder.path().join("set")).assert().success();
    let stream = |args: &[&str]| {
        let output = covista().arg("stream").args(&run).args(args).assert().success();
        indexed(&members(&output.get_output().stdout))
    };
    let whole = stream(&["--pairs", "10"]);
    assert_eq!(whole.len(), 10);
    let reader = NativeReader::open(&folder.path().join("set")).unwrap();
    for entry in reader.entries() {
        let entry = entry.unwrap();
        let read = |name: &str| std::fs::read(folder.path().join("set").join(&entry.folder).join(name)).unwrap();
        let record: Value = serde_json::from_slice(&read("pair.json")).unwrap();
        let written = ["pair.json", "first.png", "second.png"].map(read);
        assert!(whole[&record["index"].as_u64().unwrap()] == written, "{}", entry.folder);
    }
    // Parts are blocks of the same run.
    let mut together = stream(&["--pairs", "4", "--shard", "0/2"]);
    together.extend(stream(&["--pairs", "4", "--shard", "1/2"]));
    assert_eq!(together.len(), 8);
    let first: BTreeMap<_, _> = whole.into_iter().filter(|(index, _)| index >> 32 < 4).collect();
    assert!(together == first, "{:?} {:?}", together.keys(), first.keys());
}

#[test]
fn streams_hold_what_generate_writes_and_end_with_their_reader() {
    if common::gpu().is_none() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let set = folder.path().join("set");
    covista()
        .arg("generate")
        .args(RUN)
        .arg("--out")
        .arg(&set)
        .assert()
        .success();
    let stream = |args: &[&str]| {
        let output = covista()
            .arg("stream")
            .args(args)
            .assert()
            .success()
            .get_output()
            .clone();
        assert!(output.stderr.is_empty(), "{}", String::from_utf8_lossy(&output.stderr));
        members(&output.stdout)
    };
    let whole = stream(&RUN);
    let samples = |found: &BTreeMap<String, Vec<u8>>| {
        let keys = found.keys().filter_map(|name| name.strip_suffix(".json"));
        keys.map(str::to_owned).collect::<Vec<_>>()
    };
    let keys = samples(&whole);
    assert_eq!(keys.len(), 3);
    for (number, key) in keys.iter().enumerate() {
        for (file, field) in [
            ("first.png", "first.png"),
            ("second.depth.npy", "second.depth.npy"),
            ("pair.json", "json"),
        ] {
            let written = std::fs::read(set.join(format!("{number:06}/{file}"))).unwrap();
            assert!(whole[&format!("{key}.{field}")] == written, "{key} {field}");
        }
    }
    // Two parts share no sample, and are what a longer run makes.
    let part = |shard: &str, pairs: &str| {
        let mut args = RUN.to_vec();
        args[7] = pairs;
        args.extend(["--set", "generate.block_pairs=2", "--shard", shard]);
        indexed(&stream(&args))
    };
    let mut together = part("0/2", "2");
    for (index, sample) in part("1/2", "2") {
        assert!(together.insert(index, sample).is_none(), "sample {index} comes twice");
    }
    assert!(together == part("0/1", "4"));

    // A reader that goes away ends an endless stream quietly.
    let mut child = std::process::Command::new(assert_cmd::cargo::cargo_bin("covista"))
        .args([
            "stream",
            "--scene",
            "procedural:3",
            "--profile",
            "smoke",
            "--seed",
            "11",
        ])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut some = [0; 4096];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut some).unwrap();
    drop(child.stdout.take());
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{:?}", ended.status);
    assert!(ended.stderr.is_empty(), "{}", String::from_utf8_lossy(&ended.stderr));
}
