//! What a search does beside finding words: order, fields' weights, synonyms, typos, counts, more of the same.

use super::tests::{build, ids, ticket};
use super::*;

fn found(reader: &Reader, query: &str, options: &Options) -> Vec<(String, bool)> {
    let found = reader.find(Kind::Ticket, query, options).unwrap();
    found
        .hits
        .into_iter()
        .map(|hit| (hit.id, hit.corrected))
        .collect()
}

fn order(reader: &Reader, query: &str) -> Vec<String> {
    let hits = reader.search(Kind::Ticket, query, 100).unwrap();
    assert!(
        hits.windows(2).all(|pair| pair[0].score >= pair[1].score),
        "{hits:?}"
    );
    hits.into_iter().map(|hit| hit.id).collect()
}

fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(a, b)| ((*a).into(), (*b).into())).collect()
}

#[test]
fn the_subject_weighs_more_and_an_id_comes_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut documents = vec![
        ticket("1", "about a lamp", "the glass of it is broken"),
        ticket("2", "the glass of it", "is broken about a lamp"),
        ticket("L-9", "something else", "no word of it"),
    ];
    // Others that name L-9 more often than itself.
    documents.extend((10..16).map(|i| ticket(&i.to_string(), "L-9", "L-9 L-9 l-9")));
    let reader = build(folder.path(), documents);
    assert_eq!(order(&reader, "lamp"), ["1", "2"]);
    assert_eq!(order(&reader, "glass"), ["2", "1"]);
    assert_eq!(order(&reader, "l-9")[6], "L-9", "an id is kept as it is written");
    assert_eq!(order(&reader, " L-9 ")[0], "L-9");
    let one = reader.search(Kind::Ticket, "L-9", 1).unwrap();
    assert_eq!(one[0].id, "L-9");
    // No phrase reaches over the end of a part, nor from the subject into itself.
    for query in [
        "\"lamp the\"",
        "\"lamp about\"",
        "\"1 about\"",
        "\"broken about a lamp the\"",
    ] {
        assert!(ids(&reader, query).is_empty(), "{query}");
    }
}

#[test]
fn a_phrase_may_be_denied_among_others() {
    let folder = tempfile::tempdir().unwrap();
    let texts = ["red lamp late", "lamp red late", "late lamp", "red chair"];
    let documents = texts.iter().zip(1..);
    let reader = build(
        folder.path(),
        documents
            .map(|(text, id)| ticket(&id.to_string(), "", text))
            .collect(),
    );
    for (query, expected) in [
        // Both words are there, and nowhere side by side.
        ("\"late red\" OR -\"chair red\" late", vec!["1", "2", "3"]),
        ("\"lamp red\" OR -\"red lamp\" late", vec!["2", "3"]),
        ("chair OR -\"lamp red\" red", vec!["1", "4"]),
        ("late -\"lamp red\"", vec!["1", "3"]),
    ] {
        assert_eq!(ids(&reader, query), expected, "{query}");
    }
}

#[test]
fn kinds_keep_to_themselves() {
    let folder = tempfile::tempdir().unwrap();
    let article = |id: &str, title: &str| Document::Article {
        id: id.into(),
        title: title.into(),
        body: String::new(),
        category: Some("Help".into()),
        language: None,
    };
    let reader = build(
        folder.path(),
        vec![
            ticket("1", "pots and pans", ""),
            article("1", "art of pots"),
            article("pots", "x"),
        ],
    );
    let find = |kind, query: &str| {
        let hits = reader.search(kind, query, 9).unwrap();
        hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(find(Kind::Ticket, "pots"), ["1"]);
    assert_eq!(find(Kind::Article, "pots"), ["pots", "1"]);
    // Terms begin with the letter of their kind; no word of one is a word of another.
    for query in ["pots*", "apots", "tpots", "p*", "aart", "-x", "pots OR pans"] {
        let wanted = ["pots*", "p*", "-x", "pots OR pans"].contains(&query);
        assert_eq!(!find(Kind::Ticket, query).is_empty(), wanted, "{query}");
        assert!(find(Kind::Product, query).is_empty(), "{query}");
    }
    assert_eq!(find(Kind::Article, "category:help -art"), ["pots"]);
    assert!(find(Kind::Article, "note:pots").is_empty());
}

#[test]
fn prefixes_are_ranked_like_words() {
    let folder = tempfile::tempdir().unwrap();
    let documents: Vec<_> = (0..400)
        .map(|i| {
            let body = match i {
                7 => "refund refunds refunding".to_owned(),
                9 => "refunded and much else that makes it long, far longer than the others are".to_owned(),
                _ if i % 2 == 0 => format!("refund{i} filler words"),
                _ => "other words entirely".to_owned(),
            };
            ticket(&format!("{i:03}"), "", &body)
        })
        .collect();
    let reader = build(folder.path(), documents);
    let hits = order(&reader, "refund*");
    assert_eq!(hits.len(), 100);
    assert_eq!(hits[0], "007");
    let all = reader.search(Kind::Ticket, "refund*", 1000).unwrap();
    assert_eq!(all.len(), 202);
    assert_eq!(all.last().unwrap().id, "009");
    // Few documents and many, with other words and without.
    assert_eq!(
        order(&reader, "refund10*"),
        ["010", "100", "102", "104", "106", "108"]
    );
    assert_eq!(ids(&reader, "refund1* -refund10*").len(), 49);
    assert_eq!(ids(&reader, "refund398* OR entire*").len(), 100);
    assert_eq!(ids(&reader, "much refund*"), ["009"]);
    assert!(ids(&reader, "refunz*").is_empty());
}

#[test]
fn equal_scores_go_by_id_whatever_the_segments() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(folder.path(), vec![ticket("50", "lamp", "")]);
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    for (seq, id) in ["70", "10", "60", "30", "20"].into_iter().enumerate() {
        writer.apply([Change::Put(ticket(id, "lamp", ""))]).unwrap();
        writer.commit(2 + seq as i64).unwrap();
    }
    for limit in 1..=6 {
        let hits = reader.search(Kind::Ticket, "lamp", limit).unwrap();
        let ids: Vec<_> = hits.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids, ["10", "20", "30", "50", "60", "70"][..limit]);
    }
}

