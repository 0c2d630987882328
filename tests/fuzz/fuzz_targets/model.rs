//! Any bytes are offered as a model: they are refused, or what they give answers.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightclerk::neural::file;
use nightclerk::recommend::sessions::kept::Kept;
use nightclerk::support::{Search, Seq2Seq};
use nightclerk::text::{Csr, Neighbours, TfIdf};
use xxhash_rust::xxh3::xxh3_128;

/// A network file whose header and checksum are right, whatever follows: a fuzzer would never find them.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"nightclerknn\x01\0\0\0".to_vec();
    file.extend_from_slice(&xxh3_128(bytes).to_le_bytes());
    file.extend_from_slice(bytes);
    file
}

fuzz_target!(|bytes: &[u8]| {
    let Some((kind, bytes)) = bytes.split_first() else {
        return;
    };
    match kind % 5 {
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
        2 => {
            let _ = file::read(&sealed(bytes));
        }
        3 => {
            // A vocabulary of these bytes before a file of the rest.
            let (head, rest) = bytes.split_at(bytes.len() / 2);
            let mut network = (head.len() as u64).to_le_bytes().to_vec();
            network.extend_from_slice(head);
            network.extend_from_slice(&sealed(rest));
            if let Ok(network) = Seq2Seq::from_bytes(&network) {
                network.write(
                    "where is my parcel 订单",
                    &[("on its way", 0.5)],
                    &Search::default(),
                );
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
