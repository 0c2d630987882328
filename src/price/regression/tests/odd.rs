//! Dependent columns, many rows, and input that makes no regression.

use super::*;

#[test]
fn dependent_columns_are_dropped_by_name() {
    let sum: Vec<f64> = (0..16)
        .map(|i| 3.0 * column(1)[i] - column(2)[i] / 7.0 + 5.0)
        .collect();
    let design = Design::new()
        .with_intercept(16)
        .with("GNP", column(1))
        .with("again", column(1))
        .with("Unemployed", column(2))
        .with("sum", sum)
        .with("Year", column(5));
    let fitted = plain(&design);
    let dropped: Vec<&str> = fitted.dropped.iter().map(|&j| fitted.names[j].as_str()).collect();
    assert_eq!(dropped, ["again", "sum"]);
    let expected = plain(&small().with("Year", column(5)));
    close(
        &[0, 1, 3, 5].map(|j: usize| fitted.coefficients[j]),
        &expected.coefficients,
        1e-8,
    );
    assert_eq!(fitted.coefficient("again"), None);
    assert_eq!(fitted.coefficients[2], 0.0);
    let covariance = fitted.covariance(Errors::Hc0).unwrap();
    assert_eq!(covariance.std_errors()[4], 0.0);
    assert_eq!(fitted.variance_inflation()[4], None);
    // What is constant inside every group goes with the groups' means.
    let groups: Vec<u32> = (0..16).map(|i| i / 4).collect();
    let era: Vec<f64> = groups.iter().map(|&g| 0.1 + f64::from(g) / 3.0).collect();
    let options = Options {
        groups: Some(&groups),
        ..Options::default()
    };
    let design = small().with("era", era);
    let fitted = fit(&design, &column(6), &options, &Control::unbounded()).unwrap();
    assert_eq!(fitted.dropped, [0, 3]);
}

#[test]
fn many_rows_in_blocks_are_as_exact_as_few() {
    // y = 1 + 2 a - 3 b exactly, in 1,000 rows over several blocks, some of them missing.
    let n = 1000;
    let a: Vec<f64> = (0..n).map(|i| f64::from(i) * 0.37 % 11.0).collect();
    let b: Vec<f64> = (0..n).map(|i| (f64::from(i) * 1.7).sin() * 1e6).collect();
    let mut y: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 1.0 + 2.0 * a - 3.0 * b).collect();
    y[17] = f64::NAN;
    let design = Design::new().with_intercept(1000).with("a", a).with("b", b);
    let fitted = fit(&design, &y, &Options::default(), &Control::unbounded()).unwrap();
    close(&fitted.coefficients, &[1.0, 2.0, -3.0], 1e-9);
    assert_eq!(
        (fitted.observations, fitted.left_out, fitted.rows[17]),
        (999, 1, 18)
    );
    let leverage: f64 = fitted.leverages().iter().sum();
    assert!((leverage - 3.0).abs() < 1e-9);
}

#[test]
fn odd_input_has_an_answer_or_a_reason() {
    let control = Control::unbounded();
    let options = Options::default();
    let one = Design::new().with_intercept(1);
    let single = fit(&one, &[4.0], &options, &control).unwrap();
    assert_eq!(
        (single.coefficients[0], single.sigma2, single.r2),
        (4.0, 0.0, 0.0)
    );
    assert!(
        single.covariance(Errors::Classical).is_none(),
        "nothing left to judge by"
    );
    let constant = fit(&Design::new().with_intercept(9), &[5.0; 9], &options, &control).unwrap();
    assert_eq!((constant.coefficients[0], constant.squares), (5.0, 0.0));
    assert!(constant.covariance(Errors::Hc3).unwrap().at(0, 0) == 0.0);
    // More columns than rows: the first ones explain everything.
    let wide = fit(&longley_rows(3), &column(6)[..3], &options, &control).unwrap();
    assert_eq!((wide.dropped.len(), wide.sigma2), (4, 0.0));
    let huge = Design::new()
        .with_intercept(3)
        .with("x", vec![1e300, 2e300, 4e300]);
    let fitted = fit(&huge, &[1.0, 2.0, 4.0], &options, &control).unwrap();
    close(&[fitted.coefficients[1]], &[1e-300], 1e-9);
    let beyond = fit(&huge, &[1e200, 2e200, -4e200], &options, &control);
    assert!(matches!(beyond, Err(FitError::Invalid(_))), "{beyond:?}");
    let bad = |design: &Design, y: &[f64], options: &Options<'_>| {
        matches!(fit(design, y, options, &control), Err(FitError::Invalid(_)))
    };
    assert!(bad(&Design::new(), &[1.0], &options));
    assert!(bad(&one, &[], &options));
    assert!(bad(&one, &[f64::NAN], &options));
    assert!(bad(&one, &[f64::INFINITY], &options));
    assert!(bad(
        &one,
        &[1.0],
        &Options {
            weights: Some(&[-1.0]),
            ..options
        }
    ));
    assert!(bad(
        &one,
        &[1.0],
        &Options {
            weights: Some(&[0.0]),
            ..options
        }
    ));
}

fn longley_rows(n: usize) -> Design {
    let whole = longley();
    let mut design = Design::new();
    for (name, column) in whole.names.iter().zip(&whole.columns) {
        design.push(name.clone(), column[..n].to_vec());
    }
    design
}
