-- The desk by day: what the people at it change is right at once, without a word of the clerk's.

-- Drafts that a change by day made void: at = when the ticket was changed, Unix seconds. A draft made later counts again.
CREATE TABLE clerk_void_drafts (
    ticket_id TEXT NOT NULL PRIMARY KEY,
    at        INTEGER NOT NULL
) STRICT;

-- DELETE and INSERT, not OR REPLACE: a conflict clause of the application's statement would overrule the trigger's.
CREATE TRIGGER void_draft_ticket_update AFTER UPDATE OF ticket_id, subject, body ON tickets
WHEN OLD.subject IS NOT NEW.subject OR OLD.body IS NOT NEW.body OR OLD.ticket_id IS NOT NEW.ticket_id
BEGIN
    DELETE FROM clerk_void_drafts WHERE ticket_id IN (OLD.ticket_id, NEW.ticket_id);
    INSERT INTO clerk_void_drafts (ticket_id, at) VALUES (NEW.ticket_id, CAST(strftime('%s', 'now') AS INTEGER));
END;
-- REPLACE INTO runs no trigger for the row it takes away.
CREATE TRIGGER void_draft_ticket_insert AFTER INSERT ON tickets
WHEN EXISTS (SELECT 1 FROM clerk_ticket_drafts AS d
             WHERE d.generation = (SELECT generation FROM clerk_published WHERE family = 'support')
               AND d.ticket_id = NEW.ticket_id)
BEGIN
    DELETE FROM clerk_void_drafts WHERE ticket_id = NEW.ticket_id;
    INSERT INTO clerk_void_drafts (ticket_id, at) VALUES (NEW.ticket_id, CAST(strftime('%s', 'now') AS INTEGER));
END;
CREATE TRIGGER void_draft_reply_insert AFTER INSERT ON replies
WHEN NEW.author <> 'note'
     AND EXISTS (SELECT 1 FROM clerk_ticket_drafts AS d
                 WHERE d.generation = (SELECT generation FROM clerk_published WHERE family = 'support')
                   AND d.ticket_id = NEW.ticket_id)
BEGIN
    DELETE FROM clerk_void_drafts WHERE ticket_id = NEW.ticket_id;
    INSERT INTO clerk_void_drafts (ticket_id, at) VALUES (NEW.ticket_id, CAST(strftime('%s', 'now') AS INTEGER));
END;
CREATE TRIGGER void_draft_reply_update AFTER UPDATE OF ticket_id, author, body ON replies
WHEN OLD.author <> 'note' OR NEW.author <> 'note'
BEGIN
    DELETE FROM clerk_void_drafts WHERE ticket_id IN (OLD.ticket_id, NEW.ticket_id);
    INSERT INTO clerk_void_drafts (ticket_id, at) VALUES (OLD.ticket_id, CAST(strftime('%s', 'now') AS INTEGER));
    INSERT INTO clerk_void_drafts (ticket_id, at)
    SELECT NEW.ticket_id, CAST(strftime('%s', 'now') AS INTEGER) WHERE NEW.ticket_id IS NOT OLD.ticket_id;
END;
CREATE TRIGGER void_draft_reply_delete AFTER DELETE ON replies
WHEN OLD.author <> 'note'
BEGIN
    DELETE FROM clerk_void_drafts WHERE ticket_id = OLD.ticket_id;
    INSERT INTO clerk_void_drafts (ticket_id, at) VALUES (OLD.ticket_id, CAST(strftime('%s', 'now') AS INTEGER));
END;

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
  AND (SELECT count(*) FROM replies AS a WHERE a.ticket_id = r.ticket_id AND a.author <> 'note') = r.replies_seen;

-- What agents work from: one row per ticket not closed. What a person entered wins column by column ('' is nothing
-- entered); the model fills the rest where it decided 'route', unless a person has chosen another category or team by day:
-- the model's team and agent belong to the other one, and the next night finds new ones. Category '-' (people say none of these) is
-- never filled up. decided_by: person (somebody entered category, team or agent), model, or nobody. due_at is that of the
-- priority shown; NULL where a person has changed the priority by day, until the next night: such a ticket stands
-- before all others in ORDER BY due_at. (The casts keep text affinity, so that agent_id = 7 finds '7'.)
DROP VIEW ticket_queue;
CREATE VIEW ticket_queue AS
SELECT t.ticket_id, t.status,
       CAST(coalesce(nullif(t.language, ''), r.language) AS TEXT) AS language,
       CAST(coalesce(nullif(t.category, ''), m.category) AS TEXT) AS category,
       CAST(coalesce(nullif(t.team, ''), m.team) AS TEXT) AS team,
       CAST(coalesce(nullif(t.agent_id, ''), CASE WHEN coalesce(t.team, '') = '' OR t.team IS m.team THEN m.agent_id END) AS TEXT)
         AS agent_id,
       CAST(coalesce(nullif(t.priority, ''), m.priority) AS TEXT) AS priority,
       CASE WHEN t.category <> '' OR t.team <> '' OR t.agent_id <> ''
            THEN CASE t.decided_by WHEN 'clerk' THEN 'model' ELSE 'person' END
            WHEN m.ticket_id IS NOT NULL THEN 'model'
            ELSE 'nobody' END AS decided_by,
       CASE WHEN coalesce(nullif(t.priority, ''), r.priority) IS r.priority THEN r.due_at END AS due_at,
       t.created_at
FROM tickets AS t
LEFT JOIN clerk_ticket_routes AS r
       ON r.generation = (SELECT generation FROM clerk_published WHERE family = 'support') AND r.ticket_id = t.ticket_id
LEFT JOIN clerk_ticket_routes AS m
       ON m.generation = r.generation AND m.ticket_id = r.ticket_id AND m.decision = 'route'
      AND (coalesce(t.category, '') = '' OR t.category IS m.category OR (m.category IS NULL AND t.category <> '-'))
WHERE t.status <> 'closed';
