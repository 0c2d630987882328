//! Sub-words of both scripts, learned from the shop's own words, and what can only be copied.
//!
//! A text is cut into segments ([`super::segments`]). The space before one belongs to it. Words and runs are spelled in sub-words, by
//! merges of frequent pairs ([`super::merges`]); the rest are symbols of their own. Figures, and
//! characters and holes that are not in the vocabulary, have numbers from [`Pieces::len`] on, given by the texts they stand
//! in ([`Names`]): a network can copy them, never make them. What it may say of itself are words that stand in the replies
//! to at least [`Public::CUSTOMERS`](super::super::private::Public::CUSTOMERS) customers: the *lexicon*. So no name, number
//! or code of a single customer is in a vocabulary, and none can be put together from sub-words.

use super::super::private::Public;
use super::merges::Merges;
use super::segments::{Segment, cut};
use crate::text::is_cjk;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The filling of a shorter text.
pub(super) const NOTHING: u32 = 0;
/// Before the first piece.
pub(super) const BEGIN: u32 = 1;
/// After the last piece.
pub(super) const END: u32 = 2;
/// What a figure looks like to the network.
pub(super) const FIGURE: u32 = 3;
/// What any other symbol without a number looks like to it.
pub(super) const UNKNOWN: u32 = 4;
/// Numbers with a meaning of their own.
pub(super) const SPECIAL: u32 = 5;

/// Longest sub-word in characters, with the space before it: words, and runs of scripts without spaces.
const LONGEST: (usize, usize) = (16, 6);

/// The vocabulary.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept", into = "Kept")]
pub(super) struct Pieces {
    /// Text of each number; of the special ones none.
    texts: Vec<String>,
    /// Numbers of what is one symbol: characters, line ends, holes; each with the space before it or without.
    symbols: HashMap<String, u32>,
    merges: Merges,
    /// Words that stand in replies to several customers, sorted.
    lexicon: Vec<String>,
}

/// What of it is kept.
#[derive(Clone, Serialize, Deserialize)]
struct Kept {
    symbols: Vec<String>,
    merges: Vec<(u32, u32)>,
    lexicon: Vec<String>,
}

impl From<Kept> for Pieces {
    fn from(kept: Kept) -> Self {
        let mut texts = vec![String::new(); SPECIAL as usize];
        let symbols = kept.symbols.iter().cloned().zip(SPECIAL..).collect();
        texts.extend(kept.symbols);
        let first = texts.len() as u32;
        for (a, b) in &kept.merges {
            // A merge of what is not there, or longer than any (a damaged artefact), is an empty text: doubled sixty times, a letter
            // would fill all memory.
            let of = |n: u32| texts.get(n as usize).map_or("", String::as_str);
            let (a, b) = (of(*a), of(*b));
            let fits = a.len() + b.len() <= 4 * LONGEST.0;
            texts.push(if fits { format!("{a}{b}") } else { String::new() });
        }
        Pieces {
            texts,
            symbols,
            merges: Merges::new(first, kept.merges),
            lexicon: kept.lexicon,
        }
    }
}

impl From<Pieces> for Kept {
    fn from(pieces: Pieces) -> Self {
        let merges = pieces.merges.pairs().to_vec();
        Kept {
            symbols: pieces.texts[SPECIAL as usize..pieces.texts.len() - merges.len()].to_vec(),
            merges,
            lexicon: pieces.lexicon,
        }
    }
}

/// Names of symbols without a number in the vocabulary, as the texts at hand bring them.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    texts: Vec<String>,
    numbers: HashMap<String, u32>,
}

/// A text by its customer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Told<'a> {
    pub customer: &'a str,
    pub text: &'a str,
    /// Whether the shop said it.
    pub reply: bool,
}

/// What is known of a word or symbol while counting: how often, and its first customers.
#[derive(Default)]
struct Count<'a> {
    times: u64,
    customers: BTreeSet<&'a str>,
    /// Customers who read it in a reply.
    told: BTreeSet<&'a str>,
}

impl<'a> Count<'a> {
    fn add(&mut self, one: &Told<'a>) {
        self.times += 1;
        let few = Public::CUSTOMERS;
        if self.customers.len() < few {
            self.customers.insert(one.customer);
        }
        if one.reply && self.told.len() < few {
            self.told.insert(one.customer);
        }
    }
}

