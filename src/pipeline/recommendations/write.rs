//! publish: the models fitted again on everything, lists written in the order of their keys.
//!
//! Rows are computed before the write transaction begins, in parallel, some thousand lists at once: a checkout
//! never waits for arithmetic, and memory stays flat in the number of customers.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use rayon::prelude::*;

use super::{Judged, Prepared, Recommendations, kept};
use crate::fit::Control;
use crate::pipeline::{AlreadyBought, Night};
use crate::recommend::choose;
use crate::recommend::cuts::Cut;
use crate::recommend::demand::{DAY, Demand, MONTH};
use crate::recommend::diversity::Diversity;
use crate::recommend::due::Due;
use crate::recommend::fitted::Models;
use crate::recommend::fresh::{Fresh, KNOWN_FROM, NEW_DAYS};
use crate::recommend::history::Histories;
use crate::recommend::lists::{Base, Bought, From as Origin, Person, Row, Shop as Lists};
use crate::recommend::log::Kind;
use crate::recommend::neighbours::Neighbours;
use crate::recommend::picker::Cap;
use crate::recommend::rules::VISITOR;
use crate::recommend::variants::Variants;
use crate::store::results::{PopularProduct, Recommendation, VisitorRecommendation};
use crate::store::{GenerationWriter, Keys};

/// Lists computed before they are written: a bound on memory.
pub(super) const LISTS_AT_ONCE: usize = 2000;

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
        ..
    } = judged;
    let log = &prepared.log;
    let ground = family.ground(log, vectors, words, night);
    let everything = Cut::none(log, strengths);
    night.control.progress("fitting on everything", 0, 1);
    let mut models = Models::fit(
        log,
        &everything,
        ground.purpose,
        &verdict.settings,
        ground.limits,
        &night.control,
    )?;
    let histories = &everything.train;
    if let Some(before) = &judged.network {
        models.network = Some(before.tonight(family, histories, night)?);
        before.keep(prepared, writer)?;
    }
    let (behaviour, demand) = (Arc::clone(&models.behaviour), Arc::clone(&models.demand));
    let recent = demand.popularity(MONTH);
    night.control.check()?;
    let model = choose::refitted(verdict, &ground, &models, histories);
    let base = match &model {
        Some(model) => Base::Model(model.as_ref()),
        None => Base::Everybody(&recent),
    };
    let ids: Vec<&str> = prepared.products.iter().map(|p| p.product_id.as_str()).collect();
    let mut users = vec![""];
    users.extend(
        prepared
            .active()
            .into_iter()
            .map(|user| prepared.users[user].as_str()),
    );
    let strangers = judged.visitors.ranked_by();
    let names = [
        verdict.model,
        &strangers,
        choose::ITEM_COSINE,
        choose::CONTENT_COSINE,
        "new_products",
        "rule",
    ];
    let due = match family.options.already_bought {
        AlreadyBought::BuyAgain => {
            let dues = judged.again.dues(night.as_of);
            let due_at = |user, product| dues.of(user, product);
            Due::by(night.as_of, &prepared.log, family.options.rest_days, due_at)
        }
        AlreadyBought::Exclude | AlreadyBought::Allow => Due::default(),
    };
    let fresh = fresh(family, prepared, judged, &models, histories, night)?;
    let pen = Pen {
        prepared,
        judged,
        histories,
        behaviour: &behaviour,
        lists: lists(family, prepared, judged, &behaviour, &demand, fresh),
        due,
        product_keys: night.shop.keys(Keys::Product, &ids)?,
        model_keys: night.shop.keys(Keys::Model, &names)?,
        user_keys: night.shop.keys(Keys::User, &users)?,
        control: &night.control,
    };
    pen.customers(base, writer)?;
    // No other list asks the dense models, and the tables of the next products need their room.
    drop(model);
    drop(models);
    pen.visitors(writer)?;
    pen.shelves(writer)?;
    pen.pages(writer)?;
    pen.partners(writer)?;
    judged.next.write(&pen, writer)?;
    pen.again(&judged.again, night, writer)?;
    kept::write(&judged.memory, writer)
}

/// The list writer of this shop.
fn lists<'a>(
    family: &Recommendations,
    prepared: &Prepared,
    judged: &'a Judged,
    behaviour: &'a Neighbours,
    demand: &Demand,
    fresh: Option<Fresh<'a>>,
) -> Lists<'a> {
    let options = &family.options;
    Lists {
        shown: prepared.products.iter().map(|product| product.sellable).collect(),
        variants: Variants::new(prepared.groups.clone(), demand.ever()),
        categories: prepared.category_of.clone(),
        rows: options.rows(),
        bought: match options.already_bought {
            AlreadyBought::Exclude => Bought::Gone,
            AlreadyBought::Allow => Bought::Welcome,
            AlreadyBought::BuyAgain => Bought::Due,
        },
        purchases: prepared.log.has_purchases(),
        cap: (options.category_cap > 0).then_some(Cap {
            most: options.category_cap,
            among: options.category_cap_among,
        }),
        diversity: (options.diversity > 0.0).then_some(Diversity {
            weight: options.diversity as f32,
            behaviour,
            words: &judged.words,
        }),
        fresh,
        popular: judged.visitors.popular.clone(),
    }
}

