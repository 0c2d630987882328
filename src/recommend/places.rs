//! Places: where customers are from, as far as lists tell them apart.
//!
//! A place is a country, a language, or both; '' stands for any. A place has a list of its own when at least
//! [`LEAST_CUSTOMERS`] customers come from it; everybody else sees the list of the next larger one. Languages are matched on
//! their first part ('zh-Hans' is 'zh'), countries are taken as the shop writes them.

use std::collections::BTreeMap;

/// Customers that make a place worth a list.
pub const LEAST_CUSTOMERS: usize = 5;

/// The places that have lists, and who is from where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Places {
    /// (country, language), '' = any; countries and languages alone first, in the order of the text.
    pub names: Vec<(String, String)>,
    /// The next larger place: a pair's country; `None` = anywhere.
    pub parents: Vec<Option<usize>>,
    /// Per user the places they count for: country, language, both.
    members: Vec<[Option<usize>; 3]>,
}

impl Places {
    /// From each user's country and language; empty texts and `None` are not known.
    pub fn new<'t>(users: impl Iterator<Item = (Option<&'t str>, Option<&'t str>)>) -> Places {
        let users: Vec<(String, String)> = users
            .map(|(country, language)| {
                let language = language.unwrap_or_default().trim().to_lowercase();
                let language = language.split(['-', '_']).next().unwrap_or_default();
                (country.unwrap_or_default().trim().to_owned(), language.to_owned())
            })
            .collect();
        let levels = |(country, language): &(String, String)| {
            let known = |place: (String, String), all: bool| all.then_some(place);
            [
                known((country.clone(), String::new()), !country.is_empty()),
                known((String::new(), language.clone()), !language.is_empty()),
                known(
                    (country.clone(), language.clone()),
                    !country.is_empty() && !language.is_empty(),
                ),
            ]
        };
        let mut counts: BTreeMap<(String, String), usize> = BTreeMap::new();
        for user in &users {
            for place in levels(user).into_iter().flatten() {
                *counts.entry(place).or_default() += 1;
            }
        }
        let mut names: Vec<(String, String)> = counts
            .into_iter()
            .filter(|&(_, customers)| customers >= LEAST_CUSTOMERS)
            .map(|(place, _)| place)
            .collect();
        names.sort_by_key(|(country, language)| !country.is_empty() && !language.is_empty());
        let numbers: BTreeMap<&(String, String), usize> = names.iter().zip(0..).collect();
        let parents = names
            .iter()
            .map(
                |(country, language)| match (country.is_empty(), language.is_empty()) {
                    (false, false) => numbers.get(&(country.clone(), String::new())).copied(),
                    _ => None,
                },
            )
            .collect();
        let members = users
            .iter()
            .map(|user| levels(user).map(|place| place.and_then(|place| numbers.get(&place).copied())))
            .collect();
        Places {
            parents,
            members,
            names,
        }
    }

    /// No places for so many users.
    pub fn none(users: usize) -> Places {
        Places::new((0..users).map(|_| (None, None)))
    }

    /// The places a user counts for.
    pub fn all_of(&self, user: usize) -> impl Iterator<Item = usize> + '_ {
        self.members[user].iter().flatten().copied()
    }

    /// The place whose list a user sees: both, else the country, else the language; `None` = anywhere.
    pub fn of(&self, user: usize) -> Option<usize> {
        let [country, language, both] = self.members[user];
        both.or(country).or(language)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_customers_make_no_place() {
        let mut users = vec![(Some("DE"), Some("de-AT")); 5];
        users.extend([
            (Some("DE"), Some("tr")),
            (Some("FR"), None),
            (None, Some("DE")),
            (Some(" "), None),
        ]);
        let places = Places::new(users.iter().copied());
        let names: Vec<(&str, &str)> = places
            .names
            .iter()
            .map(|(c, l)| (c.as_str(), l.as_str()))
            .collect();
        assert_eq!(names, [("", "de"), ("DE", ""), ("DE", "de")]);
        assert_eq!(places.parents, [None, None, Some(1)]);
        let of: Vec<Option<usize>> = (0..9).map(|user| places.of(user)).collect();
        assert_eq!(of[4..], [Some(2), Some(1), None, Some(0), None]);
        assert_eq!(places.all_of(0).collect::<Vec<_>>(), [1, 0, 2]);
        assert!(Places::none(3).of(2).is_none());
    }
}
