//! Assignment: its rules one by one, and its promises for any crowd.

use super::*;

fn agent(team: &str, languages: &[&str], skills: Option<&[&str]>, capacity: u64) -> Agent {
    let all = |list: &[&str]| list.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    Agent {
        team: Some(team.into()),
        languages: all(languages),
        skills: skills.map(all),
        capacity: Some(capacity),
        load: 0,
        active: true,
    }
}

fn ticket(category: &str, language: &str, priority: &str, created_at: i64) -> Waiting {
    Waiting {
        category: category.into(),
        team: Some("delivery".into()),
        language: language.into(),
        priority: priority.into(),
        created_at,
        votes: Vec::new(),
        last_agent: None,
    }
}

#[test]
fn urgent_first_then_oldest_and_nobody_beyond_capacity() {
    let agents = [agent("delivery", &["en"], None, 2)];
    let waiting = [
        ticket("late", "en", "medium", 10),
        ticket("late", "en", "urgent", 30),
        ticket("late", "en", "medium", 5),
        ticket("late", "en", "low", 1),
    ];
    let given = assign(&waiting, &agents);
    let who: Vec<bool> = given.iter().map(|one| one.agent.is_some()).collect();
    assert_eq!(who, vec![false, true, true, false]);
    assert!(given[0].why.contains("capacity"), "{}", given[0].why);
}

#[test]
fn team_skill_language_and_duty_are_asked_for() {
    let mut agents = vec![
        agent("delivery", &["en-GB"], Some(&["late"]), 9),
        agent("money", &["zh"], None, 9),
        agent("delivery", &["zh"], None, 9),
    ];
    let who = |agents: &[Agent], ticket: Waiting| assign(&[ticket], agents)[0].clone();
    assert_eq!(who(&agents, ticket("late", "en", "low", 0)).agent, Some(0));
    assert_eq!(who(&agents, ticket("late", "zh-Hans", "low", 0)).agent, Some(2));
    assert!(
        who(&agents, ticket("late", "fr", "low", 0))
            .why
            .contains("reads fr")
    );
    agents[2].active = false;
    assert!(
        who(&agents, ticket("lost", "en", "low", 0))
            .why
            .contains("skill lost")
    );
    agents[0].active = false;
    assert!(
        who(&agents, ticket("late", "en", "low", 0))
            .why
            .contains("delivery")
    );
    assert!(who(&[], ticket("late", "en", "low", 0)).why.contains("no agents"));
}

#[test]
fn votes_lead_then_free_places() {
    let mut agents = vec![
        agent("delivery", &[], None, 10),
        agent("delivery", &[], None, 10),
        agent("delivery", &[], None, 4),
    ];
    agents[0].load = 5;
    let mut waiting = ticket("late", "und", "low", 0);
    assert_eq!(assign(&[waiting.clone()], &agents)[0].agent, Some(1));
    waiting.votes = vec![(0, 0.6), (1, 0.2)];
    let given = assign(&[waiting], &agents);
    assert_eq!(given[0].agent, Some(0));
    assert!((given[0].confidence.unwrap() - 0.75).abs() < 1e-12);
}

#[test]
fn capacity_holds_for_any_crowd() {
    let mut dice = fastrand::Rng::with_seed(8);
    for _ in 0..50 {
        let agents: Vec<Agent> = (0..dice.usize(1..6))
            .map(|_| Agent {
                load: dice.u64(0..4),
                ..agent(
                    "delivery",
                    &[["en", "zh"][dice.usize(0..2)]],
                    None,
                    dice.u64(0..8),
                )
            })
            .collect();
        let waiting: Vec<Waiting> = (0..40)
            .map(|at| {
                ticket(
                    "late",
                    ["en", "zh"][dice.usize(0..2)],
                    PRIORITIES[dice.usize(0..4)],
                    at,
                )
            })
            .collect();
        let given = assign(&waiting, &agents);
        assert_eq!(given.len(), waiting.len());
        for (at, agent) in agents.iter().enumerate() {
            let new = given.iter().filter(|one| one.agent == Some(at)).count() as u64;
            assert!(new == 0 || agent.load + new <= agent.capacity.unwrap());
        }
    }
}

#[test]
fn a_customer_keeps_the_agent_who_is_on_duty_and_has_a_place() {
    let mut agents = [agent("delivery", &[], None, 3), agent("delivery", &[], None, 3)];
    let mut waiting = ticket("late", "en", "low", 0);
    waiting.votes = vec![(0, 1.0)];
    waiting.last_agent = Some(1);
    let given = assign(&[waiting.clone()], &agents);
    assert_eq!(given[0].agent, Some(1));
    assert!(given[0].why.contains("last ticket"), "{}", given[0].why);
    agents[1].load = 3;
    assert_eq!(assign(&[waiting.clone()], &agents)[0].agent, Some(0));
    agents[1] = Agent {
        load: 0,
        active: false,
        ..agents[1].clone()
    };
    assert_eq!(assign(&[waiting], &agents)[0].agent, Some(0));
}

