//! Python pickles as data.
//!
//! A pickle is a program for a small stack machine whose calls build objects. This reader runs the machine
//! without the calls: a call becomes a [`Node::Call`] that names what would have been called and with which
//! arguments. Nothing is imported, looked up or run. Values lie in one arena and refer to each other by number,
//! so sharing costs nothing and nothing recurses.

use std::collections::BTreeMap;

/// Largest pickle that is read, bytes. Those of the largest released checkpoints have about one million.
pub const MAX_BYTES: usize = 64 << 20;
/// Largest number of values in a pickle.
pub const MAX_NODES: usize = 4 << 20;

/// The number of a value in its [`Pickle`].
pub type Id = u32;

/// A value. Text and bytes are parts of the pickle itself.
#[derive(Debug, Clone, PartialEq)]
pub enum Node<'a> {
    /// `None`.
    None,
    /// A truth value.
    Bool(bool),
    /// An integer of up to 64 bits.
    Int(i64),
    /// A longer integer, little endian, two's complement.
    Long(&'a [u8]),
    /// A float.
    Float(f64),
    /// A string.
    Text(&'a str),
    /// Bytes, or a Python 2 string that is not UTF-8.
    Bytes(&'a [u8]),
    /// A class or function: the values of its module and name.
    Global(Id, Id),
    /// A tuple.
    Tuple(Vec<Id>),
    /// A list or a set.
    List(Vec<Id>),
    /// A dictionary, or an `OrderedDict`, in the order of insertion.
    Dict(Vec<(Id, Id)>),
    /// What the file refers to by a key of its own: PyTorch's storages.
    Persistent(Id),
    /// What a call would have given.
    Call(Box<Call>),
}

/// A call that is not made.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// What would be called.
    pub callee: Id,
    /// With which tuple of arguments.
    pub arguments: Id,
    /// The state given to the result, such as the fields of an `argparse.Namespace`.
    pub state: Option<Id>,
}

/// Why bytes are no pickle that can be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PickleError {
    /// The pickle is cut off.
    #[error("it ends in the middle of an instruction, at byte {at}")]
    Truncated {
        /// Where.
        at: usize,
    },
    /// An instruction that is unknown, of Python 1 or of another program.
    #[error("instruction {code:#04x} at byte {at} is not one that PyTorch writes")]
    Instruction {
        /// Its code.
        code: u8,
        /// Where.
        at: usize,
    },
    /// An instruction finds other values than it needs.
    #[error("the instruction at byte {at} does not find the values it needs")]
    Stack {
        /// Where.
        at: usize,
    },
    /// A string that is not UTF-8.
    #[error("a string that is not UTF-8 at byte {at}")]
    Text {
        /// Where.
        at: usize,
    },
    /// More than [`MAX_BYTES`] or [`MAX_NODES`].
    #[error("it is larger than {MAX_BYTES} bytes or {MAX_NODES} values")]
    TooLarge,
}

/// A pickle that was read.
#[derive(Debug, Clone, PartialEq)]
pub struct Pickle<'a> {
    nodes: Vec<Node<'a>>,
    root: Id,
}

impl<'a> Pickle<'a> {
    /// Reads one pickle of protocol 2 to 5 (and those instructions of earlier ones that later ones kept).
    ///
    /// # Errors
    /// The bytes are damaged, too many, or no pickle.
    pub fn read(bytes: &'a [u8]) -> Result<Self, PickleError> {
        if bytes.len() > MAX_BYTES {
            return Err(PickleError::TooLarge);
        }
        let mut machine = Machine {
            bytes,
            at: 0,
            nodes: SHARED.to_vec(),
            stack: Vec::new(),
            marks: Vec::new(),
            memo: BTreeMap::new(),
        };
        let root = machine.run()?;
        Ok(Self {
            nodes: machine.nodes,
            root,
        })
    }

    /// The value that the pickle holds.
    pub fn root(&self) -> Id {
        self.root
    }