/// The new products and who speaks for them; `None` where there are none or the shop wants none.
fn fresh<'a>(
    family: &Recommendations,
    prepared: &Prepared,
    judged: &'a Judged,
    models: &Models,
    histories: &Histories,
    night: &Night<'_>,
) -> Result<Option<Fresh<'a>>> {
    let share = family.options.new_products;
    let new = new_products(prepared, histories, night.as_of);
    if share <= 0.0 || new.is_empty() {
        return Ok(None);
    }
    let ear = judged.cold.ear(
        &new,
        &judged.vectors,
        &judged.words,
        models,
        histories,
        &judged.verdict.settings,
        &night.control,
    )?;
    Ok(Some(Fresh::new(new, share, ear)))
}

/// The products that may be shown and that nobody knows yet, the newest first. A product is as old as its row or as its first
/// event, whichever came first: a shop that imports its catalogue today gives every row today's date.
fn new_products(prepared: &Prepared, histories: &Histories, as_of: i64) -> Vec<u32> {
    let mut known = vec![0u32; prepared.products.len()];
    for signal in histories.all().iter().filter(|s| s.strength > 0.0) {
        known[signal.product as usize] += 1;
    }
    let events = prepared.log.events();
    let guests: BTreeSet<(u32, u32)> = events[events.partition_point(|e| e.user.is_some())..]
        .iter()
        .filter(|e| e.kind == Kind::Purchase)
        .map(|e| (e.product, e.basket))
        .collect();
    guests
        .iter()
        .for_each(|&(product, _)| known[product as usize] += 1);
    let mut since: Vec<i64> = prepared
        .products
        .iter()
        .map(|product| product.created_at.unwrap_or(i64::MIN))
        .collect();
    for event in events {
        let since = &mut since[event.product as usize];
        *since = event.at.min(*since);
    }
    let mut new: Vec<(i64, u32)> = prepared
        .products
        .iter()
        .zip(0u32..)
        .filter(|(product, index)| product.sellable && known[*index as usize] < KNOWN_FROM)
        .map(|(_, index)| (since[index as usize], index))
        .filter(|&(created, _)| created >= as_of - NEW_DAYS * DAY)
        .collect();
    new.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    new.into_iter().map(|(_, index)| index).collect()
}

/// Turns indices into keys and lists into rows.
pub(super) struct Pen<'a> {
    pub(super) prepared: &'a Prepared,
    pub(super) judged: &'a Judged,
    pub(super) histories: &'a Histories,
    pub(super) behaviour: &'a Neighbours,
    pub(super) lists: Lists<'a>,
    due: Due,
    product_keys: Vec<i64>,
    /// Of the winner, what strangers see, item cosine, content cosine, 'new_products', 'rule'.
    model_keys: Vec<i64>,
    /// Of [`active`](Prepared::active), in order; the first is ''s.
    pub(super) user_keys: Vec<i64>,
    pub(super) control: &'a Control,
}

impl Pen<'_> {
    pub(super) fn key(&self, product: u32) -> i64 {
        self.product_keys[product as usize]
    }

    /// The model's key of a row; `first` is the list's own model, the one after it the fallback.
    pub(super) fn model(&self, row: &Row, first: usize) -> i64 {
        match row.from {
            Origin::Model => self.model_keys[first],
            Origin::Fallback => self.model_keys[first + 1],
            Origin::New => self.model_keys[4],
            Origin::Rule => self.model_keys[5],
        }
    }

    /// recommendations: everybody who has a usable event, and '', the visitor nobody knows.
    fn customers(&self, base: Base<'_>, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let rules = self.prepared.rules.of("recommendations");
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
                    let list = match user {
                        None => self.lists.strange(None, rules.wishes(Some(VISITOR), None)),
                        Some(user) => {
                            let person = Person {
                                history: self.histories.of(user),
                                place: self.prepared.places.of(user),
                                due: self.due.of(user),
                                number: user,
                            };
                            let wishes = rules.wishes(Some(user as u32), None);
                            self.lists.personal(base, &person, wishes)
                        }
                    };
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

    /// visitor_recommendations: anywhere, and every place from which enough customers come.
    fn visitors(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let rules = self.prepared.rules.of("visitor_recommendations");
        let wishes = rules.wishes(None, None);
        let anywhere = (String::new(), String::new());
        let names = &self.prepared.places.names;
        let mut places: Vec<(&(String, String), Option<usize>)> = names
            .iter()
            .zip((0..).map(Some))
            .chain([(&anywhere, None)])
            .collect();
        places.sort();
        for chunk in places.chunks(LISTS_AT_ONCE / 10) {
            self.control.check()?;
            let rows: Vec<Vec<VisitorRecommendation>> = chunk
                .par_iter()
                .map(|&((country, language), place)| {
                    let row = |(row, rank): (&Row, i64)| VisitorRecommendation {
                        country: country.clone(),
                        language: language.clone(),
                        rank,
                        product_key: self.key(row.product),
                        score: f64::from(row.score),
                    };
                    let list = self.lists.strange(place, wishes);
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            writer.write(rows.into_iter().flatten())?;
        }
        Ok(())
    }

    /// popular_products: the whole shop and each category.
    fn shelves(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let everything: Vec<u32> = (0..self.prepared.products.len() as u32).collect();
        let rules = self.prepared.rules.of("popular_products");
        let wishes = rules.wishes(None, None);
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
                let list = self
                    .lists
                    .popular_of(products, &self.judged.visitors.sells, wishes);
                list.iter().zip(1..).map(row).collect()
            })
            .collect();
        Ok(writer.write(rows.into_iter().flatten())?)
    }

    /// All products in the order of their keys, so that pages of the file fill one after the other.
    pub(super) fn by_key(&self) -> Vec<u32> {
        let mut products: Vec<u32> = (0..self.prepared.products.len() as u32).collect();
        products.sort_unstable_by_key(|&product| self.key(product));
        products
    }
}
