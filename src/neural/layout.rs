//! Where the parameters of a network lie in one flat vector.
//!
//! Layers ask for room when they are made; the order of asking is the layout. So the optimiser, a checkpoint and a file see one
//! vector, and a layer keeps a [`Slot`] a tensor.

use super::random::{Init, fill};
use crate::fit::Table;

/// A named tensor's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tensor {
    /// Its name, unique in the network: `encoder.wx`.
    pub name: String,
    /// Its dimensions, row-major.
    pub shape: Vec<usize>,
    /// Where its first value lies.
    pub start: usize,
    init: Init,
    table: bool,
}

impl Tensor {
    /// Number of values.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether it holds no value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A tensor's place without its name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot {
    /// Where its first value lies.
    pub start: usize,
    /// Number of values.
    pub len: usize,
}

impl Slot {
    /// Its values among those of the network.
    pub fn of(self, params: &[f32]) -> &[f32] {
        &params[self.start..][..self.len]
    }

    /// The same, to change.
    pub fn of_mut(self, params: &mut [f32]) -> &mut [f32] {
        &mut params[self.start..][..self.len]
    }

    /// Two at once; `other` lies behind this one.
    pub fn both_of_mut(self, other: Slot, params: &mut [f32]) -> [&mut [f32]; 2] {
        let (first, rest) = params.split_at_mut(other.start);
        [self.of_mut(first), &mut rest[..other.len]]
    }
}

/// The tensors of a network in their order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layout {
    tensors: Vec<Tensor>,
    len: usize,
}

impl Layout {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Room for a tensor. Names that are taken are a mistake in the program, and panic.
    pub fn add(&mut self, name: &str, shape: &[usize], init: Init) -> Slot {
        self.push(name, shape, init, false)
    }

    /// Room for a table of rows of which a batch touches few ([`Table`]).
    pub fn add_table(&mut self, name: &str, rows: usize, width: usize, init: Init) -> Slot {
        self.push(name, &[rows, width], init, true)
    }

    fn push(&mut self, name: &str, shape: &[usize], init: Init, table: bool) -> Slot {
        assert!(
            self.tensors.iter().all(|t| t.name != name),
            "two tensors are called {name}"
        );
        let tensor = Tensor {
            name: name.to_owned(),
            shape: shape.to_vec(),
            start: self.len,
            init,
            table,
        };
        let slot = Slot {
            start: self.len,
            len: tensor.len(),
        };
        self.len += slot.len;
        self.tensors.push(tensor);
        slot
    }

    /// Number of parameters.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The tensors in their order.
    pub fn tensors(&self) -> &[Tensor] {
        &self.tensors
    }

    /// The place of the tensor of this name.
    pub fn slot(&self, name: &str) -> Option<Slot> {
        let tensor = self.tensors.iter().find(|t| t.name == name)?;
        Some(Slot {
            start: tensor.start,
            len: tensor.len(),
        })
    }

    /// The tables, for [`Adam::tables`](crate::fit::Adam::tables).
    pub fn tables(&self) -> Vec<Table> {
        let tables = self.tensors.iter().filter(|t| t.table && !t.is_empty());
        tables
            .map(|t| Table {
                start: t.start,
                rows: t.shape[0],
                width: t.shape[1],
            })
            .collect()
    }

    /// First parameters, a function of `seed` and of the tensors' names: a layer added to a network changes no other.
    pub fn init(&self, seed: u64) -> Vec<f32> {
        let mut params = vec![0.0; self.len];
        for tensor in &self.tensors {
            let values = &mut params[tensor.start..][..tensor.len()];
            let own = xxhash_rust::xxh3::xxh3_64_with_seed(tensor.name.as_bytes(), seed);
            fill(tensor.init, &tensor.shape, own, values);
        }
        params
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_lie_side_by_side_and_begin_by_name() {
        let mut a = Layout::new();
        let table = a.add_table("items", 5, 4, Init::Normal(0.1));
        let weight = a.add("out", &[4, 3], Init::Uniform(0.5));
        assert_eq!((a.len(), weight.start, weight.len), (32, 20, 12));
        assert_eq!(a.slot("out"), Some(weight));
        assert_eq!(a.slot("none"), None);
        assert_eq!(a.tables().len(), 1);
        let params = a.init(3);
        assert!(weight.of(&params).iter().all(|x| x.abs() <= 0.5 && *x != 0.0));
        assert_ne!(table.of(&params)[..12], weight.of(&params)[..12]);
        let mut b = Layout::new();
        b.add("out", &[4, 3], Init::Uniform(0.5));
        assert_eq!(b.init(3), weight.of(&params));
        assert_ne!(b.init(4), weight.of(&params));
    }

    #[test]
    #[should_panic(expected = "two tensors are called x")]
    fn a_name_is_given_once() {
        let mut layout = Layout::new();
        layout.add("x", &[1], Init::Zero);
        layout.add("x", &[1], Init::Zero);
    }
}