    /// A value by its number.
    pub fn get(&self, id: Id) -> &Node<'a> {
        self.nodes.get(id as usize).unwrap_or(&Node::None)
    }

    /// The text of a value, if it is one.
    pub fn text(&self, id: Id) -> Option<&'a str> {
        match self.get(id) {
            Node::Text(text) => Some(text),
            _ => None,
        }
    }

    /// `module.name` of a class or function.
    pub fn global(&self, id: Id) -> Option<(&'a str, &'a str)> {
        match *self.get(id) {
            Node::Global(module, name) => Some((self.text(module)?, self.text(name)?)),
            _ => None,
        }
    }

    /// The entries of a dictionary, if it is one.
    pub fn entries(&self, id: Id) -> Option<&[(Id, Id)]> {
        match self.get(id) {
            Node::Dict(entries) => Some(entries),
            _ => None,
        }
    }

    /// The parts of a tuple or list, if it is one.
    pub fn parts(&self, id: Id) -> Option<&[Id]> {
        match self.get(id) {
            Node::Tuple(parts) | Node::List(parts) => Some(parts),
            _ => None,
        }
    }

    /// The value under a text key of a dictionary; of several, the last, as in Python.
    pub fn value(&self, id: Id, key: &str) -> Option<Id> {
        let mut entries = self.entries(id)?.iter().rev();
        entries
            .find(|(name, _)| self.text(*name) == Some(key))
            .map(|entry| entry.1)
    }
}

/// The values that every pickle has: an instruction of one byte makes no new ones of them.
const SHARED: [Node<'static>; 4] = [Node::None, Node::Bool(false), Node::Bool(true), Node::Tuple(Vec::new())];
const NONE: Id = 0;
const FALSE: Id = 1;
const TRUE: Id = 2;
const EMPTY_TUPLE: Id = 3;

struct Machine<'a> {
    bytes: &'a [u8],
    at: usize,
    nodes: Vec<Node<'a>>,
    stack: Vec<Id>,
    /// Heights of the stack.
    marks: Vec<usize>,
    memo: BTreeMap<u32, Id>,
}

