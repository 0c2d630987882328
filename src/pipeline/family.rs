//! The shape of a family and the walk through its five steps.

use super::night::{Brief, Night, Stage};
use crate::store::{
    self, GenerationWriter, NewGeneration, Score, Snapshot, StoredCheckpoints, schema_version,
};
use anyhow::{Context, Result};

/// Recommendations, prices or support: five steps over its own types. Each step takes what the one before it made.
pub trait Family {
    /// The name in `generations.family`.
    const NAME: &'static str;
    /// Rows as read, owned.
    type Collected;
    /// Cleaned, indexed, cut by time.
    type Prepared;
    /// Candidate models.
    type Fitted;
    /// The chosen answers, ready to be written.
    type Judged;

    /// The newest instant of the family's inputs that is not after `now`; None = there are none.
    fn newest(&self, snapshot: &Snapshot, now: i64) -> Result<Option<i64>>;

    /// Whether products bought since the night are hidden at SELECT time.
    fn exclude_bought(&self) -> bool {
        false
    }

    /// Why a night that wrote no row must not replace one that did; None = for this family that is a fine answer.
    fn nothing_to_show(&self) -> Option<&'static str> {
        None
    }

    /// The family's options as text, where its nights depend on nothing but what they collect, these options, the instant,
    /// the seed and the program: then a night that would only say again what is published is skipped. None = never.
    fn repeats(&self) -> Option<String> {
        None
    }

    /// Models without which a published generation is not whole: an erasure may have taken them away.
    fn models(&self) -> &'static [&'static str] {
        &[]
    }

    /// Reads everything the family needs. The snapshot closes when this returns.
    fn collect(&self, snapshot: &Snapshot, night: &Night<'_>) -> Result<Self::Collected>;

    /// Cleans, counts drops ([`Night::drop_rows`]), maps ids to dense indices in text order.
    fn prepare(&self, collected: Self::Collected, night: &Night<'_>) -> Result<Self::Prepared>;

    /// Fits every candidate the data can carry.
    fn fit(&self, prepared: &Self::Prepared, night: &Night<'_>) -> Result<Self::Fitted>;

    /// Measures the candidates on the held-out part and chooses.
    fn evaluate(
        &self,
        prepared: &Self::Prepared,
        fitted: Self::Fitted,
        night: &Night<'_>,
    ) -> Result<(Self::Judged, Verdict)>;

    /// Writes the rows and artefacts of the chosen answers.
    fn publish(
        &self,
        prepared: &Self::Prepared,
        judged: &Self::Judged,
        generation: &mut GenerationWriter<'_>,
        night: &Night<'_>,
    ) -> Result<()>;
}

/// What `evaluate` decided.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether the answers go to the readers.
    pub publish: bool,
    /// Why, in plain words: it becomes `generations.why` and `runs.why`.
    pub why: String,
    /// Every candidate's figures, the naive answer's among them.
    pub scores: Vec<Score>,
}

/// How a run of a family ended, when it did not fail.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// The generation readers see now, when this run published one.
    pub generation: Option<i64>,
    /// Result rows written.
    pub rows: u64,
    /// What was decided and why.
    pub why: String,
}

