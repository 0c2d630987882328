//! Longest common subsequences, 64 columns at a time.
//!
//! A [`Pattern`] is one text prepared to be compared with many. Its **row** holds one bit a word: after reading some
//! words of another text a zero at place i says that the longest common subsequence grows from the first i to the first
//! i + 1 words of the pattern (Hyyrö 2004, "Bit-parallel LCS-length computation revisited"). The number of zeros is the
//! length. A row can be kept and read on from, and a row read from the front and one read from the back meet anywhere
//! ([`meet`]), so that changing one sentence of a long text costs that sentence and not the text.
//!
//! Words are numbers below the `vocabulary` that the pattern was made for.

/// A text to compare others with.
#[derive(Debug, Clone)]
pub struct Pattern {
    length: usize,
    /// Words of 64 bits a row takes.
    blocks: usize,
    /// Where the places of a word stand in `masks`, in blocks; [`NOWHERE`] = not in the text.
    first: Vec<u32>,
    masks: Vec<u64>,
}

const NOWHERE: u32 = u32::MAX;

impl Pattern {
    /// Prepares a text.
    pub fn new(words: impl ExactSizeIterator<Item = u32>, vocabulary: usize) -> Pattern {
        let length = words.len();
        let blocks = length.div_ceil(64).max(1);
        let (mut first, mut masks) = (vec![NOWHERE; vocabulary], Vec::new());
        for (at, word) in words.enumerate() {
            let place = &mut first[word as usize];
            if *place == NOWHERE {
                *place = masks.len() as u32;
                masks.resize(masks.len() + blocks, 0u64);
            }
            masks[*place as usize + at / 64] |= 1 << (at % 64);
        }
        Pattern {
            length,
            blocks,
            first,
            masks,
        }
    }

    /// Size of a row.
    pub fn blocks(&self) -> usize {
        self.blocks
    }

    /// The row before anything was read.
    pub fn fresh(&self) -> Vec<u64> {
        vec![u64::MAX; self.blocks]
    }

    /// Reads words.
    pub fn read(&self, row: &mut [u64], words: impl Iterator<Item = u32>) {
        for word in words {
            let place = self.first[word as usize];
            if place == NOWHERE {
                continue;
            }
            let mut carry = false;
            for (bits, &mask) in row.iter_mut().zip(&self.masks[place as usize..]) {
                let (sum, over) = bits.overflowing_add(*bits & mask);
                let (sum, over_again) = sum.overflowing_add(u64::from(carry));
                carry = over || over_again;
                *bits = sum | (*bits & !mask);
            }
        }
    }

    /// The length that a row says.
    pub fn grown(&self, row: &[u64]) -> usize {
        let mut zeros: u32 = row.iter().map(|bits| bits.count_zeros()).sum();
        // Past the last word nothing is known.
        let spare = self.blocks * 64 - self.length;
        if spare > 0 {
            zeros -= (row[self.blocks - 1] >> (64 - spare)).count_zeros() - (64 - spare as u32);
        }
        zeros as usize
    }

    /// Length of the longest common subsequence with a text.
    pub fn common(&self, words: impl Iterator<Item = u32>) -> usize {
        let mut row = self.fresh();
        self.read(&mut row, words);
        self.grown(&row)
    }

    /// Where the length grows, one bit a word, read from the front.
    pub fn steps(&self, row: &[u64], steps: &mut [u64]) {
        for (step, bits) in steps.iter_mut().zip(row) {
            *step = !bits;
        }
        let spare = self.blocks * 64 - self.length;
        if spare > 0 {
            steps[self.blocks - 1] &= u64::MAX.checked_shr(spare as u32).unwrap_or(0);
        }
    }

    /// The same of a row of the reversed pattern, which read the end of a text backwards: bit i says that the length
    /// grows where word i is taken in.
    pub fn steps_back(&self, row: &[u64], steps: &mut [u64]) {
        self.steps(row, steps);
        // Mirror all bits, then shift out the spare ones that came to the front.
        steps.reverse();
        steps.iter_mut().for_each(|step| *step = step.reverse_bits());
        let spare = self.blocks * 64 - self.length;
        if spare > 0 {
            // A pattern of no words has one block of spare bits only.
            for i in 0..self.blocks {
                let next = steps.get(i + 1).copied().unwrap_or(0);
                steps[i] = if spare == 64 {
                    next
                } else {
                    (steps[i] >> spare) | (next << (64 - spare))
                };
            }
        }
    }
}

/// What four steps forwards and four backwards do: the highest the sum gets on the way (never below where it began), and
/// where it ends. Index: forwards in the low four bits.
const CLIMBS: [(i8, i8); 256] = {
    let mut climbs = [(0i8, 0i8); 256];
    let mut at = 0;
    while at < 256 {
        let (mut sum, mut best, mut bit) = (0i8, 0i8, 0);
        while bit < 4 {
            sum += ((at >> bit) & 1) as i8 - ((at >> (bit + 4)) & 1) as i8;
            if sum > best {
                best = sum;
            }
            bit += 1;
        }
        climbs[at] = (best, sum);
        at += 1;
    }
    climbs
};

/// Length of the longest common subsequence of a pattern and a text whose beginning took the steps `front` and whose rest
/// took the steps `back` (see [`Pattern::steps_back`]): the best place to cut the pattern in two.
pub fn meet(front: &[u64], back: &[u64]) -> usize {
    let (mut sum, mut best) = (0i32, 0i32);
    for (&front, &back) in front.iter().zip(back) {
        let (mut front, mut back) = (front, back);
        while front | back != 0 {
            let (climb, end) = CLIMBS[((front & 15) | (back & 15) << 4) as usize];
            best = best.max(sum + i32::from(climb));
            sum += i32::from(end);
            front >>= 4;
            back >>= 4;
        }
    }
    let all: u32 = back.iter().map(|bits| bits.count_ones()).sum();
    (all as i32 + best) as usize
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(a: &[u32], b: &[u32]) -> usize {
        let mut lengths = vec![vec![0; b.len() + 1]; a.len() + 1];
        for i in 0..a.len() {
            for j in 0..b.len() {
                lengths[i + 1][j + 1] = if a[i] == b[j] {
                    lengths[i][j] + 1
                } else {
                    lengths[i][j + 1].max(lengths[i + 1][j])
                };
            }
        }
        lengths[a.len()][b.len()]
    }

    #[test]
    fn it_equals_the_table_whole_and_from_both_ends() {
        let mut dice = fastrand::Rng::with_seed(3);
        for _ in 0..400 {
            let kinds = dice.u32(1..40);
            let text = |dice: &mut fastrand::Rng| -> Vec<u32> {
                (0..dice.usize(0..200)).map(|_| dice.u32(..kinds)).collect()
            };
            let (a, b) = (text(&mut dice), text(&mut dice));
            let pattern = Pattern::new(a.iter().copied(), 40);
            let length = table(&a, &b);
            assert_eq!(pattern.common(b.iter().copied()), length);
            let reversed = Pattern::new(a.iter().rev().copied(), 40);
            let cut = dice.usize(0..=b.len());
            let (mut front, mut back) = (pattern.fresh(), reversed.fresh());
            pattern.read(&mut front, b[..cut].iter().copied());
            reversed.read(&mut back, b[cut..].iter().rev().copied());
            let (mut up, mut down) = (front.clone(), back.clone());
            pattern.steps(&front, &mut up);
            pattern.steps_back(&back, &mut down);
            assert_eq!(meet(&up, &down), length, "{a:?} {b:?} {cut}");
        }
    }
}
