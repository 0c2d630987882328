//! What a view counts: the factor on the strengths of everything that is no purchase.
//!
//! The shop's options say how a view compares with a cart; how all of them compare with a purchase is measured, on the
//! latest inner cut, by item cosine (the cheapest model that hears strengths). A shop without such events has nothing to
//! measure, one without purchases nothing to compare with.

use super::{LEAST_USERS, TuneOptions, sample};
use crate::fit::{Control, FitError};
use crate::recommend::log::{Kind, Log, Strengths};
use crate::recommend::measure::ndcg10;
use crate::recommend::models::Alone;
use crate::recommend::neighbours::{Nearest, Neighbours};
use crate::recommend::profile::Decay;
use crate::recommend::purpose::Purpose;

/// The factors on trial.
const SIGNS: [f64; 4] = [0.0, 0.3, 1.0, 2.0];
/// What another factor must gain before the start is left.
const WORTH: f64 = 5e-4;

/// The best factor on the strengths of views, wishes, carts and ratings; `start` is among those tried.
///
/// # Errors
/// The night was stopped.
pub fn tune_signs(
    log: &Log,
    strengths: &Strengths,
    purpose: Purpose,
    start: f64,
    options: &TuneOptions,
    control: &Control,
) -> Result<f64, FitError> {
    let known = || log.events().iter().filter(|event| event.user.is_some());
    let signs = known().any(|e| matches!(e.kind, Kind::View | Kind::Wish | Kind::Cart | Kind::Rating));
    if !signs || !log.has_purchases() {
        return Ok(start);
    }
    let worth = |factor: f64| {
        control.check()?;
        let strengths = strengths.with_signs(factor);
        let outer = purpose.cut(log, &strengths);
        let Some(cut) = purpose.inner_cuts(&outer, log, &strengths).into_iter().next() else {
            return Ok(None);
        };
        // Which users are tested hangs on purchases alone, so every factor is asked about the same ones.
        let users = sample(cut.tested(), options.model_users, options.seed);
        if users.len() < LEAST_USERS {
            return Ok(None);
        }
        let behaviour = Neighbours::item_cosine(&cut.train, 100);
        let (model, decay) = (
            Nearest {
                lists: &behaviour,
                k: 100,
            },
            Decay::flat(),
        );
        Ok::<_, FitError>(Some(ndcg10(&Alone { model, decay }, &cut, &users)))
    };
    let Some(mut bar) = worth(start)? else {
        return Ok(start);
    };
    let mut best = start;
    for factor in SIGNS.into_iter().filter(|&factor| factor != start) {
        if let Some(found) = worth(factor)?
            && found > bar + WORTH
        {
            (bar, best) = (found, factor);
        }
    }
    Ok(best)
}
