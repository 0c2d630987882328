//! Memory: what one night leaves to the next.
//!
//! Tuning costs more than all else a night does, and what it finds holds for weeks. So the numbers found, and what was published
//! with them, are kept with the generation. The next night *rests* on them where it may ([`Memory::rests`]): it searches nothing,
//! fits what is published on tonight's data, measures it beside the naive answers, and publishes. After [`TUNED_AFRESH`]
//! nights, or once the log has grown or shrunk by [`GROWN`], everything is tuned with the full budget again, from the numbers known,
//! and what is published is judged beside what was found: it stays where tonight's is significantly worse.
//!
//! Only what was *measured* is remembered. A part that had too few customers to be tuned leaves nothing, so the first night
//! that has enough of them tunes it in full. Numbers tuned for one purpose are worth nothing for another (a basket needs a fading
//! profile, the next weeks do not), so with another purpose all begins anew.

use super::again::choose::Recipe;
use super::choose::{PERSONAL, POPULARITY};
use super::cold::Choice;
use super::kernels::Kernel;
use super::purpose::Purpose;
use super::sessions::blend::Weights;
use super::settings::Settings;
use super::visitors;

/// Nights after which everything is tuned again.
pub const TUNED_AFRESH: u16 = 14;
/// Growth of the log (or its loss) after which everything is tuned again, as a share.
pub const GROWN: f64 = 0.05;

/// What ranked the lists of customers, with its numbers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OfLists {
    /// The model's name: one of [`PERSONAL`], or [`POPULARITY`].
    pub model: String,
    /// All tuned numbers.
    pub settings: Settings,
}

/// What ranked the next products.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OfSessions {
    /// The model's name.
    pub model: String,
    /// Its weights.
    pub weights: Weights,
    /// The tuned weights of the blend, whether it won or not.
    pub tuned: Weights,
}

/// What ranked the products for strangers.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OfVisitors {
    /// The kernels behind the order that was published; the naive one alone where nothing beat it.
    pub published: Vec<Kernel>,
    /// What the inner cut chose.
    pub choice: visitors::Choice,
}

/// What ranked the products bought again.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct OfAgain {
    /// The model's name.
    pub model: String,
    /// How the logistic model is made.
    pub recipe: Recipe,
}

/// What a night leaves to the next; a part that could not be measured leaves `None`.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Memory {
    /// What the numbers were tuned for.
    pub purpose: Purpose,
    /// Nights since everything was tuned.
    pub nights: u16,
    /// Events in the log when it was.
    pub events: u64,
    /// Lists of customers.
    pub lists: Option<OfLists>,
    /// Next products.
    pub sessions: Option<OfSessions>,
    /// Lists of strangers.
    pub visitors: Option<OfVisitors>,
    /// Products bought again.
    pub again: Option<OfAgain>,
    /// New products.
    pub cold: Option<Choice>,
}

impl Memory {
    /// Whether a night over so many events may search nothing and rest on this. One whose lists are merely popular may not: it
    /// must find out whether there is enough now for something better.
    pub fn rests(&self, purpose: Purpose, events: usize) -> bool {
        let (then, now) = (self.events as f64, events as f64);
        let alike = (now - then).abs() <= GROWN * then;
        let personal = self.lists.as_ref().is_some_and(|lists| lists.model != POPULARITY);
        self.purpose == purpose && personal && alike && self.nights + 1 < TUNED_AFRESH
    }

    /// Whether every number is one that a fit can use: what is read back from a file is not trusted.
    pub fn is_sane(&self) -> bool {
        let weights = |weights: &Weights| weights.iter().all(|w| *w >= 0.0 && w.is_finite());
        let kernels = |kernels: &[Kernel]| !kernels.is_empty() && kernels.iter().all(Kernel::is_sane);
        self.nights < TUNED_AFRESH
            && self.lists.as_ref().is_none_or(|lists| {
                let known = lists.model == POPULARITY || PERSONAL.contains(&lists.model.as_str());
                known && lists.settings.is_sane()
            })
            && self
                .sessions
                .as_ref()
                .is_none_or(|sessions| weights(&sessions.weights) && weights(&sessions.tuned))
            && self.visitors.as_ref().is_none_or(|visitors| {
                let visitors::Choice { together, selling } = &visitors.choice;
                kernels(&visitors.published) && kernels(together) && selling.is_sane()
            })
            && self.again.as_ref().is_none_or(|again| again.recipe.is_sane())
            && self.cold.as_ref().is_none_or(Choice::is_sane)
    }
}

#[cfg(test)]
mod tests {
    use super::super::cold::{ColdSettings, Voice};
    use super::super::kernels::{Fading, NAIVE};
    use super::*;

    fn memory() -> Memory {
        Memory {
            purpose: Purpose::NextWeeks,
            nights: 0,
            events: 1000,
            lists: Some(OfLists {
                model: "blend".into(),
                settings: Settings::start(Purpose::NextWeeks),
            }),
            sessions: Some(OfSessions {
                model: "session_blend".into(),
                weights: [1.0; 9],
                tuned: [1.0; 9],
            }),
            visitors: Some(OfVisitors {
                published: vec![NAIVE],
                choice: visitors::Choice {
                    together: vec![NAIVE],
                    selling: NAIVE,
                },
            }),
            again: Some(OfAgain {
                model: "logistic".into(),
                recipe: Recipe { cuts: 2, ridge: 1e-3 },
            }),
            cold: Some(Choice {
                voice: Voice::Encoder,
                settings: ColdSettings::default(),
            }),
        }
    }

    #[test]
    fn a_night_rests_on_what_still_holds() {
        let before = memory();
        assert!(before.rests(Purpose::NextWeeks, 1000) && before.rests(Purpose::NextWeeks, 1050));
        assert!(!before.rests(Purpose::NextWeeks, 1051) && !before.rests(Purpose::NextWeeks, 949));
        assert!(!before.rests(Purpose::Basket, 1000));
        let nights = TUNED_AFRESH - 1;
        assert!(!Memory { nights, ..memory() }.rests(Purpose::NextWeeks, 1000));
        assert!(
            !Memory {
                lists: None,
                ..memory()
            }
            .rests(Purpose::NextWeeks, 1000)
        );
        let mut popular = memory();
        popular.lists.as_mut().unwrap().model = POPULARITY.into();
        assert!(!popular.rests(Purpose::NextWeeks, 1000));
    }

    #[test]
    fn what_comes_back_is_checked() {
        assert!(memory().is_sane());
        let bytes = postcard::to_stdvec(&memory()).unwrap();
        assert_eq!(postcard::from_bytes::<Memory>(&bytes).unwrap(), memory());
        let spoiled: [fn(&mut Memory); 7] = [
            |m| m.nights = TUNED_AFRESH,
            |m| m.lists.as_mut().unwrap().model = "oracle".into(),
            |m| m.lists.as_mut().unwrap().settings.ease_lambda = f64::NAN,
            |m| m.sessions.as_mut().unwrap().tuned[3] = -1.0,
            |m| m.visitors.as_mut().unwrap().choice.selling.fading = Fading::HalfLife(0.0),
            |m| m.again.as_mut().unwrap().recipe.cuts = 0,
            |m| m.cold.as_mut().unwrap().settings.alpha = 0.0,
        ];
        for (number, spoil) in spoiled.iter().enumerate() {
            let mut memory = memory();
            spoil(&mut memory);
            assert!(!memory.is_sane(), "{number}");
        }
    }
}
