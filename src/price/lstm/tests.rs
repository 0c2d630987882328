//! The network on series whose future is known.
