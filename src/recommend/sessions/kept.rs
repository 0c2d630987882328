//! The session model as it is published: what stays with a generation, so that a session under way can be answered by day.
//!
//! It is the night's own model and answers as the night does, to the bit. What is left out is what nobody can ask for: of
//! the sessions only those among the latest of some product are ever looked at ([`super::knn`] and [`super::context`] read
//! so many of each product, no more). Everything else is sparse lists already. In a shop whose lists would take more than
//! [`MOST`] entries they are cut, all to the same length; then it answers as those shorter lists do, and says so
//! ([`Kept::cut`]). Where a network takes part, its bytes follow those of the lists.
//!
//! What is read back is not trusted: every index, length and number is looked at before anything is computed.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::blend::{COMPONENTS, Fitted, NETWORK, Weights, Words};
use super::context::{self, Context};
use super::knn::{self, Knn};
use super::network::Network;
use super::rules::Rules;
use super::{LONGEST, Sessions};
use crate::recommend::neighbours::keep_best;

/// Under which name it is kept with its generation.
pub const NAME: &str = "sessions";
/// Version of its bytes.
pub const FORMAT: i64 = 2;
/// Entries of all lists together, about 6 bytes each.
pub const MOST: usize = 10_000_000;

/// The stored form.
#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    /// The keys of the products, by index.
    keys: Cow<'a, [i64]>,
    weights: Cow<'a, [f64]>,
    /// The length to which lists were cut; none = not at all.
    cut: Option<u32>,
    rules: Lists<'a>,
    pairs: Lists<'a>,
    windows: Lists<'a>,
    words: Lists<'a>,
    popular: Cow<'a, [(u32, f32)]>,
    idf: Cow<'a, [f32]>,
    /// The sessions that are looked at, the oldest first, and what each counts.
    paths: Vec<Cow<'a, [u32]>>,
    worth: Vec<f32>,
}

/// A list for every product.
type Lists<'a> = Vec<Cow<'a, [(u32, f32)]>>;

/// A session model read back.
#[derive(Debug)]
pub struct Kept {
    fitted: Fitted<'static>,
    weights: Weights,
    keys: Vec<i64>,
    index: HashMap<i64, u32>,
    cut: Option<u32>,
}

/// The stored form of a fitted model: `keys` are those of the products, `sessions` those it was fitted on.
pub fn to_bytes(
    fitted: &Fitted<'_>,
    weights: &Weights,
    keys: &[i64],
    sessions: &Sessions,
) -> Result<Vec<u8>, postcard::Error> {
    let products = keys.len() as u32;
    type Of<'a> = &'a dyn Fn(u32) -> &'a [(u32, f32)];
    let all: [Of<'_>; 4] = [
        &|product| fitted.rules.of(product),
        &|product| fitted.pairs.of(product),
        &|product| fitted.windows.of(product),
        &|product| fitted.words.of(product),
    ];
    let lengths = all
        .iter()
        .flat_map(|of| (0..products).map(move |product| of(product).len()));
    let cut = cut(lengths.collect(), MOST);
    let lists = |of: Of<'_>| -> Lists<'_> {
        let list = |product| {
            let list = of(product);
            Cow::Owned(list[..list.len().min(cut.unwrap_or(usize::MAX))].to_vec())
        };
        (0..products).map(list).collect()
    };
    let asked = asked_for(sessions);
    let mut bytes = postcard::to_stdvec(&Stored {
        keys: keys.into(),
        weights: weights.as_slice().into(),
        cut: cut.map(|cut| cut as u32),
        rules: lists(all[0]),
        pairs: lists(all[1]),
        windows: lists(all[2]),
        words: lists(all[3]),
        popular: fitted.popular.as_slice().into(),
        idf: fitted.knn.idf.as_slice().into(),
        paths: asked
            .iter()
            .map(|&number| Cow::Borrowed(sessions.all[number].as_slice()))
            .collect(),
        worth: asked.iter().map(|&number| fitted.context.worth[number]).collect(),
    })?;
    if let Some(network) = &fitted.network {
        bytes.extend(network.to_bytes());
    }
    Ok(bytes)
}

