//! Triangle soups for navmesh tests, made here: boxes and quads in world metres, Y up.
#![allow(dead_code, reason = "each test binary uses a part of this module")]

/// A triangle soup under construction.
#[derive(Default)]
pub struct Soup {
    pub vertices: Vec<[f32; 3]>,
    pub triangles: Vec<[u32; 3]>,
}

impl Soup {
    /// A quad whose corners run counter-clockwise seen from the walkable side.
    pub fn quad(&mut self, corners: [[f32; 3]; 4]) -> &mut Self {
        let base = self.vertices.len() as u32;
        self.vertices.extend(corners);
        self.triangles
            .extend([[base, base + 1, base + 2], [base, base + 2, base + 3]]);
        self
    }

    /// A level floor that faces up.
    pub fn floor(&mut self, x: [f32; 2], y: f32, z: [f32; 2]) -> &mut Self {
        self.quad([[x[0], y, z[0]], [x[0], y, z[1]], [x[1], y, z[1]], [x[1], y, z[0]]])
    }

    /// An axis-aligned box with its faces outwards.
    pub fn solid(&mut self, x: [f32; 2], y: [f32; 2], z: [f32; 2]) -> &mut Self {
        let c = |i: usize, j: usize, k: usize| [x[i], y[j], z[k]];
        self.floor(x, y[1], z);
        self.quad([c(0, 0, 0), c(1, 0, 0), c(1, 0, 1), c(0, 0, 1)]);
        self.quad([c(0, 0, 0), c(0, 0, 1), c(0, 1, 1), c(0, 1, 0)]);
        self.quad([c(1, 0, 0), c(1, 1, 0), c(1, 1, 1), c(1, 0, 1)]);
        self.quad([c(0, 0, 0), c(0, 1, 0), c(1, 1, 0), c(1, 0, 0)]);
        self.quad([c(0, 0, 1), c(1, 0, 1), c(1, 1, 1), c(0, 1, 1)])
    }
}

/// A 10 x 8 m room with a wall across that leaves a door of 1 m at z = 3.5..4.5.
pub fn two_rooms() -> Soup {
    let mut soup = Soup::default();
    soup.floor([0.0, 10.0], 0.0, [0.0, 8.0])
        .solid([4.9, 5.1], [-0.5, 2.5], [0.0, 3.5])
        .solid([4.9, 5.1], [-0.5, 2.5], [4.5, 8.0]);
    soup
}
