//! A shop in a file, and nights over it.

use std::path::Path;
use std::sync::Arc;

use nightclerk::fit::{Control, Progress};
use nightclerk::pipeline::{
    AsOf, Brief, Outcome, Purpose, RecommendationOptions, Recommendations, Stage, Watch, run,
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
pub const YEAR: i64 = 1_767_225_600;
pub const DAY: i64 = 86_400;

/// A shop's file, a clerk's connection and an application's.
pub struct Night {
    pub now: i64,
    pub seed: u64,
    pub as_of: AsOf,
    _folder: Option<tempfile::TempDir>,
    pub shop: Shop,
    pub base: Connection,
}

impl Night {
    pub fn new() -> Night {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("shop.db");
        let shop = Shop::create(Path::new(&path)).unwrap();
        let base = Connection::open(&path).unwrap();
        Night {
            _folder: Some(folder),
            ..Night::over(shop, base)
        }
    }

    /// Over somebody else's file.
    pub fn over(shop: Shop, base: Connection) -> Night {
        Night {
            now: YEAR + 1000 * DAY,
            seed: 1,
            as_of: AsOf::Data,
            _folder: None,
            shop,
            base,
        }
    }

    pub fn run(&self, options: RecommendationOptions) -> Outcome {
        self.run_as(options, false)
    }

    /// Computes and measures, writes nothing.
    pub fn dry_run(&self, options: RecommendationOptions) -> Outcome {
        self.run_as(options, true)
    }

    fn run_as(&self, options: RecommendationOptions, dry_run: bool) -> Outcome {
        let brief = Brief {
            shop: &self.shop,
            run: self.shop.begin_run("recommendations", None, 1).unwrap(),
            now: self.now,
            as_of: self.as_of,
            seed: self.seed,
            control: Control::unbounded(),
            dry_run,
            publish_older: false,
            watch: Arc::new(Nobody),
        };
        run(&Recommendations { options }, brief).unwrap()
    }

    pub fn texts(&self, sql: &str) -> Vec<String> {
        let mut statement = self.base.prepare(sql).unwrap();
        statement
            .query_map([], |row| row.get(0))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }

    pub fn number(&self, sql: &str) -> f64 {
        self.base
            .query_row(sql, [], |row| row.get(0))
            .unwrap_or_else(|e| panic!("{sql}: {e}"))
    }

    /// Everything the result views say, as one text.
    pub fn answers(&self) -> String {
        let views = [
            "user_id, rank, product_id, score, model, because_product_id FROM recommendations",
            "country, language, rank, product_id, score, 1 FROM visitor_recommendations",
            "product_id, rank, similar_product_id, score, model, 1 FROM similar_products",
            "product_id, rank, other_product_id, baskets, lift, 1 FROM bought_together",
            "category, rank, product_id, score, 1, 1 FROM popular_products",
            "product_id, rank, next_product_id, score, 1, 1 FROM next_products",
            "user_id, rank, product_id, score, due_day, 1 FROM buy_again",
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

    /// Every customer once more, under another name: `times` times as many events as before.
    pub fn multiply(&self, times: u32) {
        let sql = "INSERT INTO events (user_id, order_id, product_id, kind, quantity, at)
                   SELECT user_id || ?1, order_id || ?1, product_id, kind, quantity, at + ?2 FROM events
                   WHERE user_id NOT LIKE '%-%' ORDER BY event_id";
        for copy in 1..times {
            self.base.execute(sql, (format!("-{copy}"), copy)).unwrap();
        }
    }

    /// What the customers see, as one text.
    pub fn lists(&self) -> String {
        self.texts(
            "SELECT user_id || ' ' || rank || ' ' || product_id || ' ' || score || ' ' || model FROM recommendations ORDER BY user_id, rank",
        )
        .join("\n")
    }

    /// A shop of three tastes: customer n buys from shelf n % 3, with one stray product, over two months.
    pub fn three_tastes(&self, customers: u32) {
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

pub fn options(purpose: Purpose) -> RecommendationOptions {
    RecommendationOptions {
        per_user: 15,
        purpose,
        ..RecommendationOptions::default()
    }
}
