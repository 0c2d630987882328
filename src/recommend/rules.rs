//! Rules: the shop people's word over the models'.
//!
//! A rule of the table `rules` becomes a [`Rule`] over indices: an [`Action`] on some products, in force for one result
//! or all, one customer or all, one product page or all. [`Rules::of`] gathers those of one result view once, so
//! that the [`Wishes`] of each of its lists are two look-ups however many rules there are: a shop may keep one for every
//! product that every customer sent back.
//!
//! What the actions mean, in every list alike:
//!
//! - *block* keeps products out;
//! - *pin* puts a product to a place, past everything but a block, what cannot be sold, and a customer's own dismissal; one for
//!   every list stands in all but `bought_together`, whose rows claim something about baskets;
//! - *boost* multiplies scores before they are ranked;
//! - *never together* keeps a product and some others out of one list: whichever comes first stays (a pin comes before all
//!   rows of a model). On a product's page that product is in the list, so to speak, from the start.

use std::collections::BTreeMap;

/// The customer of rules for the visitor nobody knows.
pub const VISITOR: u32 = u32::MAX;

/// What a rule does to its products.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Keeps them out.
    Block,
    /// Puts the product to this place, from 1.
    Pin(usize),
    /// Multiplies their scores.
    Boost(f32),
    /// Keeps each of them out of the lists that hold one of these.
    NeverWith(Vec<u32>),
}

/// One rule in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// The result view it is for; `None` for all.
    pub result: Option<String>,
    /// The customer it is for, [`VISITOR`] for the visitor nobody knows; `None` for all.
    pub user: Option<u32>,
    /// The product page it is for; `None` for all, lists of no page included.
    pub page: Option<u32>,
    /// The products it acts on.
    pub products: Vec<u32>,
}

/// All rules of a night, in the order they were written.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(pub Vec<Rule>);

/// What several boosts of one product multiply to at most, so that a score times its factor stays a number.
const MOST_BOOST: f32 = 1e12;

/// A pinned product.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Pin {
    place: usize,
    /// Of two pins to one place the later rule stands first.
    earlier: std::cmp::Reverse<usize>,
    product: u32,
}

/// Rules that hold for one customer or page, or (as [`OfView::common`]) for all.
#[derive(Debug, Clone, Default)]
struct Own {
    /// Ascending.
    blocks: Vec<u32>,
    /// By product; several rules for one multiply, up to [`MOST_BOOST`].
    boosts: BTreeMap<u32, f32>,
    pins: Vec<Pin>,
    /// The products each never-together rule speaks of: its number and whether the product is on its first side.
    sides: BTreeMap<u32, Vec<(usize, bool)>>,
}

/// The rules of one result view.
#[derive(Debug, Clone)]
pub struct OfView {
    common: Own,
    users: BTreeMap<u32, Own>,
    pages: BTreeMap<u32, Own>,
}

/// The rules in force for one list.
#[derive(Debug, Clone, Copy)]
pub struct Wishes<'a> {
    common: &'a Own,
    own: Option<&'a Own>,
}

impl Rules {
    /// The rules that act on a result view. A rule for a customer acts on lists of customers only, one for a page on lists of
    /// pages only.
    pub fn of(&self, result: &str) -> OfView {
        let mut view = OfView {
            common: Own::default(),
            users: BTreeMap::new(),
            pages: BTreeMap::new(),
        };
        for (number, rule) in self.0.iter().enumerate() {
            if rule.result.as_deref().is_some_and(|only| only != result) {
                continue;
            }
            // The numbers beside a partner are those of a pair of products: on this list a pin must be meant for it.
            let everywhere = rule.result.is_none() && rule.page.is_none();
            if everywhere && result == "bought_together" && matches!(rule.action, Action::Pin(_)) {
                continue;
            }
            let own = match (rule.user, rule.page) {
                (None, None) => &mut view.common,
                (Some(user), None) => view.users.entry(user).or_default(),
                (None, Some(page)) => view.pages.entry(page).or_default(),
                (Some(_), Some(_)) => continue, // no list has both
            };
            own.add(number, rule);
        }
        for own in view
            .users
            .values_mut()
            .chain(view.pages.values_mut())
            .chain([&mut view.common])
        {
            own.blocks.sort_unstable();
        }
        view
    }
}

