//! The desk by day: tickets that come or change between two nights, answered by the models of the published night.
//!
//! A [`Desk`] is kept by whoever serves the shop all day. It is told which tickets something has happened to, and answers
//! them by the code of the night: the same text, the same guess, the same assignment among the agents' loads of now, the
//! same draft. What is another by day:
//!
//! - Nobody is moved. A ticket that an earlier answer gave to an agent stays there while that agent is on duty and
//!   still one for it, touched or not: when the customer writes again the draft is written anew, and that is all.
//! - A ticket is left alone when nothing has changed of what its answer was made of; a note changes nothing.
//! - The line is as long as it is: told tickets before those a sweep found, then urgent ones, then old ones. A ticket stands
//!   in it once however often it changes, and is read when its turn comes. One call answers at most [`MOST`], in batches
//!   of [`BATCH`], and looks at a few hundred, so that whoever calls can see to other things before calling again.
//!
//! Models are read once, and again when another generation is published; then everything is looked at, because a rollback may
//! leave tickets without an answer. Models that cannot be read stop the desk until they can: tickets wait in line.

use super::super::index::Touched;
use super::fresh::{Computed, Loaded, compute, needs};
use crate::fit::Control;
use crate::store::pace::Pace;
use crate::store::{DayAnswer, DayLook, DayTicket, DayWritten, DeskNow, InLine, Shop};
use anyhow::Result;
use std::collections::{BTreeMap, HashMap};
use std::ops::Bound;
use std::time::{Duration, Instant};

/// Tickets answered together: they share the agents' time, and their rows are written in a transaction or two.
pub const BATCH: usize = 20;
/// Tickets answered in one call.
pub const MOST: usize = 100;
/// Tickets looked at in one call, most of which need no answer after a night: what comes meanwhile must not wait for all of them.
const LOOKS: usize = 400;
/// How long models that could not be read are left alone.
const RETRY: Duration = Duration::from_secs(60);

/// What a call did.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Answered {
    /// Whose models answered; none while nothing is published or the desk is blocked.
    pub generation: Option<i64>,
    /// Tickets sent to a team or agent.
    pub routed: u64,
    /// Tickets left to people.
    pub triaged: u64,
    /// Drafts that are shown.
    pub drafted: u64,
    /// Tickets that needed no new answer.
    pub unchanged: u64,
    /// Tickets that changed while they were answered: still in line.
    pub overtaken: u64,
    /// Answers removed because their tickets are closed or gone.
    pub removed: u64,
    /// Tickets still in line: call again.
    pub waiting: usize,
    /// The longest time from when the desk was told of a ticket to its answer.
    pub longest_wait: Duration,
    /// How long reading the models took, when they were read.
    pub loaded: Option<Duration>,
    /// Why nothing is answered now; it is tried again by itself.
    pub blocked: Option<String>,
}

/// Answers tickets all day.
#[derive(Debug, Default)]
pub struct Desk {
    loaded: Option<Loaded>,
    failed: Option<Failed>,
    line: BTreeMap<Place, Instant>,
    places: HashMap<String, Place>,
    transactions: u32,
}

/// Where a ticket stands in line: found by a sweep, urgency (0 first), when it came, ticket.
type Place = (bool, u8, i64, String);

#[derive(Debug)]
struct Failed {
    generation: i64,
    at: Instant,
    why: String,
}

impl Desk {
    /// A desk that has read nothing yet.
    pub fn new() -> Desk {
        Desk::default()
    }

    /// Takes in what was touched, and answers the first in line. Call it with [`Touched::NONE`] while
    /// [`Answered::waiting`] is not 0.
    ///
    /// # Errors
    /// Models that cannot be read, said once and then [`Answered::blocked`] until they are tried again; settings that cannot
    /// be read; those of SQLite; [`control`](Control::check). Whatever the error, nobody leaves the line without an answer.
    pub fn answer(&mut self, shop: &Shop, touched: Touched, control: &Control) -> Result<Answered> {
        self.line_up(shop, touched)?;
        let mut answered = Answered::default();
        let done = self.serve(shop, control, &mut answered);
        answered.waiting = self.line.len();
        done.map(|()| answered)
    }

    fn line_up(&mut self, shop: &Shop, touched: Touched) -> Result<()> {
        let (swept, found) = match touched {
            Touched::Ids(ids) if ids.is_empty() => return Ok(()),
            Touched::Ids(ids) => (false, shop.line_up(ids)?),
            Touched::All => (true, shop.line_up_all()?),
        };
        let told = Instant::now();
        for one in found {
            let InLine {
                ticket_id,
                priority,
                created_at,
            } = one;
            let mut since = told;
            if let Some(place) = self.places.get(&ticket_id) {
                if swept && !place.0 {
                    continue;
                }
                since = self.line.remove(place).unwrap_or(told);
            }
            let urgency = match (created_at, priority.as_deref()) {
                // Gone: nothing to compute.
                (None, _) | (_, Some("urgent")) => 0,
                (_, Some("high")) => 1,
                (_, Some("low")) => 3,
                _ => 2,
            };
            let place = (swept, urgency, created_at.unwrap_or(0), ticket_id.clone());
            self.line.insert(place.clone(), since);
            self.places.insert(ticket_id, place);
        }
        Ok(())
    }

    fn leave(&mut self, place: &Place) {
        self.line.remove(place);
        self.places.remove(&place.3);
    }

