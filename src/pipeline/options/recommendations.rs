//! `[recommendations]`: what the shop wants of its lists, and what an event is worth.
//!
//! Two sorts of number stand in a job file. What the shop *wants* (how many rows, what becomes of what was bought, how
//! mixed a list is) only people can say: it is here. What *predicts* best (neighbours, decays, weights of the models)
//! is found on the shop's own data every night and is no option. The behaviour weights are in between: they say what
//! the shop means by interest, so they are here, with defaults that are good on real shops.

use serde::Deserialize;

use crate::recommend::log::Strengths;

/// `[recommendations]`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RecommendationOptions {
    /// Rows each customer is promised; a reserve is written on top.
    pub per_user: usize,
    /// What becomes of products a customer has bought.
    pub already_bought: AlreadyBought,
    /// With [`AlreadyBought::BuyAgain`]: days after which a product comes back that has no rhythm of its own.
    pub rest_days: u32,
    /// What the lists are tuned for.
    pub purpose: Purpose,
    /// Most products of one category among each [`category_cap_among`](Self::category_cap_among) rows; 0 = any number.
    pub category_cap: usize,
    /// The rows that the cap looks at together.
    pub category_cap_among: usize,
    /// How much a list avoids products that are like those above them, 0 to 1.
    pub diversity: f64,
    /// Share of the rows below the first ten that is given to products nobody knows yet.
    pub new_products: f64,
    /// Most bought products that the model EASE is fitted on.
    pub ease_products: usize,
    /// Steps that a network over sessions learns at most, half of them where it goes on from another; 0 = none learns.
    pub rnn_steps: u64,
    /// Steps that a network over the customers' histories learns at most, half of them where it goes on from another; 0 = none
    /// learns.
    pub rnn_list_steps: u64,
    /// Steps that a network over the products' texts learns at most; 0 = none learns.
    pub cnn_steps: u64,
    /// What one event of each kind is worth.
    pub weights: Weights,
}

/// What becomes of products a customer has bought.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AlreadyBought {
    /// Never recommended again.
    Exclude,
    /// Treated as any other.
    Allow,
    /// Recommended again when it is due.
    BuyAgain,
}

/// What lists are tuned for: which inner cut, and which profile of the customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Purpose {
    /// What customers buy in the weeks to come: a cut through time.
    NextWeeks,
    /// What completes the basket they are filling: each customer's last purchases.
    Basket,
}

/// `[recommendations.weights]`: what one event of each kind is worth, as a share of a purchase.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Weights {
    /// A product page that was looked at.
    pub view: f32,
    /// A product put on a wish list.
    pub wish: f32,
    /// A product put into the cart.
    pub cart: f32,
    /// A purchase that was not sent back.
    pub purchase: f32,
    /// Five stars.
    pub rating: f32,
}

impl Default for Weights {
    fn default() -> Weights {
        let Strengths {
            view,
            wish,
            cart,
            purchase,
            rating,
        } = Strengths::default();
        Weights {
            view,
            wish,
            cart,
            purchase,
            rating,
        }
    }
}

impl Default for RecommendationOptions {
    fn default() -> Self {
        RecommendationOptions {
            per_user: 100,
            already_bought: AlreadyBought::Exclude,
            rest_days: 90,
            purpose: Purpose::NextWeeks,
            category_cap: 0,
            category_cap_among: 10,
            diversity: 0.0,
            new_products: 0.05,
            ease_products: 8000,
            rnn_steps: 3000,
            rnn_list_steps: 600,
            cnn_steps: 2000,
            weights: Weights::default(),
        }
    }
}

impl RecommendationOptions {
    /// What an event is worth, as the models take it.
    pub fn strengths(&self) -> Strengths {
        let Weights {
            view,
            wish,
            cart,
            purchase,
            rating,
        } = self.weights;
        Strengths {
            view,
            wish,
            cart,
            purchase,
            rating,
        }
    }

    /// Rows written for each customer: those promised and a quarter more (at least five, at most fifty), so that what is
    /// sold out, blocked or bought by day takes from the reserve.
    pub fn rows(&self) -> usize {
        self.per_user + (self.per_user / 4).clamp(5, 50)
    }

    /// The first option that makes no sense: its name, its value, and what was expected.
    pub fn senseless(&self) -> Option<(&'static str, String, &'static str)> {
        let share = "a number from 0 to 1";
        let Weights {
            view,
            wish,
            cart,
            purchase,
            rating,
        } = self.weights;
        let weights = [
            ("weights.view", view),
            ("weights.wish", wish),
            ("weights.cart", cart),
            ("weights.purchase", purchase),
            ("weights.rating", rating),
        ];
        if !(1..=10_000).contains(&self.per_user) {
            return Some((
                "per_user",
                self.per_user.to_string(),
                "a number of rows from 1 to 10000",
            ));
        }
        if !(1..=3650).contains(&self.rest_days) {
            return Some((
                "rest_days",
                self.rest_days.to_string(),
                "a number of days from 1 to 3650",
            ));
        }
        if !(1..=10_000).contains(&self.category_cap_among) {
            let rows = self.category_cap_among.to_string();
            return Some(("category_cap_among", rows, "a number of rows from 1 to 10000"));
        }
        if !(0.0..=1.0).contains(&self.diversity) {
            return Some(("diversity", self.diversity.to_string(), share));
        }
        if !(0.0..=0.5).contains(&self.new_products) {
            return Some((
                "new_products",
                self.new_products.to_string(),
                "a share of rows from 0 to 0.5",
            ));
        }
        if self.ease_products > 20_000 {
            let products = self.ease_products.to_string();
            return Some((
                "ease_products",
                products,
                "a number of products from 0 to 20000 (its memory grows with their square)",
            ));
        }
        if let Some((name, weight)) = weights.into_iter().find(|(_, w)| !(0.0..=1.0).contains(w)) {
            return Some((name, weight.to_string(), share));
        }
        (purchase == 0.0).then(|| {
            (
                "weights.purchase",
                "0".to_owned(),
                "a number above 0: all else is a share of a purchase",
            )
        })
    }
}
