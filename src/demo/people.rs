//! The customers and what they like.

use super::User;
use super::calendar::{DAY, DAYS, START};
use super::dice::Dice;
use super::words::{BRANDS, CATEGORIES, STYLES};

/// What a customer likes; visitors whom nobody knows like everything.
#[derive(Debug, Clone)]
pub(super) struct Taste {
    /// Category and weight, one to three.
    pub categories: Vec<(usize, f64)>,
    pub brands: Vec<usize>,
    pub style: usize,
    /// Share of the shop's events.
    pub activity: f64,
    /// Probability that a cart is paid.
    pub decided: f64,
}

/// Users and their tastes, side by side.
pub(super) struct People {
    pub users: Vec<User>,
    pub tastes: Vec<Taste>,
}

/// Makes `count` users.
pub(super) fn make(seed: u64, count: usize) -> People {
    let mut people = People {
        users: Vec::new(),
        tastes: Vec::new(),
    };
    for index in 0..count {
        let mut dice = Dice::new(seed, "people", index as u64);
        let (country, language) = match dice.weighted(&[0.34, 0.12, 0.22, 0.06, 0.14, 0.04, 0.08]) {
            0 => ("GB", "en"),
            1 => ("IE", "en"),
            2 => ("DE", "de"),
            3 => ("AT", "de"),
            4 => ("CN", "zh"),
            5 => ("DE", "zh"),
            _ => ("NL", "en"),
        };
        let joined = if dice.chance(0.4) {
            -dice.int(1, 700)
        } else {
            dice.int(0, DAYS - 2)
        };
        people.users.push(User {
            user_id: format!("U{:05}", index + 1),
            country,
            language,
            created_at: START + joined * DAY + dice.int(7 * 3600, 22 * 3600),
        });
        people.tastes.push(taste(language, &mut dice));
    }
    people
}

/// Categories (tea for those who write Chinese a little more often), brands, style and pace.
pub(super) fn taste(language: &str, dice: &mut Dice) -> Taste {
    let mut weights = vec![1.0; CATEGORIES.len()];
    match language {
        "zh" => (weights[0], weights[8]) = (2.5, 2.0),
        "de" => weights[2] = 2.0,
        _ => weights[3] = 1.5,
    }
    let mut categories: Vec<(usize, f64)> = Vec::new();
    for _ in 0..1 + dice.run(0.6, 2) {
        let category = dice.weighted(&weights);
        weights[category] = 0.0;
        categories.push((category, dice.between(0.4, 1.0)));
    }
    // A brand that sells in a favourite category, twice, and any brand.
    let mut brands: Vec<usize> = (0..2)
        .map(|_| (categories[0].0 * 2 + dice.below(6)) % BRANDS.len())
        .collect();
    brands.push(dice.below(BRANDS.len()));
    Taste {
        categories,
        brands,
        style: dice.below(STYLES.len()),
        activity: dice.normal().exp().min(12.0),
        decided: dice.between(0.35, 0.8),
    }
}
