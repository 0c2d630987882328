//! What a shop may want of its lists: enough rows whatever happens by day, one variant of an article, some new products, a
//! list for every country, categories within categories, variety, and goods that come back when they are used up.

use nightclerk::pipeline::{AlreadyBought, Purpose, RecommendationOptions};

use crate::night::{DAY, Night, YEAR, options};

/// Three tastes, and 140 more products that somebody bought once.
fn wide() -> Night {
    let night = Night::new();
    night.three_tastes(60);
    night.base.execute_batch("BEGIN").unwrap();
    for i in 0..140 {
        let id = format!("more{i:03}");
        let sql = "INSERT INTO products (product_id, title, category) VALUES (?1, ?1, 'more')";
        night.base.execute(sql, [&id]).unwrap();
        let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', ?3)";
        night
            .base
            .execute(sql, (format!("c{:03}", i % 60), &id, YEAR + i * DAY / 3))
            .unwrap();
    }
    night.base.execute_batch("COMMIT").unwrap();
    night
}

#[test]
fn a_day_of_sold_out_products_leaves_no_short_list() {
    let night = wide();
    night.run(RecommendationOptions::default());
    let rows = |user: &str| {
        night.number(&format!(
            "SELECT count(*) FROM recommendations WHERE user_id = '{user}'"
        ))
    };
    assert_eq!((rows(""), rows("c000")), (125.0, 125.0));
    // Twenty of the first hundred take from the reserve: the promise of a hundred holds.
    let sell_out = |to: i64| {
        let sql =
            "UPDATE products SET in_stock = 0 WHERE product_id IN (SELECT product_id FROM recommendations
                   WHERE user_id = 'c000' AND rank <= ?1)";
        night.base.execute(sql, [to]).unwrap();
    };
    sell_out(20);
    assert_eq!(rows("c000"), 105.0);
    sell_out(60);
    assert_eq!(rows("c000"), 65.0);
    let first = "SELECT count(*) FROM (SELECT rank FROM recommendations WHERE user_id = 'c000' ORDER BY rank LIMIT 10)";
    assert_eq!(night.number(first), 10.0);
    // And after the next night all is as promised again: 140 products can be shown, what c000 bought cannot.
    night.run(RecommendationOptions::default());
    assert!(rows("c000") >= 100.0, "{}", rows("c000"));
    assert_eq!(rows(""), 125.0);
}

#[test]
fn a_list_holds_one_variant_the_most_bought_that_can_be_sold() {
    let night = Night::new();
    night.three_tastes(60);
    // Each shelf's products 0 to 3 are one article; of tea the most bought, 00, is sold out, of paper it is hidden.
    night
        .base
        .execute_batch(
            "UPDATE products SET group_id = category WHERE CAST(substr(product_id, -2) AS INTEGER) <= 3;
             UPDATE products SET in_stock = 0 WHERE product_id = 'tea00';
             UPDATE products SET hidden = 1 WHERE product_id = 'paper00';
             INSERT INTO users (user_id, country) SELECT DISTINCT user_id, 'DE' FROM events;",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    for (list, column, of) in [
        ("recommendations", "product_id", "user_id"),
        ("visitor_recommendations", "product_id", "country"),
        ("similar_products", "similar_product_id", "l.product_id"),
        ("bought_together", "other_product_id", "l.product_id"),
        ("popular_products", "product_id", "l.category"),
    ] {
        let twins = format!(
            "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM {list} AS l JOIN products AS p ON p.product_id = l.{column}
             WHERE p.group_id IS NOT NULL GROUP BY {of}, p.group_id)"
        );
        assert!(night.number(&twins) <= 1.0, "{list}");
        // A product's own variants are not on its page.
        if of == "l.product_id" {
            let own = format!(
                "SELECT count(*) FROM {list} AS l JOIN products AS p ON p.product_id = l.product_id
                 JOIN products AS q ON q.product_id = l.{column} WHERE p.group_id = q.group_id"
            );
            assert_eq!(night.number(&own), 0.0, "{list}");
        }
    }
    let most_bought = |shelf: &str| {
        night
            .texts(&format!(
                "SELECT e.product_id FROM events AS e JOIN products AS p USING (product_id) WHERE p.group_id = '{shelf}'
                 AND p.hidden = 0 AND p.in_stock > 0 GROUP BY 1 ORDER BY count(DISTINCT e.user_id) DESC, 1 LIMIT 1"
            ))
            .remove(0)
    };
    for shelf in ["tea", "garden", "paper"] {
        let shown = format!(
            "SELECT product_id FROM popular_products JOIN products AS p USING (product_id)
             WHERE popular_products.category = '' AND p.group_id = '{shelf}'"
        );
        assert_eq!(night.texts(&shown), [most_bought(shelf)]);
    }
    // Who bought one variant is not shown another.
    let again = "SELECT count(*) FROM recommendations AS r JOIN products AS p USING (product_id) JOIN events AS e ON e.user_id = r.user_id
                 AND e.kind = 'purchase' JOIN products AS q ON q.product_id = e.product_id WHERE p.group_id = q.group_id";
    assert_eq!(night.number(again), 0.0);
}

