//! Tickets and what followed: composed of an opening, the heart of a category, asides and a closing,
//! about an order the customer really placed.
//!
//! What keeps a classifier honest: one ticket in seven speaks of a second matter, a few say nothing
//! definite, a few were filed wrongly by people, letters are mistyped, and a tenth mixes languages.

use super::calendar::{DAY, END, START};
use super::catalogue::Catalogue;
use super::dice::Dice;
use super::people::People;
use super::phrases::{TOPICS, Topic};
use super::writing::{self, Slots};
use super::{Agent, Event, Reply, Ticket, order_id};

/// Share of the tickets that people filed under a wrong category.
const MISFILED: f64 = 0.03;
/// Share of the tickets that came last and that nobody has looked at.
const WAITING: f64 = 0.05;

/// Makes `count` tickets by time, and their replies by ticket and time.
pub(super) fn make(
    seed: u64,
    count: usize,
    catalogue: &Catalogue,
    people: &People,
    events: &[Event],
    agents: &[Agent],
) -> (Vec<Ticket>, Vec<Reply>) {
    let purchases: Vec<&Event> = events
        .iter()
        .filter(|row| row.kind == "purchase" && row.user.is_some())
        .collect();
    let waiting = ((count as f64 * WAITING).round() as usize).max(1);
    let mut plans: Vec<(i64, u64)> = (0..count)
        .map(|index| {
            let mut dice = Dice::new(seed, "ticket times", index as u64);
            // Busy shop, busy desk: a ticket comes some days after a purchase. The waiting are of the last days.
            let bought = if purchases.is_empty() {
                START
            } else {
                dice.pick(&purchases).at
            };
            let at = match index < waiting {
                true => END - dice.int(600, 3 * DAY),
                false => (bought + dice.int(3600, 12 * DAY)).min(END - 3 * DAY - dice.int(0, 20 * DAY)),
            };
            (at.max(START), index as u64)
        })
        .collect();
    plans.sort_unstable();
    let mut tickets = Vec::with_capacity(count);
    let mut replies = Vec::new();
    for (number, (at, stream)) in plans.into_iter().enumerate() {
        let mut dice = Dice::new(seed, "tickets", stream);
        let recent = purchases.partition_point(|row| row.at < at);
        let about = (recent > 0).then(|| purchases[recent - 1 - dice.below(recent.min(400))]);
        let mut desk = Desk {
            dice,
            catalogue,
            people,
            agents,
            at,
        };
        let (ticket, mut thread) = desk.write(number + 1, about, stream < waiting as u64);
        tickets.push(ticket);
        replies.append(&mut thread);
    }
    (tickets, replies)
}

struct Desk<'a> {
    dice: Dice,
    catalogue: &'a Catalogue,
    people: &'a People,
    agents: &'a [Agent],
    at: i64,
}

