//! Time of day: what comes through the windows and how much the lamps have to give.

use glam::{Vec3, vec3};

use super::color::{Rgb, draw};
use crate::rng::Rng;

/// Light of one flat, as factors of display-linear red, green and blue.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Mood {
    /// Light from everywhere that corners lack.
    pub(super) ambient: Vec3,
    /// Light of the sky through a window, whatever way it looks.
    pub(super) sky: Vec3,
    /// Light of the sun through a window that faces it.
    pub(super) sun: Vec3,
    /// Towards the sun, level with the ground; windows look away from the room at it.
    pub(super) sun_way: Vec3,
    /// Ceiling lamps.
    pub(super) lamp: Vec3,
    /// Floor and table lamps: off by day.
    pub(super) small_lamp: Vec3,
    /// Tint of what is seen outside.
    pub(super) outside: Rgb,
}

impl Mood {
    /// Draws the hour: an evening with the share `evening`, else a day under cloud or sun.
    pub(super) fn draw(evening: f32, rng: &mut Rng) -> Self {
        let azimuth = draw(rng, 0.0, std::f32::consts::TAU);
        let sun_way = vec3(libm::cosf(azimuth), 0.0, libm::sinf(azimuth));
        let warm = vec3(1.06, 1.0, 0.9);
        if rng.chance(f64::from(evening)) {
            let dusk = draw(rng, 0.05, 0.3);
            let glow = draw(rng, 0.75, 1.1);
            return Self {
                ambient: vec3(0.3, 0.27, 0.23) * draw(rng, 0.8, 1.1),
                sky: vec3(0.5, 0.62, 1.0) * dusk,
                sun: Vec3::ZERO,
                sun_way,
                lamp: vec3(1.14, 0.98, 0.74) * (1.25 * glow),
                small_lamp: vec3(1.16, 0.94, 0.64) * (0.75 * glow),
                outside: [0.28 + dusk, 0.32 + dusk, 0.45 + dusk],
            };
        }
        let sunny = draw(rng, 0.0, 1.0);
        let low_sun = draw(rng, 0.0, 1.0);
        Self {
            ambient: vec3(0.40, 0.395, 0.385) * draw(rng, 0.85, 1.08),
            sky: vec3(0.94, 1.0, 1.07) * (1.15 - 0.4 * sunny),
            sun: vec3(1.12, 1.0, 0.92 - 0.24 * low_sun) * (1.3 * sunny),
            sun_way,
            lamp: warm * draw(rng, 0.55, 1.15),
            small_lamp: Vec3::ZERO,
            outside: [1.0; 3],
        }
    }

    /// Light through a window that looks into the room along `inward`.
    pub(super) fn through(&self, inward: Vec3) -> Vec3 {
        self.sky + self.sun * (-inward.dot(self.sun_way)).max(0.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_towards_the_sun_let_in_more_and_evenings_live_by_lamps() {
        for seed in 0..50 {
            let day = Mood::draw(0.0, &mut Rng::stream(seed, "mood test", &[]));
            let (to, away) = (day.through(-day.sun_way), day.through(day.sun_way));
            assert!(to.cmpge(away).all() && away == day.sky);
            let night = Mood::draw(1.0, &mut Rng::stream(seed, "mood test", &[]));
            assert!(night.lamp.x > 2.0 * night.sky.x && night.outside[0] < 0.6);
        }
    }
}
