//! Members against scikit-learn and finite differences; classifiers against hostile texts.

use super::centroid::centroids;
use super::hinge::Hinge;
use super::logistic::{LogisticOptions, logistic};
use super::ratios::LogRatios;
use super::stack::{stack, temperature};
use super::*;

/// Six rows of two features, three classes.
fn tiny() -> (Csr, [u32; 6]) {
    let rows = [
        vec![(0, 1.0)],
        vec![(0, 0.8), (1, 0.2)],
        vec![(1, 1.0)],
        vec![(0, 0.5), (1, 0.5)],
        vec![(1, 0.7)],
        vec![(0, 0.9), (1, 0.3)],
    ];
    (Csr::from_rows(2, rows), [0, 0, 1, 2, 1, 2])
}

fn close(ours: f32, theirs: f64, within: f64, what: &str) {
    assert!(
        (f64::from(ours) - theirs).abs() < within,
        "{what}: {ours} {theirs}"
    );
}

/// scikit-learn 1.9.1, `LinearSVC(C=.., tol=1e-10, max_iter=1000000).fit(X, y)` on the six rows: coef_, intercept_.
#[test]
fn the_hinge_agrees_with_scikit_learn() {
    let (rows, labels) = tiny();
    let mut hinge = Hinge::new(&rows, &labels, 3, None, SEED);
    for (c, weights, bias) in [
        (
            0.5,
            [
                [0.411_254_757, -0.711_275_902],
                [-0.889_113_756, 0.535_174_893],
                [0.200_416_843, -0.118_936_145],
            ],
            [-0.199_367_184, -0.085_686_885, -0.331_458_044],
        ),
        // The second fit starts where the first ended.
        (
            4.0,
            [
                [0.588_935_883, -2.070_278_432],
                [-1.907_692_308, 0.953_242_836],
                [0.911_741_375, 0.556_367_217],
            ],
            [0.045_014_208, -0.045_852_187, -1.048_124_716],
        ),
    ] {
        let model = hinge.fit(c, 1e-5, &Control::unbounded()).unwrap();
        let (ours, our_bias) = model.parts();
        for class in 0..3 {
            for column in 0..2 {
                close(ours[column * 3 + class], weights[class][column], 2e-3, "weight");
            }
            close(our_bias[class], bias[class], 2e-3, "bias");
        }
    }
}

/// numpy on the six rows; the weights are those of scikit-learn 1.9.1's `LinearSVC(C=1, tol=1e-10)` fitted to
/// `X * ratios[class]` for each class apart, times the ratios.
#[test]
fn ratios_and_nb_svm_agree_with_scikit_learn() {
    let (rows, labels) = tiny();
    let ratios = LogRatios::count(&rows, &labels, 3);
    let squares = ratios.squares(0);
    for (column, expected) in [
        (0, [0.542_808_670, -0.918_868_053, 0.151_230_970]),
        (1, [-0.681_783_422, 0.816_321_065, -0.171_542_423]),
    ] {
        for (class, ratio) in expected.into_iter().enumerate() {
            let ratio: f64 = ratio;
            close(squares[column][class], ratio * ratio, 1e-5, "squared ratio");
        }
    }
    let model = Hinge::new(&rows, &labels, 3, Some(&ratios), SEED)
        .fit(1.0, 1e-5, &Control::unbounded())
        .unwrap();
    for (class, expected, bias) in [
        (0, [0.332_634_094, -0.687_054_487], -0.186_058_767),
        (1, [-1.111_347_238, 0.576_406_394], -0.020_242_425),
        (2, [0.025_030_160, -0.014_260_634], -0.314_091_200),
    ] {
        close(model.parts().0[class], expected[0], 2e-3, "first weight");
        close(model.parts().0[3 + class], expected[1], 2e-3, "second weight");
        close(model.parts().1[class], bias, 2e-3, "bias");
    }
}

/// scikit-learn 1.9.1: `LogisticRegression(C=2, tol=1e-10).fit(X, y).predict_proba([[1, 0]])` on the first five rows.
#[test]
fn the_logistic_agrees_with_scikit_learn_from_any_start() {
    let (rows, labels) = tiny();
    let (rows, labels) = (rows.select(&[0, 1, 2, 3, 4]), &labels[..5]);
    let options = LogisticOptions {
        c: 2.0,
        max_iterations: 500,
        checkpoint: None,
    };
    let warm = Hinge::new(&rows, labels, 3, None, SEED)
        .fit(1.0, 0.1, &Control::unbounded())
        .unwrap();
    for start in [None, Some(&warm)] {
        let model = logistic(&rows, labels, 3, start, &options, &Control::unbounded()).unwrap();
        let mut p: Vec<f64> = model.scores(&[0], &[1.0]).into_iter().map(f64::from).collect();
        softmax(&mut p);
        let theirs = [
            0.694_200_464_043_456,
            0.125_270_227_375_276_7,
            0.180_529_308_581_267_4,
        ];
        for (ours, theirs) in p.iter().zip(theirs) {
            assert!((ours - theirs).abs() < 1e-3, "{p:?}");
        }
    }
}

