//! What somebody may have meant.

/// The name that a mistyped one is nearest to, if it is near to any.
pub(crate) fn nearest<'a>(
    typed: &str,
    names: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // What is long is no slip, and comparing it would take its time.
    let typed = typed.get(..64).unwrap_or(typed).to_lowercase();
    names
        .into_iter()
        .map(|name| (strsim::damerau_levenshtein(&typed, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 4)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_its_name_and_another_word_none() {
        let names = ["webhook_url", "endpoint_url", "to"];
        assert_eq!(nearest("webhok_url", names), Some("webhook_url"));
        assert_eq!(nearest("Webhook_URL", names), Some("webhook_url"));
        assert_eq!(nearest("password", names), None);
    }
}
