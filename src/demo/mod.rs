//! A shop that never was: the rows behind `nightclerk demo`, the tutorial and many tests.
//!
//! [`shop`] makes a whole shop from a seed: a catalogue in twelve categories, customers with tastes,
//! two years of what they looked at, bought and sent back, prices with promotions and a competitor,
//! and the tickets they wrote with what the agents answered. The structure is there to be found:
//!
//! - a customer has one to three favourite categories, a few favourite brands and one style;
//! - categories have seasons, the shop a weekly rhythm, growth and a busy December;
//! - articles that are used up are bought again after about as long as they last;
//! - a kind of article has another that goes with it, often in the same basket;
//! - promotions raise demand, ratings follow taste and quality, clothing comes back most;
//! - a ticket's category, order, product and language show in its text, through typing errors,
//!   second topics and a few labels that people got wrong, so that no classifier is perfect.
//!
//! Invariants: the same seed and scale give the same rows; a product is never seen before it was
//! created; the last day is 2026-06-30 UTC for ever. No SQL here: `cli` writes the rows through `store`.

mod calendar;
mod catalogue;
mod dice;
mod events;
mod people;
mod phrases;
mod prices;
mod staff;
mod tickets;
mod words;
mod writing;

/// One row of `products`.
#[derive(Debug, Clone)]
pub struct Product {
    /// Key: `P00001` and up.
    pub product_id: String,
    /// The article whose variants differ by colour.
    pub group_id: String,
    /// English, or Chinese for a few.
    pub title: String,
    /// A few sentences, some with a Chinese one.
    pub description: String,
    /// The department.
    pub category: String,
    /// The maker.
    pub brand: String,
    /// A JSON object: colour, style.
    pub properties: String,
    /// Today's price.
    pub price: f64,
    /// What the shop pays; unknown for a few.
    pub cost: Option<f64>,
    /// Always the shop's currency.
    pub currency: &'static str,
    /// Units on the shelf.
    pub in_stock: i64,
    /// Taken off the shop's pages.
    pub hidden: bool,
    /// Unix seconds.
    pub created_at: i64,
}

/// One row of `users`.
#[derive(Debug, Clone)]
pub struct User {
    /// Key: `U00001` and up.
    pub user_id: String,
    /// ISO 3166 code.
    pub country: &'static str,
    /// BCP 47 tag: en, zh or de.
    pub language: &'static str,
    /// Unix seconds.
    pub created_at: i64,
}

/// One row of `events`, with its ids as numbers until they are asked for: ten million fit in memory.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event {
    /// Index into [`DemoShop::users`]; none = an unknown visitor.
    pub user: Option<u32>,
    /// Number of the session.
    pub session: u32,
    /// Number of the order, on purchases and what follows from them.
    pub order: Option<u32>,
    /// Index into [`DemoShop::products`].
    pub product: u32,
    /// A kind of the contract: view, wish, cart, purchase, return, rating, dismiss.
    pub kind: &'static str,
    /// Units, above 0.
    pub quantity: u32,
    /// Unit price paid, of purchases and returns.
    pub price: Option<f64>,
    /// 1 to 5, of ratings.
    pub rating: Option<u8>,
    /// Unix seconds.
    pub at: i64,
}

/// One row of `prices`: holds until the seller's next row.
#[derive(Debug, Clone)]
pub struct Price {
    /// Index into [`DemoShop::products`].
    pub product: u32,
    /// '' is the shop itself.
    pub seller: &'static str,
    /// Unix seconds.
    pub at: i64,
    /// None = no longer offered.
    pub price: Option<f64>,
    /// Whether the price is a promotion.
    pub promotion: bool,
}

/// One row of `drivers`.
#[derive(Debug, Clone)]
pub struct Driver {
    /// What it is: holiday, or newsletter.
    pub name: &'static str,
    /// Empty = every product.
    pub product_id: String,
    /// YYYY-MM-DD; known past and future.
    pub day: String,
    /// Its value.
    pub value: f64,
}

/// One row of `agents`.
#[derive(Debug, Clone)]
pub struct Agent {
    /// Key.
    pub agent_id: String,
    /// Full name.
    pub name: &'static str,
    /// delivery, money, product or account.
    pub team: &'static str,
    /// BCP 47 tags.
    pub languages: Vec<&'static str>,
    /// Ticket categories; empty = every one.
    pub skills: Vec<&'static str>,
    /// Open tickets at a time.
    pub capacity: i64,
    /// On duty.
    pub active: bool,
}

