//! Rows of the results of the support family.

use super::ResultRow;
use rusqlite::{Statement, params};

/// A row of `ticket_routes`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketRoute {
    /// Ticket.
    pub ticket_id: String,
    /// route or triage.
    pub decision: String,
    /// Best guess.
    pub category: Option<String>,
    /// Probability.
    pub category_confidence: Option<f64>,
    /// None with triage.
    pub team: Option<String>,
    /// None with triage.
    pub agent_id: Option<String>,
    /// Probability.
    pub agent_confidence: Option<f64>,
    /// low to urgent.
    pub priority: Option<String>,
    /// Tag.
    pub language: Option<String>,
    /// First answer due.
    pub due_at: Option<i64>,
    /// Plain words.
    pub why: String,
    /// Wall clock.
    pub routed_at: i64,
}

impl ResultRow for TicketRoute {
    const TABLE: &'static str = "clerk_ticket_routes";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_routes (generation, ticket_id, decision, category, category_confidence, team, agent_id, agent_confidence, priority, language, due_at, why, routed_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.decision,
            self.category,
            self.category_confidence,
            self.team,
            self.agent_id,
            self.agent_confidence,
            self.priority,
            self.language,
            self.due_at,
            self.why,
            self.routed_at
        ])
    }
}

/// A row of `ticket_neighbours`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketNeighbour {
    /// Ticket.
    pub ticket_id: String,
    /// From 1.
    pub rank: i64,
    /// Solved ticket.
    pub neighbour_ticket_id: String,
    /// Euclidean, unit vectors.
    pub distance: f64,
}

impl ResultRow for TicketNeighbour {
    const TABLE: &'static str = "clerk_ticket_neighbours";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_neighbours (generation, ticket_id, rank, neighbour_ticket_id, distance) VALUES (?1, ?2, ?3, ?4, ?5)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.rank,
            self.neighbour_ticket_id,
            self.distance
        ])
    }
}

/// A row of `ticket_drafts`.
#[derive(Debug, Clone, PartialEq)]
pub struct TicketDraft {
    /// Ticket.
    pub ticket_id: String,
    /// Message answered.
    pub reply_to: Option<i64>,
    /// Messages other than notes when drafted: one more and the draft vanishes.
    pub replies_seen: i64,
    /// send, suggest or none.
    pub decision: String,
    /// None when 'none'.
    pub reply: Option<String>,
    /// Probability or expected overlap.
    pub confidence: f64,
    /// JSON array of {table, id}.
    pub sources: String,
    /// Wall clock.
    pub drafted_at: i64,
}

impl ResultRow for TicketDraft {
    const TABLE: &'static str = "clerk_ticket_drafts";
    const INSERT: &'static str = "INSERT INTO clerk_ticket_drafts (generation, ticket_id, reply_to, replies_seen, decision, reply, confidence, sources, drafted_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)";
    fn insert(&self, generation: i64, statement: &mut Statement<'_>) -> rusqlite::Result<usize> {
        statement.execute(params![
            generation,
            self.ticket_id,
            self.reply_to,
            self.replies_seen,
            self.decision,
            self.reply,
            self.confidence,
            self.sources,
            self.drafted_at
        ])
    }
}
