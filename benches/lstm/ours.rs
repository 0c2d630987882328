//! The network over all series by itself, and the combination with it and without, on M4 and M3. See README.md.

#![allow(missing_docs, clippy::print_stdout)]

use flate2::read::GzDecoder;
use nightclerk::fit::Control;
use nightclerk::price::backtest::{Plan, backtest};
use nightclerk::price::catalogue::POSTED;
use nightclerk::price::frequency::Frequency;
use nightclerk::price::lstm::Phases;
use nightclerk::price::lstm::night::{Lessons, Taught, Terms, covered, teach};
use nightclerk::price::lstm::seer::Networks;
use nightclerk::price::outlook::outlooks;
use nightclerk::price::series::Life;
use nightclerk::price::subject::{Groups, Source, Subject};
use std::error::Error;
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// One series: what was known, what then happened, and the unit of errors.
struct Known {
    past: Vec<f64>,
    future: Vec<f64>,
    unit: f64,
}

/// A data set as a source, with networks or without.
struct Set<'a> {
    series: &'a [Subject],
    groups: Groups,
    frequency: Frequency,
    taught: Option<&'a Taught>,
}

impl<'a> Set<'a> {
    fn of(series: &'a [Subject], frequency: Frequency, taught: Option<&'a Taught>) -> Set<'a> {
        Set {
            series,
            groups: Groups::new(&vec![(String::new(), String::new()); series.len()]),
            frequency,
            taught,
        }
    }
}

impl Source for Set<'_> {
    fn count(&self) -> usize {
        self.series.len()
    }
    fn subject(&self, s: usize) -> Subject {
        self.series[s].clone()
    }
    fn groups(&self) -> &Groups {
        &self.groups
    }
    fn frequency(&self) -> Frequency {
        self.frequency
    }
    fn networks(&self) -> Option<Networks<'_>> {
        self.taught.map(Taught::networks)
    }
}

/// CPU seconds of this process.
fn cpu() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 * 1e-9
}

fn read(path: &str, keep: &str, period: usize) -> Result<Vec<Known>, Box<dyn Error>> {
    let folder = PathBuf::from(std::env::var("NIGHTCLERK_DATA")?);
    let mut text = String::new();
    GzDecoder::new(File::open(folder.join(path))?).read_to_string(&mut text)?;
    let mut found = Vec::new();
    for line in text.lines() {
        let row: serde_json::Value = serde_json::from_str(line)?;
        if row["freq"] != keep {
            continue;
        }
        let numbers = |name: &str| -> Vec<f64> {
            let values = row[name].as_array().map_or(&[][..], Vec::as_slice);
            values.iter().filter_map(serde_json::Value::as_f64).collect()
        };
        let (past, future) = (numbers("train"), numbers("test"));
        let steps = (period..past.len()).map(|t| (past[t] - past[t - period]).abs());
        let unit = steps.sum::<f64>() / (past.len() - period) as f64;
        found.push(Known { past, future, unit });
    }
    Ok(found)
}

/// Mean scaled error and the share inside the bounds, of (low, price, high) at each step of each series.
fn score(known: &[Known], said: &[Vec<[f64; 3]>]) -> (f64, f64) {
    let (mut errors, mut inside, mut steps, mut series) = (0.0, 0.0, 0.0, 0.0);
    for (known, said) in known.iter().zip(said) {
        let pairs = || said.iter().zip(&known.future);
        let error: f64 = pairs().map(|(said, actual)| (said[1] - actual).abs()).sum();
        if known.unit > 0.0 {
            errors += error / said.len() as f64 / known.unit;
            series += 1.0;
        }
        inside += pairs()
            .filter(|(said, actual)| said[0] <= **actual && **actual <= said[2])
            .count() as f64;
        steps += said.len() as f64;
    }
    (errors / series, 100.0 * inside / steps)
}

