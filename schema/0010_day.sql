-- Answers given by day. A ticket that comes or changes between two nights is routed and drafted by the models of the published
-- night, and the answer goes here, a row a ticket. The views of support then take the later word about each ticket: the
-- day's, unless the published night is newer. Route, neighbours and draft of a ticket are always of one source.
--
-- A publication moves the pointer and touches none of these rows, nor does a rollback; rows of closed tickets, and those that
-- every night still kept has overtaken, are removed by `upkeep` in small steps.

-- As clerk_ticket_routes, with what it was made of. generation = whose models said it; seen = a hash of the ticket and its
-- messages as they were read, so that what has changed since is answered again and what has not is left alone.
CREATE TABLE clerk_day_routes (
    ticket_id           TEXT NOT NULL PRIMARY KEY,
    generation          INTEGER NOT NULL,
    seen                INTEGER NOT NULL,
    decision            TEXT NOT NULL,
    category            TEXT,
    category_confidence REAL,
    team                TEXT,
    agent_id            TEXT,
    agent_confidence    REAL,
    priority            TEXT,
    language            TEXT,
    due_at              INTEGER,
    why                 TEXT NOT NULL,
    routed_at           INTEGER NOT NULL
) STRICT;

-- As clerk_ticket_neighbours.
CREATE TABLE clerk_day_neighbours (
    ticket_id           TEXT NOT NULL,
    generation          INTEGER NOT NULL,
    rank                INTEGER NOT NULL,
    neighbour_ticket_id TEXT NOT NULL,
    distance            REAL NOT NULL,
    UNIQUE (ticket_id, rank)
) STRICT;

-- As clerk_ticket_drafts. A change that makes a draft void takes its row away: a time in whole seconds would not tell
-- a draft from the change a moment before it.
CREATE TABLE clerk_day_drafts (
    ticket_id    TEXT NOT NULL PRIMARY KEY,
    generation   INTEGER NOT NULL,
    reply_to     INTEGER,
    replies_seen INTEGER NOT NULL,
    decision     TEXT NOT NULL,
    reply        TEXT,
    confidence   REAL NOT NULL,
    sources      TEXT NOT NULL,
    drafted_at   INTEGER NOT NULL
) STRICT;

-- Who had this customer's last ticket is asked for every ticket that comes.
CREATE INDEX tickets_of_customer ON tickets (user_id, created_at) WHERE user_id IS NOT NULL;

CREATE TRIGGER day_draft_ticket_update AFTER UPDATE OF ticket_id, subject, body ON tickets
WHEN OLD.subject IS NOT NEW.subject OR OLD.body IS NOT NEW.body OR OLD.ticket_id IS NOT NEW.ticket_id
BEGIN DELETE FROM clerk_day_drafts WHERE ticket_id IN (OLD.ticket_id, NEW.ticket_id); END;
CREATE TRIGGER day_draft_ticket_insert AFTER INSERT ON tickets
BEGIN DELETE FROM clerk_day_drafts WHERE ticket_id = NEW.ticket_id; END;
CREATE TRIGGER day_draft_reply_insert AFTER INSERT ON replies
WHEN NEW.author <> 'note'
BEGIN DELETE FROM clerk_day_drafts WHERE ticket_id = NEW.ticket_id; END;
CREATE TRIGGER day_draft_reply_update AFTER UPDATE OF ticket_id, author, body ON replies
WHEN OLD.author <> 'note' OR NEW.author <> 'note'
BEGIN DELETE FROM clerk_day_drafts WHERE ticket_id IN (OLD.ticket_id, NEW.ticket_id); END;
CREATE TRIGGER day_draft_reply_delete AFTER DELETE ON replies
WHEN OLD.author <> 'note'
BEGIN DELETE FROM clerk_day_drafts WHERE ticket_id = OLD.ticket_id; END;

-- What search does not care about, and whoever answers tickets does.
CREATE TRIGGER outbox_ticket_urgency AFTER UPDATE OF user_id, priority, decided_by ON tickets
WHEN OLD.user_id IS NOT NEW.user_id OR OLD.priority IS NOT NEW.priority OR OLD.decided_by IS NOT NEW.decided_by
BEGIN INSERT INTO outbox (kind, id) VALUES ('ticket', NEW.ticket_id); END;

