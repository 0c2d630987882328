//! Similar products: what stands on a product's page.
//!
//! First by behaviour: item cosine, shrunk by `c / (c + 3)` where c is how many people like both, because two
//! products that share their only buyer have a cosine of 1 and mean nothing; at least two people must. People are counted, not
//! the strength of their interest: a thousand who looked at both are a thousand. Then by
//! words (content cosine), which is all that a new product has.

use std::collections::BTreeSet;

use super::history::Histories;
use super::lists::{From, Row, Shop};
use super::neighbours::Neighbours;
use super::rules::Wishes;

/// How many people in common it takes for half of a cosine to count.
const SHRINK: f32 = 3.0;
/// People that must like both.
const LEAST_COMMON: usize = 2;

/// Who likes what: of every product its people, ascending.
#[derive(Debug, Clone)]
pub struct Likers {
    offsets: Vec<usize>,
    people: Vec<u32>,
}

impl Likers {
    /// Everybody with any interest in a product.
    pub fn of(histories: &Histories) -> Likers {
        let mut offsets = vec![0usize; histories.products + 1];
        let liked = |user: usize| histories.of(user).iter().filter(|s| s.strength > 0.0);
        for user in 0..histories.users() {
            liked(user).for_each(|s| offsets[s.product as usize + 1] += 1);
        }
        for product in 0..histories.products {
            offsets[product + 1] += offsets[product];
        }
        let mut next = offsets.clone();
        let mut people = vec![0u32; offsets[histories.products]];
        for user in 0..histories.users() {
            for signal in liked(user) {
                let place = &mut next[signal.product as usize];
                people[*place] = user as u32;
                *place += 1;
            }
        }
        Likers { offsets, people }
    }

    fn people(&self, product: usize) -> &[u32] {
        &self.people[self.offsets[product]..self.offsets[product + 1]]
    }

    /// How many people like both.
    pub fn common(&self, a: usize, b: usize) -> usize {
        let (few, many) = match (self.people(a), self.people(b)) {
            (a, b) if a.len() <= b.len() => (a, b),
            (a, b) => (b, a),
        };
        let mut rest = many;
        few.iter()
            .filter(|person| {
                rest = &rest[rest.partition_point(|other| other < person)..];
                rest.first() == Some(person)
            })
            .count()
    }
}

/// The list of one product's page from the nearest by `behaviour`, who likes what (`likers`) and the nearest by words
/// (`content`), at most `most` rows: [`From::Model`] by behaviour, [`From::Fallback`] by words.
/// Variants of the product itself are left out.
pub fn similar(
    page: usize,
    behaviour: &Neighbours,
    likers: &Likers,
    content: &Neighbours,
    shop: &Shop<'_>,
    wishes: Wishes<'_>,
    most: usize,
) -> Vec<Row> {
    let best_first = |rows: &mut Vec<Row>| {
        rows.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.product.cmp(&b.product)));
    };
    let row = |product: u32, score: f32, from| Row {
        product,
        score: score * wishes.boost(product),
        from,
        because: None,
    };
    let mut rows: Vec<Row> = behaviour
        .of(page)
        .iter()
        .filter_map(|&(other, cosine)| {
            let common = likers.common(page, other as usize);
            let shrunk = cosine * common as f32 / (common as f32 + SHRINK);
            (common >= LEAST_COMMON).then(|| row(other, shrunk, From::Model))
        })
        .collect();
    best_first(&mut rows);
    let known: BTreeSet<u32> = rows.iter().map(|row| row.product).collect();
    let mut words: Vec<Row> = content
        .of(page)
        .iter()
        .filter(|(other, _)| !known.contains(other))
        .map(|&(other, cosine)| row(other, cosine, From::Fallback))
        .collect();
    best_first(&mut words);
    // Scores fall along the list: words begin below the last row by behaviour.
    let ceiling = rows.last().map_or(1.0, |row| row.score * 0.99);
    let largest = words.first().map_or(1.0, |row| row.score.max(1.0));
    rows.extend(words.into_iter().map(|row| Row {
        score: row.score / largest * ceiling,
        ..row
    }));
    shop.in_order(rows, Some(page as u32), wishes, |_| true, most, true)
}

