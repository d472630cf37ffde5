//! The one pickle that is read here: a dict of whole numbers inside a NumPy object array, as
//! `numpy.save(path, {...})` writes it in any protocol. Nothing that a pickle names is ever called.

/// What lies on the unpickler's stack, as far as it matters.
#[derive(Debug, Clone, PartialEq)]
enum Item {
    Int(i64),
    Mark,
    Dict(Vec<(i64, i64)>),
    Other,
}

/// The dict of the pickle, in its order.
///
/// # Errors
///
/// A sentence where the bytes end early or hold something else.
pub(super) fn dict_of_ints(bytes: &[u8]) -> Result<Vec<(i64, i64)>, String> {
    let mut reader = Reader { bytes, at: 0 };
    let mut stack: Vec<Item> = Vec::new();
    let mut dict = None;
    loop {
        let opcode = reader.take(1)?[0];
        match opcode {
            b'.' => break,
            // PROTO, FRAME, the memo: nothing here is fetched from it that matters.
            0x80 | b'q' => drop(reader.take(1)?),
            0x95 => drop(reader.take(8)?),
            b'r' => drop(reader.take(4)?),
            0x94 => {}
            b'h' => {
                reader.take(1)?;
                stack.push(Item::Other);
            }
            b'j' => {
                reader.take(4)?;
                stack.push(Item::Other);
            }
            b'c' => {
                reader.line()?;
                reader.line()?;
                stack.push(Item::Other);
            }
            // Texts and byte strings, by the width of their length.
            0x8c | b'C' | b'U' => {
                let length = reader.take(1)?[0];
                reader.take(usize::from(length))?;
                stack.push(Item::Other);
            }
            b'X' | b'B' | b'T' => {
                let length = u32::from_le_bytes(reader.array()?);
                reader.take(length as usize)?;
                stack.push(Item::Other);
            }
            b'K' => stack.push(Item::Int(i64::from(reader.take(1)?[0]))),
            b'M' => stack.push(Item::Int(i64::from(u16::from_le_bytes(reader.array()?)))),
            b'J' => stack.push(Item::Int(i64::from(i32::from_le_bytes(reader.array()?)))),
            b'N' | 0x88 | 0x89 | b')' | b']' => stack.push(Item::Other),
            b'}' => stack.push(Item::Dict(Vec::new())),
            b'(' => stack.push(Item::Mark),
            // Tuples, calls, state: so many off, one on.
            0x85 => replace(&mut stack, 1)?,
            0x86 | 0x93 | b'R' | b'b' | b'a' => {
                keep_dict(&stack, 2, &mut dict);
                replace(&mut stack, 2)?;
            }
            0x87 => replace(&mut stack, 3)?,
            b't' => {
                let items = to_mark(&mut stack)?;
                dict = items.iter().rev().find_map(of_dict).or(dict);
                stack.push(Item::Other);
            }
            b'e' => {
                let items = to_mark(&mut stack)?;
                dict = items.iter().rev().find_map(of_dict).or(dict);
            }
            b's' => {
                let items = stack.split_off(stack.len().saturating_sub(2));
                set_items(&mut stack, &items)?;
            }
            b'u' => {
                let items = to_mark(&mut stack)?;
                set_items(&mut stack, &items)?;
            }
            other => {
                return Err(format!(
                    "the pickle has an opcode {other:#x} that a dict of numbers has not"
                ));
            }
        }
    }
    let last = stack.iter().rev().find_map(of_dict);
    dict.or(last).ok_or_else(|| "the pickle holds no dict".into())
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let end = self.at.checked_add(count);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        self.at = end.unwrap_or(usize::MAX);
        taken.ok_or_else(|| "the pickle is cut off".into())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "the pickle is cut off".into())
    }

    fn line(&mut self) -> Result<(), String> {
        while self.take(1)?[0] != b'\n' {}
        Ok(())
    }
}

fn of_dict(item: &Item) -> Option<Vec<(i64, i64)>> {
    match item {
        Item::Dict(items) => Some(items.clone()),
        _ => None,
    }
}

fn keep_dict(stack: &[Item], count: usize, dict: &mut Option<Vec<(i64, i64)>>) {
    if let Some(found) = stack.iter().rev().take(count).find_map(of_dict) {
        *dict = Some(found);
    }
}

fn replace(stack: &mut Vec<Item>, count: usize) -> Result<(), String> {
    let left = stack
        .len()
        .checked_sub(count)
        .ok_or("the pickle takes what is not there")?;
    stack.truncate(left);
    stack.push(Item::Other);
    Ok(())
}

fn to_mark(stack: &mut Vec<Item>) -> Result<Vec<Item>, String> {
    let mark = stack.iter().rposition(|item| *item == Item::Mark);
    let items = stack.split_off(mark.ok_or("the pickle lacks a mark")?);
    Ok(items.into_iter().skip(1).collect())
}

fn set_items(stack: &mut [Item], items: &[Item]) -> Result<(), String> {
    let Some(Item::Dict(dict)) = stack.last_mut() else {
        return Err("the pickle sets items of what is no dict".into());
    };
    for pair in items.chunks(2) {
        match pair {
            [Item::Int(key), Item::Int(value)] => dict.push((*key, *value)),
            _ => return Err("the dict holds something else than whole numbers".into()),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dict_of_protocol_4_and_a_bare_one_are_read() {
        // pickle.dumps({3: 195, 258: 4}, 4), by pickletools.
        let bare = b"\x80\x04\x95\x0e\x00\x00\x00\x00\x00\x00\x00}\x94(K\x03K\xc3M\x02\x01K\x04u.";
        assert_eq!(dict_of_ints(bare), Ok(vec![(3, 195), (258, 4)]));
        for cut in 0..bare.len() {
            assert!(dict_of_ints(&bare[..cut]).is_err());
        }
        assert!(
            dict_of_ints(b"\x80\x04}X\x01\x00\x00\x00aK\x01s.").is_err(),
            "a text is no patch"
        );
    }
}
