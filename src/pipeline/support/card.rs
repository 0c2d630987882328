//! The report card of support: what earlier nights said of tickets that people have decided or answered since.
//!
//! Everything here is about tickets that nobody had decided when the night spoke, and the judge is a person: what the
//! application applied unseen (decided_by 'clerk') proves nothing and waits on.

use super::super::Night;
use super::Judged;
use super::answer::Routed;
use super::collect::{Open, Prepared};
use super::draft::Drafted;
use super::knowledge::Policy;
use super::labels::Label;
use crate::store::{ArchivedDraft, ArchivedRoute, ReportRow};
use crate::support::{DraftDecision, rouge_l, rouge_words};
use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use xxhash_rust::xxh3::xxh3_64;

/// Tickets whose answers are kept.
const TICKETS: usize = 1000;
/// Seconds after which an answer nobody judged is forgotten.
const PATIENCE: i64 = 30 * 86_400;

/// Sums of one metric of one slice.
#[derive(Debug, Default)]
struct Sum {
    value: f64,
    naive: Option<f64>,
    count: u64,
}

type Sums = BTreeMap<(&'static str, &'static str, String), Sum>;

fn add(
    sums: &mut Sums,
    result: &'static str,
    metric: &'static str,
    slices: &[&str],
    value: f64,
    naive: Option<f64>,
) {
    for slice in slices {
        let sum = sums.entry((result, metric, (*slice).to_owned())).or_default();
        sum.value += value;
        sum.count += 1;
        if let Some(naive) = naive {
            *sum.naive.get_or_insert(0.0) += naive;
        }
    }
}

/// Judges what can be judged, writes it to the report card, and forgets it.
pub(super) fn judge(prepared: &Prepared, night: &Night<'_>) -> Result<()> {
    let happened = &prepared.happened;
    let mut sums = Sums::new();
    let (mut routes, mut drafts) = (Vec::new(), Vec::new());
    for route in &happened.routes {
        let Some(decided) = happened.decided.get(&route.ticket_id) else {
            continue;
        };
        let by_category = route.label == Label::Category.as_str();
        let Some(truth) = (if by_category {
            &decided.category
        } else {
            &decided.team
        }) else {
            continue;
        };
        routes.push(route.ticket_id.clone());
        let share = |yes: bool| f64::from(u8::from(yes));
        let right = share(route.guess == *truth);
        let team = decided
            .team
            .as_deref()
            .or(route.team.as_deref())
            .unwrap_or_default();
        let slices: &[&str] = if team.is_empty() { &[""] } else { &["", team] };
        add(
            &mut sums,
            "ticket_routes",
            "accuracy",
            slices,
            right,
            Some(share(route.naive == *truth)),
        );
        let routed = route.decision == "route";
        add(
            &mut sums,
            "ticket_routes",
            "abstained",
            slices,
            share(!routed),
            None,
        );
        if routed {
            // Of the team it was sent to.
            let from = route.team.as_deref().unwrap_or_default();
            let slices: &[&str] = if from.is_empty() { &[""] } else { &["", from] };
            let moved = decided
                .team
                .as_deref()
                .is_some_and(|team| !from.is_empty() && team != from);
            add(
                &mut sums,
                "ticket_routes",
                "overridden",
                slices,
                share(moved || right == 0.0),
                None,
            );
        }
    }
    for draft in &happened.drafts {
        let Some(sent) = happened.sent.get(&draft.ticket_id) else {
            continue;
        };
        drafts.push(draft.ticket_id.clone());
        let Some(sent) = sent else { continue };
        let mut dictionary = HashMap::new();
        let sent = rouge_words(sent, &mut dictionary);
        let overlap = rouge_l(&rouge_words(&draft.draft, &mut dictionary), &sent);
        let nearest = rouge_l(&rouge_words(&draft.nearest, &mut dictionary), &sent);
        add(
            &mut sums,
            "ticket_drafts",
            "rouge_l",
            &["", &draft.decision],
            overlap,
            Some(nearest),
        );
    }
    let day = night.day_of(night.as_of);
    let rows: Vec<ReportRow> = sums
        .into_iter()
        .map(|((result, metric, slice), sum)| ReportRow {
            day,
            result,
            slice,
            metric: metric.into(),
            value: Some(sum.value / sum.count as f64),
            naive: sum.naive.map(|naive| naive / sum.count as f64),
            observations: sum.count,
        })
        .collect();
    night.shop.record_part_of_day(&rows)?;
    night
        .shop
        .forget_archived(&routes, &drafts, night.as_of - PATIENCE)?;
    Ok(())
}

/// Keeps a night's answers about tickets that nobody has decided or answered.
pub(super) fn keep(prepared: &Prepared, judged: &Judged, night: &Night<'_>) -> Result<()> {
    let mut sample: Vec<(u64, usize)> = prepared
        .open
        .iter()
        .enumerate()
        .map(|(at, ticket)| (xxh3_64(ticket.ticket_id.as_bytes()), at))
        .collect();
    sample.sort_unstable();
    let mut sample: Vec<usize> = sample.into_iter().take(TICKETS).map(|(_, at)| at).collect();
    sample.sort_unstable();
    let policy = &judged.knowledge.policy;
    let mut counts: BTreeMap<u32, u64> = BTreeMap::new();
    prepared
        .labelled
        .iter()
        .for_each(|&(_, class)| *counts.entry(class).or_default() += 1);
    // The most frequent; the first by name of equals.
    let naive = counts
        .iter()
        .max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0)))
        .map(|(&class, _)| prepared.labels[class as usize].clone());
    let routes = sample.iter().filter_map(|&at| {
        kept_route(
            policy,
            naive.as_deref()?,
            &prepared.open[at],
            &judged.routed[at],
            night.as_of,
        )
    });
    night
        .shop
        .archive_routes(routes.collect::<Vec<_>>().into_iter())?;
    let drafts = sample
        .iter()
        .filter_map(|&at| kept_draft(&prepared.open[at], judged.drafts[at].as_ref()?, night.as_of));
    night
        .shop
        .archive_drafts(drafts.collect::<Vec<_>>().into_iter())?;
    Ok(())
}

/// What is kept of the route of a ticket that nobody has decided.
pub(super) fn kept_route(
    policy: &Policy,
    naive: &str,
    ticket: &Open,
    routed: &Routed,
    made_at: i64,
) -> Option<ArchivedRoute> {
    let undecided =
        !ticket.none_fits && ticket.category.is_none() && ticket.team.is_none() && ticket.agent_id.is_none();
    let &(class, _) = routed.guess.candidates.first().filter(|_| undecided)?;
    Some(ArchivedRoute {
        ticket_id: ticket.ticket_id.clone(),
        made_at,
        label: policy.label.as_str().into(),
        guess: policy.classes[class as usize].name.clone(),
        naive: naive.to_owned(),
        decision: if routed.route { "route" } else { "triage" }.into(),
        team: routed.team.clone().filter(|_| routed.route),
    })
}

/// What is kept of a draft that is shown.
pub(super) fn kept_draft(ticket: &Open, drafted: &Drafted, made_at: i64) -> Option<ArchivedDraft> {
    let shown = drafted.draft.decision != DraftDecision::None;
    Some(ArchivedDraft {
        ticket_id: ticket.ticket_id.clone(),
        made_at,
        replies_seen: ticket.replies_seen,
        decision: drafted.draft.decision.as_str().into(),
        draft: drafted.draft.reply.clone().filter(|_| shown)?,
        nearest: drafted.nearest.clone()?,
    })
}
