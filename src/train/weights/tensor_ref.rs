//! A tensor as PyTorch's pickles describe it: a part of a storage, with strides.

use super::element::ElementType;
use super::pickle::{Id, Node, Pickle};

/// Most dimensions of a tensor.
const MAX_RANK: usize = 16;

/// Where the numbers of a tensor lie.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TensorRef {
    /// Key of the storage.
    pub storage: String,
    /// Type of its numbers.
    pub kind: ElementType,
    /// First number.
    pub offset: usize,
    /// Shape.
    pub shape: Vec<usize>,
    /// Distance of neighbours along each dimension, numbers.
    pub strides: Vec<usize>,
}

/// What a value turns out to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// A tensor of floating-point numbers.
    Tensor(TensorRef),
    /// A tensor of another type, named.
    OtherType(String),
    /// No tensor.
    Nothing,
}

/// What the value `id` describes: a call of one of PyTorch's rebuilding functions, taken by its arguments.
pub(super) fn tensor_ref(pickle: &Pickle<'_>, id: Id) -> Result<Found, String> {
    let Node::Call(call) = pickle.get(id) else {
        return Ok(Found::Nothing);
    };
    let arguments = pickle.parts(call.arguments).unwrap_or_default();
    match (pickle.global(call.callee), arguments) {
        (Some(("torch._utils", "_rebuild_parameter" | "_rebuild_parameter_with_state")), &[tensor, ..]) => {
            match pickle.get(tensor) {
                Node::Call(inner) if is_tensor(pickle.global(inner.callee)) => tensor_ref(pickle, tensor),
                _ => Ok(Found::Nothing),
            }
        }
        (Some(callee), &[storage, offset, shape, strides, ref rest @ ..]) if is_tensor(Some(callee)) => {
            let named = match rest {
                [_, _, kind, ..] if callee.1 == "_rebuild_tensor_v3" => pickle.global(*kind),
                _ => None,
            };
            let (class, storage) = stored(pickle, storage)?;
            let kind = named.map_or(class, |(_, name)| name);
            let Some(kind) = element_type(kind) else {
                return Ok(Found::OtherType(kind.to_owned()));
            };
            let tensor = TensorRef {
                storage: storage.to_owned(),
                kind,
                offset: size(pickle, offset)?,
                shape: sizes(pickle, shape)?,
                strides: sizes(pickle, strides)?,
            };
            if tensor.shape.len() != tensor.strides.len() || tensor.shape.len() > MAX_RANK {
                return Err("its shape and strides do not go together".into());
            }
            Ok(Found::Tensor(tensor))
        }
        (Some(callee), _) if is_tensor(Some(callee)) => Err("it lacks arguments".into()),
        _ => Ok(Found::Nothing),
    }
}

fn is_tensor(callee: Option<(&str, &str)>) -> bool {
    matches!(
        callee,
        Some((
            "torch._utils",
            "_rebuild_tensor" | "_rebuild_tensor_v2" | "_rebuild_tensor_v3"
        ))
    )
}

/// Class name and key of a storage: the persistent tuple `("storage", class, key, device, numbers)`.
fn stored<'a>(pickle: &Pickle<'a>, id: Id) -> Result<(&'a str, &'a str), String> {
    let parts = match pickle.get(id) {
        Node::Persistent(key) => pickle.parts(*key).unwrap_or_default(),
        _ => &[],
    };
    match parts {
        &[kind, class, key, ..] if pickle.text(kind) == Some("storage") => pickle
            .global(class)
            .zip(pickle.text(key))
            .map(|((_, class), key)| (class, key))
            .ok_or_else(|| "its storage has no class or key".into()),
        _ => Err("it has no storage".into()),
    }
}

fn element_type(name: &str) -> Option<ElementType> {
    match name {
        "FloatStorage" | "float32" => Some(ElementType::F32),
        "DoubleStorage" | "float64" => Some(ElementType::F64),
        "HalfStorage" | "float16" => Some(ElementType::F16),
        "BFloat16Storage" | "bfloat16" => Some(ElementType::Bf16),
        _ => None,
    }
}

