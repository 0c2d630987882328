//! What models are given: one series with what is known beside it, built anew whenever somebody looks at it.
//!
//! A hundred thousand series do not stay in memory: a [`Source`] hands them out one by one, in whatever order and from
//! whatever thread asks. Groups say whose evidence counts for whom: a decision is made where enough series share it, in
//! the brand of a category, else in the category, else in the whole shop.

use super::catalogue::{Model, REGRESSION};
use super::frequency::Frequency;
use super::lstm::seer::Networks;
use super::model::Drivers;
use super::promotion::{FLAG, PLAN};
use super::series::Life;
use std::sync::Arc;

/// One series.
#[derive(Debug, Clone, PartialEq)]
pub struct Subject {
    /// Prices, one per step, the newest last; `NaN` missing.
    pub values: Vec<f64>,
    /// Whether it goes on.
    pub life: Life,
    /// The rows' own promotion flag, 0 or 1 at each step; `None` where it was never set.
    pub promoted: Option<Vec<f64>>,
    /// Promotions as entered beside the prices, 0 or 1 at each step and at every one to come, `NaN` before anybody entered
    /// any; `None` where nothing is known ahead.
    pub plan: Option<Vec<f64>>,
    /// Drivers that are no promotions, each with its value at each step and at every one to come, `NaN` before its first row.
    pub outside: Vec<(Arc<str>, Vec<f64>)>,
    /// Hashes of its category and brand: see [`Groups::shelf`].
    pub shelf: [u32; 2],
}

impl Subject {
    /// What a model may know beside the first `cut` values: the regression its drivers, the others promotions.
    pub fn beside(&self, model: Model, cut: usize) -> Drivers {
        if model != REGRESSION {
            return self.drivers(cut);
        }
        let mut drivers = Drivers::default();
        for (name, values) in &self.outside {
            let ahead = values.len().saturating_sub(self.values.len());
            drivers.push(&**name, values[..(cut + ahead).min(values.len())].to_vec());
        }
        drivers
    }

    /// What was known beside the first `cut` values: the rows' own flags up to there, and plans as far ahead as tonight's
    /// reach. A promotion that only its row speaks of was not known before it began; and where plans were not yet entered
    /// at all, there is none.
    pub fn drivers(&self, cut: usize) -> Drivers {
        let mut drivers = Drivers::default();
        let promoted = self.promoted.as_deref().unwrap_or_default();
        if !promoted.is_empty() {
            drivers.push(FLAG, promoted[..cut.min(promoted.len())].to_vec());
        }
        if let Some(plan) = &self.plan {
            let ahead = plan.len().saturating_sub(self.values.len());
            let mut known = plan[..(cut + ahead).min(plan.len())].to_vec();
            if known.get(cut).is_none_or(|first| first.is_nan()) {
                return drivers;
            }
            for (step, state) in known.iter_mut().enumerate() {
                let flag = promoted.get(step).filter(|_| step < cut);
                *state = state.max(flag.copied().unwrap_or(0.0));
            }
            drivers.push(PLAN, known);
        }
        drivers
    }
}

/// Where series come from. Equal questions have equal answers.
pub trait Source: Sync {
    /// How many there are.
    fn count(&self) -> usize;
    /// Series `s`.
    fn subject(&self, s: usize) -> Subject;
    /// Whose evidence counts for whom.
    fn groups(&self) -> &Groups;
    /// The step.
    fn frequency(&self) -> Frequency;
    /// The network over all series, where the night has one.
    fn networks(&self) -> Option<Networks<'_>> {
        None
    }
}

/// A tree of groups; the first is the whole shop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Groups {
    names: Vec<String>,
    parents: Vec<usize>,
    /// The category whose figures are reported under this group's name, for those that are one.
    slices: Vec<Option<String>>,
    of: Vec<usize>,
}

/// The whole shop.
pub const SHOP: usize = 0;

impl Groups {
    /// Groups of series with these (category, brand); '' is none.
    pub fn new(of_each: &[(String, String)]) -> Self {
        let mut keys: Vec<(&str, &str)> = of_each.iter().map(|(c, b)| (c.as_str(), b.as_str())).collect();
        keys.sort_unstable();
        keys.dedup();
        let mut groups = Self {
            names: vec!["in the whole shop".into()],
            parents: vec![SHOP],
            slices: vec![None],
            of: Vec::with_capacity(of_each.len()),
        };
        let mut leaves = Vec::with_capacity(keys.len());
        let mut category: Option<(&str, usize)> = None;
        for &(name, brand) in &keys {
            let parent = match category {
                Some((same, group)) if same == name => group,
                _ => {
                    let place = if name.is_empty() {
                        "among products without category".into()
                    } else {
                        format!("in category '{name}'")
                    };
                    groups.add(place, SHOP, (!name.is_empty()).then(|| name.to_owned()))
                }
            };
            category = Some((name, parent));
            leaves.push(if brand.is_empty() {
                parent
            } else {
                let place = match name {
                    "" => format!("of brand '{brand}'"),
                    name => format!("of brand '{brand}' in category '{name}'"),
                };
                groups.add(place, parent, None)
            });
        }
        for (category, brand) in of_each {
            let key = (category.as_str(), brand.as_str());
            groups.of.push(leaves[keys.partition_point(|other| *other < key)]);
        }
        groups
    }

