//! Lists: what people see.
//!
//! A list holds at most `rows` products, best first, and never: what may not be shown (hidden, not sellable, blocked),
//! what the customer dismissed, what they bought (unless allowed, or due again), two variants of one article, and two
//! products that may never be seen together. The order is the model's own, the one that was measured, unless the shop asks
//! for diversity or a category cap. Where the model's scores end the popular products go on, so a list is short
//! only when the shop is. Shop people's pins stand where they say.

use super::diversity::Diversity;
use super::fresh::Fresh;
use super::history::Signal;
use super::measure::is_spent;
use super::models::{Memo, NO_REASON, Scorer};
use super::picker::{Cap, Picker, arrange};
use super::rank::best;
use super::rules::Wishes;
use super::variants::Variants;

/// Where a row came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum From {
    /// The list's own model: for a user the personal one, for a product page what its buyers bought.
    Model,
    /// What fills the rest: popularity for a user, likeness of words for a product page.
    Fallback,
    /// A new product on one of the places that are kept for them.
    New,
    /// A shop person pinned it.
    Rule,
}

/// One row of a list.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Row {
    /// The product.
    pub product: u32,
    /// Falls along the list as the model ordered it; pinned and new rows carry the score of their place.
    pub score: f32,
    /// Where the row came from.
    pub from: From,
    /// The product of the history with the largest exact contribution.
    pub because: Option<u32>,
}

/// What becomes of products that were bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bought {
    /// They never come back, nor does another variant of theirs.
    Gone,
    /// They are treated as any other.
    Welcome,
    /// They come back when they are due, see [`Person::due`].
    Due,
}

/// What holds for every list of a night.
#[derive(Debug, Clone)]
pub struct Shop<'a> {
    /// Whether a product may be shown: sellable and not hidden.
    pub shown: Vec<bool>,
    /// Which products are one article.
    pub variants: Variants,
    /// The number of each product's category, for the cap.
    pub categories: Vec<Option<u32>>,
    /// Rows of a list of customers or visitors.
    pub rows: usize,
    /// What becomes of products that were bought.
    pub bought: Bought,
    /// Whether purchases are what is recommended (else any interest counts as spent).
    pub purchases: bool,
    /// A bound on each category.
    pub cap: Option<Cap>,
    /// How different the rows must be.
    pub diversity: Option<Diversity<'a>>,
    /// The new products and their places.
    pub fresh: Option<Fresh<'a>>,
    /// What a visitor sees and a short list goes on with.
    pub popular: Popular,
}

/// Products in the order in which strangers are shown them.
#[derive(Debug, Clone, Default)]
pub struct Popular {
    /// Every product with its score, at most 1, best first: for people from anywhere.
    pub anywhere: Vec<(u32, f32)>,
    /// By place (a country and language), the first products and their scores, best first: what differs from anywhere.
    pub places: Vec<Vec<(u32, f32)>>,
}

/// What ranks one list.
#[derive(Clone, Copy)]
pub enum Base<'a> {
    /// A personal model.
    Model(&'a dyn Scorer),
    /// One score per product, the same for everybody: a popularity that beat the personal models.
    Everybody(&'a [f32]),
    /// What strangers are shown.
    Strangers,
}

impl std::fmt::Debug for Base<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Base::Model(_) => "Model",
            Base::Everybody(_) => "Everybody",
            Base::Strangers => "Strangers",
        })
    }
}

/// Whose list it is.
#[derive(Debug, Clone, Copy, Default)]
pub struct Person<'a> {
    /// What they did, oldest first; empty for a visitor.
    pub history: &'a [Signal],
    /// Number of the place in [`Popular::places`] they are from, where it has a list of its own.
    pub place: Option<usize>,
    /// With [`Bought::Due`]: the bought products that are due again, ascending.
    pub due: &'a [u32],
    /// A number of their own, so that not everybody is shown the same new products.
    pub number: usize,
}

/// Candidates ranked beyond the rows asked for, so that groups and rules do not shorten a list.
const SPARE: usize = 50;
/// How many times the rows are ranked where the cap or diversity must have something to choose from.
const CHOICE: usize = 3;

