//! Points that nobody sees, under something that lies on their surface, take the light of their neighbours.
//!
//! A corner of the mesh may be covered (a door's board under its panels, a floor under a chest) while the
//! edges that leave it come out into the open: its darkness would be smeared along them.

/// Openness below which a point counts as covered; where three walls meet it is still twice that.
const COVERED_BELOW: f32 = 0.1;
/// How many edges far openness is carried.
const PASSES: usize = 12;

/// Replaces the openness of covered points by the mean of their neighbours', farther and farther in.
///
/// `triangles` gives the points of each triangle's corners. What no open point can be reached from stays.
pub(super) fn uncover(openness: &mut [f32], triangles: &[[u32; 3]]) {
    let mut known: Vec<bool> = openness.iter().map(|&o| o >= COVERED_BELOW).collect();
    let mut touched: Vec<[u32; 3]> = triangles
        .iter()
        .copied()
        .filter(|t| t.iter().any(|&p| !known[p as usize]))
        .collect();
    let mut sums = vec![(0.0f32, 0u32); openness.len()];
    for _ in 0..PASSES {
        let mut reached: Vec<u32> = Vec::new();
        for triangle in &touched {
            for &point in triangle.iter().filter(|&&p| !known[p as usize]) {
                let (sum, count) = &mut sums[point as usize];
                for &other in triangle.iter().filter(|&&p| known[p as usize]) {
                    if *count == 0 {
                        reached.push(point);
                    }
                    *sum += openness[other as usize];
                    *count += 1;
                }
            }
        }
        if reached.is_empty() {
            return;
        }
        for point in reached {
            let (sum, count) = sums[point as usize];
            openness[point as usize] = sum / count as f32;
            known[point as usize] = true;
        }
        touched.retain(|t| t.iter().any(|&p| !known[p as usize]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn darkness_under_a_thing_is_replaced_from_its_rim_inwards() {
        // A strip of points 0 1 2 3 4, of which 2, 3 and 4 are covered, and an island 5 6 7 that is.
        let mut openness = [0.9, 0.7, 0.0, 0.02, 0.0, 0.0, 0.0, 0.0];
        uncover(&mut openness, &[[0, 1, 2], [1, 2, 3], [2, 3, 4], [5, 6, 7]]);
        assert!((openness[2] - (0.9 + 0.7 + 0.7) / 3.0).abs() < 1e-6);
        assert!((openness[3] - 0.7).abs() < 1e-6, "{openness:?}");
        assert!(openness[4] > 0.7);
        assert_eq!(openness[5..], [0.0; 3]);
    }
}
