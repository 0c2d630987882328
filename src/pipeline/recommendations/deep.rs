//! Networks from one night to the next: how those of this family are learned, what they go on from, and what is kept of them.
//!
//! Products are known by a hash of their id here, because a night that writes nothing has no keys yet.

use std::sync::Arc;

use anyhow::{Context, Result};

use super::kept::Before;
use super::scores::Page;
use super::{Prepared, Recommendations};
use crate::neural::random::mix;
use crate::pipeline::{Family, Night};
use crate::recommend::choose::Verdict;
use crate::recommend::history::Histories;
use crate::recommend::recurrent::{BLEND_RNN, Learning, RNN};
use crate::recommend::sessions::network::{Network, Options};
use crate::recommend::sessions::past::{FORMAT, Past};
use crate::recommend::trial::Trial;
use crate::store::{self, GenerationWriter, Score};

/// Under which name the network over histories is kept with its generation.
pub(super) const HISTORIES: &str = "rnn of past histories";

/// How the network over histories is learned; `None` where the shop wants none.
pub(super) fn learning(
    family: &Recommendations,
    prepared: &Prepared,
    before: &Before,
    night: &Night<'_>,
) -> Result<Option<Learning>> {
    let steps = family.options.rnn_list_steps;
    if steps == 0 {
        return Ok(None);
    }
    Ok(Some(Learning {
        options: options(steps, night),
        past: past(HISTORIES, prepared, night)?,
        published: before.lists().is_some_and(|lists| lists.model == BLEND_RNN),
    }))
}

/// The network over histories that is in the winner, as it was judged.
#[derive(Debug)]
pub(super) struct Judged {
    network: Arc<Network>,
    /// The first instant it does not know, where that is the same for everybody.
    until: Option<i64>,
}

impl Judged {
    /// `None` where the winner has none.
    pub(super) fn of(trial: &Trial, verdict: &Verdict) -> Option<Judged> {
        let network = trial.models.network.clone();
        network
            .filter(|_| verdict.model == BLEND_RNN)
            .map(|network| Judged {
                network,
                until: trial.cut.hidden_from(),
            })
    }

    /// Goes on over everything: tonight's.
    pub(super) fn tonight(
        &self,
        family: &Recommendations,
        histories: &Histories,
        night: &Night<'_>,
    ) -> Result<Arc<Network>> {
        let learning = Learning {
            options: options(family.options.rnn_list_steps, night),
            past: None,
            published: true,
        };
        let control = night.control_with_checkpoints(Recommendations::NAME)?;
        let start = Some(self.network.params().to_vec());
        Ok(Arc::new(learning.learn(histories, start, "tonight", &control)?))
    }

    /// Keeps it for the next night.
    pub(super) fn keep(&self, prepared: &Prepared, writer: &mut GenerationWriter<'_>) -> Result<()> {
        match self.until {
            Some(until) => keep(HISTORIES, &self.network, until, prepared, writer),
            // Cuts through each history move with it, and what they hid last night tonight's may ask for.
            None => Ok(()),
        }
    }
}

/// Steps that networks over histories learned, and why none did where that is so.
pub(super) fn score(trial: &Trial, verdict: &Verdict) -> Score {
    let page = Page {
        result: "recommendations",
        model: RNN,
        slice: "learning",
        split: &trial.learned.why,
        chosen: verdict.model == BLEND_RNN,
    };
    page.count("network_steps", trial.learned.steps as f64)
}

/// A network of so many steps. Another day's draws another order of examples and other negatives: where a budget ends before the first
/// pass does, night after night sees more of the shop.
pub(super) fn options(steps: u64, night: &Night<'_>) -> Options {
    Options {
        steps,
        seed: mix(night.seed, night.as_of.cast_unsigned()),
        ..Options::default()
    }
}

/// The network of that name that last night kept: the first instant it does not know, and its parameters for tonight's products.
/// One that cannot be read teaches nothing, and the night begins anew.
pub(super) fn past(name: &str, prepared: &Prepared, night: &Night<'_>) -> Result<Option<(i64, Vec<f32>)>> {
    let Some(published) = night.shop.published(Recommendations::NAME)? else {
        return Ok(None);
    };
    let bytes = match night.shop.artefact(published.generation, name, FORMAT) {
        Err(store::Error::Artefact { .. }) => None,
        found => found?,
    };
    let Some(past) = bytes.and_then(|bytes| Past::from_bytes(&bytes).ok()) else {
        return Ok(None);
    };
    let start = past.start(&marks(prepared), Options::default().width, night.seed);
    Ok(start.map(|start| (past.until, start)))
}

/// Keeps a network that knows nothing from `until` on.
pub(super) fn keep(
    name: &str,
    network: &Network,
    until: i64,
    prepared: &Prepared,
    writer: &mut GenerationWriter<'_>,
) -> Result<()> {
    let bytes = Past::to_bytes(network, &marks(prepared), until).context("the network for the next night")?;
    Ok(writer.artefact(name, FORMAT, &bytes)?)
}

/// What tells a product from another over nights.
fn marks(prepared: &Prepared) -> Vec<i64> {
    let mark = |id: &str| xxhash_rust::xxh3::xxh3_64(id.as_bytes()).cast_signed();
    prepared
        .products
        .iter()
        .map(|product| mark(&product.product_id))
        .collect()
}
