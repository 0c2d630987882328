//! What is indexed, and the fields it becomes.
//!
//! Three kinds of documents share one schema. What is searched stands in one field, `text`: the document's own id, so
//! that an order or article number finds its document, the subject (title), the body (description) and the replies
//! (for products: category, brand and properties). Parts weigh differently by being counted more than once: a word of
//! the subject counts [`SUBJECT`] times, of the rest once. That is how Robertson, Zaragoza and Taylor (Simple BM25
//! extension to multiple weighted fields, CIKM 2004) weigh fields: frequencies are added before BM25 saturates them, where
//! adding the scores of fields would reward a word for being everywhere. And a word is one list of documents, not four
//! to be merged, in every query. No phrase reaches from one part into the next.
//!
//! `notes` is text too, searched only on request. The other indexed fields are exact values to filter by; those whose
//! values are counted ([`Facet`]) also stand in a column as they were written. The texts are stored, to be quoted.

use tantivy::schema::{
    FAST, Field, IndexRecordOption, STORED, Schema, SchemaBuilder, TextFieldIndexing, TextOptions,
};
use tantivy::{TantivyDocument, Term};

use super::analyzer;
use super::facets::Facet;

/// How often a word of the subject counts.
const SUBJECT: usize = 2;

/// The kinds of documents, as the outbox of the database names them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// A ticket with its replies.
    Ticket,
    /// A help article.
    Article,
    /// A product.
    Product,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Kind; 3] = [Kind::Ticket, Kind::Article, Kind::Product];

    /// `ticket`, `article` or `product`.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Ticket => "ticket",
            Kind::Article => "article",
            Kind::Product => "product",
        }
    }

    /// What the terms of its text begin with.
    pub(super) fn letter(self) -> char {
        match self {
            Kind::Ticket => 't',
            Kind::Article => 'a',
            Kind::Product => 'p',
        }
    }

    /// Reads `ticket` or `tickets`, and so on.
    pub fn parse(name: &str) -> Option<Kind> {
        Kind::ALL
            .into_iter()
            .find(|kind| name.strip_suffix('s').unwrap_or(name) == kind.as_str())
    }
}

/// Which document: ids are unique inside a kind.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Key {
    /// The kind.
    pub kind: Kind,
    /// The shop's own id.
    pub id: String,
}

impl Key {
    /// The one term a document is replaced or removed by.
    pub(super) fn term(&self) -> String {
        format!("{}:{}", self.kind.as_str(), self.id)
    }

    /// The id in a term; the kinds have no colon in their names.
    pub(super) fn id_of(term: &str) -> &str {
        term.split_once(':').map_or(term, |(_, id)| id)
    }
}

/// One change to the index.
#[allow(clippy::large_enum_variant)] // changes pass by one at a time; a box a document would cost more
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// Adds the document, in place of the one with the same key.
    Put(Document),
    /// Removes the document, if it is there.
    Remove(Key),
}

/// A document as the database knows it. Absent values are `None` or empty.
#[derive(Debug, Clone, PartialEq)]
pub enum Document {
    /// A ticket with its replies.
    Ticket {
        /// Its id.
        id: String,
        /// The subject line.
        subject: String,
        /// The first message.
        body: String,
        /// What customer and shop wrote after that, in order.
        replies: Vec<String>,
        /// Internal notes: searched by `note:` only.
        notes: Vec<String>,
        /// `open`, `pending` or `closed`.
        status: String,
        /// The category it is in.
        category: Option<String>,
        /// The team it is with.
        team: Option<String>,
        /// The agent it is with.
        agent_id: Option<String>,
        /// A BCP 47 tag.
        language: Option<String>,
        /// Unix seconds, UTC.
        created_at: i64,
    },
    /// A help article.
    Article {
        /// Its id.
        id: String,
        /// The title.
        title: String,
        /// The text.
        body: String,
        /// The category it is in.
        category: Option<String>,
        /// A BCP 47 tag.
        language: Option<String>,
    },
    /// A product.
    Product {
        /// Its id.
        id: String,
        /// The title.
        title: String,
        /// The description.
        description: String,
        /// The category it is in.
        category: Option<String>,
        /// The brand.
        brand: Option<String>,
        /// Further properties as text; JSON will do, its punctuation is not searched.
        properties: Option<String>,
        /// Unix seconds, UTC.
        created_at: Option<i64>,
    },
}

impl Document {
    /// The document's key.
    pub fn key(&self) -> Key {
        let (kind, id) = match self {
            Document::Ticket { id, .. } => (Kind::Ticket, id),
            Document::Article { id, .. } => (Kind::Article, id),
            Document::Product { id, .. } => (Kind::Product, id),
        };
        Key { kind, id: id.clone() }
    }

