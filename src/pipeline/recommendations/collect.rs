//! collect and prepare: events become a log over dense indices.
//!
//! Events are lent row by row and kept in 40 bytes; users get numbers as they appear and, once all are known, the places
//! of their ids in text order, so that the order of insertion decides nothing but ties of time. What cannot be used
//! is left out and counted by reason.

use std::collections::{BTreeMap, HashMap};

use super::Drops;
use crate::recommend::log::{Interaction, Kind, Log};
use crate::recommend::popularity::DAY;
use crate::recommend::rules::{Action, Rule, Rules};
use crate::store::{self, Product, Snapshot};

/// Why an event was left out.
mod reason {
    pub(super) const LATER: &str = "later than the night's instant";
    pub(super) const OLDER: &str = "older than settings.history_days";
    pub(super) const KIND: &str = "unknown kind";
    pub(super) const PRODUCT: &str = "product not in products";
    pub(super) const QUANTITY: &str = "quantity not above 0";
    pub(super) const RATING: &str = "rating not between 1 and 5";
    pub(super) const NOBODY: &str = "no user and no purchase";
    pub(super) const RULE: &str = "rule of unknown kind, value, customer, product or category";
}

/// One event, with the numbers its texts got in the order of reading.
#[derive(Debug)]
struct Read {
    user: Option<u32>,
    product: u32,
    kind: Kind,
    quantity: f32,
    rating: f32,
    at: i64,
    basket: u32,
}

/// What was read.
#[derive(Debug)]
pub struct Collected {
    products: Vec<Product>,
    rules: Vec<store::Rule>,
    users: Vec<String>,
    events: Vec<Read>,
    drops: Drops,
}

/// Everything over dense indices, in the order of the text ids.
#[derive(Debug)]
pub struct Prepared {
    pub(super) log: Log,
    pub(super) users: Vec<String>,
    pub(super) products: Vec<Product>,
    pub(super) categories: BTreeMap<String, Vec<u32>>,
    pub(super) groups: Vec<Option<u32>>,
    pub(super) rules: Rules,
}

pub(super) fn collect(
    snapshot: &Snapshot,
    as_of: i64,
    rules_at: i64,
    history_days: Option<i64>,
) -> store::Result<Collected> {
    let products = snapshot.products()?;
    let rules = snapshot.rules(rules_at)?;
    let oldest = history_days.map(|days| as_of.saturating_sub(days.saturating_mul(DAY)));
    // products come ordered by id, so a place in the list is the dense index.
    let known: HashMap<&str, u32> = products
        .iter()
        .zip(0..)
        .map(|(p, i)| (p.product_id.as_str(), i))
        .collect();
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut baskets: HashMap<u128, u32> = HashMap::new();
    let mut events = Vec::new();
    let mut drops = BTreeMap::new();
    snapshot.events(|event| {
        let mut drop = |why| *drops.entry(("events", why)).or_insert(0) += 1;
        if event.kind == "shown" {
            return; // what we showed is no interest; the report card reads it
        }
        let Some(kind) = Kind::of(event.kind) else {
            return drop(reason::KIND);
        };
        if event.at > as_of {
            return drop(reason::LATER);
        }
        if oldest.is_some_and(|oldest| event.at < oldest) {
            return drop(reason::OLDER);
        }
        let Some(&product) = known.get(event.product_id) else {
            return drop(reason::PRODUCT);
        };
        if !(event.quantity > 0.0 && event.quantity.is_finite()) {
            return drop(reason::QUANTITY);
        }
        let rating = event.rating.unwrap_or(0.0);
        if kind == Kind::Rating && !(1.0..=5.0).contains(&rating) {
            return drop(reason::RATING);
        }
        if event.user_id.is_none() && kind != Kind::Purchase {
            return drop(reason::NOBODY);
        }
        let user = event.user_id.map(|id| match numbers.get(id) {
            Some(&number) => number,
            None => {
                let number = numbers.len() as u32;
                numbers.insert(id.to_owned(), number);
                number
            }
        });
        let next = baskets.len() as u32;
        let basket = *baskets.entry(basket_of(&event)).or_insert(next);
        let (quantity, rating) = (event.quantity as f32, rating as f32);
        events.push(Read {
            user,
            product,
            kind,
            quantity,
            rating,
            at: event.at,
            basket,
        });
    })?;
    let mut users = vec![String::new(); numbers.len()];
    for (id, number) in numbers {
        users[number as usize] = id;
    }
    drop(known);
    Ok(Collected {
        products,
        rules,
        users,
        events,
        drops,
    })
}

/// The identity of an event's basket: its order, else its session, else its user's minute; a stranger's lone event
/// is a basket of its own.
fn basket_of(event: &store::Event<'_>) -> u128 {
    let (kind, id, at) = match (event.order_id, event.session_id, event.user_id) {
        (Some(order), _, _) => ("o", order, 0),
        (None, Some(session), _) => ("s", session, 0),
        (None, None, Some(user)) => ("u", user, event.at),
        (None, None, None) => ("e", "", event.event_id),
    };
    xxhash_rust::xxh3::xxh3_128(format!("{kind}{at}:{id}").as_bytes())
}

