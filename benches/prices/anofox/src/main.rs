//! anofox-forecast on the series of the comparison: CPU milliseconds of fit and forecast, the median of some runs per
//! series. Usage: nightclerk-anofox TASKS RUNS. One JSON line per series: task, program, ms.

use anofox_forecast::core::TimeSeries;
use anofox_forecast::models::arima::{ARIMA, AutoARIMA, AutoARIMAConfig, SARIMA};
use anofox_forecast::models::garch::GARCH;
use anofox_forecast::models::Forecaster;
use chrono::{Duration, TimeZone, Utc};
use cpu_time::ThreadTime;
use serde_json::{Value, json};

fn fit(task: &Value, series: &TimeSeries) -> Result<(), String> {
    let horizon = task["horizon"].as_u64().unwrap() as usize;
    let season = task["season"].as_u64().unwrap() as usize;
    let number = |key: &str, i: usize| task[key][i].as_u64().unwrap() as usize;
    if season == 0 {
        let mut model = GARCH::new(1, 1);
        model.fit(series).map_err(|error| error.to_string())?;
        return model.forecast_variance(horizon).map(|_| ()).map_err(|error| error.to_string());
    }
    let mut model: Box<dyn Forecaster> = if task["order"].is_null() {
        let mut config = AutoARIMAConfig::default();
        if season > 1 {
            config = config.with_seasonal_period(season);
        }
        Box::new(AutoARIMA::with_config(config))
    } else {
        let (p, d, q) = (number("order", 0), number("order", 1), number("order", 2));
        if season > 1 {
            let (sp, sd, sq) = (number("seasonal", 0), number("seasonal", 1), number("seasonal", 2));
            Box::new(SARIMA::new(p, d, q, sp, sd, sq, season))
        } else {
            Box::new(ARIMA::new(p, d, q))
        }
    };
    model.fit(series).map_err(|error| error.to_string())?;
    model
        .predict_with_intervals(horizon, 0.95)
        .map(|_| ())
        .map_err(|error| error.to_string())
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let runs: usize = arguments[2].parse().unwrap();
    for line in std::fs::read_to_string(&arguments[1]).unwrap().lines() {
        let task: Value = serde_json::from_str(line).unwrap();
        let values: Vec<f64> = task["values"].as_array().unwrap().iter().map(|v| v.as_f64().unwrap()).collect();
        let begin = Utc.with_ymd_and_hms(2020, 1, 1, 0, 0, 0).unwrap();
        let times = (0..values.len()).map(|i| begin + Duration::days(i as i64)).collect();
        let series = TimeSeries::univariate(times, values).unwrap();
        // Automatic orders take seconds: once is enough.
        let auto = task["order"].is_null() && task["season"] != 0;
        let mut spent = Vec::new();
        let mut failed = None;
        for _ in 0..if auto { 1 } else { runs } {
            let start = ThreadTime::now();
            if let Err(error) = fit(&task, &series) {
                failed = Some(error);
                break;
            }
            spent.push(start.elapsed().as_secs_f64() * 1e3);
        }
        spent.sort_by(f64::total_cmp);
        let ms = if failed.is_none() { spent.get(spent.len() / 2).copied() } else { None };
        println!("{}", json!({"task": task["task"], "program": "anofox", "ms": ms, "failed": failed}));
    }
}
