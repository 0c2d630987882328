//! How sure an elasticity is: errors clustered by week, and what shrinkage leaves open.
//!
//! A chain's promotion, a feast or a hot week moves all products at once, so the residuals of a week belong together:
//! errors that take them for independent come out 3 to 10 times too small. A coefficient is, to first order, a sum of
//! what each week's scores `sum w x e` add to it. That influence is followed through the levels of [`super::pooled`]:
//!
//! ```text
//! shop      d0 = (A + P)^-1 s                          A: squares of the data, P: penalty, s: the week's scores
//! brand     db = (A + P)^-1 (s - A d0)
//! category  dc = (A + P)^-1 (s - sum over its products of A (d0 + db))
//! product   dp = (s - xz (d0 + db + dc)) / (squares of price + caution)
//! ```
//!
//! and the variance is `G / (G - 1)` times the sum of its squares over weeks, G the number of weeks, each counted as
//! much as it weighs. On top comes the variance between brands, and between products, that shrinkage has not resolved:
//! a product with little evidence of its own is as uncertain as products differ. Intervals use Student's t with G - 1
//! degrees of freedom.

use super::block::{Kind, Source, dot};
use super::panel::Panel;
use super::pooled::{Level, Model};
use crate::fit::{Control, Stopped};
use crate::price::regression::qr::Triangle;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// What is known of the elasticity of one product.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Elasticity {
    /// Percent of units per percent of price.
    pub value: f64,
    /// Its standard error.
    pub std_error: f64,
    /// 95 % from.
    pub lo95: f64,
    /// 95 % to.
    pub hi95: f64,
    /// 80 % from.
    pub lo80: f64,
    /// 80 % to.
    pub hi80: f64,
    /// Weeks of the product.
    pub weeks: u32,
    /// Share of its deviation from the pool that its own weeks decide, 0 to 1.
    pub own: f64,
}

/// Weeks whose influence is followed, times columns: one level's influence, `columns * week + column`.
type Influence = Vec<f32>;

/// Products looked at in one task.
const CHUNK: usize = 32;

/// The elasticities of all members, in their order; `None` for one whose price never changed or that was not fitted.
///
/// # Errors
/// Stopped by the control.
pub fn elasticities(
    panel: &Panel,
    members: &[usize],
    model: &Model,
    control: &Control,
) -> Result<Vec<Option<Elasticity>>, Stopped> {
    let p = model.columns.len();
    let source = Source {
        panel,
        columns: &model.columns,
        kind: model.kind,
        until: model.until,
        half_life: model.settings.half_life,
        previous: (model.kind == Kind::Slow).then_some(model),
    };
    let item = |slot: usize| &panel.items[members[slot]];
    let mut order: Vec<usize> = (0..members.len()).collect();
    order.sort_by_key(|&slot| item(slot).brand);
    let chunks: Vec<&[usize]> = order
        .chunk_by(|a, b| item(*a).brand == item(*b).brand)
        .flat_map(|of_brand| of_brand.chunks(CHUNK))
        .collect();

    // The scores of the shop and of each brand, week by week.
    let scored: Vec<(Vec<f64>, Vec<f64>)> = chunks
        .par_iter()
        .map(|slots| {
            let mut scores = vec![0.0; p * model.until];
            let mut weights = vec![0.0; model.until];
            for &slot in *slots {
                walk(&source, model, panel, members, slot, |week, row, w, e| {
                    weights[week] += w;
                    add(&mut scores[p * week..p * (week + 1)], row, w * e);
                });
            }
            (scores, weights)
        })
        .collect();
    control.check()?;
    let mut whole = vec![0.0; p * model.until];
    let mut weights = vec![0.0; model.until];
    let mut of_brand: Vec<Option<Vec<f64>>> = vec![None; panel.brands.len()];
    for (slots, (scores, weight)) in chunks.iter().zip(&scored) {
        add(&mut whole, scores, 1.0);
        add(&mut weights, weight, 1.0);
        if let Some(brand) = item(slots[0]).brand {
            let sum = of_brand[brand as usize].get_or_insert_with(|| vec![0.0; p * model.until]);
            add(sum, scores, 1.0);
        }
    }
    drop(scored);
    let (sum, squares) = (weights.iter().sum::<f64>(), dot(&weights, &weights));
    let clusters = sum * sum / squares;
    if clusters.is_nan() || clusters < 1.5 {
        return Ok(vec![None; members.len()]);
    }
    let factor = clusters / (clusters - 1.0);
    let (t95, t80) = (student(0.975, clusters - 1.0), student(0.90, clusters - 1.0));
    for scores in whole.chunks_exact_mut(p) {
        solve(&model.shop.solved, scores);
    }
    let shop: Influence = whole.iter().map(|value| *value as f32).collect();
    let brands: Vec<Option<Influence>> = of_brand
        .into_par_iter()
        .enumerate()
        .map(|(brand, scores)| {
            let (mut scores, level) = (scores?, model.brands[brand].as_ref()?);
            for (scores, above) in scores.chunks_exact_mut(p).zip(shop.chunks_exact(p)) {
                step(level, scores, above);
            }
            add_single(&mut scores, &shop);
            Some(scores.iter().map(|value| *value as f32).collect())
        })
        .collect();
    control.check()?;

    // Category by category, then its products.
    let above = |slot: usize| {
        let brand = item(slot).brand.and_then(|b| brands[b as usize].as_ref());
        brand.unwrap_or(&shop)
    };
    let mut by_category: Vec<usize> = (0..members.len()).collect();
    by_category.sort_by_key(|&slot| item(slot).category);
    let groups: Vec<&[usize]> = by_category
        .chunk_by(|a, b| item(*a).category == item(*b).category)
        .collect();
    let found: Vec<Vec<(usize, Option<Elasticity>)>> = groups
        .par_iter()
        .map(|slots| {
            let level = item(slots[0])
                .category
                .and_then(|c| model.categories[c as usize].as_ref());
            let own = level.map(|level| category(&source, model, panel, members, slots, level, &above));
            slots
                .iter()
                .map(|&slot| {
                    let variance = product(&source, model, panel, members, slot, above(slot), own.as_deref());
                    let elasticity = variance.and_then(|(variance, share)| {
                        let value = model.elasticity(item(slot), slot)?;
                        let std_error = (factor * variance.0 + variance.1).sqrt();
                        (value.is_finite() && std_error.is_finite() && std_error > 0.0).then(|| Elasticity {
                            value,
                            std_error,
                            lo95: value - t95 * std_error,
                            hi95: value + t95 * std_error,
                            lo80: value - t80 * std_error,
                            hi80: value + t80 * std_error,
                            weeks: model.items[slot].as_ref().map_or(0, |fit| fit.weeks),
                            own: share,
                        })
                    });
                    (slot, elasticity)
                })
                .collect()
        })
        .collect();
    let mut all = vec![None; members.len()];
    for (slot, elasticity) in found.into_iter().flatten() {
        all[slot] = elasticity;
    }
    Ok(all)
}

