//! Profiles: how much each product of a history weighs when it speaks for its user.
//!
//! The weight of a signal is `strength · (exp(-age / tau) + 0.05)`: what was met lately speaks loudest, what is old
//! still whispers. The age counts from the user's own newest signal when a basket is completed, and from the night's
//! instant for the next weeks. `tau = ∞` weighs everything alike (the factor is then 1).

use super::demand::DAY;
use super::history::Signal;

/// The share of its voice that the oldest interest keeps.
pub const WHISPER: f32 = 0.05;

/// From where the age of a signal is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub enum AgeFrom {
    /// From the user's own newest signal: which basket is being filled.
    OwnNewest,
    /// From this instant (Unix seconds) on: what the next weeks bring.
    Instant(i64),
}

/// The decay of a profile.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Decay {
    /// Days after which a voice has fallen to 37 %; infinite for no decay.
    pub tau_days: f64,
    /// From where ages are counted.
    pub from: AgeFrom,
}

impl Decay {
    /// Everything weighs by its strength alone.
    pub fn flat() -> Decay {
        Decay {
            tau_days: f64::INFINITY,
            from: AgeFrom::OwnNewest,
        }
    }

    /// The profile of a history as (product, weight), oldest first; signals without strength have no voice.
    pub fn profile(&self, history: &[Signal]) -> Vec<(u32, f32)> {
        let speaking = history.iter().filter(|s| s.strength > 0.0);
        if self.tau_days.is_infinite() {
            return speaking.map(|s| (s.product, s.strength)).collect();
        }
        let newest = match self.from {
            AgeFrom::OwnNewest => speaking.clone().map(|s| s.first).max().unwrap_or(0),
            AgeFrom::Instant(now) => now,
        };
        let tau = self.tau_days * DAY as f64;
        speaking
            .map(|s| {
                let age = newest.saturating_sub(s.first).max(0) as f64;
                (s.product, s.strength * ((-age / tau).exp() as f32 + WHISPER))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn old_interest_whispers() {
        let signal = |product, first| Signal {
            product,
            strength: 1.0,
            first,
            line: 0,
            last: first,
            bought: true,
            dismissed: false,
        };
        let history = [signal(0, 0), signal(1, 30 * DAY), signal(2, 3000 * DAY)];
        let decay = Decay {
            tau_days: 30.0,
            from: AgeFrom::OwnNewest,
        };
        let profile = decay.profile(&history[..2]);
        assert!((profile[0].1 - (1.0 / std::f32::consts::E + 0.05)).abs() < 1e-6);
        assert!((profile[1].1 - 1.05).abs() < 1e-6);
        assert!((decay.profile(&history)[0].1 - 0.05).abs() < 1e-6);
        assert_eq!(Decay::flat().profile(&history)[0], (0, 1.0));
    }
}
