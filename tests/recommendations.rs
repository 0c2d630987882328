//! The family recommendations from the input tables to the views, as an application sees it: rows go in by plain
//! SQL, the five steps run, rows come out by plain SQL.

#![cfg(feature = "daemon")]

use std::path::Path;
use std::sync::Arc;

use nightclerk::fit::{Control, Progress};
use nightclerk::pipeline::{
    AlreadyBought, AsOf, Brief, Outcome, Purpose, RecommendationOptions, Recommendations, Stage, Watch, run,
};
use nightclerk::store::Shop;
use rusqlite::Connection;

struct Nobody;

impl Progress for Nobody {
    fn step(&self, _: &str, _: u64, _: u64) {}
}

impl Watch for Nobody {
    fn stage(&self, _: Stage) {}
}

/// 1 January 2026.
const YEAR: i64 = 1_767_225_600;
const DAY: i64 = 86_400;

struct Night {
    _folder: tempfile::TempDir,
    shop: Shop,
    base: Connection,
}

impl Night {
    fn new() -> Night {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let shop = Shop::create(Path::new(&path)).unwrap();
        let base = Connection::open(&path).unwrap();
        Night {
            _folder: folder,
            shop,
            base,
        }
    }

    fn run(&self, options: RecommendationOptions) -> Outcome {
        let brief = Brief {
            shop: &self.shop,
            run: self.shop.begin_run("recommendations", None, 1).unwrap(),
            now: YEAR + 1000 * DAY,
            as_of: AsOf::Data,
            seed: 1,
            control: Control::unbounded(),
            dry_run: false,
            publish_older: false,
            watch: Arc::new(Nobody),
        };
        run(&Recommendations { options }, brief).unwrap()
    }

    fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = self.base.prepare(sql).unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    fn number(&self, sql: &str) -> f64 {
        self.base
            .query_row(sql, [], |row| row.get(0))
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// Everything the result views say, as one text.
    fn answers(&self) -> String {
        let views = [
            "user_id, rank, product_id, score, model, because_product_id FROM recommendations",
            "country, language, rank, product_id, score, 1 FROM visitor_recommendations",
            "product_id, rank, similar_product_id, score, model, 1 FROM similar_products",
            "product_id, rank, other_product_id, baskets, lift, 1 FROM bought_together",
            "category, rank, product_id, score, 1, 1 FROM popular_products",
        ];
        let mut all = String::new();
        for view in views {
            let mut statement = self
                .base
                .prepare(&format!("SELECT {view} ORDER BY 1, 2, 3, 4"))
                .unwrap();
            let mut rows = statement.query([]).unwrap();
            while let Some(row) = rows.next().unwrap() {
                for column in 0..6 {
                    all += &format!("{:?}|", row.get_ref(column).unwrap());
                }
                all.push('\n');
            }
        }
        all
    }

    /// A shop of three tastes: customer n buys from shelf n % 3, with one stray product, over two months.
    fn three_tastes(&self, customers: u32) {
        self.base.execute_batch("BEGIN").unwrap();
        let shelves = ["tea", "garden", "paper"];
        for (shelf, name) in shelves.iter().enumerate() {
            for i in 0..20 {
                let sql = "INSERT INTO products (product_id, title, category) VALUES (?1, ?2, ?3)";
                let title = format!("{name} thing number{i} of{shelf}");
                self.base
                    .execute(sql, (format!("{name}{i:02}"), title, name))
                    .unwrap();
            }
        }
        let mut random = fastrand::Rng::with_seed(11);
        for customer in 0..customers {
            let shelf = shelves[customer as usize % 3];
            for order in 0..4 {
                let at = YEAR + random.i64(0..60) * DAY + i64::from(order);
                for line in 0..3 {
                    let shelf = if line == 2 && order == 3 {
                        shelves[random.usize(..3)]
                    } else {
                        shelf
                    };
                    // The first products of a shelf sell best.
                    let product = format!("{shelf}{:02}", random.u32(0..20).min(random.u32(0..20)));
                    let sql = "INSERT INTO events (user_id, order_id, product_id, kind, at) VALUES (?1, ?2, ?3, 'purchase', ?4)";
                    let order = format!("{customer}-{order}");
                    self.base
                        .execute(sql, (format!("c{customer:03}"), order, product, at))
                        .unwrap();
                }
            }
        }
        self.base.execute_batch("COMMIT").unwrap();
    }
}

fn options(purpose: Purpose) -> RecommendationOptions {
    RecommendationOptions {
        per_user: 15,
        purpose,
        ..RecommendationOptions::default()
    }
}

#[test]
fn from_the_till_to_the_shop_window() {
    let night = Night::new();
    night.three_tastes(150);
    for (kind, product, quantity) in [
        ("purchase", "nowhere", 1.0),
        ("guess", "tea00", 1.0),
        ("purchase", "tea00", 0.0),
    ] {
        let sql =
            "INSERT INTO events (user_id, product_id, kind, quantity, at) VALUES ('c000', ?2, ?1, ?3, ?4)";
        night.base.execute(sql, (kind, product, quantity, YEAR)).unwrap();
    }
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('c000', 'tea00', 'view', ?1)";
    night.base.execute(sql, [YEAR + 2000 * DAY]).unwrap();
    // Guests who buy two things together, twelve times; and two others once.
    for order in 0..13 {
        let pair = if order < 12 {
            ["paper19", "garden19"]
        } else {
            ["tea03", "paper07"]
        };
        for product in pair {
            let sql = "INSERT INTO events (order_id, product_id, kind, at) VALUES (?1, ?2, 'purchase', ?3)";
            night
                .base
                .execute(sql, (format!("guest{order}"), product, YEAR + 40 * DAY))
                .unwrap();
        }
    }
    let outcome = night.run(options(Purpose::Basket));
    assert!(outcome.generation.is_some() && outcome.rows > 2000, "{outcome:?}");

    assert_eq!(
        night.texts("SELECT reason || ': ' || rows FROM run_drops ORDER BY reason"),
        [
            "later than the night's instant: 1",
            "product not in products: 1",
            "quantity not above 0: 1",
            "unknown kind: 1"
        ]
    );
    // Everybody has a list, and so has the visitor nobody knows.
    assert_eq!(
        night.number("SELECT count(DISTINCT user_id) FROM recommendations"),
        151.0
    );
    assert_eq!(
        night.number("SELECT count(*) FROM recommendations WHERE user_id = ''"),
        20.0
    );
    assert_eq!(
        night.number("SELECT min(n) FROM (SELECT count(*) AS n FROM recommendations GROUP BY user_id)"),
        20.0
    );
    // Tastes are found: most of the first three products come from the customer's own shelf.
    let own = night.number(
        "SELECT avg(p.category = CASE CAST(substr(r.user_id, 2) AS INTEGER) % 3 WHEN 0 THEN 'tea' WHEN 1 THEN 'garden' \
         ELSE 'paper' END) FROM recommendations AS r JOIN products AS p USING (product_id) WHERE r.rank <= 3 AND r.user_id <> ''",
    );
    assert!(own > 0.9, "{own}");
    // Nothing bought comes back, reasons are products of the customer's own history.
    let bought = "SELECT count(*) FROM recommendations AS r JOIN events AS e ON e.user_id = r.user_id AND e.kind = 'purchase' \
                  AND e.quantity > 0 AND e.product_id = r.";
    assert_eq!(night.number(&format!("{bought}product_id")), 0.0);
    let reasons = night.number("SELECT count(*) FROM recommendations WHERE because_product_id IS NOT NULL");
    assert!(reasons > 1000.0);
    assert!(night.number(&format!("{bought}because_product_id")) >= reasons);
    // Pages and shelves.
    assert_eq!(
        night.number("SELECT count(DISTINCT product_id) FROM similar_products"),
        60.0
    );
    assert_eq!(
        night.texts("SELECT DISTINCT category FROM popular_products ORDER BY 1"),
        ["", "garden", "paper", "tea"]
    );
    assert!(night.number("SELECT min(lift) FROM bought_together") > 1.0);
    for (page, other, rows) in [
        ("paper19", "garden19", 1.0),
        ("garden19", "paper19", 1.0),
        ("tea03", "paper07", 0.0),
    ] {
        let sql = format!(
            "SELECT count(*) FROM bought_together WHERE product_id = '{page}' AND other_product_id = '{other}' AND baskets >= 12"
        );
        assert_eq!(night.number(&sql), rows, "{page} {other}");
    }
    // The winner beats the naive answer, and both stand in the book.
    let best = night.number("SELECT value FROM scores WHERE metric = 'ndcg@10' AND chosen = 1");
    assert!(
        best > night.number("SELECT value FROM scores WHERE metric = 'ndcg@10' AND model = 'popularity_30d'")
    );
    assert_eq!(night.number("SELECT count(DISTINCT model) FROM scores"), 5.0);
}

#[test]
fn the_same_night_twice_and_by_any_number_of_threads() {
    let night = Night::new();
    night.three_tastes(60);
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    // A Shop is no thing to share: each night opens its own in its pool.
    let answers = [1, 2].map(|threads| {
        let again = Night::new();
        again.three_tastes(60);
        std::thread::scope(|scope| {
            let options = options(Purpose::NextWeeks);
            let path = again.shop.path().to_owned();
            scope.spawn(move || {
                pool(threads).install(|| {
                    let shop = Shop::open(&path).unwrap();
                    let base = Connection::open(&path).unwrap();
                    Night {
                        _folder: tempfile::tempdir().unwrap(),
                        shop,
                        base,
                    }
                    .run(options);
                })
            });
        });
        again.answers()
    });
    assert!(answers[0].len() > 1000);
    assert_eq!(answers[0], answers[1]);
}

#[test]
fn the_shop_people_have_the_last_word() {
    let night = Night::new();
    night.three_tastes(60);
    night
        .base
        .execute_batch(
            "UPDATE products SET hidden = 1 WHERE product_id = 'tea00';
             UPDATE products SET in_stock = 0 WHERE product_id = 'garden00';
             UPDATE products SET group_id = 'g' WHERE product_id IN ('paper00', 'paper01', 'paper02');
             INSERT INTO rules (kind, product_id, value) VALUES ('pin', 'paper19', 2);
             INSERT INTO rules (kind, product_id, user_id) VALUES ('block', 'tea01', 'c001');
             INSERT INTO rules (kind, product_id) VALUES ('never_together', 'tea01');
             INSERT INTO events (user_id, product_id, kind, at) VALUES ('c002', 'tea02', 'dismiss', 1772409600);",
        )
        .unwrap();
    night.run(options(Purpose::NextWeeks));
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = '' AND rank = 2"),
        ["paper19"]
    );
    assert_eq!(
        night.texts("SELECT DISTINCT model FROM recommendations WHERE product_id = 'paper19' AND rank = 2"),
        ["rule"]
    );
    for (user, product) in [
        ("c001", "tea01"),
        ("c002", "tea02"),
        ("c000", "tea00"),
        ("c000", "garden00"),
    ] {
        let sql = format!(
            "SELECT count(*) FROM recommendations WHERE user_id = '{user}' AND product_id = '{product}'"
        );
        assert_eq!(night.number(&sql), 0.0, "{user} {product}");
    }
    let twins = "SELECT coalesce(max(n), 0) FROM (SELECT count(*) AS n FROM recommendations JOIN products USING (product_id) \
                 WHERE group_id = 'g' GROUP BY user_id)";
    assert_eq!(night.number(twins), 1.0);
    assert_eq!(
        night.number("SELECT rows FROM run_drops WHERE table_name = 'rules'"),
        1.0
    );
}

