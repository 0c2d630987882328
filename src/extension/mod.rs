//! The room `extension`.
