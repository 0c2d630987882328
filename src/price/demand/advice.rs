//! The price to set, or why to leave it: raise, lower, keep, none.
//!
//! *none* means that not enough is known to say anything: too few weeks, a price that never moved, buyers who did not
//! clearly react, an unknown cost where margin is the goal. *keep* means that it is known, or that somebody has
//! decided: the price is as good as any within reach, a promotion runs, another price is already planned, or a person
//! said no to advice within the last 28 days.
//!
//! A price is advised for its gain in the *worse* of two cases, the ends of the elasticity's 80 % interval: raised, buyers
//! react as strongly as is still likely, lowered, as weakly. So the gain is at least that with 90 %, advice is smaller
//! the less is known, and none is given that merely might pay. The step is bounded by `max_change`, and no price is
//! advised below cost; one that is below cost now is only ever raised.
//!
//! Gains are fractions of the margin now. Where that is next to nothing ([`THIN`] of the price, or less than none), a
//! fraction of it says nothing: a cent more may be twice as much. Then gains are told as fractions of the revenue now, and
//! `margin_change` is `None`.

use super::Answer;
use super::endings::Endings;

/// What advice is to improve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Revenue less cost.
    Margin,
    /// Revenue.
    Revenue,
}

impl Goal {
    /// Its name in job files and results.
    pub fn name(self) -> &'static str {
        match self {
            Goal::Margin => "margin",
            Goal::Revenue => "revenue",
        }
    }
}

/// What was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Decision {
    /// A higher price.
    Raise,
    /// A lower price.
    Lower,
    /// The price now.
    Keep,
    /// Not enough known.
    None,
}

impl Decision {
    /// The word in `price_advice`.
    pub fn name(self) -> &'static str {
        match self {
            Decision::Raise => "raise",
            Decision::Lower => "lower",
            Decision::Keep => "keep",
            Decision::None => "none",
        }
    }
}

/// Why a price is left alone whatever the numbers say.
#[derive(Debug, Clone, PartialEq)]
pub enum Settled {
    /// A promotion runs.
    Promotion,
    /// Another price of the shop's own is entered for a coming day.
    Planned {
        /// It, or `None` for the end of the offer.
        price: Option<f64>,
        /// From when, YYYY-MM-DD.
        day: String,
    },
    /// A person rejected advice.
    Rejected {
        /// When, YYYY-MM-DD.
        day: String,
        /// Until when nothing is advised.
        until: String,
    },
}

/// A product as advice sees it.
#[derive(Debug, Clone)]
pub struct Situation<'a> {
    /// The price in force; `None` = not on sale, or for free.
    pub price_now: Option<f64>,
    /// Whether it can be bought: in stock and not hidden.
    pub sellable: bool,
    /// What a person or a plan has decided.
    pub settled: Option<Settled>,
    /// What one costs the shop.
    pub cost: Option<f64>,
    /// Weeks on sale with known price since its first sale.
    pub weeks: usize,
    /// What is known of its demand.
    pub answer: &'a Answer,
    /// Whether forecasts of products of its kind beat what needs no model.
    pub trusted: bool,
    /// Who lent evidence: "brand Tropicana and category juice".
    pub pooled_with: Option<&'a str>,
}

/// What advice must keep to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    /// What to improve.
    pub goal: Goal,
    /// Largest change, a fraction of the price now.
    pub max_change: f64,
    /// Prices as the shop writes them.
    pub endings: Endings,
}

/// The advice: fractions over 28 days, all 0 where the price is kept, all `None` where nothing is known.
#[derive(Debug, Clone, PartialEq)]
pub struct Advice {
    /// What to do.
    pub decision: Decision,
    /// The price in force.
    pub price_now: Option<f64>,
    /// The price to set.
    pub price_advised: Option<f64>,
    /// Of units.
    pub units_change: Option<f64>,
    /// Of revenue.
    pub revenue_change: Option<f64>,
    /// Of margin; `None` where there is next to none now ([`THIN`]), or the cost is not known.
    pub margin_change: Option<f64>,
    /// 80 % interval of `revenue_change`.
    pub revenue_change_80: Option<(f64, f64)>,
    /// In plain words.
    pub why: String,
}