    fn serve(&mut self, shop: &Shop, control: &Control, answered: &mut Answered) -> Result<()> {
        if !self.be_ready(shop, answered)? {
            return Ok(());
        }
        let (mut left, mut looks, mut last) = (MOST, LOOKS, None::<Place>);
        let (mut load, mut written) = (None, false);
        while left > 0 && looks > 0 {
            control.check()?;
            let from = last.as_ref().map_or(Bound::Unbounded, Bound::Excluded);
            let batch: Vec<(Place, Instant)> = self
                .line
                .range((from, Bound::Unbounded))
                .take(BATCH.min(left))
                .map(|(place, since)| (place.clone(), *since))
                .collect();
            let Some((end, _)) = batch.last() else { break };
            looks = looks.saturating_sub(batch.len());
            last = Some(end.clone());
            let ids: Vec<String> = batch.iter().map(|(place, _)| place.3.clone()).collect();
            let DeskNow {
                settings,
                agents,
                tickets,
            } = shop.desk_now(&ids)?;
            let (mut asking, mut over) = (Vec::new(), Vec::new());
            for ((place, since), look) in batch.into_iter().zip(tickets) {
                match look {
                    DayLook::Open(ticket) if needs(&ticket) => asking.push((place, since, *ticket)),
                    DayLook::Open(_) => {
                        answered.unchanged += 1;
                        self.leave(&place);
                    }
                    DayLook::Over(true) => over.push(place),
                    DayLook::Over(false) | DayLook::Unreadable => self.leave(&place),
                }
            }
            if !over.is_empty() {
                let ids: Vec<String> = over.iter().map(|place| place.3.clone()).collect();
                answered.removed += shop.forget_day(&ids)?;
                over.iter().for_each(|place| self.leave(place));
            }
            if asking.is_empty() {
                continue;
            }
            left -= asking.len();
            if written {
                std::thread::sleep(Pace::default().pause);
            }
            let load = match &mut load {
                Some(load) => load,
                none => none.insert(shop.open_tickets_by_agent()?),
            };
            let Some(loaded) = &self.loaded else { break };
            let tickets: Vec<&DayTicket> = asking.iter().map(|(_, _, ticket)| ticket).collect();
            let answers = compute(shop, loaded, &settings, &agents, load, &tickets, control)?;
            let waiting: Vec<(Place, Instant)> = asking
                .into_iter()
                .map(|(place, since, _)| (place, since))
                .collect();
            if !self.write(shop, &answers, &waiting, load, answered)? {
                break;
            }
            written = true;
        }
        Ok(())
    }

    /// Writes a batch; false when another generation has been published meanwhile.
    fn write(
        &mut self,
        shop: &Shop,
        answers: &[Computed],
        waiting: &[(Place, Instant)],
        load: &mut BTreeMap<String, u64>,
        answered: &mut Answered,
    ) -> Result<bool> {
        let Some(generation) = self.loaded.as_ref().map(|loaded| loaded.generation) else {
            return Ok(false);
        };
        let rows: Vec<DayAnswer> = answers.iter().map(|one| one.answer.clone()).collect();
        let mut at = 0;
        while at < rows.len() {
            let DayWritten::Written(written) = shop.write_day(generation, &rows[at..])? else {
                return Ok(false);
            };
            self.transactions += 1;
            if self.transactions >= Pace::default().checkpoint_every {
                self.transactions = 0;
                shop.checkpoint()?;
            }
            for (done, at) in written.iter().zip(at..) {
                if !done {
                    answered.overtaken += 1;
                    continue;
                }
                let one = &answers[at];
                if let Some(agent) = &one.gives {
                    *load.entry(agent.clone()).or_default() += 1;
                }
                let count = |yes: bool| u64::from(yes);
                answered.routed += count(one.routed);
                answered.triaged += count(!one.routed);
                answered.drafted += count(one.drafted);
                answered.longest_wait = answered.longest_wait.max(waiting[at].1.elapsed());
                self.leave(&waiting[at].0);
            }
            at += written.len();
            if at < rows.len() {
                std::thread::sleep(Pace::default().pause);
            }
        }
        Ok(true)
    }

    /// Has the models of the published generation at hand; false when there is nothing to answer with now.
    fn be_ready(&mut self, shop: &Shop, answered: &mut Answered) -> Result<bool> {
        loop {
            let Some(published) = shop.published("support")? else {
                // The first night answers everything that is here.
                self.loaded = None;
                self.line.clear();
                self.places.clear();
                return Ok(false);
            };
            let generation = published.generation;
            if shop.is_erasing()? {
                self.loaded = None;
                answered.blocked =
                    Some("a customer is being forgotten: tickets wait until that is done".into());
                return Ok(false);
            }
            if let Some(loaded) = &self.loaded
                && loaded.generation == generation
                && shop.has_model(generation, "support policy")?
            {
                answered.generation = Some(generation);
                return Ok(true);
            }
            self.loaded = None;
            if let Some(failed) = &self.failed
                && failed.generation == generation
                && failed.at.elapsed() < RETRY
            {
                answered.blocked = Some(failed.why.clone());
                return Ok(false);
            }
            let begun = Instant::now();
            match Loaded::read(shop, generation, published.as_of) {
                Ok(loaded) => {
                    self.failed = None;
                    self.loaded = Some(loaded);
                    answered.loaded = Some(begun.elapsed());
                    self.line_up(shop, Touched::All)?;
                }
                // Swept away while it was read: there is another by now.
                Err(_) if shop.published("support")?.map(|g| g.generation) != Some(generation) => {}
                Err(error) => {
                    let error = error.context("tickets are not answered by day");
                    self.failed = Some(Failed {
                        generation,
                        at: Instant::now(),
                        why: format!("{error:#}"),
                    });
                    return Err(error);
                }
            }
        }
    }
}