impl Shop<'_> {
    /// One person's list; where `base` has nothing more to say, the popular products go on.
    pub fn personal(&self, base: Base<'_>, person: &Person<'_>, wishes: Wishes<'_>) -> Vec<Row> {
        // Somebody who showed no interest in anything is a stranger, whatever else is known of them.
        let base = match person.history.iter().any(|s| s.strength > 0.0) {
            true => base,
            false => Base::Strangers,
        };
        let allowed = self.allowed(person, wishes);
        let dismissed = |product: u32| {
            let of = |s: &&Signal| s.product == product;
            person.history.iter().find(of).is_some_and(|s| s.dismissed)
        };
        let met = person.history.iter().filter(|s| s.strength > 0.0);
        let mut picker = Picker::new(self, &allowed, wishes, None, |product| !dismissed(product))
            .met(met.map(|s| s.product).collect());
        let pool = match (self.cap, self.diversity) {
            (None, None) => self.rows,
            _ => self.rows * CHOICE,
        };
        let ranked = self.ranked_by(base, person, wishes, &allowed, pool + SPARE);
        let mut rows: Vec<Row> = Vec::with_capacity(pool);
        for row in ranked {
            if rows.len() == pool {
                break;
            }
            rows.extend(picker.take(row));
        }
        if rows.len() < pool {
            let last = rows.last().map(|row| row.score);
            for row in self.strangers(person.place, wishes, last) {
                if rows.len() == pool {
                    break;
                }
                rows.extend(picker.take(row));
            }
        }
        let (mut new, mut step) = (Vec::new(), usize::MAX);
        if let Some(fresh) = &self.fresh {
            step = fresh.step();
            let found = fresh.of(person).filter_map(|row| picker.take_itself(row));
            new.extend(found.take(fresh.places(self.rows)));
        }
        arrange(rows, picker.pins(), new, step, self, self.rows)
    }

    /// What may be in a person's list, before rules between products have their say.
    fn allowed(&self, person: &Person<'_>, wishes: Wishes<'_>) -> Vec<bool> {
        let mut allowed = self.shown.clone();
        wishes
            .blocks()
            .for_each(|product| allowed[product as usize] = false);
        for signal in person.history {
            let spent = match self.bought {
                Bought::Welcome => signal.dismissed,
                Bought::Gone => is_spent(signal, self.purchases),
                Bought::Due => {
                    let due = !signal.dismissed && person.due.binary_search(&signal.product).is_ok();
                    is_spent(signal, self.purchases) && !due
                }
            };
            if spent {
                // Who has bought it, or does not want to see it, has seen the article.
                for &variant in self.variants.siblings(&signal.product) {
                    allowed[variant as usize] = false;
                }
            }
        }
        allowed
    }

    /// The base's candidates, best first; empty where it has nothing to say.
    fn ranked_by(
        &self,
        base: Base<'_>,
        person: &Person<'_>,
        wishes: Wishes<'_>,
        allowed: &[bool],
        most: usize,
    ) -> Vec<Row> {
        let mut scores = vec![0.0f32; self.shown.len()];
        let mut memo = Memo::new();
        match base {
            Base::Strangers => return Vec::new(),
            Base::Everybody(popular) => scores.copy_from_slice(popular),
            Base::Model(model) => memo = model.score(person.history, &mut scores),
        }
        boost(&mut scores, wishes);
        let mut found = best(&scores, most, |p| allowed[p] && scores[p] > 0.0);
        let reasons = match base {
            Base::Model(model) => {
                let listed: Vec<u32> = found.iter().map(|&(product, _)| product).collect();
                let reasons = model.reasons(person.history, &listed, &memo);
                // Without anything personal to say a model has nothing to add to what strangers are shown.
                if reasons.iter().all(|&reason| reason == NO_REASON) {
                    return Vec::new();
                }
                listed.into_iter().zip(reasons).collect()
            }
            _ => Vec::new(),
        };
        if let Some(diversity) = self.diversity {
            found = diversity.order(found);
        }
        let mut reasons: Vec<(u32, u32)> = reasons;
        reasons.sort_unstable();
        found
            .into_iter()
            .map(|(product, score)| {
                let because = reasons
                    .binary_search_by_key(&product, |&(p, _)| p)
                    .ok()
                    .map(|at| reasons[at].1)
                    .filter(|&reason| reason != NO_REASON);
                let personal = because.is_some() || matches!(base, Base::Everybody(_));
                Row {
                    product,
                    score,
                    from: if personal { From::Model } else { From::Fallback },
                    because,
                }
            })
            .collect()
    }

    /// What strangers from a place are shown, and where that ends, those from anywhere; scores begin below `last`.
    fn strangers<'s>(
        &'s self,
        place: Option<usize>,
        wishes: Wishes<'s>,
        last: Option<f32>,
    ) -> impl Iterator<Item = Row> + 's {
        let local = place
            .and_then(|place| self.popular.places.get(place))
            .map_or(&[][..], Vec::as_slice);
        let local = boosted(local, wishes);
        let anywhere = boosted(&self.popular.anywhere, wishes);
        // Each part begins a little below the end of the one before it.
        let ceiling = last.map_or(1.0, |score| score * 0.99);
        let floor = match self
            .popular
            .places
            .get(place.unwrap_or(usize::MAX))
            .map(Vec::as_slice)
        {
            Some([(_, first), .., (_, last)]) if *first > 0.0 => ceiling * last / first * 0.99,
            _ => ceiling,
        };
        let row = |scale: f32| {
            move |(product, score): (u32, f32)| Row {
                product,
                score: score * scale,
                from: From::Fallback,
                because: None,
            }
        };
        let scale = |scores: &[(u32, f32)], top: f32| match scores.first() {
            Some(&(_, first)) if first > 0.0 => top / first,
            _ => 0.0,
        };
        let local_scale = scale(
            self.popular
                .places
                .get(place.unwrap_or(usize::MAX))
                .map_or(&[], Vec::as_slice),
            ceiling,
        );
        let anywhere_scale = scale(&self.popular.anywhere, floor);
        local
            .map(row(local_scale))
            .chain(anywhere.map(row(anywhere_scale)))
    }

    /// The list of strangers from a place, or from anywhere.
    pub fn strange(&self, place: Option<usize>, wishes: Wishes<'_>) -> Vec<Row> {
        let person = Person {
            place,
            ..Person::default()
        };
        self.personal(Base::Strangers, &person, wishes)
    }

    /// The popular products among `candidates` (a category, or the whole shop, ascending), by `scores`.
    pub fn popular_of(&self, candidates: &[u32], scores: &[f32], wishes: Wishes<'_>) -> Vec<Row> {
        let rows = candidates.iter().map(|&product| Row {
            product,
            score: scores[product as usize],
            from: From::Fallback,
            because: None,
        });
        // A pin for every list stands in the lists of its own category only.
        let here = |product: u32| candidates.binary_search(&product).is_ok();
        self.ranked(rows.collect(), None, wishes, here, self.rows)
    }

    /// A list of rows that come with scores: boosted, ordered, and let in by the rules. The list stands on `page`, or on
    /// none. `pinnable`: which pins may stand in it.
    pub fn ranked(
        &self,
        mut rows: Vec<Row>,
        page: Option<u32>,
        wishes: Wishes<'_>,
        pinnable: impl Fn(u32) -> bool,
        most: usize,
    ) -> Vec<Row> {
        rows.iter_mut()
            .for_each(|row| row.score *= wishes.boost(row.product));
        rows.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.product.cmp(&b.product)));
        self.in_order(rows, page, wishes, pinnable, most, true)
    }

    /// As [`ranked`](Shop::ranked), in the order given. `variants`: whether another variant of an article may stand for it.
    pub fn in_order(
        &self,
        rows: Vec<Row>,
        page: Option<u32>,
        wishes: Wishes<'_>,
        pinnable: impl Fn(u32) -> bool,
        most: usize,
        variants: bool,
    ) -> Vec<Row> {
        let mut picker = Picker::new(self, &self.shown, wishes, page, pinnable);
        let mut kept = Vec::with_capacity(most);
        for row in rows {
            if kept.len() == most {
                break;
            }
            kept.extend(if variants {
                picker.take(row)
            } else {
                picker.take_itself(row)
            });
        }
        arrange(kept, picker.pins(), Vec::new(), usize::MAX, self, most)
    }
}