impl Own {
    fn add(&mut self, number: usize, rule: &Rule) {
        let products = rule.products.iter().copied();
        match &rule.action {
            Action::Block => self.blocks.extend(products),
            Action::Pin(place) => self.pins.extend(products.map(|product| Pin {
                place: *place,
                earlier: std::cmp::Reverse(number),
                product,
            })),
            Action::Boost(factor) => {
                for product in products {
                    let boost = self.boosts.entry(product).or_insert(1.0);
                    *boost = (*boost * factor).min(MOST_BOOST);
                }
            }
            Action::NeverWith(others) => {
                for product in products {
                    self.sides.entry(product).or_default().push((number, true));
                }
                // A product of the category it may not be seen with is not kept from itself.
                for &other in others.iter().filter(|other| !rule.products.contains(other)) {
                    self.sides.entry(other).or_default().push((number, false));
                }
            }
        }
    }
}

impl OfView {
    /// The wishes for the list of a customer (or [`VISITOR`]), of a page, or of neither.
    pub fn wishes(&self, user: Option<u32>, page: Option<u32>) -> Wishes<'_> {
        let own = match (user, page) {
            (Some(user), _) => self.users.get(&user),
            (None, Some(page)) => self.pages.get(&page),
            (None, None) => None,
        };
        Wishes {
            common: &self.common,
            own,
        }
    }

    /// Takes the products blocked for everybody out of `shown`.
    pub fn without_blocked(&self, mut shown: Vec<bool>) -> Vec<bool> {
        for &product in &self.common.blocks {
            shown[product as usize] = false;
        }
        shown
    }
}

impl<'a> Wishes<'a> {
    fn both(self) -> impl Iterator<Item = &'a Own> {
        std::iter::once(self.common).chain(self.own)
    }

    /// The products that may not be in the list, those blocked everywhere included.
    pub fn blocks(self) -> impl Iterator<Item = u32> + 'a {
        self.both().flat_map(|own| own.blocks.iter().copied())
    }

    /// Whether a product may not be in the list.
    pub fn blocked(self, product: u32) -> bool {
        self.both().any(|own| own.blocks.binary_search(&product).is_ok())
    }

    /// Factors on scores: (product, factor); a product may come twice.
    pub fn boosts(self) -> impl Iterator<Item = (u32, f32)> + 'a {
        self.both()
            .flat_map(|own| own.boosts.iter().map(|(&product, &factor)| (product, factor)))
    }

    /// The factor on one product's score.
    pub fn boost(self, product: u32) -> f32 {
        self.both().filter_map(|own| own.boosts.get(&product)).product()
    }

    /// Pinned products in the order in which they take their places: (place from 1, product).
    pub fn pins(self) -> Vec<(usize, u32)> {
        let mut pins: Vec<Pin> = self.both().flat_map(|own| own.pins.iter().copied()).collect();
        pins.sort_unstable();
        pins.into_iter().map(|pin| (pin.place, pin.product)).collect()
    }

    /// The never-together rules that speak of a product, and on which side it stands.
    fn sides(self, product: u32) -> impl Iterator<Item = (usize, bool)> + 'a {
        self.both()
            .filter_map(move |own| own.sides.get(&product))
            .flatten()
            .copied()
    }
}

/// What a list holds already, as never-together rules see it.
#[derive(Debug)]
pub struct Company<'a> {
    wishes: Wishes<'a>,
    /// (number of the rule, side) of which the list holds a product.
    present: std::collections::BTreeSet<(usize, bool)>,
}

