//! publish: the models fitted again on everything, lists written in the order of their keys.
//!
//! Rows are computed before the write transaction begins, in parallel, some thousand lists at once: a checkout
//! never waits for arithmetic, and memory stays flat in the number of customers.

use anyhow::{Context, Result};
use rayon::prelude::*;

use super::{Judged, Prepared, Recommendations, SETTINGS, SETTINGS_FORMAT};
use crate::fit::Control;
use crate::pipeline::{Family, Night};
use crate::recommend::choose;
use crate::recommend::cuts::Cut;
use crate::recommend::fitted::Models;
use crate::recommend::history::Histories;
use crate::recommend::lists::{From as Origin, Row, Shop as Lists};
use crate::recommend::models::Scorer;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::pairs::{self, PairOptions, Partner};
use crate::recommend::purpose::Parts;
use crate::recommend::similar::similar;
use crate::store::results::{
    BoughtTogether, PopularProduct, Recommendation, SimilarProduct, VisitorRecommendation,
};
use crate::store::{GenerationWriter, Keys};

/// Rows of a product page's list.
const PAGE_ROWS: usize = 30;
/// Lists computed before they are written: a bound on memory.
const LISTS_AT_ONCE: usize = 2000;

/// Fits the winner on everything and writes all result tables of the family.
pub(super) fn write(
    family: &Recommendations,
    prepared: &Prepared,
    judged: &Judged,
    writer: &mut GenerationWriter<'_>,
    night: &Night<'_>,
) -> Result<()> {
    let Judged {
        vectors,
        words,
        strengths,
        verdict,
    } = judged;
    let log = &prepared.log;
    let ground = family.ground(log, vectors, words, night);
    let everything = Cut::none(log, strengths);
    night.control.progress("fitting on everything", 0, 1);
    let models = Models::fit(
        log,
        &everything,
        ground.purpose,
        &verdict.settings,
        ground.limits,
        &night.control,
    )?;
    let histories = &everything.train;
    let parts = Parts::fit(histories, family.purpose());
    night.control.check()?;
    let model = choose::refitted(verdict, &ground, &models, histories);
    let ids: Vec<&str> = prepared.products.iter().map(|p| p.product_id.as_str()).collect();
    let mut users = vec![""];
    users.extend(
        prepared
            .active()
            .into_iter()
            .map(|user| prepared.users[user].as_str()),
    );
    // With last night's numbers it is still the blend.
    let winner = if verdict.winner == choose::PUBLISHED {
        choose::BLEND
    } else {
        verdict.winner
    };
    let models = [
        winner,
        choose::POPULARITY,
        choose::ITEM_COSINE,
        choose::CONTENT_COSINE,
        "rule",
    ];
    let pen = Pen {
        prepared,
        words,
        histories,
        parts: &parts,
        lists: lists(family, prepared, &parts),
        product_keys: night.shop.keys(Keys::Product, &ids)?,
        model_keys: night.shop.keys(Keys::Model, &models)?,
        user_keys: night.shop.keys(Keys::User, &users)?,
        control: &night.control,
    };
    pen.customers(model.as_deref(), writer)?;
    pen.shelves(writer)?;
    pen.pages(writer)?;
    pen.partners(writer)?;
    let numbers = postcard::to_stdvec(&verdict.settings).context("the tuned numbers of the blend")?;
    writer.artefact(SETTINGS, SETTINGS_FORMAT, &numbers)?;
    Ok(())
}

/// The list writer of this shop, over a popularity.
fn lists(family: &Recommendations, prepared: &Prepared, parts: &Parts) -> Lists {
    Lists {
        shown: prepared.products.iter().map(|product| product.sellable).collect(),
        groups: prepared.groups.clone(),
        popularity: parts.recent.clone(),
        rows: family.options.per_user,
        allow_bought: !family.exclude_bought(),
        purchases: prepared.log.has_purchases(),
    }
}

/// Turns indices into keys and lists into rows.
struct Pen<'a> {
    prepared: &'a Prepared,
    words: &'a Neighbours,
    histories: &'a Histories,
    parts: &'a Parts,
    lists: Lists,
    product_keys: Vec<i64>,
    /// Of the winner, popularity, item cosine, content cosine, 'rule'.
    model_keys: Vec<i64>,
    /// Of [`active`](Prepared::active), in order; the first is ''s.
    user_keys: Vec<i64>,
    control: &'a Control,
}

