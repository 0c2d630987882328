//! Lists: what people see.
//!
//! A list holds at most `rows` products, best first, and never: what may not be shown (hidden, not sellable, blocked),
//! what the user dismissed, what was bought already (unless allowed), and two variants of one group. The order is the
//! model's own, the one that was measured. Where its scores end the popular products go on, so a list is short
//! only when the shop is. Shop people's pins come last and stand where they say.

use std::collections::BTreeSet;

use rayon::prelude::*;

use super::history::{Histories, Signal};
use super::measure::is_spent;
use super::models::{NO_REASON, Scorer};
use super::rank::best;

/// Where a row came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The list's own model: for a user the personal one, for a product page what its buyers bought.
    Model,
    /// What fills the rest: popularity for a user, likeness of words for a product page.
    Fallback,
    /// A shop person pinned it.
    Rule,
}

/// One row of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The product.
    pub product: u32,
    /// Falls along the list, except for pinned rows, which carry the score of their place.
    pub score: f32,
    /// Where the row came from.
    pub from: From,
    /// The product of the history with the largest exact contribution.
    pub because: Option<u32>,
}

/// The shop people's wishes for one list, already filtered to those in force for it.
#[derive(Debug, Clone, Default)]
pub struct Wishes {
    /// Factors on scores, per product.
    pub boosts: Vec<(u32, f32)>,
    /// (place from 1, product).
    pub pins: Vec<(usize, u32)>,
    /// Products that may not be in the list.
    pub blocks: Vec<u32>,
}

/// What holds for every list of a night.
#[derive(Debug, Clone)]
pub struct Shop {
    /// Whether a product may be shown: sellable and not hidden.
    pub shown: Vec<bool>,
    /// The group of variants of a product; products of equal groups exclude each other. `None` stands alone.
    pub groups: Vec<Option<u32>>,
    /// Popularity scores, at most 1: the fallback, and the list of a stranger.
    pub popularity: Vec<f32>,
    /// Rows of a list.
    pub rows: usize,
    /// Whether what was bought may be recommended again.
    pub allow_bought: bool,
    /// Whether purchases are what is recommended (else any interest counts as spent).
    pub purchases: bool,
}

/// Candidates ranked beyond the rows asked for, so that groups and blocks do not shorten a list.
const SPARE: usize = 50;

impl Shop {
    /// The list of a visitor nobody knows.
    pub fn popular(&self, wishes: &Wishes) -> Vec<Row> {
        self.personal(None, &[], wishes)
    }

    /// One user's list by `model`; without a model, or where its personal part ends, by popularity.
    pub fn personal(&self, model: Option<&dyn Scorer>, history: &[Signal], wishes: &Wishes) -> Vec<Row> {
        let products = self.shown.len();
        let mut allowed = self.shown.clone();
        wishes
            .blocks
            .iter()
            .for_each(|&product| allowed[product as usize] = false);
        for signal in history {
            let spent = if self.allow_bought {
                signal.dismissed
            } else {
                is_spent(signal, self.purchases)
            };
            if spent {
                allowed[signal.product as usize] = false;
            }
        }
        let mut rows = Picker::new(self, self.rows);
        let mut taken = vec![false; products];
        if let Some(model) = model {
            let mut scores = vec![0.0f32; products];
            let memo = model.score(history, &mut scores);
            boost(&mut scores, wishes);
            let found = best(&scores, self.rows + SPARE, |p| allowed[p] && scores[p] > 0.0);
            let listed: Vec<u32> = found.iter().map(|&(product, _)| product).collect();
            let reasons = model.reasons(history, &listed, &memo);
            // Without anything personal to say a model has nothing to add to the popular list.
            if reasons.iter().any(|&reason| reason != NO_REASON) {
                for ((product, score), reason) in found.into_iter().zip(reasons) {
                    let because = Some(reason).filter(|&reason| reason != NO_REASON);
                    let from = if because.is_some() {
                        From::Model
                    } else {
                        From::Fallback
                    };
                    if rows.take(Row {
                        product,
                        score,
                        from,
                        because,
                    }) {
                        taken[product as usize] = true;
                    }
                }
            }
        }
        if rows.rows.len() < self.rows {
            // Scores go on falling: the popular part is scaled below the last personal score.
            let ceiling = rows.rows.last().map_or(1.0, |row| row.score * 0.99);
            let mut scores = self.popularity.clone();
            boost(&mut scores, wishes);
            let largest = scores.iter().copied().fold(0.0, f32::max);
            let scale = if largest > 0.0 { ceiling / largest } else { 0.0 };
            for (product, score) in best(&scores, self.rows + SPARE, |p| allowed[p] && !taken[p]) {
                rows.take(Row {
                    product,
                    score: score * scale,
                    from: From::Fallback,
                    because: None,
                });
            }
        }
        pinned(rows.rows, wishes, &self.shown, self.rows)
    }

