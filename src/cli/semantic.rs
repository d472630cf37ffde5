//! Semantic ids of HM3D: `X.semantic.glb` and `X.semantic.txt` beside `X.glb` or `X.basis.glb`.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use covista::camera::PosedCamera;
use covista::render::{Gpu, PaintedIds, RenderConfig};
use covista::scene::{SceneConfig, SceneSource, SemanticTable, Up, load};
use covista::view::IdMap;

/// The painted copy of a scene and the table of its colours.
pub struct SemanticScene {
    painted: PaintedIds,
    table: SemanticTable,
}

impl SemanticScene {
    /// Reads what stands beside a scene's file; `None` where nothing does. `up` is that of the scene.
    pub fn beside(gpu: &Gpu, source: &SceneSource, up: Up, config: &RenderConfig) -> anyhow::Result<Option<Self>> {
        let Some((glb, text)) = files(source) else {
            return Ok(None);
        };
        let table = SemanticTable::read(&text)?;
        let scene = load(
            &glb,
            &SceneConfig {
                up,
                ..SceneConfig::default()
            },
        )?;
        Ok(Some(Self {
            painted: PaintedIds::upload(gpu, &scene, config)?,
            table,
        }))
    }

    /// Category of each id.
    pub fn names(&self) -> BTreeMap<u32, String> {
        let labels = self.table.labels.iter();
        labels.map(|label| (label.id, label.category.clone())).collect()
    }

    /// Ids that the cameras see.
    pub fn ids(&self, cameras: &[PosedCamera]) -> anyhow::Result<Vec<IdMap>> {
        Ok(self.painted.capture(cameras, |color| self.table.id_of(color))?)
    }
}

/// The painted scene and its table, where both are there.
fn files(source: &SceneSource) -> Option<(PathBuf, PathBuf)> {
    let SceneSource::File(path) = source else { return None };
    let name = path.file_name()?.to_str()?;
    let stem = name.strip_suffix(".glb")?;
    let stem = stem.strip_suffix(".basis").unwrap_or(stem);
    let beside = |suffix: &str| -> PathBuf { path.with_file_name(format!("{stem}.semantic.{suffix}")) };
    let found = (beside("glb"), beside("txt"));
    let is_file = |path: &Path| path.is_file();
    (is_file(&found.0) && is_file(&found.1)).then_some(found)
}
