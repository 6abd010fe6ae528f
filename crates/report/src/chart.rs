//! Charts of a history: bars in stacks, or a range with its middle, over the same spans of time.
//!
//! The drawing is stretched to the room that there is, and so holds no text: labels stand beside it,
//! in the letters of the page. An axis begins at zero. What is not zero is drawn at least so high
//! that it can be seen.

use std::fmt::Write;

use maud::{Markup, html};

use crate::data::{History, Span};
use crate::number::{counted, short};
use crate::time::{Duration, Time};

/// Height of the drawing, in units of its own: a percent each.
const HEIGHT: f64 = 100.0;
/// Width of a span, and of the bar in it.
const STEP: f64 = 10.0;
const BAR: f64 = 7.6;
const LEAST_HEIGHT: f64 = 1.4;
const MOST_TICKS: f64 = 4.0;

pub struct Series {
    /// Gives the colour.
    pub class: &'static str,
    pub label: &'static str,
    pub of: fn(&Span) -> f64,
}

/// What all charts have.
pub struct Chart<'a> {
    pub title: &'a str,
    /// What is counted, in which unit.
    pub unit: String,
    /// Said instead of a chart of nothing.
    pub nothing: &'a str,
    pub history: &'a History,
    /// What a span comes to, in words.
    pub tell: &'a dyn Fn(&Span) -> String,
}

impl Chart<'_> {
    /// A bar a span, made of its series one on the other.
    pub fn stacks(&self, scale: Scale, series: &[Series]) -> Markup {
        let height = |span: &Span| series.iter().map(|one| (one.of)(span)).sum::<f64>();
        let Some(axis) = self.axis(height, scale) else { return self.empty() };
        let mut below = vec![0.0; self.history.spans.len()];
        let present: Vec<&Series> = series.iter().filter(|one| self.any(one.of)).collect();
        let marks = html! {
            @for one in &present {
                path class={ "bar " (one.class) } d=(self.bars(one.of, axis.top, &mut below)) {}
            }
        };
        let legend = html! {
            @if present.len() > 1 || series.len() > 1 {
                ul class="legend" {
                    @for one in &present { li { span class={ "key " (one.class) } {} (one.label) } }
                }
            }
        };
        self.figure(legend, &axis, marks, short)
    }

    /// From the median to the longest.
    pub fn durations(&self) -> Markup {
        let seconds = |of: Option<Duration>| of.map_or(0.0, Duration::seconds);
        let Some(axis) = self.axis(|span| seconds(span.longest), Scale::Seconds) else {
            return self.empty();
        };
        let (mut ranges, mut dots) = (String::new(), String::new());
        for (i, span) in self.history.spans.iter().enumerate() {
            let (Some(median), Some(longest)) = (span.median, span.longest) else { continue };
            let x = (i as f64 + 0.5) * STEP;
            let y = |of: Duration| HEIGHT * (1.0 - of.seconds() / axis.top);
            let _ = write!(ranges, "M{x:.0} {:.1}V{:.1}", y(median), y(longest));
            let _ = write!(dots, "M{x:.0} {:.1}h0", y(median));
        }
        let marks = html! {
            path class="range" d=(ranges) {}
            path class="dot" d=(dots) {}
        };
        let legend = html! {
            ul class="legend" {
                li { span class="key dots" {} "median" }
                li { span class="key line" {} "up to the longest" }
            }
        };
        self.figure(legend, &axis, marks, |s| Duration((s * 1000.0) as i64).axis())
    }

    fn any(&self, of: fn(&Span) -> f64) -> bool {
        self.history.spans.iter().any(|span| of(span) > 0.0)
    }

    fn bars(&self, of: fn(&Span) -> f64, top: f64, below: &mut [f64]) -> String {
        let mut path = String::new();
        for ((i, span), below) in self.history.spans.iter().enumerate().zip(below) {
            let value = of(span);
            if value > 0.0 {
                let height = (HEIGHT * value / top).max(LEAST_HEIGHT);
                let x = i as f64 * STEP + (STEP - BAR) / 2.0;
                let y = HEIGHT - *below;
                let _ = write!(path, "M{x:.1} {y:.1}v{:.1}h{BAR}v{height:.1}z", -height);
                *below += height;
            }
        }
        path
    }

    /// None if there is nothing above zero.
    fn axis(&self, height: impl Fn(&Span) -> f64, scale: Scale) -> Option<Axis> {
        let most = self.history.spans.iter().map(height).fold(0.0, f64::max);
        (most > 0.0 && most.is_finite()).then(|| Axis::up_to(most, scale))
    }

    fn empty(&self) -> Markup {
        html! {
            figure class="chart" {
                figcaption { h3 { (self.title) } }
                p class="empty" { (self.nothing) }
            }
        }
    }

    fn figure(
        &self,
        legend: Markup,
        axis: &Axis,
        marks: Markup,
        label: impl Fn(f64) -> String,
    ) -> Markup {
        let spans = self.history.spans.len();
        let width = spans as f64 * STEP;
        html! {
            figure class="chart" {
                figcaption { h3 { (self.title) } p class="unit" { (self.unit) } (legend) }
                div class="plot" {
                    div class="y" aria-hidden="true" {
                        @for tick in axis.ticks() {
                            span style={ "bottom:" (format!("{:.1}", 100.0 * tick / axis.top)) "%" } { (label(tick)) }
                        }
                    }
                    svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none" role="img" aria-label=(self.summary()) {
                        @for tick in axis.ticks() {
                            path class="grid" d={ "M0 " (format!("{:.1}", HEIGHT * (1.0 - tick / axis.top))) "H" (width) } {}
                        }
                        (marks)
                        @for (i, span) in self.history.spans.iter().enumerate() {
                            @if span.runs() > 0 {
                                rect class="hover" x=(i as f64 * STEP) y="0" width=(STEP) height=(HEIGHT) {
                                    title { (self.history.when(i)) ": " ((self.tell)(span)) }
                                }
                            }
                        }
                    }
                    div class="x" aria-hidden="true" {
                        @for (share, label) in self.history.labels() {
                            span style={ "left:" (format!("{:.1}", 100.0 * share)) "%" } { (label) }
                        }
                    }
                }
            }
        }
    }

    /// For who does not see it; the figures are in a table.
    fn summary(&self) -> String {
        let runs: i64 = self.history.spans.iter().map(Span::runs).sum();
        format!(
            "{}: {}. {} in the last {}; the table below has the figures.",
            self.title,
            self.unit,
            counted(runs, "run", "runs"),
            self.history.words()
        )
    }
}

