//! DUSt3R's `metadata.json`.

use serde_json::Value;

use super::batches::{CameraParams, numbered, numbers};
use super::{ImportOptions, Imported, PixelCentres, position};

/// Every batch of `view_batches`.
pub fn read(value: &Value, options: &ImportOptions) -> Result<Imported, String> {
    let batches = numbered(&value["view_batches"]).ok_or("view_batches is no list")?;
    let centres = options.centres.unwrap_or(PixelCentres::Integer);
    let mut positions = Vec::new();
    for (index, batch) in batches {
        let views = numbered(batch).ok_or_else(|| format!("view_batches {index} is no list of views"))?;
        let cameras = views
            .into_iter()
            .map(|(place, view)| {
                let camera = || {
                    let size = view.get("size").ok_or("size is missing")?;
                    let [width, height] = numbers::<2>(size, "size")?;
                    let whole = |v: f64| (v.fract() == 0.0 && (1.0..=65_535.0).contains(&v)).then_some(v as u32);
                    let size = whole(width).zip(whole(height)).ok_or("size is not two whole numbers")?;
                    CameraParams::read(view)?.camera(size, centres)
                };
                camera().map_err(|why: String| format!("view_batches {index}, view {place}: {why}"))
            })
            .collect::<Result<Vec<_>, String>>()?;
        positions.extend(position(index, &cameras));
    }
    if positions.is_empty() {
        return Err("view_batches holds no batch of two views or more".to_owned());
    }
    Ok(Imported {
        kind: "DUSt3R metadata",
        scene: value.get("scene").and_then(Value::as_str).map(str::to_owned),
        positions,
    })
}