/// One family's night, from the inputs to the pointer.
pub fn run<F: Family>(family: &F, brief: Brief<'_>) -> Result<Outcome> {
    // Collect: everything of one instant, then let the file go.
    brief.watch.stage(Stage::Collect);
    let snapshot = Snapshot::begin(brief.shop)?;
    let newest = family.newest(&snapshot, brief.now)?;
    let night = Night::begin(brief, snapshot.settings()?, newest)?;
    let collected = family.collect(&snapshot, &night).context("step collect")?;
    for (table, reason, rows) in snapshot.left_out() {
        night.drop_rows(table, reason, rows);
    }
    let fingerprint = family
        .repeats()
        .map(|options| fingerprint(F::NAME, &options, snapshot.digest(), &night));
    drop(snapshot);
    if let Some(fingerprint) = fingerprint
        && !night.dry_run
        && let Some(why) = nothing_changed(family, fingerprint, &night)?
    {
        return Ok(Outcome {
            generation: None,
            rows: 0,
            why,
        });
    }

    night.enter(Stage::Prepare)?;
    let prepared = family.prepare(collected, &night).context("step prepare")?;
    night.record_drops()?;

    night.enter(Stage::Fit)?;
    let fitted = family.fit(&prepared, &night).context("step fit")?;

    night.enter(Stage::Evaluate)?;
    let (judged, mut verdict) = family
        .evaluate(&prepared, fitted, &night)
        .context("step evaluate")?;
    if let Some(reason) = night.would_go_back_in_time(F::NAME)? {
        verdict.publish = false;
        verdict.why = reason;
    }
    if night.dry_run || !verdict.publish {
        // `chosen` says whose answers are written: tonight nobody's.
        verdict.scores.iter_mut().for_each(|score| score.chosen = false);
    }
    night
        .shop
        .record_scores(night.run, night.as_of, &verdict.scores)?;

    // Publish, or say why not.
    if night.dry_run {
        return Ok(Outcome {
            generation: None,
            rows: 0,
            why: format!("dry run, nothing written: {}", verdict.why),
        });
    }
    night.enter(Stage::Publish)?;
    let new = NewGeneration {
        family: F::NAME,
        run_id: night.run.run_id,
        as_of: night.as_of,
        exclude_bought: family.exclude_bought(),
    };
    let mut generation = GenerationWriter::begin(night.shop, &new)?;
    if !verdict.publish {
        generation.reject(&verdict.why)?;
        return Ok(Outcome {
            generation: None,
            rows: 0,
            why: verdict.why,
        });
    }
    family
        .publish(&prepared, &judged, &mut generation, &night)
        .context("step publish")?;
    if generation.rows() == 0
        && let Some(reason) = family.nothing_to_show()
    {
        if night.shop.published(F::NAME)?.is_some() {
            let why = format!("{reason}; what was published stays");
            night.shop.choose_none(night.run)?;
            generation.reject(&why)?;
            return Ok(Outcome {
                generation: None,
                rows: 0,
                why,
            });
        }
        verdict.why = format!("{}; {reason}", verdict.why);
    }
    if let Some(fingerprint) = fingerprint {
        generation.artefact(FINGERPRINT, FINGERPRINT_FORMAT, &fingerprint.to_le_bytes())?;
    }
    night.control.check()?; // the last moment at which a cancelled night leaves yesterday's results alone
    let rows = generation.rows();
    let number = generation.publish(&verdict.why)?;
    night.shop.sweep(night.settings.keep)?;
    StoredCheckpoints::new(night.shop, F::NAME)?.clear_family()?;
    Ok(Outcome {
        generation: Some(number),
        rows,
        why: verdict.why,
    })
}

/// What a generation was made of, kept with it.
const FINGERPRINT: &str = "fingerprint";
/// Version of the recipe below.
const FINGERPRINT_FORMAT: i64 = 1;

/// Everything that decides what a night says, as one number: the rows read, the options, the settings, the instant, the seed
/// and the program.
fn fingerprint(family: &str, options: &str, rows: u128, night: &Night<'_>) -> u128 {
    let told = format!(
        "{family}\n{}\n{}\n{options}\n{:?}\n{}\n{}\n{rows:032x}",
        env!("CARGO_PKG_VERSION"),
        schema_version(),
        night.settings,
        night.as_of,
        night.seed,
    );
    xxhash_rust::xxh3::xxh3_128(told.as_bytes())
}

/// Why there is nothing to do: what is published was made of exactly this, and is whole.
fn nothing_changed<F: Family>(family: &F, fingerprint: u128, night: &Night<'_>) -> Result<Option<String>> {
    let Some(published) = night.shop.published(F::NAME)? else {
        return Ok(None);
    };
    let number = published.generation;
    let kept = match night.shop.artefact(number, FINGERPRINT, FINGERPRINT_FORMAT) {
        // Damaged, or of another version: then a new generation is what mends it.
        Err(store::Error::Artefact { .. }) => None,
        kept => kept?,
    };
    if kept.as_deref() != Some(&fingerprint.to_le_bytes()) || !night.shop.is_intact(number)? {
        return Ok(None);
    }
    for model in family.models() {
        if !night.shop.has_model(number, model)? {
            return Ok(None);
        }
    }
    Ok(Some(format!(
        "nothing changed: rows, options and instant are those of generation {number}, which stays published"
    )))
}
