//! The filter `date`: every form in which Postgres prints a time, seconds since 1970, and dates as
//! people write them in English, in any form that strftime knows. Zones come with the library, so
//! that a message does not depend on the machine. What is no time stays as it is.

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::fmt::strtime::{BrokenDownTime, Config, PosixCustom};
use jiff::tz::{Offset, TimeZone};

use super::{Input, Made};
use crate::error::Rejection;
use crate::template::value::Val;
use crate::template::work::Work;

/// The longest format, in bytes.
const MAX_FORMAT_BYTES: usize = 1_024;

/// A time, and the zone in which it was written.
type Moment = (Timestamp, Offset);

pub(super) fn date<'a>(input: Input<'a>, work: &mut Work) -> Made<'a> {
    if matches!(input.first, None | Some(Val::Nil)) {
        return Ok(input.value);
    }
    let format = input.first_text(work)?;
    if format.len() > MAX_FORMAT_BYTES {
        let reason = format!("the format has more than {MAX_FORMAT_BYTES} bytes");
        return Err(Rejection::new("template_error", reason));
    }
    // A directive is two bytes, and takes about as long as a step.
    work.steps(10 + format.len() / 2)?;
    let Some((time, offset)) = moment(&input, work)? else { return Ok(input.value) };
    let zone = match &input.second {
        None | Some(Val::Nil) => offset.to_time_zone(),
        Some(zone) => named_zone(&zone.to_text(work)?)?,
    };
    if format.is_empty() {
        return Ok(input.value);
    }
    let Some(shown) = shown(time, zone, &format) else { return Ok(input.value) };
    work.read(shown.len())?;
    Ok(Val::text(shown))
}

fn moment(input: &Input<'_>, work: &mut Work) -> Result<Option<Moment>, Rejection> {
    Ok(match &input.value {
        Val::Number(number) => number.to_int(work)?.and_then(of_seconds),
        Val::Bytes(_) => None,
        other => {
            let text = other.to_text(work)?;
            work.read(text.len())?;
            match text.trim() {
                "now" | "today" => read(input.now),
                // No time is that long.
                text if text.len() > 100 => None,
                text => read(text),
            }
        }
    })
}

fn of_seconds(seconds: i64) -> Option<Moment> {
    Some((Timestamp::from_second(seconds).ok()?, Offset::UTC))
}

fn named_zone(name: &str) -> Result<TimeZone, Rejection> {
    let offset = || Reader { rest: name }.zone().map(Offset::to_time_zone);
    TimeZone::get(name).ok().or_else(offset).ok_or_else(|| {
        Rejection::new("template_error", "the time zone is not known")
            .with_hint("Write a name, such as Europe/Berlin, or an offset, such as +02:00.")
    })
}

fn shown(time: Timestamp, zone: TimeZone, format: &str) -> Option<String> {
    let zoned = time.to_zoned_datetime(zone);
    let year = zoned.year();
    let config = Config::new().custom(PosixCustom::new()).lenient(true);
    let mut out = String::new();
    BrokenDownTime::from(&zoned)
        .format_with_config(&config, translated(format, year), &mut out)
        .ok()?;
    Some(out)
}

/// The format with what the library has no word for.
fn translated(format: &str, year: i16) -> String {
    let mut translated = String::with_capacity(format.len());
    let mut rest = format;
    while let Some(at) = rest.find('%') {
        let (before, directive) = rest.split_at(at);
        translated.push_str(before);
        let end = directive
            .char_indices()
            .skip(1)
            .find(|(_, c)| !matches!(c, '-' | '_' | '0'..='9' | '^' | '#' | ':' | '.'))
            .map_or(directive.len(), |(at, c)| at + c.len_utf8());
        let (directive, after) = directive.split_at(end);
        match directive {
            "%L" => translated.push_str("%3f"),
            "%v" => translated.push_str("%e-%b-%Y"),
            "%+" => translated.push_str("%a %b %e %H:%M:%S %Z %Y"),
            // Before Christ the library counts the sign as a digit.
            "%Y" if year < 0 => translated.push_str(&format!("-{:04}", year.unsigned_abs())),
            "%F" if year < 0 => {
                translated.push_str(&format!("-{:04}-%m-%d", year.unsigned_abs()));
            }
            // It knows only the years of two digits that are near.
            "%y" => translated.push_str(&format!("{:02}", year.rem_euclid(100))),
            other => translated.push_str(other),
        }
        rest = after;
    }
    translated.push_str(rest);
    translated
}

/// A time from its text.
fn read(text: &str) -> Option<Moment> {
    let text = text.trim();
    if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
        return text.parse().ok().and_then(of_seconds);
    }
    iso(text).or_else(|| english(text))
}