#[test]
fn typos_are_forgiven_after_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            ticket("1", "My refund", "the delivery is late"),
            ticket("2", "A refnud", "as somebody wrote it"),
            ticket("3", "Order A12345", "申请退款 for my order A12346"),
            ticket("4", "refunds and fees", "deliveries"),
        ],
    );
    let options = Options::default();
    let is = |query: &str, expected: &[(&str, bool)]| {
        let found = found(&reader, query, &options);
        let found: Vec<_> = found.iter().map(|(id, c)| (id.as_str(), *c)).collect();
        assert_eq!(found, expected, "{query}");
    };
    is("refund", &[("1", false), ("4", true), ("2", true)]);
    is("refnud", &[("2", false), ("1", true)]);
    is("delivrey", &[("1", true)]);
    is("refund delivrey", &[("1", true)]);
    is("\"refnud\"", &[("2", false)]);
    is("refundx -refund", &[("4", true)]);
    // Short words, numbers and codes, scripts without spaces, negations: as they are written.
    for query in [
        "fee",
        "a12344",
        "申请退货",
        "-refundx refundy1",
        "lat",
        "note:refundx",
    ] {
        is(query, &[]);
    }
    is("A12345", &[("3", false)]);
    let hits = reader.find(Kind::Ticket, "refund", &options).unwrap().hits;
    assert!(
        hits.windows(2).all(|pair| pair[0].score > pair[1].score),
        "{hits:?}"
    );
    assert!(hits[1].snippet.contains("<mark>refunds</mark>"), "{hits:?}");
    let exact = Options {
        typos: false,
        ..Options::default()
    };
    assert_eq!(found(&reader, "refund", &exact), [("1".to_owned(), false)]);
    let one = Options {
        limit: 1,
        ..Options::default()
    };
    assert_eq!(found(&reader, "refund", &one), [("1".to_owned(), false)]);
}

#[test]
fn synonyms_are_found_in_both_directions() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            ticket("1", "sofa", ""),
            ticket("2", "couch", ""),
            ticket("3", "a credit note", ""),
            ticket("4", "voucher", ""),
            ticket("5", "note of credit", ""),
            ticket("6", "申请退钱", ""),
            ticket("7", "申请退款", ""),
        ],
    )
    .with_synonyms(&pairs(&[
        ("sofa", "couch"),
        ("Credit note", "voucher"),
        ("退款", "退钱"),
    ]));
    for (query, expected) in [
        ("sofa", vec!["1", "2"]),
        ("couch", vec!["2", "1"]),
        ("\"sofa\"", vec!["1"]),
        ("voucher", vec!["4", "3"]),
        ("退款", vec!["7", "6"]),
        ("申请退款", vec!["7", "6"]),
        ("退钱 申请", vec!["6", "7"]),
    ] {
        assert_eq!(order(&reader, query), expected, "{query}");
    }
    // Its own words, in any order, before what means the same.
    assert_eq!(ids(&reader, "credit note"), ["3", "4", "5"]);
    let hits = reader.search(Kind::Ticket, "sofa", 9).unwrap();
    assert!(hits[1].snippet.contains("<mark>couch</mark>"));
    let without = Options {
        synonyms: false,
        typos: false,
        ..Options::default()
    };
    assert_eq!(found(&reader, "sofa", &without).len(), 1);
}

