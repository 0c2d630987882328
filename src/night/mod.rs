//! The room `night`.
