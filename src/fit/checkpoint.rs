//! The whole argmin solver and its state as one postcard blob in the store of checkpoints.
//!
//! Two traps are closed here. argmin's saved state overrides what the new run configured, its step limit included:
//! a fit saved with a limit of 120 and resumed with 200 would stop at 120, so the limit is set again on loading.
//! And after a failed line search argmin offers a state without parameters for saving: a terminated state is never
//! saved.
//!
//! The blob ends with its checksum (XXH3, 128 bits): one that was damaged is as good as none, and never a fit that goes on
//! from other numbers than it had.

use super::problem::Shared;
use super::{Control, FitError};
use argmin::core::checkpointing::CheckpointingFrequency;
use argmin::core::{Error, IterState, State};
use postcard::ser_flavors::Flavor;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use std::cell::Cell;
use std::marker::PhantomData;
use std::rc::Rc;
use xxhash_rust::xxh3::xxh3_128;

/// The largest checkpoint in bytes, 64 MiB. A fit whose solver and state are larger runs without checkpoints: L-BFGS
/// keeps `2 * memory + 5` vectors, so from about 490,000 parameters on at a memory of 6.
pub const CHECKPOINT_LIMIT: usize = 64 << 20;

/// Which checkpoint a fit keeps, and how often.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its name in the store.
    pub name: String,
    /// Changes with anything that shapes the fit: data, start, objective, options. A checkpoint of another fingerprint
    /// is ignored.
    pub fingerprint: u128,
    /// Saved every so many iterations; 0 counts as 1.
    pub every: u64,
}

/// The layout of the blob; raise it when argmin's or our fields change.
const VERSION: u32 = 2;

#[derive(Serialize)]
struct Saved<'a, S, I> {
    version: u32,
    method: &'a str,
    fingerprint: u128,
    evaluations: u64,
    solver: &'a S,
    state: &'a I,
}

#[derive(Deserialize)]
struct Header {
    version: u32,
    method: String,
    fingerprint: u128,
    evaluations: u64,
}

/// argmin's checkpoint, kept in our store.
pub(super) struct Keeper<P> {
    pub(super) control: Control,
    pub(super) checkpoint: Checkpoint,
    pub(super) method: &'static str,
    pub(super) max_iterations: u64,
    pub(super) limit: usize,
    pub(super) shared: Rc<Shared>,
    too_large: Cell<bool>,
    phantom: PhantomData<P>,
}

impl<P> Keeper<P> {
    pub(super) fn new(
        control: &Control,
        checkpoint: &Checkpoint,
        method: &'static str,
        max_iterations: u64,
        limit: usize,
        shared: Rc<Shared>,
    ) -> Self {
        Self {
            control: control.clone(),
            checkpoint: checkpoint.clone(),
            method,
            max_iterations,
            limit,
            shared,
            too_large: Cell::new(false),
            phantom: PhantomData,
        }
    }

    /// Remembers the failure where the fit finds it again, and ends the run.
    fn fail(&self, what: String) -> Error {
        let message = format!("checkpoint '{}': {what}", self.checkpoint.name);
        *self.shared.failed.borrow_mut() = Some(FitError::Checkpoint {
            name: self.checkpoint.name.clone(),
            what,
        });
        Error::msg(message)
    }
}

impl<S, P, G> argmin::core::checkpointing::Checkpoint<S, IterState<P, G, (), (), (), f64>> for Keeper<P>
where
    S: Serialize + DeserializeOwned,
    P: Serialize + DeserializeOwned + Clone,
    G: Serialize + DeserializeOwned,
{
    fn save(&self, solver: &S, state: &IterState<P, G, (), (), (), f64>) -> Result<(), Error> {
        if self.too_large.get() || self.shared.stopped.get().is_some() || state.terminated() {
            return Ok(());
        }
        let Some(store) = self.control.checkpoints() else {
            return Ok(());
        };
        if !store.due() {
            return Ok(());
        }
        let saved = Saved {
            version: VERSION,
            method: self.method,
            fingerprint: self.checkpoint.fingerprint,
            evaluations: self.shared.evaluations.get(),
            solver,
            state,
        };
        let bounded = Bounded {
            bytes: Vec::new(),
            limit: self.limit,
        };
        match postcard::serialize_with_flavor(&saved, bounded) {
            Ok(mut bytes) => {
                bytes.extend_from_slice(&xxh3_128(&bytes).to_le_bytes());
                store
                    .save(&self.checkpoint.name, self.checkpoint.fingerprint, &bytes)
                    .map_err(|what| self.fail(what))
            }
            Err(postcard::Error::SerializeBufferFull) => {
                self.too_large.set(true);
                Ok(())
            }
            Err(error) => Err(self.fail(error.to_string())),
        }
    }

    fn load(&self) -> Result<Option<(S, IterState<P, G, (), (), (), f64>)>, Error> {
        let Some(store) = self.control.checkpoints() else {
            return Ok(None);
        };
        let found = store
            .load(&self.checkpoint.name, self.checkpoint.fingerprint)
            .map_err(|what| self.fail(what))?;
        let Some(bytes) = found else { return Ok(None) };
        // A blob we cannot read is damaged, or one of another version or of another fit: as good as none.
        let Some((bytes, sum)) = bytes.split_last_chunk::<16>() else {
            return Ok(None);
        };
        if xxh3_128(bytes).to_le_bytes() != *sum {
            return Ok(None);
        }
        let Ok((header, rest)) = postcard::take_from_bytes::<Header>(bytes) else {
            return Ok(None);
        };
        if header.version != VERSION
            || header.method != self.method
            || header.fingerprint != self.checkpoint.fingerprint
        {
            return Ok(None);
        }
        let Ok((solver, state)) = postcard::from_bytes::<(S, IterState<P, G, (), (), (), f64>)>(rest) else {
            return Ok(None);
        };
        self.shared.evaluations.set(header.evaluations);
        Ok(Some((solver, state.max_iters(self.max_iterations))))
    }

    fn frequency(&self) -> CheckpointingFrequency {
        CheckpointingFrequency::Every(self.checkpoint.every.max(1))
    }
}

/// A growing buffer that refuses to pass its limit.
struct Bounded {
    bytes: Vec<u8>,
    limit: usize,
}

impl Flavor for Bounded {
    type Output = Vec<u8>;

    fn try_push(&mut self, byte: u8) -> postcard::Result<()> {
        self.try_extend(&[byte])
    }

    fn try_extend(&mut self, bytes: &[u8]) -> postcard::Result<()> {
        if self.bytes.len() + bytes.len() > self.limit {
            return Err(postcard::Error::SerializeBufferFull);
        }
        self.bytes.extend_from_slice(bytes);
        Ok(())
    }

    fn finalize(self) -> postcard::Result<Vec<u8>> {
        Ok(self.bytes)
    }
}
