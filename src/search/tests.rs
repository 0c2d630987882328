//! What is put into the index is found, and nothing else.

use std::path::Path;
use std::time::{Duration, Instant};

use super::*;

pub(super) fn ticket(id: &str, subject: &str, body: &str) -> Document {
    Document::Ticket {
        id: id.into(),
        subject: subject.into(),
        body: body.into(),
        replies: vec![],
        notes: vec![],
        status: "open".into(),
        category: None,
        team: None,
        agent_id: None,
        language: None,
        created_at: 1_700_000_000,
    }
}

pub(super) fn build(folder: &Path, documents: Vec<Document>) -> Reader {
    let mut opened = IndexWriter::open(folder, "shop").unwrap();
    opened
        .writer
        .rebuild(documents.into_iter().map(Ok::<_, SearchError>), 1)
        .unwrap();
    opened.writer.close().unwrap();
    Reader::open(folder).unwrap()
}

pub(super) fn ids(reader: &Reader, query: &str) -> Vec<String> {
    let mut ids: Vec<_> = reader
        .search(Kind::Ticket, query, 100)
        .unwrap()
        .into_iter()
        .map(|hit| hit.id)
        .collect();
    ids.sort();
    ids
}

const CHINESE: [(&str, &str); 8] = [
    ("1", "我的订单还没有发货，已经三天了"),
    ("2", "安装简单，质量很好，推荐购买"),
    ("3", "收到的T恤尺码不对，想换大一号"),
    ("4", "申请退款，客服一直不回复"),
    ("5", "发票抬头写错了，请重新开具"),
    ("6", "物流信息三天没有更新 order A1234"),
    ("7", "优惠券无法使用，提示已过期"),
    ("8", "测试工具箱少了一个零件"),
];

fn chinese(folder: &Path) -> Reader {
    build(
        folder,
        CHINESE.iter().map(|(id, body)| ticket(id, "", body)).collect(),
    )
}

#[test]
fn chinese_queries_of_one_to_four_characters_are_found() {
    let folder = tempfile::tempdir().unwrap();
    let reader = chinese(folder.path());
    for (query, expected) in [
        ("货", vec!["1"]),
        ("我", vec!["1"]),
        ("了", vec!["1", "5", "8"]),
        ("恤", vec!["3"]),
        ("号", vec!["3"]),
        ("退", vec!["4"]),
        ("票", vec!["5"]),
        ("箱", vec!["8"]),
        ("天", vec!["1", "6"]),
        ("购", vec!["2"]),
        ("订单", vec!["1"]),
        ("简单", vec!["2"]),
        ("没有", vec!["1", "6"]),
        ("尺码", vec!["3"]),
        ("退款", vec!["4"]),
        ("发票", vec!["5"]),
        ("物流", vec!["6"]),
        ("过期", vec!["7"]),
        ("工具", vec!["8"]),
        ("三天", vec!["1", "6"]),
        ("T恤", vec!["3"]),
        ("优惠券", vec!["7"]),
        ("没发货", vec![]),
        ("工具箱", vec!["8"]),
        ("三天了", vec!["1"]),
        ("换大一", vec!["3"]),
        ("写错了", vec!["5"]),
        ("不回复", vec!["4"]),
        ("安装简单", vec!["2"]),
        ("申请退款", vec!["4"]),
        ("物流信息", vec!["6"]),
        ("重新开具", vec!["5"]),
        ("无法使用", vec!["7"]),
        ("测试工具", vec!["8"]),
        ("发货订单", vec![]),
        ("更新 order", vec!["6"]),
        ("物流 A1234", vec!["6"]),
        ("三天 -订单", vec!["6"]),
        ("\"没有更新\"", vec!["6"]),
        ("退款 OR 发票", vec!["4", "5"]),
    ] {
        assert_eq!(ids(&reader, query), expected, "{query}");
    }
}

/// Every substring of 1 to 4 characters of every document finds that document, and exactly the documents holding it.
#[test]
fn every_part_of_a_chinese_text_finds_it() {
    let folder = tempfile::tempdir().unwrap();
    let reader = chinese(folder.path());
    for (_, body) in CHINESE {
        let characters: Vec<char> = body.chars().collect();
        for length in 1..=4 {
            for part in characters
                .windows(length)
                .filter(|part| part.iter().all(|&c| crate::text::is_cjk(c)))
            {
                let part: String = part.iter().collect();
                let expected: Vec<_> = CHINESE
                    .iter()
                    .filter(|(_, body)| body.contains(&part))
                    .map(|(id, _)| *id)
                    .collect();
                assert_eq!(ids(&reader, &part), expected, "{part}");
            }
        }
    }
}

