-- The input tables: what the shop tells the clerk.
--
-- Anybody may INSERT, UPDATE and DELETE here: `nightclerk import`, or the application itself, directly or
-- after ATTACH 'shop.db' AS clerk. Everything in this file is core SQL and works in any SQLite from 3.37.
--
-- Conventions
--   ids       TEXT, and the shop's own. `= 42` and `= '42'` find the same rows.
--   at, *_at  INTEGER, Unix seconds, UTC. A value past 9999999999 is milliseconds and is refused.
--   day       TEXT 'YYYY-MM-DD' in settings.time_zone.
--   money     REAL, major units, as the customer sees it, in settings.currency.
--   language  BCP 47 tag; matched on its first part ('zh-Hans' is 'zh').
-- There are no foreign keys and no CHECK on `kind`: a checkout must always be able to write. What a night
-- cannot use is left out in the step `prepare` and counted by reason in the view run_drops.

-- Settings of the whole shop, one row a setting. Known names: time_zone (IANA name, default 'UTC'), currency
-- (ISO 4217), language (the shop's own), keep (how many retired generations stay beside the published one,
-- default 2), history_days (how far back a night reads events; unset = all), sla_hours (JSON object: hours to
-- the first answer by priority), working_hours (for example '09:00-17:00').
CREATE TABLE settings (
    name  TEXT NOT NULL PRIMARY KEY,  -- the setting
    value TEXT                        -- its value; NULL = the default
) STRICT;

-- The catalogue.
CREATE TABLE products (
    product_id  TEXT NOT NULL PRIMARY KEY,
    group_id    TEXT,                        -- variants of one article share it: a list holds one of them; NULL = no variants
    title       TEXT NOT NULL DEFAULT '',
    description TEXT,
    category    TEXT,                        -- NULL = none
    brand       TEXT,
    properties  TEXT,                        -- a JSON object of further traits, {"colour": "red"}
    price       REAL,                        -- what it costs now; NULL = not known
    cost        REAL,                        -- what it costs the shop; NULL = not known, then margins are NULL too
    currency    TEXT,                        -- NULL = settings.currency
    in_stock    REAL NOT NULL DEFAULT 1,     -- units, or just 0 and 1; sellable means > 0
    hidden      INTEGER NOT NULL DEFAULT 0,  -- 1 = never shown in any list
    created_at  INTEGER DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (created_at BETWEEN 0 AND 9999999999),
    updated_at  INTEGER CHECK (updated_at BETWEEN 0 AND 9999999999)
) STRICT;

-- The customers. Optional: an event may name a user who has no row here.
CREATE TABLE users (
    user_id    TEXT NOT NULL PRIMARY KEY CHECK (user_id <> ''),
    country    TEXT,                         -- ISO 3166 code, or any name the shop uses consistently
    language   TEXT,
    created_at INTEGER DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (created_at BETWEEN 0 AND 9999999999)
) STRICT;

-- What customers did. A basket is order_id, else session_id, else the same user at the same `at`.
CREATE TABLE events (
    event_id   INTEGER PRIMARY KEY,          -- assigned when omitted
    source_id  TEXT UNIQUE,                  -- the shop's own key of this event, so that it is taken once; NULL = none
    user_id    TEXT CHECK (user_id <> ''),   -- NULL = a visitor nobody knows
    session_id TEXT,
    order_id   TEXT,
    product_id TEXT NOT NULL,
    kind       TEXT NOT NULL,                -- shown, view, wish, cart, purchase, return, rating, dismiss; others are kept, not used, counted
    quantity   REAL NOT NULL DEFAULT 1,      -- units, > 0, for returns too
    price      REAL,                         -- unit price paid
    rating     REAL,                         -- 1 to 5
    shown_by   TEXT,                         -- the result view that displayed the product
    at         INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (at BETWEEN 0 AND 9999999999)
) STRICT;

-- Posted prices: a price holds from `at` until the seller's next row.
CREATE TABLE prices (
    product_id TEXT NOT NULL,
    seller     TEXT NOT NULL DEFAULT '',     -- '' = the shop itself
    at         INTEGER NOT NULL CHECK (at BETWEEN 0 AND 9999999999),
    price      REAL,                         -- NULL = no longer offered from here on
    promotion  INTEGER NOT NULL DEFAULT 0,   -- 1 = a promotional price
    PRIMARY KEY (product_id, seller, at)
) STRICT, WITHOUT ROWID;

-- Covariates of prices and demand by day, past and known future: holidays, planned promotions, weather.
CREATE TABLE drivers (
    name       TEXT NOT NULL,
    product_id TEXT NOT NULL DEFAULT '',     -- '' = every product
    day        TEXT NOT NULL,                -- 'YYYY-MM-DD'
    value      REAL NOT NULL,
    PRIMARY KEY (name, product_id, day)
) STRICT, WITHOUT ROWID;

-- The people who answer tickets.
CREATE TABLE agents (
    agent_id  TEXT NOT NULL PRIMARY KEY,
    name      TEXT,
    team      TEXT,
    languages TEXT,                          -- JSON array of tags; NULL = any
    skills    TEXT,                          -- JSON array of ticket categories; NULL = all
    capacity  INTEGER,                       -- most open tickets at once; NULL = no limit
    active    INTEGER NOT NULL DEFAULT 1     -- 0 = away
) STRICT;

