//! publish, the lists on product pages: what is like a product, what is bought together with it.

use anyhow::Result;
use rayon::prelude::*;

use super::write::{LISTS_AT_ONCE, Pen};
use crate::recommend::lists::{From as Origin, Row};
use crate::recommend::pairs::{self, Baskets, PairOptions, Partner};
use crate::recommend::similar::{Likers, similar};
use crate::store::GenerationWriter;
use crate::store::results::{BoughtTogether, SimilarProduct};

/// Rows of a product page's list.
const PAGE_ROWS: usize = 30;
/// Partners of a product that rules choose from.
const PARTNERS: usize = 60;

impl Pen<'_> {
    /// similar_products: every product, those that cannot be bought now included, for their pages still stand.
    pub(super) fn pages(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        let rules = self.prepared.rules.of("similar_products");
        let likers = Likers::of(self.histories);
        for chunk in self.by_key().chunks(LISTS_AT_ONCE) {
            self.control.check()?;
            let rows: Vec<Vec<SimilarProduct>> = chunk
                .par_iter()
                .map(|&page| {
                    let wishes = rules.wishes(None, Some(page));
                    let words = &self.judged.words;
                    let list = similar(
                        page as usize,
                        self.behaviour,
                        &likers,
                        words,
                        &self.lists,
                        wishes,
                        PAGE_ROWS,
                    );
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
    pub(super) fn partners(&self, writer: &mut GenerationWriter<'_>) -> Result<()> {
        self.control.check()?;
        let options = PairOptions {
            keep: PARTNERS,
            ..PairOptions::default()
        };
        let products = self.prepared.products.len();
        let baskets = Baskets::new(pairs::baskets(&self.prepared.log, &options), products);
        let partners = baskets.partners(&options);
        self.control.check()?;
        let rules = self.prepared.rules.of("bought_together");
        for chunk in self.by_key().chunks(LISTS_AT_ONCE) {
            self.control.check()?;
            let rows: Vec<Vec<BoughtTogether>> = chunk
                .par_iter()
                .map(|&page| {
                    let wishes = rules.wishes(None, Some(page));
                    let found = &partners[page as usize];
                    let mut rows: Vec<Row> = found
                        .iter()
                        .map(|partner| Row {
                            product: partner.other,
                            score: partner.ratio as f32 * wishes.boost(partner.other),
                            from: Origin::Model,
                            because: None,
                        })
                        .collect();
                    rows.sort_by(|a, b| b.score.total_cmp(&a.score));
                    // The numbers are those of a pair, so no other variant may stand for it.
                    let list = self
                        .lists
                        .in_order(rows, Some(page), wishes, |_| true, PAGE_ROWS, false);
                    let row = |(row, rank): (&Row, i64)| {
                        let of = |partner: &&Partner| partner.other == row.product;
                        let pair = found.iter().find(of).copied();
                        let pair = pair.unwrap_or_else(|| baskets.pair(page, row.product));
                        BoughtTogether {
                            product_key: self.key(page),
                            rank,
                            other_key: self.key(row.product),
                            baskets: i64::from(pair.baskets),
                            lift: pair.lift,
                        }
                    };
                    list.iter().zip(1..).map(row).collect()
                })
                .collect();
            writer.write(rows.into_iter().flatten())?;
        }
        Ok(())
    }
}
