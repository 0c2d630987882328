//! Rows of the table `rules` as rules over indices.
//!
//! A column that is NULL matches everything; one that names something unknown matches nothing, and the rule is left out and
//! named in `run_drops` with what is wrong with it: a merchandiser's typing error must not look like a rule that works.

use std::collections::BTreeMap;

use crate::recommend::rules::{Action, Rule, VISITOR};
use crate::store::{self, Product};

/// Why a rule was left out.
mod reason {
    pub(super) const KIND: &str = "rule of unknown kind";
    pub(super) const RESULT: &str = "rule for a result that is no list";
    pub(super) const PIN: &str = "pin without a product or with a value that is no place from 1 to 1000000";
    pub(super) const BOOST: &str = "boost with a value that is no factor from 0 to 1000000";
    pub(super) const APART: &str = "never_together needs product_id and either other_product_id or category";
    pub(super) const UNKNOWN: &str = "rule for an unknown customer, product or category";
    pub(super) const NOWHERE: &str = "rule for a customer or a page on a list that has none";
}

/// The largest factor of a boost. Past it nothing moves any more, and products of many factors must stay numbers.
const MOST_BOOST: f64 = 1e6;

/// Lists of customers, lists of pages, and all lists.
const OF_CUSTOMERS: [&str; 2] = ["recommendations", "buy_again"];
const OF_PAGES: [&str; 3] = ["similar_products", "bought_together", "next_products"];
const OTHERS: [&str; 2] = ["visitor_recommendations", "popular_products"];

/// What rules speak of, each in the order of the text.
pub(super) struct Names<'a> {
    pub(super) users: &'a [String],
    pub(super) products: &'a [Product],
    pub(super) categories: &'a BTreeMap<String, Vec<u32>>,
}

impl Names<'_> {
    fn product(&self, id: &str) -> Result<u32, &'static str> {
        let at = self.products.binary_search_by(|p| p.product_id.as_str().cmp(id));
        at.map(|at| at as u32).map_err(|_| reason::UNKNOWN)
    }

    fn user(&self, id: &str) -> Result<u32, &'static str> {
        if id.is_empty() {
            return Ok(VISITOR);
        }
        let at = self.users.binary_search_by(|user| user.as_str().cmp(id));
        at.map(|at| at as u32).map_err(|_| reason::UNKNOWN)
    }

    fn category(&self, name: &str) -> Result<&[u32], &'static str> {
        self.categories
            .get(name)
            .map(Vec::as_slice)
            .ok_or(reason::UNKNOWN)
    }
}