    fn add(&mut self, name: String, parent: usize, slice: Option<String>) -> usize {
        self.names.push(name);
        self.parents.push(parent);
        self.slices.push(slice);
        self.names.len() - 1
    }

    /// How many groups there are.
    pub fn count(&self) -> usize {
        self.names.len()
    }

    /// The smallest group of series `s`.
    pub fn of(&self, s: usize) -> usize {
        self.of[s]
    }

    /// The next larger group; the shop's is itself.
    pub fn parent(&self, group: usize) -> usize {
        self.parents[group]
    }

    /// The group in words: "in category 'tea'".
    pub fn name(&self, group: usize) -> &str {
        &self.names[group]
    }

    /// Hashes of the names of its category and of its smallest group, for series `s`: the same every night.
    pub fn shelf(&self, s: usize) -> [u32; 2] {
        let leaf = self.of[s];
        let category = match self.parents[leaf] {
            SHOP => leaf,
            parent => parent,
        };
        [category, leaf].map(|group| xxhash_rust::xxh3::xxh3_64(self.names[group].as_bytes()) as u32)
    }

    /// The category that the group is, if it is one with a name.
    pub fn category(&self, group: usize) -> Option<&str> {
        self.slices[group].as_deref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn brands_lie_in_categories_and_those_in_the_shop() {
        let of_each = [
            ("tea", "x"),
            ("", ""),
            ("tea", ""),
            ("tea", "y"),
            ("oil", "x"),
            ("tea", "x"),
        ]
        .map(|(c, b)| (c.to_owned(), b.to_owned()));
        let groups = Groups::new(&of_each);
        let name = |s| groups.name(groups.of(s));
        assert_eq!(name(0), "of brand 'x' in category 'tea'");
        assert_eq!(groups.of(0), groups.of(5));
        assert_ne!(
            groups.of(0),
            groups.of(4),
            "a brand of another category is another group"
        );
        assert_eq!(
            (name(1), name(2)),
            ("among products without category", "in category 'tea'")
        );
        assert_eq!(groups.parent(groups.of(0)), groups.of(2));
        assert_eq!(groups.parent(groups.of(2)), SHOP);
        assert_eq!(groups.category(groups.of(2)), Some("tea"));
        assert_eq!(
            (groups.category(groups.of(0)), groups.category(groups.of(1))),
            (None, None)
        );
        assert_eq!(Groups::new(&[]).count(), 1);
    }

    #[test]
    fn the_past_knew_plans_as_far_ahead_as_tonight() {
        let subject = Subject {
            values: vec![1.0; 10],
            life: Life::Offered,
            promoted: Some(vec![0.0; 10]),
            plan: Some(vec![0.0; 13]),
            outside: Vec::new(),
            shelf: [0; 2],
        };
        let lengths = |cut| {
            subject
                .drivers(cut)
                .iter()
                .map(|(_, v)| v.len())
                .collect::<Vec<_>>()
        };
        assert_eq!((lengths(10), lengths(4)), (vec![10, 13], vec![4, 7]));
    }

    #[test]
    fn the_past_did_not_know_what_only_later_rows_say() {
        let mut promoted = vec![0.0; 10];
        promoted[2] = 1.0;
        promoted[6] = 1.0;
        let mut plan = vec![0.0; 13];
        plan[..3].fill(f64::NAN);
        plan[8] = 1.0;
        let subject = Subject {
            values: vec![1.0; 10],
            life: Life::Offered,
            promoted: Some(promoted),
            plan: Some(plan),
            outside: Vec::new(),
            shelf: [0; 2],
        };
        let planned = |cut| {
            let drivers = subject.drivers(cut);
            let found = drivers.iter().find(|(name, _)| *name == PLAN);
            found.map(|(_, plan)| plan.to_vec())
        };
        // As of step 6 the row of step 6 is not written yet; the driver of step 8 is.
        let expected = [0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(planned(6).unwrap(), expected);
        assert_eq!(planned(7).unwrap()[6], 1.0, "a row of the past is known");
        assert_eq!(planned(2), None, "before anybody entered plans");
    }
}
