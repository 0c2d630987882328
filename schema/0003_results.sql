-- The results: what the clerk tells the shop.
--
-- Each view shows one published generation and never mixes two: clerk_published names it, in one row. Lists are
-- joined to the CURRENT catalogue, so what was hidden, sold out or blocked a moment ago is gone from them at the
-- next SELECT. `rank` orders and may therefore have gaps: ORDER BY rank LIMIT n. CROSS JOIN fixes the join order:
-- pointer, key, result rows in primary-key order, so that a look-up sorts nothing and reads only its own rows.

-- The shelf: what can be shown this moment (hidden = 0, in_stock > 0), by key, small enough to stay in any reader's
-- cache. Every list joins to it, so that hiding a product or selling the last one counts at the next SELECT. The triggers
-- keep it; DELETE before INSERT, because an INSERT OR REPLACE fires no DELETE trigger, and an INSERT OR IGNORE would turn
-- a conflict in here into silence.
CREATE TABLE clerk_shelf (
    product_key INTEGER PRIMARY KEY,
    product_id  TEXT NOT NULL,
    category    TEXT
) STRICT;

CREATE TRIGGER clerk_shelf_key AFTER INSERT ON product_keys
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = NEW.product_key;
    INSERT INTO clerk_shelf (product_key, product_id, category)
    SELECT NEW.product_key, c.product_id, c.category FROM products AS c
    WHERE c.product_id = NEW.product_id AND c.hidden = 0 AND c.in_stock > 0;
END;

CREATE TRIGGER clerk_shelf_insert AFTER INSERT ON products
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = NEW.product_id);
    INSERT INTO clerk_shelf (product_key, product_id, category)
    SELECT k.product_key, k.product_id, NEW.category FROM product_keys AS k
    WHERE k.product_id = NEW.product_id AND NEW.hidden = 0 AND NEW.in_stock > 0;
END;

CREATE TRIGGER clerk_shelf_delete AFTER DELETE ON products
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = OLD.product_id);
END;

-- A checkout that takes one of many units changes nothing here and pays for a comparison only.
CREATE TRIGGER clerk_shelf_update AFTER UPDATE OF product_id, category, in_stock, hidden ON products
WHEN (OLD.hidden = 0 AND OLD.in_stock > 0) <> (NEW.hidden = 0 AND NEW.in_stock > 0)
  OR OLD.category IS NOT NEW.category OR OLD.product_id <> NEW.product_id
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = OLD.product_id);
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = NEW.product_id);
    INSERT INTO clerk_shelf (product_key, product_id, category)
    SELECT k.product_key, k.product_id, NEW.category FROM product_keys AS k
    WHERE k.product_id = NEW.product_id AND NEW.hidden = 0 AND NEW.in_stock > 0;
END;

-- Block rules in force now. A category means itself and everything below it: 'a' is 'a' and 'a > b'.
CREATE VIEW clerk_blocks AS
SELECT product_id, category, result, user_id, for_product_id FROM rules
WHERE kind = 'block' AND enabled = 1
  AND (from_at IS NULL OR from_at <= CAST(strftime('%s', 'now') AS INTEGER))
  AND (until_at IS NULL OR until_at > CAST(strftime('%s', 'now') AS INTEGER));

-- never_together rules in force now: what may not stand on whose page. (Inside a list they act when it is written.)
CREATE VIEW clerk_apart AS
SELECT product_id, other_product_id, category, result, user_id, for_product_id FROM rules
WHERE kind = 'never_together' AND enabled = 1
  AND (from_at IS NULL OR from_at <= CAST(strftime('%s', 'now') AS INTEGER))
  AND (until_at IS NULL OR until_at > CAST(strftime('%s', 'now') AS INTEGER));