#[test]
fn words_phrases_prefixes_and_codes() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            ticket(
                "T-1",
                "Refund for order A-1234",
                "The café table has not arrived.",
            ),
            ticket(
                "T-2",
                "Where is my order",
                "It has arrived, not the table I wanted. Item 85123A",
            ),
            ticket("T-3", "Voucher", "refunds: none or all of them"),
        ],
    );
    for (query, expected) in [
        ("order", vec!["T-1", "T-2"]),
        ("ORDER arrived", vec!["T-1", "T-2"]),
        ("order refund", vec!["T-1"]),
        ("\"not arrived\"", vec!["T-1"]),
        ("“not arrived”", vec!["T-1"]),
        ("-voucher", vec!["T-1", "T-2"]),
        ("order -\"not arrived\"", vec!["T-2"]),
        ("refun*", vec!["T-1", "T-3"]),
        ("\"order a\"", vec!["T-1"]),
        ("A-1234", vec!["T-1"]),
        ("a-12*", vec!["T-1"]),
        ("85123a", vec!["T-2"]),
        ("cafe", vec!["T-1"]),
        ("voucher OR wanted", vec!["T-2", "T-3"]),
        ("table voucher OR wanted", vec!["T-2"]),
        ("refund OR -order", vec!["T-1", "T-3"]),
        // What does not parse is plain words.
        ("none OR", vec!["T-3"]),
        ("\"not arrived", vec!["T-1", "T-2"]),
        ("created_at:soon", vec![]),
        ("order: refund", vec!["T-1"]),
        ("refund:order", vec!["T-1"]),
        ("T-3", vec!["T-3"]),
        ("", vec![]),
        ("*", vec![]),
        ("-", vec![]),
        ("!!! ...", vec![]),
    ] {
        assert_eq!(ids(&reader, query), expected, "{query}");
    }
    let hits = reader.search(Kind::Ticket, "refund*", 10).unwrap();
    assert!(hits[0].snippet.contains("<mark>Refund</mark>"), "{hits:?}");
    assert!(reader.search(Kind::Article, "order", 10).unwrap().is_empty());
    assert_eq!(reader.search(Kind::Ticket, "order", 1).unwrap().len(), 1);
    assert!(reader.search(Kind::Ticket, "order", 0).unwrap().is_empty());
}

#[test]
fn conditions_act_before_the_limit_and_notes_are_apart() {
    let folder = tempfile::tempdir().unwrap();
    let day = 86_400;
    let documents = (0..60).map(|i| {
        let (status, team, category) = if i == 59 {
            ("closed", Some("Billing & Tax".into()), Some("-".into()))
        } else {
            ("open", None, None)
        };
        Document::Ticket {
            id: format!("{i:02}"),
            subject: "order".into(),
            body: String::new(),
            replies: vec![if i == 7 {
                "asked a colleague".into()
            } else {
                String::new()
            }],
            notes: vec![if i == 5 {
                "the lawyer called".into()
            } else {
                String::new()
            }],
            status: status.into(),
            category,
            team,
            agent_id: (i == 3).then(|| "Ann/1".into()),
            language: Some(if i % 2 == 0 { "pt-BR".into() } else { "en".into() }),
            // 2026-11-01 is day 20758 after 1970-01-01.
            created_at: (20_758 + i) * day + 1,
        }
    });
    let reader = build(folder.path(), documents.collect());
    let first = |query: &str| {
        reader
            .search(Kind::Ticket, query, 1)
            .unwrap()
            .pop()
            .map(|hit| hit.id)
    };
    assert_eq!(first("order status:closed"), Some("59".into()));
    assert_eq!(first("team:\"billing tax\""), Some("59".into()));
    assert_eq!(first("category:-"), Some("59".into()));
    assert_eq!(first("agent_id:Ann/1"), Some("03".into()));
    assert_eq!(first("agent_id:ann/1"), None);
    assert_eq!(first("lawyer"), None);
    assert_eq!(first("note:lawyer order"), Some("05".into()));
    assert_eq!(first("note:law*"), Some("05".into()));
    assert_eq!(first("note:\"lawyer called\""), Some("05".into()));
    assert_eq!(first("colleague"), Some("07".into()));
    assert_eq!(ids(&reader, "language:pt").len(), 30);
    assert_eq!(ids(&reader, "-language:pt-PT order").len(), 30);
    assert_eq!(ids(&reader, "created_at:2026-11-03"), ["02"]);
    assert_eq!(
        ids(&reader, "created_at:2026-11-03..2026-11-05"),
        ["02", "03", "04"]
    );
    assert_eq!(ids(&reader, "created_at:..2026-11-02 order"), ["00", "01"]);
    assert_eq!(ids(&reader, "created_at:2026-12-29..").len(), 2);
    assert_eq!(
        ids(&reader, "created_at:2026-11-05..2026-11-03"),
        Vec::<String>::new()
    );
    assert_eq!(
        ids(&reader, "status:closed OR created_at:2026-11-01"),
        ["00", "59"]
    );
    // Ties by id, also across the limit.
    let order: Vec<_> = reader
        .search(Kind::Ticket, "status:open", 4)
        .unwrap()
        .into_iter()
        .map(|hit| hit.id)
        .collect();
    assert_eq!(order, ["00", "01", "02", "03"]);
    // Days as the shop counts them.
    let reader = reader.with_days(|day| day.and_hms_opt(0, 0, 0).unwrap().and_utc().timestamp() + 2);
    assert_eq!(ids(&reader, "created_at:2026-11-03"), ["03"]);
}

