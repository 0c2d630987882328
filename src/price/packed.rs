//! Price histories in memory, a few bytes a row.
//!
//! A shop of 100,000 products with three years of weekly prices has 16 million rows. As structs they take half a gigabyte;
//! but most rows come at the same distance as the one before and say the same price, which here is one byte. A series is
//! unpacked each time somebody looks at it, which takes a microsecond for a hundred rows.
//!
//! A row is a byte of flags, then what the flags leave open: the distance in time, where it differs from the one before,
//! and the price: the same, none, a difference in hundredths, or eight bytes of a number. Nothing is rounded.

use super::series::Posted;

/// Histories by number, each in the order its rows were given.
#[derive(Debug, Default)]
pub struct Packed {
    bytes: Vec<u8>,
    /// Where each history ends.
    ends: Vec<usize>,
    /// The number of rows of each.
    rows: Vec<u32>,
}

const PROMOTION: u8 = 1;
const SAME_GAP: u8 = 2;
const SAME_PRICE: u8 = 0;
const NO_PRICE: u8 = 4;
const HUNDREDTHS: u8 = 8;
const NUMBER: u8 = 12;
const PRICE: u8 = 12;

/// What a row is told against.
#[derive(Default)]
struct Before {
    at: i64,
    gap: i64,
    price: Option<f64>,
    hundredths: i64,
}

/// The price as a whole number of hundredths, where it is exactly that.
fn hundredths(price: f64) -> Option<i64> {
    let rounded = (price * 100.0).round();
    (rounded.abs() < 1e15 && rounded / 100.0 == price && (rounded != 0.0 || price.is_sign_positive()))
        .then_some(rounded as i64)
}

fn push_number(bytes: &mut Vec<u8>, number: i64) {
    // Zigzag, then seven bits a byte, the lowest first.
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    while rest >= 0x80 {
        bytes.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    bytes.push(rest as u8);
}

fn take_number(bytes: &mut &[u8]) -> i64 {
    let (mut rest, mut shift) = (0u64, 0);
    while let Some((&byte, tail)) = bytes.split_first() {
        *bytes = tail;
        rest |= u64::from(byte & 0x7f) << shift;
        shift += 7;
        if byte < 0x80 {
            break;
        }
    }
    (rest >> 1) as i64 ^ -((rest & 1) as i64)
}

impl Packed {
    /// How many histories there are.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Rows of history `s`.
    pub fn rows_of(&self, s: usize) -> usize {
        self.rows[s] as usize
    }

    /// Bytes taken.
    pub fn size(&self) -> usize {
        self.bytes.len() + self.ends.len() * (size_of::<usize>() + size_of::<u32>())
    }

    /// Adds a history; its number is the count of those before.
    pub fn push(&mut self, rows: &[Posted]) {
        let mut before = Before::default();
        for row in rows {
            let gap = row.at.wrapping_sub(before.at);
            let mut flags = if row.promotion { PROMOTION } else { 0 };
            if gap == before.gap {
                flags |= SAME_GAP;
            }
            let cents = row.price.and_then(hundredths);
            let same = row.price.map(f64::to_bits) == before.price.map(f64::to_bits);
            flags |= match (row.price, cents) {
                (Some(_), _) if same => SAME_PRICE,
                (None, _) => NO_PRICE,
                (Some(_), Some(_)) => HUNDREDTHS,
                (Some(_), None) => NUMBER,
            };
            self.bytes.push(flags);
            if gap != before.gap {
                push_number(&mut self.bytes, gap.wrapping_sub(before.gap));
            }
            match (flags & PRICE, row.price, cents) {
                (HUNDREDTHS, _, Some(cents)) => {
                    push_number(&mut self.bytes, cents - before.hundredths);
                    before.hundredths = cents;
                }
                (NUMBER, Some(price), _) => self.bytes.extend(price.to_le_bytes()),
                _ => {}
            }
            before.at = row.at;
            before.gap = gap;
            if row.price.is_some() {
                before.price = row.price;
            }
        }
        self.ends.push(self.bytes.len());
        self.rows.push(rows.len() as u32);
    }

    /// The rows of history `s`.
    pub fn unpack(&self, s: usize) -> Vec<Posted> {
        let start = s.checked_sub(1).map_or(0, |before| self.ends[before]);
        let mut bytes = &self.bytes[start..self.ends[s]];
        let mut before = Before::default();
        let mut rows = Vec::with_capacity(self.rows_of(s));
        while let Some((&flags, rest)) = bytes.split_first() {
            bytes = rest;
            if flags & SAME_GAP == 0 {
                before.gap = before.gap.wrapping_add(take_number(&mut bytes));
            }
            before.at = before.at.wrapping_add(before.gap);
            let price = match flags & PRICE {
                SAME_PRICE => before.price,
                HUNDREDTHS => {
                    before.hundredths += take_number(&mut bytes);
                    Some(before.hundredths as f64 / 100.0)
                }
                NUMBER => bytes.split_first_chunk::<8>().map(|(number, rest)| {
                    bytes = rest;
                    f64::from_le_bytes(*number)
                }),
                _ => None,
            };
            if price.is_some() {
                before.price = price;
            }
            rows.push(Posted {
                at: before.at,
                price,
                promotion: flags & PROMOTION != 0,
            });
        }
        rows
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_in_comes_out_to_the_bit() {
        let mut random = fastrand::Rng::with_seed(9);
        let mut packed = Packed::default();
        let prices = [
            0.0,
            -0.0,
            1.1,
            19.99,
            1.0 / 3.0,
            1e300,
            f64::INFINITY,
            f64::MIN_POSITIVE,
            1e13 + 0.01,
            -5.25,
        ];
        let all: Vec<Vec<Posted>> = (0..200)
            .map(|length| {
                let mut at = 0;
                (0..length)
                    .map(|_| {
                        at += [0, 86_400, 604_800, random.i64(0..100_000_000)][random.usize(0..4)];
                        Posted {
                            at,
                            price: random.bool().then(|| prices[random.usize(0..prices.len())]),
                            promotion: random.bool(),
                        }
                    })
                    .collect()
            })
            .collect();
        all.iter().for_each(|rows| packed.push(rows));
        assert_eq!(packed.len(), 200);
        let bits = |rows: &[Posted]| {
            rows.iter()
                .map(|row| (row.at, row.price.map(f64::to_bits), row.promotion))
                .collect::<Vec<_>>()
        };
        for (s, rows) in all.iter().enumerate() {
            assert_eq!(packed.rows_of(s), rows.len());
            assert_eq!(bits(&packed.unpack(s)), bits(rows));
        }
    }

    #[test]
    fn a_price_that_stays_takes_a_byte_and_one_that_moves_a_few() {
        let weekly = |price: fn(i64) -> f64| -> Vec<Posted> {
            (0..160)
                .map(|week| Posted {
                    at: 1_600_000_000 + week * 604_800,
                    price: Some(price(week)),
                    promotion: false,
                })
                .collect()
        };
        let mut packed = Packed::default();
        packed.push(&weekly(|_| 19.99));
        assert!(packed.size() < 160 + 30, "{}", packed.size());
        packed.push(&weekly(|week| [19.99, 14.99][week as usize % 2]));
        assert!(packed.size() < 4 * 160 + 100, "{}", packed.size());
    }
}
