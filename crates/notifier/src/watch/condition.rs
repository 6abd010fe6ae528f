//! What an alert watches for.

use std::time::Duration;

use publisher::OptionError;
use serde::{Deserialize, Serialize};

use crate::error;
use crate::nearest::nearest;

/// A condition's name, without its limits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    RunFailed,
    Rejections,
    RunHeld,
    NoSuccess,
    RunLong,
    QueuePaused,
    WorkerDown,
    #[serde(rename = "unusual_counts")]
    Unusual,
}

/// How bad it is, in PagerDuty's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    Critical,
    Error,
    Warning,
}

impl Severity {
    pub fn name(self) -> &'static str {
        match self {
            Self::Critical => "critical",
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

impl Kind {
    pub const ALL: [Self; 8] = [
        Self::RunFailed,
        Self::Rejections,
        Self::RunHeld,
        Self::NoSuccess,
        Self::RunLong,
        Self::QueuePaused,
        Self::WorkerDown,
        Self::Unusual,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::RunFailed => "run_failed",
            Self::Rejections => "rejections",
            Self::RunHeld => "run_held",
            Self::NoSuccess => "no_success",
            Self::RunLong => "run_long",
            Self::QueuePaused => "queue_paused",
            Self::WorkerDown => "worker_down",
            Self::Unusual => "unusual_counts",
        }
    }

    pub fn severity(self) -> Severity {
        match self {
            Self::WorkerDown => Severity::Critical,
            Self::RunFailed | Self::RunHeld | Self::NoSuccess => Severity::Error,
            Self::Rejections | Self::RunLong | Self::QueuePaused | Self::Unusual => {
                Severity::Warning
            }
        }
    }

    /// What is shown of it in a title, after the subject's name.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::RunFailed => "run failed",
            Self::Rejections => "rows rejected",
            Self::RunHeld => "run held",
            Self::NoSuccess => "no successful run",
            Self::RunLong => "run takes long",
            Self::QueuePaused => "queue given up",
            Self::WorkerDown => "worker down",
            Self::Unusual => "unusual counts",
        }
    }

    fn needs(self) -> Needs {
        match self {
            Self::Rejections => Needs::Over,
            Self::NoSuccess | Self::RunLong | Self::WorkerDown => Needs::Interval,
            _ => Needs::Nothing,
        }
    }
}

/// The limit that a condition has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    Over,
    Interval,
}

/// How many rejections are too many.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Over {
    Rows(u64),
    /// Of the rows that a run would have published, from 0 to 1.
    Share(f64),
}

/// A condition with its limit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Condition {
    /// The last run that has ended failed.
    RunFailed,
    /// The last run that has ended rejected more than so many rows.
    Rejections { over: Over },
    /// A run waits for somebody's decision.
    RunHeld,
    /// No run has gone through for so long.
    NoSuccess { within: Duration },
    /// A run has been under way for longer than this.
    RunLong { over: Duration },
    /// A queue has been given up.
    QueuePaused,
    /// The database's worker has not been seen for so long.
    WorkerDown { within: Duration },
    /// The last comparison found far more changes than those before.
    Unusual,
}

impl Condition {
    /// The condition of that name and those limits, as `sqs_sync_alert_create` is given them.
    ///
    /// # Errors
    ///
    /// An unknown name; a limit that is missing, not this condition's or out of range.
    pub fn new(
        name: &str,
        over: Option<&str>,
        within: Option<Duration>,
    ) -> Result<Self, OptionError> {
        let kind = kind_of(name)?;
        let needs = kind.needs();
        let given =
            [(Needs::Over, "over", over.is_some()), (Needs::Interval, "within", within.is_some())];
        for (need, option, is_given) in given {
            if is_given && needs != need {
                return Err(error::invalid(
                    format!("condition {name} has no \"{option}\""),
                    "Leave it out.",
                ));
            }
            if !is_given && needs == need {
                return Err(missing(name, option));
            }
        }
        let time = || {
            let within = within.ok_or_else(|| missing(name, "within"))?;
            if within.is_zero() {
                return Err(error::invalid("\"within\" is zero", "Give a time: '1 hour'."));
            }
            Ok(within)
        };
        Ok(match kind {
            Kind::RunFailed => Self::RunFailed,
            Kind::Rejections => {
                Self::Rejections { over: limit(over.ok_or_else(|| missing(name, "over"))?)? }
            }
            Kind::RunHeld => Self::RunHeld,
            Kind::NoSuccess => Self::NoSuccess { within: time()? },
            Kind::RunLong => Self::RunLong { over: time()? },
            Kind::QueuePaused => Self::QueuePaused,
            Kind::WorkerDown => Self::WorkerDown { within: time()? },
            Kind::Unusual => Self::Unusual,
        })
    }

