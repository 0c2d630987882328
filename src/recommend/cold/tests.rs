//! Cold products: metrics by hand, and a shop where words decide.

use super::super::factors::AlsOptions;
use super::super::fresh::{Ear, Encoded, Fresh};
use super::super::lists::Person;
use super::super::log::{Interaction, Kind, Log, Strengths};
use super::newcomers::standardise;
use super::*;

/// Forty people buy products of their camp, seven of ten each; after the cut everybody buys the camp's new product
/// (20 or 21). The camp's products carry one of two words, `2 * camp` or `2 * camp + 1`; the new product carries
/// the second, which a fifth of the people never bought.
fn shop() -> (Log, Csr) {
    let buy = |user: u32, product: u32, at: i64, line: u32| Interaction {
        user: Some(user),
        product,
        kind: Kind::Purchase,
        quantity: 1.0,
        rating: 0.0,
        at,
        basket: 0,
        line,
    };
    let mut events = Vec::new();
    for user in 0..40u32 {
        let camp = user % 2;
        for step in 0..7u32 {
            let product = 2 * ((user / 2 + step) % 10) + camp;
            events.push(buy(user, product, i64::from(step), events.len() as u32));
        }
        events.push(buy(user, 20 + camp, 100, events.len() as u32));
    }
    // 320 pairs, the last 40 of them after the quantile of 0.8; a stranger makes 22 a newcomer of nobody known.
    events.push(buy(40, 22, 101, events.len() as u32));
    let texts = (0..23u32).map(|product| {
        let camp = product % 2;
        let word = 2 * camp + u32::from(product >= 10);
        vec![(word, 0.8), (4 + product, 0.6)]
    });
    (Log::new(41, 23, events), Csr::from_rows(27, texts))
}

/// The new products' texts are nearest to those of the other camp: who listens to them is always wrong.
fn nearest_texts() -> Neighbours {
    let row = |product: u32| match product {
        20 => (1..20).step_by(2).map(|other| (other, 0.5)).collect(),
        21 => (0..20).step_by(2).map(|other| (other, 0.5)).collect(),
        _ => Vec::new(),
    };
    Neighbours::from_rows(20, (0..23).map(row).collect())
}

fn factors(cut: &Cut) -> Als {
    let rows = (0..cut.train.users()).map(|user| {
        let mut row = Decay::flat().profile(cut.train.of(user));
        row.sort_unstable_by_key(|&(product, _)| product);
        row
    });
    let options = AlsOptions {
        factors: 2,
        ..AlsOptions::default()
    };
    Als::fit(&Csr::from_rows(23, rows), &options, &Control::unbounded()).unwrap()
}

#[test]
fn metrics_of_a_list_by_hand() {
    // Hits at ranks 2 and 12; a perfect list hits at 1, 2 and 3.
    let list: Vec<(u32, f32)> = (0..20).map(|place| (place, 1.0 - place as f32 / 20.0)).collect();
    let row = of_list(&list, &[1, 11, 30]);
    let third = 1.0 / 3f32.log2();
    assert!((row[0] - third / (1.0 + third + 0.5)).abs() < 1e-6);
    assert_eq!(row[1..], [1.0, 1.0]);
    assert_eq!(of_list(&list, &[15]), [0.0, 0.0, 1.0]);
    assert_eq!(of_list(&[], &[15]), [0.0; 3]);
}

