-- The outbox of the full-text index: every change of a ticket, reply, article or product leaves one row here,
-- written by core-SQL triggers, so that any program that writes the file keeps search right. The `search` job
-- (and the daemon, all day) drains it. AUTOINCREMENT: a drained number must never come back, or a change
-- would look as if it had been indexed already.
CREATE TABLE outbox (
    seq  INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,                      -- ticket, article, product; rebuild = index everything again
    id   TEXT NOT NULL
) STRICT;

-- Nobody drains? Past a million rows one mark says it all. (DELETE without WHERE is a truncation: fast.)
CREATE TRIGGER outbox_bound AFTER INSERT ON outbox
WHEN NEW.seq - (SELECT min(seq) FROM outbox) >= 1000000
BEGIN
    DELETE FROM outbox;
    INSERT INTO outbox (kind, id) VALUES ('rebuild', '');
END;

CREATE TRIGGER outbox_ticket_insert AFTER INSERT ON tickets
BEGIN INSERT INTO outbox (kind, id) VALUES ('ticket', NEW.ticket_id); END;
CREATE TRIGGER outbox_ticket_delete AFTER DELETE ON tickets
BEGIN INSERT INTO outbox (kind, id) VALUES ('ticket', OLD.ticket_id); END;
CREATE TRIGGER outbox_ticket_update AFTER UPDATE OF ticket_id, subject, body, language, status, category, team, agent_id, created_at ON tickets
BEGIN
    INSERT INTO outbox (kind, id) SELECT 'ticket', OLD.ticket_id WHERE OLD.ticket_id IS NOT NEW.ticket_id;
    INSERT INTO outbox (kind, id) VALUES ('ticket', NEW.ticket_id);
END;

CREATE TRIGGER outbox_reply_insert AFTER INSERT ON replies
BEGIN INSERT INTO outbox (kind, id) VALUES ('ticket', NEW.ticket_id); END;
CREATE TRIGGER outbox_reply_delete AFTER DELETE ON replies
BEGIN INSERT INTO outbox (kind, id) VALUES ('ticket', OLD.ticket_id); END;
CREATE TRIGGER outbox_reply_update AFTER UPDATE OF ticket_id, author, body ON replies
BEGIN
    INSERT INTO outbox (kind, id) SELECT 'ticket', OLD.ticket_id WHERE OLD.ticket_id IS NOT NEW.ticket_id;
    INSERT INTO outbox (kind, id) VALUES ('ticket', NEW.ticket_id);
END;

CREATE TRIGGER outbox_article_insert AFTER INSERT ON articles
BEGIN INSERT INTO outbox (kind, id) VALUES ('article', NEW.article_id); END;
CREATE TRIGGER outbox_article_delete AFTER DELETE ON articles
BEGIN INSERT INTO outbox (kind, id) VALUES ('article', OLD.article_id); END;
CREATE TRIGGER outbox_article_update AFTER UPDATE OF article_id, title, body, category, language ON articles
BEGIN
    INSERT INTO outbox (kind, id) SELECT 'article', OLD.article_id WHERE OLD.article_id IS NOT NEW.article_id;
    INSERT INTO outbox (kind, id) VALUES ('article', NEW.article_id);
END;

CREATE TRIGGER outbox_product_insert AFTER INSERT ON products
BEGIN INSERT INTO outbox (kind, id) VALUES ('product', NEW.product_id); END;
CREATE TRIGGER outbox_product_delete AFTER DELETE ON products
BEGIN INSERT INTO outbox (kind, id) VALUES ('product', OLD.product_id); END;
CREATE TRIGGER outbox_product_update AFTER UPDATE OF product_id, title, description, category, brand, properties, created_at ON products
BEGIN
    INSERT INTO outbox (kind, id) SELECT 'product', OLD.product_id WHERE OLD.product_id IS NOT NEW.product_id;
    INSERT INTO outbox (kind, id) VALUES ('product', NEW.product_id);
END;

-- What existed before the triggers did is indexed as a whole.
INSERT INTO outbox (kind, id) VALUES ('rebuild', '');
