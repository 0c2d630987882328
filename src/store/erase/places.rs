//! Every place a customer can stand in, with the SQL that finds the rows there and takes them away.
//!
//! Each statement begins with the same two lists, [`LISTS`]: `customer(id)` and `ticket(id)`, the tickets of these
//! customers. What was derived from a ticket is recognised by the ticket being gone (or about to go), not by a list that was
//! made earlier: so an erasure that was killed half-way goes on, and what a ticket left behind that the application had deleted
//! itself goes too.

/// One place.
#[derive(Debug, Clone, Copy)]
pub struct Place {
    /// The table or view people know.
    pub name: &'static str,
    /// Selects the keys of the rows.
    pub(super) find: &'static str,
    /// Counts the rows, where a key stands for several.
    pub(super) count: Option<&'static str>,
    /// Run in one transaction for each key, `?3`; the last one's rows are counted.
    pub(super) delete: &'static [&'static str],
}

/// Begins every statement: `?1` and `?2` are JSON arrays of ids.
pub(super) const LISTS: &str =
    "WITH customer (id) AS MATERIALIZED (SELECT CAST(value AS TEXT) FROM json_each(?1)),
      ticket (id) AS MATERIALIZED (SELECT CAST(value AS TEXT) FROM json_each(?2)) ";

/// What the shop and its imports wrote, in the order in which it goes: what is found through other rows before these.
pub const INPUTS: [Place; 8] = [
    // A rejected line is no row with a customer in it but a text, cut at 4 KB: which of these speak of the customer nobody can
    // say. So all go that were meant for a table that holds customers, and of the others those in which the id stands.
    Place {
        name: "rejected_rows",
        find: "SELECT rejected_id FROM clerk_rejected_rows AS r
               WHERE table_name IN ('users', 'events', 'tickets', 'replies', 'rules', 'verdicts')
                  OR EXISTS (SELECT 1 FROM (SELECT id FROM customer UNION ALL SELECT id FROM ticket) AS x
                             WHERE instr(r.raw, x.id) OR instr(r.reason, x.id) OR instr(r.source, x.id))",
        count: None,
        delete: &["DELETE FROM clerk_rejected_rows WHERE rejected_id = ?3"],
    },
    Place {
        name: "verdicts",
        find: "SELECT verdict_id FROM verdicts
               WHERE (subject_id IN (SELECT id FROM customer) OR subject_id IN (SELECT id FROM ticket))
                 AND result NOT LIKE 'price%' AND result NOT LIKE '%_products' AND result <> 'bought_together'",
        count: None,
        delete: &["DELETE FROM verdicts WHERE verdict_id = ?3
                   AND (subject_id IN (SELECT id FROM customer) OR subject_id IN (SELECT id FROM ticket))"],
    },
    Place {
        name: "rules",
        find: "SELECT rule_id FROM rules WHERE user_id IN (SELECT id FROM customer)",
        count: None,
        delete: &["DELETE FROM rules WHERE rule_id = ?3 AND user_id IN (SELECT id FROM customer)"],
    },
    // What somebody did before logging in is known by the session or order it belongs to, unless other customers are in
    // that too (a shop may number sessions anew for each customer).
    Place {
        name: "events before logging in",
        find: "SELECT event_id FROM events WHERE user_id IS NULL AND (
                 session_id IN (SELECT session_id FROM events WHERE user_id IN (SELECT id FROM customer) AND session_id <> ''
                                EXCEPT SELECT session_id FROM events
                                WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM customer))
                 OR order_id IN (SELECT order_id FROM events WHERE user_id IN (SELECT id FROM customer) AND order_id <> ''
                                 EXCEPT SELECT order_id FROM events
                                 WHERE user_id IS NOT NULL AND user_id NOT IN (SELECT id FROM customer)))",
        count: None,
        delete: &["DELETE FROM events WHERE event_id = ?3 AND user_id IS NULL"],
    },
    Place {
        name: "events",
        find: "SELECT event_id FROM events WHERE user_id IN (SELECT id FROM customer)",
        count: None,
        delete: &["DELETE FROM events WHERE event_id = ?3 AND user_id IN (SELECT id FROM customer)"],
    },
    Place {
        name: "replies",
        find: "SELECT reply_id FROM replies WHERE ticket_id IN (SELECT id FROM ticket)",
        count: None,
        delete: &["DELETE FROM replies WHERE reply_id = ?3 AND ticket_id IN (SELECT id FROM ticket)"],
    },
    Place {
        name: "tickets",
        find: "SELECT rowid FROM tickets WHERE user_id IN (SELECT id FROM customer)",
        count: None,
        // Taking its replies away has just made its draft void.
        delete: &[
            "DELETE FROM clerk_void_drafts WHERE ticket_id IN
               (SELECT ticket_id FROM tickets WHERE rowid = ?3 AND user_id IN (SELECT id FROM customer))",
            "DELETE FROM tickets WHERE rowid = ?3 AND user_id IN (SELECT id FROM customer)",
        ],
    },
    Place {
        name: "users",
        find: "SELECT rowid FROM users WHERE user_id IN (SELECT id FROM customer)",
        count: None,
        delete: &["DELETE FROM users WHERE rowid = ?3 AND user_id IN (SELECT id FROM customer)"],
    },
];

