//! EASE: one linear model from every product to every other, in closed form.
//!
//! Steck 2019, "Embarrassingly shallow autoencoders for sparse data": over the matrix X (people or baskets × products)
//! B minimises `‖X - X B‖² + λ ‖B‖²` with a diagonal of zeros, so that no product explains itself. With
//! `P = (X'X + λ I)⁻¹` the answer is `B = I - P diag(1 / diag P)`. A profile p scores `p B`. Negative weights
//! stay: "who has this does not want that" is half of what the model knows.
//!
//! One number is tuned, λ; time grows with the cube of a matrix and memory with its square, so there are two forms:
//!
//! - [`Form::Primal`]: B itself, for at most [`EaseOptions::most`] products. Scores and contributions are read off
//!   its rows.
//! - [`Form::Dual`], where far fewer people than products are known: by the identity
//!   `P = (I - X' K⁻¹ X) / λ` with `K = X X' + λ I` everything follows from a matrix of people × people, and B is never
//!   made. The cut can then be wider: as many products as keep `people * products <= most²`.
//!
//! Products past the cut (the least bought, ties by index) and products that nobody has keep a score of 0.
//! [`Ease::cut`] says so in words. All arithmetic of size is in f32: on Online Retail the lists equal those in f64
//! (NDCG@10 to the fourth decimal).

mod dual;
mod gram;
mod primal;
#[cfg(test)]
mod tests;

use super::models::Linear;
use crate::fit::{Control, FitError};
use crate::text::Csr;
use dual::Dual;
use primal::Primal;

/// The numbers of a fit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EaseOptions {
    /// The ridge λ, above 0; 20 to 2000 is the usual range for matrices of zeros and ones, the more the denser.
    pub lambda: f32,
    /// The most products that a dense square matrix is held for.
    pub most: usize,
}

impl Default for EaseOptions {
    fn default() -> EaseOptions {
        EaseOptions {
            lambda: 200.0,
            most: 8000,
        }
    }
}

/// Through which matrix a model was solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Products × products.
    Primal,
    /// People × people.
    Dual,
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Ease {
    kept: Vec<u32>,
    /// Place of every product in `kept`; [`OUT`] past the cut.
    place: Vec<u32>,
    /// Products that somebody has.
    bought: usize,
    body: Body,
}

/// No place.
const OUT: u32 = u32::MAX;

#[derive(Debug, Clone)]
enum Body {
    Primal(Primal),
    Dual(Dual),
}

impl Ease {
    /// Fits people (or baskets) × products.
    ///
    /// # Errors
    /// [`FitError::Invalid`] for a λ that is not above 0 or a weight that is no number, [`FitError::Solver`] where the
    /// matrix cannot be factorised in f32 (λ far too small beside the counts), [`FitError::Stopped`] between stages.
    pub fn fit(x: &Csr, options: &EaseOptions, control: &Control) -> Result<Ease, FitError> {
        if !(options.lambda > 0.0 && options.lambda.is_finite()) {
            return Err(FitError::Invalid(format!(
                "lambda of EASE must be above 0, not {}",
                options.lambda
            )));
        }
        if !x.values.iter().all(|value| value.is_finite()) {
            return Err(FitError::Invalid("a weight given to EASE is no number".into()));
        }
        let mut holders = vec![0u32; x.columns];
        let (mut people, mut entries) = (0, 0);
        for row in 0..x.rows {
            let (columns, values) = x.row(row);
            let before = entries;
            for (&column, _) in columns.iter().zip(values).filter(|&(_, &value)| value != 0.0) {
                holders[column as usize] += 1;
                entries += 1;
            }
            people += usize::from(entries > before);
        }
        let bought = holders.iter().filter(|&&count| count > 0).count();
        let (form, width) = plan(people, entries, bought, options.most);
        Ease::fit_in(x, &holders, form, width, options.lambda, control)
    }

    /// Fits the `width` most bought in this form.
    fn fit_in(
        x: &Csr,
        holders: &[u32],
        form: Form,
        width: usize,
        lambda: f32,
        control: &Control,
    ) -> Result<Ease, FitError> {
        let kept = most_held(holders, width);
        let mut place = vec![OUT; x.columns];
        for (at, &product) in (0u32..).zip(&kept) {
            place[product as usize] = at;
        }
        let inner = gram::narrowed(x, &place, kept.len());
        control.check()?;
        let body = match form {
            Form::Primal => Body::Primal(Primal::fit(&inner, lambda, control)?),
            Form::Dual => Body::Dual(Dual::fit(inner, lambda, control)?),
        };
        Ok(Ease {
            kept,
            place,
            bought: holders.iter().filter(|&&count| count > 0).count(),
            body,
        })
    }

