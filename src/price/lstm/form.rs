//! The shape of the network: what it reads, what it answers, by the step of the series and by what the shop knows.

use super::super::frequency::Frequency;

/// The quantiles it answers.
pub const QUANTILES: [f32; 3] = [0.1, 0.5, 0.9];
/// Which of them is the forecast.
pub const MIDDLE: usize = 1;
/// Values of the state.
pub const HIDDEN: usize = 64;
/// Numbers told about a series as a whole (see [`super::window`]).
pub const TRAITS: usize = 3;
/// Rows of each table of shelves: categories and brands share them by hash.
pub const SHELVES: usize = 64;
/// Values of a category's or brand's vector.
pub const SHELF: usize = 4;
/// Hidden values of the part that looks at what is known ahead.
pub const AHEAD: usize = 32;
/// Drivers looked at, the first by name.
pub const DRIVERS: usize = 8;

/// What decides the network's tensors.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// The step of the series.
    pub frequency: Frequency,
    /// Steps that the LSTM takes at once: a day of hours, four weeks.
    pub block: usize,
    /// Blocks it looks back.
    pub blocks: usize,
    /// Forecasts are told as differences to the last so many steps, repeated: a day of hours; else the last step.
    pub back: usize,
    /// The distance of the steps whose mean is the unit.
    pub lag: usize,
    /// Whether it reads logarithms.
    pub logs: bool,
    /// Steps ahead.
    pub horizon: usize,
    /// Columns of the calendar.
    pub phases: usize,
    /// Whether promotions are known.
    pub promotions: bool,
    /// Names of the drivers, ascending.
    pub drivers: Vec<String>,
    /// Whether products have categories or brands that differ.
    pub shelves: bool,
}

impl Form {
    /// The form for series of this step, forecast so far, of which nothing more is known.
    pub fn new(frequency: Frequency, horizon: usize) -> Self {
        let (block, blocks, back, lag, logs) = match frequency {
            Frequency::Hourly => (24, 8, 24, 24, false),
            Frequency::Daily => (7, 8, 1, 7, true),
            Frequency::Weekly => (4, 13, 1, 1, true),
            Frequency::Monthly => (3, 8, 12, 12, true),
        };
        Self {
            frequency,
            block,
            blocks,
            back,
            lag,
            logs,
            horizon,
            phases: 0,
            promotions: false,
            drivers: Vec::new(),
            shelves: false,
        }
    }

    /// Steps it looks back.
    pub fn window(&self) -> usize {
        self.block * self.blocks
    }

    /// Numbers of each step that the LSTM reads: the price, whether it moved, promotion, drivers.
    pub fn channels(&self) -> usize {
        2 + usize::from(self.promotions) + self.drivers.len()
    }

    /// Inputs of the LSTM at each of its steps.
    pub fn inputs(&self) -> usize {
        self.channels() * self.block
    }

    /// What is known of each step ahead: calendar, promotion, drivers.
    pub fn ahead(&self) -> usize {
        self.phases + usize::from(self.promotions) + self.drivers.len()
    }

    /// The LSTM's last state, the traits, the vectors of category and brand.
    pub fn context(&self) -> usize {
        HIDDEN + TRAITS + if self.shelves { 2 * SHELF } else { 0 }
    }

    /// Numbers of a window with what is known ahead and what happened.
    pub fn numbers(&self) -> usize {
        self.window() * (self.channels() + 1) + TRAITS + self.horizon * (self.ahead() + 2)
    }

    /// What a series must have seen before it is forecast, in steps.
    pub fn least_past(&self) -> usize {
        super::super::profile::ENOUGH.max(2 * self.back).max(self.lag + 2)
    }
}