/// ISO 8601, and what Postgres makes of it: `2024-01-15 08:00:00.5+05:30`, `0044-03-15 BC`.
fn iso(text: &str) -> Option<Moment> {
    let (text, is_before_christ) = match text.strip_suffix(" BC") {
        Some(text) => (text, true),
        None => (text, false),
    };
    let mut reader = Reader { rest: text };
    let year: i16 = reader.digits(4, 6)?.parse().ok()?;
    reader.skip("-")?;
    let month = reader.number(2, 2)?;
    reader.skip("-")?;
    let day = reader.number(2, 2)?;
    let year = if is_before_christ { 1i16.checked_sub(year)? } else { year };
    let date = Date::new(year, month, day).ok()?;
    if reader.rest.is_empty() {
        return at(date.to_datetime(Time::midnight()), Offset::UTC);
    }
    reader.skip("T").or_else(|| reader.skip(" "))?;
    let time = reader.time()?;
    let offset = if reader.rest.is_empty() { Offset::UTC } else { reader.zone()? };
    if reader.rest.is_empty() { at(date.to_datetime(time), offset) } else { None }
}

fn at(datetime: DateTime, offset: Offset) -> Option<Moment> {
    Some((offset.to_timestamp(datetime).ok()?, offset))
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] =
    ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// A name, or at least three letters of it.
fn is_short_for(word: &str, name: &str) -> bool {
    word.len() >= 3 && name.starts_with(word)
}

/// `March 14, 2016`, `15 Jan 2024`, `Mon, 15 Jan 2024 08:00:00 GMT`, `Jan 15 2024 8:00 PM`.
fn english(text: &str) -> Option<Moment> {
    let (mut month, mut day, mut year) = (None, None, None);
    let (mut time, mut offset) = (None, None);
    for word in text.split([' ', ',']).filter(|word| !word.is_empty()) {
        let word = word.to_ascii_lowercase();
        let word = word.strip_suffix('.').unwrap_or(&word);
        let named = MONTHS.iter().position(|name| is_short_for(word, name));
        let digits = ["st", "nd", "rd", "th"].iter().find_map(|end| word.strip_suffix(end));
        if let (Some(place), None) = (named, month) {
            month = i8::try_from(place + 1).ok();
        } else if DAYS.iter().any(|name| is_short_for(word, name)) {
        } else if word.contains(':') && time.is_none() {
            let mut reader = Reader { rest: word };
            time = Some(reader.time()?);
            offset = if reader.rest.is_empty() { offset } else { Some(reader.zone()?) };
        } else if let ("am" | "pm", Some(morning)) = (word, time) {
            time = Some(half(morning, word == "pm")?);
        } else if let Ok(number) = digits.unwrap_or(word).parse::<i16>()
            && !word.starts_with(['+', '-'])
        {
            match day {
                None if (1..=31).contains(&number) => day = i8::try_from(number).ok(),
                _ if year.is_none() => year = Some(number),
                _ => return None,
            }
        } else if offset.is_none() {
            offset = Some(Reader { rest: &word.to_ascii_uppercase() }.zone()?);
        } else {
            return None;
        }
    }
    let date = Date::new(year?, month?, day.unwrap_or(1)).ok()?;
    at(date.to_datetime(time.unwrap_or(Time::midnight())), offset.unwrap_or(Offset::UTC))
}

/// A time of the morning or the afternoon.
fn half(time: Time, is_afternoon: bool) -> Option<Time> {
    let hour = time.hour() % 12 + if is_afternoon { 12 } else { 0 };
    Time::new(hour, time.minute(), time.second(), time.subsec_nanosecond()).ok()
}

