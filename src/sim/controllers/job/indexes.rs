//! Sets of completion indexes, as the status of an indexed Job writes them: `0,1,4-7` (R-CTL-18).

use std::collections::BTreeSet;

use crate::object::Object;

const INDEX: &str = "batch.kubernetes.io/job-completion-index";

/// Indexes below the number of completions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Indexes(pub(super) BTreeSet<i64>);

impl Indexes {
    /// Reads a list; what is not below `end` or cannot be read is left out.
    pub(super) fn parse(text: &str, end: i64) -> Self {
        let mut all = BTreeSet::new();
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(from), Ok(to)) = (from.parse::<i64>(), to.parse::<i64>()) {
                all.extend((from..=to).take_while(|index| *index < end));
            }
        }
        Self(all)
    }

    pub(super) fn has(&self, index: i64) -> bool {
        self.0.contains(&index)
    }

    /// How many.
    pub(super) fn total(&self) -> i64 {
        i64::try_from(self.0.len()).unwrap_or(i64::MAX)
    }

    /// The list: three or more in a row are a range.
    pub(super) fn text(&self) -> String {
        let mut runs: Vec<(i64, i64)> = Vec::new();
        for index in &self.0 {
            match runs.last_mut() {
                Some((_, last)) if *last + 1 == *index => *last = *index,
                _ => runs.push((*index, *index)),
            }
        }
        let one = |(first, last): &(i64, i64)| match last - first {
            0 => first.to_string(),
            1 => format!("{first},{last}"),
            _ => format!("{first}-{last}"),
        };
        runs.iter().map(one).collect::<Vec<_>>().join(",")
    }
}

/// The index that a pod works on, if it is below `end`.
pub(super) fn of(pod: &Object, end: i64) -> Option<i64> {
    any(pod).filter(|index| *index < end)
}

/// The index that a pod was made for, whether or not it is still wanted.
pub(super) fn any(pod: &Object) -> Option<i64> {
    pod.annotation(INDEX)?.parse().ok().filter(|index| *index >= 0)
}

/// The annotation and label of a pod's index.
pub(super) const NAME: &str = INDEX;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_read_and_written_with_ranges_of_three_and_more() {
        for (text, end, expected) in [
            ("", 9, ""),
            ("0,1", 9, "0,1"),
            ("0,1,2", 9, "0-2"),
            ("1,3-5,7", 9, "1,3-5,7"),
            ("1,3-5,7", 5, "1,3,4"),
            ("x,2-", 9, ""),
        ] {
            assert_eq!(Indexes::parse(text, end).text(), expected, "{text} below {end}");
        }
    }
}