impl Pieces {
    /// Learns a vocabulary of at most `size` pieces from cleaned texts.
    pub(super) fn learn(texts: &[Told<'_>], size: usize) -> Pieces {
        let mut words: BTreeMap<(bool, &str), Count<'_>> = BTreeMap::new();
        let mut marks: BTreeMap<(bool, &str), Count<'_>> = BTreeMap::new();
        for one in texts {
            cut(one.text, |space, segment| match segment {
                Segment::Word(word) => words.entry((space, word)).or_default().add(one),
                Segment::Symbol(mark) => marks.entry((space, mark)).or_default().add(one),
                Segment::Figure(_) => {}
            });
        }
        let common = |count: &Count<'_>| count.customers.len() >= Public::CUSTOMERS;
        words.retain(|_, count| common(count));
        let spaced = |space: bool, text: &str| {
            if space {
                format!(" {text}")
            } else {
                text.to_owned()
            }
        };
        let mut symbols: BTreeSet<String> = BTreeSet::from([" ".to_owned()]);
        symbols.extend(
            marks
                .iter()
                .filter(|one| common(one.1))
                .map(|(&(space, mark), _)| spaced(space, mark)),
        );
        symbols.extend(words.keys().flat_map(|(_, word)| word.chars()).map(String::from));
        let symbols: Vec<String> = symbols.into_iter().collect();
        let mut pieces = Pieces::from(Kept {
            symbols,
            merges: Vec::new(),
            lexicon: Vec::new(),
        });
        let mut spelled: BTreeMap<Vec<u32>, u64> = BTreeMap::new();
        for ((space, word), count) in &words {
            let letters = pieces.letters(&spaced(*space, word));
            *spelled.entry(letters).or_default() += count.times;
        }
        // Length and script of each symbol, as merges make new ones.
        let first = pieces.texts.len() as u32;
        let of = |text: &String| (text.chars().count(), text.chars().any(is_cjk));
        let mut known: Vec<(usize, bool)> = pieces.texts.iter().map(of).collect();
        let most = size.saturating_sub(pieces.texts.len());
        let merges = Merges::learn(first, &spelled, most, |a, b| {
            let (a, b) = (known[a as usize], known[b as usize]);
            let new = (a.0 + b.0, a.1 || b.1);
            let fits = new.0 <= if new.1 { LONGEST.1 } else { LONGEST.0 };
            if fits {
                known.push(new);
            }
            fits
        });
        pieces = Pieces::from(Kept {
            merges: merges.pairs().to_vec(),
            ..Kept::from(pieces)
        });
        let mut lexicon: Vec<String> = words
            .iter()
            .filter(|(_, count)| count.told.len() >= Public::CUSTOMERS)
            .map(|((_, word), _)| (*word).to_owned())
            .collect();
        lexicon.sort();
        lexicon.dedup();
        pieces.lexicon = lexicon;
        pieces
    }

    /// Pieces; the numbers from here on are names.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    /// Whether the merges are of what is there, and what is searched is sorted: false for a damaged artefact.
    pub(super) fn is_sound(&self) -> bool {
        let first = self.texts.len() - self.merges.pairs().len();
        (first..)
            .zip(self.merges.pairs())
            .all(|(n, (a, b))| (*a as usize) < n && (*b as usize) < n && !self.texts[n].is_empty())
            && self.lexicon.is_sorted()
    }

    fn letters(&self, word: &str) -> Vec<u32> {
        let mut buffer = [0; 4];
        word.chars()
            .map(|letter| {
                let text: &str = letter.encode_utf8(&mut buffer);
                self.symbols.get(text).copied().unwrap_or(UNKNOWN)
            })
            .collect()
    }

    /// The numbers of a text's pieces. `names` numbers what the vocabulary lacks; a character of a word that it lacks makes the
    /// whole word a name.
    pub(super) fn spell(&self, text: &str, names: &mut Names) -> Vec<u32> {
        let mut spelled = Vec::with_capacity(text.len() / 3);
        let mut whole = String::new();
        cut(text, |space, segment| {
            whole.clear();
            whole.extend(space.then_some(' '));
            whole.push_str(segment.text());
            let known = match segment {
                Segment::Word(_) => {
                    let letters = self.letters(&whole);
                    let lacks = letters.contains(&UNKNOWN);
                    (!lacks).then(|| self.merges.apply(letters))
                }
                Segment::Symbol(_) => self.symbols.get(&whole).map(|number| vec![*number]),
                Segment::Figure(_) => None,
            };
            match known {
                Some(known) => spelled.extend(known),
                None => spelled.push(self.len() as u32 + names.number(&whole)),
            }
        });
        spelled
    }

    /// What a number looks like to the network.
    pub(super) fn seen(&self, number: u32, names: &Names) -> u32 {
        match self.name(number, names) {
            None => number,
            Some(name) if name.contains(char::is_numeric) => FIGURE,
            Some(_) => UNKNOWN,
        }
    }

    fn name<'n>(&self, number: u32, names: &'n Names) -> Option<&'n str> {
        let at = (number as usize).checked_sub(self.len())?;
        names.texts.get(at).map(String::as_str)
    }

    /// The text of a number; empty for the special ones.
    pub(super) fn text<'n>(&'n self, number: u32, names: &'n Names) -> &'n str {
        match self.name(number, names) {
            Some(name) => name,
            None => self.texts.get(number as usize).map_or("", String::as_str),
        }
    }

    /// The text of numbers.
    pub(super) fn read(&self, numbers: &[u32], names: &Names) -> String {
        let text: String = numbers.iter().map(|&number| self.text(number, names)).collect();
        text.trim().to_owned()
    }

    /// Words that the shop wrote to several customers, sorted.
    pub(super) fn lexicon(&self) -> &[String] {
        &self.lexicon
    }
}

