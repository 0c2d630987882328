//! publish: the models fitted again on everything, lists written in the order of their keys.

use anyhow::Context;
use rayon::prelude::*;

use super::collect::Prepared;
use super::{Learned, Options, SETTINGS, SETTINGS_FORMAT};
use crate::fit::Control;
use crate::recommend::choose::{self, Verdict};
use crate::recommend::history::Histories;
use crate::recommend::lists::{From as Origin, Row};
use crate::recommend::pairs::{self, PairOptions};
use crate::recommend::purpose::Parts;
use crate::recommend::similar::similar;
use crate::store::results::{
    BoughtTogether, PopularProduct, Recommendation, SimilarProduct, VisitorRecommendation,
};
use crate::store::{GenerationWriter, Keys, Shop};

/// Rows of a product page's list.
const PAGE_ROWS: usize = 30;
/// Lists computed before they are written: a bound on memory.
const LISTS_AT_ONCE: usize = 2000;

/// Fits the winner on everything and writes all result tables of the family.
pub(super) fn write(
    prepared: &Prepared,
    learned: &Learned,
    verdict: &Verdict,
    options: &Options,
    shop: &Shop,
    writer: &mut GenerationWriter<'_>,
    control: &Control,
) -> anyhow::Result<()> {
    let Prepared {
        log,
        users,
        products,
        rules,
        ..
    } = prepared;
    let whole = Histories::build(log, &learned.strengths, |_| true);
    let parts = Parts::fit(&whole, options.purpose);
    control.check()?;
    let model = choose::refitted(verdict, &parts, &learned.vectors, &learned.words);
    let lists = prepared.lists(&parts, options);
    let ids: Vec<&str> = products
        .iter()
        .map(|product| product.product_id.as_str())
        .collect();
    let product_keys = shop.keys(Keys::Product, &ids)?;
    let key = |product: u32| product_keys[product as usize];
    let names = [
        verdict.winner,
        choose::POPULARITY,
        "rule",
        choose::ITEM_COSINE,
        choose::CONTENT_COSINE,
    ];
    let model_keys = shop.keys(Keys::Model, &names)?;
    let place = |origin: Origin, first: usize| match origin {
        Origin::Model => model_keys[first],
        Origin::Fallback => model_keys[first + 1],
        Origin::Rule => model_keys[2],
    };

    // '' is the visitor nobody knows: the least of all texts, and so the first of all users.
    let active = prepared.active();
    let mut named = vec![""];
    named.extend(active.iter().map(|&user| users[user].as_str()));
    let user_keys = shop.keys(Keys::User, &named)?;
    let row = |user_key: i64, rank: usize, row: &Row| Recommendation {
        user_key,
        rank: rank as i64 + 1,
        product_key: key(row.product),
        score: f64::from(row.score),
        model_key: place(row.from, 0),
        because_key: row.because.map(key),
    };
    // Written in the order of the keys, so that pages fill one after the other.
    let mut order: Vec<(i64, Option<usize>)> = vec![(user_keys[0], None)];
    order.extend(
        user_keys[1..]
            .iter()
            .copied()
            .zip(active.iter().copied().map(Some)),
    );
    order.sort_unstable();
    for chunk in order.chunks(LISTS_AT_ONCE) {
        control.check()?;
        let written: Vec<Vec<Recommendation>> = chunk
            .par_iter()
            .map(|&(user_key, user)| {
                let history = user.map_or(&[][..], |user| whole.of(user));
                let wishes = rules.wishes("recommendations", user.map(|user| user as u32), None);
                let list = lists.personal(model.as_deref(), history, &wishes);
                list.iter()
                    .enumerate()
                    .map(|(rank, item)| row(user_key, rank, item))
                    .collect()
            })
            .collect();
        writer.write(written.into_iter().flatten())?;
    }

    let everything: Vec<u32> = (0..products.len() as u32).collect();
    let visitors = lists.popular_of(&everything, &rules.wishes("visitor_recommendations", None, None));
    writer.write(visitors.iter().zip(1..).map(|(row, rank)| VisitorRecommendation {
        country: String::new(),
        language: String::new(),
        rank,
        product_key: key(row.product),
        score: f64::from(row.score),
    }))?;
    let wishes = rules.wishes("popular_products", None, None);
    let shelves =
        std::iter::once(("", &everything)).chain(prepared.categories.iter().map(|(c, p)| (c.as_str(), p)));
    writer.write(shelves.flat_map(|(category, candidates)| {
        let list = lists.popular_of(candidates, &wishes);
        let row = move |(row, rank): (&Row, i64)| PopularProduct {
            category: category.to_owned(),
            rank,
            product_key: key(row.product),
            score: f64::from(row.score),
        };
        list.iter().zip(1..).map(row).collect::<Vec<_>>()
    }))?;

    // Pages, in the order of their products' keys.
    let mut pages = everything.clone();
    pages.sort_unstable_by_key(|&page| key(page));
    for chunk in pages.chunks(LISTS_AT_ONCE) {
        control.check()?;
        let written: Vec<Vec<SimilarProduct>> = chunk
            .par_iter()
            .map(|&page| {
                let wishes = rules.wishes("similar_products", None, Some(page));
                let list = similar(page as usize, &parts, &learned.words, &lists, &wishes, PAGE_ROWS);
                let row = |(item, rank): (&Row, i64)| SimilarProduct {
                    product_key: key(page),
                    rank,
                    other_key: key(item.product),
                    score: f64::from(item.score),
                    model_key: place(item.from, 3),
                };
                list.iter().zip(1..).map(row).collect()
            })
            .collect();
        writer.write(written.into_iter().flatten())?;
    }
    let pair_options = PairOptions {
        keep: PAGE_ROWS,
        ..PairOptions::default()
    };
    let partners = pairs::bought_together(&pairs::baskets(log, &pair_options), products.len(), &pair_options);
    writer.write(pages.iter().flat_map(|&page| {
        let blocks = rules.wishes("bought_together", None, Some(page)).blocks;
        let shown = |other: u32| lists.shown[other as usize] && !blocks.contains(&other);
        let kept = partners[page as usize]
            .iter()
            .filter(|partner| shown(partner.other))
            .zip(1..);
        let row = |(partner, rank): (&pairs::Partner, i64)| BoughtTogether {
            product_key: key(page),
            rank,
            other_key: key(partner.other),
            baskets: i64::from(partner.baskets),
            lift: partner.lift,
        };
        kept.map(row).collect::<Vec<_>>()
    }))?;
    let numbers = postcard::to_stdvec(&verdict.settings).context("the tuned numbers of the mix")?;
    writer.artefact(SETTINGS, SETTINGS_FORMAT, &numbers)?;
    Ok(())
}