    /// The popular products among `candidates` (a category, or the whole shop), each with its popularity score.
    pub fn popular_of(&self, candidates: &[u32], wishes: &Wishes) -> Vec<Row> {
        let mut scores = self.popularity.clone();
        boost(&mut scores, wishes);
        let mut order: Vec<(u32, f32)> = candidates
            .iter()
            .map(|&product| (product, scores[product as usize]))
            .collect();
        order.retain(|&(product, _)| self.shown[product as usize] && !wishes.blocks.contains(&product));
        order.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let mut rows = Picker::new(self, self.rows);
        for (product, score) in order {
            rows.take(Row {
                product,
                score,
                from: From::Fallback,
                because: None,
            });
        }
        // A pin for every list stands in the lists of its own category only.
        let pins = wishes
            .pins
            .iter()
            .copied()
            .filter(|(_, product)| candidates.contains(product))
            .collect();
        pinned(
            rows.rows,
            &Wishes {
                pins,
                ..wishes.clone()
            },
            &self.shown,
            self.rows,
        )
    }

    /// The lists of the given users, in their order; `wishes` tells each user's wishes.
    pub fn all(
        &self,
        model: Option<&dyn Scorer>,
        histories: &Histories,
        users: &[usize],
        wishes: impl Fn(usize) -> Wishes + Sync,
    ) -> Vec<Vec<Row>> {
        users
            .par_iter()
            .map(|&user| self.personal(model, histories.of(user), &wishes(user)))
            .collect()
    }
}

pub(super) fn boost(scores: &mut [f32], wishes: &Wishes) {
    for &(product, factor) in &wishes.boosts {
        scores[product as usize] *= factor;
    }
}

/// Takes rows while there is room and no variant of the group is in the list.
pub(super) struct Picker<'a> {
    shop: &'a Shop,
    most: usize,
    pub(super) groups: BTreeSet<u32>,
    pub(super) rows: Vec<Row>,
}

