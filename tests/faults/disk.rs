//! Disks that are full, read-only or gone, and files that were damaged.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::common;
use crate::process::{Bench, assert_same, finish, program, tree, wait_for};

/// A file system of its own in memory; unmounted in the end. `None` with a printed "skipped" where that is not allowed.
pub struct Disk<'a>(&'a Path);

impl<'a> Disk<'a> {
    pub fn new(path: &'a Path, size: &str) -> Option<Self> {
        fs::create_dir_all(path).unwrap();
        let mounted = mount(&["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"], path);
        if !mounted {
            println!("skipped: no file system can be mounted here");
        }
        mounted.then_some(Self(path))
    }

    pub fn again(&self, how: &str) {
        assert!(mount(&["-o", &format!("remount,{how}")], self.0));
    }
}

impl Drop for Disk<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

fn mount(options: &[&str], path: &Path) -> bool {
    let mounted = Command::new("mount")
        .args(options)
        .arg(path)
        .stderr(Stdio::null())
        .status();
    mounted.is_ok_and(|status| status.success())
}

#[test]
fn a_full_disk_ends_it_and_space_lets_it_go_on() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    let whole = bench.whole();
    let mounted = bench.path("small");
    let bytes: usize = whole.values().map(Vec::len).sum();
    let Some(disk) = Disk::new(&mounted, &(bytes / 2).to_string()) else {
        return;
    };
    let out = mounted.join("set");
    bench.run(&out, &[]).expect(5, "the disk is full");
    // Still full: the same clear end.
    let again = bench.run(&out, &["--resume"]);
    again.expect(5, "the disk is full");
    disk.again("size=100m");
    bench.run(&out, &["--resume"]).expect(0, "");
    assert_same(&whole, &tree(&out));
}

#[test]
fn a_disk_that_fills_while_formats_are_made_keeps_the_pairs() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(6);
    // Bytes of a tree in whole pages, as a file system in memory counts them.
    let room = |tree: &BTreeMap<String, Vec<u8>>| {
        tree.values()
            .map(|file| file.len().next_multiple_of(4096))
            .sum::<usize>()
    };
    let wanted = bench.path("wanted");
    bench.run(&wanted, &["--format", "croco"]).expect(0, "");
    let mounted = bench.path("small");
    // The pairs fit, and then the format does not.
    let Some(disk) = Disk::new(&mounted, &(room(&bench.whole()) + room(&tree(&wanted)) / 2).to_string()) else {
        return;
    };
    let out = mounted.join("set");
    let ended = bench.run(&out, &["--format", "croco"]);
    ended.expect(5, "the 6 pairs are not in the format croco yet: the disk is full");
    assert!(!out.exists());
    disk.again("size=100m");
    ended.run_advice().expect(0, "");
    assert_same(&tree(&wanted), &tree(&out));
    drop(disk);

    // Of several formats of an export those that are complete stay.
    let wanted = bench.path("two");
    let export = |out: &Path| {
        let mut command = Command::new(program());
        command.arg("export").arg(bench.path("whole")).arg("--out").arg(out);
        command.args(["--format", "webdataset,npy"]);
        finish(command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap())
    };
    export(&wanted).expect(0, "");
    let [first, second] = ["webdataset", "npy"].map(|name| room(&tree(&wanted.join(name))));
    let Some(disk) = Disk::new(&mounted, &(first + second / 2).to_string()) else {
        return;
    };
    let ended = export(&out);
    ended.expect(5, "complete: webdataset; missing: npy: the disk is full");
    assert_same(&tree(&wanted.join("webdataset")), &tree(&out.join("webdataset")));
    assert!(!out.join("npy").exists());
    disk.again("size=100m");
    ended.run_advice().expect(0, "");
    assert_same(&tree(&wanted), &tree(&out));
}

#[test]
fn a_file_that_may_not_grow_ends_it() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(12);
    let whole = bench.whole();
    let out = bench.path("limited");
    // The journal outgrows 4 kB; the signal that the limit sends is ignored, so that the write fails.
    let script = format!("trap '' XFSZ; ulimit -f 4; exec {} \"$@\"", program().display());
    let mut command = Command::new("bash");
    command
        .args(["-c", &script, "covista"])
        .args(bench.arguments(&out, &[]));
    let child = command
        .env("MESA_SHADER_CACHE_DISABLE", "true")
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn();
    finish(child.unwrap()).expect(5, "cannot write");
    bench.run(&out, &["--resume"]).expect(0, "");
    assert_same(&whole, &tree(&out));
}

#[test]
fn a_read_only_output_is_told() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(4);
    let mounted = bench.path("read-only");
    let Some(disk) = Disk::new(&mounted, "50m") else {
        return;
    };
    let finished = mounted.join("finished");
    bench.run(&finished, &[]).expect(0, "");
    let before = tree(&finished);
    fs::remove_file(finished.join("000001/first.png")).unwrap();
    disk.again("ro");
    bench.run(&mounted.join("new"), &[]).expect(5, "Read-only file system");
    // A set that is damaged there cannot be mended, and stays as it is.
    bench.run(&finished, &["--resume"]).expect(5, "Read-only file system");
    disk.again("rw");
    bench.run(&finished, &["--resume"]).expect(0, "");
    assert_same(&before, &tree(&finished));
}

#[test]
fn an_output_that_vanishes_ends_it() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(40);
    let out = bench.path("gone");
    let mut child = bench.command(&out, &[]).spawn().unwrap();
    assert!(wait_for(&mut child, || out.join("000002").exists()));
    // A writer may put a file in between; then it is removed again.
    while fs::remove_dir_all(&out).is_err() && out.exists() {}
    let ended = finish(child);
    ended.expect(5, "No such file or directory");
    bench.run(&out, &["--resume"]).expect(0, "");
    assert_same(&bench.whole(), &tree(&out));
}

#[test]
fn damage_is_found_and_only_that_is_made_again() {
    let Some(_gpu) = common::gpu() else { return };
    let bench = Bench::new(6);
    let whole = bench.whole();
    let out = bench.path("damaged");
    bench.run(&out, &[]).expect(0, "");
    let modified = |name: &str| fs::metadata(out.join(name)).unwrap().modified().unwrap();
    let untouched = modified("000000/first.png");
    // A flipped bit, a file cut short, one that is gone, and one too many.
    let flip = |name: &str| {
        let mut bytes = fs::read(out.join(name)).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(out.join(name), bytes).unwrap();
    };
    flip("000001/second.png");
    let cut = fs::read(out.join("000002/first.depth.npy")).unwrap();
    fs::write(out.join("000002/first.depth.npy"), &cut[..100]).unwrap();
    fs::remove_file(out.join("000003/pair.json")).unwrap();
    fs::remove_file(out.join("topdown-000.png")).unwrap();
    fs::create_dir(out.join("000099")).unwrap();
    let ended = bench.run(&out, &["--resume"]);
    for name in ["000001", "000002", "000003", "topdown-000.png"] {
        ended.expect(0, name);
    }
    assert_same(&whole, &tree(&out));
    assert_eq!(modified("000000/first.png"), untouched);

    // A manifest that makes no sense is named, and nothing is touched.
    let text = fs::read(out.join("manifest.json")).unwrap();
    fs::write(out.join("manifest.json"), &text[..text.len() / 2]).unwrap();
    let before = tree(&out);
    let ended = bench.run(&out, &["--resume"]);
    assert!(
        matches!(ended.code(), Some(2 | 3)),
        "{:?}: {}",
        ended.code(),
        ended.stderr
    );
    assert_same(&before, &tree(&out));
}
