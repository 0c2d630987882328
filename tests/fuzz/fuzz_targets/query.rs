//! Any text is a query: it finds or it does not, it never fails.

#![no_main]

use libfuzzer_sys::fuzz_target;
use nightclerk::search::{Document, IndexWriter, Kind, Options, Reader};
use std::sync::LazyLock;

static READER: LazyLock<Reader> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap().keep();
    let mut writer = IndexWriter::open(&folder, "fuzz").unwrap().writer;
    let texts = ["Where is my parcel?", "我的订单还没有发货，申请退款。", "A-1234 arrived broken", "délivrée hier"];
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
    Reader::open_as_guest(&folder).unwrap().with_synonyms(&[("parcel".into(), "package".into())])
});

fuzz_target!(|text: &str| {
    for typing in [false, true] {
        let options = Options {
            typing,
            ..Options::default()
        };
        READER.find(Kind::Ticket, text, &options).unwrap();
    }
});
