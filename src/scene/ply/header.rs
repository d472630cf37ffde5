//! The PLY header.

use crate::scene::files::shorten;

/// How the numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Encoding {
    Ascii,
    Little,
    Big,
}

/// Type of a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scalar {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Scalar {
    /// Bytes in a binary file.
    pub(super) fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// What stands for 1.0 when this type holds a colour.
    pub(super) fn unit(self) -> f64 {
        match self {
            Self::I8 => 127.0,
            Self::U8 => 255.0,
            Self::I16 => 32_767.0,
            Self::U16 => 65_535.0,
            Self::I32 => f64::from(i32::MAX),
            Self::U32 => f64::from(u32::MAX),
            Self::F32 | Self::F64 => 1.0,
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }
}

/// A property: one number, or a list with its length before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    pub(super) name: String,
    pub(super) kind: Scalar,
    /// Type of the length, for a list.
    pub(super) list: Option<Scalar>,
}

/// An element: rows of properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) count: usize,
    pub(super) properties: Vec<Property>,
}

/// The header and where the body begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) encoding: Encoding,
    pub(super) elements: Vec<Element>,
    /// Files that `comment TextureFile` names, in order.
    pub(super) textures: Vec<String>,
    pub(super) body: usize,
}

/// Properties of all elements together; scans have a dozen.
const MOST_PROPERTIES: usize = 1000;

/// Parses the header. Errors are sentences.
pub(super) fn parse(bytes: &[u8]) -> Result<Header, String> {
    let mut at = 0;
    let mut encoding = None;
    let mut elements: Vec<Element> = Vec::new();
    let mut textures = Vec::new();
    let mut properties = 0;
    for number in 1.. {
        let rest = bytes
            .get(at..)
            .filter(|r| !r.is_empty())
            .ok_or("the PLY header has no end")?;
        let end = rest.iter().position(|&b| b == b'\n').unwrap_or(rest.len());
        let line = String::from_utf8_lossy(&rest[..end]);
        let line = line.trim();
        at += (end + 1).min(rest.len());
        let bad = || format!("line {number} of the PLY header is {:?}", shorten(line));
        let mut words = line.split_whitespace();
        match (number, words.next()) {
            (1, Some("ply")) => {}
            (1, _) => return Err("it does not begin with \"ply\"".to_owned()),
            (_, Some("format")) => {
                encoding = Some(match words.next() {
                    Some("ascii") => Encoding::Ascii,
                    Some("binary_little_endian") => Encoding::Little,
                    Some("binary_big_endian") => Encoding::Big,
                    _ => return Err(bad()),
                });
            }
            (_, Some("comment")) => {
                if words.next() == Some("TextureFile") {
                    let name = line.split_once("TextureFile").map_or("", |(_, name)| name.trim());
                    textures.push(name.to_owned());
                }
            }
            (_, Some("element")) => {
                let (Some(name), Some(Ok(count))) = (words.next(), words.next().map(str::parse)) else {
                    return Err(bad());
                };
                elements.push(Element {
                    name: name.to_owned(),
                    count,
                    properties: Vec::new(),
                });
            }
            (_, Some("property")) => {
                let property = property(&mut words).ok_or_else(bad)?;
                properties += 1;
                if properties > MOST_PROPERTIES {
                    return Err(format!("its header has more than {MOST_PROPERTIES} properties"));
                }
                elements.last_mut().ok_or_else(bad)?.properties.push(property);
            }
            (_, Some("end_header")) => break,
            (_, Some("obj_info") | None) => {}
            _ => return Err(bad()),
        }
    }
    Ok(Header {
        encoding: encoding.ok_or("the PLY header has no format line")?,
        elements,
        textures,
        body: at,
    })
}

fn property<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Property> {
    let first = words.next()?;
    let (list, kind) = match first {
        "list" => (Some(Scalar::parse(words.next()?)?), Scalar::parse(words.next()?)?),
        name => (None, Scalar::parse(name)?),
    };
    Some(Property {
        name: words.next()?.to_owned(),
        kind,
        list,
    })
}