/// What is left to read.
struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn skip(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn digits(&mut self, least: usize, most: usize) -> Option<&'t str> {
        let count = self.rest.bytes().take(most).take_while(u8::is_ascii_digit).count();
        let (digits, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(digits).filter(|digits| digits.len() >= least)
    }

    fn number(&mut self, least: usize, most: usize) -> Option<i8> {
        self.digits(least, most)?.parse().ok()
    }

    fn time(&mut self) -> Option<Time> {
        let hour = self.number(1, 2)?;
        self.skip(":")?;
        let minute = self.number(2, 2)?;
        let second = match self.skip(":") {
            Some(()) => self.number(2, 2)?,
            None => 0,
        };
        let nanosecond = match self.skip(".") {
            Some(()) => format!("{:0<9.9}", self.digits(1, 18)?).parse().ok()?,
            None => 0,
        };
        match (hour, minute, second) {
            // Postgres's leap second and end of a day are not of this time any more.
            (24, ..) | (.., 60) => None,
            _ => Time::new(hour, minute, second, nanosecond).ok(),
        }
    }

    /// `Z`, `UTC`, `GMT`, or an offset of hours, minutes and seconds.
    fn zone(&mut self) -> Option<Offset> {
        self.rest = self.rest.trim_start();
        if ["UTC", "GMT", "Z"].iter().any(|name| self.skip(name).is_some()) {
            return Some(Offset::UTC);
        }
        let is_west = match self.skip("-") {
            Some(()) => true,
            None => self.skip("+").map(|()| false)?,
        };
        let part = |reader: &mut Self| -> Option<i32> {
            let _ = reader.skip(":");
            reader.digits(2, 2)?.parse().ok()
        };
        let hours: i32 = self.digits(2, 2)?.parse().ok()?;
        let minutes = if self.rest.is_empty() { 0 } else { part(self)? };
        let seconds = if self.rest.is_empty() { 0 } else { part(self)? };
        let seconds = hours * 3_600 + minutes * 60 + seconds;
        Offset::from_seconds(if is_west { -seconds } else { seconds }).ok()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn formatted(value: &str, format: &str) -> String {
        let mut input = Input::of(Val::text(value), "2024-01-15T08:00:00.25Z");
        input.push(Val::text(format));
        let mut work = Work::new();
        date(input, &mut work).unwrap().to_text(&mut work).unwrap().to_string()
    }

    #[test]
    fn every_form_that_postgres_prints_is_read() {
        for (text, expected) in [
            ("2024-01-15T08:00:00Z", "2024-01-15T08:00:00.000+0000"),
            ("2024-01-15T08:00:00.123456Z", "2024-01-15T08:00:00.123+0000"),
            ("2024-01-15T10:00:00", "2024-01-15T10:00:00.000+0000"),
            ("2024-01-15 08:00:00+00", "2024-01-15T08:00:00.000+0000"),
            ("2024-01-15 08:00:00.5-07", "2024-01-15T08:00:00.500-0700"),
            ("2024-01-15 08:00:00+05:30", "2024-01-15T08:00:00.000+0530"),
            ("1890-01-15 08:00:00+00:53:28", "1890-01-15T08:00:00.000+005328"),
            ("2024-01-15T08:00:00+00:00", "2024-01-15T08:00:00.000+0000"),
            ("2024-01-15", "2024-01-15T00:00:00.000+0000"),
            ("0044-03-15 BC", "-0043-03-15T00:00:00.000+0000"),
            ("now", "2024-01-15T08:00:00.250+0000"),
            ("1705305600", "2024-01-15T08:00:00.000+0000"),
            ("March 14, 2016", "2016-03-14T00:00:00.000+0000"),
            ("14 mar 2016", "2016-03-14T00:00:00.000+0000"),
            ("Mon, 15 Jan 2024 08:00:00 GMT", "2024-01-15T08:00:00.000+0000"),
            ("Mon Jan 15 08:00:00 2024", "2024-01-15T08:00:00.000+0000"),
            ("Jan. 2nd 2024 8:05 pm", "2024-01-02T20:05:00.000+0000"),
        ] {
            assert_eq!(formatted(text, "%Y-%m-%dT%H:%M:%S.%L%z"), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_time_stays_as_it_is() {
        for text in [
            "",
            "infinity",
            "-infinity",
            "08:00:00",
            "1 day",
            "2024-13-01",
            "2024-01-32",
            "123456-01-01",
            "2024-01-15 08",
            "2024-01-15x",
            "-1152098955",
            "hello",
            "may",
            "99999999999999999999",
            "2024-01-15T08:00:00+99",
            "2024-01-15T24:00:00",
            "1:2:3:4",
        ] {
            assert_eq!(formatted(text, "%Y"), text);
        }
    }

    #[test]
    fn strftime_has_its_forms() {
        for (format, expected) in [
            ("%A %a %B %b %h %d %-d %e %_d", "Monday Mon January Jan Jan 05 5  5  5"),
            ("%^a %^B %H %I %l %k %p %P", "MON JANUARY 15 03  3 15 PM pm"),
            ("%j %U %W %V %G %u %w %y %C", "005 01 01 02 1970 1 1 70 19"),
            (
                "%D %F %T %R %r %c %x %X",
                "01/05/70 1970-01-05 15:04:05 15:04 03:04:05 PM Mon Jan  5 15:04:05 1970 01/05/70 15:04:05",
            ),
            ("%s %z %:z %Z %% %n%t|", "399845 +0000 +00:00 UTC % \n\t|"),
            ("%L %3N %6N %N %v", "000 000 000000 000000000  5-Jan-1970"),
            ("%Q! %J %", "UTC! %J %"),
            ("%3000000000d", "%3000000000d"),
            ("é%ü", "é%ü"),
        ] {
            assert_eq!(formatted("1970-01-05T15:04:05Z", format), expected, "{format}");
        }
        assert_eq!(formatted("1868-01-05", "%y %Y %C"), "68 1868 18");
    }

    #[test]
    fn a_zone_is_a_name_or_an_offset() {
        let in_zone = |zone: &str| {
            let mut input = Input::of(Val::text("2024-07-15T22:30:00Z"), "");
            input.push(Val::text("%F %R %Z"));
            input.push(Val::text(zone));
            let mut work = Work::new();
            date(input, &mut work).map(|it| it.to_text(&mut work).unwrap().to_string())
        };
        assert_eq!(in_zone("Europe/Berlin").unwrap(), "2024-07-16 00:30 CEST");
        assert_eq!(in_zone("America/New_York").unwrap(), "2024-07-15 18:30 EDT");
        assert_eq!(in_zone("+02:00").unwrap(), "2024-07-16 00:30 +02");
        let rejection = in_zone("Europe/Nowhere").unwrap_err();
        assert_eq!(rejection.reason, "the time zone is not known");
    }
}
