//! The report card: before a night replaces the lists that readers see, it judges them by what happened since they were
//! made, beside the popular products of the same night on the same observations.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use anyhow::Result;

use super::Prepared;
use super::collect::LISTS;
use crate::pipeline::Night;
use crate::recommend::pairs::PairOptions;
use crate::recommend::report::{self, Bought, Measure, Observation};
use crate::store::{self, OfCustomer, OfPage, Published, ReportRow};

/// Rows of a list that are judged.
const ROWS: usize = 10;
/// Rows of the list of next products that are judged.
const NEXT_ROWS: usize = 20;
/// Popular products that are asked for, so that enough are left when those bought before are taken out.
const POPULAR: usize = 1000;

/// What is asked of ten rows, and of the next products.
const OF_TEN: [Measure; 2] = [Measure::Ndcg(ROWS), Measure::Hit(ROWS)];
const OF_NEXT: [Measure; 2] = [Measure::Hit(NEXT_ROWS), Measure::ReciprocalRank(NEXT_ROWS)];

/// Judges what is published and writes its lines, one of each result, measure and local day.
pub(super) fn write(prepared: &Prepared, night: &Night<'_>) -> Result<()> {
    let Some(published) = night.shop.published_lists("recommendations")? else {
        return Ok(());
    };
    if night.dry_run || published.as_of >= night.as_of {
        return Ok(());
    }
    let judge = Judge {
        popular: Vec::new(),
        prepared,
        published,
        night,
    };
    let judge = Judge {
        popular: judge.products(judge.published.popular(POPULAR)?),
        ..judge
    };
    let mut rows = judge.people()?;
    rows.extend(judge.pages()?);
    rows.extend(judge.next()?);
    rows.extend(judge.displays());
    Ok(night.shop.record_part_of_day(&rows)?)
}

struct Judge<'n> {
    prepared: &'n Prepared,
    published: Published<'n>,
    night: &'n Night<'n>,
    /// The naive list.
    popular: Vec<u32>,
}