-- What a customer bought or dismissed since the night, product by product: asked for every row of every list. The instant
-- itself counts as since: shops that know only the day write many events with one time. Other kinds
-- of event are not in it, so that a shop's page views cost it nothing.
CREATE INDEX events_since ON events (user_id, product_id, at, kind)
WHERE user_id IS NOT NULL AND kind IN ('purchase', 'dismiss');

CREATE TABLE clerk_recommendations (
    generation  INTEGER NOT NULL,
    user_key    INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    score       REAL NOT NULL,
    model_key   INTEGER NOT NULL,
    because_key INTEGER,
    PRIMARY KEY (generation, user_key, rank)
) STRICT, WITHOUT ROWID;

-- What to show a customer. user_id '' is the list for a visitor nobody knows and always has rows.
-- because_product_id: the product of the customer's history that speaks loudest for this one; NULL = none does
-- (a popular product). Products the customer dismissed or (already_bought = "exclude" or "buy_again") bought since the
-- night are left out, unless a pin put them there (model 'rule'; a dismissal counts all the same).
CREATE VIEW recommendations AS
SELECT u.user_id, r.rank, c.product_id, r.score, m.model, b.product_id AS because_product_id
FROM clerk_published AS g
CROSS JOIN clerk_generations AS v ON v.generation = g.generation
CROSS JOIN user_keys AS u
CROSS JOIN clerk_recommendations AS r ON r.generation = g.generation AND r.user_key = u.user_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.product_key
CROSS JOIN model_keys AS m ON m.model_key = r.model_key
LEFT JOIN product_keys AS b ON b.product_key = r.because_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'recommendations')
                    AND (x.user_id IS NULL OR x.user_id = u.user_id) AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'recommendations')
                    AND (x.user_id IS NULL OR x.user_id = u.user_id) AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM events AS e
                  WHERE e.user_id = u.user_id AND e.product_id = c.product_id AND e.at >= v.as_of
                    AND e.kind IN ('purchase', 'dismiss')
                    AND (e.kind = 'dismiss' OR (v.exclude_bought = 1 AND m.model <> 'rule')));

CREATE TABLE clerk_visitor_recommendations (
    generation  INTEGER NOT NULL,
    country     TEXT NOT NULL,
    language    TEXT NOT NULL,
    rank        INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    score       REAL NOT NULL,
    UNIQUE (generation, country, language, rank)
) STRICT;

-- What to show a visitor of whom only country and language are known; '' = any. A place from which few customers come has
-- no list of its own: then ask for the country with language '', and last for '' and ''.
CREATE VIEW visitor_recommendations AS
SELECT r.country, r.language, r.rank, c.product_id, r.score
FROM clerk_published AS g
CROSS JOIN clerk_visitor_recommendations AS r ON r.generation = g.generation
CROSS JOIN clerk_shelf AS c ON c.product_key = r.product_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'visitor_recommendations')
                    AND x.user_id IS NULL AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'visitor_recommendations')
                    AND x.user_id IS NULL AND x.for_product_id IS NULL);

CREATE TABLE clerk_similar_products (
    generation  INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    other_key   INTEGER NOT NULL,
    score       REAL NOT NULL,
    model_key   INTEGER NOT NULL,
    PRIMARY KEY (generation, product_key, rank)
) STRICT, WITHOUT ROWID;