/// The longest length at which lists of these lengths have at most `most` entries together; none = as they are.
fn cut(mut lengths: Vec<usize>, most: usize) -> Option<usize> {
    if lengths.iter().sum::<usize>() <= most {
        return None;
    }
    lengths.sort_unstable();
    let (mut shorter, lists) = (0, lengths.len());
    for (number, &length) in lengths.iter().enumerate() {
        // All lists from here on would be cut to less than this one.
        if shorter + length * (lists - number) > most {
            return Some((most - shorter) / (lists - number));
        }
        shorter += length;
    }
    None
}

/// The sessions that any question can reach, ascending.
fn asked_for(sessions: &Sessions) -> Vec<usize> {
    let most = knn::SAMPLE.max(context::SAMPLE);
    let mut held = vec![0usize; sessions.products];
    let mut asked: Vec<usize> = Vec::new();
    for (number, path) in sessions.all.iter().enumerate().rev() {
        if path.iter().any(|&product| held[product as usize] < most) {
            asked.push(number);
        }
        for &product in path {
            held[product as usize] += 1;
        }
    }
    asked.reverse();
    asked
}

impl Kept {
    /// Reads the stored form.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Kept, String> {
        let (stored, network): (Stored<'_>, &[u8]) =
            postcard::take_from_bytes(bytes).map_err(|error| error.to_string())?;
        let products = stored.keys.len();
        let fine = |(product, score): &(u32, f32)| (*product as usize) < products && score.is_finite();
        let lists = |of: Lists<'_>, what: &str| -> Result<Rules, String> {
            if of.len() != products || !of.iter().all(|list| list.iter().all(fine)) {
                return Err(format!("the {what} name products that are none"));
            }
            Ok(Rules(of.into_iter().map(Cow::into_owned).collect()))
        };
        let weights: Weights = stored
            .weights
            .as_ref()
            .try_into()
            .map_err(|_| format!("it has no {COMPONENTS} weights"))?;
        if !weights.iter().all(|weight| weight.is_finite() && *weight >= 0.0) {
            return Err("its weights are no weights".into());
        }
        let paths: Vec<Vec<u32>> = stored.paths.into_iter().map(Cow::into_owned).collect();
        let in_shop = |path: &Vec<u32>| {
            (2..=LONGEST).contains(&path.len()) && path.iter().all(|&product| (product as usize) < products)
        };
        let numbers = stored.idf.iter().chain(&stored.worth);
        if paths.len() != stored.worth.len()
            || stored.idf.len() != products
            || !paths.iter().all(in_shop)
            || !stored.popular.iter().all(fine)
            || !numbers.into_iter().all(|number| number.is_finite())
        {
            return Err("its sessions do not belong to its products".into());
        }
        let index: HashMap<i64, u32> = stored.keys.iter().copied().zip(0..).collect();
        if index.len() != products {
            return Err("two of its products have the same key".into());
        }
        let paths = Arc::new(paths);
        let network = match network {
            [] if weights[NETWORK] > 0.0 => return Err("its network is missing".into()),
            [] => None,
            bytes => Some(Cow::Owned(Network::from_bytes(bytes, products)?)),
        };
        Ok(Kept {
            fitted: Fitted {
                rules: lists(stored.rules, "rules")?,
                pairs: lists(stored.pairs, "pairs")?,
                windows: lists(stored.windows, "windows")?,
                words: Words::Kept(lists(stored.words, "words")?),
                popular: stored.popular.into_owned(),
                knn: Knn::over(Arc::clone(&paths), stored.idf.into_owned()),
                context: Context::over(paths, products, stored.worth),
                network,
            },
            weights,
            keys: stored.keys.into_owned(),
            index,
            cut: stored.cut,
        })
    }

    /// The length to which its lists were cut to keep it small; none = it is the night's model whole.
    pub fn cut(&self) -> Option<u32> {
        self.cut
    }

    /// What comes next in a session that met these products (by key, the latest last), at most `most`, the likeliest first. A
    /// product met again counts where it was met last; those the model does not know are passed over.
    ///
    /// Where what followed such sessions ends, products with like words go on, then those popular in the latest sessions, all
    /// of them below the last score before them.
    pub fn next(&self, met: &[i64], most: usize) -> Vec<(i64, f32)> {
        let mut seen = HashSet::new();
        let known = met.iter().rev().filter_map(|key| self.index.get(key).copied());
        let mut path: Vec<u32> = known.filter(|&p| seen.insert(p)).take(LONGEST).collect();
        path.reverse();
        let mut rows = self.fitted.next(&path, &self.weights, most);
        let mut known: HashSet<u32> = path.iter().copied().collect();
        known.extend(rows.iter().map(|&(product, _)| product));
        let alike = path
            .iter()
            .rev()
            .flat_map(|&product| self.fitted.words.of(product));
        go_on(&mut rows, most, &mut known, alike);
        go_on(&mut rows, most, &mut known, &self.fitted.popular);
        rows.into_iter()
            .map(|(product, score)| (self.keys[product as usize], score))
            .collect()
    }
}

