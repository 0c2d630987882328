//! Prices as the shop writes them: advice that reads 13.2754 is no advice.
//!
//! From the shop's own prices: the smallest unit they are multiples of, and the ending most of them share (.99, .95, or
//! a 9 in the last place). A price is then advised from that grid, as long as it is fine enough for the change.

/// The grid of a shop's prices: `offset + n * step`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Endings {
    /// The smallest unit; `None` where prices are no decimal numbers of at most four places.
    unit: Option<f64>,
    /// Step and offset of the ending that half of the prices share.
    ending: Option<(f64, f64)>,
}

/// The share of prices that must be multiples of a unit.
const MOST: f64 = 0.95;
/// The share of prices that make an ending the shop's.
const HALF: f64 = 0.5;
/// Prices that must be known before an ending is one.
const ENOUGH: usize = 10;

impl Endings {
    /// From prices now.
    pub fn of(prices: &[f64]) -> Endings {
        let prices: Vec<f64> = prices
            .iter()
            .copied()
            .filter(|p| p.is_finite() && *p > 0.0 && *p < 1e9)
            .collect();
        let share = |test: &dyn Fn(f64) -> bool| {
            prices.iter().filter(|price| test(**price)).count() as f64 / prices.len().max(1) as f64
        };
        let unit = (0..=4)
            .map(|places| 10f64.powi(-places))
            .find(|unit| !prices.is_empty() && share(&|price| multiple(price, *unit)) >= MOST);
        let ending = unit.filter(|_| prices.len() >= ENOUGH).and_then(|unit| {
            // The last two places, then the last: 4.99 ends in 99, 0.49 in 9.
            [100.0, 10.0].iter().find_map(|size| {
                let of = |price: f64| (price / unit).round().rem_euclid(*size) as i64;
                let mut endings: Vec<i64> = prices.iter().map(|price| of(*price)).collect();
                endings.sort_unstable();
                let (count, ending) = endings
                    .chunk_by(|a, b| a == b)
                    .map(|same| (same.len(), same[0]))
                    .max_by_key(|(count, ending)| (*count, -ending))?;
                (count as f64 >= HALF * prices.len() as f64).then_some((unit * size, unit * ending as f64))
            })
        });
        Endings { unit, ending }
    }

    /// Prices from `low` to `high` as the shop writes them, at most some two hundred, in order, the first and the last
    /// among them; the ends themselves where prices follow no grid.
    pub fn between(&self, low: f64, high: f64) -> Vec<f64> {
        if !(low > 0.0 && high >= low && high.is_finite()) {
            return Vec::new();
        }
        let unit = self.unit.map(|unit| (unit, 0.0));
        for (step, offset) in [self.ending, unit].into_iter().flatten() {
            let first = ((low - offset) / step - 1e-6).ceil();
            let last = ((high - offset) / step + 1e-6).floor();
            let count = last - first + 1.0;
            if count >= FEW {
                let stride = (count / MANY).ceil();
                return (0..)
                    .map(|i| first + stride * f64::from(i))
                    .take_while(|n| *n < last)
                    .chain([last])
                    .map(|n| self.written(offset + n * step))
                    .collect();
            }
        }
        (0..=40)
            .map(|i| low + (high - low) * f64::from(i) / 40.0)
            .collect()
    }

    /// The price of the shop's grid nearest to `price`.
    pub fn nearest(&self, price: f64) -> f64 {
        let unit = self.unit.map(|unit| (unit, 0.0));
        for (step, offset) in [self.ending, unit].into_iter().flatten() {
            // Within two percent it is still the same price.
            let near = self.written(offset + ((price - offset) / step).round() * step);
            if near > 0.0 && (near / price - 1.0).abs() <= 0.02 {
                return near;
            }
        }
        price
    }

    /// Without the dust of binary fractions.
    fn written(&self, price: f64) -> f64 {
        self.unit.map_or(price, |unit| {
            let per = (1.0 / unit).round();
            (price * per).round() / per
        })
    }
}

/// Prices that are tried at most.
const MANY: f64 = 200.0;
/// Prices that a grid must have between the bounds to be fine enough.
const FEW: f64 = 4.0;

fn multiple(price: f64, unit: f64) -> bool {
    let count = price / unit;
    (count - count.round()).abs() <= 1e-6 * count.max(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shops_own_endings_are_found() {
        let charm: Vec<f64> = (1..40).map(|euro| f64::from(euro) - 0.01).collect();
        let endings = Endings::of(&charm);
        assert_eq!(endings.between(25.0, 29.0), [25.99, 26.99, 27.99, 28.99]);
        assert_eq!(endings.nearest(25.80), 25.99);
        // Too coarse for a price of two: the cent decides.
        let fine = endings.between(1.80, 2.20);
        assert_eq!((fine[0], fine[fine.len() - 1], fine.len()), (1.80, 2.20, 41));
        assert_eq!(endings.nearest(2.204), 2.20);
        // A 9 in the last place.
        let nines: Vec<f64> = (1..60).map(|i| f64::from(10 * i - 1) / 100.0).collect();
        assert_eq!(
            Endings::of(&nines).between(1.0, 1.5),
            [1.09, 1.19, 1.29, 1.39, 1.49]
        );
    }

    #[test]
    fn whole_numbers_four_places_and_no_grid_at_all() {
        let yen = Endings::of(&[980.0, 1200.0, 455.0]);
        assert_eq!(yen.between(99.2, 104.9), [100.0, 101.0, 102.0, 103.0, 104.0]);
        let ounces = Endings::of(&[0.0234, 0.0312, 0.0401]);
        assert_eq!(ounces.between(0.0300, 0.0304).len(), 5);
        let none = Endings::of(&[std::f64::consts::PI, std::f64::consts::E]);
        assert_eq!(
            (none.between(1.0, 2.0).len(), none.nearest(1.234_567)),
            (41, 1.234_567)
        );
        assert!(Endings::of(&[]).between(1.0, 2.0).len() == 41);
        assert!(none.between(0.0, 1.0).is_empty() && none.between(2.0, 1.0).is_empty());
        assert!(none.between(f64::NAN, 1.0).is_empty());
    }
}