/// A rule over indices, or why it cannot act.
pub(super) fn rule(row: &store::Rule, names: &Names<'_>) -> Result<Rule, &'static str> {
    let user = row.user_id.as_deref().map(|id| names.user(id)).transpose()?;
    let page = row
        .for_product_id
        .as_deref()
        .map(|id| names.product(id))
        .transpose()?;
    if let Some(result) = row.result.as_deref() {
        let known = |list: &[&str]| list.contains(&result);
        if !known(&OF_CUSTOMERS) && !known(&OF_PAGES) && !known(&OTHERS) {
            return Err(reason::RESULT);
        }
        if (user.is_some() && !known(&OF_CUSTOMERS)) || (page.is_some() && !known(&OF_PAGES)) {
            return Err(reason::NOWHERE);
        }
    }
    if user.is_some() && page.is_some() {
        return Err(reason::NOWHERE);
    }
    let of = |products, action| Rule {
        action,
        result: row.result.clone(),
        user,
        page,
        products,
    };
    let product = row
        .product_id
        .as_deref()
        .map(|id| names.product(id))
        .transpose()?;
    let category = row
        .category
        .as_deref()
        .map(|name| names.category(name))
        .transpose()?;
    if row.kind == "never_together" {
        let other = row
            .other_product_id
            .as_deref()
            .map(|id| names.product(id))
            .transpose()?;
        return match (product, other, category) {
            (Some(product), Some(other), None) if other != product => {
                Ok(of(vec![product], Action::NeverWith(vec![other])))
            }
            (Some(product), None, Some(category)) => {
                Ok(of(vec![product], Action::NeverWith(category.to_vec())))
            }
            _ => Err(reason::APART),
        };
    }
    let action = match row.kind.as_str() {
        "block" => Action::Block,
        "pin" => {
            let place = row
                .value
                .filter(|place| (1.0..=1e6).contains(place) && product.is_some());
            Action::Pin(place.ok_or(reason::PIN)? as usize)
        }
        "boost" => {
            let factor = row.value.filter(|factor| (0.0..=MOST_BOOST).contains(factor));
            Action::Boost(factor.ok_or(reason::BOOST)? as f32)
        }
        _ => return Err(reason::KIND),
    };
    let products = match (product, category) {
        (Some(product), None) => vec![product],
        (Some(product), Some(category)) if category.binary_search(&product).is_ok() => vec![product],
        (Some(_), Some(_)) => Vec::new(), // it has left the category: the rule rests
        (None, Some(category)) => category.to_vec(),
        (None, None) => (0..names.products.len() as u32).collect(),
    };
    Ok(of(products, action))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn product(id: &str) -> Product {
        Product {
            product_id: id.to_owned(),
            group_id: None,
            title: String::new(),
            description: None,
            category: None,
            brand: None,
            properties: None,
            price: None,
            cost: None,
            sellable: true,
            created_at: None,
        }
    }

    #[test]
    fn a_rule_that_cannot_act_says_why() {
        let products = [product("a"), product("b"), product("c")];
        let categories = BTreeMap::from([("tea".to_owned(), vec![1, 2])]);
        let users = ["ann".to_owned()];
        let names = Names {
            users: &users,
            products: &products,
            categories: &categories,
        };
        let empty = || store::Rule {
            rule_id: 1,
            kind: "block".into(),
            result: None,
            user_id: None,
            for_product_id: None,
            product_id: None,
            other_product_id: None,
            category: None,
            value: None,
        };
        let text = |text: &str| Some(text.to_owned());
        let read = |change: &dyn Fn(&mut store::Rule)| {
            let mut row = empty();
            change(&mut row);
            rule(&row, &names)
        };
        assert_eq!(read(&|_| ()).unwrap().products, [0, 1, 2]);
        assert_eq!(read(&|r| r.category = text("tea")).unwrap().products, [1, 2]);
        assert_eq!(read(&|r| r.user_id = text("")).unwrap().user, Some(VISITOR));
        let left = read(&|r| (r.product_id, r.category) = (text("a"), text("tea"))).unwrap();
        assert!(left.products.is_empty());
        let never = |r: &mut store::Rule| r.kind = "never_together".into();
        let pair = read(&|r| {
            never(r);
            (r.product_id, r.other_product_id) = (text("a"), text("b"));
        });
        assert_eq!(pair.unwrap().action, Action::NeverWith(vec![1]));
        let with = read(&|r| {
            never(r);
            (r.product_id, r.category) = (text("a"), text("tea"));
        });
        assert_eq!(with.unwrap().action, Action::NeverWith(vec![1, 2]));
        type Change<'c> = &'c dyn Fn(&mut store::Rule);
        let cases: [(Change<'_>, &str); 15] = [
            (&|r| r.kind = "blcok".into(), reason::KIND),
            (&|r| r.result = text("recomendations"), reason::RESULT),
            (
                &|r| (r.user_id, r.result) = (text("ann"), text("similar_products")),
                reason::NOWHERE,
            ),
            (
                &|r| (r.for_product_id, r.result) = (text("a"), text("buy_again")),
                reason::NOWHERE,
            ),
            (
                &|r| (r.for_product_id, r.user_id) = (text("a"), text("ann")),
                reason::NOWHERE,
            ),
            (&|r| r.user_id = text("bob"), reason::UNKNOWN),
            (&|r| r.product_id = text("z"), reason::UNKNOWN),
            (&|r| r.category = text("te"), reason::UNKNOWN),
            (&|r| (r.kind, r.value) = ("pin".into(), Some(1.0)), reason::PIN),
            (
                &|r| (r.kind, r.value, r.product_id) = ("pin".into(), Some(0.0), text("a")),
                reason::PIN,
            ),
            (
                &|r| (r.kind, r.value) = ("boost".into(), Some(-1.0)),
                reason::BOOST,
            ),
            (
                &|r| (r.kind, r.value) = ("boost".into(), Some(1e300)),
                reason::BOOST,
            ),
            (
                &|r| (r.kind, r.value) = ("boost".into(), Some(f64::NAN)),
                reason::BOOST,
            ),
            (&never, reason::APART),
            (
                &|r| {
                    never(r);
                    (r.product_id, r.other_product_id) = (text("a"), text("a"));
                },
                reason::APART,
            ),
        ];
        for (number, (change, expected)) in cases.iter().enumerate() {
            assert_eq!(read(change).unwrap_err(), *expected, "case {number}");
        }
    }
}