-- Products like the one on the page, most alike first.
CREATE VIEW similar_products AS
SELECT p.product_id, r.rank, c.product_id AS similar_product_id, r.score, m.model
FROM clerk_published AS g
CROSS JOIN product_keys AS p
LEFT JOIN products AS q ON q.product_id = p.product_id
CROSS JOIN clerk_similar_products AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.other_key
CROSS JOIN model_keys AS m ON m.model_key = r.model_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'similar_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'similar_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = p.product_id
                    AND (x.other_product_id = c.product_id OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'similar_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = c.product_id
                    AND (x.other_product_id = p.product_id OR x.category = q.category OR substr(q.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'similar_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id));

CREATE TABLE clerk_bought_together (
    generation  INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    other_key   INTEGER NOT NULL,
    baskets     INTEGER NOT NULL,
    lift        REAL NOT NULL,
    PRIMARY KEY (generation, product_key, rank)
) STRICT, WITHOUT ROWID;

-- Products found in the same baskets: in how many, and how many times more often than chance (lift). Pairs that may be
-- chance are not listed, so a page without rows is a product that goes with nothing in particular.
CREATE VIEW bought_together AS
SELECT p.product_id, r.rank, c.product_id AS other_product_id, r.baskets, r.lift
FROM clerk_published AS g
CROSS JOIN product_keys AS p
LEFT JOIN products AS q ON q.product_id = p.product_id
CROSS JOIN clerk_bought_together AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.other_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'bought_together')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'bought_together')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = p.product_id
                    AND (x.other_product_id = c.product_id OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'bought_together')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = c.product_id
                    AND (x.other_product_id = p.product_id OR x.category = q.category OR substr(q.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'bought_together')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id));

CREATE TABLE clerk_next_products (
    generation  INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    other_key   INTEGER NOT NULL,
    score       REAL NOT NULL,
    PRIMARY KEY (generation, product_key, rank)
) STRICT, WITHOUT ROWID;

-- What is looked at or bought next by those who just looked at product_id.
CREATE VIEW next_products AS
SELECT p.product_id, r.rank, c.product_id AS next_product_id, r.score
FROM clerk_published AS g
CROSS JOIN product_keys AS p
LEFT JOIN products AS q ON q.product_id = p.product_id
CROSS JOIN clerk_next_products AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.other_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'next_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'next_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = p.product_id
                    AND (x.other_product_id = c.product_id OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'next_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_apart AS x
                  WHERE x.product_id = c.product_id
                    AND (x.other_product_id = p.product_id OR x.category = q.category OR substr(q.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'next_products')
                    AND x.user_id IS NULL AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id));

CREATE TABLE clerk_buy_again (
    generation  INTEGER NOT NULL,
    user_key    INTEGER NOT NULL,
    rank        INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    score       REAL NOT NULL,
    due_day     INTEGER,
    PRIMARY KEY (generation, user_key, rank)
) STRICT, WITHOUT ROWID;

-- What a customer is likely to buy again, and about when; due_day NULL = no rhythm. What was bought again or dismissed
-- since the night is left out.
CREATE VIEW buy_again AS
SELECT u.user_id, r.rank, c.product_id, r.score, date(r.due_day * 86400, 'unixepoch') AS due_day
FROM clerk_published AS g
CROSS JOIN clerk_generations AS v ON v.generation = g.generation
CROSS JOIN user_keys AS u
CROSS JOIN clerk_buy_again AS r ON r.generation = g.generation AND r.user_key = u.user_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.product_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'buy_again')
                    AND (x.user_id IS NULL OR x.user_id = u.user_id) AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'buy_again')
                    AND (x.user_id IS NULL OR x.user_id = u.user_id) AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM events AS e
                  WHERE e.user_id = u.user_id AND e.product_id = c.product_id AND e.at >= v.as_of
                    AND e.kind IN ('purchase', 'dismiss'));

CREATE TABLE clerk_popular_products (
    generation  INTEGER NOT NULL,
    category    TEXT NOT NULL,
    rank        INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    score       REAL NOT NULL,
    UNIQUE (generation, category, rank)
) STRICT;

-- What sells now, by category; category '' is the whole shop. A category holds what is below it: where products are of
-- 'a > b' there is a list 'a' as well.
CREATE VIEW popular_products AS
SELECT r.category, r.rank, c.product_id, r.score
FROM clerk_published AS g
CROSS JOIN clerk_popular_products AS r ON r.generation = g.generation
CROSS JOIN clerk_shelf AS c ON c.product_key = r.product_key
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'popular_products')
                    AND x.user_id IS NULL AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'popular_products')
                    AND x.user_id IS NULL AND x.for_product_id IS NULL);

