//! Estimates, forecasts and their errors beside R's.

mod search;
mod series;

use super::super::model::{Drivers, Predict};
use super::*;
use series::*;
pub(in crate::price) use series::{AIR_PASSENGERS, NILE};

struct Reference {
    model: Arima,
    values: Vec<f64>,
    coefficients: &'static [f64],
    effects: &'static [f64],
    sigma2: f64,
    log_likelihood: f64,
    forecast: &'static [f64],
    spread: &'static [f64],
    std_errors: &'static [f64],
}

fn of(order: Order, constant: bool) -> Arima {
    Arima { order, constant }
}

/// R 4.2.2: arima(..., method = "ML", optim.control = list(reltol = 1e-14)) and predict().
fn references() -> Vec<Reference> {
    let airline = Order::new(0, 1, 1).seasonal(0, 1, 1, 12);
    vec![
        Reference {
            model: of(Order::new(1, 0, 0), true),
            values: LH.to_vec(),
            coefficients: &[0.573924519],
            effects: &[2.41328537],
            sigma2: 0.1974895507,
            log_likelihood: -29.37916239,
            std_errors: &[0.1161388939, 0.1466117787],
            forecast: &[
                2.69262283,
                2.573603987,
                2.505296155,
                2.466092616,
                2.443592743,
                2.430679514,
            ],
            spread: &[
                0.4443979643,
                0.5123870667,
                0.5328861026,
                0.539467751,
                0.5416181653,
                0.542324622,
            ],
        },
        Reference {
            model: of(Order::new(3, 0, 0), true),
            values: LH.to_vec(),
            coefficients: &[0.6448020101, -0.06338220709, -0.2197965765],
            effects: &[2.393119329],
            sigma2: 0.178660315,
            log_likelihood: -27.09241106,
            std_errors: &[0.1393560617, 0.1667661736, 0.1421100158, 0.09626062992],
            forecast: &[
                2.460182643,
                2.270844379,
                2.198614938,
                2.260712276,
                2.346946728,
                2.414490793,
            ],
            spread: &[
                0.4226822861,
                0.5029332446,
                0.5245258164,
                0.5247162862,
                0.5305499833,
                0.5369158573,
            ],
        },
        Reference {
            model: of(airline, false),
            values: AIR_PASSENGERS.map(f64::ln).to_vec(),
            coefficients: &[-0.4018279014, -0.5569448397],
            effects: &[],
            sigma2: 0.00134803482,
            log_likelihood: 244.6995306,
            std_errors: &[0.08964388433, 0.07309965608],
            forecast: &[
                6.110185741,
                6.053775269,
                6.171714854,
                6.199300446,
                6.232555977,
                6.368778673,
                6.50729378,
                6.502906414,
                6.324698243,
                6.20900803,
                6.063487432,
                6.16802488,
                6.206434989,
                6.150024517,
                6.267964102,
                6.295549694,
                6.328805225,
                6.465027921,
                6.603543028,
                6.599155662,
                6.420947491,
                6.305257278,
                6.15973668,
                6.264274128,
            ],
            spread: &[
                0.03671562248,
                0.04278290952,
                0.04809072427,
                0.05286830974,
                0.05724856844,
                0.06131671062,
                0.06513124761,
                0.06873441517,
                0.07215788413,
                0.07542612714,
                0.07855852003,
                0.08157071461,
                0.09008476217,
                0.09549709026,
                0.1006187066,
                0.1054919617,
                0.1101498246,
                0.1146185576,
                0.1189194837,
                0.1230701974,
                0.1270854176,
                0.1309776058,
                0.1347574232,
                0.1384340745,
            ],
        },
        Reference {
            model: of(airline, false),
            values: US_ACC_DEATHS.to_vec(),
            coefficients: &[-0.430267999, -0.5527910487],
            effects: &[],
            sigma2: 99346.89917,
            log_likelihood: -425.4399936,
            std_errors: &[0.1228028427, 0.178373126],
            forecast: &[
                8336.061534,
                7531.829358,
                8314.644003,
                8616.869065,
                9488.912844,
                9859.757633,
            ],
            spread: &[
                315.4481071,
                363.00581,
                405.0171944,
                443.0627917,
                478.0903126,
                510.7211142,
            ],
        },
        Reference {
            model: of(Order::new(0, 1, 1), false),
            values: NILE.to_vec(),
            coefficients: &[-0.732941562],
            effects: &[],
            sigma2: 20599.86748,
            log_likelihood: -632.5456244,
            std_errors: &[0.1143206906],
            forecast: &[798.3669921; 6],
            spread: &[
                143.5265393,
                148.5565695,
                153.4217755,
                158.1373708,
                162.7163634,
                167.1699787,
            ],
        },
        Reference {
            model: of(Order::new(1, 1, 1), false),
            values: NILE.to_vec(),
            coefficients: &[0.254369929, -0.8741309929],
            effects: &[],
            sigma2: 19769.29452,
            log_likelihood: -630.6273818,
            std_errors: &[0.1193977569, 0.06048630815],
            forecast: &[
                816.1800576,
                835.5579734,
                840.4871325,
                841.7409624,
                842.059899,
                842.1410268,
            ],
            spread: &[
                140.6033233,
                150.424638,
                153.6459255,
                155.7736637,
                157.6459792,
                159.4413154,
            ],
        },
        Reference {
            model: of(Order::new(1, 0, 0), true),
            values: NILE.to_vec(),
            coefficients: &[0.5062701551],
            effects: &[919.5640307],
            sigma2: 21124.83843,
            log_likelihood: -639.9521587,
            std_errors: &[0.0866531006, 29.14073802],
            forecast: &[
                828.656121,
                873.5400692,
                896.2634725,
                907.7676535,
                913.591877,
                916.5405075,
            ],
            spread: &[
                145.3438627,
                162.9089763,
                167.1140964,
                168.1749805,
                168.4458194,
                168.5151679,
            ],
        },
        Reference {
            model: of(Order::new(3, 1, 0), false),
            values: WWW_USAGE.to_vec(),
            coefficients: &[1.151343788, -0.6612277173, 0.3407115396],
            effects: &[],
            sigma2: 9.363337802,
            log_likelihood: -251.996992,
            std_errors: &[0.09498448386, 0.1352623531, 0.09414554319],
            forecast: &[
                219.6608002,
                219.2298739,
                218.2765948,
                217.348414,
                216.7632718,
                216.3785176,
            ],
            spread: &[
                3.059957157,
                7.259441284,
                11.26650086,
                14.84703609,
                18.32362808,
                21.88455972,
            ],
        },
        Reference {
            model: of(Order::new(3, 0, 0), true),
            values: PRESIDENTS.to_vec(),
            coefficients: &[0.7495947613, 0.2522330462, -0.1890343002],
            effects: &[56.21674644],
            sigma2: 81.11812638,
            log_likelihood: -414.0819304,
            std_errors: &[0.09358749801, 0.1140148331, 0.09460794754, 4.283642031],
            forecast: &[
                29.84214981,
                34.410429,
                39.30837039,
                43.02774587,
                46.18763147,
                48.56853564,
            ],
            spread: &[
                9.006560186,
                11.25601073,
                13.43364727,
                14.51471201,
                15.25472421,
                15.65527201,
            ],
        },
        Reference {
            model: of(Order::new(1, 0, 0).seasonal(2, 1, 0, 12), false),
            values: NOTTEM.to_vec(),
            coefficients: &[0.2855989043, -0.8597970089, -0.2962962615],
            effects: &[],
            sigma2: 5.701894534,
            log_likelihood: -526.5923486,
            std_errors: &[0.06415323962, 0.0638948858, 0.0666908172],
            forecast: &[
                41.09668627,
                41.03025592,
                43.95642682,
                46.99969948,
                52.90210968,
                58.74082327,
                60.28742655,
                61.01106182,
                56.9608256,
                50.19844426,
                45.73545947,
                38.38149342,
            ],
            spread: &[
                2.387864011,
                2.483340381,
                2.490966661,
                2.491587682,
                2.49163833,
                2.491642461,
                2.491642798,
                2.491642826,
                2.491642828,
                2.491642828,
                2.491642828,
                2.491642828,
            ],
        },
    ]
}