-- Support tickets.
CREATE TABLE tickets (
    ticket_id      TEXT NOT NULL PRIMARY KEY,
    user_id        TEXT CHECK (user_id <> ''),
    subject        TEXT NOT NULL DEFAULT '',
    body           TEXT NOT NULL DEFAULT '',
    language       TEXT,                     -- NULL = told from the text
    channel        TEXT,                     -- mail, chat, phone: free text
    status         TEXT NOT NULL DEFAULT 'open' CHECK (status IN ('open', 'pending', 'closed')),
    category       TEXT,                     -- NULL = nobody said; '-' = people say none of these
    team           TEXT,
    agent_id       TEXT,
    priority       TEXT CHECK (priority IN ('low', 'medium', 'high', 'urgent')),
    decided_by     TEXT NOT NULL DEFAULT 'person' CHECK (decided_by IN ('person', 'clerk')),
                                             -- 'clerk' when the application applied our route unseen: never a label
    created_at     INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (created_at BETWEEN 0 AND 9999999999),
    first_reply_at INTEGER CHECK (first_reply_at BETWEEN 0 AND 9999999999),
    closed_at      INTEGER CHECK (closed_at BETWEEN 0 AND 9999999999)
) STRICT;

-- The queue asks for tickets that are not closed, again and again.
CREATE INDEX tickets_waiting ON tickets (created_at) WHERE status <> 'closed';

-- Messages of a ticket after its first. Notes are never a source, training text or evidence.
CREATE TABLE replies (
    reply_id  INTEGER PRIMARY KEY,           -- assigned when omitted
    source_id TEXT UNIQUE,                   -- the shop's own key; NULL = none
    ticket_id TEXT NOT NULL,
    author    TEXT NOT NULL DEFAULT 'agent' CHECK (author IN ('agent', 'clerk', 'customer', 'note')),
    agent_id  TEXT,
    body      TEXT NOT NULL DEFAULT '',
    at        INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (at BETWEEN 0 AND 9999999999)
) STRICT;

CREATE INDEX replies_of_ticket ON replies (ticket_id, at);

-- Help articles.
CREATE TABLE articles (
    article_id TEXT NOT NULL PRIMARY KEY,
    title      TEXT NOT NULL DEFAULT '',
    body       TEXT NOT NULL DEFAULT '',
    category   TEXT,
    language   TEXT,
    updated_at INTEGER CHECK (updated_at BETWEEN 0 AND 9999999999)
) STRICT;

-- Words that mean the same in search, in both directions.
CREATE TABLE synonyms (
    term TEXT NOT NULL,
    also TEXT NOT NULL,
    PRIMARY KEY (term, also)
) STRICT, WITHOUT ROWID;

-- The merchandiser's word over the models'. `block` acts at the next SELECT, the others at the next
-- publication; a pinned row has model 'rule'. A NULL column matches everything.
CREATE TABLE rules (
    rule_id          INTEGER PRIMARY KEY,    -- assigned when omitted
    kind             TEXT NOT NULL,          -- pin, block, boost, never_together
    result           TEXT,                   -- the list it acts on, 'recommendations' for example; NULL = every list
    user_id          TEXT,                   -- only for this customer
    for_product_id   TEXT,                   -- only on this product's page
    product_id       TEXT,                   -- the product shown
    other_product_id TEXT,                   -- never_together: the other one
    category         TEXT,                   -- category of the product shown
    value            REAL,                   -- pin: position from 1; boost: factor
    enabled          INTEGER NOT NULL DEFAULT 1,
    from_at          INTEGER CHECK (from_at BETWEEN 0 AND 9999999999),    -- NULL = since ever
    until_at         INTEGER CHECK (until_at BETWEEN 0 AND 9999999999),   -- NULL = for ever
    who              TEXT,                   -- who wrote the rule
    note             TEXT                    -- and why
) STRICT;

-- What people thought of an answer; rejected price advice is not repeated for 28 days.
CREATE TABLE verdicts (
    verdict_id INTEGER PRIMARY KEY,          -- assigned when omitted
    result     TEXT NOT NULL,                -- the view judged: 'price_advice', 'ticket_drafts', ...
    subject_id TEXT NOT NULL,                -- its product_id or ticket_id
    verdict    TEXT NOT NULL CHECK (verdict IN ('accepted', 'edited', 'rejected')),
    who        TEXT,
    note       TEXT,
    at         INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (at BETWEEN 0 AND 9999999999)
) STRICT;

-- Ask a running daemon for a run: INSERT INTO run_requests (job) VALUES ('recommendations').
CREATE TABLE run_requests (
    request_id   INTEGER PRIMARY KEY,        -- assigned when omitted
    job          TEXT NOT NULL,              -- the name of a file in jobs/, without .toml
    requested_at INTEGER NOT NULL DEFAULT (CAST(strftime('%s', 'now') AS INTEGER)) CHECK (requested_at BETWEEN 0 AND 9999999999),
    run_id       INTEGER                     -- set when the run begins; NULL = waiting
) STRICT;

CREATE INDEX rules_of_product ON rules (kind, product_id);