impl<'a> Desk<'a> {
    fn write(&mut self, number: usize, about: Option<&Event>, waiting: bool) -> (Ticket, Vec<Reply>) {
        let shares: Vec<f64> = TOPICS.iter().map(|topic| topic.share).collect();
        let topic = &TOPICS[self.dice.weighted(&shares)];
        let user = about
            .and_then(|event| event.user)
            .filter(|_| !self.dice.chance(0.06));
        let native = user.map_or("en", |user| self.people.users[user as usize].language);
        let script = match native {
            "zh" if self.dice.chance(0.25) => Script::Mixed,
            "zh" => Script::Chinese,
            _ if self.dice.chance(0.02) => Script::Chinese,
            _ => Script::English,
        };
        let slots = self.slots(about, script);
        let (subject, body) = self.message(topic, script, &slots);
        let status = match (waiting, self.at > END - 20 * DAY) {
            (true, _) => "open",
            (false, true) if self.dice.chance(0.3) => "pending",
            _ => "closed",
        };
        let filed = if self.dice.chance(MISFILED) {
            &TOPICS[self.dice.below(TOPICS.len())]
        } else {
            topic
        };
        let agent = self.assign(filed, script);
        let ticket_id = format!("T{number:05}");
        let replies = if waiting {
            Vec::new()
        } else {
            self.thread(&ticket_id, topic, script, &slots, agent, status)
        };
        let first = replies
            .iter()
            .find(|reply| reply.author == "agent")
            .map(|reply| reply.at);
        let priority = ["low", "medium", "high", "urgent"][self.dice.weighted(&topic.priority)];
        let known = !waiting && (status == "closed" || self.dice.chance(0.5));
        let ticket = Ticket {
            user_id: user.map(|user| self.people.users[user as usize].user_id.clone()),
            subject,
            body,
            language: self
                .dice
                .chance(0.5)
                .then_some(if script == Script::English { "en" } else { "zh" }),
            channel: self.dice.pick(&["email", "email", "form", "chat"]),
            status,
            category: known.then_some(filed.category),
            team: known.then_some(filed.team),
            agent_id: (status != "open").then(|| agent.agent_id.clone()),
            priority: known.then_some(priority),
            created_at: self.at,
            first_reply_at: first,
            closed_at: replies
                .last()
                .filter(|_| status == "closed")
                .map(|reply| reply.at + 600),
            ticket_id,
        };
        (ticket, replies)
    }

    fn slots(&mut self, about: Option<&Event>, script: Script) -> Slots {
        let product = about.map_or(0, |event| event.product as usize);
        let row = &self.catalogue.products[product];
        // People leave out the brand, the colour, or all but the noun.
        let title = match self.dice.below(3) {
            0 => row.title.clone(),
            1 => row.title.split(", ").next().unwrap_or_default().to_owned(),
            _ => {
                let traits = &self.catalogue.traits[product];
                let kind = &super::words::CATEGORIES[traits.category].kinds[traits.kind];
                if script == Script::English {
                    kind.name.to_lowercase()
                } else {
                    kind.zh.to_owned()
                }
            }
        };
        let order = about.and_then(|event| event.order).unwrap_or(0);
        let order = match self.dice.below(4) {
            0 => format!("#{}", order_id(order)),
            1 => order_id(order).to_lowercase(),
            _ => order_id(order),
        };
        let amount = about.and_then(|event| event.price).unwrap_or(19.95);
        let amount = if script == Script::English {
            format!("{amount:.2} EUR")
        } else {
            format!("{amount:.2}欧元")
        };
        Slots {
            order,
            product: title,
            days: self.dice.int(2, 14),
            amount,
            name: "",
        }
    }