fn compare(
    name: &str,
    known: &[Known],
    frequency: Frequency,
    horizon: usize,
    steps: u64,
) -> Result<(), Box<dyn Error>> {
    let longest = frequency.longest();
    let subjects: Vec<Subject> = known
        .iter()
        .map(|known| Subject {
            values: known.past[known.past.len().saturating_sub(longest)..].to_vec(),
            life: Life::Offered,
            promoted: None,
            plan: None,
            outside: Vec::new(),
            shelf: [0; 2],
        })
        .collect();
    let lengths: Vec<usize> = subjects.iter().map(|subject| subject.values.len()).collect();
    let plan = Plan::new(&lengths, subjects.len(), horizon);
    let instants: Vec<i64> = (0..longest as i64).map(|k| -k).collect();
    let control = Control::unbounded();
    let mut before = [None, None];
    for night in 1..=2 {
        let begun = cpu();
        let terms = Terms {
            steps,
            seed: 1,
            horizon,
            phases: Phases::default(),
            instants: &instants,
            before: std::mem::take(&mut before),
        };
        let taught = match teach(&Set::of(&subjects, frequency, None), &plan, terms, &control)? {
            Lessons::Taught(taught) => taught,
            Lessons::Skipped(why) => {
                println!("| {name} | no network: {why} |");
                return Ok(());
            }
        };
        let learned = cpu() - begun;
        before = taught.bytes().map(Some);
        let networks = taught.networks();
        let said: Vec<Vec<[f64; 3]>> = subjects
            .iter()
            .map(|subject| {
                let last = subject.values.last().copied().unwrap_or(f64::NAN);
                let said = networks.of(subject, true).quantiles(subject.values.len());
                said.unwrap_or_else(|| vec![[last; 3]; horizon])
            })
            .collect();
        let (mase, inside) = score(known, &said);
        let [within, all] = covered(
            &Set::of(&subjects, frequency, Some(&taught)),
            &taught,
            &plan,
            &control,
        )?;
        let judged = 100.0 * within as f64 / all.max(1) as f64;
        println!(
            "| {name} | network alone, night {night} | {mase:.4} | {inside:.1} (past nights {judged:.1}) | {learned:.1} | |"
        );
        if night == 2 {
            continue;
        }
        for networks in [None, Some(&*taught)] {
            let begun = cpu();
            let source = Set::of(&subjects, frequency, networks);
            let records = backtest(&source, &plan, &POSTED, &control)?;
            let found = outlooks(&source, &records, &plan, horizon, &control)?;
            let said: Vec<Vec<[f64; 3]>> = (0..subjects.len())
                .map(|s| {
                    found
                        .steps(s)
                        .map(|step| [step.low[2], step.price, step.high[2]])
                        .collect()
                })
                .collect();
            let (mase, inside) = score(known, &said);
            let verdict = found.admission.map_or_else(String::new, |admission| {
                let (with, without) = admission.means();
                let joined = if admission.joined {
                    "joined"
                } else {
                    "did not join"
                };
                format!("{joined}: past nights {with:.4} with it, {without:.4} without")
            });
            let which = if networks.is_some() {
                "with a network"
            } else {
                "without"
            };
            println!(
                "| {name} | as published, {which} | {mase:.4} | {inside:.1} | {:.1} | {verdict} |",
                cpu() - begun
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let steps = std::env::args().nth(1).map_or(Ok(4000), |steps| steps.parse())?;
    println!("| series | what | MASE | inside 10-90 % | CPU s | |\n|---|---|---|---|---|---|");
    let hourly = read("m4/m4-hourly.jsonl.gz", "hourly", 24)?;
    compare("M4 hourly", &hourly, Frequency::Hourly, 48, steps)?;
    let weekly = read("m4/m4-weekly.jsonl.gz", "weekly", 1)?;
    compare("M4 weekly", &weekly, Frequency::Weekly, 13, steps)?;
    let monthly = read("m3/m3.jsonl.gz", "monthly", 12)?;
    compare("M3 monthly", &monthly, Frequency::Monthly, 18, steps)
}
