//! Seeded damage: to bytes, to the words of a text, to the nodes of a JSON value.

use covista::rng::Rng;
use serde_json::{Value, json};

/// One source of damage; the same (target, case) gives the same damage anywhere.
pub struct Mutator {
    rng: Rng,
}

/// Names that lead out of a folder, or nowhere.
const NAMES: [&str; 16] = [
    "",
    ".",
    "..",
    "../secret.bin",
    "../secret.png",
    "../secret.mtl",
    "../secret.glb",
    "a/../../secret.bin",
    "..\\secret.bin",
    "%2e%2e/secret.bin",
    "%2E%2E%2Fsecret.glb",
    "/etc/hostname",
    "file:///etc/hostname",
    "data:;base64,",
    "data:application/octet-stream;base64,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    "gone\u{0}.bin",
];

/// Numbers at which counts, offsets and casts go wrong.
const NUMBERS: [&str; 24] = [
    "0",
    "1",
    "-1",
    "2",
    "3",
    "4",
    "127",
    "128",
    "255",
    "256",
    "65535",
    "65536",
    "2147483647",
    "2147483648",
    "4294967295",
    "4294967296",
    "9007199254740993",
    "18446744073709551615",
    "-9223372036854775808",
    "0.5",
    "1e38",
    "1e39",
    "1e308",
    "-1e-320",
];

/// Nodes to which damage may blow a JSON value up: what a reader may take is measured for files of ordinary size.
const MOST_NODES: usize = 4000;
/// Bytes to which it may blow a text up.
const MOST_BYTES: usize = 1 << 17;

impl Mutator {
    pub fn new(target: &str, case: u64) -> Self {
        let word = u64::from_le_bytes(*blake3::hash(target.as_bytes()).as_bytes().first_chunk().unwrap());
        Self {
            rng: Rng::stream(word, "mutate", &[case]),
        }
    }

    /// A whole number below `end`; 0 where there is none.
    pub fn below(&mut self, end: usize) -> usize {
        if end == 0 {
            0
        } else {
            self.rng.below(end as u64) as usize
        }
    }

