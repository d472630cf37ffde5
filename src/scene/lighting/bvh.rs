//! A tree of boxes over triangles, for short rays on the CPU.

use glam::{Vec3, Vec3A};

/// Triangles in a leaf at most, unless they cannot be told apart.
const LEAF: usize = 4;
/// Places tried for a split.
const BINS: usize = 16;
/// Beyond this depth nodes are halved by count, which bounds the stack of a traversal.
const DEEPEST_BY_COST: u32 = 32;
/// Enough for that depth and then 2^32 triangles halved.
const STACK: usize = 72;

/// A box and what lies in it.
#[derive(Debug, Clone, Copy)]
struct Node {
    min: Vec3A,
    max: Vec3A,
    /// First triangle of a leaf, or the first of the two children.
    first: u32,
    /// Triangles of a leaf; 0 for an inner node.
    count: u32,
}

/// A corner and the two edges that leave it.
#[derive(Debug, Clone, Copy)]
struct Triangle {
    corner: Vec3A,
    edges: [Vec3A; 2],
}

/// Triangles that rays can be cast against. Fronts are solid and backs let rays pass, as in pictures that leave
/// backs out: what nobody can see casts no shade.
#[derive(Debug, Default)]
pub(super) struct Bvh {
    nodes: Vec<Node>,
    triangles: Vec<Triangle>,
}

#[derive(Debug, Clone, Copy)]
struct Item {
    min: Vec3,
    max: Vec3,
    middle: Vec3,
    index: u32,
}

impl Bvh {
    /// Over triangles given by their corners.
    pub fn new(corners: &[[Vec3; 3]]) -> Self {
        let mut items: Vec<Item> = corners
            .iter()
            .enumerate()
            .map(|(index, [a, b, c])| {
                let (min, max) = (a.min(*b).min(*c), a.max(*b).max(*c));
                Item {
                    min,
                    max,
                    middle: 0.5 * (min + max),
                    index: index as u32,
                }
            })
            .collect();
        let mut nodes = Vec::with_capacity(corners.len());
        if !items.is_empty() {
            nodes.push(leaf(&items, 0));
            // (node, range of its items, depth)
            let mut open = vec![(0usize, 0usize, items.len(), 0u32)];
            while let Some((node, start, end, depth)) = open.pop() {
                let Some(middle) = split(&mut items[start..end], depth) else {
                    continue;
                };
                let (middle, first) = (start + middle, nodes.len());
                nodes.push(leaf(&items[start..middle], start));
                nodes.push(leaf(&items[middle..end], middle));
                nodes[node].first = first as u32;
                nodes[node].count = 0;
                open.push((first, start, middle, depth + 1));
                open.push((first + 1, middle, end, depth + 1));
            }
        }
        let triangles = items
            .iter()
            .map(|item| {
                let [a, b, c] = corners[item.index as usize].map(Vec3A::from);
                Triangle {
                    corner: a,
                    edges: [b - a, c - a],
                }
            })
            .collect();
        Self { nodes, triangles }
    }

    /// Distance to the first front along a unit direction, if it is below `limit`.
    pub fn first_hit(&self, origin: Vec3, direction: Vec3, limit: f32) -> Option<f32> {
        let (origin, direction) = (Vec3A::from(origin), Vec3A::from(direction));
        let inverse = direction.recip();
        let mut nearest = limit;
        // Nodes to look at, with where the ray enters them.
        let mut stack = [(0u32, 0.0f32); STACK];
        let mut used = usize::from(!self.nodes.is_empty());
        while used > 0 {
            used -= 1;
            let (place, enter) = stack[used];
            if enter >= nearest {
                continue;
            }
            let node = &self.nodes[place as usize];
            if node.count > 0 {
                let range = node.first as usize..(node.first + node.count) as usize;
                for triangle in &self.triangles[range] {
                    if let Some(distance) = triangle.hit(origin, direction).filter(|&d| d < nearest) {
                        nearest = distance;
                    }
                }
                continue;
            }
            let [left, right] = [node.first, node.first + 1];
            let enters = |child: u32| entry(&self.nodes[child as usize], origin, inverse, nearest);
            let (l, r) = (enters(left).map(|e| (left, e)), enters(right).map(|e| (right, e)));
            // The nearer child is looked at first, so it goes on top.
            let nearer_is_left = l.zip(r).is_some_and(|((_, a), (_, b))| a <= b);
            for child in if nearer_is_left { [r, l] } else { [l, r] }.into_iter().flatten() {
                stack[used] = child;
                used += 1;
            }
        }
        (nearest < limit).then_some(nearest)
    }
}

fn leaf(items: &[Item], first: usize) -> Node {
    let (min, max) = bounds(items);
    Node {
        min: min.into(),
        max: max.into(),
        first: first as u32,
        count: items.len() as u32,
    }
}

fn bounds(items: &[Item]) -> (Vec3, Vec3) {
    items
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(min, max), item| {
            (min.min(item.min), max.max(item.max))
        })
}

fn half_area(min: Vec3, max: Vec3) -> f32 {
    let d = (max - min).max(Vec3::ZERO);
    d.x * d.y + d.y * d.z + d.z * d.x
}