impl Pen<'_> {
    fn key(&self, product: u32) -> i64 {
        self.product_keys[product as usize]
    }

    /// The model's key of a row; `first` is the list's own model, the one after it the fallback.
    fn model(&self, row: &Row, first: usize) -> i64 {
        match row.from {
            Origin::Model => self.model_keys[first],
            Origin::Fallback => self.model_keys[first + 1],
            Origin::Rule => self.model_keys[4],
        }
    }

    /// recommendations: everybody who has a usable event, and '', the visitor nobody knows.
    fn customers(&self, model: Option<&dyn Scorer>, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let active = self.prepared.active();
        let whose = std::iter::once(None).chain(active.into_iter().map(Some));
        let mut order: Vec<(i64, Option<usize>)> = self.user_keys.iter().copied().zip(whose).collect();
        order.sort_unstable();
        for (number, chunk) in order.chunks(LISTS_AT_ONCE).enumerate() {
            self.control.check()?;
            let done = (number * LISTS_AT_ONCE) as u64;
            self.control
                .progress("lists of customers", done, order.len() as u64);
            let rows: Vec<Vec<Recommendation>> = chunk
                .par_iter()
                .map(|&(user_key, user)| {
                    let history = user.map_or(&[][..], |user| self.histories.of(user));
                    let user = user.map(|user| user as u32);
                    let wishes = self.prepared.rules.wishes("recommendations", user, None);
                    let list = self.lists.personal(model, history, &wishes);
                    let row = |(row, rank): (&Row, i64)| Recommendation {
                        user_key,
                        rank,
                        product_key: self.key(row.product),
                        score: f64::from(row.score),
                        model_key: self.model(row, 0),
                        because_key: row.because.map(|product| self.key(product)),
                    };
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            writer.write(rows.into_iter().flatten())?;
        }
        Ok(())
    }

    /// popular_products: the whole shop and each category; visitor_recommendations for any country and language.
    fn shelves(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let everything: Vec<u32> = (0..self.prepared.products.len() as u32).collect();
        let wishes = self.prepared.rules.wishes("visitor_recommendations", None, None);
        let list = self.lists.popular_of(&everything, &wishes);
        writer.write(list.iter().zip(1..).map(|(row, rank)| VisitorRecommendation {
            country: String::new(),
            language: String::new(),
            rank,
            product_key: self.key(row.product),
            score: f64::from(row.score),
        }))?;
        let wishes = self.prepared.rules.wishes("popular_products", None, None);
        let mut shelves = vec![("", &everything)];
        shelves.extend(
            self.prepared
                .categories
                .iter()
                .map(|(category, products)| (category.as_str(), products)),
        );
        self.control.check()?;
        let rows: Vec<Vec<PopularProduct>> = shelves
            .par_iter()
            .map(|&(category, products)| {
                let row = |(row, rank): (&Row, i64)| PopularProduct {
                    category: category.to_owned(),
                    rank,
                    product_key: self.key(row.product),
                    score: f64::from(row.score),
                };
                self.lists
                    .popular_of(products, &wishes)
                    .iter()
                    .zip(1..)
                    .map(row)
                    .collect()
            })
            .collect();
        Ok(writer.write(rows.into_iter().flatten())?)
    }

    /// All products in the order of their keys, so that pages of the file fill one after the other.
    fn by_key(&self) -> Vec<u32> {
        let mut products: Vec<u32> = (0..self.prepared.products.len() as u32).collect();
        products.sort_unstable_by_key(|&product| self.key(product));
        products
    }

    /// similar_products: every product, those that cannot be bought now included, for their pages still stand.
    fn pages(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        for chunk in self.by_key().chunks(LISTS_AT_ONCE) {
            self.control.check()?;
            let rows: Vec<Vec<SimilarProduct>> = chunk
                .par_iter()
                .map(|&page| {
                    let wishes = self.prepared.rules.wishes("similar_products", None, Some(page));
                    let words = self.words;
                    let list = similar(page as usize, self.parts, words, &self.lists, &wishes, PAGE_ROWS);
                    let row = |(row, rank): (&Row, i64)| SimilarProduct {
                        product_key: self.key(page),
                        rank,
                        other_key: self.key(row.product),
                        score: f64::from(row.score),
                        model_key: self.model(row, 2),
                    };
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            writer.write(rows.into_iter().flatten())?;
        }
        Ok(())
    }

    /// bought_together: pairs of baskets that are no accident.
    fn partners(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        self.control.check()?;
        let options = PairOptions {
            keep: PAGE_ROWS,
            ..PairOptions::default()
        };
        let baskets = pairs::baskets(&self.prepared.log, &options);
        let partners = pairs::bought_together(&baskets, self.prepared.products.len(), &options);
        let mut rows = Vec::new();
        for page in self.by_key() {
            let blocks = self
                .prepared
                .rules
                .wishes("bought_together", None, Some(page))
                .blocks;
            let shown = |partner: &&Partner| {
                self.lists.shown[partner.other as usize] && !blocks.contains(&partner.other)
            };
            let kept = partners[page as usize].iter().filter(shown).zip(1..);
            rows.extend(kept.map(|(partner, rank)| BoughtTogether {
                product_key: self.key(page),
                rank,
                other_key: self.key(partner.other),
                baskets: i64::from(partner.baskets),
                lift: partner.lift,
            }));
        }
        Ok(writer.write(rows)?)
    }
}
