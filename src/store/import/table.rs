//! What each importable table takes: its columns, their kinds, and how a row is told from another.
//!
//! These lists mirror `schema/0001_inputs.sql`; a test compares the two. A column says what an empty cell
//! means, so that what a file leaves open never turns into a guess.

use super::ImportError;
use super::value::Kind;

/// What an empty cell of a column means.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Empty {
    /// The row cannot be taken, and a file without the column cannot bring new rows.
    Refused,
    /// NULL.
    Null,
    /// This text.
    Text(&'static str),
    /// This number (a REAL column).
    Real(f64),
    /// This number (an INTEGER column).
    Integer(i64),
    /// As if the file had no such column: a new row takes the time of the import, an old one keeps its own.
    Keep,
}

/// One column of an input table.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// What an empty cell means.
    pub empty: Empty,
}

/// How the rows of a table are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// By these columns, which every row brings.
    Columns(&'static [usize]),
    /// By an integer the database assigns (column 0), else by the shop's own key (column 1), else by content.
    Source,
    /// By an integer the database assigns (column 0); a row without one is new unless its like is there.
    Assigned,
}

/// One importable table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// Its columns, in the schema's order.
    pub columns: &'static [Column],
    /// How its rows are told apart.
    pub key: Key,
}

const fn column(name: &'static str, kind: Kind, empty: Empty) -> Column {
    Column { name, kind, empty }
}

/// Text that may be missing.
const fn text(name: &'static str) -> Column {
    column(name, Kind::Text, Empty::Null)
}

/// An id that may be missing.
const fn some_id(name: &'static str) -> Column {
    column(name, Kind::Id, Empty::Null)
}

/// Text that is '' when missing.
const fn words(name: &'static str) -> Column {
    column(name, Kind::Text, Empty::Text(""))
}

/// An id that must be there.
const fn id(name: &'static str) -> Column {
    column(name, Kind::Id, Empty::Refused)
}

/// An instant that may be missing.
const fn time(name: &'static str) -> Column {
    column(name, Kind::Time, Empty::Null)
}

const REQUIRED_TIME: Column = column("at", Kind::Time, Empty::Refused);
const ROW_ID: Kind = Kind::Whole(1, i64::MAX);
const STATUS: Kind = Kind::OneOf(&["open", "pending", "closed"]);
const PRIORITY: Kind = Kind::OneOf(&["low", "medium", "high", "urgent"]);
const DECIDED_BY: Kind = Kind::OneOf(&["person", "clerk"]);
const AUTHOR: Kind = Kind::OneOf(&["agent", "clerk", "customer", "note"]);
const VERDICT: Kind = Kind::OneOf(&["accepted", "edited", "rejected"]);
const RULE: Kind = Kind::OneOf(&["pin", "block", "boost", "never_together"]);

/// Every importable table.
pub const TABLES: &[Table] = &[
    Table {
        name: "settings",
        columns: &[id("name"), text("value")],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "products",
        columns: &[
            id("product_id"),
            some_id("group_id"),
            words("title"),
            text("description"),
            text("category"),
            text("brand"),
            column("properties", Kind::Object, Empty::Null),
            column("price", Kind::Money, Empty::Null),
            column("cost", Kind::Money, Empty::Null),
            text("currency"),
            column("in_stock", Kind::Number(-1e12, 1e12), Empty::Real(1.0)),
            column("hidden", Kind::Flag, Empty::Integer(0)),
            time("created_at"),
            time("updated_at"),
        ],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "users",
        columns: &[
            id("user_id"),
            text("country"),
            text("language"),
            time("created_at"),
        ],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "events",
        columns: &[
            column("event_id", ROW_ID, Empty::Null),
            some_id("source_id"),
            some_id("user_id"),
            some_id("session_id"),
            some_id("order_id"),
            id("product_id"),
            id("kind"),
            column("quantity", Kind::Above(0.0, 1e12), Empty::Real(1.0)),
            column("price", Kind::Money, Empty::Null),
            column("rating", Kind::Number(1.0, 5.0), Empty::Null),
            text("shown_by"),
            REQUIRED_TIME,
        ],
        key: Key::Source,
    },
    Table {
        name: "prices",
        columns: &[
            id("product_id"),
            words("seller"),
            REQUIRED_TIME,
            column("price", Kind::Money, Empty::Null),
            column("promotion", Kind::Flag, Empty::Integer(0)),
        ],
        key: Key::Columns(&[0, 1, 2]),
    },
    Table {
        name: "drivers",
        columns: &[
            id("name"),
            words("product_id"),
            column("day", Kind::Day, Empty::Refused),
            column("value", Kind::Number(-1e15, 1e15), Empty::Refused),
        ],
        key: Key::Columns(&[0, 1, 2]),
    },
    Table {
        name: "agents",
        columns: &[
            id("agent_id"),
            text("name"),
            text("team"),
            column("languages", Kind::List, Empty::Null),
            column("skills", Kind::List, Empty::Null),
            column("capacity", Kind::Whole(0, 1_000_000_000), Empty::Null),
            column("active", Kind::Flag, Empty::Integer(1)),
        ],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "tickets",
        columns: &[
            id("ticket_id"),
            some_id("user_id"),
            words("subject"),
            words("body"),
            text("language"),
            text("channel"),
            column("status", STATUS, Empty::Text("open")),
            text("category"),
            text("team"),
            some_id("agent_id"),
            column("priority", PRIORITY, Empty::Null),
            column("decided_by", DECIDED_BY, Empty::Text("person")),
            column("created_at", Kind::Time, Empty::Keep),
            time("first_reply_at"),
            time("closed_at"),
        ],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "replies",
        columns: &[
            column("reply_id", ROW_ID, Empty::Null),
            some_id("source_id"),
            id("ticket_id"),
            column("author", AUTHOR, Empty::Text("agent")),
            some_id("agent_id"),
            words("body"),
            REQUIRED_TIME,
        ],
        key: Key::Source,
    },
    Table {
        name: "articles",
        columns: &[
            id("article_id"),
            words("title"),
            words("body"),
            text("category"),
            text("language"),
            time("updated_at"),
        ],
        key: Key::Columns(&[0]),
    },
    Table {
        name: "synonyms",
        columns: &[id("term"), id("also")],
        key: Key::Columns(&[0, 1]),
    },
    Table {
        name: "rules",
        columns: &[
            column("rule_id", ROW_ID, Empty::Null),
            column("kind", RULE, Empty::Refused),
            text("result"),
            some_id("user_id"),
            some_id("for_product_id"),
            some_id("product_id"),
            some_id("other_product_id"),
            text("category"),
            column("value", Kind::Number(-1e12, 1e12), Empty::Null),
            column("enabled", Kind::Flag, Empty::Integer(1)),
            time("from_at"),
            time("until_at"),
            text("who"),
            text("note"),
        ],
        key: Key::Assigned,
    },
    Table {
        name: "verdicts",
        columns: &[
            column("verdict_id", ROW_ID, Empty::Null),
            id("result"),
            id("subject_id"),
            column("verdict", VERDICT, Empty::Refused),
            text("who"),
            text("note"),
            column("at", Kind::Time, Empty::Keep),
        ],
        key: Key::Assigned,
    },
];

