//! The geometry lines of an OBJ file.

use std::collections::{BTreeMap, HashMap};

use crate::scene::files::shorten;

/// What an OBJ file says, before it is placed.
#[derive(Debug, Default)]
pub(super) struct Parsed {
    /// Positions as written.
    pub(super) positions: Vec<[f32; 3]>,
    /// Colours beside the positions; empty, or one a position.
    pub(super) colors: Vec<[f32; 3]>,
    /// Texture coordinates as written: origin at the bottom left.
    pub(super) uvs: Vec<[f32; 2]>,
    /// Faces by object and material.
    pub(super) groups: Vec<Group>,
    /// Material names in the order of their first use.
    pub(super) materials: Vec<String>,
    /// Names of the material libraries, in order.
    pub(super) libraries: Vec<String>,
}

/// Triangles of one object and one material, with the corners made unique.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Index into [`Parsed::materials`]; `None` before the first `usemtl`.
    pub(super) material: Option<usize>,
    /// 1-based object number.
    pub(super) instance: u32,
    /// Position and texture coordinate of each vertex; the latter may be absent.
    pub(super) vertices: Vec<(u32, Option<u32>)>,
    /// Triangle list into `vertices`.
    pub(super) indices: Vec<u32>,
    known: HashMap<(u32, Option<u32>), u32>,
}

/// Reads all lines. `reserve(vertices, triangles)` is asked before memory grows.
pub(super) fn parse<E>(
    bytes: &[u8],
    malformed: impl Fn(String) -> E,
    mut reserve: impl FnMut(usize, usize) -> Result<(), E>,
) -> Result<Parsed, E> {
    let mut parsed = Parsed::default();
    let mut group_of: BTreeMap<(u32, Option<usize>), usize> = BTreeMap::new();
    let mut material_of: HashMap<Vec<u8>, usize> = HashMap::new();
    let (mut instance, mut has_objects, mut material, mut group) = (1u32, false, None, None);
    let mut corners: Vec<(u32, Option<u32>)> = Vec::new();
    for (number, line) in lines(bytes) {
        let (keyword, rest) = split_word(line);
        let at_line = |what: String| malformed(format!("line {number}: {what}"));
        match keyword {
            b"v" => {
                reserve(1, 0)?;
                let (values, count) = floats::<7>(rest).map_err(at_line)?;
                if count < 3 {
                    return Err(at_line("a vertex has fewer than 3 coordinates".to_owned()));
                }
                // Six numbers are position and colour; four have a weight, which meshes do not use.
                if count >= 6 {
                    parsed.colors.resize(parsed.positions.len(), [1.0; 3]);
                    parsed.colors.push([values[3], values[4], values[5]]);
                }
                parsed.positions.push([values[0], values[1], values[2]]);
            }
            b"vt" => {
                reserve(1, 0)?;
                let (values, _) = floats::<3>(rest).map_err(at_line)?;
                parsed.uvs.push([values[0], values[1]]);
            }
            b"f" => {
                corners.clear();
                for word in words(rest) {
                    corners.push(corner(word, parsed.positions.len(), parsed.uvs.len()).map_err(at_line)?);
                }
                if corners.len() < 3 {
                    continue;
                }
                reserve(0, corners.len() - 2)?;
                let index = *group.get_or_insert_with(|| {
                    *group_of.entry((instance, material)).or_insert_with(|| {
                        parsed.groups.push(Group {
                            material,
                            instance,
                            ..Group::default()
                        });
                        parsed.groups.len() - 1
                    })
                });
                let group = &mut parsed.groups[index];
                let before = group.vertices.len();
                group.polygon(&corners);
                reserve(group.vertices.len() - before, 0)?;
            }
            b"o" => {
                has_objects = true;
                instance += u32::from(!parsed.groups.is_empty());
                group = None;
            }
            b"g" if !has_objects => {
                instance += u32::from(!parsed.groups.is_empty());
                group = None;
            }
            b"usemtl" => {
                let next = material_of.len();
                let index = *material_of.entry(rest.to_vec()).or_insert_with(|| {
                    parsed.materials.push(String::from_utf8_lossy(rest).into_owned());
                    next
                });
                material = Some(index);
                group = None;
            }
            b"mtllib" => parsed.libraries.push(String::from_utf8_lossy(rest).into_owned()),
            // Normals, smoothing, lines, points and comments change nothing here.
            _ => {}
        }
    }
    if !parsed.colors.is_empty() {
        parsed.colors.resize(parsed.positions.len(), [1.0; 3]);
    }
    Ok(parsed)
}

impl Group {
    /// Adds a polygon as a fan around its first corner.
    fn polygon(&mut self, corners: &[(u32, Option<u32>)]) {
        let mut fan = [0u32; 3];
        for (at, corner) in corners.iter().enumerate() {
            let next = self.vertices.len() as u32;
            let index = *self.known.entry(*corner).or_insert(next);
            if index == next {
                self.vertices.push(*corner);
            }
            if at < 3 {
                fan[at] = index;
            } else {
                fan = [fan[0], fan[2], index];
            }
            if at >= 2 {
                self.indices.extend(fan);
            }
        }
    }
}

/// Lines without the blanks around them, with their 1-based number.
fn lines(bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    bytes
        .split(|&b| b == b'\n')
        .enumerate()
        .map(|(i, line)| (i + 1, line.trim_ascii()))
}

fn split_word(line: &[u8]) -> (&[u8], &[u8]) {
    match line.iter().position(u8::is_ascii_whitespace) {
        Some(end) => (&line[..end], line[end..].trim_ascii()),
        None => (line, &[]),
    }
}

fn words(line: &[u8]) -> impl Iterator<Item = &[u8]> {
    line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty())
}

/// Up to `N` numbers and how many there were.
pub(super) fn floats<const N: usize>(line: &[u8]) -> Result<([f32; N], usize), String> {
    let mut values = [0.0; N];
    let mut count = 0;
    for (slot, word) in values.iter_mut().zip(words(line)) {
        *slot = std::str::from_utf8(word)
            .ok()
            .and_then(|w| w.parse().ok())
            .ok_or_else(|| format!("{:?} is not a number", shorten(&String::from_utf8_lossy(word))))?;
        count += 1;
    }
    Ok((values, count))
}

/// `v`, `v/vt`, `v//vn` or `v/vt/vn`: 1-based, or negative from the end.
fn corner(word: &[u8], positions: usize, uvs: usize) -> Result<(u32, Option<u32>), String> {
    let mut parts = word.split(|&b| b == b'/');
    let position = index(parts.next().unwrap_or_default(), positions, word)?;
    let uv = match parts.next() {
        Some(part) if !part.is_empty() => Some(index(part, uvs, word)?),
        _ => None,
    };
    Ok((position, uv))
}

fn index(part: &[u8], count: usize, word: &[u8]) -> Result<u32, String> {
    let shown = || shorten(&String::from_utf8_lossy(word));
    let number: i64 = std::str::from_utf8(part)
        .ok()
        .and_then(|p| p.parse().ok())
        .ok_or_else(|| format!("the face corner {:?} is not an index", shown()))?;
    let at = if number < 0 {
        number.checked_add(count as i64)
    } else {
        number.checked_sub(1)
    };
    at.and_then(|at| u32::try_from(at).ok())
        .filter(|&at| (at as usize) < count)
        .ok_or_else(|| format!("the face corner {:?} is out of range: there are {count}", shown()))
}