#[test]
fn a_new_product_is_found_from_its_first_night() {
    let night = wide();
    let sql = "INSERT INTO products (product_id, title, category, created_at) VALUES (?1, ?2, ?3, ?4)";
    for (id, title, category, day) in [
        ("novelty", "tea thing fresh", "tea", 50),
        ("relic", "tea thing stale", "tea", -100),
    ] {
        night
            .base
            .execute(sql, (id, title, category, YEAR + day * DAY))
            .unwrap();
    }
    // The others are as old as they look, so that only one product is new.
    night
        .base
        .execute(
            "UPDATE products SET created_at = ?1 WHERE product_id <> 'novelty'",
            [YEAR - 100 * DAY],
        )
        .unwrap();
    night.run(RecommendationOptions::default());
    // By its words it has a page, and stands on others'.
    assert!(
        night.number(
            "SELECT count(*) FROM similar_products WHERE product_id = 'novelty' AND model = 'content_cosine'"
        ) > 5.0
    );
    assert!(night.number("SELECT count(*) FROM similar_products WHERE similar_product_id = 'novelty'") > 5.0);
    // Whoever has no reason to be shown it finds it on place 11; whoever likes tea finds it with that reason.
    let at =
        "SELECT DISTINCT rank FROM recommendations WHERE product_id = 'novelty' AND model = 'new_products'";
    assert_eq!(night.number(at), 11.0);
    let everybody = night.number("SELECT count(*) FROM recommendations WHERE product_id = 'novelty'");
    assert_eq!(everybody, 61.0);
    let because = night.texts(
        "SELECT coalesce(because_product_id, '') FROM recommendations WHERE product_id = 'novelty' AND user_id IN ('c000', 'c003')",
    );
    assert!(
        because.len() == 2 && because.iter().all(|product| product.starts_with("tea")),
        "{because:?}"
    );
    assert_eq!(
        night.number(
            "SELECT count(*) FROM recommendations WHERE product_id = 'relic' AND model = 'new_products'"
        ),
        0.0
    );
    night.run(RecommendationOptions {
        new_products: 0.0,
        ..RecommendationOptions::default()
    });
    assert_eq!(
        night.number("SELECT count(*) FROM recommendations WHERE model = 'new_products'"),
        0.0
    );
}

