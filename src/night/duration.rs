//! Lengths of time and amounts of memory as people write them in job files: "90s", "30m", "2h", "1d"; "512 MB".

use std::time::Duration;

/// "90s", "30m", "2h", "1d" or a whole number of seconds; nothing else, and never zero.
pub(super) fn parse(text: &str) -> Option<Duration> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(split);
    let seconds = match unit.trim() {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => return None,
    };
    let seconds = number.parse::<u64>().ok()?.checked_mul(seconds)?;
    (1..=366 * 86_400)
        .contains(&seconds)
        .then(|| Duration::from_secs(seconds))
}

/// "512 MB", "4 GB" (powers of 1024), in bytes.
pub(super) fn parse_memory(text: &str) -> Option<u64> {
    let text = text.trim();
    let split = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(split);
    let factor = match unit.trim() {
        "MB" => 1u64 << 20,
        "GB" => 1 << 30,
        _ => return None,
    };
    number.parse::<u64>().ok()?.checked_mul(factor).filter(|b| *b > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write() {
        let seconds = |t| parse(t).map(|d| d.as_secs());
        assert_eq!(seconds("90s"), Some(90));
        assert_eq!(seconds(" 2h "), Some(7200));
        assert_eq!(seconds("1 d"), Some(86_400));
        assert_eq!(seconds("45"), Some(45));
        for wrong in [
            "",
            "h",
            "0",
            "-1h",
            "2 weeks",
            "1.5h",
            "99999999999999999999d",
            "400d",
        ] {
            assert_eq!(seconds(wrong), None, "{wrong}");
        }
        assert_eq!(parse_memory("512 MB"), Some(512 << 20));
        assert_eq!(parse_memory("4GB"), Some(4 << 30));
        for wrong in ["", "4", "0 GB", "4 gb", "GB", "99999999999999 GB"] {
            assert_eq!(parse_memory(wrong), None, "{wrong}");
        }
    }
}
