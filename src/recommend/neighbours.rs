//! Neighbours: for every product its k nearest products, and what a history says through them.
//!
//! Item cosine: products are columns of the (user, product) matrix r of strengths, and
//! `cos(i, j) = Σ_u r_ui r_uj / (‖r_i‖ ‖r_j‖)` (Sarwar et al. 2001, "Item-based collaborative filtering
//! recommendation algorithms"). Only the k largest of each product are kept, ties by index.
//!
//! A history scores a product j by the sum of the similarities of those of *j's* k nearest that it holds. It matters whose k nearest
//! are counted: counted from the history's side (j is near to what I have), products that everybody has collect
//! votes from everywhere, and NDCG@10 on Online Retail (time20, k = 100) falls from 0.101 to 0.080. So the lists are kept
//! twice, by product for reading and by voice (the product of the history that speaks) for scoring.

use rayon::prelude::*;

use super::history::Histories;
use super::models::Linear;
use super::weighting::Weighting;

/// Places of a list that vote: no model counts more, and a voice that nobody hears takes more memory than its entry.
pub const VOTING: usize = 100;

/// Sparse lists of the k nearest, nearest first; the first [`VOTING`] of them also by voice.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Neighbours {
    /// The most neighbours a product has here.
    pub k: usize,
    offsets: Vec<usize>,
    entries: Vec<(u32, f32)>,
    voice_offsets: Vec<usize>,
    voices: Vec<Voice>,
}

/// One product speaking for another: the entry of a list, seen from its neighbour.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Voice {
    /// The product that is spoken for.
    pub product: u32,
    /// The place of the speaker in that product's list, from 0.
    pub place: u32,
    /// Their similarity.
    pub similarity: f32,
}

impl Neighbours {
    /// Lists given one by one, each already sorted and at most `k` long.
    pub fn from_rows(k: usize, rows: Vec<Vec<(u32, f32)>>) -> Neighbours {
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        offsets.push(0);
        let mut entries = Vec::with_capacity(rows.iter().map(Vec::len).sum());
        for row in rows {
            entries.extend(row);
            offsets.push(entries.len());
        }
        Neighbours::with_voices(k, offsets, entries)
    }

    /// The k nearest of every product by plain item cosine. A product is not its own neighbour.
    pub fn item_cosine(histories: &Histories, k: usize) -> Neighbours {
        Neighbours::weighted(histories, k, Weighting::Plain)
    }

    /// The k nearest of every product by the similarity of its weighted column.
    pub fn weighted(histories: &Histories, k: usize, weighting: Weighting) -> Neighbours {
        let products = histories.products;
        let buyers = Buyers::of(histories, weighting);
        let norms: Vec<f32> = (0..products)
            .map(|i| {
                if !weighting.is_cosine() {
                    return 1.0;
                }
                let squares = buyers
                    .of_product(i)
                    .iter()
                    .map(|&(_, r)| f64::from(r) * f64::from(r));
                squares.sum::<f64>().sqrt() as f32
            })
            .collect();
        Neighbours::of_products(products, k, |sums, i, row| {
            for &(user, r) in buyers.of_product(i) {
                for &(j, s) in buyers.of_user(user as usize) {
                    sums.add(j, r * s);
                }
            }
            sums.take(|j, sum| {
                if j as usize != i && norms[i] * norms[j as usize] > 0.0 {
                    row.push((j, sum / (norms[i] * norms[j as usize])));
                }
            });
        })
    }

    /// The `k` best of what `list` writes about every product: it gets sums that are all zero, which it must leave so (see
    /// [`Sums::take`]), the product, and an empty row.
    ///
    /// Every list is cut to length where it stays, in one block that all tasks share: rows of their own, each as long as all
    /// that was compared, would take many times the memory of what is kept.
    pub(super) fn of_products(
        products: usize,
        k: usize,
        list: impl Fn(&mut Sums, usize, &mut Vec<(u32, f32)>) + Sync,
    ) -> Neighbours {
        let most = k.clamp(1, products.max(1));
        let mut entries = vec![(0u32, 0.0f32); products * most];
        let mut lengths = vec![0usize; products];
        entries
            .par_chunks_exact_mut(most)
            .zip(&mut lengths)
            .enumerate()
            .for_each_init(
                || (Sums::over(products), Vec::new()),
                |(sums, row), (product, (kept, length))| {
                    row.clear();
                    list(sums, product, row);
                    keep_best(row, k.min(most));
                    kept[..row.len()].copy_from_slice(row);
                    *length = row.len();
                },
            );
        let mut offsets = Vec::with_capacity(products + 1);
        let mut end = 0;
        offsets.push(end);
        for (product, length) in lengths.into_iter().enumerate() {
            let begin = product * most;
            entries.copy_within(begin..begin + length, end);
            end += length;
            offsets.push(end);
        }
        entries.truncate(end);
        entries.shrink_to_fit();
        Neighbours::with_voices(k, offsets, entries)
    }