impl<'a> Machine<'a> {
    fn run(&mut self) -> Result<Id, PickleError> {
        loop {
            let at = self.at;
            let code = self.take(1)?[0];
            match code {
                b'.' => return self.pop(),
                0x80 | 0x95 => {
                    // Protocol and frame say what is known without them.
                    self.take(if code == 0x80 { 1 } else { 8 })?;
                }
                b'(' => self.marks.push(self.stack.len()),
                b'0' => {
                    self.pop()?;
                }
                b'1' => {
                    self.since_mark()?;
                }
                b'2' => {
                    let top = self.top()?;
                    self.stack.push(top);
                }
                b'N' => self.stack.push(NONE),
                0x88 => self.stack.push(TRUE),
                0x89 => self.stack.push(FALSE),
                b')' => self.stack.push(EMPTY_TUPLE),
                b'J' | b'K' | b'M' | 0x8a | 0x8b | b'G' => self.number(code)?,
                b'X' | 0x8c | 0x8d | b'T' | b'U' | b'B' | b'C' | 0x8e | 0x96 => self.string(code)?,
                b']' | 0x8f => self.push(Node::List(Vec::new()))?,
                b'}' => self.push(Node::Dict(Vec::new()))?,
                b't' => {
                    let parts = self.since_mark()?;
                    self.push(Node::Tuple(parts))?;
                }
                0x85..=0x87 => {
                    let parts = self.last(usize::from(code - 0x84))?;
                    self.push(Node::Tuple(parts))?;
                }
                b'l' | 0x91 => {
                    let parts = self.since_mark()?;
                    self.push(Node::List(parts))?;
                }
                b'd' => {
                    let entries = pairs(&self.since_mark()?, at)?;
                    self.push(Node::Dict(entries))?;
                }
                b'a' => {
                    let part = self.last(1)?;
                    self.append(&part)?;
                }
                b'e' | 0x90 => {
                    let parts = self.since_mark()?;
                    self.append(&parts)?;
                }
                b's' => {
                    let entry = self.last(2)?;
                    self.insert(&pairs(&entry, at)?)?;
                }
                b'u' => {
                    let entries = pairs(&self.since_mark()?, at)?;
                    self.insert(&entries)?;
                }
                b'h' | b'j' => {
                    let key = self.index(code == b'h')?;
                    let id = *self.memo.get(&key).ok_or(PickleError::Stack { at })?;
                    self.stack.push(id);
                }
                b'q' | b'r' => {
                    let key = self.index(code == b'q')?;
                    let top = self.top()?;
                    self.memo.insert(key, top);
                }
                0x94 => {
                    let top = self.top()?;
                    self.memo.insert(self.memo.len() as u32, top);
                }
                b'c' => {
                    let (module, name) = (self.line()?, self.line()?);
                    let (module, name) = (self.node(Node::Text(module))?, self.node(Node::Text(name))?);
                    self.push(Node::Global(module, name))?;
                }
                0x93 => {
                    let names = self.last(2)?;
                    self.push(Node::Global(names[0], names[1]))?;
                }
                b'Q' => {
                    let key = self.pop()?;
                    self.push(Node::Persistent(key))?;
                }
                b'R' | 0x81 => {
                    let call = self.last(2)?;
                    self.call(call[0], call[1])?;
                }
                0x92 => {
                    // The keyword arguments of a class that is not made are of no use.
                    let call = self.last(3)?;
                    self.call(call[0], call[1])?;
                }
                b'o' => {
                    let parts = self.since_mark()?;
                    let (&class, arguments) = parts.split_first().ok_or(PickleError::Stack { at })?;
                    let arguments = self.node(Node::Tuple(arguments.to_vec()))?;
                    self.call(class, arguments)?;
                }
                b'b' => {
                    let state = self.pop()?;
                    let top = self.top()?;
                    if let Node::Call(call) = &mut self.nodes[top as usize] {
                        call.state = Some(state);
                    }
                }
                _ => return Err(PickleError::Instruction { code, at }),
            }
        }
    }

