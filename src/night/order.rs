//! The order of a night: a job comes after the one its file names in `after`, else by name. `after` is an order, not
//! a condition: a job whose forerunner is not in this night does not wait for it.

use super::job::Job;
use std::collections::BTreeSet;

/// Indices of `jobs` in running order; or the names that wait for one another.
pub(super) fn order(jobs: &[&Job]) -> Result<Vec<usize>, Vec<String>> {
    let mut waiting: BTreeSet<usize> = (0..jobs.len()).collect();
    let mut order = Vec::with_capacity(jobs.len());
    while !waiting.is_empty() {
        let ready = waiting.iter().copied().find(|i| {
            let after = jobs[*i].after.as_deref();
            !waiting.iter().any(|j| after == Some(jobs[*j].name.as_str()))
        });
        match ready {
            Some(next) => {
                waiting.remove(&next);
                order.push(next);
            }
            None => return Err(waiting.iter().map(|i| jobs[*i].name.clone()).collect()),
        }
    }
    Ok(order)
}

#[cfg(test)]
mod tests {
    use super::super::job;
    use super::*;

    #[test]
    fn forerunners_first_then_names() {
        let listing = job::defaults();
        let jobs: Vec<&Job> = listing.jobs.iter().collect();
        let names: Vec<&str> = order(&jobs)
            .unwrap()
            .into_iter()
            .map(|i| jobs[i].name.as_str())
            .collect();
        assert_eq!(
            names,
            ["recommendations", "prices", "search", "support", "upkeep"]
        );
        let some: Vec<&Job> = jobs
            .iter()
            .copied()
            .filter(|j| j.name == "support" || j.name == "search")
            .collect();
        assert_eq!(
            order(&some).unwrap(),
            [0, 1],
            "support does not wait for prices, which is not there"
        );
    }

    #[test]
    fn a_circle_is_named() {
        let mut listing = job::defaults();
        listing.jobs[1].after = Some("support".into()); // recommendations -> support -> prices -> recommendations
        let jobs: Vec<&Job> = listing.jobs.iter().collect();
        assert_eq!(
            order(&jobs).unwrap_err(),
            ["prices", "recommendations", "support", "upkeep"]
        );
    }
}
