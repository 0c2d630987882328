//! Rules: the shop people's word over the models'.
//!
//! A rule of the table `rules` becomes a [`Rule`] over indices: an [`Action`] on some products, in force for one list or
//! all, one user or all, one product page or all. [`Rules::wishes`] gathers those in force for one list.
//! `never_together` is not honoured yet; the pipeline counts such rules as left out.

use super::lists::Wishes;

/// What a rule does to its products.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Action {
    /// Keeps them out.
    Block,
    /// Puts the product to this place, from 1.
    Pin(usize),
    /// Multiplies their scores.
    Boost(f32),
}

/// One rule in force.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// What it does.
    pub action: Action,
    /// The result view it is for; `None` for all.
    pub result: Option<String>,
    /// The user it is for; `None` for all.
    pub user: Option<u32>,
    /// The product page it is for; `None` for all, lists of no page included.
    pub page: Option<u32>,
    /// The products it acts on.
    pub products: Vec<u32>,
}

/// All rules of a night.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rules(pub Vec<Rule>);

impl Rules {
    /// The wishes in force for one list. Two boosts of one product multiply; of two pins to one place the later rule
    /// stands first.
    pub fn wishes(&self, result: &str, user: Option<u32>, page: Option<u32>) -> Wishes {
        let mut wishes = Wishes::default();
        for rule in &self.0 {
            let here = rule.result.as_deref().is_none_or(|only| only == result)
                && (rule.user.is_none() || rule.user == user)
                && (rule.page.is_none() || rule.page == page);
            if !here {
                continue;
            }
            let products = rule.products.iter().copied();
            match rule.action {
                Action::Block => wishes.blocks.extend(products),
                Action::Pin(place) => wishes.pins.extend(products.map(|product| (place, product))),
                Action::Boost(factor) => wishes.boosts.extend(products.map(|product| (product, factor))),
            }
        }
        wishes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_acts_where_it_says() {
        let rule = |action, result: Option<&str>, user, page| Rule {
            action,
            result: result.map(str::to_owned),
            user,
            page,
            products: vec![7],
        };
        let rules = Rules(vec![
            rule(Action::Block, None, None, None),
            rule(Action::Pin(2), Some("recommendations"), Some(3), None),
            rule(Action::Boost(2.0), Some("similar_products"), None, Some(9)),
        ]);
        let of_three = rules.wishes("recommendations", Some(3), None);
        assert_eq!(
            (of_three.blocks.len(), of_three.pins, of_three.boosts.len()),
            (1, vec![(2, 7)], 0)
        );
        assert!(rules.wishes("recommendations", Some(4), None).pins.is_empty());
        assert_eq!(rules.wishes("similar_products", None, Some(9)).boosts, [(7, 2.0)]);
        assert!(rules.wishes("similar_products", None, Some(8)).boosts.is_empty());
    }
}
