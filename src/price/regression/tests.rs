//! Regressions against published and recomputed numbers.

mod juice;
mod odd;

use super::*;

/// Longley, JASA 62 (1967): deflator, GNP, unemployed, armed forces, population, year, employed; 1947 to 1962.
const LONGLEY: [[f64; 7]; 16] = [
    [83.0, 234.289, 235.6, 159.0, 107.608, 1947.0, 60.323],
    [88.5, 259.426, 232.5, 145.6, 108.632, 1948.0, 61.122],
    [88.2, 258.054, 368.2, 161.6, 109.773, 1949.0, 60.171],
    [89.5, 284.599, 335.1, 165.0, 110.929, 1950.0, 61.187],
    [96.2, 328.975, 209.9, 309.9, 112.075, 1951.0, 63.221],
    [98.1, 346.999, 193.2, 359.4, 113.270, 1952.0, 63.639],
    [99.0, 365.385, 187.0, 354.7, 115.094, 1953.0, 64.989],
    [100.0, 363.112, 357.8, 335.0, 116.219, 1954.0, 63.761],
    [101.2, 397.469, 290.4, 304.8, 117.388, 1955.0, 66.019],
    [104.6, 419.180, 282.2, 285.7, 118.734, 1956.0, 67.857],
    [108.4, 442.769, 293.6, 279.8, 120.445, 1957.0, 68.169],
    [110.8, 444.546, 468.1, 263.7, 121.950, 1958.0, 66.513],
    [112.6, 482.704, 381.3, 255.2, 123.366, 1959.0, 68.655],
    [114.2, 502.601, 393.1, 251.4, 125.368, 1960.0, 69.564],
    [115.7, 518.173, 480.6, 257.2, 127.852, 1961.0, 69.331],
    [116.9, 554.894, 400.7, 282.7, 130.081, 1962.0, 70.551],
];

fn column(j: usize) -> Vec<f64> {
    LONGLEY.iter().map(|row| row[j]).collect()
}

fn longley() -> Design {
    let names = [
        "GNP.deflator",
        "GNP",
        "Unemployed",
        "Armed.Forces",
        "Population",
        "Year",
    ];
    let mut design = Design::new().with_intercept(16);
    for (j, name) in names.into_iter().enumerate() {
        design.push(name, column(j));
    }
    design
}

/// Intercept, GNP and unemployment alone.
fn small() -> Design {
    Design::new()
        .with_intercept(16)
        .with("GNP", column(1))
        .with("Unemployed", column(2))
}

/// Two years in each.
fn pairs() -> Vec<u32> {
    (0..16).map(|i| i / 2).collect()
}

fn plain(design: &Design) -> Regression {
    fit(design, &column(6), &Options::default(), &Control::unbounded()).unwrap()
}

fn close(ours: &[f64], theirs: &[f64], digits: f64) {
    assert_eq!(ours.len(), theirs.len());
    for (a, b) in ours.iter().zip(theirs) {
        assert!((a / b - 1.0).abs() < digits, "{ours:?} against {theirs:?}");
    }
}

/// R 4.2.2, lm(Employed ~ ., longley).
#[test]
fn longley_comes_out_to_nine_digits() {
    let fitted = plain(&longley());
    close(
        &fitted.coefficients,
        &[
            -3482.2586345958,
            0.015061872271373,
            -0.035819179292591,
            -0.020202298038168,
            -0.010332268671736,
            -0.051104105653579,
            1.8291514646136,
        ],
        2e-10,
    );
    close(
        &fitted.covariance(Errors::Classical).unwrap().std_errors(),
        &[
            890.4203836,
            0.08491492577,
            0.03349100777,
            0.004883996817,
            0.002142741632,
            0.2260732001,
            0.4554784991,
        ],
        2e-9,
    );
    close(
        &[fitted.r2, fitted.sigma2.sqrt()],
        &[0.995479004577, 0.304854073562],
        2e-11,
    );
    assert_eq!(
        (fitted.observations, fitted.left_out, fitted.degrees()),
        (16, 0, 9.0)
    );
    assert!(fitted.dropped.is_empty());
}

/// statsmodels 0.14, OLS(...).fit().get_robustcov_results(kind).
#[test]
fn sandwich_errors_are_those_of_statsmodels() {
    let whole = plain(&longley());
    let hc3 = [
        1.799477200741e+03,
        9.111938571603e-02,
        5.562398738309e-02,
        8.221334878883e-03,
        2.987892530104e-03,
        3.249058165907e-01,
        9.228078264967e-01,
    ];
    close(&whole.covariance(Errors::Hc3).unwrap().std_errors(), &hc3, 1e-7);
    let fitted = plain(&small());
    let pairs = pairs();
    for (kind, expected) in [
        (Errors::Hc0, [0.42502117895, 0.001326032699, 0.001490341837]),
        (Errors::Hc1, [0.471518662726, 0.001471101197, 0.001653385818]),
        (Errors::Hc2, [0.479080472161, 0.001471230798, 0.001633880771]),
        (Errors::Hc3, [0.54058251765, 0.00163749047, 0.001794121235]),
        (
            Errors::Clustered(&pairs),
            [0.617353265038, 0.001625538642, 0.002057089851],
        ),
    ] {
        close(&fitted.covariance(kind).unwrap().std_errors(), &expected, 1e-8);
    }
    assert_eq!(
        fitted.covariance(Errors::Clustered(&pairs)).unwrap().clusters,
        Some(8)
    );
    assert!(
        fitted.covariance(Errors::Clustered(&[7; 16])).is_none(),
        "one cluster"
    );
}

