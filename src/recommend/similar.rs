//! Similar products: what stands on a product's page.
//!
//! First by behaviour: item cosine, shrunk by `c / (c + 3)` where c is how many people like both, because two
//! products that share their only buyer have a cosine of 1 and mean nothing; at least two people must. Then by
//! words (content cosine), which is all that a new product has.

use super::lists::{From, Picker, Row, Shop, Wishes, pinned};
use super::neighbours::Neighbours;
use super::purpose::Parts;

/// How many people in common it takes for half of a cosine to count.
const SHRINK: f32 = 3.0;
/// People that must like both.
const LEAST_COMMON: f32 = 2.0;

/// The list of one product's page, at most `most` rows: [`From::Model`] by behaviour, [`From::Fallback`] by words.
/// Variants of the product itself are left out.
pub fn similar(
    page: usize,
    parts: &Parts,
    content: &Neighbours,
    shop: &Shop,
    wishes: &Wishes,
    most: usize,
) -> Vec<Row> {
    let total = &parts.popularity.total;
    let allowed = |product: u32| shop.shown[product as usize] && !wishes.blocks.contains(&product);
    let boosted = |product: u32, score: f32| {
        wishes
            .boosts
            .iter()
            .filter(|boost| boost.0 == product)
            .fold(score, |score, boost| score * boost.1)
    };
    let mut behaviour: Vec<(u32, f32)> = parts
        .behaviour
        .of(page)
        .iter()
        .filter(|&&(other, _)| allowed(other))
        .filter_map(|&(other, cosine)| {
            // With strengths of 0 and 1 this is exactly the number of people in common.
            let common = cosine * (total[page] * total[other as usize]).sqrt();
            let enough = common > LEAST_COMMON - 0.01;
            enough.then(|| (other, boosted(other, cosine * common / (common + SHRINK))))
        })
        .collect();
    behaviour.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut words: Vec<(u32, f32)> = content
        .of(page)
        .iter()
        .filter(|&&(other, _)| allowed(other) && !behaviour.iter().any(|&(taken, _)| taken == other))
        .map(|&(other, cosine)| (other, boosted(other, cosine)))
        .collect();
    words.sort_unstable_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
    let mut rows = Picker::new(shop, most);
    rows.groups.extend(shop.groups[page]);
    for (product, score) in behaviour {
        rows.take(Row {
            product,
            score,
            from: From::Model,
            because: None,
        });
    }
    // Scores fall along the list: words begin below the last row by behaviour.
    let ceiling = rows.rows.last().map_or(1.0, |row| row.score * 0.99);
    let largest = words.first().map_or(1.0, |&(_, score)| score.max(1.0));
    for (product, score) in words {
        rows.take(Row {
            product,
            score: score / largest * ceiling,
            from: From::Fallback,
            because: None,
        });
    }
    let mut list = pinned(rows.rows, wishes, &shop.shown, most);
    list.retain(|row| row.product as usize != page);
    list
}

#[cfg(test)]
mod tests {
    use super::super::history::Histories;
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::super::purpose::Purpose;
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
        let parts = Parts::fit(
            &Histories::build(&log, &Strengths::default(), |_| true),
            Purpose::NextWeeks,
        );
        let words = Neighbours::from_rows(2, vec![vec![(3, 0.8)], vec![], vec![], vec![(0, 0.8)], vec![]]);
        let shop = Shop {
            shown: vec![true; 5],
            groups: vec![Some(7), None, None, None, Some(7)],
            popularity: parts.recent.clone(),
            rows: 10,
            allow_bought: false,
            purchases: true,
        };
        let list = similar(0, &parts, &words, &shop, &Wishes::default(), 10);
        assert_eq!(list.iter().map(|row| row.product).collect::<Vec<_>>(), [1, 3]);
        // Cosine 1 of three people in common, shrunk to 3 / (3 + 3).
        assert!((list[0].score - 0.5).abs() < 1e-6, "{}", list[0].score);
        assert_eq!((list[0].from, list[1].from), (From::Model, From::Fallback));
        assert!(list[1].score < list[0].score);
        assert_eq!(
            similar(3, &parts, &words, &shop, &Wishes::default(), 10)[0].product,
            0
        );
    }
}
