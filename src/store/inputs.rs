//! The rows of the input tables as a night reads them. Large tables (events, prices) are lent row by row
//! without copying; small ones come as owned rows.

/// A row of `products`.
#[derive(Debug, Clone, PartialEq)]
pub struct Product {
    /// The shop's id.
    pub product_id: String,
    /// Variants of one article share it.
    pub group_id: Option<String>,
    /// Title as the customer sees it.
    pub title: String,
    /// Description, or nothing.
    pub description: Option<String>,
    /// Category, or nothing.
    pub category: Option<String>,
    /// Brand, or nothing.
    pub brand: Option<String>,
    /// JSON object of further traits, as stored.
    pub properties: Option<String>,
    /// Price now, major units.
    pub price: Option<f64>,
    /// Cost, major units.
    pub cost: Option<f64>,
    /// In stock and not hidden.
    pub sellable: bool,
    /// When it entered the catalogue.
    pub created_at: Option<i64>,
}

/// A row of `users`.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    /// The shop's id, never ''.
    pub user_id: String,
    /// Country, or nothing.
    pub country: Option<String>,
    /// Language tag, or nothing.
    pub language: Option<String>,
}

/// A row of `events`, lent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Event<'a> {
    /// Order of insertion; breaks ties of `at`.
    pub event_id: i64,
    /// None = an unknown visitor.
    pub user_id: Option<&'a str>,
    /// Session, or nothing.
    pub session_id: Option<&'a str>,
    /// Order, or nothing.
    pub order_id: Option<&'a str>,
    /// Product, known or not.
    pub product_id: &'a str,
    /// Kind as stored.
    pub kind: &'a str,
    /// Units.
    pub quantity: f64,
    /// Unit price paid.
    pub price: Option<f64>,
    /// 1 to 5.
    pub rating: Option<f64>,
    /// The result view that displayed the product.
    pub shown_by: Option<&'a str>,
    /// Unix seconds.
    pub at: i64,
}

/// A row of `prices`, lent, in the order (product_id, seller, at).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price<'a> {
    /// The product.
    pub product_id: &'a str,
    /// '' = the shop itself.
    pub seller: &'a str,
    /// From when on, Unix seconds.
    pub at: i64,
    /// None = no longer offered.
    pub price: Option<f64>,
    /// A promotional price.
    pub promotion: bool,
}

/// A row of `drivers`, lent, in the order (name, product_id, day).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Driver<'a> {
    /// What it is: 'holiday', 'deal'.
    pub name: &'a str,
    /// '' = every product.
    pub product_id: &'a str,
    /// As stored: 'YYYY-MM-DD', if the application kept to it.
    pub day: &'a str,
    /// Its value on that day.
    pub value: f64,
}

/// A row of `agents`.
#[derive(Debug, Clone, PartialEq)]
pub struct Agent {
    /// The shop's id.
    pub agent_id: String,
    /// Name, or nothing.
    pub name: Option<String>,
    /// Team, or nothing.
    pub team: Option<String>,
    /// Languages spoken; None = any.
    pub languages: Option<Vec<String>>,
    /// Categories handled; None = all.
    pub skills: Option<Vec<String>>,
    /// Most open tickets at once; None = no limit.
    pub capacity: Option<i64>,
    /// Here today.
    pub active: bool,
}

/// A row of `tickets`.
#[derive(Debug, Clone, PartialEq)]
pub struct Ticket {
    /// The shop's id.
    pub ticket_id: String,
    /// The customer, or nothing.
    pub user_id: Option<String>,
    /// Subject, may be empty.
    pub subject: String,
    /// Text, may be empty.
    pub body: String,
    /// Language tag as entered, or nothing.
    pub language: Option<String>,
    /// open, pending or closed.
    pub status: String,
    /// Category as decided, or nothing; '-' = none of these.
    pub category: Option<String>,
    /// Team as decided, or nothing.
    pub team: Option<String>,
    /// Agent as decided, or nothing.
    pub agent_id: Option<String>,
    /// low, medium, high, urgent, or nothing.
    pub priority: Option<String>,
    /// Whether people decided the four above; what the clerk decided is never a label.
    pub by_person: bool,
    /// Unix seconds.
    pub created_at: i64,
    /// When it was closed, or nothing.
    pub closed_at: Option<i64>,
}

/// A row of `replies`.
#[derive(Debug, Clone, PartialEq)]
pub struct Reply {
    /// Key of the message.
    pub reply_id: i64,
    /// The ticket it belongs to.
    pub ticket_id: String,
    /// agent, clerk, customer or note.
    pub author: String,
    /// The agent who wrote it, or nothing.
    pub agent_id: Option<String>,
    /// Text.
    pub body: String,
    /// Unix seconds.
    pub at: i64,
}

/// A row of `articles`.
#[derive(Debug, Clone, PartialEq)]
pub struct Article {
    /// The shop's id.
    pub article_id: String,
    /// Title.
    pub title: String,
    /// Text.
    pub body: String,
    /// Category, or nothing.
    pub category: Option<String>,
    /// Language tag, or nothing.
    pub language: Option<String>,
}

/// An enabled row of `rules` in force at the night's instant.
#[derive(Debug, Clone, PartialEq)]
pub struct Rule {
    /// Its number, by which people find it.
    pub rule_id: i64,
    /// pin, block, boost or never_together.
    pub kind: String,
    /// The list it acts on; None = every list.
    pub result: Option<String>,
    /// Only for this customer.
    pub user_id: Option<String>,
    /// Only on this product's page.
    pub for_product_id: Option<String>,
    /// The product shown.
    pub product_id: Option<String>,
    /// never_together: the other one.
    pub other_product_id: Option<String>,
    /// Category of the product shown.
    pub category: Option<String>,
    /// pin: position from 1; boost: factor.
    pub value: Option<f64>,
}