-- Where a ticket belongs: decision 'route', or 'triage' when the clerk is not sure enough (then team and agent_id
-- are NULL and category is still the best guess). In a shop whose people enter teams but no categories, team is what
-- is learned: category is NULL then and category_confidence speaks of the team that `why` names. Confidences are
-- probabilities; due_at = first answer due; routed_at = when, by night or by day.
DROP VIEW ticket_routes;
CREATE VIEW ticket_routes AS
SELECT r.ticket_id, r.decision, r.category, r.category_confidence, r.team, r.agent_id, r.agent_confidence, r.priority,
       r.language, r.due_at, r.why, r.routed_at
FROM clerk_published AS g
CROSS JOIN clerk_ticket_routes AS r ON r.generation = g.generation
WHERE g.family = 'support'
  AND NOT EXISTS (SELECT 1 FROM clerk_day_routes AS d WHERE d.ticket_id = r.ticket_id AND d.routed_at >= r.routed_at)
UNION ALL
SELECT d.ticket_id, d.decision, d.category, d.category_confidence, d.team, d.agent_id, d.agent_confidence, d.priority,
       d.language, d.due_at, d.why, d.routed_at
FROM clerk_published AS g
CROSS JOIN clerk_day_routes AS d
WHERE g.family = 'support'
  AND NOT EXISTS (SELECT 1 FROM clerk_ticket_routes AS r
                  WHERE r.generation = g.generation AND r.ticket_id = d.ticket_id AND r.routed_at > d.routed_at);

-- The solved tickets most like this one: Euclidean distance of unit-length TF-IDF vectors, 0 (same) to 1.414.
DROP VIEW ticket_neighbours;
CREATE VIEW ticket_neighbours AS
SELECT n.ticket_id, n.rank, n.neighbour_ticket_id, n.distance
FROM clerk_published AS g
CROSS JOIN clerk_ticket_neighbours AS n ON n.generation = g.generation
WHERE g.family = 'support'
  AND NOT EXISTS (SELECT 1 FROM clerk_day_routes AS d
                  WHERE d.ticket_id = n.ticket_id
                    AND d.routed_at >= coalesce((SELECT r.routed_at FROM clerk_ticket_routes AS r
                                                 WHERE r.generation = n.generation AND r.ticket_id = n.ticket_id), 0))
UNION ALL
SELECT n.ticket_id, n.rank, n.neighbour_ticket_id, n.distance
FROM clerk_published AS g
CROSS JOIN clerk_day_neighbours AS n
CROSS JOIN clerk_day_routes AS d ON d.ticket_id = n.ticket_id
WHERE g.family = 'support'
  AND NOT EXISTS (SELECT 1 FROM clerk_ticket_routes AS r
                  WHERE r.generation = g.generation AND r.ticket_id = d.ticket_id AND r.routed_at > d.routed_at);

-- What to answer: send, suggest, or none (then reply is NULL). reply_to = the customer's message answered, NULL =
-- the ticket itself. sources = JSON array of {"table", "id"} the words come from. A draft vanishes once somebody answered,
-- the customer wrote again, the ticket or a message of it was changed, or it was closed.
DROP VIEW ticket_drafts;
CREATE VIEW ticket_drafts AS
SELECT r.ticket_id, r.reply_to, r.decision, r.reply, r.confidence, r.sources, r.drafted_at
FROM clerk_published AS g
CROSS JOIN clerk_ticket_drafts AS r ON r.generation = g.generation
CROSS JOIN tickets AS t ON t.ticket_id = r.ticket_id
WHERE g.family = 'support' AND t.status <> 'closed'
  AND NOT EXISTS (SELECT 1 FROM clerk_void_drafts AS v WHERE v.ticket_id = r.ticket_id AND v.at >= r.drafted_at)
  AND (SELECT count(*) FROM replies AS a WHERE a.ticket_id = r.ticket_id AND a.author <> 'note') = r.replies_seen
  AND NOT EXISTS (SELECT 1 FROM clerk_day_routes AS d
                  WHERE d.ticket_id = r.ticket_id
                    AND d.routed_at >= coalesce((SELECT w.routed_at FROM clerk_ticket_routes AS w
                                                 WHERE w.generation = r.generation AND w.ticket_id = r.ticket_id), 0))
