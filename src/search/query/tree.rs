//! A query as a tree: clauses of alternatives of conditions.

use chrono::NaiveDate;

/// A parsed query: all clauses must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    /// The clauses; none means that nothing is asked for, and nothing is found.
    pub clauses: Vec<Clause>,
}

impl Query {
    /// Whether a prefix is asked for.
    pub(in crate::search) fn has_prefix(&self) -> bool {
        let mut leaves = self.clauses.iter().flat_map(|clause| &clause.any);
        leaves.any(|one| matches!(&one.leaf, Leaf::Words(words) if words.prefix))
    }

    /// What the searcher should know about the query, in words: ranges of days that end before they begin hold no day.
    pub(in crate::search) fn remarks(&self) -> Vec<String> {
        let leaves = self.clauses.iter().flat_map(|clause| &clause.any);
        leaves
            .filter_map(|one| match one.leaf {
                Leaf::Days {
                    from: Some(from),
                    to: Some(to),
                } if from > to => Some(format!(
                    "created_at:{from}..{to} ends before it begins and holds no day: write created_at:{to}..{from}"
                )),
                _ => None,
            })
            .collect()
    }
}

/// One of the alternatives must hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Clause {
    /// The alternatives, at least one.
    pub any: Vec<Alternative>,
}

/// A condition, or that it does not hold.
#[derive(Debug, Clone, PartialEq)]
pub struct Alternative {
    /// Whether it must not hold.
    pub not: bool,
    /// What its score is multiplied by: 1 for what was asked, less for what was added to it.
    pub weight: f32,
    /// The condition.
    pub leaf: Leaf,
}

/// One condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Leaf {
    /// Words in the text or in the notes.
    Words(Words),
    /// All of several words in the text, anywhere in it: what an expression of the synonyms takes the place of.
    All(Vec<Words>),
    /// An exact value.
    Value {
        /// Which.
        field: ExactField,
        /// As written.
        value: String,
    },
    /// Created on one of the days, ends included.
    Days {
        /// The first day.
        from: Option<NaiveDate>,
        /// The last day.
        to: Option<NaiveDate>,
    },
}

/// A word, or a phrase of several.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Words {
    /// The text, folded: see [`crate::text::fold`].
    pub folded: String,
    /// Whether it stood in quotation marks: nothing is to be read into it.
    pub quoted: bool,
    /// Whether the notes are searched, and only they.
    pub notes: bool,
    /// Tokens with their distance from the first, ascending; at least one.
    pub terms: Vec<(u32, String)>,
    /// Whether the last token is a prefix.
    pub prefix: bool,
}

/// The fields that are compared as a whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExactField {
    /// `status:`
    Status,
    /// `category:`
    Category,
    /// `team:`
    Team,
    /// `agent_id:`
    AgentId,
    /// `language:`
    Language,
}
