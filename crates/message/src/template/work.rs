//! What one template may do for one row. All that a template does is paid for here before it is
//! done, so that its time and its memory are bounded whatever it multiplies; and from time to time
//! the host is asked whether it should stop.

use std::sync::OnceLock;

use crate::error::Rejection;

/// The most steps for one row: a tag, a filter, an element of an array, or [`BYTES_A_STEP`] of text
/// are one. About a tenth of a second, and some dozen megabytes, at the very most.
pub(super) const MAX_STEPS: usize = 1_000_000;

/// How much text is made, or looked through, in a step.
pub(super) const BYTES_A_STEP: usize = 32;

/// After how many steps the host is asked.
const STEPS_A_CHECK: usize = 8_192;

/// The code of the rejection of a row whose rendering the host has stopped.
pub const INTERRUPTED: &str = "interrupted";

static HOST_INTERRUPTS: OnceLock<fn() -> bool> = OnceLock::new();

/// Has rendering ask from time to time whether it should stop, such as when a statement is
/// cancelled. A row that is stopped so has the rejection [`INTERRUPTED`], which says nothing of the
/// row. To be called once, before anything is rendered.
pub fn ask_for_interrupts(interrupts: fn() -> bool) {
    // Whoever calls it again asks for the same.
    let _ = HOST_INTERRUPTS.set(interrupts);
}

/// The steps that are left.
#[derive(Debug)]
pub(super) struct Work {
    left: usize,
    /// The host is asked when no more than this is left.
    next_check: usize,
}

impl Work {
    pub fn new() -> Work {
        Work { left: MAX_STEPS, next_check: MAX_STEPS - STEPS_A_CHECK }
    }

    /// The steps that have been paid for.
    #[cfg(test)]
    pub fn taken(&self) -> usize {
        MAX_STEPS - self.left
    }

    /// Pays for a step.
    pub fn step(&mut self) -> Result<(), Rejection> {
        self.steps(1)
    }

    /// Pays for many steps.
    pub fn steps(&mut self, steps: usize) -> Result<(), Rejection> {
        let Some(left) = self.left.checked_sub(steps) else { return Err(too_much()) };
        self.left = left;
        if left > self.next_check {
            return Ok(());
        }
        self.next_check = left.saturating_sub(STEPS_A_CHECK);
        match HOST_INTERRUPTS.get().is_some_and(|interrupts| interrupts()) {
            true => Err(Rejection::new(INTERRUPTED, "the rendering was interrupted")),
            false => Ok(()),
        }
    }

    /// Pays for text that is made or looked through.
    pub fn bytes(&mut self, bytes: usize) -> Result<(), Rejection> {
        self.steps(1 + bytes / BYTES_A_STEP)
    }

    /// Pays for looking for a text in another one. The one that is looked for is taken apart first,
    /// which takes some times as long as reading it.
    pub fn search(&mut self, text: &str, wanted: &str) -> Result<(), Rejection> {
        self.bytes(text.len().saturating_add(wanted.len().saturating_mul(4)))
    }

    /// Pays for text that is read within a step that is paid for: a short one costs nothing more.
    pub fn read(&mut self, bytes: usize) -> Result<(), Rejection> {
        self.steps(bytes / BYTES_A_STEP)
    }
}

fn too_much() -> Rejection {
    let reason = format!("the template takes more than {MAX_STEPS} steps for this row");
    Rejection::new("template_too_costly", reason)
        .with_hint("Do the work in the model, or limit the loop.")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn what_is_paid_for_is_bounded() {
        let mut work = Work::new();
        work.steps(MAX_STEPS - 1).unwrap();
        work.step().unwrap();
        assert_eq!(work.step().unwrap_err().code, "template_too_costly");
        assert_eq!(Work::new().steps(usize::MAX).unwrap_err().code, "template_too_costly");
        assert!(Work::new().bytes(BYTES_A_STEP * MAX_STEPS).is_err());
    }
}