#[test]
fn words_find_the_buyers_of_what_nobody_has() {
    let (log, words) = shop();
    let cut = Cut::global(&log, &Strengths::default(), 0.8);
    assert_eq!((cut.cold, cut.strangers), (40, 1));
    let factors = factors(&cut);
    let nearest = nearest_texts();
    let texts = Texts {
        words: &words,
        features: &words,
        nearest: &nearest,
        network: None,
    };
    let (decay, control) = (Decay::flat(), Control::unbounded());
    let (choice, ndcg) = choose(&cut, &texts, &factors, &decay, 1, None, &control)
        .unwrap()
        .unwrap();
    let settings = choice.settings;
    let judged = judge(&cut, &texts, &factors, &decay, &settings, 1, None, &control).unwrap();
    // Product 22 has no known buyer: two are ranked, and the right one is first for everybody.
    assert_eq!((judged.products, judged.users.len()), (2, 40));
    assert_eq!(judged.users, (0..40).collect::<Vec<_>>());
    for metric in [0, 1] {
        let of = |voice| judged.mean(voice, metric);
        assert_eq!((of(Voice::Content), of(Voice::Encoder)), (1.0, 1.0));
    }
    let by_nearest = judged.mean(Voice::Nearest, 0);
    assert!((by_nearest - 1.0 / 3f64.log2()).abs() < 1e-6, "{by_nearest}");
    // Both others are perfect: the simpler speaks.
    assert_eq!(choice.voice, Voice::Content);
    // All settings are perfect here: the smallest win the tie.
    assert_eq!(
        (settings, ndcg),
        (
            ColdSettings {
                alpha: 0.3,
                content: 0.0,
                network_content: 0.4
            },
            1.0
        )
    );
    // A bound on buyers that nothing reaches leaves nothing to ask.
    let none = judge(&cut, &texts, &factors, &decay, &settings, 21, None, &control).unwrap();
    assert_eq!(
        (none.products, none.users.len(), none.mean(Voice::Encoder, 0)),
        (0, 0, 0.0)
    );
    assert_eq!(
        choose(&cut, &texts, &factors, &decay, 21, None, &control).unwrap(),
        None
    );
}

#[test]
fn the_network_is_asked_where_it_has_texts_to_learn_from() {
    let (log, words) = shop();
    let cut = Cut::global(&log, &Strengths::default(), 0.8);
    let factors = factors(&cut);
    let nearest = nearest_texts();
    let names = ["oak", "walnut", "steel", "brass"];
    let text = |p: u32| format!("{} piece {p}", names[(2 * (p % 2) + u32::from(p >= 10)) as usize]);
    let readings: Vec<Reading> = (0..23).map(|p| Reading::of(&text(p))).collect();
    let options = TextOptions {
        filters: 8,
        epochs: 20,
        ..TextOptions::default()
    };
    let texts = Texts {
        words: &words,
        features: &words,
        nearest: &nearest,
        network: Some((&readings, &options)),
    };
    let (decay, control) = (Decay::flat(), Control::unbounded());
    let heard = network(&cut, &texts, &factors, 1, &control).unwrap();
    let (choice, _) = choose(&cut, &texts, &factors, &decay, 1, heard.as_ref(), &control)
        .unwrap()
        .unwrap();
    let settings = &choice.settings;
    let judged = judge(
        &cut,
        &texts,
        &factors,
        &decay,
        settings,
        1,
        heard.as_ref(),
        &control,
    )
    .unwrap();
    assert!(
        judged.mean(Voice::Network, 0) > 0.9,
        "{}",
        judged.mean(Voice::Network, 0)
    );
    // The content cosine is perfect already, and simpler.
    assert_eq!(choice.voice, Voice::Content);
    // Without texts it is silent, without being asked, and where nothing is new.
    let silent = vec![Reading::default(); 23];
    for asked in [None, Some((silent.as_slice(), &options))] {
        let texts = Texts {
            network: asked,
            ..texts
        };
        assert!(network(&cut, &texts, &factors, 1, &control).unwrap().is_none());
    }
    assert!(network(&cut, &texts, &factors, 21, &control).unwrap().is_none());
    let without = judge(&cut, &texts, &factors, &decay, settings, 1, None, &control).unwrap();
    assert!(without.of(Voice::Network).is_empty());
}

