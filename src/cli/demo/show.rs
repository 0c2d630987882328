//! What the demo's night found, table by table.

use crate::cli::Out;
use crate::demo::DemoShop;
use crate::store::{Shop, Table};
use anyhow::Result;

/// Sample rows of each family, and the scores of what was chosen beside the naive answer.
pub(super) fn show(shop: &Shop, rows: &DemoShop, out: &Out) -> Result<()> {
    // Somebody with a history: the customer with the most purchases.
    let mut bought = vec![0u32; rows.users.len()];
    for event in rows.events.iter().filter(|e| e.kind == "purchase") {
        if let Some(user) = event.user {
            bought[user as usize] += 1;
        }
    }
    let best = (0..bought.len())
        .max_by_key(|u| (bought[*u], std::cmp::Reverse(*u)))
        .unwrap_or(0);
    let user = rows.users[best].user_id.as_str();
    let mut shown = Vec::new();
    for (title, sql) in [
        (
            format!("What to show customer {user} (recommendations):"),
            "SELECT rank, r.product_id, p.title, round(score, 3) AS score, model, because_product_id
             FROM recommendations AS r JOIN products AS p USING (product_id) WHERE user_id = ?1 ORDER BY rank LIMIT 5",
        ),
        (
            "Bought together:".into(),
            "SELECT p.title, q.title AS with_title, baskets, round(lift, 1) AS lift FROM bought_together AS b
             JOIN products AS p USING (product_id) JOIN products AS q ON q.product_id = b.other_product_id
             WHERE ?1 <> '' AND rank = 1 ORDER BY baskets DESC, p.product_id LIMIT 5",
        ),
        (
            "Where prices are going (price_forecasts, the last step of each):".into(),
            "SELECT product_id, day, round(price, 2) AS price, round(lo80, 2) AS lo80, round(hi80, 2) AS hi80, model
             FROM price_forecasts WHERE ?1 <> '' AND seller = '' AND step = 28 ORDER BY hi80 - lo80 DESC, product_id LIMIT 5",
        ),
        (
            "Where open tickets belong (ticket_routes):".into(),
            "SELECT r.ticket_id, t.subject, decision, r.category, round(category_confidence, 2) AS confidence, r.team
             FROM ticket_routes AS r JOIN tickets AS t USING (ticket_id) WHERE ?1 <> '' ORDER BY r.ticket_id DESC LIMIT 6",
        ),
        (
            "What the clerk would answer (ticket_drafts):".into(),
            "SELECT ticket_id, decision, round(confidence, 2) AS confidence, reply FROM ticket_drafts
             WHERE ?1 <> '' AND decision <> 'none' ORDER BY confidence DESC, ticket_id LIMIT 3",
        ),
        (
            "How the chosen models did on data they had not seen (scores):".into(),
            "SELECT result, model, metric, round(value, 4) AS value, split, chosen FROM scores WHERE ?1 <> '' AND slice = ''
             AND metric IN ('ndcg@10', 'mase', 'accuracy', 'coverage', 'rouge_l') ORDER BY result, metric, value DESC",
        ),
    ] {
        let table = shop.select(sql, &[user])?;
        if out.json() {
            shown.push((title, table));
        } else {
            out.say(&format!("\n{title}"))?;
            out.table(&table)?;
        }
    }
    if out.json() {
        // One array for programs: what each family published.
        let table: Table = shop.select(
            "SELECT family, generation, rows, as_of, why FROM generations WHERE status = 'published'",
            &[],
        )?;
        out.table(&table)?;
    }
    Ok(())
}
