//! Drafts on histories whose answer is known.

use super::*;

/// Sixty English examples of two matters, whose neighbours mostly share their matter, and a few Chinese ones.
fn examples() -> Vec<Example> {
    let mut dice = fastrand::Rng::with_seed(6);
    let parcel = "The carrier brings your parcel tomorrow. Sorry for the wait.";
    let login = "We have sent you a link. Choose a new password with it.";
    let mut all: Vec<Example> = (0..60)
        .map(|i| {
            let (own, other) = if i % 2 == 0 {
                (parcel, login)
            } else {
                (login, parcel)
            };
            // Clear tickets have near neighbours of their matter, dim ones far neighbours of either.
            let clear = dice.bool();
            let quotes = (0..6)
                .map(|at| {
                    let text = if clear || at % 2 == 0 { own } else { other };
                    (
                        Quote::text(text),
                        Some(if clear { 0.8 } else { 0.2 } - 0.01 * f64::from(at)),
                    )
                })
                .collect();
            Example {
                language: "en".into(),
                reply: format!(
                    "{} Agent {}",
                    if clear || dice.bool() { own } else { other },
                    i % 5
                ),
                quotes,
                nearest: own.into(),
                random: [parcel, login][dice.usize(..2)].into(),
                written: Vec::new(),
            }
        })
        .collect();
    all.extend((0..5).map(|_| Example {
        language: "zh".into(),
        reply: "明天送到。".into(),
        quotes: vec![(Quote::text("明天送到。"), Some(0.5))],
        nearest: "明天送到。".into(),
        random: "明天送到。".into(),
        written: Vec::new(),
    }));
    all
}

fn measured() -> Drafting {
    Drafting::measure(&examples(), 1.25, || Ok::<(), ()>(())).unwrap()
}

#[test]
fn a_draft_is_worth_what_such_drafts_were_worth() {
    let drafting = measured();
    let scores = drafting.manners["en"].scores;
    assert!(
        scores.rouge_l > scores.naive + 0.1
            && scores.best_fifth >= scores.rouge_l
            && scores.measured_on == 60,
        "{scores:?}"
    );
    let parcel = "The carrier brings your parcel tomorrow. Sorry for the wait.";
    let sure: Vec<(Quote, Option<f64>)> = (0..6).map(|_| (Quote::text(parcel), Some(0.8))).collect();
    let draft = drafting.draft(&sure, "en", &Own::default(), false);
    assert_eq!(
        (draft.decision, draft.reply.as_deref()),
        (DraftDecision::Suggest, Some(parcel))
    );
    // A clear draft missed only the agent's number: 2 * 12 / (12 + 14) of its words and marks.
    assert!(
        (draft.confidence.unwrap() - 24.0 / 26.0).abs() < 0.06,
        "{draft:?}"
    );
    assert_eq!(
        drafting.draft(&sure, "en", &Own::default(), true).decision,
        DraftDecision::Send
    );
    assert_eq!(
        drafting.draft(&sure, "und", &Own::default(), true).decision,
        DraftDecision::Send
    );
    // A hole is filled by the ticket or by a person, never sent.
    let hole: Vec<(Quote, Option<f64>)> = (0..6)
        .map(|_| {
            (
                Quote::text("The carrier brings [order number] tomorrow. Sorry for the wait."),
                Some(0.8),
            )
        })
        .collect();
    assert_eq!(
        drafting.draft(&hole, "en", &Own::default(), true).decision,
        DraftDecision::Suggest
    );
    assert_eq!(
        drafting
            .draft(&hole, "en", &Own::of(&["order 4711"], None), true)
            .decision,
        DraftDecision::Send
    );
}

#[test]
fn language_and_history_are_needed() {
    let drafting = measured();
    let quote = [(Quote::text("明天送到。"), Some(0.9))];
    assert!(
        drafting
            .draft(&quote, "zh", &Own::default(), true)
            .why
            .unwrap()
            .contains("too few")
    );
    assert!(
        drafting
            .draft(&[], "en", &Own::default(), true)
            .why
            .unwrap()
            .contains("language")
    );
    let article = [(Quote::text("An article."), None)];
    assert!(
        drafting
            .draft(&article, "en", &Own::default(), true)
            .why
            .unwrap()
            .contains("language")
    );
    assert!(
        Drafting::default()
            .draft(&quote, "und", &Own::default(), true)
            .reply
            .is_none()
    );
    assert_eq!(
        Drafting::measure(&[], 1.25, || Ok::<(), ()>(())),
        Ok(Drafting::default())
    );
    assert_eq!(Drafting::measure(&examples(), 1.25, || Err("stop")), Err("stop"));
}

#[test]
fn drafts_no_better_than_chance_are_not_shown() {
    let mut all = examples();
    // What was sent has nothing to do with what the neighbours were told, but random replies are right.
    for example in &mut all {
        example.reply = "Please ring the desk".into();
        example.random = example.reply.clone();
    }
    let drafting = Drafting::measure(&all, 1.25, || Ok::<(), ()>(())).unwrap();
    let draft = drafting.draft(&all[0].quotes, "en", &Own::default(), true);
    assert_eq!((draft.decision, draft.reply), (DraftDecision::None, None));
    assert!(draft.why.unwrap().contains("hardly better") && draft.confidence.is_some());
    // Unless the shop wants to see every draft.
    let drafting = Drafting::measure(&all, 0.0, || Ok::<(), ()>(())).unwrap();
    let shown = drafting.draft(&all[0].quotes, "en", &Own::default(), true);
    assert_eq!(
        (shown.decision, shown.confidence),
        (DraftDecision::Suggest, draft.confidence)
    );
}

#[test]
fn one_template_for_everything_is_suggested_and_what_is_near_chance_is_not() {
    let mut all = examples();
    for example in &mut all {
        example.quotes = vec![(Quote::text("Please ring the desk"), Some(0.5))];
        example.reply = "Please ring the desk".into();
        example.random = example.reply.clone();
    }
    let drafting = Drafting::measure(&all, 1.25, || Ok::<(), ()>(())).unwrap();
    let draft = drafting.draft(&all[0].quotes, "en", &Own::default(), false);
    assert_eq!(draft.decision, DraftDecision::Suggest, "{draft:?}");
    assert_eq!(suggest_from(0.2, 1.25), 0.25);
    assert_eq!(suggest_from(1.0, 1.25), SEND_FROM);
}

#[test]
fn the_numbers_are_chosen_where_history_is_long_enough() {
    // The nearest reply is right, the nine behind it agree on something else: only a low temperature finds it.
    let all: Vec<Example> = (0..160)
        .map(|i| {
            let right = format!("Use door {} on the left please.", i % 7);
            let mut quotes = vec![(Quote::text(&right), Some(0.55))];
            quotes.extend((0..9).map(|_| (Quote::text("Nobody knows what you want here."), Some(0.4))));
            Example {
                language: "en".into(),
                reply: right.clone(),
                quotes,
                nearest: right,
                random: String::new(),
                written: Vec::new(),
            }
        })
        .collect();
    let manner = &Drafting::measure(&all, 1.25, || Ok::<(), ()>(()))
        .unwrap()
        .manners["en"];
    assert_eq!(manner.weighing.temperature, 0.05);
    assert_eq!(manner.scores.measured_on, 80);
    assert!((manner.scores.bleu - 1.0).abs() < 1e-9 && (manner.scores.rouge_l - 1.0).abs() < 1e-9);
}