fn size(pickle: &Pickle<'_>, id: Id) -> Result<usize, String> {
    match *pickle.get(id) {
        Node::Int(value) => usize::try_from(value).map_err(|_| format!("{value} is no size")),
        _ => Err("a size is no number".into()),
    }
}

fn sizes(pickle: &Pickle<'_>, id: Id) -> Result<Vec<usize>, String> {
    let parts = pickle.parts(id).ok_or("its shape is no tuple")?;
    if parts.len() > MAX_RANK {
        return Err(format!("it has {} dimensions", parts.len()));
    }
    parts.iter().map(|&part| size(pickle, part)).collect()
}

impl TensorRef {
    /// Numbers of the tensor; saturates.
    pub(super) fn count(&self) -> u64 {
        if self.shape.contains(&0) {
            return 0;
        }
        self.shape.iter().fold(1u64, |all, &n| all.saturating_mul(n as u64))
    }

    /// The numbers in row-major order, from the bytes of the storage.
    pub(super) fn values(&self, storage: &[u8], big_endian: bool) -> Result<Vec<f32>, String> {
        let count = self.count() as usize;
        if count == 0 {
            return Ok(Vec::new());
        }
        let reach = self
            .shape
            .iter()
            .zip(&self.strides)
            .try_fold(self.offset, |at, (&n, &stride)| {
                at.checked_add(stride.checked_mul(n - 1)?)
            });
        let width = self.kind.bytes();
        let available = storage.len() / width;
        if reach.is_none_or(|reach| reach >= available) {
            return Err(format!("it reaches beyond its storage of {available} numbers"));
        }
        if self.contiguous() {
            let bytes = &storage[self.offset * width..(self.offset + count) * width];
            return Ok(self.kind.decode_all(bytes, big_endian));
        }
        let mut values = Vec::with_capacity(count);
        let mut place = vec![0; self.shape.len()];
        for _ in 0..count {
            let steps = place.iter().zip(&self.strides);
            let at = self.offset + steps.map(|(&i, &stride)| i * stride).sum::<usize>();
            values.push(self.kind.decode(&storage[at * width..(at + 1) * width], big_endian));
            for (i, &n) in place.iter_mut().zip(&self.shape).rev() {
                *i += 1;
                if *i < n {
                    break;
                }
                *i = 0;
            }
        }
        Ok(values)
    }

    /// Whether the numbers lie one after the other; a dimension of one may have any stride.
    fn contiguous(&self) -> bool {
        let mut expected = 1;
        for (&n, &stride) in self.shape.iter().zip(&self.strides).rev() {
            if n != 1 && stride != expected {
                return false;
            }
            expected *= n;
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(offset: usize, shape: &[usize], strides: &[usize]) -> TensorRef {
        TensorRef {
            storage: "0".into(),
            kind: ElementType::F32,
            offset,
            shape: shape.to_vec(),
            strides: strides.to_vec(),
        }
    }

    fn storage() -> Vec<u8> {
        (0..12).flat_map(|i| (i as f32).to_le_bytes()).collect()
    }

    #[test]
    fn views_and_transposes_are_read_in_row_major_order() {
        let values = |t: TensorRef| t.values(&storage(), false).unwrap();
        assert_eq!(values(tensor(2, &[2, 2], &[2, 1])), [2.0, 3.0, 4.0, 5.0]);
        assert_eq!(values(tensor(0, &[3, 2], &[1, 6])), [0.0, 6.0, 1.0, 7.0, 2.0, 8.0]);
        assert_eq!(values(tensor(5, &[2, 2], &[0, 1])), [5.0, 6.0, 5.0, 6.0]);
        assert_eq!(values(tensor(11, &[], &[])), [11.0]);
    }

    #[test]
    fn nothing_reaches_beyond_its_storage() {
        let large = usize::MAX / 2;
        for t in [
            tensor(11, &[2], &[1]),
            tensor(0, &[2], &[large]),
            tensor(large, &[3], &[large]),
        ] {
            assert!(t.values(&storage(), false).is_err(), "{t:?}");
        }
    }
}