    fn with_voices(k: usize, offsets: Vec<usize>, entries: Vec<(u32, f32)>) -> Neighbours {
        let (voice_offsets, voices) = voices(&offsets, &entries);
        Neighbours {
            k,
            offsets,
            entries,
            voice_offsets,
            voices,
        }
    }

    /// Number of products.
    pub fn products(&self) -> usize {
        self.offsets.len() - 1
    }

    /// The neighbours of one product, nearest first, as (product, similarity).
    pub fn of(&self, product: usize) -> &[(u32, f32)] {
        &self.entries[self.offsets[product]..self.offsets[product + 1]]
    }

    /// The products that this one speaks for: those among whose `k` nearest (at most [`VOTING`]) it is, the nearest places
    /// first.
    pub fn spoken_for(&self, product: usize, k: usize) -> &[Voice] {
        let voices = &self.voices[self.voice_offsets[product]..self.voice_offsets[product + 1]];
        &voices[..voices.partition_point(|voice| (voice.place as usize) < k)]
    }

    /// Adds the votes of a profile of (product, weight) to `scores`, times `factor`; each product listens to its `k`
    /// nearest.
    pub fn add_scores(&self, profile: &[(u32, f32)], k: usize, factor: f32, scores: &mut [f32]) {
        for &(product, weight) in profile {
            let weight = weight * factor;
            for voice in self.spoken_for(product as usize, k) {
                scores[voice.product as usize] += weight * voice.similarity;
            }
        }
    }
}

/// A sum per product, most of them zero: the scratch space in which one product is compared with all others.
#[derive(Debug)]
pub(super) struct Sums {
    sums: Vec<f32>,
    touched: Vec<u32>,
}

impl Sums {
    fn over(products: usize) -> Sums {
        Sums {
            sums: vec![0.0; products],
            touched: Vec::new(),
        }
    }

    /// Adds to the sum of a product.
    pub(super) fn add(&mut self, product: u32, x: f32) {
        let sum = &mut self.sums[product as usize];
        if *sum == 0.0 {
            self.touched.push(product);
        }
        *sum += x;
    }

    /// Tells every product that was added to, with its sum, and sets the sums back to zero. A product whose sum was zero in
    /// between is told once more, with a sum of zero.
    pub(super) fn take(&mut self, mut tell: impl FnMut(u32, f32)) {
        for product in self.touched.drain(..) {
            tell(product, std::mem::take(&mut self.sums[product as usize]));
        }
    }
}

/// Neighbours of which the `k` nearest of each product vote.
#[derive(Debug, Clone, Copy)]
pub struct Nearest<'a> {
    /// The lists.
    pub lists: &'a Neighbours,
    /// How many of each count, at most [`VOTING`].
    pub k: usize,
}

impl Linear for Nearest<'_> {
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]) {
        self.lists.add_scores(profile, self.k, factor, scores);
    }

    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]) {
        let mut places: Vec<(u32, usize)> = profile.iter().map(|&(product, _)| product).zip(0..).collect();
        places.sort_unstable();
        for (place, &product) in products.iter().enumerate() {
            for &(neighbour, similarity) in self.lists.of(product as usize).iter().take(self.k.min(VOTING)) {
                if let Ok(found) = places.binary_search_by_key(&neighbour, |&(product, _)| product) {
                    let speaker = places[found].1;
                    table[speaker * products.len() + place] += profile[speaker].1 * factor * similarity;
                }
            }
        }
    }
}

/// The voting part of the lists turned round, each voice's entries by (place, product).
fn voices(offsets: &[usize], entries: &[(u32, f32)]) -> (Vec<usize>, Vec<Voice>) {
    let products = offsets.len() - 1;
    let voting = |product: usize| {
        let list = &entries[offsets[product]..offsets[product + 1]];
        &list[..list.len().min(VOTING)]
    };
    let mut starts = vec![0usize; products + 1];
    for &(speaker, _) in (0..products).flat_map(voting) {
        starts[speaker as usize + 1] += 1;
    }
    for product in 0..products {
        starts[product + 1] += starts[product];
    }
    let mut next = starts.clone();
    let mut voices = vec![
        Voice {
            product: 0,
            place: 0,
            similarity: 0.0
        };
        starts[products]
    ];
    for product in 0..products {
        for (place, &(speaker, similarity)) in voting(product).iter().enumerate() {
            let slot = &mut next[speaker as usize];
            voices[*slot] = Voice {
                product: product as u32,
                place: place as u32,
                similarity,
            };
            *slot += 1;
        }
    }
    for product in 0..products {
        voices[starts[product]..starts[product + 1]].sort_unstable_by_key(|v| (v.place, v.product));
    }
    (starts, voices)
}

/// Cuts a list to its `k` best, best first: by value downwards, ties by index.
pub fn keep_best(row: &mut Vec<(u32, f32)>, k: usize) {
    let order = |a: &(u32, f32), b: &(u32, f32)| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0));
    if k == 0 {
        row.clear();
    } else if row.len() > k {
        row.select_nth_unstable_by(k - 1, order);
        row.truncate(k);
    }
    row.sort_unstable_by(order);
}