    /// The document as the engine stores it.
    pub(super) fn to_engine(&self, fields: &Fields) -> TantivyDocument {
        let mut made = TantivyDocument::default();
        let key = self.key();
        made.add_text(fields.key, key.term());
        made.add_text(fields.kind, key.kind.as_str());
        made.add_text(fields.text, analyzer::of_kind(key.kind, &key.id));
        let mut told = |field: Field, text: &str, times: usize| {
            if !text.is_empty() {
                made.add_text(field, text);
                for _ in 0..times {
                    made.add_text(fields.text, analyzer::of_kind(key.kind, text));
                }
            }
        };
        let mut values: [Option<&str>; 4] = [None; 4];
        match self {
            Document::Ticket {
                subject,
                body,
                replies,
                notes,
                status,
                category,
                team,
                agent_id,
                language,
                created_at,
                ..
            } => {
                told(fields.subject, subject, SUBJECT);
                told(fields.body, body, 1);
                replies.iter().for_each(|reply| told(fields.replies, reply, 1));
                notes.iter().for_each(|note| made.add_text(fields.notes, note));
                if let Some(agent) = agent_id {
                    made.add_text(fields.agent_id, fields.comparable(fields.agent_id, agent));
                }
                made.add_i64(fields.created_at, *created_at);
                values = [
                    team.as_deref(),
                    Some(status),
                    category.as_deref(),
                    language.as_deref(),
                ];
            }
            Document::Article {
                title,
                body,
                category,
                language,
                ..
            } => {
                told(fields.subject, title, SUBJECT);
                told(fields.body, body, 1);
                values[2] = category.as_deref();
                values[3] = language.as_deref();
            }
            Document::Product {
                title,
                description,
                category,
                brand,
                properties,
                created_at,
                ..
            } => {
                told(fields.subject, title, SUBJECT);
                told(fields.body, description, 1);
                for text in [brand, category, properties].into_iter().flatten() {
                    told(fields.replies, text, 1);
                }
                if let Some(created_at) = created_at {
                    made.add_i64(fields.created_at, *created_at);
                }
                values[2] = category.as_deref();
            }
        }
        for (facet, value) in Facet::ALL.into_iter().zip(values) {
            if let Some(value) = value {
                let exact = fields.exact(facet);
                made.add_text(exact, fields.comparable(exact, value));
                made.add_text(fields.columns[facet as usize], value);
            }
        }
        made
    }
}

/// The schema's fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    /// Kind and id: what a document is replaced by, and, as a column, what equal scores are ordered by.
    pub(super) key: Field,
    pub(super) kind: Field,
    /// All that is searched: its terms begin with the letter of the kind.
    pub(super) text: Field,
    pub(super) notes: Field,
    pub(super) team: Field,
    pub(super) status: Field,
    pub(super) category: Field,
    pub(super) language: Field,
    pub(super) agent_id: Field,
    pub(super) created_at: Field,
    /// The columns of [`Facet::ALL`].
    columns: [Field; 4],
    pub(super) subject: Field,
    pub(super) body: Field,
    pub(super) replies: Field,
}

impl Fields {
    /// The one schema.
    pub(super) fn new() -> Fields {
        let mut schema = Schema::builder();
        let text = |schema: &mut SchemaBuilder, name: &str, analyzer: &str| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(analyzer)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions);
            let options = TextOptions::default().set_indexing_options(indexing);
            let notes = analyzer == analyzer::PLAIN;
            schema.add_text_field(name, if notes { options.set_stored() } else { options })
        };
        // A whole value as one term: no frequency, no length.
        let exact = |schema: &mut SchemaBuilder, name: &str| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer("raw")
                .set_fieldnorms(false)
                .set_index_option(IndexRecordOption::Basic);
            let options = TextOptions::default().set_indexing_options(indexing);
            schema.add_text_field(name, if name == "key" { options | FAST } else { options })
        };
        let key = exact(&mut schema, "key");
        let kind = exact(&mut schema, "kind");
        let searched = text(&mut schema, "text", analyzer::BY_KIND);
        let notes = text(&mut schema, "notes", analyzer::PLAIN);
        let [team, status, category, language] = Facet::ALL.map(|facet| exact(&mut schema, facet.as_str()));
        let agent_id = exact(&mut schema, "agent_id");
        let created_at = schema.add_i64_field("created_at", FAST);
        let columns = Facet::ALL.map(|facet| schema.add_text_field(facet.column(), FAST));
        let [subject, body, replies] =
            ["subject", "body", "replies"].map(|name| schema.add_text_field(name, STORED));
        let schema = schema.build();
        Fields {
            schema,
            key,
            kind,
            text: searched,
            notes,
            team,
            status,
            category,
            language,
            agent_id,
            created_at,
            columns,
            subject,
            body,
            replies,
        }
    }

    /// The field that a facet's values are asked for in.
    pub(super) fn exact(&self, facet: Facet) -> Field {
        match facet {
            Facet::Team => self.team,
            Facet::Status => self.status,
            Facet::Category => self.category,
            Facet::Language => self.language,
        }
    }

    /// The term of a folded word in the text of a kind.
    pub(super) fn word(&self, kind: Kind, word: &str) -> Term {
        let mut text = String::with_capacity(word.len() + 1);
        text.push(kind.letter());
        text.push_str(word);
        Term::from_field_text(self.text, &text)
    }

    /// The form in which an exact value is indexed and asked for: names are folded like text (`Billing & Tax` and
    /// `billing tax` are one), ids are kept, a language is its first part in lower case.
    pub(super) fn comparable(&self, field: Field, value: &str) -> String {
        if field == self.agent_id {
            return value.to_owned();
        }
        if field == self.language {
            return value.split(['-', '_']).next().unwrap_or_default().to_lowercase();
        }
        let folded = crate::text::fold(value);
        // A name of signs only, such as the category '-', stays what it is.
        if folded.is_empty() {
            value.trim().to_lowercase()
        } else {
            folded
        }
    }
}