impl Table {
    /// The table of this name; an unknown one is an error that names the nearest.
    pub fn named(name: &str) -> Result<&'static Table, ImportError> {
        TABLES.iter().find(|table| table.name == name).ok_or_else(|| {
            let names: Vec<&str> = TABLES.iter().map(|table| table.name).collect();
            let hint =
                nearest(name, &names).map_or(".".to_string(), |near| format!("; did you mean {near}?"));
            ImportError::Input(format!(
                "there is no table {name} to import into{hint} Tables: {}",
                names.join(", ")
            ))
        })
    }

    /// Where the column of this name stands, in any spelling of capitals.
    pub fn position(&self, name: &str) -> Option<usize> {
        let name = name.trim();
        self.columns
            .iter()
            .position(|column| column.name.eq_ignore_ascii_case(name))
    }

    /// The columns that must be present in a file that brings new rows.
    pub fn required(&self) -> impl Iterator<Item = usize> + '_ {
        (0..self.columns.len()).filter(|&at| self.columns[at].empty == Empty::Refused)
    }

    /// Says what to do about a column the table does not have.
    pub fn unknown_column(&self, name: &str, source: &str) -> ImportError {
        let names: Vec<&str> = self.columns.iter().map(|column| column.name).collect();
        let hint = match nearest(name, &names) {
            Some(near) => format!("did you mean {near}? "),
            None => String::new(),
        };
        ImportError::Input(format!(
            "{source} has a column {:?} that {} does not have; {hint}Columns of {}: {}. To take some columns and leave \
             others, or to give them other names: --select 'SELECT a AS {} FROM input'",
            cut(name, 60),
            self.name,
            self.name,
            names.join(", "),
            self.columns[self.columns.len() / 2].name,
        ))
    }
}

/// The first `most` characters of `text`, for messages.
pub fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text.to_string(),
    }
}

/// The name among `names` fewest changes away from `wrong`, if few enough to be a slip.
pub fn nearest<'a>(wrong: &str, names: &[&'a str]) -> Option<&'a str> {
    let wrong = wrong.trim().to_lowercase();
    if wrong.chars().count() > 60 {
        return None;
    }
    names
        .iter()
        .map(|name| (distance(&wrong, name), *name))
        .filter(|(steps, name)| {
            *steps <= name.len() / 3 + 1 || name.starts_with(&wrong) || wrong.starts_with(name)
        })
        .min()
        .filter(|_| !wrong.is_empty())
        .map(|(_, name)| name)
}

/// Levenshtein's distance: insertions, deletions and changes of single characters.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut corner = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let change = corner + usize::from(x != *y);
            corner = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(corner + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_understood() {
        let products = Table::named("products").unwrap();
        let error = products.unknown_column("titel", "a.csv").to_string();
        assert!(
            error.contains("did you mean title?") && error.contains("a.csv"),
            "{error}"
        );
        let error = products.unknown_column("InvoiceDate", "a.csv").to_string();
        assert!(!error.contains("did you mean"), "{error}");
        assert!(
            Table::named("product")
                .unwrap_err()
                .to_string()
                .contains("did you mean products?")
        );
        assert_eq!(nearest("prise", &["price", "cost"]), Some("price"));
        assert_eq!(nearest("", &["price"]), None);
    }

    #[test]
    fn names_match_in_any_capitals() {
        assert_eq!(Table::named("users").unwrap().position(" User_ID "), Some(0));
    }

    #[test]
    fn required_columns() {
        let events = Table::named("events").unwrap();
        let names: Vec<&str> = events.required().map(|at| events.columns[at].name).collect();
        assert_eq!(names, ["product_id", "kind", "at"]);
    }
}