/// The matrix of strengths by user and by product.
struct Buyers {
    by_user: (Vec<usize>, Vec<(u32, f32)>),
    by_product: (Vec<usize>, Vec<(u32, f32)>),
}

impl Buyers {
    fn of(histories: &Histories, weighting: Weighting) -> Buyers {
        let weigh = weighting.over(histories);
        let mut offsets = vec![0];
        let mut entries = Vec::with_capacity(histories.all().len());
        let mut counts = vec![0usize; histories.products + 1];
        for user in 0..histories.users() {
            for signal in histories.of(user).iter().filter(|s| s.strength > 0.0) {
                let weight = weigh(user, signal.product as usize, signal.strength);
                if weight <= 0.0 {
                    continue; // a user who has everything tells nothing apart
                }
                entries.push((signal.product, weight));
                counts[signal.product as usize + 1] += 1;
            }
            offsets.push(entries.len());
        }
        for product in 0..histories.products {
            counts[product + 1] += counts[product];
        }
        let mut next = counts.clone();
        let mut columns = vec![(0u32, 0.0f32); entries.len()];
        for user in 0..histories.users() {
            for &(product, strength) in &entries[offsets[user]..offsets[user + 1]] {
                columns[next[product as usize]] = (user as u32, strength);
                next[product as usize] += 1;
            }
        }
        Buyers {
            by_user: (offsets, entries),
            by_product: (counts, columns),
        }
    }

    fn of_user(&self, user: usize) -> &[(u32, f32)] {
        &self.by_user.1[self.by_user.0[user]..self.by_user.0[user + 1]]
    }

    fn of_product(&self, product: usize) -> &[(u32, f32)] {
        &self.by_product.1[self.by_product.0[product]..self.by_product.0[product + 1]]
    }
}

#[cfg(test)]
mod tests {
    use super::super::log::{Interaction, Kind, Log, Strengths};
    use super::*;

    fn histories(pairs: &[(u32, u32)], users: usize, products: usize) -> Histories {
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
                basket: 0,
                line: line as u32,
            });
        Histories::build(
            &Log::new(users, products, events.collect()),
            &Strengths::default(),
            |_| true,
        )
    }

    #[test]
    fn cosines_by_hand() {
        // Buyers: product 0 of {0, 1, 2}, 1 of {0, 1}, 2 of {2}, 3 of nobody.
        let h = histories(&[(0, 0), (1, 0), (2, 0), (0, 1), (1, 1), (2, 2)], 3, 4);
        let near = Neighbours::item_cosine(&h, 10);
        let expected = [(1, 2.0 / 6f32.sqrt()), (2, 1.0 / 3f32.sqrt())];
        for (found, expected) in near.of(0).iter().zip(expected) {
            assert_eq!(found.0, expected.0);
            assert!((found.1 - expected.1).abs() < 1e-6);
        }
        assert_eq!(near.of(1).len(), 1);
        assert!(near.of(3).is_empty());
        // With k = 1, product 0 listens to product 1 only; product 2 still listens to product 0.
        let mut scores = [0.0; 4];
        near.add_scores(&[(2, 1.0)], 1, 1.0, &mut scores);
        assert_eq!(scores, [0.0; 4]);
        near.add_scores(&[(0, 2.0)], 1, 1.0, &mut scores);
        assert!((scores[2] - 2.0 / 3f32.sqrt()).abs() < 1e-6);
        assert_eq!(scores[0], 0.0);
    }

    #[test]
    fn a_list_is_longer_than_its_voting_part() {
        let products = VOTING + 50;
        let list = (1..products as u32).map(|other| (other, 1.0 / other as f32));
        let mut rows = vec![Vec::new(); products];
        rows[0] = list.collect();
        let near = Neighbours::from_rows(products, rows);
        assert_eq!(near.of(0).len(), products - 1);
        let places = |speaker: usize| near.spoken_for(speaker, usize::MAX).iter().map(|v| v.place);
        assert_eq!(places(VOTING).collect::<Vec<_>>(), [VOTING as u32 - 1]);
        assert_eq!(places(VOTING + 1).count(), 0);
    }

    #[test]
    fn equals_the_definition_on_random_pairs() {
        let mut random = fastrand::Rng::with_seed(3);
        let mut pairs: Vec<(u32, u32)> = (0..400).map(|_| (random.u32(0..30), random.u32(0..25))).collect();
        pairs.sort_unstable();
        pairs.dedup();
        let near = Neighbours::item_cosine(&histories(&pairs, 30, 25), 25);
        let buyers = |i: u32| {
            pairs
                .iter()
                .filter(move |p| p.1 == i)
                .map(|p| p.0)
                .collect::<Vec<_>>()
        };
        for i in 0..25u32 {
            for &(j, similarity) in near.of(i as usize) {
                let (a, b) = (buyers(i), buyers(j));
                let both = a.iter().filter(|u| b.contains(u)).count() as f64;
                let cosine = both / (a.len() as f64 * b.len() as f64).sqrt();
                assert!((f64::from(similarity) - cosine).abs() < 1e-6);
            }
        }
    }
}
