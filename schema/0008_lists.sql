-- Lists by day, better: what a variant of was bought or dismissed since the night leaves a customer's list too, a reason names no
-- product that is gone, and a thousand rules for categories or customers cost a reader next to nothing.

-- Block rules for categories or for everything, by whose lists they are for. A category and all above it begin with the same
-- first step of the path and are not after it in the order of text, so a row looks at the rules of its own top category
-- alone.
CREATE INDEX rules_of_category ON rules (kind, user_id, category) WHERE product_id IS NULL;

-- What a customer bought or dismissed lately, whatever it was: the variants of it are looked for from here, and nobody who
-- bought nothing since the night pays for them.
CREATE INDEX events_lately ON events (user_id, at, kind, product_id)
WHERE user_id IS NOT NULL AND kind IN ('purchase', 'dismiss');

DROP VIEW recommendations;
-- What to show a customer. user_id '' is the list for a visitor nobody knows and always has rows.
-- because_product_id: the product of the customer's history that speaks loudest for this one; NULL = none does
-- (a popular product), or it is no product any more. Products the customer dismissed or (already_bought = "exclude" or
-- "buy_again") bought since the night are left out with all their variants, unless a pin put them there (model 'rule'; a
-- dismissal of the very product counts all the same).
CREATE VIEW recommendations AS
SELECT u.user_id, r.rank, c.product_id, r.score, m.model, w.product_id AS because_product_id
FROM clerk_published AS g
CROSS JOIN clerk_generations AS v ON v.generation = g.generation
CROSS JOIN user_keys AS u
CROSS JOIN clerk_recommendations AS r ON r.generation = g.generation AND r.user_key = u.user_key
CROSS JOIN clerk_shelf AS c ON c.product_key = r.product_key
CROSS JOIN model_keys AS m ON m.model_key = r.model_key
LEFT JOIN product_keys AS b ON b.product_key = r.because_key
LEFT JOIN products AS w ON w.product_id = b.product_id
WHERE g.family = 'recommendations'
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id = c.product_id
                    AND (x.category IS NULL OR x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'recommendations')
                    AND (x.user_id IS NULL OR x.user_id = u.user_id) AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'recommendations') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'recommendations') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id = u.user_id AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'recommendations') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id = u.user_id
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'recommendations') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM events AS e
                  WHERE e.user_id = u.user_id AND e.product_id = c.product_id AND e.at >= v.as_of
                    AND e.kind IN ('purchase', 'dismiss')
                    AND (e.kind = 'dismiss' OR (v.exclude_bought = 1 AND m.model <> 'rule')))
  AND (m.model = 'rule'
       OR NOT EXISTS (SELECT 1 FROM events AS e
                      CROSS JOIN products AS t ON t.product_id = e.product_id AND t.group_id <> ''
                      CROSS JOIN products AS o ON o.product_id = c.product_id AND o.group_id = t.group_id
                      WHERE e.user_id = u.user_id AND e.at >= v.as_of AND e.kind IN ('purchase', 'dismiss')
                        AND (e.kind = 'dismiss' OR v.exclude_bought = 1)));

DROP VIEW visitor_recommendations;
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'visitor_recommendations') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'visitor_recommendations') AND x.for_product_id IS NULL);

DROP VIEW similar_products;
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'similar_products') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'similar_products') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
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

DROP VIEW bought_together;
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'bought_together') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'bought_together') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
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

DROP VIEW next_products;
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'next_products') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'next_products') AND (x.for_product_id IS NULL OR x.for_product_id = p.product_id))
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

DROP VIEW buy_again;
-- What a customer is likely to buy again, and about when; due_day NULL = no rhythm. What was bought again or dismissed
-- since the night is left out. score: the model's chance that it is bought within 28 days; where plain frequency won,
-- n / (n + 2) after n purchases, the old ones counting less where that won. Boosts multiply it.
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'buy_again') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'buy_again') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id = u.user_id AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'buy_again') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id = u.user_id
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'buy_again') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM events AS e
                  WHERE e.user_id = u.user_id AND e.product_id = c.product_id AND e.at >= v.as_of
                    AND e.kind IN ('purchase', 'dismiss'));

DROP VIEW popular_products;
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
                  WHERE x.product_id IS NULL AND x.user_id IS NULL AND x.category IS NULL
                    AND (x.result IS NULL OR x.result = 'popular_products') AND x.for_product_id IS NULL)
  AND NOT EXISTS (SELECT 1 FROM clerk_blocks AS x
                  WHERE x.product_id IS NULL AND x.user_id IS NULL
                    AND x.category BETWEEN substr(c.category, 1, instr(c.category || ' > ', ' > ') - 1) AND c.category
                    AND (x.category = c.category OR substr(c.category, 1, length(x.category) + 3) = x.category || ' > ')
                    AND (x.result IS NULL OR x.result = 'popular_products') AND x.for_product_id IS NULL);
