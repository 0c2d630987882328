//! The room `support`.