#[test]
fn every_country_with_customers_has_a_list_of_its_own() {
    let night = Night::new();
    night.three_tastes(3);
    // Every day eight customers begin, with three products of their shelf. Tea drinkers come from GB, two of them from MT.
    let mut random = fastrand::Rng::with_seed(4);
    night.base.execute_batch("BEGIN").unwrap();
    for customer in 0..480u32 {
        let shelf = ["tea", "garden", "paper"][customer as usize % 3];
        for _ in 0..3 {
            let product = format!("{shelf}{:02}", random.u32(0..20).min(random.u32(0..20)));
            let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', ?3)";
            let at = YEAR + i64::from(customer) * DAY / 8;
            night
                .base
                .execute(sql, (format!("n{customer:03}"), product, at))
                .unwrap();
        }
    }
    night
        .base
        .execute_batch(
            "INSERT INTO users (user_id, country, language)
             SELECT DISTINCT user_id, CASE CAST(substr(user_id, 2) AS INTEGER) % 3 WHEN 0 THEN 'GB' WHEN 1 THEN 'DE' ELSE 'CH' END,
             CASE CAST(substr(user_id, 2) AS INTEGER) % 3 WHEN 0 THEN 'en-GB' ELSE 'de' END FROM events;
             UPDATE users SET country = 'MT' WHERE user_id IN ('n000', 'n003');
             COMMIT;",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    assert_eq!(
        night.texts("SELECT DISTINCT country || '/' || language FROM visitor_recommendations ORDER BY 1"),
        ["/", "/de", "/en", "CH/", "CH/de", "DE/", "DE/de", "GB/", "GB/en"]
    );
    let tea = |country: &str| {
        night.number(&format!(
            "SELECT avg(product_id LIKE 'tea%') FROM visitor_recommendations WHERE country = '{country}' AND language = '' AND rank <= 10"
        ))
    };
    assert!(tea("GB") > 0.8 && tea("DE") < 0.2, "{} {}", tea("GB"), tea("DE"));
    // The figures stand beside the naive answer's, and what is written is said.
    let models = night.texts(
        "SELECT DISTINCT model FROM scores WHERE result = 'visitor_recommendations' AND metric = 'ndcg@10'",
    );
    assert!(
        models.contains(&"popularity_30d".to_owned()) && models.contains(&"popularity_blend".to_owned()),
        "{models:?}"
    );
    assert_eq!(
        night.number(
            "SELECT count(DISTINCT model) FROM scores WHERE result = 'visitor_recommendations' AND chosen = 1"
        ),
        1.0
    );
    // A customer of whom nothing usable is known sees what their country sees.
    night
        .base
        .execute_batch(
            "INSERT INTO users (user_id, country, language) VALUES ('shy', 'GB', 'en');
             INSERT INTO events (user_id, product_id, kind, at) VALUES ('shy', 'garden19', 'dismiss', 1767300000);",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    let lists = |sql: &str| {
        night.texts(&format!(
            "SELECT product_id FROM {sql} AND rank <= 10 ORDER BY rank"
        ))
    };
    assert_eq!(
        lists("recommendations WHERE user_id = 'shy'"),
        lists("visitor_recommendations WHERE country = 'GB' AND language = 'en'")
    );
}

#[test]
fn a_category_holds_what_is_below_it() {
    let night = Night::new();
    night.three_tastes(30);
    night
        .base
        .execute_batch(
            "UPDATE products SET category = 'home > ' || category WHERE category <> 'tea';
             UPDATE products SET category = 'home > paper > fine' WHERE product_id BETWEEN 'paper11' AND 'paper19';
             UPDATE products SET category = 'home>paper' WHERE product_id = 'paper00';",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    assert_eq!(
        night.texts("SELECT DISTINCT category FROM popular_products ORDER BY 1"),
        [
            "",
            "home",
            "home > garden",
            "home > paper",
            "home > paper > fine",
            "home>paper",
            "tea"
        ]
    );
    let rows = |category: &str| {
        night.number(&format!(
            "SELECT count(*) FROM popular_products WHERE category = '{category}'"
        ))
    };
    assert_eq!(
        (
            rows("home > paper"),
            rows("home > paper > fine"),
            rows("home>paper")
        ),
        (19.0, 9.0, 1.0)
    );
    assert_eq!(rows("home"), 20.0, "39 products, 20 rows");
}

