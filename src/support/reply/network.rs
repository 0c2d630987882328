//! What a network's replies are worth, and whether they join the old ones.
//!
//! On tickets the network has not learned from, half of which say how large a share of the evidence its replies are best, and
//! whether that gains more than the standard error of the gain; the other half must gain as well. Then drafts of the
//! language are written with that share, and measured anew on that half. Else drafts stay as they were.

use super::*;

/// How a network's replies fared on tickets it has not learned from.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct NetworkScores {
    /// Of its best reply, alone, as it is.
    pub alone: Overlap,
    /// Of drafts with its replies among the candidates, at the best share.
    pub joined: Overlap,
    /// Of drafts without, on the same tickets.
    pub without: Overlap,
    /// Mean ROUGE-L alone of the fifth it was surest of.
    pub best_fifth: f64,
    /// The share of the evidence that was best.
    pub share: f64,
    /// Whether its replies join.
    pub joins: bool,
    /// Tickets it was measured on.
    pub measured_on: usize,
}

/// Overlap with the replies that were sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Overlap {
    /// Mean ROUGE-L.
    pub rouge_l: f64,
    /// BLEU-4.
    pub bleu: f64,
}

/// Shares that are tried.
const SHARES: [f64; 3] = [0.1, 0.2, 0.35];

impl Drafting {
    /// Whether a network's replies are wanted for drafts in a language.
    pub fn joins(&self, language: &str) -> bool {
        self.manners
            .get(language)
            .is_some_and(|manner| manner.weighing.written > 0.0)
    }

    /// Decides for a language whether a network's replies join, by examples with them ([`Example::written`]) that choose and
    /// others that judge; `above` as in [`Drafting::measure`]. Nothing happens where drafts could not be measured or too few examples judge.
    ///
    /// # Errors
    /// What `check` says.
    pub fn judge_network<E>(
        &mut self,
        language: &str,
        choosing: &[Example],
        judging: &[Example],
        above: f64,
        mut check: impl FnMut() -> Result<(), E>,
    ) -> Result<(), E> {
        let Some(manner) = self.manners.get(language) else {
            return Ok(());
        };
        if judging.len() < FEWEST || choosing.is_empty() {
            return Ok(());
        }
        let (choosing, judging): (Vec<&Example>, Vec<&Example>) =
            (choosing.iter().collect(), judging.iter().collect());
        let without = super::judge(&choosing, &manner.weighing);
        let mut best: Option<(f64, f64, Weighing)> = None;
        for written in SHARES {
            check()?;
            let weighing = Weighing {
                written,
                ..manner.weighing
            };
            let (gain, error) = gain(&super::judge(&choosing, &weighing), &without);
            if best.is_none_or(|best| gain > best.0) {
                best = Some((gain, error, weighing));
            }
        }
        let Some((gained, error, weighing)) = best else {
            return Ok(());
        };
        check()?;
        let (without, joined) = (
            super::judge(&judging, &manner.weighing),
            super::judge(&judging, &weighing),
        );
        let joins = gained > error && gain(&joined, &without).0 > 0.0;
        let alone = alone(&judging);
        let mut surest: Vec<(f64, f64)> = alone.iter().map(|one| (one.expected, one.rouge)).collect();
        surest.sort_by(|a, b| b.0.total_cmp(&a.0));
        let network = NetworkScores {
            alone: overlap(&alone),
            joined: overlap(&joined),
            without: overlap(&without),
            best_fifth: mean(surest.iter().take(alone.len() / 5).map(|one| one.1)),
            share: weighing.written,
            joins,
            measured_on: judging.len(),
        };
        let anew = joins
            .then(|| Manner::measure(&judging, weighing, above))
            .flatten();
        let network = NetworkScores {
            joins: anew.is_some(),
            ..network
        };
        let mut manner = anew.unwrap_or_else(|| manner.clone());
        manner.network = Some(network);
        self.manners.insert(language.to_owned(), manner);
        Ok(())
    }
}