#[test]
fn class_means_are_of_unit_length() {
    let (rows, labels) = tiny();
    let model = centroids(&rows, &labels, 4); // class 3 has no row
    close(
        model.parts().0[1],
        0.0,
        1e-7,
        "class 1 has only the second feature",
    );
    close(model.parts().0[4 + 1], 1.0, 1e-6, "and all its length there");
    let zero = 1.8f64.hypot(0.2);
    close(model.parts().0[0], 1.8 / zero, 1e-6, "class 0");
    assert_eq!((model.parts().0[3], model.parts().0[7]), (0.0, 0.0));
}

#[test]
fn temperature_and_stack_find_the_likeliest_scale() {
    // Two classes whose log odds are right at scale 2: p = 1/(1+exp(-2 s)) for s = ln(3)/2 is 3/4.
    let s = 3f32.ln() / 2.0;
    let scores: Vec<f32> = (0..400).flat_map(|_| [s, 0.0]).collect();
    let labels: Vec<u32> = (0..400).map(|i| u32::from(i % 4 == 0)).collect();
    let control = Control::unbounded();
    let (scale, loss) = temperature(&scores, &labels, 2, &control).unwrap();
    // Platt's targets take half a ticket of 402 from the right answers.
    let p: f64 = 0.75 - 0.5 / 402.0;
    let expected = (p / (1.0 - p)).ln() / f64::from(s);
    assert!(
        (scale - expected).abs() < 0.002 && (scale - 2.0).abs() < 0.02,
        "{scale}"
    );
    let entropy = -(p * p.ln() + (1.0 - p) * (1.0 - p).ln());
    assert!((loss - entropy).abs() < 1e-6);
    // A second member that says nothing true gets no weight, and the first keeps its own.
    let noise: Vec<f32> = (0..800).map(|i| ((i * 7919) % 13) as f32 / 13.0).collect();
    let (weights, _) = stack(&[&scores, &noise], &labels, 2, &[scale, 1.0], &control).unwrap();
    assert!(
        (weights[0] - 2.0).abs() < 0.1 && weights[1] < 0.3 && weights[1] >= 0.0,
        "{weights:?}"
    );
}

/// Sixty texts of three matters, one of which is Chinese.
fn texts() -> (Vec<String>, Vec<u32>) {
    let phrases = ["where is my parcel", "i cannot log in", "我的退款什么时候到账"];
    let labels: Vec<u32> = (0..60).map(|i| i % 3).collect();
    let texts = labels
        .iter()
        .enumerate()
        .map(|(i, &label)| format!("{} number {i}", phrases[label as usize]));
    (texts.collect(), labels)
}

fn recipe(members: &[(Member, f64)]) -> Recipe {
    Recipe {
        view: View {
            characters: true,
            subject: 1,
            min_df: 1,
        },
        members: members.to_vec(),
    }
}

const ALL: [(Member, f64); 5] = [
    (Member::Hinge(1.0), 2.0),
    (Member::Bayes(1.0), 1.0),
    (Member::Logistic(20.0), 1.0),
    (Member::Centroid, 1.0),
    (Member::LogNearest(2.0), 0.5),
];

fn fitted(texts: &[String], labels: &[u32], classes: usize) -> Classifier {
    let messages: Vec<Message<'_>> = texts.iter().map(|text| Message::of(text)).collect();
    Classifier::fit(
        &recipe(&ALL),
        &messages,
        labels,
        classes,
        None,
        &Control::unbounded(),
    )
    .unwrap()
}

#[test]
fn hostile_texts_get_probabilities_that_sum_to_one() {
    let (texts, labels) = texts();
    let model = fitted(&texts, &labels, 3);
    let long = "where is my parcel ".repeat(60_000); // a megabyte
    for (text, class) in [
        ("where is it, my parcel 📦📦", Some(0)),
        ("LOG IN?? i cannot", Some(1)),
        ("退款 please, 什么时候", Some(2)),
        (long.as_str(), Some(0)),
        ("", None),
        ("🙂🙂🙂", None),
        ("أين طلبي؟ לא הגיע", None),
        ("\u{202E}lecrap ym si erehw", None),
        ("\0\u{FFFD}\u{FEFF}", None),
    ] {
        let p = model.probabilities(&Message::of(text), &[]);
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-9 && p.iter().all(|p| p.is_finite() && *p >= 0.0));
        if let Some(class) = class {
            assert_eq!(linear::best_of(&p).0, class, "{:.30}: {p:?}", text);
        }
    }
}