    /// True once in `times`.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    pub fn pick<'a, T: ?Sized>(&mut self, from: &[&'a T]) -> &'a T {
        from[self.below(from.len())]
    }

    /// A copy with one to eight pieces of damage.
    pub fn bytes(&mut self, of: &[u8]) -> Vec<u8> {
        let mut bytes = of.to_vec();
        for _ in 0..1 << self.below(4) {
            self.damage(&mut bytes);
        }
        bytes
    }

    fn damage(&mut self, bytes: &mut Vec<u8>) {
        let at = self.below(bytes.len());
        let longest = 1 << self.below(8);
        let length = self.below(longest).min(bytes.len() - at);
        match self.below(10) {
            0 if !bytes.is_empty() => bytes[at] ^= 1 << self.below(8),
            1 if !bytes.is_empty() => bytes[at] = self.rng.next_u64() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..at + length)),
            4 => {
                let copy = bytes[at..at + length].to_vec();
                let place = self.below(bytes.len());
                bytes.splice(place..place, copy);
            }
            5 => {
                let copy = bytes[at..at + length].to_vec();
                let place = self.below(bytes.len() - length + 1);
                bytes[place..place + length].copy_from_slice(&copy);
            }
            6 => bytes[at..at + length].fill([0, 0xff, 0x7f, 0x80][self.below(4)]),
            // Words of 2, 4 or 8 bytes, which is how binary formats count.
            _ => {
                let size = bytes.len() as u64;
                let word = [
                    0,
                    1,
                    size,
                    size + 1,
                    size.wrapping_sub(1),
                    1 << 16,
                    0x7fff_ffff,
                    1 << 31,
                    0xffff_ffff,
                ][self.below(9)]
                .to_le_bytes();
                let width = [2, 4, 4, 8][self.below(4)].min(bytes.len());
                let at = at.min(bytes.len() - width);
                // Most words lie at multiples of their size.
                let at = if self.once_in(4) { at } else { at / width.max(1) * width };
                bytes[at..at + width].copy_from_slice(&word[..width]);
            }
        }
    }

    /// A copy with one to four words, lines or letters changed.
    pub fn text(&mut self, of: &[u8]) -> Vec<u8> {
        let mut text = String::from_utf8_lossy(of).into_owned();
        for _ in 0..1 << self.below(3) {
            text = self.reword(&text);
        }
        if self.once_in(4) {
            return self.bytes(text.as_bytes());
        }
        text.into_bytes()
    }

    fn reword(&mut self, text: &str) -> String {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        if text.len() > MOST_BYTES {
            return text.to_owned();
        }
        if lines.is_empty() {
            return NUMBERS[self.below(NUMBERS.len())].to_owned();
        }
        let at = self.below(lines.len());
        match self.below(6) {
            0 => drop(lines.remove(at)),
            1 => {
                let line = lines[at].clone();
                let times = (1 << self.below(10)).min(MOST_BYTES / (line.len() + 1));
                lines.splice(at..at, std::iter::repeat_n(line, times));
            }
            2 => {
                let other = self.below(lines.len());
                lines.swap(at, other);
            }
            _ => {
                // A word is a run of letters, digits, signs and points.
                let separates = |c: char| !(c.is_alphanumeric() || "+-._".contains(c));
                let line = lines[at].clone();
                let words: Vec<(usize, &str)> = line
                    .split(separates)
                    .filter(|word| !word.is_empty())
                    .map(|word| (word.as_ptr() as usize - line.as_ptr() as usize, word))
                    .collect();
                if !words.is_empty() {
                    let (start, word) = words[self.below(words.len())];
                    let new = match self.below(5) {
                        0 => String::new(),
                        1 => NAMES[self.below(NAMES.len())].to_owned(),
                        2 => word.repeat(1 << self.below(8)),
                        _ => NUMBERS[self.below(NUMBERS.len())].to_owned(),
                    };
                    lines[at].replace_range(start..start + word.len(), &new);
                }
            }
        }
        lines.join("\n")
    }

    /// Changes one to four nodes of a JSON value.
    pub fn json(&mut self, value: &mut Value) {
        for _ in 0..1 << self.below(3) {
            let node = self.below(count(value));
            let mut donor = value.clone();
            let from = self.below(count(&donor));
            let donor = nth(&mut donor, &mut { from }).cloned().unwrap_or_default();
            if count(value) > MOST_NODES {
                return;
            }
            if let Some(node) = nth(value, &mut { node }) {
                self.change(node, donor);
            }
        }
    }

    fn change(&mut self, node: &mut Value, donor: Value) {
        let number = |text: &str| serde_json::from_str(text).unwrap_or(Value::Null);
        match (self.below(12), &mut *node) {
            (0..=2, Value::Array(list)) if !list.is_empty() => {
                let at = self.below(list.len());
                match self.below(3) {
                    0 => drop(list.remove(at)),
                    1 => list.push(list[at].clone()),
                    _ => {
                        let copy = list[at].clone();
                        let times = (1 << self.below(10)).min(MOST_NODES / count(&copy));
                        list.extend(std::iter::repeat_n(copy, times));
                    }
                }
            }
            (0..=3, Value::Object(map)) if !map.is_empty() => {
                let key = map.keys().nth(self.below(map.len())).cloned().unwrap_or_default();
                let value = map.remove(&key);
                if self.once_in(3) {
                    map.insert(NAMES[self.below(NAMES.len())].to_owned(), value.unwrap_or_default());
                }
            }
            (0..=7, Value::Number(_)) => *node = number(NUMBERS[self.below(NUMBERS.len())]),
            (0..=7, Value::String(text)) => match self.below(4) {
                0 => *text = text.repeat(1 << self.below(12)),
                _ => *text = NAMES[self.below(NAMES.len())].to_owned(),
            },
            (8, _) => *node = donor,
            (9, _) => *node = (0..1 << self.below(8)).fold(donor, |inner, _| json!([inner])),
            (10, _) => *node = [json!(null), json!(true), json!([]), json!({}), json!("")][self.below(5)].clone(),
            _ => *node = number(NUMBERS[self.below(NUMBERS.len())]),
        }
    }
}

/// Nodes of a value, itself included.
fn count(value: &Value) -> usize {
    1 + match value {
        Value::Array(list) => list.iter().map(count).sum(),
        Value::Object(map) => map.values().map(count).sum(),
        _ => 0,
    }
}

/// Node number `left` in depth-first order.
fn nth<'a>(value: &'a mut Value, left: &mut usize) -> Option<&'a mut Value> {
    if *left == 0 {
        return Some(value);
    }
    *left -= 1;
    match value {
        Value::Array(list) => list.iter_mut().find_map(|inner| nth(inner, left)),
        Value::Object(map) => map.values_mut().find_map(|inner| nth(inner, left)),
        _ => None,
    }
}
