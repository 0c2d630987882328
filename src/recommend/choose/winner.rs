//! Who wins: the best of the models that count, or the one with a network where it is better enough, if it beats the naive answer; and
//! what such a choice is worth.

use super::{
    BLEND_RNN, Candidate, DRAWS, LEAST_USERS, PERSONAL, POPULARITY, POPULARITY_EVER, PUBLISHED, RNN,
};
use crate::recommend::measure::{Figure, bootstrap};
use crate::recommend::recurrent::WORTH_IT;

/// NDCG@10 of the choice: every second customer by the model that is best on the others, the naive answer among them.
pub(super) fn choice(candidates: &[Candidate], seed: u64) -> Option<Figure> {
    let users = candidates.first()?.judged.of_users.len();
    if users < LEAST_USERS {
        return None;
    }
    let of = |candidate: &Candidate, user: usize| f64::from(candidate.judged.of_users[user][0]);
    let best_on = |half: usize| {
        let on_half = |candidate: &Candidate| -> Vec<f64> {
            let users = (half..users).step_by(2);
            users.map(|user| of(candidate, user)).collect()
        };
        let worth = |candidate: &Candidate| on_half(candidate).iter().sum::<f64>();
        let counting = candidates
            .iter()
            .filter(|candidate| ![POPULARITY_EVER, RNN, BLEND_RNN].contains(&candidate.name))
            .reduce(|best, next| if worth(next) > worth(best) { next } else { best })?;
        let deep = candidates.iter().find(|candidate| candidate.name == BLEND_RNN);
        Some(match deep {
            Some(deep) if is_better(&on_half(deep), &on_half(counting), seed) => deep,
            _ => counting,
        })
    };
    let chosen = [best_on(1)?, best_on(0)?];
    let values: Vec<f64> = (0..users).map(|user| of(chosen[user % 2], user)).collect();
    Some(bootstrap(&values, DRAWS, seed))
}

/// Whether a model with a network is better enough than one that only counts, by a figure of each customer: surely (the paired 90 %
/// interval above 0), and by [`WORTH_IT`].
fn is_better(deep: &[f64], counting: &[f64], seed: u64) -> bool {
    let gains: Vec<f64> = deep.iter().zip(counting).map(|(a, b)| a - b).collect();
    let sum = |values: &[f64]| values.iter().sum::<f64>();
    bootstrap(&gains, DRAWS, seed).lo90 > 0.0 && sum(deep) >= (1.0 + WORTH_IT) * sum(counting)
}

pub(super) fn winner(candidates: &[Candidate], seed: u64) -> (&'static str, String) {
    let of = |name: &str| candidates.iter().find(|candidate| candidate.name == name);
    let ndcg = |candidate: &Candidate| candidate.judged.mean(0);
    let Some(naive) = of(POPULARITY) else {
        return (POPULARITY, "nothing was judged".to_owned());
    };
    let tested = naive.judged.of_users.len();
    if tested < LEAST_USERS {
        let why = format!(
            "too little data: {tested} customers could be tested and {LEAST_USERS} are needed, so everybody gets the \
             popular products of the last 30 days"
        );
        return (POPULARITY, why);
    }
    let counting = PERSONAL
        .into_iter()
        .filter(|&name| name != BLEND_RNN)
        .filter_map(of);
    let counting = counting.reduce(|best, next| if ndcg(next) > ndcg(best) { next } else { best });
    let Some(mut best) = counting.or(of(BLEND_RNN)) else {
        return (POPULARITY, "no personal model was fitted".to_owned());
    };
    let mut beside = String::new();
    if let Some((counting, deep)) = counting.zip(of(BLEND_RNN)) {
        let of_users = |candidate: &Candidate| -> Vec<f64> {
            let rows = candidate.judged.of_users.iter();
            rows.map(|row| f64::from(row[0])).collect()
        };
        if is_better(&of_users(deep), &of_users(counting), seed) {
            best = deep;
            beside = format!(", {} {:.4}", counting.name, ndcg(counting));
        } else {
            beside = format!(", {BLEND_RNN} {:.4}, which is not better enough", ndcg(deep));
        }
    }
    let mut kept = "";
    if let Some(before) = of(PUBLISHED)
        && best.judged.gain_over(&before.judged, 0, DRAWS, seed).hi90 < 0.0
    {
        best = before;
        kept = ", which stays because tonight's choice is significantly worse";
    }
    if ndcg(best) <= ndcg(naive) {
        let why = format!(
            "the best personal model ({}, NDCG@10 {:.4}) does not beat the popularity of 30 days ({:.4}) on {tested} \
             customers, so everybody gets the popular products",
            best.name,
            ndcg(best),
            ndcg(naive)
        );
        return (POPULARITY, why);
    }
    let why = format!(
        "{} reaches NDCG@10 {:.4} on {tested} customers, the popularity of 30 days {:.4}{beside}{kept}",
        best.name,
        ndcg(best),
        ndcg(naive)
    );
    (best.name, why)
}