#[test]
fn threads_and_storage_change_nothing() {
    let (texts, labels) = texts();
    let pool = |threads| {
        rayon::ThreadPoolBuilder::new()
            .num_threads(threads)
            .build()
            .unwrap()
    };
    let one = pool(1).install(|| fitted(&texts, &labels, 3));
    let four = pool(4).install(|| fitted(&texts, &labels, 3));
    let bytes = postcard::to_stdvec(&one).unwrap();
    assert_eq!(bytes, postcard::to_stdvec(&four).unwrap());
    let back: Classifier = postcard::from_bytes(&bytes).unwrap();
    assert!(back.is_sound());
    let near = [(1, 0.9), (0, 0.3), (7, 0.9)];
    for text in ["log in", "", "parcel"] {
        assert_eq!(
            one.probabilities(&Message::of(text), &near),
            back.probabilities(&Message::of(text), &near)
        );
    }
}

/// The order of the rows decides the order of descent, so numbers move within the tolerance, answers do not.
#[test]
fn the_order_of_the_tickets_does_not_matter() {
    let (texts, labels) = texts();
    let model = fitted(&texts, &labels, 3);
    let turned: Vec<String> = texts.iter().rev().cloned().collect();
    let other: Vec<u32> = labels.iter().rev().copied().collect();
    let turned = fitted(&turned, &other, 3);
    for text in texts.iter().chain([&"refund 退款".to_owned()]) {
        let (a, b) = (
            model.probabilities(&Message::of(text), &[]),
            turned.probabilities(&Message::of(text), &[]),
        );
        assert_eq!(linear::best_of(&a).0, linear::best_of(&b).0);
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 0.05), "{a:?} {b:?}");
    }
}

#[test]
fn two_examples_a_class_suffice_and_one_class_does_not() {
    let texts: Vec<String> = [
        "parcel late",
        "parcel lost",
        "password wrong",
        "password forgotten",
    ]
    .map(str::to_owned)
    .to_vec();
    let model = fitted(&texts, &[0, 0, 1, 1], 2);
    let p = model.probabilities(&Message::of("my parcel"), &[]);
    assert!(p[0] > 0.5);
    let messages: Vec<Message<'_>> = texts.iter().map(|text| Message::of(text)).collect();
    let fit = |labels: &[u32], classes| {
        Classifier::fit(
            &recipe(&ALL),
            &messages,
            labels,
            classes,
            None,
            &Control::unbounded(),
        )
    };
    for (labels, classes) in [(&[0, 0, 0, 0][..], 1), (&[0, 1, 2, 1], 2), (&[0, 1], 2)] {
        assert!(matches!(fit(labels, classes), Err(FitError::Invalid(_))));
    }
    // Texts without a feature: nothing to learn, nothing that breaks.
    let empty = vec![String::new(); 4];
    let p = fitted(&empty, &[0, 0, 1, 1], 2).probabilities(&Message::of("x"), &[]);
    assert!(p.iter().all(|p| p.is_finite()));
}

#[test]
fn a_recipe_is_named_by_its_kinds_of_members() {
    let members = [
        (Member::Bayes(1.0), 1.0),
        (Member::Nearest(2.0), 0.3),
        (Member::Nearest(4.0), 0.6),
    ];
    assert_eq!(recipe(&members).name(), "stack: nb-svm + neighbours");
    assert_eq!(recipe(&members[1..]).name(), "neighbours");
}

#[test]
fn a_subject_is_read_as_often_as_told() {
    let message = Message {
        subject: "Refund",
        body: "please",
    };
    assert_eq!(message.read(2), "Refund\nRefund\nplease");
    assert_eq!(message.read(1), "Refund\nplease");
    assert_eq!(Message::of("please").read(4), "please");
}

#[test]
fn seventeen_classes_make_two_blocks_and_agree_with_one_of_each() {
    // Class k has feature k, and everybody feature 20.
    let rows = Csr::from_rows(21, (0..68u32).map(|i| vec![(i % 17, 1.0), (20, 0.5)]));
    let labels: Vec<u32> = (0..68).map(|i| i % 17).collect();
    let model = Hinge::new(&rows, &labels, 17, None, SEED)
        .fit(1.0, 0.01, &Control::unbounded())
        .unwrap();
    for class in [0u32, 15, 16] {
        let scores = model.scores(&[class, 20], &[1.0, 0.5]);
        assert!(scores[class as usize] > 0.0);
        assert!(
            scores
                .iter()
                .enumerate()
                .all(|(k, &s)| k == class as usize || s < 0.0),
            "{scores:?}"
        );
        // By symmetry every class has the same score about its own rows.
        assert!((scores[class as usize] - model.scores(&[0, 20], &[1.0, 0.5])[0]).abs() < 0.05);
    }
}