impl Names {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    fn number(&mut self, text: &str) -> u32 {
        if let Some(number) = self.numbers.get(text) {
            return *number;
        }
        let number = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.numbers.insert(text.to_owned(), number);
        number
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vocabulary() -> Pieces {
        let said = [
            "Your parcel is on its way, Zebulon. Order [order number] leaves on 3 May.",
            "Your parcel is on its way. Order [order number] leaves today.",
            "Your parcel waits. Order [order number] leaves today. 您好，包裹已发出。",
            "您好，包裹已发出。",
            "您好，包裹已发出。 Zebulon Zebulon",
        ];
        let texts: Vec<Told<'_>> = said
            .iter()
            .zip(["a", "b", "c", "d", "a"])
            .map(|(text, customer)| Told {
                customer,
                text,
                reply: true,
            })
            .collect();
        Pieces::learn(&texts, 200)
    }

    #[test]
    fn a_text_comes_back_and_figures_are_names() {
        let pieces = vocabulary();
        let mut names = Names::default();
        for text in [
            "Your parcel is on its way.",
            "Order [order number] waits, Zebulon: 17-B!\n\n您好，包裹已发出。",
            "包裹 Your\nx 🙂 é",
        ] {
            let spelled = pieces.spell(text, &mut names);
            assert_eq!(pieces.read(&spelled, &names), text);
        }
        let spelled = pieces.spell("parcel 17-B Zebulon", &mut names);
        let seen: Vec<u32> = spelled
            .iter()
            .map(|&number| pieces.seen(number, &names))
            .collect();
        assert_eq!(
            seen[seen.len() - 2..],
            [FIGURE, UNKNOWN],
            "no letter Z in anybody's word: one name"
        );
        // What is frequent is one piece; equal figures have equal names.
        assert_eq!(pieces.spell(" Your", &mut names).len(), 1);
        assert_eq!(
            pieces.spell("x 17-B", &mut names).last(),
            spelled.get(spelled.len() - 2)
        );
    }

    #[test]
    fn what_few_customers_read_is_not_in_the_vocabulary() {
        let pieces = vocabulary();
        assert!(
            pieces
                .texts
                .iter()
                .all(|text| !text.contains("Zeb") && !text.contains(char::is_numeric))
        );
        assert!(pieces.lexicon().binary_search(&"parcel".to_owned()).is_ok());
        assert!(
            pieces.lexicon().binary_search(&"way".to_owned()).is_err(),
            "two customers"
        );
        assert!(pieces.lexicon().binary_search(&"Zebulon".to_owned()).is_err());
        assert!(pieces.texts.iter().all(|text| text.chars().count() <= 16));
    }

    #[test]
    fn what_is_kept_is_what_was_learned() {
        let pieces = vocabulary();
        let bytes = postcard::to_stdvec(&pieces).unwrap();
        let again: Pieces = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(again, pieces);
        assert!(again.is_sound());
        let damaged = Pieces::from(Kept {
            symbols: vec!["a".into()],
            merges: vec![(5, 99)],
            lexicon: Vec::new(),
        });
        assert!(!damaged.is_sound());
        let doubled = Pieces::from(Kept {
            symbols: vec!["a".into()],
            merges: (5..3000).map(|n| (n, n)).collect(),
            lexicon: Vec::new(),
        });
        assert!(!doubled.is_sound());
        assert_eq!(Pieces::learn(&[], 100).len(), SPECIAL as usize + 1);
    }
}