/// Fills a list up with others, each once, scores falling from below its last.
fn go_on<'a>(
    rows: &mut Vec<(u32, f32)>,
    most: usize,
    known: &mut HashSet<u32>,
    others: impl IntoIterator<Item = &'a (u32, f32)>,
) {
    if rows.len() >= most {
        return;
    }
    let last = rows.last().map_or(1.0, |&(_, score)| score) * 0.9;
    let mut more: Vec<(u32, f32)> = others
        .into_iter()
        .filter(|(product, score)| *score > 0.0 && known.insert(*product))
        .copied()
        .collect();
    let largest = more.iter().map(|&(_, score)| score).fold(0.0f32, f32::max);
    more.iter_mut()
        .for_each(|(_, score)| *score = *score / largest * last);
    keep_best(&mut more, most - rows.len());
    rows.extend(more);
}

#[cfg(test)]
mod tests {
    use super::super::judge::only;
    use super::super::network::Options;
    use super::*;
    use crate::fit::Control;
    use crate::recommend::neighbours::Neighbours;

    /// Sessions that wander about neighbouring products, and words that are like those of a few others.
    fn shop(products: usize, sessions: usize) -> (Sessions, Neighbours) {
        let mut random = fastrand::Rng::with_seed(5);
        let mut all = Vec::new();
        while all.len() < sessions {
            let mut at = random.usize(..products);
            let mut path: Vec<u32> = Vec::new();
            for _ in 0..random.usize(2..7) {
                if !path.contains(&(at as u32)) {
                    path.push(at as u32);
                }
                at = (at + random.usize(1..4)) % products;
            }
            if path.len() > 1 {
                all.push(path);
            }
        }
        let alike = |product: usize| {
            let others = (1..6).map(|step| (((product + 7 * step) % products) as u32, 1.0 / step as f32));
            others.filter(|other| other.0 != product as u32).collect()
        };
        let words = Neighbours::from_rows(5, (0..products).map(alike).collect());
        (Sessions::new(products, all), words)
    }

    fn keys(products: usize) -> Vec<i64> {
        (0..products as i64).map(|key| 3 * key + 7).collect()
    }

    #[test]
    fn it_answers_as_the_night_does_to_the_bit() {
        let (sessions, words) = shop(23, 9000);
        let fitted = Fitted::fit(&sessions, &words, None);
        let keys = keys(sessions.products);
        assert!(
            asked_for(&sessions).len() < sessions.all.len(),
            "nothing is left out"
        );
        for weights in [[1.0, 0.3, 0.5, 0.3, 0.7, 0.03, 1.0, 1.5, 0.0], only(3), only(7)] {
            let bytes = to_bytes(&fitted, &weights, &keys, &sessions).unwrap();
            let kept = Kept::from_bytes(&bytes).unwrap();
            assert_eq!(kept.cut(), None);
            for path in sessions.all.iter().rev().take(200) {
                let expected = fitted.next(path, &weights, 12);
                let met: Vec<i64> = path.iter().map(|&product| keys[product as usize]).collect();
                let found = kept.next(&met, 12);
                let bits = |score: f32| score.to_bits();
                assert!(!expected.is_empty());
                for (expected, found) in expected.iter().zip(&found) {
                    assert_eq!(
                        (keys[expected.0 as usize], bits(expected.1)),
                        (found.0, bits(found.1))
                    );
                }
            }
        }
    }