#[test]
fn what_is_being_typed_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            ticket("1", "late delivery", ""),
            ticket("2", "late", "deliver 订单号"),
        ],
    );
    let typing = Options {
        typing: true,
        typos: false,
        ..Options::default()
    };
    let typed = |query: &str| {
        let mut ids: Vec<_> = found(&reader, query, &typing)
            .into_iter()
            .map(|hit| hit.0)
            .collect();
        ids.sort();
        ids
    };
    assert_eq!(typed("late del"), ["1", "2"]);
    assert_eq!(typed("late delivery"), ["1"]);
    assert_eq!(typed("订"), ["2"]);
    assert_eq!(typed("late 订单"), ["2"]);
    assert!(typed("late del ").is_empty());
    assert!(ids(&reader, "late del").is_empty());
}

#[test]
fn all_hits_are_counted() {
    let folder = tempfile::tempdir().unwrap();
    let documents = (0..50).map(|i| Document::Ticket {
        id: format!("{i:02}"),
        subject: if i < 40 {
            "order lost".into()
        } else {
            "misspelled".into()
        },
        body: String::new(),
        replies: vec![],
        notes: vec![],
        status: if i % 4 == 0 {
            "closed".into()
        } else {
            "open".into()
        },
        category: (i % 2 == 0).then(|| "Billing & Tax".into()),
        team: Some(format!("team {}", i % 3)),
        agent_id: None,
        language: Some("pt-BR".into()),
        created_at: 0,
    });
    let reader = build(folder.path(), documents.collect());
    let mut writer = IndexWriter::open(folder.path(), "shop").unwrap().writer;
    let gone = |id: &str| {
        Change::Remove(Key {
            kind: Kind::Ticket,
            id: id.into(),
        })
    };
    writer
        .apply([gone("00"), Change::Put(ticket("99", "order", "")), gone("03")])
        .unwrap();
    writer.commit(2).unwrap();
    let options = Options {
        limit: 1,
        counts: true,
        ..Options::default()
    };
    let counts = |query: &str| {
        reader
            .find(Kind::Ticket, query, &options)
            .unwrap()
            .counts
            .unwrap()
    };
    let all = counts("order");
    assert_eq!(all.documents, 39);
    let of = |facet: Facet| all.values[facet as usize].clone();
    assert_eq!(of(Facet::Status), [("open".into(), 30), ("closed".into(), 9)]);
    assert_eq!(of(Facet::Category), [("Billing & Tax".into(), 19)]);
    assert_eq!(
        of(Facet::Team),
        [
            ("team 1".into(), 13),
            ("team 2".into(), 13),
            ("team 0".into(), 12)
        ]
    );
    assert_eq!(of(Facet::Language), [("pt-BR".into(), 38)]);
    assert_eq!(counts("order status:closed lost").documents, 9);
    assert_eq!(counts("nothing").documents, 0);
    // Nothing as written: what the corrected words find is counted.
    assert_eq!(counts("mispelled").documents, 10);
    assert_eq!(counts("").documents, 0);
}

#[test]
fn more_like_this() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            ticket("1", "Lamp broken", "the glass of the lamp arrived broken"),
            ticket("2", "Broken glass", "a lamp with broken glass"),
            ticket("3", "Invoice", "the invoice has the wrong address"),
            ticket("4", "Wrong address", "the address on the invoice is wrong"),
            ticket("5", "", "申请退款，客服一直不回复"),
            ticket("6", "", "客服不回复，退款没有到账"),
            ticket("7", "", ""),
        ],
    );
    let like = |id: &str| {
        let found = reader.like(Kind::Ticket, id, &Options::default()).unwrap();
        found.map(|found| found.hits.into_iter().map(|hit| hit.id).collect::<Vec<_>>())
    };
    assert_eq!(like("1").unwrap()[0], "2");
    assert_eq!(like("3").unwrap()[0], "4");
    assert_eq!(like("5").unwrap(), ["6"]);
    assert!(like("7").unwrap().is_empty());
    assert_eq!(like("8"), None);
    assert!(!like("1").unwrap().contains(&"1".to_owned()));
    let one = Options {
        limit: 1,
        ..Options::default()
    };
    let found = reader.like(Kind::Ticket, "4", &one).unwrap().unwrap();
    assert_eq!(found.hits.len(), 1);
    assert!(found.hits[0].snippet.contains("<mark>"), "{found:?}");
    assert!(reader.like(Kind::Article, "1", &one).unwrap().is_none());
}