/// The least gain, in the worse case, that is worth a new price tag.
const WORTH_IT: f64 = 0.005;

/// A margin of a smaller share of the price is no yardstick.
pub const THIN: f64 = 0.05;

/// The price to set for one product.
pub fn advise(situation: &Situation<'_>, bounds: &Bounds) -> Advice {
    let Some(now) = situation.price_now.filter(|price| *price > 0.0) else {
        return unknown(
            None,
            "it has no price now: it is not on sale, or given away".into(),
        );
    };
    let none = |why: String| unknown(Some(now), why);
    if !situation.sellable {
        return none("it cannot be bought now: sold out or hidden".into());
    }
    match &situation.settled {
        Some(Settled::Promotion) => {
            return keep(
                situation,
                now,
                "a promotion runs; the regular price is judged again when it is over".into(),
            );
        }
        Some(Settled::Planned { price, day }) => {
            let planned = price.map_or("the end of the offer".into(), |price| {
                format!("the price {}", money(price))
            });
            return keep(situation, now, format!("{planned} is already planned for {day}"));
        }
        Some(Settled::Rejected { day, until }) => {
            return keep(
                situation,
                now,
                format!("somebody rejected advice on {day}: nothing is advised until {until}"),
            );
        }
        None => {}
    }
    let enough = super::block::ENOUGH;
    if situation.weeks == 0 {
        return none("it was never sold while its price was known".into());
    }
    if situation.weeks < enough {
        let weeks = situation.weeks;
        return none(format!(
            "on sale for only {weeks} weeks since its first sale; {enough} are needed"
        ));
    }
    if !situation.answer.moved {
        return none(
            "its price never changed while it was sold, so nobody knows how buyers react: a promotion or a small change \
             would tell"
                .into(),
        );
    }
    let Some(elasticity) = situation.answer.elasticity else {
        return none("too little was sold at different prices to tell how buyers react".into());
    };
    if !situation.trusted {
        return none(
            "units of products like this are not yet foretold better than by a typical week: see scores"
                .into(),
        );
    }
    if elasticity.hi95 >= 0.0 {
        return none(format!(
            "buyers did not clearly react to its price: one percent more changed units by {:+.1} % (95 %: {:+.1} to {:+.1})",
            elasticity.value, elasticity.lo95, elasticity.hi95
        ));
    }
    if bounds.goal == Goal::Margin && situation.cost.is_none() {
        return none("its cost is not known: fill products.cost, or set goal = \"revenue\"".into());
    }

    let cost = situation.cost.unwrap_or(0.0);
    let least = now * (1.0 - bounds.max_change);
    let (low, high) = (least.max(cost.min(now)), now * (1.0 + bounds.max_change));
    // Of a thin margin, what would be a fraction of it if it were just not thin: what is worth a price tag has no jump.
    let thin = now - cost < THIN * now;
    let yardstick = if thin { THIN * now } else { now - cost };
    let gain = |price: f64, e: f64| {
        let units = (price / now).powf(e);
        match bounds.goal {
            Goal::Revenue => price / now * units - 1.0,
            Goal::Margin => ((price - cost) * units - (now - cost)) / yardstick,
        }
    };
    let worse = |price: f64| gain(price, elasticity.lo80).min(gain(price, elasticity.hi80));
    let (mut best, mut hoped) = ((now, 0.0), (now, 0.0));
    for price in bounds.endings.between(low, high) {
        if worse(price) > best.1 {
            best = (price, worse(price));
        }
        if gain(price, elasticity.value) > hoped.1 {
            hoped = (price, gain(price, elasticity.value));
        }
    }
    let reach = percent(bounds.max_change);
    let goal = bounds.goal.name();
    let of_revenue = thin && bounds.goal == Goal::Margin;
    let (told, unit) = match of_revenue {
        true => (THIN, " % of the revenue now"),
        false => (1.0, " %"),
    };
    let told = |gain: f64| format!("{:+.1}{unit}", 100.0 * told * gain);
    if best.1 < WORTH_IT {
        let why = if hoped.1 < 2.0 * WORTH_IT {
            match of_revenue {
                true => format!("no price within {reach} of it would bring more margin worth the name"),
                false => format!("no price within {reach} of it would bring 1 % more {goal}"),
            }
        } else {
            format!(
                "{} might change {goal} by {}, but buyers' reaction is not known well enough to be sure of a gain",
                money(hoped.0),
                told(hoped.1)
            )
        };
        return keep(situation, now, why);
    }
    let price = best.0;
    let revenue = |e: f64| (price / now).powf(1.0 + e) - 1.0;
    let units = (price / now).powf(elasticity.value) - 1.0;
    let margin = situation
        .cost
        .filter(|_| !thin)
        .map(|cost| (price - cost) * (1.0 + units) / (now - cost) - 1.0);
    let ends = (revenue(elasticity.lo80), revenue(elasticity.hi80));
    let raise = price > now;
    let mut why = format!(
        "at {} instead of {} ({:+.1} %) about {} {} units, {goal} {} (with 90 % certainty at least {}): one \
         percent more price costs {:.1} % of units (95 %: {:.1} to {:.1}), from {} weeks",
        money(price),
        money(now),
        100.0 * (price / now - 1.0),
        percent(units.abs()),
        if raise { "fewer" } else { "more" },
        told(gain(price, elasticity.value)),
        told(best.1),
        -elasticity.value,
        -elasticity.hi95,
        -elasticity.lo95,
        situation.weeks,
    );
    if let Some(lenders) = situation.pooled_with {
        why.push_str(&format!(" with the help of {lenders}"));
    }
    if now < cost {
        why.push_str("; it is sold below cost now");
    }
    Advice {
        decision: if raise { Decision::Raise } else { Decision::Lower },
        price_now: Some(now),
        price_advised: Some(price),
        units_change: Some(units),
        revenue_change: Some(revenue(elasticity.value)),
        margin_change: margin,
        revenue_change_80: Some((ends.0.min(ends.1), ends.0.max(ends.1))),
        why,
    }
}

