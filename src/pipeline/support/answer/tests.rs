//! Teams that are sure enough, and what `why` says of them.

use super::super::knowledge::Told;
use super::*;
use crate::support::{Drafting, Public, Threshold};

fn policy(share: f64, usual: Option<f64>) -> Policy {
    let threshold = |confidence: f64| Threshold {
        confidence,
        ..Threshold::never(0.95)
    };
    Policy {
        model: None,
        label: Label::Category,
        classes: vec![Class {
            name: "parcel".into(),
            team: Some("post".into()),
            team_share: Some(share),
            priority: None,
        }],
        threshold: threshold(0.6),
        usual: usual.map(threshold),
        measured: String::new(),
        drafting: Drafting::default(),
        public: Public::default(),
        send: Vec::new(),
        networks: Vec::new(),
    }
}

fn guess(team: Option<(f64, f64)>) -> Guess {
    Guess {
        candidates: vec![(0, 0.97)],
        none_of_these: None,
        team: team.map(|(confidence, needed)| Told {
            value: "desk".into(),
            confidence,
            needed,
        }),
        priority: None,
        near: Vec::new(),
    }
}

/// Precision is promised of the team as well as of the category.
#[test]
fn a_team_that_is_not_sure_enough_is_not_routed_to() {
    let find = |policy: &Policy, told| {
        let found = find_team(policy, &guess(told), Some((0, &policy.classes[0])), 0.97);
        (found.sure, found.team, found.why.unwrap_or_default())
    };
    let clear = policy(0.98, Some(0.6));
    let (sure, team, why) = find(&clear, Some((0.9, 0.8)));
    assert_eq!((sure, team.as_deref()), (true, Some("desk")));
    assert!(why.contains("team desk at 0.90"), "{why}");
    // Its words are not sure enough: the team usual for the category is, by its share and at this confidence.
    let (sure, team, _) = find(&clear, Some((0.43, 0.8)));
    assert_eq!((sure, team.as_deref()), (true, Some("post")));
    // Neither is.
    for unclear in [
        policy(0.6, Some(0.6)),
        policy(0.98, Some(0.99)),
        policy(0.98, Some(f64::INFINITY)),
    ] {
        let (sure, team, why) = find(&unclear, Some((0.43, 0.8)));
        assert_eq!((sure, team), (false, None));
        assert!(
            why.contains("team desk at only 0.43, 0.80 is needed") && why.ends_with("people decide"),
            "{why}"
        );
    }
    // Where there is one team, there is nothing to choose.
    assert!(find(&policy(1.0, None), None).0);
}

#[test]
fn two_confidences_are_told_apart() {
    assert_eq!(apart(0.56, 0.956), ("0.56".into(), "0.96".into()));
    assert_eq!(apart(0.9496, 0.9512), ("0.950".into(), "0.951".into()));
}

#[test]
fn no_skills_are_not_all_skills() {
    let agent = |skills| Agent {
        agent_id: "a".into(),
        name: None,
        team: None,
        languages: None,
        skills,
        capacity: None,
        active: true,
    };
    assert_eq!(
        staff(&agent(Some(Vec::new())), &BTreeMap::new()).skills,
        Some(Vec::new())
    );
    assert_eq!(staff(&agent(None), &BTreeMap::new()).skills, None);
}
