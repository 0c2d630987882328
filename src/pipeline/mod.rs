//! The room `pipeline`.
pub mod recommendations;
