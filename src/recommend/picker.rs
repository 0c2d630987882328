//! Picking: who may stand in a list beside whom, and where.
//!
//! A list is made in two movements. The `Picker` lets candidates in, best first: nothing that may not be shown, one
//! variant of an article, nothing that may never be seen together; pinned products have their rights from the start. Then
//! `arrange` gives every row its place: pins stand where they say, new products on their reserved places, and the others
//! fill the rest in their order, as the category cap allows.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::lists::{From, Row, Shop};
use super::rules::{Company, Wishes};

/// Lets candidates into one list.
pub(super) struct Picker<'a> {
    shop: &'a Shop<'a>,
    allowed: &'a [bool],
    wishes: Wishes<'a>,
    /// Products the customer has met, ascending: of an article, they see the variant they know.
    met: Vec<u32>,
    articles: BTreeSet<u32>,
    taken: BTreeSet<u32>,
    company: Company<'a>,
    pins: Vec<(usize, u32)>,
}

impl<'a> Picker<'a> {
    /// An empty list of which `page` (with all its variants) is a part already. `allowed`: what may be in the list, except
    /// for blocks by this list's own rules. Pins are let in past `allowed` where `pinnable` says so.
    pub(super) fn new(
        shop: &'a Shop<'a>,
        allowed: &'a [bool],
        wishes: Wishes<'a>,
        page: Option<u32>,
        pinnable: impl Fn(u32) -> bool,
    ) -> Picker<'a> {
        let mut picker = Picker {
            shop,
            allowed,
            wishes,
            met: Vec::new(),
            articles: BTreeSet::new(),
            taken: BTreeSet::new(),
            company: Company::new(wishes),
            pins: Vec::new(),
        };
        if let Some(page) = page {
            picker.enter(page);
        }
        for (place, product) in wishes.pins() {
            if shop.shown[product as usize] && pinnable(product) && picker.fits(product) {
                picker.enter(product);
                picker.pins.push((place, product));
            }
        }
        picker
    }

    /// Says which products the customer has met (any order).
    pub(super) fn met(mut self, mut products: Vec<u32>) -> Picker<'a> {
        products.sort_unstable();
        self.met = products;
        self
    }

    fn enter(&mut self, product: u32) {
        self.articles.extend(self.shop.variants.group(product));
        self.taken.insert(product);
        self.company.take(product);
    }

    /// Whether a product may join: shown or not is the caller's question.
    fn fits(&self, product: u32) -> bool {
        !self.taken.contains(&product)
            && !self.wishes.blocked(product)
            && self
                .shop
                .variants
                .group(product)
                .is_none_or(|article| !self.articles.contains(&article))
            && !self.company.bars(product)
    }

    fn welcome(&self, product: u32) -> bool {
        self.allowed[product as usize] && self.fits(product)
    }

    /// Lets a candidate in, as the variant that stands for its article; `None` where nothing of it fits.
    pub(super) fn take(&mut self, row: Row) -> Option<Row> {
        let siblings = self.shop.variants.siblings(&row.product);
        let known = |product: &u32| self.met.binary_search(product).is_ok();
        let product = if known(&row.product) && self.welcome(row.product) {
            row.product
        } else {
            let mut fitting = siblings.iter().filter(|&&product| self.welcome(product));
            let first = *fitting.clone().next()?;
            fitting.find(|product| known(product)).copied().unwrap_or(first)
        };
        self.enter(product);
        Some(Row { product, ..row })
    }

    /// Lets a candidate in as itself, not as another variant of its article.
    pub(super) fn take_itself(&mut self, row: Row) -> Option<Row> {
        self.welcome(row.product).then(|| {
            self.enter(row.product);
            row
        })
    }

    /// The pins that are in, in the order of their places.
    pub(super) fn pins(&self) -> &[(usize, u32)] {
        &self.pins
    }
}

/// A bound on one category in a stretch of rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cap {
    /// Most products of one category ...
    pub most: usize,
    /// ... among so many rows: the first so many, the next so many, and so on.
    pub among: usize,
}

/// Rows above the first place of a new product.
pub const BEFORE_NEW: usize = 10;

/// Gives rows their places: `pins` where they say (from 1; a taken place means the next), one of `new` at place 11 and
/// every `step` places from there, the others in their order. At most `most`. Pins and new products get the score of
/// their place.
pub(super) fn arrange(
    rows: Vec<Row>,
    pins: &[(usize, u32)],
    new: Vec<Row>,
    step: usize,
    shop: &Shop<'_>,
    most: usize,
) -> Vec<Row> {
    let mut rows: VecDeque<Row> = rows.into();
    let mut new: VecDeque<Row> = new.into();
    let mut pins: VecDeque<(usize, u32)> = pins.iter().copied().collect();
    let mut list: Vec<Row> = Vec::with_capacity(most);
    let mut counts: BTreeMap<u32, usize> = BTreeMap::new();
    let category = |row: &Row| shop.categories[row.product as usize];
    while list.len() < most {
        let at = list.len();
        if shop.cap.is_some_and(|cap| at.is_multiple_of(cap.among)) {
            counts.clear();
        }
        let here = rows.front().or(list.last()).map_or(1.0, |row| row.score);
        let placed = |row: Row| Row { score: here, ..row };
        // A pin falls due at its place, or at the end: where nothing else is left, and where the list ends.
        let due = |&(place, _): &(usize, u32)| {
            place <= at + 1 || (rows.is_empty() && new.is_empty()) || most - at <= pins.len()
        };
        let reserved = at >= BEFORE_NEW && (at - BEFORE_NEW).is_multiple_of(step);
        let free = |row: &Row| {
            let full =
                |cap: Cap| category(row).is_some_and(|c| counts.get(&c).copied().unwrap_or(0) >= cap.most);
            !shop.cap.is_some_and(full)
        };
        let row = if pins.front().is_some_and(due) {
            pins.pop_front().map(|(_, product)| Row {
                product,
                score: here,
                from: From::Rule,
                because: None,
            })
        } else if reserved && !new.is_empty() {
            new.pop_front().map(placed)
        } else {
            // Where the cap leaves nothing else, the category goes on.
            let next = rows.iter().position(free).unwrap_or(0);
            rows.remove(next).or_else(|| new.pop_front().map(placed))
        };
        let Some(row) = row else { break };
        if let Some(category) = category(&row) {
            *counts.entry(category).or_default() += 1;
        }
        list.push(row);
    }
    list
}
