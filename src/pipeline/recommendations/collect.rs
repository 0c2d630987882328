//! collect and prepare: events become a log over dense indices.
//!
//! Events are lent row by row and kept in 40 bytes; users get numbers as they appear and, once all are known, the places
//! of their ids in text order, so that the order of insertion decides nothing but ties of time. What cannot be used
//! is left out and counted by reason.

use std::collections::{BTreeMap, HashMap};

use super::Drops;
use super::wishes::{Names, rule};
use crate::recommend::demand::DAY;
use crate::recommend::log::{Interaction, Kind, Log};
use crate::recommend::places::Places;
use crate::recommend::report::Sight;
use crate::recommend::rules::Rules;
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
}

/// Rules that are named among those left out for one reason, by their numbers.
const NAMED: usize = 10;

/// The result views whose displays are followed up, by the number in [`Sight::list`].
pub(super) const LISTS: [&str; 7] = [
    "recommendations",
    "visitor_recommendations",
    "similar_products",
    "bought_together",
    "next_products",
    "buy_again",
    "popular_products",
];

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
    customers: Vec<store::User>,
    users: Vec<String>,
    events: Vec<Read>,
    sights: Vec<Sight>,
    drops: BTreeMap<(&'static str, &'static str), u64>,
}

/// Everything over dense indices, in the order of the text ids.
#[derive(Debug)]
pub struct Prepared {
    pub(super) log: Log,
    pub(super) users: Vec<String>,
    pub(super) products: Vec<Product>,
    /// Products by category, ascending; a category holds what is below it, see [`categories`].
    pub(super) categories: BTreeMap<String, Vec<u32>>,
    /// The number of each product's own category.
    pub(super) category_of: Vec<Option<u32>>,
    pub(super) groups: Vec<Option<u32>>,
    pub(super) places: Places,
    pub(super) rules: Rules,
    /// How many rules are left out, in words.
    pub(super) unfit_rules: Option<String>,
    /// What was displayed since the lists were made that readers see now, and what was done with it.
    pub(super) sights: Vec<Sight>,
}

pub(super) fn collect(
    snapshot: &Snapshot,
    as_of: i64,
    rules_at: i64,
    history_days: Option<i64>,
    published: Option<i64>,
) -> store::Result<Collected> {
    let products = snapshot.products()?;
    let rules = snapshot.rules(rules_at)?;
    let customers = snapshot.users()?;
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
    let mut sights = Vec::new();
    snapshot.events(|event| {
        if published.is_some_and(|since| event.at > since) && event.at <= as_of {
            sights.extend(
                known
                    .get(event.product_id)
                    .and_then(|&product| sight(&event, product)),
            );
        }
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
        customers,
        users,
        events,
        sights,
        drops,
    })
}

/// A display by one of the lists, or what may follow one; nobody without a name or a session can be followed.
fn sight(event: &store::Event<'_>, product: u32) -> Option<Sight> {
    let (kind, id) = match (event.user_id, event.session_id) {
        (Some(user), _) => ("u", user),
        (None, Some(session)) => ("s", session),
        (None, None) => return None,
    };
    let list = match event.kind {
        "shown" => {
            let by = event.shown_by?;
            Some(LISTS.iter().position(|list| *list == by)? as u32)
        }
        "view" | "cart" | "purchase" => None,
        _ => return None,
    };
    Some(Sight {
        who: xxhash_rust::xxh3::xxh3_128(format!("{kind}:{id}").as_bytes()),
        product,
        at: event.at,
        list,
        bought: event.kind == "purchase",
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
    let (categories, category_of) = categories(&products);
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let groups: Vec<Option<u32>> = products
        .iter()
        .map(|product| {
            let next = numbers.len() as u32;
            let group = product.group_id.as_deref().filter(|group| !group.is_empty())?;
            Some(*numbers.entry(group).or_insert(next))
        })
        .collect();
    let drops = collected.drops;
    let names = Names {
        users: &users,
        products: &products,
        categories: &categories,
    };
    let mut rules = Vec::new();
    let mut unfit: BTreeMap<&'static str, Vec<i64>> = BTreeMap::new();
    for row in &collected.rules {
        match rule(row, &names) {
            Ok(rule) => rules.push(rule),
            Err(reason) => unfit.entry(reason).or_default().push(row.rule_id),
        }
    }
    let mut drops: Drops = drops
        .into_iter()
        .map(|((table, reason), rows)| ((table, reason.to_owned()), rows))
        .collect();
    let count: usize = unfit.values().map(Vec::len).sum();
    let unfit_rules = (count > 0).then(|| format!("{count} rule(s) cannot act, see run_drops"));
    for (reason, numbers) in unfit {
        let named: Vec<String> = numbers.iter().take(NAMED).map(i64::to_string).collect();
        let more = if numbers.len() > NAMED { ", ..." } else { "" };
        let reason = format!("{reason} (rule {}{more})", named.join(", "));
        drops.insert(("rules", reason), numbers.len() as u64);
    }
    // Both are in the order of the text.
    let mut customers = collected.customers.iter().peekable();
    let from = users.iter().map(|id| {
        while customers.next_if(|customer| customer.user_id < *id).is_some() {}
        match customers.peek() {
            Some(customer) if customer.user_id == *id => {
                (customer.country.as_deref(), customer.language.as_deref())
            }
            _ => (None, None),
        }
    });
    let places = Places::new(from);
    (
        Prepared {
            log,
            users,
            products,
            categories,
            category_of,
            groups,
            places,
            rules: Rules(rules),
            unfit_rules,
            sights: collected.sights,
        },
        drops,
    )
}

/// What separates a category from one below it.
const BELOW: &str = " > ";

/// Products by category, and each product's own. The text of a category may be a path, 'a > b': then its products are in
/// 'a' as well. A category is what its text says, to the letter.
fn categories(products: &[Product]) -> (BTreeMap<String, Vec<u32>>, Vec<Option<u32>>) {
    let mut categories: BTreeMap<String, Vec<u32>> = BTreeMap::new();
    let mut numbers: BTreeMap<&str, u32> = BTreeMap::new();
    let mut of = Vec::with_capacity(products.len());
    for (product, index) in products.iter().zip(0..) {
        let Some(category) = product
            .category
            .as_deref()
            .filter(|category| !category.is_empty())
        else {
            of.push(None);
            continue;
        };
        let next = numbers.len() as u32;
        of.push(Some(*numbers.entry(category).or_insert(next)));
        let above = category.match_indices(BELOW).map(|(end, _)| &category[..end]);
        for name in above.chain([category]).filter(|name| !name.is_empty()) {
            categories.entry(name.to_owned()).or_default().push(index);
        }
    }
    (categories, of)
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