/// Hands each row of a member to `each`: week, regressors, weight, residual.
fn walk(
    source: &Source<'_>,
    model: &Model,
    panel: &Panel,
    members: &[usize],
    slot: usize,
    mut each: impl FnMut(usize, &[f64], f64, f64),
) {
    let item = &panel.items[members[slot]];
    let (Some(block), Some(fit)) = (source.block(slot, item), model.items[slot].as_ref()) else {
        return;
    };
    let pooled = model.coefficients(item);
    for (i, row) in block.x.chunks_exact(pooled.len()).enumerate() {
        let e = block.z[i] - dot(row, &pooled) - fit.slope * row[0];
        each(block.weeks[i], row, block.w[i], e);
    }
}

/// Scores of a level become its influence, given what the levels above it moved.
fn step(level: &Level, scores: &mut [f64], above: &[f32]) {
    let moved = squares_times(&level.data, above);
    for (score, moved) in scores.iter_mut().zip(moved) {
        *score -= moved;
    }
    solve(&level.solved, scores);
}

/// The influence of a category, without what is above it.
fn category<'a>(
    source: &Source<'_>,
    model: &Model,
    panel: &Panel,
    members: &[usize],
    slots: &[usize],
    level: &Level,
    above: &impl Fn(usize) -> &'a Influence,
) -> Vec<f64> {
    let p = model.columns.len();
    let mut scores = vec![0.0; p * model.until];
    // Squares by brand: the products of one brand are moved alike.
    let mut squares: BTreeMap<Option<u32>, (usize, Triangle)> = BTreeMap::new();
    for &slot in slots {
        let mut rows = Vec::new();
        walk(source, model, panel, members, slot, |week, row, w, e| {
            add(&mut scores[p * week..p * (week + 1)], row, w * e);
            rows.extend(row.iter().map(|value| w.sqrt() * value));
        });
        let (_, triangle) = squares
            .entry(panel.items[members[slot]].brand)
            .or_insert_with(|| (slot, Triangle::new(p)));
        triangle.absorb_rows(&rows, &vec![0.0; rows.len() / p]);
    }
    for (slot, triangle) in squares.values() {
        let above = above(*slot);
        for (scores, above) in scores.chunks_exact_mut(p).zip(above.chunks_exact(p)) {
            for (score, moved) in scores.iter_mut().zip(squares_times(triangle, above)) {
                *score -= moved;
            }
        }
    }
    for scores in scores.chunks_exact_mut(p) {
        solve(&level.solved, scores);
    }
    scores
}