/// What was derived from it, once retired generations are gone. `generations.rows` stays true: it tells a whole generation from
/// a damaged one.
pub const DERIVED: [Place; 13] = [
    Place {
        name: "recommendations",
        find: "SELECT user_key FROM user_keys WHERE user_id IN (SELECT id FROM customer)",
        count: Some(
            "SELECT count(*) FROM clerk_recommendations WHERE generation IN (SELECT generation FROM clerk_published)
             AND user_key IN (SELECT user_key FROM user_keys WHERE user_id IN (SELECT id FROM customer))",
        ),
        delete: &[
            "UPDATE clerk_generations SET rows = rows - (SELECT count(*) FROM clerk_recommendations AS r
                 WHERE r.generation = clerk_generations.generation AND r.user_key = ?3)
             WHERE family = 'recommendations' AND swept <> 2",
            "DELETE FROM clerk_recommendations WHERE user_key = ?3 AND generation IN
                 (SELECT generation FROM clerk_generations WHERE family = 'recommendations' AND swept <> 2)",
        ],
    },
    Place {
        name: "buy_again",
        find: "SELECT user_key FROM user_keys WHERE user_id IN (SELECT id FROM customer)",
        count: Some(
            "SELECT count(*) FROM clerk_buy_again WHERE generation IN (SELECT generation FROM clerk_published)
             AND user_key IN (SELECT user_key FROM user_keys WHERE user_id IN (SELECT id FROM customer))",
        ),
        delete: &[
            "UPDATE clerk_generations SET rows = rows - (SELECT count(*) FROM clerk_buy_again AS r
                 WHERE r.generation = clerk_generations.generation AND r.user_key = ?3)
             WHERE family = 'recommendations' AND swept <> 2",
            "DELETE FROM clerk_buy_again WHERE user_key = ?3 AND generation IN
                 (SELECT generation FROM clerk_generations WHERE family = 'recommendations' AND swept <> 2)",
        ],
    },
    // After the rows that bear it: the number may be given to another customer.
    Place {
        name: "user_keys",
        find: "SELECT user_key FROM user_keys WHERE user_id IN (SELECT id FROM customer)",
        count: None,
        delete: &["DELETE FROM user_keys WHERE user_key = ?3 AND user_id IN (SELECT id FROM customer)"],
    },
    Place {
        name: "ticket_routes",
        find: "SELECT rowid FROM clerk_ticket_routes AS r WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
               WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &[
            "UPDATE clerk_generations SET rows = rows - 1
             WHERE generation = (SELECT generation FROM clerk_ticket_routes WHERE rowid = ?3)",
            "DELETE FROM clerk_ticket_routes WHERE rowid = ?3",
        ],
    },
    Place {
        name: "ticket_neighbours",
        find: "SELECT rowid FROM clerk_ticket_neighbours AS r
               WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))
                  OR NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.neighbour_ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &[
            "UPDATE clerk_generations SET rows = rows - 1
             WHERE generation = (SELECT generation FROM clerk_ticket_neighbours WHERE rowid = ?3)",
            "DELETE FROM clerk_ticket_neighbours WHERE rowid = ?3",
        ],
    },
    // A draft for somebody else goes where one of the rows its words come from goes.
    Place {
        name: "ticket_drafts",
        find: "SELECT rowid FROM clerk_ticket_drafts AS r
               WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))
                  OR CASE WHEN json_valid(r.sources) THEN EXISTS (
                         SELECT 1 FROM json_each(r.sources) AS s
                         WHERE (s.value ->> '$.table' = 'tickets' AND NOT EXISTS (
                                    SELECT 1 FROM tickets AS t
                                    WHERE t.ticket_id = s.value ->> '$.id' AND t.ticket_id NOT IN (SELECT id FROM ticket)))
                            OR (s.value ->> '$.table' = 'replies' AND NOT EXISTS (
                                    SELECT 1 FROM replies AS p
                                    WHERE p.reply_id = CAST(s.value ->> '$.id' AS INTEGER)
                                      AND p.ticket_id NOT IN (SELECT id FROM ticket)))) ELSE 1 END",
        count: None,
        delete: &[
            "UPDATE clerk_generations SET rows = rows - 1
             WHERE generation = (SELECT generation FROM clerk_ticket_drafts WHERE rowid = ?3)",
            "DELETE FROM clerk_ticket_drafts WHERE rowid = ?3",
        ],
    },
    Place {
        name: "ticket_routes by day",
        find: "SELECT rowid FROM clerk_day_routes AS r WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
               WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &["DELETE FROM clerk_day_routes WHERE rowid = ?3"],
    },
    Place {
        name: "ticket_neighbours by day",
        find: "SELECT rowid FROM clerk_day_neighbours AS r
               WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))
                  OR NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.neighbour_ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &["DELETE FROM clerk_day_neighbours WHERE rowid = ?3"],
    },
    Place {
        name: "ticket_drafts by day",
        find: "SELECT rowid FROM clerk_day_drafts AS r
               WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
                                 WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))
                  OR CASE WHEN json_valid(r.sources) THEN EXISTS (
                         SELECT 1 FROM json_each(r.sources) AS s
                         WHERE (s.value ->> '$.table' = 'tickets' AND NOT EXISTS (
                                    SELECT 1 FROM tickets AS t
                                    WHERE t.ticket_id = s.value ->> '$.id' AND t.ticket_id NOT IN (SELECT id FROM ticket)))
                            OR (s.value ->> '$.table' = 'replies' AND NOT EXISTS (
                                    SELECT 1 FROM replies AS p
                                    WHERE p.reply_id = CAST(s.value ->> '$.id' AS INTEGER)
                                      AND p.ticket_id NOT IN (SELECT id FROM ticket)))) ELSE 1 END",
        count: None,
        delete: &["DELETE FROM clerk_day_drafts WHERE rowid = ?3"],
    },
    Place {
        name: "routes kept for the report card",
        find: "SELECT rowid FROM clerk_route_archive AS r WHERE NOT EXISTS (SELECT 1 FROM tickets AS t
               WHERE t.ticket_id = r.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &["DELETE FROM clerk_route_archive WHERE rowid = ?3"],
    },
    Place {
        name: "drafts made void",
        find: "SELECT rowid FROM clerk_void_drafts AS v WHERE NOT EXISTS
                 (SELECT 1 FROM tickets AS t WHERE t.ticket_id = v.ticket_id AND t.ticket_id NOT IN (SELECT id FROM ticket))",
        count: None,
        delete: &["DELETE FROM clerk_void_drafts WHERE rowid = ?3"],
    },
    // They do not say whom they quote: all go.
    Place {
        name: "drafts kept for the report card",
        find: "SELECT rowid FROM clerk_draft_archive",
        count: None,
        delete: &["DELETE FROM clerk_draft_archive WHERE rowid = ?3"],
    },
    // Nor do the sessions that the model of next products remembers, nor the networks that learned from sessions and histories; the
    // next night remembers, and learns from, those of the others.
    Place {
        name: "sessions remembered",
        find: "SELECT rowid FROM clerk_artefacts WHERE name IN ('sessions', 'rnn of the past', 'rnn of past histories')",
        count: None,
        delete: &["DELETE FROM clerk_artefacts WHERE rowid = ?3"],
    },
];

/// What a night learned from the words of tickets. It cannot be unlearned in part.
pub const MODELS: [Place; 1] = [Place {
    name: "models of tickets",
    find: "SELECT a.rowid FROM clerk_artefacts AS a JOIN clerk_generations AS g USING (generation) WHERE g.family = 'support'",
    count: None,
    delete: &["DELETE FROM clerk_artefacts WHERE rowid = ?3"],
}];

/// Fits that were interrupted: numbers, but made of rows that are gone.
pub const CHECKPOINTS: [Place; 1] = [Place {
    name: "checkpoints",
    find: "SELECT rowid FROM clerk_checkpoints",
    count: None,
    delete: &["DELETE FROM clerk_checkpoints WHERE rowid = ?3"],
}];
