//! JSON in pieces: the entries of one object and the items of its long lists, each with its place in the file.

use std::io::{self, BufRead};

use crate::export::lines::MAX_LINE;

/// Why the pieces of a file could not be told.
#[derive(Debug, thiserror::Error)]
pub enum ScanError {
    /// It could not be read.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is no JSON, or no object.
    #[error("{why} at byte {at}")]
    Syntax {
        /// Bytes before the place.
        at: u64,
        /// What is wrong there.
        why: String,
    },
}

/// Goes through JSON value by value; what a value holds is left to its parser.
#[derive(Debug)]
pub struct Scanner<R> {
    input: R,
    /// Bytes before the next one.
    at: u64,
}

impl<R: BufRead> Scanner<R> {
    /// At the first byte of `input`, which lies `at` bytes into its file.
    pub fn new(input: R, at: u64) -> Self {
        Self { input, at }
    }

    /// An error at this place.
    pub fn wrong<T>(&self, why: impl Into<String>) -> Result<T, ScanError> {
        Err(ScanError::Syntax {
            at: self.at,
            why: why.into(),
        })
    }

    /// The next byte that is no white space, which stays where it is.
    fn token(&mut self) -> Result<Option<u8>, ScanError> {
        loop {
            let buffer = self.input.fill_buf()?;
            let spaces = buffer.iter().take_while(|b| b" \t\r\n".contains(b)).count();
            let (found, empty) = (buffer.get(spaces).copied(), buffer.is_empty());
            self.input.consume(spaces);
            self.at += spaces as u64;
            if found.is_some() || empty {
                return Ok(found);
            }
        }
    }

    /// Takes the next token, which must be one of `expected`.
    fn take(&mut self, expected: &[u8]) -> Result<u8, ScanError> {
        match self.token()? {
            Some(byte) if expected.contains(&byte) => {
                self.input.consume(1);
                self.at += 1;
                Ok(byte)
            }
            Some(byte) => self.wrong(format!(
                "{:?} where {:?} was expected",
                char::from(byte),
                String::from_utf8_lossy(expected)
            )),
            None => self.wrong("the file ends early"),
        }
    }

