//! What can go wrong, by its code: what it means and what to do. It is what users read in the view
//! `sqs_sync.error_codes` and in docs/reference.md, which is made from it; a test finds codes that
//! the sources raise and that are not here.

mod call;
mod options;
mod rejection;
mod run;

/// An SQLSTATE, or the code of a rejection. A code is here once for each thing that it can mean.
pub struct Known {
    pub code: &'static str,
    /// What is wrong. An ellipsis stands for what the error names.
    pub means: &'static str,
    /// What to do; never empty.
    pub action: &'static str,
}

const fn known(code: &'static str, means: &'static str, action: &'static str) -> Known {
    Known { code, means, action }
}

/// Whether a rejection is the row's own fault: tried again as it is, it would be rejected again.
pub fn is_lasting(code: &str) -> bool {
    rejection::OF_THE_ROW.iter().any(|known| known.code == code)
}

/// All that are known, each with what it is an error of.
pub fn all() -> impl Iterator<Item = (&'static str, &'static Known)> {
    let kinds = [
        ("call", call::CALL),
        ("options", options::OPTIONS),
        ("run", run::RUN),
        ("rejection", rejection::REJECTION),
        ("rejection", rejection::OF_THE_ROW),
        ("test", rejection::TEST),
    ];
    kinds.into_iter().flat_map(|(kind, list)| list.iter().map(move |known| (kind, known)))
}
