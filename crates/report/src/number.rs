//! Counts, and how a reader likes to see them.

/// `12,345`
pub fn grouped(count: i64) -> String {
    let digits = count.unsigned_abs().to_string();
    let mut text = String::from(if count < 0 { "-" } else { "" });
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 row`, `2 rows`
pub fn counted(count: i64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

/// For the ticks of an axis: `0.5`, `20`, `1.5k`, `2M`
pub fn short(value: f64) -> String {
    let (divided, unit) = match value.abs() {
        v if v >= 1e9 => (value / 1e9, "G"),
        v if v >= 1e6 => (value / 1e6, "M"),
        v if v >= 1e4 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = format!("{divided:.2}");
    format!("{}{unit}", text.trim_end_matches('0').trim_end_matches('.'))
}

/// With three digits that count: `1,177`, `89.1`, `0.25`
pub fn rated(rate: f64) -> String {
    match rate {
        0.0..10.0 => format!("{rate:.2}"),
        10.0..100.0 => format!("{rate:.1}"),
        _ => grouped(rate.round() as i64),
    }
}

/// A share of a whole in percent: 0 and 100 are exact.
pub fn percent(part: i64, whole: i64) -> String {
    if whole <= 0 {
        return "–".to_owned();
    }
    let share = 100.0 * part as f64 / whole as f64;
    match share {
        0.0 => "0%".to_owned(),
        ..1.0 => "<1%".to_owned(),
        99.0..100.0 => ">99%".to_owned(),
        _ => format!("{share:.0}%"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_are_grouped() {
        let written = [0, 999, 1000, -1_234_567, i64::MIN].map(grouped);
        assert_eq!(written, ["0", "999", "1,000", "-1,234,567", "-9,223,372,036,854,775,808"]);
    }

    #[test]
    fn ticks_are_short() {
        assert_eq!(
            [0.0, 0.5, 20.0, 1500.0, 15_000.0, 2e6].map(short),
            ["0", "0.5", "20", "1500", "15k", "2M"]
        );
    }

    #[test]
    fn a_rate_has_as_many_digits_as_it_is_worth() {
        assert_eq!(
            [0.251, 89.08, 1177.39, f64::INFINITY].map(rated),
            ["0.25", "89.1", "1,177", "9,223,372,036,854,775,807"]
        );
    }

    #[test]
    fn a_share_is_never_rounded_to_nothing_or_all() {
        assert_eq!(percent(0, 5), "0%");
        assert_eq!(percent(1, 5000), "<1%");
        assert_eq!(percent(4999, 5000), ">99%");
        assert_eq!(percent(5, 5), "100%");
        assert_eq!(percent(0, 0), "–");
    }
}