    /// Reads the bytes of one value into `value`, what was there is cleared; returns its place in the file.
    ///
    /// # Errors
    ///
    /// Where the file ends within it or it is longer than [`MAX_LINE`].
    pub fn value(&mut self, value: &mut Vec<u8>) -> Result<u64, ScanError> {
        value.clear();
        self.token()?;
        let start = self.at;
        let (mut depth, mut in_string, mut escaped) = (0_u64, false, false);
        loop {
            let buffer = self.input.fill_buf()?;
            if buffer.is_empty() {
                return self.wrong("the file ends early");
            }
            let (mut used, mut done) = (0, false);
            for &byte in buffer {
                match byte {
                    _ if escaped => escaped = false,
                    b'\\' if in_string => escaped = true,
                    b'"' if in_string => (in_string, done) = (false, depth == 0),
                    _ if in_string => {}
                    b'"' => in_string = true,
                    b'{' | b'[' => depth += 1,
                    // What follows a number or a word belongs to what holds it.
                    b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n' if depth == 0 => {
                        done = true;
                        break;
                    }
                    b'}' | b']' => {
                        depth -= 1;
                        done = depth == 0;
                    }
                    _ => {}
                }
                used += 1;
                if done {
                    break;
                }
            }
            if value.len() + used > MAX_LINE {
                return self.wrong(format!("a value of more than {} MiB", MAX_LINE >> 20));
            }
            value.extend_from_slice(&buffer[..used]);
            self.input.consume(used);
            self.at += used as u64;
            if done {
                return Ok(start);
            }
        }
    }

    /// Goes through the object that is the whole file: `each` gets every key and must read its value.
    ///
    /// # Errors
    ///
    /// Those of `each`, and where this is no object or something follows it.
    pub fn object<E: From<ScanError>>(
        &mut self,
        mut each: impl FnMut(&mut Self, String) -> Result<(), E>,
    ) -> Result<(), E> {
        let mut key = Vec::new();
        self.take(b"{")?;
        if self.token()? == Some(b'}') {
            self.take(b"}")?;
        } else {
            loop {
                self.value(&mut key)?;
                let Ok(name) = serde_json::from_slice(&key) else {
                    return Ok(self.wrong("no key")?);
                };
                self.take(b":")?;
                each(self, name)?;
                if self.take(b",}")? == b'}' {
                    break;
                }
            }
        }
        match self.token()? {
            None => Ok(()),
            Some(_) => Ok(self.wrong("more than one value")?),
        }
    }

    /// Goes through a list: `each` gets the place of every item in the file, and its bytes.
    ///
    /// # Errors
    ///
    /// Those of `each`, and where this is no list.
    pub fn list<E: From<ScanError>>(&mut self, mut each: impl FnMut(u64, &[u8]) -> Result<(), E>) -> Result<(), E> {
        self.take(b"[")?;
        if self.token()? == Some(b']') {
            self.take(b"]")?;
            return Ok(());
        }
        let mut item = Vec::new();
        loop {
            let place = self.value(&mut item)?;
            each(place, &item)?;
            if self.take(b",]")? == b']' {
                return Ok(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufReader, Read};

    use serde_json::{Value, json};

    use super::*;

    /// Puts an object together from its pieces, lists item by item.
    fn whole(text: &[u8], buffer: usize) -> Result<Value, ScanError> {
        let mut scanner = Scanner::new(BufReader::with_capacity(buffer, text), 0);
        let mut map = serde_json::Map::new();
        let parsed = |at: u64, bytes: &[u8]| {
            let why = |e: serde_json::Error| ScanError::Syntax { at, why: e.to_string() };
            serde_json::from_slice::<Value>(bytes).map_err(why)
        };
        scanner.object(|scanner, key| {
            let value = match key.starts_with("list") {
                true => {
                    let mut items = Vec::new();
                    scanner.list(|at, bytes| {
                        assert_eq!(&text[at as usize..at as usize + bytes.len()], bytes);
                        items.push(parsed(at, bytes)?);
                        Ok::<_, ScanError>(())
                    })?;
                    Value::from(items)
                }
                false => {
                    let mut bytes = Vec::new();
                    let at = scanner.value(&mut bytes)?;
                    parsed(at, &bytes)?
                }
            };
            map.insert(key, value);
            Ok::<_, ScanError>(())
        })?;
        Ok(map.into())
    }

    #[test]
    fn the_pieces_make_the_whole() {
        let value = json!({"a": 1.5, "b\"}": "x\\\"]},", "list": [{"deep": [[], {}]}, [1, 2], "s,]", 3, null, -1e-5, true],
            "list empty": [], "object": {"y": {"z": "\u{e9}\n"}}, "word": false});
        for text in [value.to_string(), format!("\n {value:#}\t\n")] {
            for buffer in [1, 2, 7, 4096] {
                assert_eq!(whole(text.as_bytes(), buffer).unwrap(), value);
            }
            let cut = text.trim().len() - 1;
            for length in 0..cut {
                assert!(whole(&text.trim().as_bytes()[..length], 16).is_err(), "cut at {length}");
            }
        }
        assert_eq!(whole(b"{ }", 8).unwrap(), json!({}));
        for wrong in [
            "[]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{\"a\":1}{",
            "{\"list\":[1,]}",
            "{\"list\":[1 2]}",
            "{1:2}",
            "{\"a\":[}}",
        ] {
            assert!(whole(wrong.as_bytes(), 8).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_value_without_end_is_given_up() {
        let endless = (&b"\""[..]).chain(io::repeat(b'x'));
        let error = Scanner::new(BufReader::new(endless), 0)
            .value(&mut Vec::new())
            .unwrap_err();
        assert!(error.to_string().contains("64 MiB"), "{error}");
    }
}