impl<'a> Company<'a> {
    /// An empty list.
    pub fn new(wishes: Wishes<'a>) -> Company<'a> {
        Company {
            wishes,
            present: std::collections::BTreeSet::new(),
        }
    }

    /// Whether the list holds something the product may not be seen with.
    pub fn bars(&self, product: u32) -> bool {
        self.wishes
            .sides(product)
            .any(|(rule, side)| self.present.contains(&(rule, !side)))
    }

    /// Takes a product into the list.
    pub fn take(&mut self, product: u32) {
        self.present.extend(self.wishes.sides(product));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(action: Action, result: Option<&str>, user: Option<u32>, page: Option<u32>) -> Rule {
        Rule {
            action,
            result: result.map(str::to_owned),
            user,
            page,
            products: vec![7],
        }
    }

    #[test]
    fn a_rule_acts_where_it_says() {
        let rules = Rules(vec![
            rule(Action::Block, None, None, None),
            rule(Action::Pin(2), Some("recommendations"), Some(3), None),
            rule(Action::Boost(2.0), Some("similar_products"), None, Some(9)),
            rule(Action::Boost(1.5), None, None, None),
            rule(Action::Pin(1), None, Some(VISITOR), None),
            rule(Action::Pin(5), None, Some(3), Some(9)),
        ]);
        let (people, pages) = (rules.of("recommendations"), rules.of("similar_products"));
        let three = people.wishes(Some(3), None);
        assert!(three.blocked(7) && !three.blocked(8));
        assert_eq!((three.pins(), three.boost(7)), (vec![(2, 7)], 1.5));
        assert!(people.wishes(Some(4), None).pins().is_empty());
        assert_eq!(people.wishes(Some(VISITOR), None).pins(), [(1, 7)]);
        assert_eq!(pages.wishes(None, Some(9)).boost(7), 3.0);
        assert_eq!(pages.wishes(None, Some(8)).boost(7), 1.5);
        assert!(pages.wishes(None, Some(9)).pins().is_empty());
        assert_eq!(people.without_blocked(vec![true; 8])[6..], [true, false]);
    }

    #[test]
    fn a_pin_for_every_list_claims_nothing_about_baskets() {
        let pin = |result, page| rule(Action::Pin(1), result, None, page);
        let of = |rule| {
            let rules = Rules(vec![rule]).of("bought_together");
            rules.wishes(None, Some(9)).pins().len()
        };
        let meant = Some("bought_together");
        assert_eq!(
            [of(pin(None, None)), of(pin(meant, None)), of(pin(None, Some(9)))],
            [0, 1, 1]
        );
    }

    #[test]
    fn many_boosts_of_one_product_stay_a_number() {
        let boost = |user| rule(Action::Boost(1e6), None, user, None);
        let rules = Rules((0..20).map(|n| boost((n % 2 == 0).then_some(3))).collect());
        let people = rules.of("recommendations");
        let wishes = people.wishes(Some(3), None);
        let boosted = wishes.boosts().fold(1.0f32, |score, (_, factor)| score * factor);
        for factor in [wishes.boost(7), boosted, boosted * 0.0] {
            assert!(factor.is_finite(), "{factor}");
        }
    }

    #[test]
    fn of_two_pins_to_one_place_the_later_rule_stands_first() {
        let pin = |product, place| Rule {
            products: vec![product],
            ..rule(Action::Pin(place), None, None, None)
        };
        let rules = Rules(vec![pin(4, 2), pin(5, 2), pin(6, 1)]);
        let pins = rules.of("recommendations").wishes(Some(0), None).pins();
        assert_eq!(pins, [(1, 6), (2, 5), (2, 4)]);
    }

    #[test]
    fn never_together_goes_both_ways() {
        let rules = Rules(vec![rule(Action::NeverWith(vec![1, 2, 7]), None, None, None)]);
        let view = rules.of("popular_products");
        let wishes = view.wishes(None, None);
        let mut list = Company::new(wishes);
        assert!(!list.bars(7) && !list.bars(1));
        list.take(1);
        assert!(list.bars(7) && !list.bars(2) && !list.bars(1));
        let mut list = Company::new(wishes);
        list.take(7);
        assert!(list.bars(1) && list.bars(2) && !list.bars(3));
        // It is of the category it may not be seen with, and no enemy of itself.
        assert!(!list.bars(7));
    }
}