/// statsmodels' variance_inflation_factor.
#[test]
fn variance_inflation_names_the_collinear() {
    let inflation = plain(&longley()).variance_inflation();
    assert_eq!(inflation[0], None);
    let ours: Vec<f64> = inflation[1..].iter().map(|v| v.unwrap()).collect();
    close(
        &ours,
        &[
            135.53243828,
            1788.51348272,
            33.6188905960,
            3.58893019345,
            399.151022313,
            758.980597407,
        ],
        1e-9,
    );
}

/// statsmodels 0.14, WLS with weights 0.5^(age / 5), with and without a dummy per i % 4; get_prediction.
#[test]
fn weights_and_group_effects_are_those_of_dummies() {
    let weights: Vec<f64> = (0..16)
        .map(|i| 0.5f64.powf((15.0 - f64::from(i)) / 5.0))
        .collect();
    let groups: Vec<u32> = (0..16).map(|i| i % 4).collect();
    let pairs = pairs();
    let run = |design: &Design, options: Options<'_>| {
        fit(design, &column(6), &options, &Control::unbounded()).unwrap()
    };
    let weighted = Options {
        weights: Some(&weights),
        ..Options::default()
    };
    let fitted = run(&small(), weighted);
    close(
        &fitted.coefficients,
        &[5.273968018067e+01, 3.749989015738e-02, -6.038890504258e-03],
        1e-11,
    );
    close(
        &[fitted.r2, fitted.sigma2],
        &[0.9741411268065304, 0.1201289853245849],
        1e-11,
    );
    let classical = fitted.covariance(Errors::Classical).unwrap();
    close(
        &classical.std_errors(),
        &[0.698663574292, 0.002052057481, 0.00201656203],
        1e-8,
    );
    let at = [1.0, 560.0, 400.0];
    assert!((fitted.predict(&at) - 71.324062467094).abs() < 1e-9);
    let (mean, new) = fitted.prediction_variance(&at, None, &classical);
    close(
        &[mean.sqrt(), new.sqrt()],
        &[0.232353314738, 0.417273349489],
        1e-9,
    );
    let hc3 = fitted.covariance(Errors::Hc3).unwrap().std_errors();
    close(&hc3, &[0.89925103315, 0.003036446558, 0.002110967608], 1e-8);

    let slopes = Design::new().with("GNP", column(1)).with("Unemployed", column(2));
    let fitted = run(
        &slopes,
        Options {
            groups: Some(&groups),
            ..weighted
        },
    );
    close(
        &fitted.coefficients,
        &[3.698776307684e-02, -4.355238787970e-03],
        1e-10,
    );
    close(
        &[fitted.r2, fitted.sigma2],
        &[0.9839760813537727, 0.0967721290692373],
        1e-10,
    );
    let effects: Vec<f64> = fitted.effects().map(|(_, effect)| effect).collect();
    let expected = [
        5.243681049987e+01,
        5.275443484952e+01,
        5.248323957029e+01,
        5.191419970283e+01,
    ];
    close(&effects, &expected, 1e-10);
    assert_eq!(fitted.effect(9), None);
    for (kind, expected) in [
        (Errors::Classical, [0.001861808116, 0.001978677739]),
        (Errors::Hc3, [0.002214569973, 0.003095407215]),
        (
            Errors::Clustered(&pairs),
            [6.578704146981e-04, 1.674556224509e-03],
        ),
    ] {
        close(&fitted.covariance(kind).unwrap().std_errors(), &expected, 1e-7);
    }
    let at = [560.0, 400.0];
    assert!((fitted.predict(&at) + fitted.effect(1).unwrap() - 71.725486657362).abs() < 1e-8);
    let classical = fitted.covariance(Errors::Classical).unwrap();
    let (mean, new) = fitted.prediction_variance(&at, Some(1), &classical);
    close(
        &[mean.sqrt(), new.sqrt()],
        &[0.304911326314, 0.435595048163],
        1e-8,
    );
}

/// numpy: solve(X'X + L, X'y + L t) and the trace of the hat matrix.
#[test]
fn shrinkage_pulls_towards_its_target() {
    let shrinkage = Shrinkage {
        toward: vec![0.0, 0.02, -0.02],
        penalty: vec![0.0, 50.0, 80.0],
    };
    let options = Options {
        shrinkage: Some(&shrinkage),
        ..Options::default()
    };
    let run = |shrinkage: &Shrinkage| {
        let options = Options {
            shrinkage: Some(shrinkage),
            ..options
        };
        fit(&small(), &column(6), &options, &Control::unbounded()).unwrap()
    };
    let fitted = run(&shrinkage);
    close(
        &fitted.coefficients,
        &[5.238528431881e+01, 3.783880195154e-02, -5.443653611400e-03],
        1e-10,
    );
    assert!((fitted.parameters - 2.998508092915863).abs() < 1e-9);
    let hard = run(&Shrinkage {
        penalty: vec![0.0, 1e15, 1e15],
        ..shrinkage.clone()
    });
    close(&hard.coefficients[1..], &[0.02, -0.02], 1e-6);
    assert!((hard.parameters - 1.0).abs() < 1e-6, "{}", hard.parameters);
    // A column of zeros is undecided; with a penalty it is its target.
    let design = small().with("never", vec![0.0; 16]);
    assert_eq!(plain(&design).dropped, [3]);
    let pulled = fit(
        &design,
        &column(6),
        &Options {
            shrinkage: Some(&Shrinkage {
                toward: vec![0.0, 0.0, 0.0, -2.5],
                penalty: vec![0.0, 0.0, 0.0, 1e-3],
            }),
            ..Options::default()
        },
        &Control::unbounded(),
    )
    .unwrap();
    assert!(pulled.dropped.is_empty());
    assert!(
        (pulled.coefficients[3] + 2.5).abs() < 1e-9,
        "{:?}",
        pulled.coefficients
    );
}
