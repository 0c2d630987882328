-- Variants by day, cheaper: the shelf knows each product's group of variants, so a list asks what a variant of was bought
-- since the night only for products that have variants, and asks one table fewer.

-- NULL = no variants (a group_id of '' says the same).
ALTER TABLE clerk_shelf ADD COLUMN group_id TEXT;

UPDATE clerk_shelf SET group_id =
    (SELECT nullif(c.group_id, '') FROM products AS c WHERE c.product_id = clerk_shelf.product_id);

DROP TRIGGER clerk_shelf_key;
CREATE TRIGGER clerk_shelf_key AFTER INSERT ON product_keys
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = NEW.product_key;
    INSERT INTO clerk_shelf (product_key, product_id, category, group_id)
    SELECT NEW.product_key, c.product_id, c.category, nullif(c.group_id, '') FROM products AS c
    WHERE c.product_id = NEW.product_id AND c.hidden = 0 AND c.in_stock > 0;
END;

DROP TRIGGER clerk_shelf_insert;
CREATE TRIGGER clerk_shelf_insert AFTER INSERT ON products
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = NEW.product_id);
    INSERT INTO clerk_shelf (product_key, product_id, category, group_id)
    SELECT k.product_key, k.product_id, NEW.category, nullif(NEW.group_id, '') FROM product_keys AS k
    WHERE k.product_id = NEW.product_id AND NEW.hidden = 0 AND NEW.in_stock > 0;
END;

-- A checkout that takes one of many units changes nothing here and pays for a comparison only.
DROP TRIGGER clerk_shelf_update;
CREATE TRIGGER clerk_shelf_update AFTER UPDATE OF product_id, category, group_id, in_stock, hidden ON products
WHEN (OLD.hidden = 0 AND OLD.in_stock > 0) <> (NEW.hidden = 0 AND NEW.in_stock > 0)
  OR OLD.category IS NOT NEW.category OR OLD.group_id IS NOT NEW.group_id OR OLD.product_id <> NEW.product_id
BEGIN
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = OLD.product_id);
    DELETE FROM clerk_shelf WHERE product_key = (SELECT k.product_key FROM product_keys AS k WHERE k.product_id = NEW.product_id);
    INSERT INTO clerk_shelf (product_key, product_id, category, group_id)
    SELECT k.product_key, k.product_id, NEW.category, nullif(NEW.group_id, '') FROM product_keys AS k
    WHERE k.product_id = NEW.product_id AND NEW.hidden = 0 AND NEW.in_stock > 0;
END;

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
  AND (c.group_id IS NULL OR m.model = 'rule'
       OR NOT EXISTS (SELECT 1 FROM events AS e
                      CROSS JOIN products AS t ON t.product_id = e.product_id AND t.group_id = c.group_id
                      WHERE e.user_id = u.user_id AND e.at >= v.as_of AND e.kind IN ('purchase', 'dismiss')
                        AND (e.kind = 'dismiss' OR v.exclude_bought = 1)));