    pub fn kind(self) -> Kind {
        match self {
            Self::RunFailed => Kind::RunFailed,
            Self::Rejections { .. } => Kind::Rejections,
            Self::RunHeld => Kind::RunHeld,
            Self::NoSuccess { .. } => Kind::NoSuccess,
            Self::RunLong { .. } => Kind::RunLong,
            Self::QueuePaused => Kind::QueuePaused,
            Self::WorkerDown { .. } => Kind::WorkerDown,
            Self::Unusual => Kind::Unusual,
        }
    }
}

fn kind_of(name: &str) -> Result<Kind, OptionError> {
    let names = Kind::ALL.map(Kind::name);
    Kind::ALL.into_iter().find(|kind| kind.name() == name).ok_or_else(|| {
        let perhaps = nearest(name, names).map(|n| format!("Perhaps {n}? ")).unwrap_or_default();
        error::invalid(
            format!("unrecognized condition \"{}\"", crate::text::line(name, 63)),
            format!("{perhaps}Conditions are: {}.", names.join(", ")),
        )
    })
}

fn missing(name: &str, option: &str) -> OptionError {
    let example = if option == "over" { "'100', or a share: '5%'" } else { "a time: '1 hour'" };
    error::missing(
        format!("\"{option}\" of condition {name} is not given"),
        format!("Give {example}."),
    )
}

/// A number of rows, or a share in percent.
fn limit(over: &str) -> Result<Over, OptionError> {
    let parsed = match over.trim().strip_suffix('%') {
        Some(percent) => percent
            .trim()
            .parse()
            .ok()
            .filter(|percent| (0.0..100.0).contains(percent))
            .map(|percent: f64| Over::Share(percent / 100.0)),
        None => over.trim().parse().ok().map(Over::Rows),
    };
    parsed.ok_or_else(|| {
        error::invalid(
            "\"over\" is neither a number of rows nor a share",
            "It is such as '100', or '5%': a share is from 0% to less than 100%.",
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Option<Duration> = Some(Duration::from_secs(3600));

    #[test]
    fn a_condition_has_its_own_limit_and_no_other() {
        assert_eq!(Condition::new("run_failed", None, None), Ok(Condition::RunFailed));
        let share = Condition::Rejections { over: Over::Share(0.05) };
        assert_eq!(Condition::new("rejections", Some(" 5% "), None), Ok(share));
        let rows = Condition::Rejections { over: Over::Rows(100) };
        assert_eq!(Condition::new("rejections", Some("100"), None), Ok(rows));
        for (name, over, within) in [
            ("rejections", None, None),
            ("rejections", Some("5"), HOUR),
            ("run_failed", Some("5"), None),
            ("no_success", None, None),
            ("no_success", None, Some(Duration::ZERO)),
            ("no_success", Some("5"), HOUR),
        ] {
            assert!(Condition::new(name, over, within).is_err(), "{name} {over:?} {within:?}");
        }
    }

    #[test]
    fn a_limit_that_can_never_be_passed_is_none() {
        for over in ["100%", "-1", "-5%", "nan%", "inf%", "1e3", "", "%", "99999999999999999999"] {
            assert!(limit(over).is_err(), "{over}");
        }
        assert_eq!(limit("0"), Ok(Over::Rows(0)));
        assert_eq!(limit("0%"), Ok(Over::Share(0.0)));
    }

    #[test]
    fn a_mistyped_condition_is_told_the_one_that_was_meant() {
        let error = Condition::new("run_faild", None, None).unwrap_err();
        assert_eq!(error.message, "unrecognized condition \"run_faild\"");
        assert!(error.hint.unwrap().starts_with("Perhaps run_failed? "));
    }

    #[test]
    fn every_name_makes_its_condition() {
        for kind in Kind::ALL {
            let over = (kind.needs() == Needs::Over).then_some("1");
            let within = HOUR.filter(|_| kind.needs() == Needs::Interval);
            assert_eq!(Condition::new(kind.name(), over, within).unwrap().kind(), kind);
        }
    }
}
