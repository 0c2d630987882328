//! The room `recommend`.
