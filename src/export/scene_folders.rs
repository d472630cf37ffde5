//! Folder names of scenes in trees of other programs.

use std::collections::{BTreeMap, BTreeSet};

use super::native::RunRecord;

/// A name as a folder that needs no quoting anywhere: what is no letter, digit, `-`, `_` or an inner
/// `.` becomes `_`.
pub(super) fn folder_name(name: &str) -> String {
    let plain = |c: char| {
        if c.is_alphanumeric() || "-_.".contains(c) {
            c
        } else {
            '_'
        }
    };
    let name: String = name.chars().map(plain).collect();
    match name.trim_start_matches('.') {
        "" => "_".into(),
        trimmed => trimmed.into(),
    }
}

/// One folder a scene of a run: scenes whose names differ only in odd characters get `-2`, `-3`, ...
#[derive(Debug, Clone)]
pub(super) struct SceneFolders(BTreeMap<String, String>);

impl SceneFolders {
    pub(super) fn of(run: &RunRecord) -> Self {
        let mut taken = BTreeSet::new();
        let mut folders = BTreeMap::new();
        for scene in &run.scenes {
            let name = folder_name(&scene.name);
            let mut names = std::iter::once(name.clone()).chain((2u32..).map(|n| format!("{name}-{n}")));
            let free = names.find(|n| !taken.contains(n)).unwrap_or(name);
            taken.insert(free.clone());
            folders.insert(scene.name.clone(), free);
        }
        Self(folders)
    }

    /// The folder of a scene.
    pub(super) fn get(&self, scene: &str) -> String {
        self.0.get(scene).cloned().unwrap_or_else(|| folder_name(scene))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::native::SceneRecord;

    #[test]
    fn names_stay_inside_the_tree() {
        for (name, folder) in [
            ("white-room", "white-room"),
            ("../x", "_x"),
            ("..", "_"),
            ("procedural:7 é", "procedural_7_é"),
        ] {
            assert_eq!(folder_name(name), folder);
        }
    }

    #[test]
    fn two_scenes_never_share_a_folder() {
        let scenes = ["a b", "a:b", "a_b"].map(|name| SceneRecord {
            name: name.into(),
            hash: String::new(),
        });
        let run = RunRecord::new("covista", serde_json::json!({}), 0, scenes.into(), "none");
        let folders = SceneFolders::of(&run);
        assert_eq!(["a b", "a:b", "a_b"].map(|s| folders.get(s)), ["a_b", "a_b-2", "a_b-3"]);
    }
}