    fn take(&mut self, count: usize) -> Result<&'a [u8], PickleError> {
        let end = self.at.checked_add(count).filter(|&end| end <= self.bytes.len());
        let end = end.ok_or(PickleError::Truncated { at: self.at })?;
        let part = &self.bytes[self.at..end];
        self.at = end;
        Ok(part)
    }

    /// A little-endian number of up to 8 bytes.
    fn unsigned(&mut self, bytes: usize) -> Result<u64, PickleError> {
        let part = self.take(bytes)?;
        Ok(part.iter().rev().fold(0, |value, &byte| value << 8 | u64::from(byte)))
    }

    /// Bytes after their count of `width` bytes.
    fn counted(&mut self, width: usize) -> Result<&'a [u8], PickleError> {
        let count = self.unsigned(width)?;
        let count = usize::try_from(count).map_err(|_| PickleError::Truncated { at: self.at })?;
        self.take(count)
    }

    fn index(&mut self, short: bool) -> Result<u32, PickleError> {
        Ok(self.unsigned(if short { 1 } else { 4 })? as u32)
    }

    /// Text up to the end of the line.
    fn line(&mut self) -> Result<&'a str, PickleError> {
        let at = self.at;
        let rest = &self.bytes[at..];
        let length = rest.iter().position(|&b| b == b'\n');
        let length = length.ok_or(PickleError::Truncated { at })?;
        self.at += length + 1;
        std::str::from_utf8(&rest[..length]).map_err(|_| PickleError::Text { at })
    }

    fn number(&mut self, code: u8) -> Result<(), PickleError> {
        let node = match code {
            b'J' => Node::Int(i64::from(self.unsigned(4)? as u32 as i32)),
            b'K' => Node::Int(self.unsigned(1)? as i64),
            b'M' => Node::Int(self.unsigned(2)? as i64),
            b'G' => {
                let mut bytes = [0; 8];
                bytes.copy_from_slice(self.take(8)?);
                Node::Float(f64::from_be_bytes(bytes))
            }
            _ => {
                let bytes = self.counted(if code == 0x8a { 1 } else { 4 })?;
                if bytes.len() > 8 {
                    Node::Long(bytes)
                } else {
                    let negative = bytes.last().is_some_and(|byte| byte & 0x80 != 0);
                    let mut whole = [if negative { 0xff } else { 0 }; 8];
                    whole[..bytes.len()].copy_from_slice(bytes);
                    Node::Int(i64::from_le_bytes(whole))
                }
            }
        };
        self.push(node)
    }

    fn string(&mut self, code: u8) -> Result<(), PickleError> {
        let at = self.at;
        let bytes = self.counted(match code {
            0x8c | b'U' | b'C' => 1,
            0x8d | 0x8e | 0x96 => 8,
            _ => 4,
        })?;
        let text = std::str::from_utf8(bytes);
        self.push(match code {
            b'X' | 0x8c | 0x8d => Node::Text(text.map_err(|_| PickleError::Text { at })?),
            b'T' | b'U' => text.map_or(Node::Bytes(bytes), Node::Text),
            _ => Node::Bytes(bytes),
        })
    }

    fn node(&mut self, node: Node<'a>) -> Result<Id, PickleError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(PickleError::TooLarge);
        }
        self.nodes.push(node);
        Ok(self.nodes.len() as Id - 1)
    }

    fn push(&mut self, node: Node<'a>) -> Result<(), PickleError> {
        let id = self.node(node)?;
        self.stack.push(id);
        Ok(())
    }

    fn top(&self) -> Result<Id, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let above = self.stack.get(floor..).unwrap_or_default();
        above.last().copied().ok_or(PickleError::Stack { at: self.at })
    }

    fn pop(&mut self) -> Result<Id, PickleError> {
        let top = self.top()?;
        self.stack.pop();
        Ok(top)
    }

    /// The last `count` values, taken off the stack.
    fn last(&mut self, count: usize) -> Result<Vec<Id>, PickleError> {
        let floor = self.marks.last().copied().unwrap_or(0);
        let start = self.stack.len().checked_sub(count).filter(|&start| start >= floor);
        let start = start.ok_or(PickleError::Stack { at: self.at })?;
        Ok(self.cut(start))
    }

    /// The values since the last mark, taken off the stack together with the mark.
    fn since_mark(&mut self) -> Result<Vec<Id>, PickleError> {
        let mark = self.marks.pop().filter(|&mark| mark <= self.stack.len());
        let mark = mark.ok_or(PickleError::Stack { at: self.at })?;
        Ok(self.cut(mark))
    }

    /// The values from `start` on, in a vector of just their size: `split_off` may hand over the whole stack's.
    fn cut(&mut self, start: usize) -> Vec<Id> {
        let values = self.stack[start..].to_vec();
        self.stack.truncate(start);
        values
    }

    /// Appends to the list on top; what a list-like object of an unknown class holds is not kept.
    fn append(&mut self, parts: &[Id]) -> Result<(), PickleError> {
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::List(list) => list.extend_from_slice(parts),
            Node::Call(_) => {}
            _ => return Err(PickleError::Stack { at: self.at }),
        }
        Ok(())
    }

    /// Inserts into the dictionary on top; what a dictionary-like object of an unknown class holds is not kept.
    fn insert(&mut self, entries: &[(Id, Id)]) -> Result<(), PickleError> {
        let top = self.top()?;
        match &mut self.nodes[top as usize] {
            Node::Dict(dict) => dict.extend_from_slice(entries),
            Node::Call(_) => {}
            _ => return Err(PickleError::Stack { at: self.at }),
        }
        Ok(())
    }

    fn call(&mut self, callee: Id, arguments: Id) -> Result<(), PickleError> {
        let global = match self.nodes[callee as usize] {
            Node::Global(module, name) => [module, name].map(|id| match self.nodes[id as usize] {
                Node::Text(text) => text,
                _ => "",
            }),
            _ => return Err(PickleError::Stack { at: self.at }),
        };
        if global == ["collections", "OrderedDict"] {
            return self.push(Node::Dict(Vec::new()));
        }
        self.push(Node::Call(Box::new(Call {
            callee,
            arguments,
            state: None,
        })))
    }
}

