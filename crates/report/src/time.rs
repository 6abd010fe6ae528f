//! Moments and lengths of time, and how a reader likes to see them.

use std::fmt;

use maud::{Markup, Render, html};
use time::OffsetDateTime;

/// A moment: milliseconds since 1970.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Time(pub i64);

/// Milliseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Duration(pub i64);

impl Duration {
    pub const MINUTE: Duration = Duration(60_000);
    pub const HOUR: Duration = Duration(60 * 60_000);
    pub const DAY: Duration = Duration(24 * 60 * 60_000);

    pub fn seconds(self) -> f64 {
        self.0 as f64 / 1000.0
    }
}

impl Time {
    pub fn since(self, earlier: Time) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }

    pub fn after(self, duration: Duration) -> Time {
        Time(self.0.saturating_add(duration.0))
    }

    /// None if it is beyond the calendar.
    fn calendar(self) -> Option<OffsetDateTime> {
        OffsetDateTime::from_unix_timestamp(self.0.div_euclid(1000)).ok()
    }

    /// `2026-11-24`
    pub fn date(self) -> String {
        self.calendar().map_or_else(beyond, |t| {
            format!("{:04}-{:02}-{:02}", t.year(), u8::from(t.month()), t.day())
        })
    }

    /// `18:05`
    pub fn clock(self) -> String {
        self.calendar().map_or_else(beyond, |t| format!("{:02}:{:02}", t.hour(), t.minute()))
    }

    /// `24 Nov`
    pub fn day(self) -> String {
        self.calendar().map_or_else(beyond, |t| {
            let month = t.month().to_string();
            format!("{} {}", t.day(), month.get(..3).unwrap_or_default())
        })
    }

    pub fn minute(self) -> String {
        format!("{} {}", self.date(), self.clock())
    }

    fn machine(self) -> String {
        self.calendar()
            .map_or_else(beyond, |t| format!("{}T{}:{:02}Z", self.date(), self.clock(), t.second()))
    }

    /// How long it is until then.
    pub fn to_come(self, now: Time) -> Markup {
        let words = match self.since(now).0 {
            ..1000 => "now".to_owned(),
            _ => format!("in {}", self.since(now).rounded()),
        };
        html! { time datetime=(self.machine()) title={ (self.minute()) " UTC" } { (words) } }
    }

    /// How long ago it was, with the moment itself for those who point at it.
    pub fn ago(self, now: Time) -> Markup {
        let passed = now.since(self);
        let words = match passed.0 {
            ..1000 => "just now".to_owned(),
            _ => format!("{} ago", passed.rounded()),
        };
        html! { time datetime=(self.machine()) title={ (self.minute()) " UTC" } { (words) } }
    }
}

fn beyond() -> String {
    "beyond the calendar".to_owned()
}

impl Render for Time {
    fn render(&self) -> Markup {
        html! { time datetime=(self.machine()) { (self.minute()) } }
    }
}

const UNITS: [(i64, &str); 4] = [(86_400, "day"), (3600, "hour"), (60, "minute"), (1, "second")];

impl Duration {
    /// In words, as one says it: `3 minutes`.
    pub fn rounded(self) -> String {
        let seconds = self.0 / 1000;
        let (length, unit) =
            UNITS.into_iter().find(|(s, _)| seconds >= *s).unwrap_or((1, "second"));
        let count = seconds / length;
        format!("{count} {unit}{}", if count == 1 { "" } else { "s" })
    }

    /// The same, behind "each" or "the last": `minute`, `30 minutes`.
    pub fn unit(self) -> String {
        let words = self.rounded();
        words.strip_prefix("1 ").map_or(words.clone(), str::to_owned)
    }
}

/// As one measures it: `350 ms`, `2.4 s`, `3 min 20 s`.
impl fmt::Display for Duration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        match self.0 {
            ..1000 => write!(f, "{} ms", self.0),
            1000..10_000 => write!(f, "{:.1} s", self.seconds()),
            10_000..60_000 => write!(f, "{seconds} s"),
            60_000..3_600_000 => two_units(f, seconds, (60, "min"), (1, "s")),
            3_600_000..86_400_000 => two_units(f, seconds, (3600, "h"), (60, "min")),
            _ => two_units(f, seconds, (86_400, "d"), (3600, "h")),
        }
    }
}

fn two_units(
    f: &mut fmt::Formatter<'_>,
    seconds: i64,
    (large, large_name): (i64, &str),
    (small, small_name): (i64, &str),
) -> fmt::Result {
    write!(f, "{} {large_name}", seconds / large)?;
    match seconds % large / small {
        0 => Ok(()),
        rest => write!(f, " {rest} {small_name}"),
    }
}

impl Render for Duration {
    fn render_to(&self, buffer: &mut String) {
        buffer.push_str(&self.to_string());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_told_in_utc() {
        let time = Time(1_795_547_101_999);
        assert_eq!(time.minute(), "2026-11-24 19:05");
        assert_eq!(time.day(), "24 Nov");
        assert_eq!(time.machine(), "2026-11-24T19:05:01Z");
    }

    #[test]
    fn a_moment_beyond_the_calendar_is_no_panic() {
        for time in [Time(i64::MAX), Time(i64::MIN)] {
            assert_eq!(time.clock(), "beyond the calendar");
            let _ = time.ago(Time(0));
        }
    }

    #[test]
    fn a_duration_has_the_unit_that_fits() {
        let written = [0, 350, 2449, 59_999, 200_000, 3_600_000, 90_000_000]
            .map(|ms| Duration(ms).to_string());
        assert_eq!(written, ["0 ms", "350 ms", "2.4 s", "59 s", "3 min 20 s", "1 h", "1 d 1 h"]);
        assert_eq!(Duration(61_000).rounded(), "1 minute");
        assert_eq!(Duration(2 * 86_400_000).rounded(), "2 days");
    }
}