CREATE TABLE clerk_price_forecasts (
    generation  INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    seller_key  INTEGER NOT NULL,
    step        INTEGER NOT NULL,
    at          INTEGER NOT NULL,
    day         INTEGER NOT NULL,
    price       REAL NOT NULL,
    lo80        REAL NOT NULL,
    hi80        REAL NOT NULL,
    lo95        REAL NOT NULL,
    hi95        REAL NOT NULL,
    model_key   INTEGER NOT NULL,
    lo90        REAL NOT NULL,
    hi90        REAL NOT NULL,
    PRIMARY KEY (generation, product_key, seller_key, step)
) STRICT, WITHOUT ROWID;

-- Where a price is going: step 1 is the first period after the night. lo80..hi80, lo90..hi90 and lo95..hi95 hold the
-- price with 80, 90 and 95 %, measured on the shop's own past; never below 0. Each bound holds by itself as well: the
-- price stays above lo80 with 90 %, above lo90 with 95 %, above lo95 with 97.5 %, and below hi80, hi90, hi95 likewise.
-- day is the local day of `at`.
CREATE VIEW price_forecasts AS
SELECT p.product_id, s.seller, r.step, r.at, date(r.day * 86400, 'unixepoch') AS day, r.price,
       r.lo80, r.hi80, r.lo95, r.hi95, m.model, r.lo90, r.hi90
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_forecasts AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN seller_keys AS s ON s.seller_key = r.seller_key
CROSS JOIN model_keys AS m ON m.model_key = r.model_key
WHERE g.family = 'prices';

CREATE TABLE clerk_price_models (
    generation   INTEGER NOT NULL,
    product_key  INTEGER NOT NULL,
    seller_key   INTEGER NOT NULL,
    model_key    INTEGER NOT NULL,
    parameters   TEXT NOT NULL,
    observations INTEGER NOT NULL,
    skill        REAL,
    coverage95   REAL,
    why          TEXT NOT NULL,
    UNIQUE (generation, product_key, seller_key)
) STRICT;

-- Which model forecasts a price and why; skill = 1 - its error / the error of the last price on past data (NULL =
-- could not be measured), coverage95 = share of past prices that fell into its 95 % interval.
CREATE VIEW price_models AS
SELECT p.product_id, s.seller, m.model, r.parameters, r.observations, r.skill, r.coverage95, r.why
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_models AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN seller_keys AS s ON s.seller_key = r.seller_key
CROSS JOIN model_keys AS m ON m.model_key = r.model_key
WHERE g.family = 'prices';

CREATE TABLE clerk_price_stats (
    generation             INTEGER NOT NULL,
    product_key            INTEGER NOT NULL,
    seller_key             INTEGER NOT NULL,
    last_price             REAL,
    last_seen_at           INTEGER,
    last_change_day        INTEGER,
    min30                  REAL,
    min30_before_promotion REAL,
    avg30                  REAL,
    avg90                  REAL,
    min_ever               REAL,
    min_ever_day           INTEGER,
    max_ever               REAL,
    max_ever_day           INTEGER,
    on_promotion           INTEGER NOT NULL,
    volatility_1d          REAL,
    volatility_30d         REAL,
    PRIMARY KEY (generation, product_key, seller_key)
) STRICT, WITHOUT ROWID;