#[test]
fn a_young_shop_gets_the_naive_answer_and_an_empty_one_no_error() {
    let night = Night::new();
    let outcome = night.run(options(Purpose::NextWeeks));
    assert!(outcome.why.contains("too little data"), "{}", outcome.why);
    night
        .base
        .execute(
            "INSERT INTO products (product_id, title) VALUES ('a', 'one'), ('b', 'two')",
            (),
        )
        .unwrap();
    let sql = "INSERT INTO events (user_id, product_id, kind, at) VALUES ('u', 'b', 'purchase', ?1)";
    night.base.execute(sql, [YEAR]).unwrap();
    let outcome = night.run(options(Purpose::NextWeeks));
    assert!(outcome.why.contains("too little data"), "{}", outcome.why);
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = '' ORDER BY rank"),
        ["b", "a"]
    );
    assert_eq!(
        night.texts("SELECT product_id || ' ' || model FROM recommendations WHERE user_id = 'u'"),
        ["a popularity_30d"]
    );
    let allow = RecommendationOptions {
        already_bought: AlreadyBought::Allow,
        ..options(Purpose::NextWeeks)
    };
    night.run(allow);
    assert_eq!(
        night.texts("SELECT product_id FROM recommendations WHERE user_id = 'u' ORDER BY rank"),
        ["b", "a"]
    );
}

#[test]
fn last_night_is_a_candidate_tonight() {
    let night = Night::new();
    night.three_tastes(150);
    // Without words only behaviour tells the shelves apart.
    night
        .base
        .execute("UPDATE products SET title = '', category = NULL", ())
        .unwrap();
    night.run(options(Purpose::Basket));
    let sql = "INSERT INTO events (user_id, order_id, product_id, kind, at) VALUES ('c000', 'x', 'tea19', 'purchase', ?1)";
    night.base.execute(sql, [YEAR + 70 * DAY]).unwrap();
    let outcome = night.run(options(Purpose::Basket));
    assert_eq!(outcome.generation, Some(2));
    let models = night.texts("SELECT DISTINCT model FROM recommendations WHERE because_product_id > ''");
    assert!(models == ["mix"] || models == ["item_cosine"], "{models:?}");
    // Last night's numbers stood beside tonight's, unless tonight found the same ones.
    let numbers = night.texts("SELECT DISTINCT model FROM scores WHERE model LIKE 'mix%' ORDER BY 1");
    assert!(
        numbers == ["mix", "mix, last night's numbers"] || numbers == ["mix"],
        "{numbers:?}"
    );
    // What was bought since last night is gone from the list.
    assert_eq!(
        night.number("SELECT count(*) FROM recommendations WHERE user_id = 'c000' AND product_id = 'tea19'"),
        0.0
    );
}
