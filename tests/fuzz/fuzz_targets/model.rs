//! Any bytes are offered as a model: they are refused, or what they give answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightclerk::recommend::sessions::kept::Kept;
use nightclerk::text::{Csr, Neighbours, TfIdf};

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else { return };
    match kind % 3 {
        0 => {
            if let Ok(kept) = Kept::from_bytes(bytes) {
                kept.next(&[1, 2, 3, 7], 20);
            }
        }
        1 => {
            if let Ok(words) = postcard::from_bytes::<TfIdf>(bytes) {
                words.vector("where is my parcel 订单");
            }
        }
        _ => {
            if let Ok(rows) = postcard::from_bytes::<Csr>(bytes) {
                let index = Neighbours::new(&rows);
                index.nearest_to(&[0, 1, 2], &[0.5, 0.5, 0.5], 5, 0..index.len());
            }
        }
    }
});