#[test]
fn hostile_queries_end_soon_and_never_fail() {
    let folder = tempfile::tempdir().unwrap();
    let documents =
        (0..3000).map(|i| ticket(&i.to_string(), "subject", &format!("w{i} a{} 我{i} 货物", i % 50)));
    let reader = build(folder.path(), documents.collect());
    let started = Instant::now();
    let many = |part: &str, n: usize| part.repeat(n);
    let letters = |join: &str| ('a'..='z').map(|c| format!("{c}*{join}")).collect::<String>();
    let everything = Options {
        typing: true,
        counts: true,
        ..Options::default()
    };
    for query in [
        many("(", 100_000),
        many("-", 1 << 20),
        many("\"", 99_999),
        many("a* ", 400_000),
        many("我 ", 300_000),
        many("*", 1 << 20),
        many("a OR ", 200_000),
        many("OR ", 200_000),
        many("status:\"", 100_000),
        many("-\"a b\"* ", 10_000),
        many("a:b:", 10_000),
        many("我的", 500_000),
        many("x", 1 << 20),
        "created_at:9999999-99-99..\u{0}".into(),
        "created_at:-262143-01-01..262142-12-31".into(),
        "\u{202E}\u{0}\u{FFFF}😀 \u{10FFFF}*".into(),
        "note:* status:* -* \"*\" \"\" \"\"* OR".into(),
        letters(" "),
        letters(" OR "),
        "a* b* c*".into(),
        many("😀👍🏽🇩🇪 ", 1000),
        many("the order has not arrived ", 40_000),
        "^(a+)+$ .* [a-z]{1,1000} \\p{L}+ (?=x)".into(),
        (0..10_000).map(|i| format!("wrongword{i} OR ")).collect(),
        (0..16).map(|i| format!("\"subject w{i}\"* ")).collect(),
    ] {
        reader.find(Kind::Ticket, &query, &everything).unwrap();
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    let mut random = fastrand::Rng::with_seed(77);
    let pieces = [
        "a",
        "我",
        "货物",
        "\"",
        "-",
        "*",
        " ",
        "OR",
        ":",
        "status:open",
        "note:",
        "(",
        ")",
        "..",
        "created_at:",
    ];
    for _ in 0..3000 {
        let query: String = (0..random.usize(..14))
            .map(|_| pieces[random.usize(..pieces.len())])
            .collect();
        reader.search(Kind::Ticket, &query, 5).unwrap();
    }
}

#[test]
fn articles_and_products() {
    let folder = tempfile::tempdir().unwrap();
    let reader = build(
        folder.path(),
        vec![
            Document::Article {
                id: "a1".into(),
                title: "Returns".into(),
                body: "How to return a product".into(),
                category: Some("help".into()),
                language: Some("en-GB".into()),
            },
            Document::Product {
                id: "85123A".into(),
                title: "White hanging heart T-light holder".into(),
                description: "Candle holder".into(),
                category: Some("Decoration".into()),
                brand: Some("Nordlys".into()),
                properties: Some("{\"colour\":\"snow\"}".into()),
                created_at: None,
            },
        ],
    );
    let find = |kind, query: &str| {
        reader
            .search(kind, query, 9)
            .unwrap()
            .into_iter()
            .map(|h| h.id)
            .collect::<Vec<_>>()
    };
    assert_eq!(find(Kind::Article, "return* language:en"), ["a1"]);
    for query in [
        "85123A",
        "t-light",
        "nordlys snow",
        "category:decoration heart",
        "decoration",
    ] {
        assert_eq!(find(Kind::Product, query), ["85123A"], "{query}");
    }
    assert_eq!(Kind::parse("tickets"), Some(Kind::Ticket));
    assert_eq!(Kind::parse("orders"), None);
}