#[test]
fn the_encoder_knows_words_that_the_user_never_met() {
    let (log, words) = shop();
    let cut = Cut::global(&log, &Strengths::default(), 0.8);
    let factors = factors(&cut);
    let nearest = nearest_texts();
    let texts = Texts {
        words: &words,
        features: &words,
        nearest: &nearest,
        network: None,
    };
    let known = cut.train.seen_products();
    let settings = ColdSettings {
        alpha: 0.3,
        content: 0.0,
        ..ColdSettings::default()
    };
    let newcomers = Newcomers::fit(
        vec![20, 21],
        &texts,
        &factors,
        &known,
        &settings,
        &Control::unbounded(),
    )
    .unwrap();
    // Products 1 and 3 share no word with 21; their buyers' other products do.
    let profile = [(1, 1.0), (3, 1.0)];
    assert_eq!(content(&words, &profile, &[20, 21]), [0.0, 0.0]);
    let scores = newcomers.scores(&words, &factors, &profile);
    assert!(scores[1] > 0.9 && scores[0] < -0.9, "{scores:?}");
    assert_eq!(newcomers.vector(1).len(), factors.width());
    // The reasons are products of the profile, and contributions sum up to what the encoder says.
    assert!([1, 3].contains(&newcomers.reasons(&words, &factors, &profile, &[1])[0]));
    let mut table = [0.0f32; 2];
    factors.add_contributions_to(&[newcomers.vector(1)], &profile, 1.0, &mut table);
    let whole: f32 = newcomers.encoded(&factors.fold_in(&profile))[1];
    assert!(
        (table[0] + table[1] - whole).abs() < 1e-3 * whole.abs(),
        "{table:?} {whole}"
    );
}

#[test]
fn lists_listen_to_the_voice_that_was_chosen() {
    let (log, words) = shop();
    let cut = Cut::global(&log, &Strengths::default(), 0.8);
    let factors = std::sync::Arc::new(factors(&cut));
    let nearest = nearest_texts();
    let texts = Texts {
        words: &words,
        features: &words,
        nearest: &nearest,
        network: None,
    };
    let settings = ColdSettings {
        alpha: 0.3,
        content: 0.4,
        ..ColdSettings::default()
    };
    let known = cut.train.seen_products();
    let newcomers = Newcomers::fit(
        vec![20, 21],
        &texts,
        &factors,
        &known,
        &settings,
        &Control::unbounded(),
    );
    let encoded = Encoded {
        newcomers: newcomers.unwrap(),
        words: &words,
        factors,
        decay: Decay::flat(),
    };
    // User 1 is of the camp of 21; their nearest texts say 20, the other voices know better, and name a product they have.
    let person = Person {
        history: cut.train.of(1),
        ..Person::default()
    };
    let first = |ear: Ear<'_>| Fresh::new(vec![20, 21], 0.1, ear).of(&person).next().unwrap();
    assert_eq!(first(Ear::Nearest(&nearest)).product, 20);
    for ear in [Ear::Content(&words), Ear::Encoder(Box::new(encoded))] {
        let row = first(ear);
        let has = |product| person.history.iter().any(|signal| signal.product == product);
        assert!(row.product == 21 && row.because.is_some_and(has), "{row:?}");
    }
}

#[test]
fn cosines_by_hand_and_scores_of_nothing() {
    let words = Csr::from_rows(3, [vec![(0, 1.0)], vec![(0, 0.6), (1, 0.8)], vec![]]);
    // Profile 2 · (1, 0) + (0.6, 0.8) = (2.6, 0.8), of length √7.4.
    let cosines = content(&words, &[(0, 2.0), (1, 1.0)], &[0, 1, 2]);
    let by_hand = [2.6 / 7.4f32.sqrt(), (2.6 * 0.6 + 0.8 * 0.8) / 7.4f32.sqrt(), 0.0];
    for (cosine, by_hand) in cosines.iter().zip(by_hand) {
        assert!((cosine - by_hand).abs() < 1e-6);
    }
    assert_eq!(content(&words, &[], &[0]), [0.0]);
    let mut alike = [0.3f32; 4];
    standardise(&mut alike);
    assert_eq!(alike, [0.0; 4]);
    let mut two = [1.0f32, 3.0];
    standardise(&mut two);
    assert_eq!(two, [-1.0, 1.0]);
    standardise(&mut []);
}