#[cfg(test)]
mod tests {
    use super::super::{BLEND, COMPONENTS, EASE, ITEM_COSINE};
    use super::*;
    use crate::recommend::measure::{Judged, METRICS};

    fn candidate(name: &'static str, ndcg: f32, users: usize) -> Candidate {
        Candidate {
            name,
            judged: Judged {
                of_users: vec![[ndcg; METRICS.len()]; users],
                first: vec![Vec::new(); users],
                ranked: 1,
            },
            fitted_on: None,
        }
    }

    #[test]
    fn a_lucky_choice_is_not_believed() {
        // Two models of equal worth, each lucky with one half of the customers: chosen on one half, measured on the other.
        let mut all = [
            candidate(POPULARITY, 0.0, 40),
            candidate(COMPONENTS[EASE], 0.0, 40),
            candidate(BLEND, 0.0, 40),
        ];
        for user in 0..40 {
            all[1 + user % 2].judged.of_users[user][0] = 0.4;
        }
        assert!((all[1].judged.mean(0) - 0.2).abs() < 1e-6);
        assert_eq!(choice(&all, 1).unwrap().value, 0.0);
        // One that is truly better keeps its figure.
        all[2] = candidate(BLEND, 0.5, 40);
        assert!((choice(&all, 1).unwrap().value - 0.5).abs() < 1e-6);
        assert!(choice(&[candidate(POPULARITY, 0.1, 3)], 1).is_none());
    }

    #[test]
    fn a_personal_model_that_loses_to_popularity_is_not_used() {
        let all = [
            candidate(POPULARITY, 0.2, 50),
            candidate(ITEM_COSINE, 0.1, 50),
            candidate(BLEND, 0.15, 50),
        ];
        let (name, why) = winner(&all, 1);
        assert_eq!(name, POPULARITY);
        assert!(why.contains("does not beat"), "{why}");
    }

    #[test]
    fn the_best_wins_and_last_night_stays_where_tonight_is_worse() {
        let mut all = vec![
            candidate(POPULARITY, 0.1, 50),
            candidate(ITEM_COSINE, 0.2, 50),
            candidate(BLEND, 0.3, 50),
        ];
        assert_eq!(winner(&all, 1).0, BLEND);
        all.push(candidate(PUBLISHED, 0.4, 50));
        let (name, why) = winner(&all, 1);
        assert_eq!(name, PUBLISHED);
        assert!(why.contains("which stays"), "{why}");
        all[2] = candidate(BLEND, 0.4, 50);
        assert_eq!(winner(&all, 1).0, BLEND);
    }

    #[test]
    fn a_network_wins_only_where_it_is_surely_better() {
        let mut all = [
            candidate(POPULARITY, 0.1, 100),
            candidate(BLEND, 0.3, 100),
            candidate(RNN, 0.9, 100),
            candidate(BLEND_RNN, 0.302, 100),
        ];
        // By less than one in a hundred; and alone it is no candidate at all.
        let (name, why) = winner(&all, 1);
        assert_eq!(name, BLEND);
        assert!(
            why.contains("blend+rnn 0.3020, which is not better enough"),
            "{why}"
        );
        assert!((choice(&all, 1).unwrap().value - 0.3).abs() < 1e-6);
        // By more, but not surely: one customer makes the whole difference.
        all[3].judged.of_users[0][0] = 0.99;
        all[3].judged.of_users[1][0] = 0.99;
        for row in &mut all[3].judged.of_users[2..] {
            row[0] = 0.299;
        }
        assert!(all[3].judged.mean(0) > 1.01 * 0.3);
        assert_eq!(winner(&all, 1).0, BLEND);
        all[3] = candidate(BLEND_RNN, 0.31, 100);
        let (name, why) = winner(&all, 1);
        assert_eq!(name, BLEND_RNN);
        assert!(
            why.contains("blend+rnn reaches NDCG@10 0.3100") && why.contains(", blend 0.3000"),
            "{why}"
        );
        assert!((choice(&all, 1).unwrap().value - 0.31).abs() < 1e-6);
    }

    #[test]
    fn few_users_get_the_naive_answer() {
        let all = [candidate(POPULARITY, 0.1, 3), candidate(BLEND, 0.9, 3)];
        let (name, why) = winner(&all, 1);
        assert_eq!(name, POPULARITY);
        assert!(why.contains("too little data"), "{why}");
    }
}
