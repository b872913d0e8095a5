//! The right word for a wrong one, for the messages that refuse it.

/// The known word that is nearest to `word`, if one is near enough to be meant: a third of its
/// letters may be wrong, three at most.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let reach = (word.chars().count() / 3).clamp(1, 3);
    let distance = |candidate: &str| strsim::osa_distance(word, candidate);
    let near = known.into_iter().map(|candidate| (distance(candidate), candidate));
    near.filter(|(far, _)| *far <= reach).min_by_key(|(far, _)| *far).map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_seen_through_and_another_word_is_not() {
        let known = ["ready", "replicas", "rolled-back"];
        assert_eq!(nearest("redy", known), Some("ready"));
        assert_eq!(nearest("rolledback", known), Some("rolled-back"));
        assert_eq!(nearest("failed", known), None);
    }
}
