//! The search for an order beside R's.

use super::*;

/// R 4.2.2, forecast 8.20: auto.arima's AICc; the search may find a better one. (For log AirPassengers R's likelihood is
/// 0.003 above the exact one.)
#[test]
fn the_search_is_as_good_as_auto_arima() {
    let airline = AIR_PASSENGERS.map(f64::ln);
    for (season, values, order, aicc) in [
        (1, &LH[..], Some("ARIMA(1,0,0)"), 65.303779),
        (1, &NILE, Some("ARIMA(1,1,1)"), 1267.5074),
        (1, &LAKE_HURON, None, 220.25786),
        (1, &WWW_USAGE, Some("ARIMA(1,1,1)"), 514.5521),
        (12, &US_ACC_DEATHS, Some("ARIMA(0,1,1)(0,1,1)[12]"), 857.31635),
        (12, &AIR_PASSENGERS, Some("ARIMA(2,1,1)(0,1,0)[12]"), 1018.1652),
        (12, &NOTTEM, None, 1049.6211),
        (12, &airline, Some("ARIMA(0,1,1)(0,1,1)[12]"), -483.21008),
    ] {
        let fitted = AutoArima::new(season)
            .find(values, &Drivers::default(), &Control::unbounded())
            .unwrap();
        assert!(
            fitted.aicc() < aicc + 0.01,
            "{}: {}",
            fitted.model.order,
            fitted.aicc()
        );
        if let Some(order) = order {
            assert_eq!(fitted.model.order.to_string(), order);
        }
    }
}