fn worst(ours: &[f64], theirs: &[f64]) -> f64 {
    assert_eq!(ours.len(), theirs.len());
    ours.iter()
        .zip(theirs)
        .map(|(a, b)| (a / b - 1.0).abs())
        .fold(0.0, f64::max)
}

#[test]
fn estimates_and_forecasts_are_those_of_r() {
    for reference in references() {
        let name = reference.model.order;
        let none = Drivers::default();
        let fitted = reference
            .model
            .estimate(&reference.values, &none, &Control::unbounded())
            .unwrap();
        assert!(
            worst(&fitted.coefficients, reference.coefficients) < 2e-4,
            "{name}: {fitted:?}"
        );
        assert!(
            worst(&fitted.effects, reference.effects) < 1e-6,
            "{name}: {fitted:?}"
        );
        assert!(
            (fitted.sigma2 / reference.sigma2 - 1.0).abs() < 1e-4,
            "{name}: {fitted:?}"
        );
        let spread: Vec<f64> = fitted
            .forecast(reference.spread.len())
            .variance
            .iter()
            .map(|v| v.sqrt())
            .collect();
        assert!(worst(&spread, reference.spread) < 5e-5, "{name}: {spread:?}");
        assert!(
            worst(
                &fitted.forecast(reference.forecast.len()).price,
                reference.forecast
            ) < 5e-6,
            "{name}"
        );
        let errors = fitted.std_errors(&reference.values, &none).unwrap();
        // R's come by way of a Jacobian of forward differences of step 1e-3 (ARIMA_Gradtrans).
        assert!(worst(&errors, reference.std_errors) < 6e-4, "{name}: {errors:?}");
        // R starts d > 0 from a prior of variance 1e6 instead of infinity.
        let gap = fitted.log_likelihood - reference.log_likelihood;
        assert!(
            gap.abs() < if name.lost() > 0 { 4e-3 } else { 1e-7 },
            "{name}: {gap}"
        );
    }
}