#[test]
fn a_ticket_moves_on_so_that_another_finds_a_place() {
    // Only the second agent reads Chinese, and would have been the better one for the older English ticket.
    let agents = [
        agent("delivery", &["en"], None, 1),
        agent("delivery", &["en", "zh"], None, 1),
    ];
    let mut english = ticket("late", "en", "low", 0);
    english.votes = vec![(1, 1.0)];
    let given = assign(&[english, ticket("late", "zh", "low", 5)], &agents);
    assert_eq!((given[0].agent, given[1].agent), (Some(0), Some(1)));
}

#[test]
fn the_oldest_of_equals_is_served_and_no_ticket_is_lost() {
    let mut dice = fastrand::Rng::with_seed(9);
    for _ in 0..60 {
        let agents: Vec<Agent> = (0..dice.usize(1..7))
            .map(|_| Agent {
                capacity: (dice.u8(..6) > 0).then(|| dice.u64(0..6)),
                load: dice.u64(0..3),
                active: dice.u8(..5) > 0,
                ..agent(
                    ["delivery", "money"][dice.usize(0..2)],
                    &[["en", "zh"][dice.usize(0..2)]],
                    None,
                    0,
                )
            })
            .collect();
        let waiting: Vec<Waiting> = (0..dice.usize(0..60))
            .map(|_| {
                let mut one = ticket(
                    "late",
                    ["en", "zh", "und"][dice.usize(0..3)],
                    PRIORITIES[dice.usize(0..4)],
                    dice.i64(0..30),
                );
                one.team =
                    [Some("delivery".to_owned()), Some("money".to_owned()), None][dice.usize(0..3)].clone();
                one.votes = (0..agents.len())
                    .filter(|_| dice.bool())
                    .map(|at| (at, 0.2))
                    .collect();
                one
            })
            .collect();
        let given = assign(&waiting, &agents);
        assert_eq!(given.len(), waiting.len());
        let kind = |one: &Waiting| (one.team.clone(), one.language.clone());
        let rank = |at: usize| {
            (
                std::cmp::Reverse(urgency(&waiting[at].priority)),
                waiting[at].created_at,
                at,
            )
        };
        for (at, one) in waiting.iter().enumerate() {
            assert!(!given[at].why.is_empty());
            if given[at].agent.is_some() {
                continue;
            }
            // Nobody of the same kind who comes later got an agent instead.
            for other in 0..waiting.len() {
                let instead = kind(&waiting[other]) == kind(one) && given[other].agent.is_some();
                assert!(!instead || rank(other) < rank(at));
            }
        }
        for (at, agent) in agents.iter().enumerate() {
            let new = given.iter().filter(|one| one.agent == Some(at)).count() as u64;
            assert!(new == 0 || (agent.active && agent.capacity.is_none_or(|all| agent.load + new <= all)));
        }
    }
}

/// Ten thousand tickets and two hundred agents, most of whom are full in the end.
#[test]
fn a_crowd_is_given_out_quickly() {
    let mut dice = fastrand::Rng::with_seed(1);
    let agents: Vec<Agent> = (0..200)
        .map(|_| Agent {
            load: dice.u64(0..10),
            ..agent(
                ["a", "b", "c", "d"][dice.usize(0..4)],
                &[["en", "zh", "de"][dice.usize(0..3)]],
                None,
                dice.u64(10..60),
            )
        })
        .collect();
    let waiting: Vec<Waiting> = (0..10_000)
        .map(|at| {
            let mut one = ticket(
                "late",
                ["en", "zh", "de", "und"][dice.usize(0..4)],
                PRIORITIES[dice.usize(0..4)],
                at,
            );
            one.team = [
                Some("a".to_owned()),
                Some("b".into()),
                Some("c".into()),
                Some("d".into()),
                None,
            ][dice.usize(0..5)]
            .clone();
            one.votes = (0..5).map(|_| (dice.usize(0..200), 0.2)).collect();
            one
        })
        .collect();
    let began = std::time::Instant::now();
    let given = assign(&waiting, &agents);
    let free: u64 = agents
        .iter()
        .map(|agent| agent.capacity.unwrap_or(0).saturating_sub(agent.load))
        .sum();
    assert_eq!(
        given.iter().filter(|one| one.agent.is_some()).count() as u64,
        free
    );
    // The promise is 5 s of an optimised build (benches/run assignment); tests are not optimised and share the machine.
    assert!(began.elapsed().as_secs() < 60, "{:?}", began.elapsed());
}