-- The numbers people read first. min30_before_promotion is the lowest price of the 30 days before the promotion
-- that runs now (the reference price of the EU's Omnibus directive); NULL = no promotion runs. Volatilities are
-- fractions; NULL = too few changes to say.
CREATE VIEW price_stats AS
SELECT p.product_id, s.seller, r.last_price, r.last_seen_at, date(r.last_change_day * 86400, 'unixepoch') AS last_change_day,
       r.min30, r.min30_before_promotion, r.avg30, r.avg90,
       r.min_ever, date(r.min_ever_day * 86400, 'unixepoch') AS min_ever_day,
       r.max_ever, date(r.max_ever_day * 86400, 'unixepoch') AS max_ever_day,
       r.on_promotion, r.volatility_1d, r.volatility_30d
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_stats AS r ON r.generation = g.generation AND r.product_key = p.product_key
CROSS JOIN seller_keys AS s ON s.seller_key = r.seller_key
WHERE g.family = 'prices';

CREATE TABLE clerk_price_elasticities (
    generation   INTEGER NOT NULL,
    product_key  INTEGER NOT NULL,
    elasticity   REAL NOT NULL,
    std_error    REAL NOT NULL,
    lo95         REAL NOT NULL,
    hi95         REAL NOT NULL,
    observations INTEGER NOT NULL,
    pooled_with  TEXT,
    UNIQUE (generation, product_key)
) STRICT;

-- By how many percent units change when the price rises by one percent; pooled_with = the category or brand whose
-- products lent their evidence.
CREATE VIEW price_elasticities AS
SELECT p.product_id, r.elasticity, r.std_error, r.lo95, r.hi95, r.observations, r.pooled_with
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_elasticities AS r ON r.generation = g.generation AND r.product_key = p.product_key
WHERE g.family = 'prices';

CREATE TABLE clerk_price_whatif (
    generation  INTEGER NOT NULL,
    product_key INTEGER NOT NULL,
    price       REAL NOT NULL,
    units       REAL NOT NULL,
    units_lo80  REAL NOT NULL,
    units_hi80  REAL NOT NULL,
    revenue     REAL NOT NULL,
    margin      REAL,
    PRIMARY KEY (generation, product_key, price)
) STRICT, WITHOUT ROWID;

-- What 28 days would bring at other prices: totals; margin NULL = the cost is not known.
CREATE VIEW price_whatif AS
SELECT p.product_id, r.price, r.units, r.units_lo80, r.units_hi80, r.revenue, r.margin
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_whatif AS r ON r.generation = g.generation AND r.product_key = p.product_key
WHERE g.family = 'prices';

CREATE TABLE clerk_price_advice (
    generation          INTEGER NOT NULL,
    product_key         INTEGER NOT NULL,
    decision            TEXT NOT NULL,
    price_now           REAL,
    price_advised       REAL,
    units_change        REAL,
    revenue_change      REAL,
    margin_change       REAL,
    revenue_change_lo80 REAL,
    revenue_change_hi80 REAL,
    goal                TEXT NOT NULL,
    why                 TEXT NOT NULL,
    UNIQUE (generation, product_key)
) STRICT;

-- The price to set: raise, lower, keep or none (not enough known); changes are fractions over 28 days.
CREATE VIEW price_advice AS
SELECT p.product_id, r.decision, r.price_now, r.price_advised, r.units_change, r.revenue_change, r.margin_change,
       r.revenue_change_lo80, r.revenue_change_hi80, r.goal, r.why
FROM clerk_published AS g
CROSS JOIN product_keys AS p
CROSS JOIN clerk_price_advice AS r ON r.generation = g.generation AND r.product_key = p.product_key
WHERE g.family = 'prices';

CREATE TABLE clerk_ticket_routes (
    generation          INTEGER NOT NULL,
    ticket_id           TEXT NOT NULL,
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
    routed_at           INTEGER NOT NULL,
    UNIQUE (generation, ticket_id)
) STRICT;

-- Where a ticket belongs: decision 'route', or 'triage' when the clerk is not sure enough (then team and agent_id
-- are NULL and category is still the best guess). In a shop whose people enter teams but no categories, team is what
-- is learned: category is NULL then and category_confidence speaks of the team that `why` names. Confidences are
-- probabilities; due_at = first answer due.
CREATE VIEW ticket_routes AS
SELECT r.ticket_id, r.decision, r.category, r.category_confidence, r.team, r.agent_id, r.agent_confidence, r.priority,
       r.language, r.due_at, r.why, r.routed_at
FROM clerk_published AS g
CROSS JOIN clerk_ticket_routes AS r ON r.generation = g.generation
WHERE g.family = 'support';

-- What agents work from: one row per ticket not closed. What a person entered wins column by column; the model
-- fills the rest where it decided 'route'. decided_by: person (somebody entered category, team or agent), model,
-- or nobody. (The casts keep text affinity, so that agent_id = 7 finds '7'.)
CREATE VIEW ticket_queue AS
SELECT t.ticket_id, t.status,
       CAST(coalesce(t.language, r.language) AS TEXT) AS language,
       CAST(coalesce(t.category, m.category) AS TEXT) AS category,
       CAST(coalesce(t.team, m.team) AS TEXT) AS team,
       CAST(coalesce(t.agent_id, m.agent_id) AS TEXT) AS agent_id,
       CAST(coalesce(t.priority, m.priority) AS TEXT) AS priority,
       CASE WHEN t.category IS NOT NULL OR t.team IS NOT NULL OR t.agent_id IS NOT NULL
            THEN CASE t.decided_by WHEN 'clerk' THEN 'model' ELSE 'person' END
            WHEN m.ticket_id IS NOT NULL THEN 'model'
            ELSE 'nobody' END AS decided_by,
       r.due_at, t.created_at
FROM tickets AS t
LEFT JOIN clerk_ticket_routes AS r
       ON r.generation = (SELECT generation FROM clerk_published WHERE family = 'support') AND r.ticket_id = t.ticket_id
LEFT JOIN clerk_ticket_routes AS m
       ON m.generation = r.generation AND m.ticket_id = r.ticket_id AND m.decision = 'route'
WHERE t.status <> 'closed';

CREATE TABLE clerk_ticket_neighbours (
    generation          INTEGER NOT NULL,
    ticket_id           TEXT NOT NULL,
    rank                INTEGER NOT NULL,
    neighbour_ticket_id TEXT NOT NULL,
    distance            REAL NOT NULL,
    UNIQUE (generation, ticket_id, rank)
) STRICT;

-- The solved tickets most like this one: Euclidean distance of unit-length TF-IDF vectors, 0 (same) to 1.414.
CREATE VIEW ticket_neighbours AS
SELECT r.ticket_id, r.rank, r.neighbour_ticket_id, r.distance
FROM clerk_published AS g
CROSS JOIN clerk_ticket_neighbours AS r ON r.generation = g.generation
WHERE g.family = 'support';

CREATE TABLE clerk_ticket_drafts (
    generation   INTEGER NOT NULL,
    ticket_id    TEXT NOT NULL,
    reply_to     INTEGER,
    replies_seen INTEGER NOT NULL,
    decision     TEXT NOT NULL,
    reply        TEXT,
    confidence   REAL NOT NULL,
    sources      TEXT NOT NULL,
    drafted_at   INTEGER NOT NULL,
    UNIQUE (generation, ticket_id)
) STRICT;

-- What to answer: send, suggest, or none (then reply is NULL). reply_to = the customer's message answered, NULL =
-- the ticket itself. sources = JSON array of {"table", "id"} the words come from. A draft vanishes once
-- somebody answered, the customer wrote again or the ticket closed.
CREATE VIEW ticket_drafts AS
SELECT r.ticket_id, r.reply_to, r.decision, r.reply, r.confidence, r.sources, r.drafted_at
FROM clerk_published AS g
CROSS JOIN clerk_ticket_drafts AS r ON r.generation = g.generation
CROSS JOIN tickets AS t ON t.ticket_id = r.ticket_id
WHERE g.family = 'support' AND t.status <> 'closed'
  AND (SELECT count(*) FROM replies AS a WHERE a.ticket_id = r.ticket_id AND a.author <> 'note') = r.replies_seen;