/// One row of `tickets`.
#[derive(Debug, Clone)]
pub struct Ticket {
    /// Key: `T00001` and up, by time.
    pub ticket_id: String,
    /// Who wrote; none = a guest.
    pub user_id: Option<String>,
    /// First line.
    pub subject: String,
    /// The message.
    pub body: String,
    /// As the mail programme guessed it; none = not known.
    pub language: Option<&'static str>,
    /// email, form or chat.
    pub channel: &'static str,
    /// open, pending or closed.
    pub status: &'static str,
    /// What people decided; none = nobody has yet.
    pub category: Option<&'static str>,
    /// The team people chose.
    pub team: Option<&'static str>,
    /// Who has it.
    pub agent_id: Option<String>,
    /// low, medium, high or urgent.
    pub priority: Option<&'static str>,
    /// Unix seconds.
    pub created_at: i64,
    /// Unix seconds.
    pub first_reply_at: Option<i64>,
    /// Unix seconds.
    pub closed_at: Option<i64>,
}

/// One row of `replies`.
#[derive(Debug, Clone)]
pub struct Reply {
    /// Whose ticket.
    pub ticket_id: String,
    /// agent, customer or note.
    pub author: &'static str,
    /// The agent, of agent and note.
    pub agent_id: Option<String>,
    /// The text.
    pub body: String,
    /// Unix seconds.
    pub at: i64,
}

/// One row of `articles`.
#[derive(Debug, Clone)]
pub struct Article {
    /// Key.
    pub article_id: String,
    /// Headline.
    pub title: &'static str,
    /// Text.
    pub body: &'static str,
    /// Ticket category it helps with.
    pub category: &'static str,
    /// en or zh.
    pub language: &'static str,
    /// Unix seconds.
    pub updated_at: i64,
}

/// The whole shop.
#[derive(Debug, Clone)]
pub struct DemoShop {
    /// Rows of `settings`: name, value.
    pub settings: Vec<(&'static str, &'static str)>,
    /// 1,000 times the scale, fewer past 1.
    pub products: Vec<Product>,
    /// 2,000 times the scale.
    pub users: Vec<User>,
    /// 100,000 times the scale, by time.
    pub events: Vec<Event>,
    /// Steps of two years, by product, seller and time.
    pub prices: Vec<Price>,
    /// Holidays and newsletters.
    pub drivers: Vec<Driver>,
    /// Fourteen and more with the scale.
    pub agents: Vec<Agent>,
    /// 3,000 times the scale, by time.
    pub tickets: Vec<Ticket>,
    /// By ticket and time.
    pub replies: Vec<Reply>,
    /// Help pages in English and Chinese.
    pub articles: Vec<Article>,
    /// Pairs of words that mean the same.
    pub synonyms: Vec<(&'static str, &'static str)>,
    /// The first second after the last day.
    pub ends_at: i64,
}

impl DemoShop {
    /// The event's user id; none for an unknown visitor.
    pub fn user_id(&self, event: &Event) -> Option<&str> {
        event.user.map(|user| self.users[user as usize].user_id.as_str())
    }

    /// The event's product id.
    pub fn product_id(&self, product: u32) -> &str {
        &self.products[product as usize].product_id
    }
}

impl Event {
    /// The session's id.
    pub fn session_id(&self) -> String {
        format!("S{:07}", self.session)
    }

    /// The order's id, as customers quote it in tickets.
    pub fn order_id(&self) -> Option<String> {
        self.order.map(order_id)
    }
}

/// An order's number as the shop prints it.
fn order_id(number: u32) -> String {
    format!("NC{}", 100_000 + number)
}

/// How the number of products grows with a shop past its usual size: 20,000 of them for 100,000 customers. Shops grow in
/// customers faster than in articles.
const PRODUCTS_GROW: f64 = 0.766;

/// Makes the shop. `scale` multiplies the number of users, events and tickets (at least one of each), and of products up to
/// 1; beyond, products grow with its power 0.766. Values that are not finite or not above 0 count as 1.
pub fn shop(seed: u64, scale: f64) -> DemoShop {
    let scale = if scale.is_finite() && scale > 0.0 {
        scale
    } else {
        1.0
    };
    let count = |at_one: f64| ((at_one * scale).round() as usize).max(1);
    let products = 1000.0 * scale.max(1.0).powf(PRODUCTS_GROW) / scale.max(1.0);
    let mut catalogue = catalogue::make(seed, count(products));
    let prices = prices::make(seed, &mut catalogue);
    let people = people::make(seed, count(2000.0));
    let events = events::make(seed, count(100_000.0), &catalogue, &prices, &people);
    let agents = staff::agents(scale);
    let (tickets, replies) = tickets::make(seed, count(3000.0), &catalogue, &people, &events, &agents);
    DemoShop {
        settings: vec![("currency", "EUR"), ("language", "en"), ("time_zone", "UTC")],
        products: catalogue.products,
        users: people.users,
        events,
        prices: prices.rows,
        drivers: staff::drivers(),
        agents,
        tickets,
        replies,
        articles: staff::articles(),
        synonyms: staff::SYNONYMS.to_vec(),
        ends_at: calendar::END,
    }
}

#[cfg(test)]
mod tests;
