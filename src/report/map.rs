//! A scene from above with the positions that were tried and the views that were kept.

use super::figures::Figure;
use super::input::PageInput;
use super::picture;
use super::svg::{Svg, WIDTH};
use crate::camera::Camera;
use crate::export::ExportError;

/// Longest map in the drawing's own coordinates, so that a corridor does not fill the page.
const MAX_HEIGHT: f64 = 420.0;

/// World extent of a map, metres: `[min_x, min_z, max_x, max_z]`.
struct Extent([f64; 4]);

impl Extent {
    /// The extent of points with a margin of a metre; `None` without points.
    fn of(points: impl Iterator<Item = [f64; 2]>) -> Option<Self> {
        let mut extent: Option<[f64; 4]> = None;
        for [x, z] in points.filter(|p| p.iter().all(|v| v.is_finite())) {
            let e = extent.get_or_insert([x, z, x, z]);
            *e = [e[0].min(x), e[1].min(z), e[2].max(x), e[3].max(z)];
        }
        extent.map(|e| Self([e[0] - 1.0, e[1] - 1.0, e[2] + 1.0, e[3] + 1.0]))
    }
}

/// The map of one scene; `None` where no position of it is known.
///
/// # Errors
///
/// Where the picture from above cannot be encoded.
pub fn map(input: &PageInput, scene: &str) -> Result<Option<Figure>, ExportError> {
    let trials: Vec<_> = input.trials.iter().filter(|t| t.trial.scene == scene).collect();
    let views: Vec<(&str, [&Camera; 2])> = input
        .pairs
        .iter()
        .filter(|shown| shown.pair.origin.scene == scene)
        .map(|shown| {
            (
                shown.folder.as_str(),
                [&shown.pair.first.camera, &shown.pair.second.camera],
            )
        })
        .collect();
    let topdown = input.topdowns.iter().find(|(name, _)| name == scene).map(|(_, t)| t);
    let stops = trials.iter().flat_map(|t| t.trial.stops.iter().copied());
    let eyes = views
        .iter()
        .flat_map(|(_, cameras)| cameras.map(|c| [c.eye().x, c.eye().z]));
    let extent = match topdown {
        Some(t) => {
            let size = [t.image.width(), t.image.height()].map(|n| f64::from(n) * t.metres_per_pixel);
            Some(Extent([t.min_x, t.min_z, t.min_x + size[0], t.min_z + size[1]]))
        }
        None => Extent::of(stops.chain(eyes)),
    };
    let Some(Extent([min_x, min_z, max_x, max_z])) = extent else {
        return Ok(None);
    };
    let scale = (WIDTH / (max_x - min_x)).min(MAX_HEIGHT / (max_z - min_z));
    let left = 0.5 * (WIDTH - scale * (max_x - min_x));
    let height = scale * (max_z - min_z);
    let place = |x: f64, z: f64| [left + scale * (x - min_x), scale * (z - min_z)];

    let mut svg = Svg::new(height + 24.0);
    svg.rect("map-back", [left, 0.0, scale * (max_x - min_x), height], "");
    if let Some(topdown) = topdown {
        let address = picture::sharp(&topdown.image)?;
        svg.image([left, 0.0, scale * (max_x - min_x), height], &address);
    }
    for record in &trials {
        let class = if record.pairs.is_empty() {
            "stop-refused"
        } else {
            "stop-kept"
        };
        let ended = record.reason.as_deref().unwrap_or("kept");
        let hint = format!("position {}: {}", record.trial.index, super::figures::sentence(ended));
        svg.path("walk", record.trial.stops.iter().map(|s| place(s[0], s[1])), false);
        for (number, stop) in record.trial.stops.iter().enumerate() {
            let [x, y] = place(stop[0], stop[1]);
            // The first stop is the sampled position, the others follow from it.
            svg.dot(class, x, y, if number == 0 { 3.2 } else { 1.8 }, &hint);
        }
    }
    for (_, cameras) in &views {
        for (camera, class) in cameras.iter().zip(["wedge-first", "wedge-second"]) {
            svg.path(
                class,
                wedge(camera, 0.55f64.max(14.0 / scale)).map(|p| place(p[0], p[1])),
                true,
            );
        }
    }
    scale_bar(&mut svg, left, height, scale);
    let [tried, kept] = input.positions.get(scene).copied().unwrap_or_default();
    let drawn = match trials.len() as u64 {
        all if all == tried => String::new(),
        some => format!("; {some} of them are drawn"),
    };
    let caption = format!(
        "{tried} positions tried, {kept} gave a pair{drawn}. Wedges show where the views of {} pairs look. \
         The top of the map is world -z, its right +x.",
        views.len()
    );
    let title = format!("{scene} from above");
    Ok(Some(Figure {
        svg: svg.finish(&format!("{title}. {caption}")),
        title,
        caption,
    }))
}

/// The horizontal field of view of a camera as a triangle of (x, z), `length` metres deep.
fn wedge(camera: &Camera, length: f64) -> [[f64; 2]; 3] {
    let half = 0.5 * camera.intrinsics.hfov_rad();
    let (eye, forward) = (camera.eye(), camera.forward());
    let heading = libm::atan2(forward.x, -forward.z);
    let tip = |angle: f64| {
        [
            eye.x + length * libm::sin(heading + angle),
            eye.z - length * libm::cos(heading + angle),
        ]
    };
    [[eye.x, eye.z], tip(-half), tip(half)]
}

fn scale_bar(svg: &mut Svg, left: f64, height: f64, scale: f64) {
    let metres = [0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0]
        .into_iter()
        .find(|m| m * scale > 40.0)
        .unwrap_or(100.0);
    let row = height + 12.0;
    svg.line("axis", [left + 2.0, row, left + 2.0 + metres * scale, row]);
    svg.text(
        "tick",
        "start",
        left + 8.0 + metres * scale,
        row + 4.0,
        &format!("{metres} m"),
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::Intrinsics;
    use glam::DVec3;

    #[test]
    fn a_wedge_opens_where_the_camera_looks() {
        let intrinsics = Intrinsics::from_hfov(10, 10, std::f64::consts::FRAC_PI_2);
        let camera = Camera::level(intrinsics, DVec3::new(1.0, 1.5, 2.0), 0.0);
        let [eye, a, b] = wedge(&camera, 1.0);
        let side = std::f64::consts::FRAC_1_SQRT_2;
        assert_eq!(eye, [1.0, 2.0]);
        assert!((a[0] - (1.0 - side)).abs() < 1e-9 && (a[1] - (2.0 - side)).abs() < 1e-9);
        assert!((b[0] - (1.0 + side)).abs() < 1e-9 && (b[1] - (2.0 - side)).abs() < 1e-9);
    }
}