fn unknown(price_now: Option<f64>, why: String) -> Advice {
    Advice {
        decision: Decision::None,
        price_now,
        price_advised: None,
        units_change: None,
        revenue_change: None,
        margin_change: None,
        revenue_change_80: None,
        why,
    }
}

fn keep(situation: &Situation<'_>, now: f64, why: String) -> Advice {
    Advice {
        decision: Decision::Keep,
        price_now: Some(now),
        price_advised: Some(now),
        units_change: Some(0.0),
        revenue_change: Some(0.0),
        margin_change: situation.cost.map(|_| 0.0),
        revenue_change_80: Some((0.0, 0.0)),
        why,
    }
}

/// Steps of the what-if table around the plan.
const STEPS: [f64; 13] = [
    0.70, 0.80, 0.85, 0.90, 0.95, 0.975, 1.0, 1.025, 1.05, 1.10, 1.15, 1.20, 1.30,
];

/// Prices of the what-if table, in order: the plan's, the advised one, and steps around them as the shop writes prices, as
/// far as `max_change` or what the product ever cost (`seen`, lowest and highest) reaches.
pub fn prices_to_ask(plan: f64, advised: Option<f64>, seen: (f64, f64), bounds: &Bounds) -> Vec<f64> {
    let low = (plan * (1.0 - bounds.max_change)).min(seen.0);
    let high = (plan * (1.0 + bounds.max_change)).max(seen.1);
    let mut prices: Vec<f64> = STEPS
        .iter()
        .map(|step| bounds.endings.nearest(plan * step))
        .filter(|price| (low * (1.0 - 1e-9)..=high * (1.0 + 1e-9)).contains(price))
        .collect();
    prices.push(plan);
    prices.extend(advised);
    prices.retain(|price| *price > 0.0 && price.is_finite());
    prices.sort_by(f64::total_cmp);
    prices.dedup_by(|a, b| (*a / *b - 1.0).abs() < 1e-9);
    prices
}

/// A price with as many places as it needs, two at least unless it is whole.
pub fn money(price: f64) -> String {
    if price.fract().abs() < 1e-9 && price >= 1.0 {
        return format!("{price:.0}");
    }
    let places = if (price * 100.0 - (price * 100.0).round()).abs() < 1e-6 {
        2
    } else {
        4
    };
    format!("{price:.places$}")
}

fn percent(fraction: f64) -> String {
    format!("{:.1} %", 100.0 * fraction)
}