UNION ALL
SELECT r.ticket_id, r.reply_to, r.decision, r.reply, r.confidence, r.sources, r.drafted_at
FROM clerk_published AS g
CROSS JOIN clerk_day_drafts AS r
CROSS JOIN clerk_day_routes AS d ON d.ticket_id = r.ticket_id
CROSS JOIN tickets AS t ON t.ticket_id = r.ticket_id
WHERE g.family = 'support' AND t.status <> 'closed'
  AND (SELECT count(*) FROM replies AS a WHERE a.ticket_id = r.ticket_id AND a.author <> 'note') = r.replies_seen
  AND NOT EXISTS (SELECT 1 FROM clerk_ticket_routes AS w
                  WHERE w.generation = g.generation AND w.ticket_id = d.ticket_id AND w.routed_at > d.routed_at);

-- What agents work from: one row per ticket not closed. What a person entered wins column by column ('' is nothing
-- entered); the model fills the rest where it decided 'route', unless a person has chosen another category or team since:
-- the model's team and agent belong to the other one, and the daemon finds new ones at once, or else the next night. Category
-- '-' (people say none of these) is never filled up. decided_by: person (somebody entered category, team or agent), model, or
-- nobody. due_at is that of the priority shown; NULL where a person has changed the priority and nobody has answered since:
-- such a ticket stands before all others in ORDER BY due_at. (The casts keep text affinity, so that agent_id = 7 finds '7'.)
DROP VIEW ticket_queue;
CREATE VIEW ticket_queue AS
SELECT q.ticket_id, q.status,
       CAST(coalesce(nullif(q.language, ''), q.said_language) AS TEXT) AS language,
       CAST(coalesce(nullif(q.category, ''), CASE WHEN q.holds THEN q.said_category END) AS TEXT) AS category,
       CAST(coalesce(nullif(q.team, ''), CASE WHEN q.holds THEN q.said_team END) AS TEXT) AS team,
       CAST(coalesce(nullif(q.agent_id, ''),
                     CASE WHEN q.holds AND (coalesce(q.team, '') = '' OR q.team IS q.said_team) THEN q.said_agent END) AS TEXT)
         AS agent_id,
       CAST(coalesce(nullif(q.priority, ''), CASE WHEN q.holds THEN q.said_priority END) AS TEXT) AS priority,
       CASE WHEN q.category <> '' OR q.team <> '' OR q.agent_id <> ''
            THEN CASE q.decided_by WHEN 'clerk' THEN 'model' ELSE 'person' END
            WHEN q.holds THEN 'model'
            ELSE 'nobody' END AS decided_by,
       CASE WHEN coalesce(nullif(q.priority, ''), q.said_priority) IS q.said_priority THEN q.said_due END AS due_at,
       q.created_at
FROM (SELECT s.*, s.said = 'route' AND (coalesce(s.category, '') = '' OR s.category IS s.said_category
                                        OR (s.said_category IS NULL AND s.category <> '-')) AS holds
      FROM (SELECT t.ticket_id, t.status, t.language, t.category, t.team, t.agent_id, t.priority, t.decided_by, t.created_at,
                   CASE WHEN d.ticket_id IS NULL THEN r.decision ELSE d.decision END AS said,
                   CASE WHEN d.ticket_id IS NULL THEN r.language ELSE d.language END AS said_language,
                   CASE WHEN d.ticket_id IS NULL THEN r.category ELSE d.category END AS said_category,
                   CASE WHEN d.ticket_id IS NULL THEN r.team ELSE d.team END AS said_team,
                   CASE WHEN d.ticket_id IS NULL THEN r.agent_id ELSE d.agent_id END AS said_agent,
                   CASE WHEN d.ticket_id IS NULL THEN r.priority ELSE d.priority END AS said_priority,
                   CASE WHEN d.ticket_id IS NULL THEN r.due_at ELSE d.due_at END AS said_due
            FROM tickets AS t
            LEFT JOIN clerk_ticket_routes AS r
                   ON r.generation = (SELECT generation FROM clerk_published WHERE family = 'support') AND r.ticket_id = t.ticket_id
            LEFT JOIN clerk_day_routes AS d
                   ON d.ticket_id = t.ticket_id AND d.routed_at >= coalesce(r.routed_at, 0)
                  AND EXISTS (SELECT 1 FROM clerk_published WHERE family = 'support')
            WHERE t.status <> 'closed') AS s) AS q;