    /// Subject and body.
    fn message(&mut self, topic: &Topic, script: Script, slots: &Slots) -> (String, String) {
        let dice = &mut self.dice;
        let english = script == Script::English;
        let mut lines: Vec<&str> = Vec::new();
        lines.push(dice.pick(if english {
            writing::OPENINGS_EN
        } else {
            writing::OPENINGS_ZH
        }));
        let asides = if english {
            writing::ASIDES_EN
        } else {
            writing::ASIDES_ZH
        };
        if dice.chance(0.35) {
            lines.push(dice.pick(asides));
        }
        let vague = dice.chance(0.05);
        let heart = |topic: &Topic, dice: &mut Dice| -> &'static str {
            match script {
                Script::English => dice.pick(topic.en),
                Script::Mixed if dice.chance(0.5) => dice.pick(topic.en),
                _ => dice.pick(topic.zh),
            }
        };
        if vague {
            lines.push(dice.pick(if english {
                writing::VAGUE_EN
            } else {
                writing::VAGUE_ZH
            }));
        } else {
            lines.push(heart(topic, dice));
            if dice.chance(0.3) {
                lines.push(heart(topic, dice));
            }
        }
        for _ in 0..dice.run(0.45, 3) {
            lines.push(dice.pick(asides));
        }
        if dice.chance(0.14) {
            // A second matter, now and then named first.
            let other = heart(&TOPICS[dice.below(TOPICS.len())], dice);
            let place = if dice.chance(0.25) { 1 } else { lines.len() };
            lines.insert(place, other);
        }
        lines.push(dice.pick(if english {
            writing::CLOSINGS_EN
        } else {
            writing::CLOSINGS_ZH
        }));
        let gap = if english { " " } else { "" };
        let body = lines
            .iter()
            .filter(|line| !line.is_empty())
            .map(|line| slots.fill(line))
            .collect::<Vec<_>>()
            .join(gap);
        let subject = match dice.unit() {
            roll if roll < 0.45 => dice.pick(if english {
                topic.subjects_en
            } else {
                topic.subjects_zh
            }),
            roll if roll < 0.75 && english => dice.pick(&[
                "Question",
                "Order {order}",
                "Help needed",
                "{product}",
                "Please answer",
            ]),
            roll if roll < 0.75 => dice.pick(&["咨询", "订单{order}", "请帮忙", "{product}"]),
            _ => "",
        };
        let rate = if dice.chance(0.4) { 0.02 } else { 0.003 };
        (
            writing::mistype(&slots.fill(subject), rate, dice),
            writing::mistype(&body, rate, dice),
        )
    }

    /// An agent of the team who may and can; any of the team when nobody fits.
    fn assign(&mut self, topic: &Topic, script: Script) -> &'a Agent {
        let tongue = if script == Script::English { "en" } else { "zh" };
        let team: Vec<&'a Agent> = self
            .agents
            .iter()
            .filter(|agent| agent.team == topic.team)
            .collect();
        let fit: Vec<&'a Agent> = team
            .iter()
            .copied()
            .filter(|agent| agent.languages.contains(&tongue))
            .filter(|agent| agent.skills.is_empty() || agent.skills.contains(&topic.category))
            .collect();
        self.dice.pick(if fit.is_empty() { &team } else { &fit })
    }

    /// The agent's reply, sometimes a note before and a word of thanks after.
    fn thread(
        &mut self,
        ticket_id: &str,
        topic: &Topic,
        script: Script,
        slots: &Slots,
        agent: &Agent,
        status: &str,
    ) -> Vec<Reply> {
        let dice = &mut self.dice;
        let english = script == Script::English;
        let mut at = self.at + dice.int(900, 2 * DAY);
        let mut thread = Vec::new();
        let mut say = |author: &'static str, body: String, at: i64| {
            let agent_id = (author != "customer").then(|| agent.agent_id.clone());
            thread.push(Reply {
                ticket_id: ticket_id.to_owned(),
                author,
                agent_id,
                body,
                at,
            });
        };
        if dice.chance(0.12) {
            say("note", dice.pick(writing::NOTES).to_owned(), at - 600);
        }
        // Every agent has a way of greeting and of signing, and keeps to it.
        let (greetings, signatures, texts) = match english {
            true => (writing::GREETINGS_EN, writing::SIGNATURES_EN, topic.replies_en),
            false => (writing::GREETINGS_ZH, writing::SIGNATURES_ZH, topic.replies_zh),
        };
        let habit = agent.name.len();
        let slots = Slots {
            order: slots.order.trim_start_matches('#').to_uppercase(),
            product: slots.product.clone(),
            days: dice.int(2, 7),
            amount: slots.amount.clone(),
            name: agent.name.split(' ').next().unwrap_or_default(),
        };
        let lines = [
            greetings[habit % greetings.len()],
            dice.pick(texts),
            signatures[habit % signatures.len()],
        ]
        .map(|line| slots.fill(line));
        say("agent", lines.join("\n"), at);
        if status == "closed" && dice.chance(0.2) {
            at += dice.int(600, DAY);
            let (en, zh) = dice.pick(writing::THANKS);
            say("customer", (if english { en } else { zh }).to_owned(), at);
        }
        thread
    }
}

/// What a message is written in.
#[derive(Clone, Copy, PartialEq)]
enum Script {
    English,
    Chinese,
    Mixed,
}
