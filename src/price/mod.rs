//! The room `price`.