#[test]
fn caps_and_diversity_mix_a_list_and_shorten_none() {
    let night = wide();
    let of = |options: RecommendationOptions| {
        night.run(options);
        let most = night.number(
            "SELECT max(n) FROM (SELECT count(*) AS n FROM recommendations JOIN products USING (product_id)
             WHERE rank <= 10 AND user_id <> '' GROUP BY user_id, category)",
        );
        let shortest =
            night.number("SELECT min(n) FROM (SELECT count(*) AS n FROM recommendations GROUP BY user_id)");
        (most, shortest)
    };
    let plain = RecommendationOptions {
        per_user: 40,
        new_products: 0.0,
        ..RecommendationOptions::default()
    };
    let (most, shortest) = of(plain.clone());
    assert!(most > 6.0 && shortest == 50.0, "{most} {shortest}");
    let capped = RecommendationOptions {
        category_cap: 3,
        ..plain.clone()
    };
    assert_eq!(of(capped), (3.0, 50.0));
    let before = night.answers();
    let diverse = RecommendationOptions {
        diversity: 0.7,
        ..plain
    };
    let (mixed, shortest) = of(diverse);
    assert!(mixed < most && shortest == 50.0, "{mixed} {most}");
    assert_ne!(before, night.answers());
}

#[test]
fn what_is_used_up_comes_back_when_it_is_due() {
    let night = Night::new();
    night.three_tastes(60);
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c000', ?1, 'purchase', ?2)";
    for (product, day) in [("paper19", 5), ("garden19", 55)] {
        night.base.execute(sql, (product, YEAR + day * DAY)).unwrap();
    }
    // As of day 60: what was bought on day 5 has rested for 30 days, what was bought on day 55 has not.
    night
        .base
        .execute(
            "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c059', 'tea00', 'view', ?1)",
            [YEAR + 60 * DAY],
        )
        .unwrap();
    let listed = |product: &str| {
        night.number(&format!(
            "SELECT count(*) FROM recommendations WHERE user_id = 'c000' AND product_id = '{product}'"
        ))
    };
    let wanted = |already_bought| RecommendationOptions {
        already_bought,
        rest_days: 30,
        ..RecommendationOptions::default()
    };
    night.run(wanted(AlreadyBought::BuyAgain));
    assert_eq!((listed("paper19"), listed("garden19")), (1.0, 0.0));
    // Bought by day, it rests again at once.
    night.base.execute(sql, ("paper19", YEAR + 61 * DAY)).unwrap();
    assert_eq!(listed("paper19"), 0.0);
    night.run(wanted(AlreadyBought::BuyAgain));
    assert_eq!(listed("paper19"), 0.0);
    night.run(wanted(AlreadyBought::Allow));
    assert_eq!((listed("paper19"), listed("garden19")), (1.0, 1.0));
    night.run(wanted(AlreadyBought::Exclude));
    assert_eq!((listed("paper19"), listed("garden19")), (0.0, 0.0));
}

#[test]
fn what_was_bought_or_dismissed_since_leaves_the_list_to_buy_again() {
    let night = Night::new();
    night.three_tastes(12);
    night.run(options(Purpose::NextWeeks));
    night
        .base
        .execute_batch(
            "DELETE FROM clerk_buy_again;
             INSERT INTO clerk_buy_again (generation, user_key, rank, product_key, score, due_day)
             SELECT (SELECT generation FROM clerk_published), (SELECT user_key FROM user_keys WHERE user_id = 'c000'), product_key,
             product_key, 1, 20600 FROM product_keys WHERE product_id BETWEEN 'tea00' AND 'tea04'",
        )
        .unwrap();
    let list = || {
        night.texts("SELECT product_id || ' ' || due_day FROM buy_again WHERE user_id = 'c000' ORDER BY rank")
    };
    assert_eq!(list().len(), 5);
    for (product, kind, user) in [
        ("tea00", "purchase", "c000"),
        ("tea01", "dismiss", "c000"),
        ("tea02", "view", "c000"),
        ("tea03", "purchase", "c001"),
    ] {
        let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES (?1, ?2, ?3, 1800000000)";
        night.base.execute(sql, (user, product, kind)).unwrap();
    }
    assert_eq!(
        list(),
        ["tea02 2026-05-27", "tea03 2026-05-27", "tea04 2026-05-27"]
    );
}
