//! The catalogue: articles in groups of colour variants, and the traits that decide how they sell.

use super::Product;
use super::calendar::{DAY, DAYS, START};
use super::dice::Dice;
use super::words::{BRANDS, CATEGORIES, COLOURS, STYLES};

/// What a product is behind its row.
#[derive(Debug, Clone)]
pub(super) struct Traits {
    pub category: usize,
    /// Index into the category's kinds.
    pub kind: usize,
    pub brand: usize,
    pub style: usize,
    /// Mean 0, standard deviation 1: what ratings follow.
    pub quality: f64,
    /// Weight among its category.
    pub popularity: f64,
    /// Price outside promotions on its first day.
    pub base: f64,
    pub created_at: i64,
}

/// Products, their traits, and who is where.
pub(super) struct Catalogue {
    pub products: Vec<Product>,
    pub traits: Vec<Traits>,
    /// Products of each category with the running sum of their popularity.
    pub shelves: Vec<Shelf>,
}

/// A category's products, drawable in proportion to popularity.
#[derive(Default)]
pub(super) struct Shelf {
    pub products: Vec<u32>,
    running: Vec<f64>,
}

impl Shelf {
    fn put(&mut self, product: u32, popularity: f64) {
        self.products.push(product);
        self.running
            .push(self.running.last().unwrap_or(&0.0) + popularity);
    }

    /// A product in proportion to popularity; none when the shelf is empty.
    pub(super) fn draw(&self, dice: &mut Dice) -> Option<u32> {
        let at = dice.unit() * self.running.last()?;
        Some(
            self.products[self
                .running
                .partition_point(|&sum| sum <= at)
                .min(self.products.len() - 1)],
        )
    }
}

/// Makes `count` products.
pub(super) fn make(seed: u64, count: usize) -> Catalogue {
    let mut catalogue = Catalogue {
        products: Vec::new(),
        traits: Vec::new(),
        shelves: CATEGORIES.iter().map(|_| Shelf::default()).collect(),
    };
    let mut group = 0;
    while catalogue.products.len() < count {
        group += 1;
        let mut dice = Dice::new(seed, "catalogue", group);
        let category = if group as usize <= CATEGORIES.len() {
            group as usize - 1
        } else {
            dice.below(CATEGORIES.len())
        };
        let kinds = CATEGORIES[category].kinds;
        let kind = dice.below(kinds.len());
        let variants = if kinds[kind].lasts > 0.0 {
            1
        } else {
            1 + dice.run(0.45, 3)
        };
        let newest = dice.chance(0.04);
        let created_at = if newest {
            START + (DAYS - dice.int(3, 40)) * DAY // new: hardly anybody has seen it
        } else if dice.chance(0.7) {
            START - dice.int(10, 900) * DAY
        } else {
            START + dice.int(0, DAYS - 60) * DAY
        };
        let traits = Traits {
            category,
            kind,
            brand: (category * 2 + dice.below(6)) % BRANDS.len(),
            style: dice.below(STYLES.len()),
            quality: dice.normal(),
            popularity: (0.9 * dice.normal()).exp(),
            base: psychological(dice.between(kinds[kind].low, kinds[kind].high)),
            created_at: created_at + dice.int(6 * 3600, 18 * 3600),
        };
        let first_colour = dice.below(COLOURS.len());
        for variant in 0..variants.min(count - catalogue.products.len()) {
            let mut traits = traits.clone();
            traits.popularity *= dice.between(0.3, 1.2);
            let colour = (variants > 1 || dice.chance(0.3)).then(|| (first_colour + variant) % COLOURS.len());
            let product = row(catalogue.products.len() + 1, group, &traits, colour, &mut dice);
            catalogue.shelves[category].put(catalogue.products.len() as u32, traits.popularity);
            catalogue.products.push(product);
            catalogue.traits.push(traits);
        }
    }
    catalogue
}

/// A price as shops print it: ending in .95, .49 or .99.
pub(super) fn psychological(price: f64) -> f64 {
    let whole = price.floor();
    let cents = match (price - whole, price >= 50.0) {
        (_, true) => 95.0,
        (part, _) if part < 0.5 => 49.0,
        _ => 99.0,
    };
    (whole * 100.0 + cents).round() / 100.0
}

fn row(number: usize, group: u64, traits: &Traits, colour: Option<usize>, dice: &mut Dice) -> Product {
    let category = &CATEGORIES[traits.category];
    let kind = &category.kinds[traits.kind];
    let style = &STYLES[traits.style];
    let brand = BRANDS[traits.brand];
    let look = style.words[(traits.brand + traits.kind) % style.words.len()];
    let (colour_en, colour_zh) = colour.map(|colour| COLOURS[colour]).unzip();
    let suffix =
        |word: Option<&str>, mark: &str| word.map(|word| format!("{mark}{word}")).unwrap_or_default();
    let zh_title = format!("{brand} {}{}{}", style.zh, kind.zh, suffix(colour_zh, " "));
    let title = match dice.unit() {
        roll if roll < 0.04 => zh_title,
        roll if roll < 0.10 => format!(
            "{brand} {look} {} {}{}",
            kind.name,
            kind.zh,
            suffix(colour_en, ", ")
        ),
        _ => format!("{brand} {look} {}{}", kind.name, suffix(colour_en, ", ")),
    };
    let features = category.features;
    let first = dice.below(features.len());
    let mut description = format!(
        "{} by {brand} in the {} style{}. {}. {}.",
        kind.name,
        style.name,
        suffix(colour_en, ", colour "),
        features[first],
        features[(first + 1 + dice.below(features.len() - 1)) % features.len()],
    );
    if dice.chance(0.35) {
        description.push_str(&format!(" Goes well with our {}.", kind.goes_with));
    }
    if dice.chance(0.15) {
        description.push_str(&format!(
            " {brand}{}风格的{},{}精选,适合送礼和日常使用。",
            style.zh, kind.zh, category.zh
        ));
    }
    let cost = (traits.base * dice.between(0.42, 0.68) * 100.0).round() / 100.0;
    Product {
        product_id: format!("P{number:05}"),
        group_id: format!("G{group:05}"),
        title,
        description,
        category: category.name.to_owned(),
        brand: brand.to_owned(),
        properties: match colour_en {
            Some(colour) => format!("{{\"colour\":\"{colour}\",\"style\":\"{}\"}}", style.name),
            None => format!("{{\"style\":\"{}\"}}", style.name),
        },
        price: traits.base,
        cost: (!dice.chance(0.03)).then_some(cost),
        currency: "EUR",
        in_stock: if dice.chance(0.06) { 0 } else { dice.int(1, 400) },
        hidden: dice.chance(0.02),
        created_at: traits.created_at,
    }
}