fn pairs(values: &[Id], at: usize) -> Result<Vec<(Id, Id)>, PickleError> {
    if values.len() % 2 == 1 {
        return Err(PickleError::Stack { at });
    }
    Ok(values.chunks_exact(2).map(|pair| (pair[0], pair[1])).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_is_kept_as_data() {
        // pickle.dumps({"n": argparse.Namespace(lr=0.5, steps=[1, -2, 300]), 2: (None, True, 2**70)}, 2)
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00nq\x01cargparse\nNamespace\nq\x02)\x81q\x03}q\x04(X\x02\x00\x00\x00lrq\x05G?\xe0\x00\x00\x00\x00\x00\x00X\x05\x00\x00\x00stepsq\x06]q\x07(K\x01J\xfe\xff\xff\xffM,\x01eubK\x02N\x88\x8a\x09\x00\x00\x00\x00\x00\x00\x00\x00@\x87q\x08u.";
        let pickle = Pickle::read(bytes).unwrap();
        let namespace = pickle.value(pickle.root(), "n").unwrap();
        let Node::Call(call) = pickle.get(namespace) else {
            panic!("{:?}", pickle.get(namespace))
        };
        assert_eq!(pickle.global(call.callee), Some(("argparse", "Namespace")));
        let state = call.state.unwrap();
        let steps = pickle.parts(pickle.value(state, "steps").unwrap()).unwrap();
        let steps: Vec<_> = steps.iter().map(|&id| pickle.get(id)).collect();
        assert_eq!(steps, [&Node::Int(1), &Node::Int(-2), &Node::Int(300)]);
        let lr = pickle.value(state, "lr").unwrap();
        assert_eq!(pickle.get(lr), &Node::Float(0.5));
        let last = pickle.entries(pickle.root()).unwrap()[1].1;
        let kinds: Vec<_> = pickle.parts(last).unwrap().iter().map(|&id| pickle.get(id)).collect();
        assert!(
            matches!(kinds[..], [Node::None, Node::Bool(true), Node::Long(_)]),
            "{kinds:?}"
        );
    }

    #[test]
    fn a_call_of_the_system_is_only_named() {
        let pickle = Pickle::read(b"\x80\x02cos\nsystem\nX\x05\x00\x00\x00rm -f\x85R.").unwrap();
        let Node::Call(call) = pickle.get(pickle.root()) else {
            panic!()
        };
        assert_eq!(pickle.global(call.callee), Some(("os", "system")));
    }

    #[test]
    fn every_cut_of_a_pickle_is_an_error() {
        let bytes = b"\x80\x02}q\x00(X\x01\x00\x00\x00nq\x01ccollections\nOrderedDict\nq\x02)Rq\x03X\x01\x00\x00\x00mq\x04]q\x05(K\x01K\x02eu.";
        Pickle::read(bytes).unwrap();
        for end in 0..bytes.len() {
            assert!(Pickle::read(&bytes[..end]).is_err(), "{end}");
        }
    }

    #[test]
    fn sharing_does_not_multiply() {
        // Forty lists, each of the one before it twice: 2^40 values if they were written out.
        let mut bytes = b"\x80\x02]".to_vec();
        for _ in 0..40 {
            bytes.extend(b"q\x00]q\x01(h\x00h\x00e");
        }
        bytes.push(b'.');
        assert!(Pickle::read(&bytes).unwrap().nodes.len() < 50);
    }
}
