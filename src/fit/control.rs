//! What reaches into a running fit from outside: stop, report, remember.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

/// Why work ended before its time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Stopped {
    /// Somebody cancelled it.
    #[error("stopped: cancelled")]
    Cancelled,
    /// The deadline passed.
    #[error("stopped: the deadline has passed")]
    Deadline,
}

/// Who hears how far the work is.
pub trait Progress: Send + Sync {
    /// `done` of `of` steps of `what` are finished.
    fn step(&self, what: &str, done: u64, of: u64);
}

/// Where checkpoints are kept: one per name, the newest replaces the older.
pub trait Checkpoints: Send + Sync {
    /// The state saved under `name` with this `fingerprint`; nothing when there is none or its fingerprint differs.
    fn load(&self, name: &str, fingerprint: u128) -> Result<Option<Vec<u8>>, String>;
    /// Whether a save now would be worth its cost; asked before the state is made into bytes. When a checkpoint is
    /// saved never changes what is fitted, so a store may go by the clock.
    fn due(&self) -> bool {
        true
    }
    /// Keeps `state` under `name`.
    fn save(&self, name: &str, fingerprint: u128, state: &[u8]) -> Result<(), String>;
    /// Forgets `name`; not an error when there is none.
    fn clear(&self, name: &str) -> Result<(), String>;
}

/// The handle a fit looks at between evaluations: cancel flag, deadline, progress, checkpoints. Cheap to clone; the
/// clones share flag, listener and store.
#[derive(Clone, Default)]
pub struct Control {
    cancel: Option<Arc<AtomicBool>>,
    deadline: Option<Instant>,
    progress: Option<Arc<dyn Progress>>,
    checkpoints: Option<Arc<dyn Checkpoints>>,
}

impl Control {
    /// Never stops, tells nobody, keeps nothing.
    pub fn unbounded() -> Self {
        Self::default()
    }

    /// Stops once `flag` is true.
    #[must_use]
    pub fn with_cancel(mut self, flag: Arc<AtomicBool>) -> Self {
        self.cancel = Some(flag);
        self
    }

    /// Stops once `deadline` has passed.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.deadline = Some(deadline);
        self
    }

    /// Reports to `progress`.
    #[must_use]
    pub fn with_progress(mut self, progress: Arc<dyn Progress>) -> Self {
        self.progress = Some(progress);
        self
    }

    /// Keeps checkpoints in `store`.
    #[must_use]
    pub fn with_checkpoints(mut self, store: Arc<dyn Checkpoints>) -> Self {
        self.checkpoints = Some(store);
        self
    }

    /// The same flag and deadline without progress and checkpoints: for the thousands of small fits inside one step,
    /// which would drown both.
    #[must_use]
    pub fn quiet(&self) -> Self {
        Self {
            cancel: self.cancel.clone(),
            deadline: self.deadline,
            progress: None,
            checkpoints: None,
        }
    }

    /// Whether work may go on.
    ///
    /// # Errors
    /// [`Stopped::Cancelled`] before [`Stopped::Deadline`].
    pub fn check(&self) -> Result<(), Stopped> {
        if self
            .cancel
            .as_ref()
            .is_some_and(|flag| flag.load(Ordering::Relaxed))
        {
            return Err(Stopped::Cancelled);
        }
        if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            return Err(Stopped::Deadline);
        }
        Ok(())
    }

    /// Tells the listener, if there is one, that `done` of `of` steps of `what` are finished.
    pub fn progress(&self, what: &str, done: u64, of: u64) {
        if let Some(progress) = &self.progress {
            progress.step(what, done, of);
        }
    }

    /// The store of checkpoints, if there is one.
    pub fn checkpoints(&self) -> Option<&Arc<dyn Checkpoints>> {
        self.checkpoints.as_ref()
    }
}

impl fmt::Debug for Control {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Control")
            .field("cancel", &self.cancel)
            .field("deadline", &self.deadline)
            .field("progress", &self.progress.is_some())
            .field("checkpoints", &self.checkpoints.is_some())
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn says_why_it_stops() {
        assert_eq!(Control::unbounded().check(), Ok(()));
        let flag = Arc::new(AtomicBool::new(false));
        let past = Instant::now() - Duration::from_millis(1);
        let control = Control::unbounded().with_cancel(flag.clone());
        assert_eq!(control.check(), Ok(()));
        let late = control.clone().with_deadline(past);
        assert_eq!(late.check(), Err(Stopped::Deadline));
        flag.store(true, Ordering::Relaxed);
        assert_eq!(control.check(), Err(Stopped::Cancelled));
        assert_eq!(late.check(), Err(Stopped::Cancelled));
        assert_eq!(late.quiet().check(), Err(Stopped::Cancelled));
    }
}