/// (product, score), best first, as boosts order them: the boosted ones are few, so they are merged into the rest.
fn boosted<'s>(ordered: &'s [(u32, f32)], wishes: Wishes<'s>) -> impl Iterator<Item = (u32, f32)> + 's {
    let any = wishes.boosts().next().is_some();
    let mut moved: Vec<(u32, f32)> = ordered
        .iter()
        .filter(|_| any)
        .map(|&(product, score)| (product, score, wishes.boost(product)))
        .filter(|&(_, _, factor)| factor != 1.0)
        .map(|(product, score, factor)| (product, score * factor))
        .collect();
    moved.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut stay = ordered
        .iter()
        .copied()
        .filter(move |&(product, _)| !any || wishes.boost(product) == 1.0)
        .peekable();
    let mut moved = moved.into_iter().peekable();
    std::iter::from_fn(move || match (stay.peek(), moved.peek()) {
        (Some(a), Some(b)) if a.1 > b.1 || (a.1 == b.1 && a.0 < b.0) => stay.next(),
        (_, Some(_)) => moved.next(),
        _ => stay.next(),
    })
}

fn boost(scores: &mut [f32], wishes: Wishes<'_>) {
    for (product, factor) in wishes.boosts() {
        scores[product as usize] *= factor;
    }
}

#[cfg(test)]
pub(super) mod tests;
