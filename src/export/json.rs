//! JSON with one spelling a value: keys sorted, floats in their shortest form, a fixed layout.
//!
//! Two runs that mean the same write the same bytes, and a person can still read them: what fits
//! stands on one line, long lists of small items are filled like a paragraph.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

/// Columns that a line may fill.
const WIDTH: usize = 110;
/// Items up to this long share lines with their neighbours.
const SMALL_ITEM: usize = 30;

/// The value on one line, keys sorted, without spaces.
pub fn compact(value: &Value) -> String {
    let mut out = String::new();
    write_compact(value, &mut out);
    out
}

/// The value laid out for reading, keys sorted, with a final newline.
pub fn pretty(value: &Value) -> String {
    let mut out = String::new();
    write_pretty(value, 0, 0, &mut out);
    out.push('\n');
    out
}

/// Any plain record as a JSON value.
///
/// # Errors
///
/// The serializer's own sentence; records of this crate do not fail.
pub fn to_value<T: Serialize>(record: &T) -> Result<Value, super::ExportError> {
    serde_json::to_value(record).map_err(|e| super::ExportError::Unfit {
        format: "JSON",
        why: e.to_string(),
    })
}

/// BLAKE3 of the compact form, hexadecimal: the identity of a configuration.
pub fn hash(value: &Value) -> String {
    blake3::hash(compact(value).as_bytes()).to_hex().to_string()
}

/// Entries in the order of their keys: `serde_json`'s own order depends on a cargo feature that any
/// crate of the tree may turn on.
fn sorted(map: &serde_json::Map<String, Value>) -> Vec<(&String, &Value)> {
    let mut entries: Vec<_> = map.iter().collect();
    entries.sort_by_key(|(key, _)| key.as_str());
    entries
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn write_compact(value: &Value, out: &mut String) {
    match value {
        Value::Array(items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                write_compact(item, out);
            }
            out.push(']');
        }
        Value::Object(map) => {
            out.push('{');
            for (i, (key, item)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    out.push(',');
                }
                out.push_str(&quoted(key));
                out.push(':');
                write_compact(item, out);
            }
            out.push('}');
        }
        plain => out.push_str(&plain.to_string()),
    }
}

/// `column` is where the value starts on its line, `indent` the depth of the line.
fn write_pretty(value: &Value, indent: usize, column: usize, out: &mut String) {
    let one_line = compact(value);
    // Room for a comma; the manifest itself and its like never fit.
    if column + one_line.len() < WIDTH {
        out.push_str(&one_line);
        return;
    }
    let pad = "  ".repeat(indent + 1);
    match value {
        Value::Array(items) => {
            out.push_str("[\n");
            let small = items.iter().all(|item| compact(item).len() <= SMALL_ITEM);
            let mut line = pad.len();
            out.push_str(&pad);
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push(',');
                    let fits = small && line + compact(item).len() + 2 < WIDTH;
                    out.push_str(if fits { " " } else { "\n" });
                    if !fits {
                        out.push_str(&pad);
                        line = pad.len();
                    }
                }
                line += compact(item).len() + 2;
                write_pretty(item, indent + 1, pad.len(), out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(indent));
            out.push(']');
        }
        Value::Object(map) => {
            out.push_str("{\n");
            for (i, (key, item)) in sorted(map).into_iter().enumerate() {
                if i > 0 {
                    out.push_str(",\n");
                }
                let key = quoted(key);
                out.push_str(&pad);
                out.push_str(&key);
                out.push_str(": ");
                write_pretty(item, indent + 1, pad.len() + key.len() + 2, out);
            }
            out.push('\n');
            out.push_str(&"  ".repeat(indent));
            out.push('}');
        }
        _ => out.push_str(&one_line),
    }
}

/// Writes an object as [`pretty`] lays it out, its long lists item by item, so that a record of millions of
/// items never stands in memory as a whole.
///
/// Keys must come in order, the object must not fit one line, and items of lists must be longer than a
/// [`SMALL_ITEM`]: the records of sets are.
pub(super) struct ObjectWriter<W> {
    out: W,
    first: bool,
}

