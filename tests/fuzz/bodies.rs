//! What is done with hostile bytes: by the fuzzer, which looks for its way (fuzz_targets), and by `cargo test`, which throws dice
//! (tests/extension/fuzzed.rs).

use nightclerk::neural::file;
use nightclerk::recommend::sessions::kept::Kept;
use nightclerk::search::{Document, IndexWriter, Kind, Options, Reader};
use nightclerk::support::{Search, Seq2Seq};
use nightclerk::text::{Csr, Neighbours, TfIdf};
use std::sync::LazyLock;
use xxhash_rust::xxh3::xxh3_128;

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap().keep();
    let mut writer = IndexWriter::open(&folder, "fuzz").unwrap().writer;
    let texts = [
        "Where is my parcel?",
        "我的订单还没有发货，申请退款。",
        "A-1234 arrived broken",
        "délivrée hier",
    ];
    let tickets = (0..200).map(|number| {
        Ok::<_, std::fmt::Error>(Document::Ticket {
            id: format!("T-{number}"),
            subject: texts[number % 4].into(),
            body: texts[number / 4 % 4].repeat(1 + number % 3),
            replies: vec![texts[number % 3].into()],
            notes: vec!["call back".into()],
            status: "open".into(),
            category: Some("delivery".into()),
            team: None,
            agent_id: None,
            language: Some("en".into()),
            created_at: 1_790_000_000 + number as i64 * 10_000,
        })
    });
    writer.rebuild(tickets, 1).unwrap();
    writer.close().unwrap();
    Reader::open_as_guest(&folder)
        .unwrap()
        .with_synonyms(&[("parcel".into(), "package".into())])
});

/// Any text is a query: it finds or it does not, it never fails, and what it finds is in order.
pub fn query(text: &str) {
    for typing in [false, true] {
        let options = Options {
            typing,
            ..Options::default()
        };
        let hits = READER.find(Kind::Ticket, text, &options).unwrap().hits;
        assert!(hits.len() <= options.limit);
        assert!(hits.windows(2).all(|pair| pair[0].score >= pair[1].score));
        for hit in hits {
            assert!(hit.score.is_finite());
            assert_eq!(
                hit.snippet.matches("<mark>").count(),
                hit.snippet.matches("</mark>").count()
            );
        }
    }
}

/// A network file whose header and checksum are right, whatever follows: a fuzzer would never find them.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let mut file = b"nightclerknn\x01\0\0\0".to_vec();
    file.extend_from_slice(&xxh3_128(bytes).to_le_bytes());
    file.extend_from_slice(bytes);
    file
}

/// Any bytes are offered as a model: they are refused, or what they give answers.
pub fn model(bytes: &[u8]) {
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
                let sources = [("on its way", 0.5)];
                network.write("where is my parcel 订单", &sources, &Search::default());
            }
        }
        _ => {
            // Who reads them compares their columns with the vocabulary, and looks at their weights.
            if let Ok(rows) = postcard::from_bytes::<Csr>(bytes)
                && rows.columns < 1 << 20
                && rows.values.iter().all(|value| value.is_finite() && *value >= 0.0)
            {
                let index = Neighbours::new(&rows);
                index.nearest_to(&[0, 1, 2], &[0.5, 0.5, 0.5], 5, 0..index.len());
            }
        }
    }
}
