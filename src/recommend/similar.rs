//! Similar products: what stands on a product's page.
//!
//! First by behaviour: item cosine, shrunk by `c / (c + 3)` where c is how many people like both, because two
//! products that share their only buyer have a cosine of 1 and mean nothing; at least two people must. Then by
//! words (content cosine), which is all that a new product has.

use std::collections::BTreeSet;

use super::lists::{From, Row, Shop};
use super::neighbours::Neighbours;
use super::rules::Wishes;

/// How many people in common it takes for half of a cosine to count.
const SHRINK: f32 = 3.0;
/// People that must like both.
const LEAST_COMMON: f32 = 2.0;

/// The list of one product's page from the nearest by `behaviour`, the pairs of every product ever (`total`) and the
/// nearest by words (`content`), at most `most` rows: [`From::Model`] by behaviour, [`From::Fallback`] by words.
/// Variants of the product itself are left out.
pub fn similar(
    page: usize,
    behaviour: &Neighbours,
    total: &[f32],
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
            // With strengths of 0 and 1 this is exactly the number of people in common.
            let common = cosine * (total[page] * total[other as usize]).sqrt();
            let enough = common > LEAST_COMMON - 0.01;
            enough.then(|| row(other, cosine * common / (common + SHRINK), From::Model))
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
    use super::super::history::Histories;
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
        let list = similar(0, &behaviour, demand.ever(), &words, &shop, wishes, 10);
        assert_eq!(list.iter().map(|row| row.product).collect::<Vec<_>>(), [1, 3]);
        // Cosine 1 of three people in common, shrunk to 3 / (3 + 3).
        assert!((list[0].score - 0.5).abs() < 1e-6, "{}", list[0].score);
        assert_eq!((list[0].from, list[1].from), (From::Model, From::Fallback));
        assert!(list[1].score < list[0].score);
        assert_eq!(
            similar(3, &behaviour, demand.ever(), &words, &shop, wishes, 10)[0].product,
            0
        );
    }
}