impl<W: Write> ObjectWriter<W> {
    /// Starts the object.
    pub fn new(mut out: W) -> io::Result<Self> {
        out.write_all(b"{\n")?;
        Ok(Self { out, first: true })
    }

    fn key(&mut self, key: &str) -> io::Result<usize> {
        let start = if self.first { "  " } else { ",\n  " };
        self.first = false;
        let key = quoted(key);
        write!(self.out, "{start}{key}: ")?;
        Ok(key.len() + 4)
    }

    /// One entry.
    pub fn entry(&mut self, key: &str, value: &Value) -> io::Result<()> {
        let column = self.key(key)?;
        let mut text = String::new();
        write_pretty(value, 1, column, &mut text);
        self.out.write_all(text.as_bytes())
    }

    /// One entry that is a list; the first error of `items` ends it.
    pub fn list<E: From<io::Error>>(
        &mut self,
        key: &str,
        mut items: impl Iterator<Item = Result<Value, E>>,
    ) -> Result<(), E> {
        let column = self.key(key)?;
        // A list that fits one line is laid out so; how long this one is shows after a few items.
        let (mut head, mut length) = (Vec::new(), 0);
        while column + length < WIDTH {
            let Some(item) = items.next().transpose()? else {
                let mut text = String::new();
                write_pretty(&Value::Array(head), 1, column, &mut text);
                return Ok(self.out.write_all(text.as_bytes())?);
            };
            length += compact(&item).len() + 1;
            head.push(item);
        }
        self.out.write_all(b"[\n    ")?;
        for (number, item) in head.into_iter().map(Ok).chain(items).enumerate() {
            let mut text = String::from(if number > 0 { ",\n    " } else { "" });
            write_pretty(&item?, 2, 4, &mut text);
            self.out.write_all(text.as_bytes())?;
        }
        Ok(self.out.write_all(b"\n  ]")?)
    }

    /// What was written to, the object not ended: for a last entry of another kind.
    pub fn into_open(self) -> W {
        self.out
    }

    /// Ends the object.
    #[cfg(test)]
    fn finish(mut self) -> io::Result<W> {
        self.out.write_all(b"\n}\n")?;
        Ok(self.out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn keys_are_sorted_and_floats_short() {
        let value = json!({"b": 0.1, "a": [1, 2.5, "x\"y"], "c": {"z": null, "y": true}});
        assert_eq!(
            compact(&value),
            r#"{"a":[1,2.5,"x\"y"],"b":0.1,"c":{"y":true,"z":null}}"#
        );
        assert_eq!(
            hash(&value),
            hash(&json!({"c": {"y": true, "z": null}, "a": [1, 2.5, "x\"y"], "b": 0.1}))
        );
    }

    #[test]
    fn the_pretty_form_means_the_same() {
        let patches: Vec<[u16; 2]> = (0..120).map(|i| [i, i * 3]).collect();
        let value =
            json!({"patches": patches, "name": "é\n", "long": "x".repeat(200), "nested": {"deep": [vec![1.5; 40]]}});
        let text = pretty(&value);
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
        assert!(text.lines().filter(|l| l.contains("],")).all(|l| l.len() <= WIDTH));
        assert!(text.lines().count() < 30, "{text}");
    }

    #[test]
    fn item_by_item_is_laid_out_as_the_whole() {
        let item =
            |i: usize| json!({"index": i, "files": {"first.png": "a".repeat(i % 90)}, "stops": vec![[i, i]; i % 40]});
        for count in [0, 1, 2, 3, 50] {
            let items: Vec<Value> = (0..count).map(item).collect();
            let long = json!({"deep": vec!["x".repeat(60); 3]});
            let whole = json!({"a": long, "list": items, "z": 1});
            let mut writer = ObjectWriter::new(Vec::new()).unwrap();
            writer.entry("a", &long).unwrap();
            writer.list("list", items.into_iter().map(Ok::<_, io::Error>)).unwrap();
            writer.entry("z", &json!(1)).unwrap();
            assert_eq!(String::from_utf8(writer.finish().unwrap()).unwrap(), pretty(&whole));
        }
    }
}