/// The variance of one product's elasticity: (by weeks, left open by shrinkage), and how much its own weeks decide.
fn product(
    source: &Source<'_>,
    model: &Model,
    panel: &Panel,
    members: &[usize],
    slot: usize,
    above: &[f32],
    category: Option<&[f64]>,
) -> Option<((f64, f64), f64)> {
    let p = model.columns.len();
    let fit = model.items[slot].as_ref().filter(|fit| fit.price_squares > 0.0)?;
    let mut scores = vec![0.0; model.until];
    let mut cross = vec![0.0; p];
    walk(source, model, panel, members, slot, |week, row, w, e| {
        scores[week] += w * row[0] * e;
        add(&mut cross, row, w * row[0]);
    });
    let room = fit.price_squares + model.caution();
    let own = fit.price_squares / room; // 0 where products do not differ
    let mut variance = 0.0;
    let mut moved = vec![0.0; p];
    for (week, score) in scores.iter().enumerate() {
        let of_week = p * week..p * (week + 1);
        for (moved, above) in moved.iter_mut().zip(&above[of_week.clone()]) {
            *moved = f64::from(*above);
        }
        if let Some(category) = category {
            add(&mut moved, &category[of_week], 1.0);
        }
        let influence = moved[0] + (score - dot(&cross, &moved)) / room;
        variance += influence * influence;
    }
    let item = &panel.items[members[slot]];
    let brand = item.brand.and_then(|b| model.brands[b as usize].as_ref());
    let of_category = item.category.and_then(|c| model.categories[c as usize].as_ref());
    let mut open = model.tau2;
    for (level, penalty) in [brand, of_category].into_iter().zip(&model.penalties) {
        open += level.map_or(0.0, |level| unresolved(model.sigma2, level, penalty));
    }
    Some(((variance, open * (1.0 - own).powi(2)), own))
}

/// What shrinkage leaves open of a level's price coefficient: `sigma2 ((A + P)^-1 P (A + P)^-1)` at the price.
fn unresolved(sigma2: f64, level: &Level, penalty: &[f64]) -> f64 {
    let mut unit = vec![0.0; penalty.len()];
    unit[0] = 1.0;
    solve(&level.solved, &mut unit);
    let sum: f64 = unit
        .iter()
        .zip(penalty)
        .map(|(value, penalty)| value * value * penalty)
        .sum();
    sigma2 * sum
}

/// `(R'R)^-1 b` in place.
fn solve(triangle: &Triangle, b: &mut [f64]) {
    triangle.forward(b);
    triangle.back(b);
}

/// `R'R v`.
fn squares_times(triangle: &Triangle, v: &[f32]) -> Vec<f64> {
    let p = triangle.size;
    let mut result = vec![0.0; p];
    for i in 0..p {
        let row = &triangle.r[i * p..(i + 1) * p];
        let product: f64 = row.iter().zip(v).skip(i).map(|(r, v)| r * f64::from(*v)).sum();
        for (result, r) in result.iter_mut().zip(row).skip(i) {
            *result += r * product;
        }
    }
    result
}

fn add(sum: &mut [f64], values: &[f64], factor: f64) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += factor * value;
    }
}

fn add_single(sum: &mut [f64], values: &[f32]) {
    for (sum, value) in sum.iter_mut().zip(values) {
        *sum += f64::from(*value);
    }
}

/// The quantile of Student's t at `level` (0.90 or 0.975) by the expansion of Cornish and Fisher around the normal one
/// (Abramowitz and Stegun, Handbook of Mathematical Functions, 26.7.5); 1 % off at 2 degrees of freedom, less above.
pub fn student(level: f64, degrees: f64) -> f64 {
    let z: f64 = if level > 0.95 {
        1.959_963_984_540_054
    } else {
        1.281_551_565_544_6
    };
    let n = degrees.max(1.0);
    let (z3, z5, z7, z9) = (z.powi(3), z.powi(5), z.powi(7), z.powi(9));
    z + (z3 + z) / (4.0 * n)
        + (5.0 * z5 + 16.0 * z3 + 3.0 * z) / (96.0 * n * n)
        + (3.0 * z7 + 19.0 * z5 + 17.0 * z3 - 15.0 * z) / (384.0 * n.powi(3))
        + (79.0 * z9 + 776.0 * z7 + 1482.0 * z5 - 1920.0 * z3 - 945.0 * z) / (92_160.0 * n.powi(4))
}
