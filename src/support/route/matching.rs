//! Giving out all tickets at once: a matching of least cost in which nobody who comes first is passed over.
//!
//! Tickets are taken in the order of precedence. Each finds the cheapest way in: an agent with a free place, or an agent
//! whose place becomes free because one of their tickets moves on to another agent, and so on (an augmenting path of the
//! residual network, found by Bellman and Ford's rule over the agents). So two things hold at the end:
//!
//! - The tickets that got an agent are the best set in the order of precedence: a ticket without an agent could only be
//!   served by leaving out one that comes before it (the sets that can be served form a matroid, for which taking greedily
//!   is best).
//! - Among all ways to serve that set the cost is the least (successive shortest paths keep a flow optimal). The cost of an
//!   agent's next ticket rises with the tickets the agent has, so the work spreads.
//!
//! When no way in is left for a ticket, the agents it reached are full and can only exchange among each other for ever:
//! later tickets that reach nobody else are refused without a search.

/// What cannot be.
pub(super) const NEVER: i64 = i64::MAX / 4;

/// Who takes tickets.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// Tickets that still fit.
    pub free: u64,
    /// Tickets held.
    pub load: u64,
    /// Tickets that count as a full load.
    pub full: u64,
}

/// Cost of an agent's next ticket when it is the one that makes the load full, in the unit of the tickets' costs.
pub(super) const BUSY: i64 = 500;

/// Gives out `tickets`, numbered in the order of precedence. `costs` writes the cost of a ticket with each agent, or
/// [`NEVER`]. Returns the agent of each.
pub(super) fn give_out(
    tickets: usize,
    places: &[Place],
    costs: impl Fn(usize, &mut [i64]),
) -> Vec<Option<usize>> {
    let n = places.len();
    let mut given: Vec<Option<usize>> = vec![None; tickets];
    let mut held: Vec<Vec<usize>> = vec![Vec::new(); n];
    // Cheapest move of a ticket from one agent to another, and which ticket; read only where not stale.
    let mut moves = vec![NEVER; n * n];
    let mut movers = vec![usize::MAX; n * n];
    let mut stale = vec![false; n];
    let mut closed = vec![false; n];
    let (mut row, mut cost, mut from) = (vec![NEVER; n], vec![NEVER; n], vec![usize::MAX; n]);
    let mut queue = std::collections::VecDeque::new();
    let mut queued = vec![false; n];
    let next = |held: &[Vec<usize>], agent: usize| {
        let place = &places[agent];
        ((held[agent].len() as u64) < place.free)
            .then(|| BUSY * (place.load + held[agent].len() as u64 + 1) as i64 / place.full.max(1) as i64)
    };
    for ticket in 0..tickets {
        costs(ticket, &mut cost);
        for agent in 0..n {
            from[agent] = usize::MAX;
            if closed[agent] {
                cost[agent] = NEVER;
            }
            if cost[agent] < NEVER {
                queue.push_back(agent);
                queued[agent] = true;
            }
        }
        while let Some(agent) = queue.pop_front() {
            queued[agent] = false;
            if held[agent].is_empty() {
                continue;
            }
            if std::mem::take(&mut stale[agent]) {
                let (moves, movers) = (&mut moves[agent * n..][..n], &mut movers[agent * n..][..n]);
                moves.fill(NEVER);
                for &mover in &held[agent] {
                    costs(mover, &mut row);
                    let here = row[agent];
                    for to in 0..n {
                        if row[to] < NEVER && row[to] - here < moves[to] {
                            moves[to] = row[to] - here;
                            movers[to] = mover;
                        }
                    }
                }
            }
            let reached = cost[agent];
            for (to, &step) in moves[agent * n..][..n].iter().enumerate() {
                if to != agent && step < NEVER && reached + step < cost[to] {
                    cost[to] = reached + step;
                    from[to] = agent;
                    if !queued[to] {
                        queued[to] = true;
                        queue.push_back(to);
                    }
                }
            }
        }
        let best = (0..n)
            .filter(|&agent| cost[agent] < NEVER)
            .filter_map(|agent| Some((cost[agent] + next(&held, agent)?, agent)))
            .min();
        let Some((_, mut agent)) = best else {
            for agent in 0..n {
                closed[agent] |= cost[agent] < NEVER;
            }
            continue;
        };
        // Everybody on the way hands one ticket on.
        while from[agent] != usize::MAX {
            let before = from[agent];
            let mover = movers[before * n + agent];
            held[before].retain(|&one| one != mover);
            held[agent].push(mover);
            given[mover] = Some(agent);
            stale[agent] = true;
            agent = before;
        }
        held[agent].push(ticket);
        given[ticket] = Some(agent);
        stale[agent] = true;
    }
    given
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every way to give out, by trying all: the best set in precedence, then the least cost.
    fn brute(costs: &[Vec<i64>], places: &[Place]) -> (Vec<bool>, i64) {
        fn go(
            at: usize,
            costs: &[Vec<i64>],
            places: &[Place],
            held: &mut [u64],
            served: &mut Vec<bool>,
            cost: i64,
            best: &mut (Vec<bool>, i64),
        ) {
            if at == costs.len() {
                if *served > best.0 || (*served == best.0 && cost < best.1) {
                    *best = (served.clone(), cost);
                }
                return;
            }
            served.push(false);
            go(at + 1, costs, places, held, served, cost, best);
            served.pop();
            for agent in 0..places.len() {
                if costs[at][agent] < NEVER && held[agent] < places[agent].free {
                    held[agent] += 1;
                    let busy =
                        BUSY * (places[agent].load + held[agent]) as i64 / places[agent].full.max(1) as i64;
                    served.push(true);
                    go(
                        at + 1,
                        costs,
                        places,
                        held,
                        served,
                        cost + costs[at][agent] + busy,
                        best,
                    );
                    served.pop();
                    held[agent] -= 1;
                }
            }
        }
        let mut best = (Vec::new(), i64::MAX);
        go(
            0,
            costs,
            places,
            &mut vec![0; places.len()],
            &mut Vec::new(),
            0,
            &mut best,
        );
        best
    }

    #[test]
    fn it_is_the_best_of_all_ways() {
        let mut dice = fastrand::Rng::with_seed(12);
        for _ in 0..400 {
            let places: Vec<Place> = (0..dice.usize(1..4))
                .map(|_| {
                    let (free, load) = (dice.u64(0..4), dice.u64(0..4));
                    Place {
                        free,
                        load,
                        full: free + load,
                    }
                })
                .collect();
            let costs: Vec<Vec<i64>> = (0..dice.usize(0..7))
                .map(|_| {
                    places
                        .iter()
                        .map(|_| {
                            if dice.u8(..3) == 0 {
                                NEVER
                            } else {
                                dice.i64(-1500..1000)
                            }
                        })
                        .collect()
                })
                .collect();
            let given = give_out(costs.len(), &places, |ticket, row| {
                row.copy_from_slice(&costs[ticket])
            });
            let mut held = vec![0; places.len()];
            let mut total = 0;
            for (ticket, agent) in given.iter().enumerate() {
                if let Some(agent) = *agent {
                    held[agent] += 1;
                    total += costs[ticket][agent]
                        + BUSY * (places[agent].load + held[agent]) as i64 / places[agent].full.max(1) as i64;
                    assert!(costs[ticket][agent] < NEVER && held[agent] <= places[agent].free);
                }
            }
            let served: Vec<bool> = given.iter().map(Option::is_some).collect();
            assert_eq!((served, total), brute(&costs, &places), "{costs:?} {places:?}");
        }
    }
}