struct Axis {
    top: f64,
    step: f64,
}

/// What an axis counts in: it says which steps are round.
#[derive(Clone, Copy, PartialEq)]
pub enum Scale {
    Whole,
    Fractions,
    Seconds,
}

/// In each power of ten.
const ROUND: [f64; 4] = [1.0, 2.0, 5.0, 10.0];
/// Above a second, where a clock has steps of its own.
const SECONDS: [f64; 18] = [
    1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0,
    10_800.0, 21_600.0, 43_200.0, 86_400.0,
];

impl Axis {
    fn up_to(most: f64, scale: Scale) -> Axis {
        let least = match scale {
            Scale::Whole => (most / MOST_TICKS).max(1.0),
            _ => most / MOST_TICKS,
        };
        let power = 10f64.powf(least.log10().floor());
        let clock = SECONDS.into_iter().filter(|_| scale == Scale::Seconds && least > 1.0);
        let step = clock
            .chain(ROUND.map(|step| step * power))
            .find(|step| *step >= least)
            .unwrap_or(10.0 * power);
        Axis { top: step * (most / step).ceil().max(1.0), step }
    }

    fn ticks(&self) -> impl Iterator<Item = f64> {
        let count = (self.top / self.step).round() as i32;
        let step = self.step;
        (0..=count).map(move |i| f64::from(i) * step)
    }
}

impl History {
    pub fn length(&self) -> Duration {
        Duration(self.span.0.saturating_mul(self.spans.len() as i64))
    }

    /// How long it is: `hour`, `7 days`.
    pub fn words(&self) -> String {
        self.length().unit()
    }

    /// Where a span begins.
    pub fn begin(&self, index: usize) -> Time {
        self.begins.after(Duration(self.span.0.saturating_mul(index as i64)))
    }

    /// From when to when a span is.
    pub fn when(&self, index: usize) -> String {
        format!("{} to {} UTC", self.begin(index).minute(), self.begin(index + 1).clock())
    }

    /// What stands below the time axis, and where: round moments, not too many.
    fn labels(&self) -> Vec<(f64, String)> {
        let every = match self.span {
            span if span < Duration::MINUTE => Duration(5 * 60_000),
            span if span <= Duration::MINUTE => Duration(15 * 60_000),
            span if span <= Duration::HOUR => Duration(6 * 3_600_000),
            span if span <= Duration(6 * 3_600_000) => Duration(2 * 86_400_000),
            _ => Duration(7 * 86_400_000),
        };
        let count = self.spans.len();
        let label = |at: Time| if every < Duration::DAY { at.clock() } else { at.day() };
        (0..count)
            .map(|i| (i as f64 / count as f64, self.begin(i)))
            .filter(|(share, at)| at.0.rem_euclid(every.0) == 0 && (0.04..0.96).contains(share))
            .map(|(share, at)| (share, label(at)))
            .collect()
    }
}

impl Span {
    pub fn runs(&self) -> i64 {
        self.succeeded + self.partly_failed + self.failed + self.cancelled + self.open
    }
}

impl Duration {
    /// For a tick: `0`, `0.5 s`, `2 min`.
    fn axis(self) -> String {
        match self.0 {
            0 => "0".to_owned(),
            ..1000 => format!("{} ms", self.0),
            1000..60_000 => format!("{} s", short(self.seconds())),
            _ => self.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_axis_holds_all_and_has_few_round_ticks() {
        for most in [1e-3, 0.5, 1.0, 3.0, 7.0, 99.0, 100.0, 12_345.0, 9e12] {
            for scale in [Scale::Whole, Scale::Fractions, Scale::Seconds] {
                let axis = Axis::up_to(most, scale);
                let ticks: Vec<f64> = axis.ticks().collect();
                assert!(axis.top >= most, "{most}: up to {}", axis.top);
                assert!((2..=6).contains(&ticks.len()), "{most}: {ticks:?}");
            }
        }
        let ticks = |most, scale| Axis::up_to(most, scale).ticks().collect::<Vec<_>>();
        assert_eq!(ticks(7.0, Scale::Whole), [0.0, 2.0, 4.0, 6.0, 8.0]);
        assert_eq!(ticks(1.0, Scale::Whole), [0.0, 1.0]);
        assert_eq!(ticks(1.0, Scale::Fractions), [0.0, 0.5, 1.0]);
        assert_eq!(ticks(100.0, Scale::Seconds), [0.0, 30.0, 60.0, 90.0, 120.0]);
    }
}
