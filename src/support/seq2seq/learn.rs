//! Learning: batches of replies of like length, the loss on replies that no batch holds, Adam through [`crate::fit`].

use super::batch::{Example, SOURCES, Text};
use super::network::{Chance, Loss, Work};
use super::shape::Shape;
use crate::fit::{Gradient, Stochastic};
use crate::neural::random::{dice, order};

/// A dialogue in pieces.
#[derive(Debug, Clone)]
pub(super) struct Spelled {
    pub ticket: Text,
    pub reply: Text,
    /// Nearest others, by row, with their similarities.
    pub near: Vec<(u32, f32)>,
}

/// Replies a batch.
const BATCH: usize = 32;
/// Batches' worth of examples that are sorted by length among themselves.
const SORTED: usize = 16;
/// Share of values left out while learning.
const DROP: f32 = 0.15;

/// The network and what it learns from.
pub(super) struct Lessons<'a> {
    pub shape: &'a Shape,
    pub dialogues: &'a [Spelled],
    /// Rows to learn from, and rows whose loss counts.
    pub learn: &'a [u32],
    pub check: &'a [u32],
    pub seed: u64,
    plan: (u64, Vec<Vec<u32>>),
    work: Work,
}

impl<'a> Lessons<'a> {
    pub(super) fn new(
        shape: &'a Shape,
        dialogues: &'a [Spelled],
        learn: &'a [u32],
        check: &'a [u32],
        seed: u64,
    ) -> Self {
        Lessons {
            shape,
            dialogues,
            learn,
            check,
            seed,
            plan: (u64::MAX, Vec::new()),
            work: Work::default(),
        }
    }

    /// The batches of an epoch: random, of like length, in random order.
    fn plan(&self, epoch: u64) -> Vec<Vec<u32>> {
        let rows: Vec<u32> = order(self.learn.len(), self.seed, epoch)
            .iter()
            .map(|&at| self.learn[at as usize])
            .collect();
        let length = |row: &u32| self.dialogues[*row as usize].reply.pieces.len();
        let mut batches = Vec::new();
        for chunk in rows.chunks(BATCH * SORTED) {
            let mut chunk = chunk.to_vec();
            chunk.sort_by_key(|row| (length(row), *row));
            batches.extend(chunk.chunks(BATCH).map(<[u32]>::to_vec));
        }
        let by = order(batches.len(), self.seed ^ 0xba7c, epoch);
        by.iter()
            .map(|&at| std::mem::take(&mut batches[at as usize]))
            .collect()
    }

    fn run(
        &mut self,
        params: &[f32],
        rows: &[u32],
        chance: Option<Chance<'_>>,
        gradient: Option<&mut Gradient>,
    ) -> Loss {
        let dialogues = self.dialogues;
        let sources: Vec<Vec<(&Text, f32)>> = rows.iter().map(|&row| sources(dialogues, row)).collect();
        let batch: Vec<Example<'_>> = rows
            .iter()
            .zip(&sources)
            .map(|(&row, sources)| Example {
                ticket: &dialogues[row as usize].ticket,
                reply: &dialogues[row as usize].reply,
                sources,
            })
            .collect();
        self.shape.run(params, &batch, chance, gradient, &mut self.work)
    }

    /// The loss on rows.
    pub(super) fn measure(&mut self, params: &[f32], rows: &[u32]) -> Loss {
        let mut sorted = rows.to_vec();
        sorted.sort_by_key(|&row| (self.dialogues[row as usize].reply.pieces.len(), row));
        let mut all = Loss::default();
        for rows in sorted.chunks(BATCH) {
            let loss = self.run(params, rows, None, None);
            all.sum += loss.sum;
            all.pieces += loss.pieces;
            all.nowhere += loss.nowhere;
            all.shares.iter_mut().zip(loss.shares).for_each(|(a, b)| *a += b);
        }
        all
    }
}

/// The old replies at hand for a row.
pub(super) fn sources(dialogues: &[Spelled], row: u32) -> Vec<(&Text, f32)> {
    let near = &dialogues[row as usize].near;
    near.iter()
        .take(SOURCES)
        .map(|&(row, similarity)| (&dialogues[row as usize].reply, similarity))
        .collect()
}

impl Stochastic for Lessons<'_> {
    fn batches(&self) -> u64 {
        let whole = self.learn.len() / (BATCH * SORTED) * SORTED;
        let rest = self.learn.len() % (BATCH * SORTED);
        (whole + rest.div_ceil(BATCH)) as u64
    }

    fn batch(&mut self, params: &[f32], epoch: u64, batch: u64, gradient: &mut Gradient) -> f64 {
        if self.plan.0 != epoch {
            self.plan = (epoch, self.plan(epoch));
        }
        let rows = self.plan.1[batch as usize].clone();
        let mut dice = dice(self.seed, epoch, batch);
        let chance = Chance {
            drop: DROP,
            dice: &mut dice,
        };
        let loss = self.run(params, &rows, Some(chance), Some(gradient));
        loss.sum / loss.pieces.max(1) as f64
    }

    fn validate(&mut self, params: &[f32]) -> f64 {
        let check = self.check;
        let loss = self.measure(params, check);
        loss.sum / loss.pieces.max(1) as f64
    }
}
