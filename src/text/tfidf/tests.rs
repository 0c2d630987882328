//! TF-IDF against its formula, its limits and its stored form.

use super::*;

const TEXTS: [&str; 4] = ["the card was lost", "the card the card", "我的卡丢了", ""];

fn column(model: &TfIdf, feature: &str) -> usize {
    (0..model.vocabulary_len())
        .find(|&c| model.feature(c) == feature)
        .unwrap()
}

fn value(matrix: &Csr, row: usize, column: usize) -> f32 {
    let (columns, values) = matrix.row(row);
    columns
        .iter()
        .position(|&c| c as usize == column)
        .map_or(0.0, |i| values[i])
}

/// By hand, with the formulas of the module's essay: "the card the card" has the=2, card=2, "the card"=2,
/// "card the"=1; N = 4, df = 2, 2, 2, 1.
#[test]
fn weights_follow_the_formula() {
    let (model, matrix) = TfIdf::fit(&TEXTS, &TfIdfOptions::default());
    let twice = (1.0 + 2f64.ln()) * ((5.0 / 3.0f64).ln() + 1.0);
    let once = (5.0 / 2.0f64).ln() + 1.0;
    let length = (3.0 * twice * twice + once * once).sqrt();
    assert!((f64::from(value(&matrix, 1, column(&model, "the card"))) - twice / length).abs() < 1e-6);
    assert!((f64::from(value(&matrix, 1, column(&model, "card the"))) - once / length).abs() < 1e-6);
    assert!((matrix.dot(0, 0) - 1.0).abs() < 1e-6);
    assert_eq!(matrix.row(3).0.len(), 0);
    assert_eq!(model.document_frequency(column(&model, "丢了")), 1);
}

#[test]
fn the_literal_weighting_is_literal() {
    let options = TfIdfOptions {
        weighting: Weighting::Literal,
        ..Default::default()
    };
    let (model, matrix) = TfIdf::fit(&TEXTS, &options);
    assert!((value(&matrix, 1, column(&model, "card")) - 2.0 * 2f32.ln()).abs() < 1e-6);
    assert!((value(&matrix, 1, column(&model, "card the")) - 4f32.ln()).abs() < 1e-6);
}

#[test]
fn both_blocks_weigh_half() {
    let options = TfIdfOptions {
        features: Features::WordsAndCharacters,
        ..Default::default()
    };
    let (model, matrix) = TfIdf::fit(&TEXTS, &options);
    let (columns, values) = matrix.row(0);
    let words: f32 = columns
        .iter()
        .zip(values)
        .filter(|(c, _)| (**c as usize) < model.split)
        .map(|(_, v)| v * v)
        .sum();
    assert!((words - 0.5).abs() < 1e-6 && (matrix.dot(0, 0) - 1.0).abs() < 1e-6);
    assert!((0..model.split).all(|c| c == 0 || model.feature(c - 1) < model.feature(c)));
}

#[test]
fn limits_keep_the_frequent() {
    let options = TfIdfOptions {
        max_features: Some(3),
        ..Default::default()
    };
    let (model, _) = TfIdf::fit(&TEXTS, &options);
    let kept: Vec<_> = (0..3).map(|c| model.feature(c)).collect();
    assert_eq!(kept, ["card", "the", "the card"]);
    let (model, _) = TfIdf::fit(
        &TEXTS,
        &TfIdfOptions {
            min_df: 2,
            ..Default::default()
        },
    );
    assert_eq!(model.vocabulary_len(), 3);
    let none: [&str; 0] = [];
    let (model, matrix) = TfIdf::fit(&none, &TfIdfOptions::default());
    assert_eq!((model.vocabulary_len(), matrix.rows), (0, 0));
    assert_eq!(model.transform(&["x"]).row(0).0.len(), 0);
}

#[test]
fn transforming_the_fitted_texts_gives_their_matrix_also_after_storing() {
    let mut random = fastrand::Rng::with_seed(5);
    let words = [
        "card",
        "lost",
        "退款",
        "我的订单",
        "naïve",
        "x-1",
        "the",
        "快递到了",
    ];
    let texts: Vec<String> = (0..700)
        .map(|_| {
            (0..random.usize(..9))
                .map(|_| words[random.usize(..words.len())])
                .collect::<Vec<_>>()
                .join(" ")
        })
        .collect();
    for features in [Features::Search, Features::Words, Features::WordsAndCharacters] {
        let options = TfIdfOptions {
            features,
            min_df: 2,
            ..Default::default()
        };
        let (model, matrix) = TfIdf::fit(&texts, &options);
        assert_eq!(model.transform(&texts), matrix);
        let stored = postcard::to_stdvec(&model).unwrap();
        let back: TfIdf = postcard::from_bytes(&stored).unwrap();
        assert_eq!(back.transform(&texts), matrix);
        assert!(postcard::from_bytes::<TfIdf>(&stored[..stored.len() - 1]).is_err());

        // The same whatever the number of threads and the order of the texts.
        let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(pool.install(|| TfIdf::fit(&texts, &options)).1, matrix);
        let turned: Vec<&String> = texts.iter().rev().collect();
        let (_, reversed) = TfIdf::fit(&turned, &options);
        assert_eq!(reversed.row(0), matrix.row(matrix.rows - 1));
    }
}
