//! Variants: one article in several colours or sizes, of which a list holds one.
//!
//! Products of one `group_id` are variants of each other. Which of them stands in a list for the article: one that
//! the customer has met already (they looked for the blue one), else the most bought of those that may be shown.

/// The groups of variants.
#[derive(Debug, Clone, Default)]
pub struct Variants {
    of: Vec<Option<u32>>,
    members: Vec<Vec<u32>>,
}

impl Variants {
    /// From each product's group and how much each was bought. Ties of the latter by index.
    pub fn new(of: Vec<Option<u32>>, bought: &[f32]) -> Variants {
        let groups = of
            .iter()
            .flatten()
            .max()
            .map_or(0, |&largest| largest as usize + 1);
        let mut members = vec![Vec::new(); groups];
        for (product, group) in of.iter().enumerate() {
            if let Some(group) = group {
                members[*group as usize].push(product as u32);
            }
        }
        let more = |a: &u32, b: &u32| bought[*b as usize].total_cmp(&bought[*a as usize]).then(a.cmp(b));
        members
            .iter_mut()
            .for_each(|products| products.sort_unstable_by(more));
        Variants { of, members }
    }

    /// A shop of `products` articles without variants.
    pub fn none(products: usize) -> Variants {
        Variants::new(vec![None; products], &vec![0.0; products])
    }

    /// The group of a product; `None` stands alone.
    pub fn group(&self, product: u32) -> Option<u32> {
        self.of[product as usize]
    }

    /// All variants of a product's article, itself included; alone where it has no group. The most bought first.
    pub fn siblings<'a>(&'a self, product: &'a u32) -> &'a [u32] {
        match self.group(*product) {
            Some(group) => &self.members[group as usize],
            None => std::slice::from_ref(product),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_bought_comes_first() {
        let variants = Variants::new(
            vec![Some(1), None, Some(1), Some(0), Some(1)],
            &[1.0, 9.0, 3.0, 0.0, 1.0],
        );
        assert_eq!(variants.siblings(&4), [2, 0, 4]);
        assert_eq!(variants.siblings(&1), [1]);
        assert_eq!(variants.siblings(&3), [3]);
        assert_eq!(variants.group(1), None);
    }
}
