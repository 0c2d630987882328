//! What the query language reads, as trees written out.

use super::*;

/// A short form to compare: clauses by `,`, alternatives by `|`, `!` for not, `~` for a phrase, `*` for a prefix.
fn shown(query: &str) -> String {
    let leaf = |leaf: &Leaf| match leaf {
        Leaf::Words(words) => {
            let terms: Vec<_> = words.terms.iter().map(|(_, text)| text.as_str()).collect();
            let (note, star) = (
                if words.notes { "note:" } else { "" },
                if words.prefix { "*" } else { "" },
            );
            format!("{note}{}{star}", terms.join("~"))
        }
        Leaf::All(_) => unreachable!("nobody writes one"),
        Leaf::Value { field, value } => format!("{field:?}={value}"),
        Leaf::Days { from, to } => {
            let day = |day: &Option<NaiveDate>| day.map_or(String::new(), |day| day.to_string());
            format!("{}..{}", day(from), day(to))
        }
    };
    let clause = |clause: &Clause| -> String {
        let any = clause
            .any
            .iter()
            .map(|one| format!("{}{}", if one.not { "!" } else { "" }, leaf(&one.leaf)));
        any.collect::<Vec<_>>().join("|")
    };
    parse(query)
        .clauses
        .iter()
        .map(clause)
        .collect::<Vec<_>>()
        .join(",")
}

#[test]
fn the_language() {
    for (query, tree) in [
        ("Refund late", "refund,late"),
        ("\"not arrived\" now", "not~arrived,now"),
        ("-voucher", "!voucher"),
        ("-\"two words\"", "!two~words"),
        ("refun*", "refun*"),
        ("\"two wor\"*", "two~wor*"),
        ("A-12*", "a~12*"),
        ("a OR b c", "a|b,c"),
        ("a OR b OR -c", "a|b|!c"),
        ("a AND b", "a,b"),
        ("a NOT b", "a,!b"),
        ("NOT \"two words\"", "!two~words"),
        ("a AND NOT b", "a,!b"),
        ("a OR NOT b", "a|!b"),
        ("NOT status:open AND note:x", "!Status=open,note:x"),
        ("NOT -b", "!b"),
        ("a OR b AND c", "a|b,c"),
        (
            "status:open category:\"Billing & Tax\"",
            "Status=open,Category=Billing & Tax",
        ),
        ("-team:b OR agent_id:7", "!Team=b|AgentId=7"),
        ("language：zh", "Language=zh"),
        ("created_at:2026-11-01..2026-11-23", "2026-11-01..2026-11-23"),
        (
            "created_at:..2026-11-23 created_at:2026-11-01..",
            "..2026-11-23,2026-11-01..",
        ),
        ("created_at:2026-11-01", "2026-11-01..2026-11-01"),
        (
            "note:lawyer note:\"he said\" -note:x*",
            "note:lawyer,note:he~said,!note:x*",
        ),
        ("我的订单 货", "我的~的订~订单,货*"),
        ("T恤 恤T 订单*", "t~恤*,恤~t,订单"),
        ("“没有更新”－订单", "没有~有更~更新,!订单"),
    ] {
        assert_eq!(shown(query), tree, "{query}");
    }
}

#[test]
fn what_does_not_parse_is_plain_words() {
    for (query, tree) in [
        ("OR", "or"),
        ("a OR", "a,or"),
        ("OR a", "or,a"),
        ("a OR OR b", "a,or|b"),
        ("or and not", "or,and,not"),
        ("AND", "and"),
        ("a AND", "a,and"),
        ("AND b NOT", "and,b,not"),
        ("NOT NOT b", "not,!b"),
        ("\"AND\" -NOT note:AND", "and,!not,note:and"),
        ("\"not arrived", "not,arrived"),
        ("24\" screen", "24,screen"),
        ("colour:red", "colour,red"),
        ("status: open", "status,open"),
        ("created_at:soon", "created~at,soon"),
        ("created_at:2026-02-30", "created~at,2026~02~30"),
        ("created_at:..", "created~at"),
        ("(a OR b) c", "a|b,c"),
        ("- * \"\" -\"\" note:* status:\"\" ... ", ""),
        ("", ""),
    ] {
        assert_eq!(shown(query), tree, "{query}");
    }
}

#[test]
fn a_range_that_runs_backwards_is_remarked() {
    let remarks = |query: &str| parse(query).remarks();
    assert_eq!(
        remarks("lamp OR created_at:2026-11-23..2026-11-01"),
        [
            "created_at:2026-11-23..2026-11-01 ends before it begins and holds no day: write \
             created_at:2026-11-01..2026-11-23"
        ]
    );
    for query in [
        "created_at:2026-11-01..2026-11-23",
        "created_at:2026-11-01",
        "created_at:2026-11-01..",
        "lamp",
    ] {
        assert!(remarks(query).is_empty(), "{query}");
    }
}

#[test]
fn limits_hold() {
    let terms = |query: &Query| -> usize {
        let leaves = query.clauses.iter().flat_map(|clause| &clause.any);
        leaves
            .map(|one| {
                if let Leaf::Words(words) = &one.leaf {
                    words.terms.len()
                } else {
                    1
                }
            })
            .sum()
    };
    for part in [
        "a ",
        "我",
        "status:x ",
        "\"a b c\" ",
        "a OR ",
        "created_at:2026-01-01 ",
        "a* ",
    ] {
        let query = parse(&part.repeat(2000));
        assert!((1..=MOST_TERMS).contains(&terms(&query)), "{part}");
    }
    let prefixes = parse(&"a* ".repeat(60));
    let count = prefixes
        .clauses
        .iter()
        .filter(|clause| matches!(&clause.any[0].leaf, Leaf::Words(words) if words.prefix));
    assert_eq!(count.count(), MOST_PREFIXES);
}

#[test]
fn what_is_being_typed_begins_a_word() {
    let prefix = |text: &str| match &parse_typing(text)
        .clauses
        .last()
        .unwrap()
        .any
        .last()
        .unwrap()
        .leaf
    {
        Leaf::Words(words) => words.prefix,
        _ => false,
    };
    for text in [
        "ref",
        "late ref",
        "a-12",
        "late OR ref",
        "订单 ref",
        "note:law",
        "refu*",
    ] {
        assert!(prefix(text), "{text}");
    }
    for text in [
        "ref ",
        "ref.",
        "\"late ref\"",
        "-ref",
        "订单",
        "status:open",
        "ref created_at:2026-11-01",
    ] {
        assert!(!prefix(text), "{text}");
    }
    assert_eq!(parse_typing("late ref ").clauses, parse("late ref ").clauses);
}