pub(super) fn prepare(mut collected: Collected) -> (Prepared, Drops) {
    let mut order: Vec<u32> = (0..collected.users.len() as u32).collect();
    order.sort_unstable_by(|&a, &b| collected.users[a as usize].cmp(&collected.users[b as usize]));
    let mut place = vec![0u32; order.len()];
    for (to, &from) in order.iter().enumerate() {
        place[from as usize] = to as u32;
    }
    let users: Vec<String> = order
        .iter()
        .map(|&from| std::mem::take(&mut collected.users[from as usize]))
        .collect();
    let events = collected
        .events
        .into_iter()
        .zip(0..)
        .map(|(read, line)| Interaction {
            user: read.user.map(|user| place[user as usize]),
            product: read.product,
            kind: read.kind,
            quantity: read.quantity,
            rating: read.rating,
            at: read.at,
            basket: read.basket,
            line,
        });
    let products = collected.products;
    let log = Log::new(users.len(), products.len(), events.collect());
    let mut categories: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut groups = Vec::with_capacity(products.len());
    for (product, index) in products.iter().zip(0..) {
        if let Some(category) = product.category.as_ref().filter(|category| !category.is_empty()) {
            categories.entry(category.clone()).or_default().push(index);
        }
        let next = numbers.len() as u32;
        groups.push(
            product
                .group_id
                .as_deref()
                .map(|group| *numbers.entry(group).or_insert(next)),
        );
    }
    let mut drops = collected.drops;
    let mut rules = Vec::new();
    for row in &collected.rules {
        match rule(row, &users, &products, &categories) {
            Some(rule) => rules.push(rule),
            None => *drops.entry(("rules", reason::RULE)).or_insert(0) += 1,
        }
    }
    (
        Prepared {
            log,
            users,
            products,
            categories,
            groups,
            rules: Rules(rules),
        },
        drops,
    )
}

/// A rule over indices; `None` where it cannot act: a kind, place or factor that makes no sense, an unknown customer or
/// product.
fn rule(
    row: &store::Rule,
    users: &[String],
    products: &[Product],
    categories: &BTreeMap<String, Vec<u32>>,
) -> Option<Rule> {
    let product = |id: &String| {
        products
            .binary_search_by(|p| p.product_id.cmp(id))
            .ok()
            .map(|i| i as u32)
    };
    let action = match row.kind.as_str() {
        "block" => Action::Block,
        "pin" => Action::Pin(row.value.filter(|v| *v >= 1.0 && *v <= 1e6)? as usize),
        "boost" => Action::Boost(row.value.filter(|v| v.is_finite() && *v >= 0.0)? as f32),
        _ => return None,
    };
    // A column that is NULL matches everything; one that names something unknown matches nothing.
    let user = match &row.user_id {
        Some(id) => Some(users.binary_search(id).ok()? as u32),
        None => None,
    };
    let page = match &row.for_product_id {
        Some(id) => Some(product(id)?),
        None => None,
    };
    let mut acted: Vec<u32> = match (&row.product_id, &row.category) {
        (Some(id), _) => vec![product(id)?],
        (None, Some(category)) => categories.get(category)?.clone(),
        (None, None) => (0..products.len() as u32).collect(),
    };
    if let (Some(_), Some(category)) = (&row.product_id, &row.category) {
        acted.retain(|&p| products[p as usize].category.as_ref() == Some(category));
    }
    if matches!(action, Action::Pin(_)) && row.product_id.is_none() {
        return None;
    }
    let result = row.result.clone();
    Some(Rule {
        action,
        result,
        user,
        page,
        products: acted,
    })
}

/// All words of a product: its title twice as loud as its description, its category, brand and traits.
pub(super) fn text(product: &Product) -> String {
    let traits = product
        .properties
        .as_deref()
        .and_then(|json| serde_json::from_str::<serde_json::Value>(json).ok());
    let mut words = vec![product.title.clone(), product.title.clone()];
    words.extend(
        [&product.description, &product.category, &product.brand]
            .into_iter()
            .flatten()
            .cloned(),
    );
    if let Some(serde_json::Value::Object(traits)) = traits {
        words.extend(traits.into_iter().filter_map(|(_, value)| match value {
            serde_json::Value::String(text) => Some(text),
            serde_json::Value::Number(number) => Some(number.to_string()),
            _ => None,
        }));
    }
    words.join("\n")
}

impl Prepared {
    /// The users that have any usable event, ascending.
    pub(super) fn active(&self) -> Vec<usize> {
        let mut active = vec![false; self.users.len()];
        self.log
            .events()
            .iter()
            .filter_map(|event| event.user)
            .for_each(|user| active[user as usize] = true);
        (0..active.len()).filter(|&user| active[user]).collect()
    }
}