    #[test]
    fn its_network_answers_as_the_night_does_to_the_bit() {
        let (sessions, words) = shop(23, 700);
        let options = Options {
            width: 8,
            epochs: 2,
            ..Options::default()
        };
        let network = Network::learn(&sessions, &options, None, &Control::unbounded()).unwrap();
        let fitted = Fitted::fit(&sessions, &words, Some(&network));
        let keys = keys(sessions.products);
        for weights in [only(NETWORK), [1.0; COMPONENTS]] {
            let bytes = to_bytes(&fitted, &weights, &keys, &sessions).unwrap();
            let kept = Kept::from_bytes(&bytes).unwrap();
            for path in sessions.all.iter().take(100) {
                let met: Vec<i64> = path.iter().map(|&product| keys[product as usize]).collect();
                let of_night = fitted.next(path, &weights, 12).into_iter();
                let of_night: Vec<_> = of_night
                    .map(|(p, score)| (keys[p as usize], score.to_bits()))
                    .collect();
                let found: Vec<_> = kept
                    .next(&met, 12)
                    .into_iter()
                    .map(|(p, score)| (p, score.to_bits()))
                    .collect();
                assert_eq!(found[..of_night.len()], of_night);
            }
            // Without its network, with half of it, or with somebody else's.
            let own = network.to_bytes().len();
            for cut in [own, own / 2] {
                assert!(Kept::from_bytes(&bytes[..bytes.len() - cut]).is_err());
            }
            let (fewer, _) = shop(22, 700);
            let other = Network::learn(&fewer, &options, None, &Control::unbounded()).unwrap();
            let swapped = [&bytes[..bytes.len() - own], &other.to_bytes()].concat();
            assert!(Kept::from_bytes(&swapped).unwrap_err().contains("23 products"));
        }
    }

    #[test]
    fn a_list_goes_on_where_the_model_ends() {
        let (sessions, words) = shop(40, 60);
        let fitted = Fitted::fit(&sessions, &words, None);
        let keys = keys(sessions.products);
        let bytes = to_bytes(&fitted, &only(0), &keys, &sessions).unwrap();
        let kept = Kept::from_bytes(&bytes).unwrap();
        for met in [vec![], vec![-1], vec![keys[0]], vec![keys[3], keys[3], keys[5]]] {
            let rows = kept.next(&met, 25);
            assert_eq!(rows.len(), 25, "{met:?}");
            assert!(rows.windows(2).all(|two| two[0].1 >= two[1].1), "{rows:?}");
            let products: HashSet<i64> = rows.iter().map(|row| row.0).collect();
            assert_eq!(products.len(), 25);
            assert!(met.iter().all(|key| !products.contains(key)));
        }
    }

    #[test]
    fn what_is_read_back_is_not_trusted() {
        let (sessions, words) = shop(12, 60);
        let fitted = Fitted::fit(&sessions, &words, None);
        let bytes = to_bytes(&fitted, &only(0), &keys(12), &sessions).unwrap();
        let mut random = fastrand::Rng::with_seed(1);
        for _ in 0..2000 {
            let mut spoilt = bytes.clone();
            for _ in 0..random.usize(1..4) {
                let at = random.usize(..spoilt.len());
                spoilt[at] = random.u8(..);
            }
            spoilt.truncate(random.usize(spoilt.len() / 2..=spoilt.len()));
            if let Ok(kept) = Kept::from_bytes(&spoilt) {
                kept.next(&[7, 10, 13], 20);
            }
        }
        assert!(Kept::from_bytes(&[]).is_err());
    }

    #[test]
    fn lists_are_cut_where_there_are_too_many() {
        assert_eq!(cut(vec![5, 1, 9], 15), None);
        assert_eq!(cut(vec![5, 1, 9], 14), Some(8));
        assert_eq!(cut(vec![5, 1, 9], 10), Some(4));
        assert_eq!(cut(vec![5, 1, 9], 2), Some(0));
        assert_eq!(cut(vec![], 0), None);
    }
}