#[cfg(test)]
mod tests {
    use super::super::demand::{Demand, MONTH};
    use super::super::lists::tests::shop;
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::super::rules::Rules;
    use super::super::variants::Variants;
    use super::*;

    #[test]
    fn behaviour_first_then_words_and_one_buyer_is_nobody() {
        // Products 0 and 1 share three buyers, 0 and 2 one; 3 was never bought but reads like 0; 4 is a variant of 0.
        let pairs = [
            (0, 0),
            (0, 1),
            (1, 0),
            (1, 1),
            (2, 0),
            (2, 1),
            (0, 2),
            (1, 4),
            (2, 4),
        ];
        let events = pairs
            .iter()
            .enumerate()
            .map(|(line, &(user, product))| Interaction {
                user: Some(user),
                product,
                kind: Kind::Purchase,
                quantity: 1.0,
                rating: 0.0,
                at: line as i64,
                basket: user,
                line: line as u32,
            });
        let log = Log::new(3, 5, events.collect());
        let histories = Histories::build(&log, &Strengths::default(), |_| true);
        let behaviour = Neighbours::item_cosine(&histories, 100);
        let demand = Demand::count(&histories, 9);
        let words = Neighbours::from_rows(2, vec![vec![(3, 0.8)], vec![], vec![], vec![(0, 0.8)], vec![]]);
        let mut shop = shop(&demand.popularity(MONTH));
        shop.variants = Variants::new(vec![Some(7), None, None, None, Some(7)], &[1.0; 5]);
        let rules = Rules::default().of("similar_products");
        let wishes = rules.wishes(None, None);
        let likers = Likers::of(&histories);
        let list = similar(0, &behaviour, &likers, &words, &shop, wishes, 10);
        assert_eq!(list.iter().map(|row| row.product).collect::<Vec<_>>(), [1, 3]);
        // Cosine 1 of three people in common, shrunk to 3 / (3 + 3).
        assert!((list[0].score - 0.5).abs() < 1e-6, "{}", list[0].score);
        assert_eq!((list[0].from, list[1].from), (From::Model, From::Fallback));
        assert!(list[1].score < list[0].score);
        assert_eq!(
            similar(3, &behaviour, &likers, &words, &shop, wishes, 10)[0].product,
            0
        );
    }

    #[test]
    fn people_who_only_looked_are_counted_like_those_who_bought() {
        // Eight people looked at 0 and 1, one at 0 and 2: a view is worth a tenth of a purchase.
        let looked = |user: u32, product: u32, line: u32| Interaction {
            user: Some(user),
            product,
            kind: Kind::View,
            quantity: 1.0,
            rating: 0.0,
            at: i64::from(line),
            basket: user,
            line,
        };
        let mut events: Vec<_> = (0..16).map(|line| looked(line / 2, line % 2, line)).collect();
        events.push(looked(0, 2, 20));
        let histories = Histories::build(&Log::new(8, 3, events), &Strengths::default(), |_| true);
        let likers = Likers::of(&histories);
        assert_eq!(
            (likers.common(0, 1), likers.common(2, 0), likers.common(2, 1)),
            (8, 1, 1)
        );
        let behaviour = Neighbours::item_cosine(&histories, 100);
        let words = Neighbours::from_rows(2, vec![vec![]; 3]);
        let shop = shop(&[1.0; 3]);
        let rules = Rules::default().of("similar_products");
        let list = similar(
            0,
            &behaviour,
            &likers,
            &words,
            &shop,
            rules.wishes(None, None),
            10,
        );
        assert_eq!(list.iter().map(|row| row.product).collect::<Vec<_>>(), [1]);
    }
}
