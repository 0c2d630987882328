//! The network of the past: what the next night's goes on from.
//!
//! Of the networks that a night learns, the one that is judged knows the sessions before a cut only ([`Past::until`]). It is kept with the
//! generation, by the keys of its products. The next night's cut lies later, so it may go on from it without having seen what
//! will judge it; a night that looks further back must begin anew. A product that has come since begins with random
//! numbers.
//!
//! What is read back is not trusted: any bytes give a network or an error.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};

use super::network::{Network, Shape};
use crate::neural::file;

/// Under which name it is kept with its generation.
pub const NAME: &str = "rnn of the past";
/// Version of its bytes, beside that of the network's own header.
pub const FORMAT: i64 = 1;

/// No network is wider: a stored number above it is nobody's.
const WIDEST: usize = 4096;

/// A network of an earlier night, with what it stands for.
#[derive(Debug, Clone, PartialEq)]
pub struct Past {
    /// When the first session began that it does not know, in seconds of Unix time.
    pub until: i64,
    keys: Vec<i64>,
    network: Network,
}

/// What stands before the network's own bytes.
#[derive(Serialize, Deserialize)]
struct Head<'a> {
    until: i64,
    keys: Cow<'a, [i64]>,
}

impl Past {
    /// The stored form of a network over the products of these keys, which knows the sessions that began before `until`.
    ///
    /// # Errors
    /// None but those of the encoder.
    pub fn to_bytes(network: &Network, keys: &[i64], until: i64) -> Result<Vec<u8>, postcard::Error> {
        let keys = keys.into();
        let mut bytes = postcard::to_stdvec(&Head { until, keys })?;
        bytes.extend(network.to_bytes());
        Ok(bytes)
    }

    /// Reads the stored form.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Past, String> {
        let (Head { until, keys }, rest) =
            postcard::take_from_bytes::<Head<'_>>(bytes).map_err(|error| error.to_string())?;
        let network = Network::from_bytes(rest, keys.len())?;
        let keys = keys.into_owned();
        Ok(Past { until, keys, network })
    }

    /// Its parameters for the products of `keys`, as [`Network::learn`] takes them; `None` where it is of another width.
    /// `seed` is that of the numbers of new products.
    pub fn start(&self, keys: &[i64], width: usize, seed: u64) -> Option<Vec<f32>> {
        let before = &self.network.shape;
        if before.items.width != width {
            return None;
        }
        let shape = Shape::new(keys.len(), width);
        let mut params = shape.layout.init(seed);
        let tensors = shape.layout.tensors().iter().zip(before.layout.tensors());
        for (to, from) in tensors.filter(|(to, _)| !["items", "bias"].contains(&to.name.as_str())) {
            params[to.start..][..to.len()].copy_from_slice(&self.network.params[from.start..][..from.len()]);
        }
        let places: HashMap<i64, u32> = self.keys.iter().copied().zip(0..).collect();
        let biases = before.bias.table.of(&self.network.params);
        let least = biases.iter().copied().fold(0.0, f32::min);
        let row = |product: usize| product * width..(product + 1) * width;
        for (product, key) in keys.iter().enumerate() {
            let place = places.get(key).copied();
            if let Some(place) = place {
                let vector = before.items.row(&self.network.params, place);
                shape.items.table.of_mut(&mut params)[row(product)].copy_from_slice(vector);
            }
            shape.bias.table.of_mut(&mut params)[product] =
                place.map_or(least, |place| biases[place as usize]);
        }
        Some(params)
    }
}

impl Network {
    /// The stored form of its parameters ([`crate::neural::file`]).
    pub fn to_bytes(&self) -> Vec<u8> {
        file::write(&self.shape.layout, &self.params, &BTreeMap::new())
    }

    /// Reads the stored form of a network over so many products. How it was learned is not known any more.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_bytes(bytes: &[u8], products: usize) -> Result<Network, String> {
        let saved = file::read(bytes).map_err(|error| error.to_string())?;
        let items = saved
            .tensors
            .get("items")
            .ok_or("it has no vectors of products")?;
        let width = match items.shape[..] {
            [rows, width] if rows == products && (1..=WIDEST).contains(&width) => width,
            _ => return Err(format!("its vectors are not those of {products} products")),
        };
        let shape = Shape::new(products, width);
        Ok(Network {
            params: saved.params(&shape.layout).map_err(|error| error.to_string())?,
            shape,
            loss: (0.0, 0.0),
            epochs: 0,
            steps: 0,
        })
    }
}