impl Judge<'_> {
    /// Indices of the products that are still in the catalogue.
    fn products(&self, ids: Vec<String>) -> Vec<u32> {
        let products = &self.prepared.products;
        let place = |id: &String| products.binary_search_by(|p| p.product_id.cmp(id)).ok();
        ids.iter().filter_map(place).map(|at| at as u32).collect()
    }

    fn id(&self, product: u32) -> &str {
        &self.prepared.products[product as usize].product_id
    }

    fn day_of(&self) -> impl Fn(i64) -> i64 + '_ {
        |at| self.night.day_of(at)
    }

    /// The popular products without some.
    fn naive(&self, most: usize, without: impl Fn(u32) -> bool) -> Vec<u32> {
        self.popular
            .iter()
            .copied()
            .filter(|&product| !without(product))
            .take(most)
            .collect()
    }

    fn rows(
        &self,
        result: &'static str,
        observations: &[Observation],
        measures: &[Measure],
    ) -> Vec<ReportRow> {
        let lines = report::judge(observations, measures).into_iter();
        lines
            .map(|line| ReportRow {
                day: line.day,
                result,
                slice: String::new(),
                metric: line.measure.name(),
                value: Some(line.value),
                naive: Some(line.naive),
                observations: line.observations as u64,
            })
            .collect()
    }

    /// recommendations, visitor_recommendations and buy_again: by what people bought.
    fn people(&self) -> Result<Vec<ReportRow>> {
        let log = &self.prepared.log;
        let (mut known, mut strangers, mut again) = (Vec::new(), Vec::new(), Vec::new());
        let mut of_places: BTreeMap<Option<usize>, Vec<u32>> = BTreeMap::new();
        for person in report::bought(log, self.published.as_of, self.day_of()) {
            self.night.control.check()?;
            match person.user {
                Some(user) if !person.stranger => {
                    self.customer(user, &person, &mut known)?;
                    self.returning(user, &person, &mut again)?;
                }
                user => {
                    let place = user.and_then(|user| self.prepared.places.of(user as usize));
                    let shown = match of_places.entry(place) {
                        Entry::Occupied(known) => known.into_mut(),
                        Entry::Vacant(new) => new.insert(self.of_place(place)?),
                    };
                    strangers.extend(person.new.into_iter().map(|(day, wanted)| Observation {
                        day,
                        shown: shown.clone(),
                        naive: self.naive(ROWS, |_| false),
                        wanted,
                    }));
                }
            }
        }
        let mut rows = self.rows("recommendations", &known, &OF_TEN);
        rows.extend(self.rows("visitor_recommendations", &strangers, &OF_TEN));
        rows.extend(self.rows("buy_again", &again, &OF_TEN));
        Ok(rows)
    }

    /// A customer's list against what they bought; where lists leave out what was bought, against what was new to them.
    fn customer(&self, user: u32, person: &Bought, observations: &mut Vec<Observation>) -> Result<()> {
        let id = &self.prepared.users[user as usize];
        let list = self
            .published
            .of_customer(OfCustomer::Recommendations, id, ROWS)?;
        if list.is_empty() {
            return Ok(());
        }
        let shown = self.products(list);
        let gone = |product: u32| self.published.exclude_bought && person.before.contains_key(&product);
        let naive = self.naive(ROWS, gone);
        let mut days: BTreeMap<i64, BTreeSet<u32>> = person.new.clone();
        if !self.published.exclude_bought {
            for (&day, products) in &person.again {
                days.entry(day).or_default().extend(products);
            }
        }
        observations.extend(days.into_iter().map(|(day, wanted)| Observation {
            day,
            shown: shown.clone(),
            naive: naive.clone(),
            wanted,
        }));
        Ok(())
    }

    /// A customer's list of products to buy again against what they bought again; naively, what they bought most often.
    fn returning(&self, user: u32, person: &Bought, observations: &mut Vec<Observation>) -> Result<()> {
        if person.again.is_empty() {
            return Ok(());
        }
        let id = &self.prepared.users[user as usize];
        let list = self.published.of_customer(OfCustomer::BuyAgain, id, ROWS)?;
        if list.is_empty() {
            return Ok(());
        }
        let shown = self.products(list);
        let mut often: Vec<(u32, i64, u32)> = person
            .before
            .iter()
            .map(|(&p, &(n, last))| (n, last, p))
            .collect();
        often.sort_unstable_by(|a, b| (b.0, b.1).cmp(&(a.0, a.1)).then(a.2.cmp(&b.2)));
        let naive: Vec<u32> = often
            .into_iter()
            .take(ROWS)
            .map(|(_, _, product)| product)
            .collect();
        observations.extend(person.again.iter().map(|(&day, wanted)| Observation {
            day,
            shown: shown.clone(),
            naive: naive.clone(),
            wanted: wanted.clone(),
        }));
        Ok(())
    }

    /// The list a stranger from a place was shown: their place's, else a larger one's, else anywhere's.
    fn of_place(&self, place: Option<usize>) -> Result<Vec<u32>> {
        let mut at = place;
        while let Some(place) = at {
            let (country, language) = &self.prepared.places.names[place];
            let list = self.published.of_place(country, language, ROWS)?;
            if !list.is_empty() {
                return Ok(self.products(list));
            }
            at = self.prepared.places.parents[place];
        }
        Ok(self.products(self.published.of_place("", "", ROWS)?))
    }

    /// similar_products and bought_together: by baskets. A page without rows shows nothing and is not judged.
    fn pages(&self) -> Result<Vec<ReportRow>> {
        let widest = PairOptions::default().widest;
        let baskets = report::baskets(&self.prepared.log, self.published.as_of, widest, self.day_of());
        let mut rows = Vec::new();
        for (result, list) in [
            ("similar_products", OfPage::Similar),
            ("bought_together", OfPage::Together),
        ] {
            let mut pages: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
            let mut observations = Vec::new();
            for (day, basket) in &baskets {
                self.night.control.check()?;
                for &page in basket {
                    let shown = self.page(list, page, ROWS, &mut pages)?;
                    if shown.is_empty() {
                        continue;
                    }
                    let mut wanted = basket.clone();
                    wanted.remove(&page);
                    observations.push(Observation {
                        day: *day,
                        shown,
                        naive: self.naive(ROWS, |product| product == page),
                        wanted,
                    });
                }
            }
            rows.extend(self.rows(result, &observations, &OF_TEN));
        }
        Ok(rows)
    }

    /// next_products: by steps within sessions.
    fn next(&self) -> Result<Vec<ReportRow>> {
        let mut pages: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        let mut observations = Vec::new();
        for (day, from, to) in report::steps(&self.prepared.log, self.published.as_of, self.day_of()) {
            let shown = self.page(OfPage::Next, from, NEXT_ROWS, &mut pages)?;
            if !shown.is_empty() {
                observations.push(Observation {
                    day,
                    shown,
                    naive: self.naive(NEXT_ROWS, |product| product == from),
                    wanted: BTreeSet::from([to]),
                });
            }
        }
        Ok(self.rows("next_products", &observations, &OF_NEXT))
    }

    fn page(
        &self,
        list: OfPage,
        page: u32,
        most: usize,
        known: &mut BTreeMap<u32, Vec<u32>>,
    ) -> store::Result<Vec<u32>> {
        Ok(match known.entry(page) {
            Entry::Occupied(known) => known.get().clone(),
            Entry::Vacant(new) => {
                let list = self.published.of_page(list, self.id(page), most)?;
                new.insert(self.products(list)).clone()
            }
        })
    }

    /// What lists displayed, where the application says so (events of kind 'shown'): how much was followed, and how much was
    /// bought. Nothing else was displayed in its place, so there is no naive figure.
    fn displays(&self) -> Vec<ReportRow> {
        let counts = report::followed(self.prepared.sights.clone(), self.day_of());
        counts
            .into_iter()
            .flat_map(|((day, list), (displays, followed, bought))| {
                let row = |metric: &str, hits: usize| ReportRow {
                    day,
                    result: LISTS[list as usize],
                    slice: String::new(),
                    metric: metric.to_owned(),
                    value: Some(hits as f64 / displays as f64),
                    naive: None,
                    observations: displays as u64,
                };
                [row("click_through", followed), row("buy_through", bought)]
            })
            .collect()
    }
}