/// Reorders the items so that those before the place returned go left; `None` where a leaf is best.
fn split(items: &mut [Item], depth: u32) -> Option<usize> {
    if items.len() <= LEAF {
        return None;
    }
    let (low, high) = items
        .iter()
        .fold((Vec3::INFINITY, Vec3::NEG_INFINITY), |(low, high), item| {
            (low.min(item.middle), high.max(item.middle))
        });
    let extent = high - low;
    let axis = if extent.x >= extent.y && extent.x >= extent.z {
        0
    } else if extent.y >= extent.z {
        1
    } else {
        2
    };
    if extent[axis] <= 0.0 || depth >= DEEPEST_BY_COST {
        return Some(halve(items, axis));
    }
    let scale = BINS as f32 * 0.9999 / extent[axis];
    let bin = |item: &Item| ((item.middle[axis] - low[axis]) * scale) as usize;
    let mut bins = [(0usize, Vec3::INFINITY, Vec3::NEG_INFINITY); BINS];
    for item in items.iter() {
        let (count, min, max) = &mut bins[bin(item).min(BINS - 1)];
        *count += 1;
        *min = min.min(item.min);
        *max = max.max(item.max);
    }
    // Cost of what lies right of each border, then of both sides.
    let mut right = [0.0f32; BINS];
    let mut grown = (0usize, Vec3::INFINITY, Vec3::NEG_INFINITY);
    for at in (1..BINS).rev() {
        grown = join(grown, bins[at]);
        right[at] = grown.0 as f32 * half_area(grown.1, grown.2);
    }
    let mut best: Option<(f32, usize)> = None;
    let mut grown = (0usize, Vec3::INFINITY, Vec3::NEG_INFINITY);
    for at in 1..BINS {
        grown = join(grown, bins[at - 1]);
        if grown.0 == 0 || grown.0 == items.len() {
            continue;
        }
        let cost = grown.0 as f32 * half_area(grown.1, grown.2) + right[at];
        if best.is_none_or(|(least, _)| cost < least) {
            best = Some((cost, at));
        }
    }
    let Some((_, border)) = best else {
        return Some(halve(items, axis));
    };
    // Stable, so that the tree depends on the triangles alone.
    items.sort_by_key(|item| bin(item).min(BINS - 1) >= border);
    Some(items.partition_point(|item| bin(item).min(BINS - 1) < border))
}

fn join(a: (usize, Vec3, Vec3), b: (usize, Vec3, Vec3)) -> (usize, Vec3, Vec3) {
    (a.0 + b.0, a.1.min(b.1), a.2.max(b.2))
}

fn halve(items: &mut [Item], axis: usize) -> usize {
    let middle = items.len() / 2;
    items.select_nth_unstable_by(middle, |a, b| {
        a.middle[axis].total_cmp(&b.middle[axis]).then(a.index.cmp(&b.index))
    });
    middle
}

/// Where a ray enters the box, if it does so before `limit`.
#[inline]
fn entry(node: &Node, origin: Vec3A, inverse: Vec3A, limit: f32) -> Option<f32> {
    let (a, b) = ((node.min - origin) * inverse, (node.max - origin) * inverse);
    // A ray within a face's plane gives 0 * infinity; `min` and `max` drop the NaN.
    let (near, far) = (a.min(b), a.max(b));
    let enter = near.max_element().max(0.0);
    let leave = far.min_element().min(limit);
    (enter <= leave).then_some(enter)
}

impl Triangle {
    /// Moeller and Trumbore's test, from the front; distance along a unit direction.
    #[inline]
    fn hit(&self, origin: Vec3A, direction: Vec3A) -> Option<f32> {
        let [ab, ac] = self.edges;
        let p = direction.cross(ac);
        let determinant = ab.dot(p);
        if determinant <= 0.0 {
            return None;
        }
        let inverse = 1.0 / determinant;
        let from_a = origin - self.corner;
        let u = from_a.dot(p) * inverse;
        let q = from_a.cross(ab);
        let v = direction.dot(q) * inverse;
        let t = ac.dot(q) * inverse;
        (u >= 0.0 && v >= 0.0 && u + v <= 1.0 && t > 0.0).then_some(t)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn the_tree_finds_what_trying_every_triangle_finds() {
        let mut rng = Rng::stream(3, "bvh test", &[]);
        let mut point = |size: f64| {
            let mut next = || rng.range(-size, size) as f32;
            Vec3::new(next(), next(), next())
        };
        let corners: Vec<[Vec3; 3]> = (0..500)
            .map(|_| {
                let middle = point(3.0);
                [middle + point(0.4), middle + point(0.4), middle + point(0.4)]
            })
            .collect();
        let bvh = Bvh::new(&corners);
        let mut found = 0;
        for _ in 0..2000 {
            let (origin, direction) = (point(4.0), point(1.0).normalize());
            let tried = corners
                .iter()
                .filter_map(|corners| {
                    let [a, b, c] = corners.map(Vec3A::from);
                    let edges = [b - a, c - a];
                    Triangle { corner: a, edges }.hit(origin.into(), direction.into())
                })
                .filter(|&d| d < 2.0)
                .min_by(f32::total_cmp);
            assert_eq!(bvh.first_hit(origin, direction, 2.0), tried);
            found += usize::from(tried.is_some());
        }
        assert!(found > 50, "{found} rays hit");
    }

    #[test]
    fn triangles_in_one_place_and_no_triangles_are_no_trouble() {
        let same = [[Vec3::ZERO, Vec3::X, Vec3::Y]; 100];
        let hit = Bvh::new(&same).first_hit(Vec3::new(0.2, 0.2, 1.0), Vec3::NEG_Z, 5.0);
        assert_eq!(hit, Some(1.0));
        let from_behind = Bvh::new(&same).first_hit(Vec3::new(0.2, 0.2, -1.0), Vec3::Z, 5.0);
        assert_eq!(from_behind, None);
        assert_eq!(Bvh::new(&[]).first_hit(Vec3::ZERO, Vec3::X, 1.0), None);
    }
}