    /// Through which matrix it was solved.
    pub fn form(&self) -> Form {
        match self.body {
            Body::Primal(_) => Form::Primal,
            Body::Dual(_) => Form::Dual,
        }
    }

    /// The products the model knows, ascending.
    pub fn kept(&self) -> &[u32] {
        &self.kept
    }

    /// What was left out, for `scores`: "8,000 most bought of 20,000"; `None` where every bought product is in.
    pub fn cut(&self) -> Option<String> {
        (self.kept.len() < self.bought).then(|| {
            format!(
                "{} most bought of {}",
                thousands(self.kept.len()),
                thousands(self.bought)
            )
        })
    }

    /// Writes the scores of all products for many profiles: `out` is profiles × products, row after row. In the dual
    /// form this costs a fraction of [`Linear::add_scores`] one by one; 32 or more at a time serve best.
    pub fn scores_of(&self, profiles: &[Vec<(u32, f32)>], out: &mut [f32]) {
        let (products, kept) = (self.place.len(), self.kept.len());
        assert_eq!(
            out.len(),
            profiles.len() * products,
            "scores are profiles × products"
        );
        let profiles: Vec<Vec<(u32, f32)>> = profiles.iter().map(|profile| self.narrow(profile)).collect();
        let mut sums = vec![0.0f32; profiles.len() * kept];
        self.sums(&profiles, &mut sums);
        out.fill(0.0);
        for (out, sums) in out
            .chunks_exact_mut(products.max(1))
            .zip(sums.chunks_exact(kept.max(1)))
        {
            for (&product, &sum) in self.kept.iter().zip(sums) {
                out[product as usize] = sum;
            }
        }
    }

    /// The same over places.
    fn sums(&self, profiles: &[Vec<(u32, f32)>], sums: &mut [f32]) {
        match &self.body {
            Body::Primal(body) => body.scores(profiles, sums),
            Body::Dual(body) => body.scores(profiles, sums),
        }
    }

    /// The part of a profile inside the cut as (place, weight).
    fn narrow(&self, profile: &[(u32, f32)]) -> Vec<(u32, f32)> {
        let inside = |&(product, weight): &(u32, f32)| {
            let place = self.place[product as usize];
            (place != OUT && weight != 0.0).then_some((place, weight))
        };
        profile.iter().filter_map(inside).collect()
    }
}

impl Linear for Ease {
    fn add_scores(&self, profile: &[(u32, f32)], factor: f32, scores: &mut [f32]) {
        let profile = self.narrow(profile);
        if profile.is_empty() {
            return;
        }
        let mut sums = vec![0.0f32; self.kept.len()];
        self.sums(&[profile], &mut sums);
        for (&product, sum) in self.kept.iter().zip(sums) {
            scores[product as usize] += factor * sum;
        }
    }

    fn add_contributions(&self, profile: &[(u32, f32)], factor: f32, products: &[u32], table: &mut [f32]) {
        let inside = |product: u32| Some(self.place[product as usize]).filter(|&place| place != OUT);
        let speakers: Vec<_> = profile.iter().map(|&(product, _)| inside(product)).collect();
        let targets: Vec<_> = products.iter().map(|&product| inside(product)).collect();
        let shares = match &self.body {
            Body::Primal(body) => body.shares(&speakers, &targets),
            Body::Dual(body) => body.shares(&speakers, &targets),
        };
        for (at, (given, share)) in table.iter_mut().zip(shares).enumerate() {
            *given += factor * profile[at / products.len()].1 * share;
        }
    }
}

/// Form and number of products for so many people with so many entries, products with holders, and `most`.
///
/// The dual form must have fewer people than products, and few enough that a product with its square, even at the speed
/// of dense blocks (some sixteen times that of reading rows of B), is not slower than the rows of a mean history:
/// `people² <= 16 · entries / people · products`.
fn plan(people: usize, entries: usize, bought: usize, most: usize) -> (Form, usize) {
    let square = bought.min(most);
    let (p, e, s) = (people as f64, entries as f64, square as f64);
    if people < square && p * p * p <= 16.0 * e * s {
        // Both bounds: never fewer products than the primal form would keep.
        let wide = most.saturating_mul(most) / people.max(1);
        (Form::Dual, bought.min(wide.max(square)))
    } else {
        (Form::Primal, square)
    }
}

/// The `width` products with the most holders, ties by index, ascending; never one without holders.
fn most_held(holders: &[u32], width: usize) -> Vec<u32> {
    let mut kept: Vec<u32> = (0..holders.len() as u32)
        .filter(|&product| holders[product as usize] > 0)
        .collect();
    kept.sort_by_key(|&product| (std::cmp::Reverse(holders[product as usize]), product));
    kept.truncate(width);
    kept.sort_unstable();
    kept
}

/// A count with commas, as English tables have it.
fn thousands(count: usize) -> String {
    let digits = count.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
