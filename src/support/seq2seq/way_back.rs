//! The way back: from the slopes by what is said to those by all parameters.

use super::memory::WorthSlopes;
use super::network::{Work, add};
use super::shape::{GATES, LEVELS, Shape, WINDOW};
use crate::neural::dropout;
use crate::neural::kernels::functions::{Function, apply_slope};

impl Shape {
    /// From the words said back to all parameters.
    pub(super) fn way_back(
        &self,
        params: &[f32],
        n: usize,
        spoke: &[[f32; GATES]],
        did: &[[f32; GATES]],
        mut d_words: Vec<f32>,
        d_gates: &[f32],
        grads: &mut [f32],
        work: &mut Work,
    ) {
        let (width, half, state, key) = (
            self.size.width,
            self.size.encoder,
            self.size.decoder,
            self.size.key(),
        );
        let (longest, steps) = work.longest;
        let row = state + 2 * key;
        if work.drop_mask.len() == d_words.len() {
            dropout::mask(&work.drop_mask, &mut d_words);
        }
        let mut through_gate = vec![0.0; d_words.len()];
        self.gate.backward(
            params,
            &work.words,
            d_gates,
            Some(&mut through_gate),
            grads,
            &mut work.pack,
        );
        d_words.iter_mut().zip(&through_gate).for_each(|(a, b)| *a += b);
        apply_slope(Function::Tanh, &work.words, &mut d_words);
        let mut d_together = vec![0.0; work.together.len()];
        self.say.backward(
            params,
            &work.together,
            &d_words,
            Some(&mut d_together),
            grads,
            &mut work.pack,
        );
        let mut d_questions = [vec![0.0; steps * n * key], vec![0.0; steps * n * key]];
        let mut d_keys: Vec<[Vec<f32>; 2]> = Vec::with_capacity(n);
        for (b, inner) in work.examples.iter_mut().enumerate() {
            let mut d = [
                vec![0.0; inner.ticket.keys.len()],
                vec![0.0; inner.replies.keys.len()],
            ];
            let count = inner.wanted.len();
            for which in 0..2 {
                if count == 0 {
                    continue;
                }
                let memory = if which == 0 { &inner.ticket } else { &inner.replies };
                let of = |from: &[[f32; GATES]]| -> Vec<f32> {
                    (0..count).map(|step| from[step * n + b][1 + which]).collect()
                };
                let mut slopes = WorthSlopes::default();
                memory.look_back(
                    &mut inner.looked[which],
                    &work.questions[which][b * key..],
                    n * key,
                    &inner.wanted,
                    (&of(spoke), &of(did)),
                    &d_together[b * row + state + which * key..],
                    n * row,
                    &mut d_questions[which][b * key..],
                    &mut d[which],
                    &mut slopes,
                );
                let agree = self.agree[which].of_mut(grads);
                (0..LEVELS).for_each(|level| agree[level] += slopes.agree[level]);
                self.similar.of_mut(grads)[0] += slopes.similar;
            }
            d_keys.push(d);
        }
        let mut d_states = vec![0.0; steps * n * state];
        for (to, from) in d_states.chunks_exact_mut(state).zip(d_together.chunks_exact(row)) {
            to.copy_from_slice(&from[..state]);
        }
        let mut d_asked = vec![0.0; steps * n * state];
        for (ask, d) in [self.ask_ticket, self.ask_replies].iter().zip(&d_questions) {
            ask.backward(
                params,
                work.decoder.hidden(),
                d,
                Some(&mut d_asked),
                grads,
                &mut work.pack,
            );
            d_states.iter_mut().zip(&d_asked).for_each(|(a, b)| *a += b);
        }
        let mut d_said = vec![0.0; work.said.len()];
        self.decoder.backward(
            params,
            &work.said,
            &mut work.decoder,
            &d_states,
            Some(&mut d_said),
            grads,
        );
        let mut d_first = work.decoder.d_begin().to_vec();
        apply_slope(Function::Tanh, &work.first, &mut d_first);
        let mut d_last = vec![0.0; work.last.len()];
        self.bridge.backward(
            params,
            &work.last,
            &d_first,
            Some(&mut d_last),
            grads,
            &mut work.pack,
        );
        // The ticket's keys and last states, back into both directions of the encoder.
        let mut d_ahead = vec![0.0; longest * n * half];
        let mut d_back = vec![0.0; longest * n * half];
        let mut d_lent = vec![0.0; work.lent.len()];
        for (b, (inner, d)) in work.examples.iter().zip(&d_keys).enumerate() {
            let len = inner.ticket.places();
            for (at, d) in d[0].chunks_exact(key).enumerate() {
                add(&mut d_ahead[(at * n + b) * half..][..half], &d[..half]);
                add(&mut d_back[((len - 1 - at) * n + b) * half..][..half], &d[half..]);
            }
            let d_last = &d_last[b * key..][..key];
            add(
                &mut d_ahead[((len - 1) * n + b) * half..][..half],
                &d_last[..half],
            );
            add(&mut d_back[((len - 1) * n + b) * half..][..half], &d_last[half..]);
            for (window, d) in inner.windows.iter().zip(d[1].chunks_exact(key)) {
                for (place, number) in window.iter().enumerate() {
                    add(&mut d_lent[(*number as usize * WINDOW + place) * key..][..key], d);
                }
            }
        }
        let table = self.pieces.table;
        let mut d_table = vec![0.0; table.len];
        self.keys.backward(
            params,
            table.of(params),
            &d_lent,
            Some(&mut d_table),
            grads,
            &mut work.pack,
        );
        add(table.of_mut(grads), &d_table);
        let mut d_read = vec![0.0; work.read.len()];
        self.ahead.backward(
            params,
            &work.read,
            &mut work.ahead,
            &d_ahead,
            Some(&mut d_read),
            grads,
        );
        let mut d_turned = vec![0.0; work.read.len()];
        self.back.backward(
            params,
            &work.turned,
            &mut work.back,
            &d_back,
            Some(&mut d_turned),
            grads,
        );
        for (b, inner) in work.examples.iter().enumerate() {
            let len = inner.ticket.places();
            for at in 0..len {
                let from = &d_turned[(at * n + b) * width..][..width];
                add(&mut d_read[((len - 1 - at) * n + b) * width..][..width], from);
            }
        }
        if work.read_mask.len() == d_read.len() {
            dropout::mask(&work.read_mask, &mut d_read);
        }
        if work.said_mask.len() == d_said.len() {
            dropout::mask(&work.said_mask, &mut d_said);
        }
        let d_pieces = table.of_mut(grads);
        for (b, inner) in work.examples.iter().enumerate() {
            for (at, number) in inner.seen_ticket.iter().enumerate() {
                add(
                    &mut d_pieces[*number as usize * width..][..width],
                    &d_read[(at * n + b) * width..][..width],
                );
            }
            for (at, number) in inner.seen_said.iter().enumerate() {
                add(
                    &mut d_pieces[*number as usize * width..][..width],
                    &d_said[(at * n + b) * width..][..width],
                );
            }
        }
    }
}
