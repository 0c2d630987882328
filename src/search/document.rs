//! What is indexed, and the fields it becomes.
//!
//! Three kinds of documents share one schema. The searched text is `subject` (title), `body` (description) and
//! `replies` (for products: brand, category and properties), weighed in this order, and the document's own id, so
//! that an order or article number finds its document. `notes` is text too, searched only on request. The rest are
//! exact values to filter by.

use tantivy::TantivyDocument;
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STORED, STRING, Schema, TextFieldIndexing, TextOptions,
};

use super::analyzer;

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
        made.add_text(fields.id, &key.id);
        made.add_text(fields.ident, &key.id);
        let mut exact = |field: Field, value: Option<&str>| {
            if let Some(value) = value {
                made.add_text(field, fields.comparable(field, value));
            }
        };
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
                ..
            } => {
                exact(fields.status, Some(status));
                exact(fields.category, category.as_deref());
                exact(fields.team, team.as_deref());
                exact(fields.agent_id, agent_id.as_deref());
                exact(fields.language, language.as_deref());
                made.add_text(fields.subject, subject);
                made.add_text(fields.body, body);
                replies
                    .iter()
                    .for_each(|reply| made.add_text(fields.replies, reply));
                notes.iter().for_each(|note| made.add_text(fields.notes, note));
            }
            Document::Article {
                title,
                body,
                category,
                language,
                ..
            } => {
                exact(fields.category, category.as_deref());
                exact(fields.language, language.as_deref());
                made.add_text(fields.subject, title);
                made.add_text(fields.body, body);
            }
            Document::Product {
                title,
                description,
                category,
                brand,
                properties,
                ..
            } => {
                exact(fields.category, category.as_deref());
                made.add_text(fields.subject, title);
                made.add_text(fields.body, description);
                for text in [brand, category, properties].into_iter().flatten() {
                    made.add_text(fields.replies, text);
                }
            }
        }
        if let Document::Ticket { created_at, .. }
        | Document::Product {
            created_at: Some(created_at),
            ..
        } = self
        {
            made.add_i64(fields.created_at, *created_at);
        }
        made
    }
}

/// The schema's fields.
#[derive(Debug, Clone)]
pub(super) struct Fields {
    pub(super) schema: Schema,
    pub(super) key: Field,
    pub(super) kind: Field,
    pub(super) id: Field,
    pub(super) ident: Field,
    pub(super) subject: Field,
    pub(super) body: Field,
    pub(super) replies: Field,
    pub(super) notes: Field,
    pub(super) status: Field,
    pub(super) category: Field,
    pub(super) team: Field,
    pub(super) agent_id: Field,
    pub(super) language: Field,
    pub(super) created_at: Field,
}

impl Fields {
    /// The one schema.
    pub(super) fn new() -> Fields {
        let mut schema = Schema::builder();
        let text = |stored: bool| {
            let indexing = TextFieldIndexing::default()
                .set_tokenizer(analyzer::NAME)
                .set_index_option(IndexRecordOption::WithFreqsAndPositions);
            let options = TextOptions::default().set_indexing_options(indexing);
            if stored { options.set_stored() } else { options }
        };
        let key = schema.add_text_field("key", STRING);
        let kind = schema.add_text_field("kind", STRING);
        let id = schema.add_text_field("id", STRING | STORED | FAST);
        let ident = schema.add_text_field("ident", text(false));
        let subject = schema.add_text_field("subject", text(true));
        let body = schema.add_text_field("body", text(true));
        let replies = schema.add_text_field("replies", text(true));
        let notes = schema.add_text_field("notes", text(true));
        let status = schema.add_text_field("status", STRING);
        let category = schema.add_text_field("category", STRING);
        let team = schema.add_text_field("team", STRING);
        let agent_id = schema.add_text_field("agent_id", STRING);
        let language = schema.add_text_field("language", STRING);
        let created_at = schema.add_i64_field("created_at", FAST | INDEXED);
        let schema = schema.build();
        Fields {
            schema,
            key,
            kind,
            id,
            ident,
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
        }
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