/// The best reply of the network alone.
fn alone(examples: &[&Example]) -> Vec<Judged> {
    let one = |example: &&Example| {
        let mut dictionary = HashMap::new();
        let reply = rouge_words(&example.reply, &mut dictionary);
        let (text, confidence) = example
            .written
            .first()
            .map_or((String::new(), 0.0), |(quote, confidence)| {
                (Own::default().fill(&quote.whole()), *confidence)
            });
        let draft = rouge_words(&text, &mut dictionary);
        Judged {
            expected: confidence,
            rouge: rouge_l(&draft, &reply),
            draft,
            reply,
        }
    };
    examples.iter().map(one).collect()
}

fn overlap(judged: &[Judged]) -> Overlap {
    Overlap {
        rouge_l: mean(judged.iter().map(|one| one.rouge)),
        bleu: bleu(judged),
    }
}

/// Mean gain in ROUGE-L and its standard error.
fn gain(new: &[Judged], old: &[Judged]) -> (f64, f64) {
    let gains = || new.iter().zip(old).map(|(new, old)| new.rouge - old.rouge);
    let gain = mean(gains());
    let square = mean(gains().map(|one| (one - gain).powi(2)));
    (gain, (square / new.len().max(1) as f64).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Old replies disagree; the network's reply is what is sent with probability `right`.
    fn examples(n: usize, right: f64, seed: u64) -> Vec<Example> {
        let mut dice = fastrand::Rng::with_seed(seed);
        let sent = |matter: usize| {
            format!(
                "Door {} is open until nine today, come in please.",
                ["a", "b", "c", "d"][matter]
            )
        };
        (0..n)
            .map(|_| {
                let (matter, first) = (dice.usize(..4), dice.usize(..4));
                let quotes = (0..8)
                    .map(|at| (Quote::text(&sent((first + at) % 4)), Some(0.4)))
                    .collect();
                let said = if dice.f64() < right {
                    sent(matter)
                } else {
                    "Nothing of that sort here".into()
                };
                Example {
                    language: "en".into(),
                    reply: sent(matter),
                    quotes,
                    nearest: sent(dice.usize(..4)),
                    random: sent(dice.usize(..4)),
                    written: vec![(Quote::text(&said), 0.5)],
                }
            })
            .collect()
    }

    fn judged(right: f64) -> Drafting {
        let never = || Ok::<(), ()>(());
        let mut drafting = Drafting::measure(&examples(60, 1.0, 1), 1.25, never).unwrap();
        drafting
            .judge_network(
                "en",
                &examples(60, right, 2),
                &examples(60, right, 3),
                1.25,
                never,
            )
            .unwrap();
        drafting
    }

    #[test]
    fn a_network_joins_where_it_gains() {
        let good = judged(1.0);
        let manner = &good.manners["en"];
        let network = manner.network.unwrap();
        assert!(
            network.joins && (network.alone.rouge_l - 1.0).abs() < 1e-12,
            "{network:?}"
        );
        assert!(network.joined.rouge_l > network.without.rouge_l && manner.weighing.written > 0.0);
        assert_eq!(
            (manner.scores.rouge_l, manner.scores.measured_on),
            (network.joined.rouge_l, 60)
        );
        // What it wrote is in the draft, and said to be.
        let one = &examples(1, 1.0, 3)[0];
        let draft = good.draft_with(&one.quotes, &one.written, "en", &Own::default(), false);
        assert_eq!(draft.reply.as_deref(), Some(one.reply.as_str()));
    }

    #[test]
    fn a_network_that_gains_nothing_does_not_join() {
        let bad = judged(0.0);
        let manner = &bad.manners["en"];
        let network = manner.network.unwrap();
        assert!(!network.joins && manner.weighing.written == 0.0, "{network:?}");
        assert!(network.alone.rouge_l < 0.2);
        let never = || Ok::<(), ()>(());
        let mut few = Drafting::measure(&examples(60, 1.0, 1), 1.25, never).unwrap();
        let before = few.clone();
        few.judge_network("en", &examples(60, 1.0, 2), &examples(19, 1.0, 3), 1.25, never)
            .unwrap();
        few.judge_network("zh", &examples(60, 1.0, 2), &examples(60, 1.0, 3), 1.25, never)
            .unwrap();
        assert_eq!(few, before);
        let stop = || Err("stop");
        assert_eq!(
            few.judge_network("en", &examples(60, 1.0, 2), &examples(60, 1.0, 3), 1.25, stop),
            Err("stop")
        );
    }
}