impl<'a> Picker<'a> {
    pub(super) fn new(shop: &'a Shop, most: usize) -> Picker<'a> {
        Picker {
            shop,
            most,
            groups: BTreeSet::new(),
            rows: Vec::new(),
        }
    }

    pub(super) fn take(&mut self, row: Row) -> bool {
        if self.rows.len() >= self.most {
            return false;
        }
        if let Some(group) = self.shop.groups[row.product as usize]
            && !self.groups.insert(group)
        {
            return false;
        }
        self.rows.push(row);
        true
    }
}

/// Puts the pinned products to their places, in the order of the places.
pub(super) fn pinned(mut rows: Vec<Row>, wishes: &Wishes, shown: &[bool], most: usize) -> Vec<Row> {
    let mut pins = wishes.pins.clone();
    pins.sort_unstable();
    for (place, product) in pins {
        if !shown[product as usize] || wishes.blocks.contains(&product) {
            continue;
        }
        rows.retain(|row| row.product != product);
        let at = place.saturating_sub(1).min(rows.len());
        let score = rows.get(at).or(rows.last()).map_or(1.0, |row| row.score);
        rows.insert(
            at,
            Row {
                product,
                score,
                from: From::Rule,
                because: None,
            },
        );
    }
    rows.truncate(most);
    rows
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::super::models::{Mix, MixSettings};
    use super::super::neighbours::Neighbours;
    use super::super::purpose::{Parts, Purpose};
    use super::*;

    /// Two tastes: users 0 to 4 buy products 0 to 4, users 5 to 9 buy 5 to 9; user 0 has not bought 3 and 4 yet.
    fn two_tastes() -> Histories {
        let mut events = Vec::new();
        for user in 0..10u32 {
            for product in (0..5).map(|i| i + user / 5 * 5).filter(|&p| user != 0 || p < 3) {
                events.push(Interaction {
                    user: Some(user),
                    product,
                    kind: Kind::Purchase,
                    quantity: 1.0,
                    rating: 0.0,
                    at: i64::from(user),
                    basket: user,
                    line: user * 10 + product,
                });
            }
        }
        Histories::build(&Log::new(11, 12, events), &Strengths::default(), |_| true)
    }

    fn shop(parts: &Parts) -> Shop {
        Shop {
            shown: vec![true; 12],
            groups: vec![None; 12],
            popularity: parts.recent.clone(),
            rows: 6,
            allow_bought: false,
            purchases: true,
        }
    }

    fn products(rows: &[Row]) -> Vec<u32> {
        rows.iter().map(|row| row.product).collect()
    }

    #[test]
    fn a_list_knows_its_user_and_its_reasons() {
        let histories = two_tastes();
        let parts = Parts::fit(&histories, Purpose::Basket);
        let empty = Neighbours::from_rows(1, vec![Vec::new(); 12]);
        let model: Mix<'_> = parts.mix(&empty, MixSettings::default());
        let mut shop = shop(&parts);
        let list = shop.personal(Some(&model), histories.of(0), &Wishes::default());
        assert_eq!(products(&list)[..2], [3, 4]);
        assert_eq!(list.len(), 6);
        assert!(
            list[..2]
                .iter()
                .all(|row| row.from == From::Model && row.because.is_some_and(|b| b < 3))
        );
        assert!(
            list[2..]
                .iter()
                .all(|row| row.from == From::Fallback && row.because.is_none())
        );
        assert!(list.windows(2).all(|pair| pair[0].score >= pair[1].score));
        // Somebody without history and a visitor get the same list.
        let visitor = shop.popular(&Wishes::default());
        assert_eq!(
            visitor,
            shop.personal(Some(&model), histories.of(10), &Wishes::default())
        );
        assert_eq!(visitor.len(), 6);
        shop.allow_bought = true;
        let again = shop.personal(Some(&model), histories.of(0), &Wishes::default());
        assert!(products(&again).contains(&0));
    }

    #[test]
    fn nothing_hidden_no_twins_and_the_people_have_the_last_word() {
        let histories = two_tastes();
        let parts = Parts::fit(&histories, Purpose::Basket);
        let empty = Neighbours::from_rows(1, vec![Vec::new(); 12]);
        let model: Mix<'_> = parts.mix(&empty, MixSettings::default());
        let mut shop = shop(&parts);
        shop.shown[3] = false;
        (shop.groups[5], shop.groups[6]) = (Some(1), Some(1));
        let wishes = Wishes {
            boosts: vec![(9, 100.0)],
            pins: vec![(2, 11), (1, 3)],
            blocks: vec![4],
        };
        let list = products(&shop.personal(Some(&model), histories.of(0), &wishes));
        assert!(!list.contains(&3) && !list.contains(&4));
        assert!(!(list.contains(&5) && list.contains(&6)));
        assert_eq!(list[..2], [9, 11]);
    }

    #[test]
    fn reasons_are_the_largest_exact_contribution() {
        let histories = two_tastes();
        let parts = Parts::fit(&histories, Purpose::Basket);
        let empty = Neighbours::from_rows(1, vec![Vec::new(); 12]);
        let model: Mix<'_> = parts.mix(&empty, MixSettings::default());
        let history = histories.of(0);
        let everything: Vec<u32> = (0..12).collect();
        let reasons = model.reasons(history, &everything, &Vec::new());
        for (product, &reason) in reasons.iter().enumerate() {
            let alone = |signal: &Signal| {
                let mut scores = vec![0.0; 12];
                // All signals of user 0 are of one instant, so each alone weighs what it weighs together.
                model.personal(std::slice::from_ref(signal), &mut scores);
                scores[product]
            };
            let largest = history.iter().map(alone).fold(0.0, f32::max);
            match history.iter().find(|signal| signal.product == reason) {
                Some(signal) => assert_eq!(alone(signal), largest),
                None => assert_eq!(largest, 0.0),
            }
        }
    }
}
