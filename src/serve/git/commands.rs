//! What a push asked for and what became of it: read from the two texts of `git receive-pack`,
//! the list of commands at the head of the request and the report in the answer.

/// One reference that a push changed. An id of zeros is none: it was made, or it is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Moved {
    /// Its full name.
    pub(super) reference: String,
    /// The commit that it was at.
    pub(super) before: String,
    /// The commit that it is at now.
    pub(super) after: String,
}

/// Commands of one push that are read; more is no push of a person.
const COMMANDS_MAX: usize = 10_000;

/// The references that a push has moved.
pub(super) fn moved(request: &[u8], answer: &[u8]) -> Vec<Moved> {
    let mut commands = commands(request);
    commands.retain(|moved| has(answer, format!("ok {}\n", moved.reference).as_bytes()));
    commands
}

/// Lines `old new reference`, the first with capabilities behind a zero byte, up to a flush.
fn commands(mut rest: &[u8]) -> Vec<Moved> {
    let mut found = Vec::new();
    while let Some((line, after)) = packet_line(rest)
        && found.len() < COMMANDS_MAX
    {
        rest = after;
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let text = String::from_utf8_lossy(line);
        let mut words = text.trim_end_matches('\n').splitn(3, ' ');
        if let (Some(before), Some(after), Some(reference)) =
            (words.next(), words.next(), words.next())
            && before.len() >= 40
        {
            let [before, after, reference] = [before, after, reference].map(str::to_owned);
            found.push(Moved { reference, before, after });
        }
    }
    found
}

/// A line behind its length in four hexadecimal digits; `None` at a flush and at the end.
fn packet_line(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = std::str::from_utf8(bytes.get(..4)?).ok()?;
    let length = usize::from_str_radix(length, 16).ok().filter(|length| *length > 4)?;
    Some((bytes.get(4..length)?, bytes.get(length..)?))
}

/// Whether a text is somewhere in the bytes.
fn has(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(text: &str) -> String {
        format!("{:04x}{text}", text.len() + 4)
    }

    #[test]
    fn a_reference_has_moved_where_the_answer_says_so() {
        let (old, new) = ("1".repeat(40), "2".repeat(40));
        let request = [
            line(&format!("{old} {new} refs/heads/main\0 report-status side-band-64k")),
            line(&format!("{old} {new} refs/heads/other\n")),
            "0000PACK...".to_owned(),
        ]
        .concat();
        let answer = "\x01000eunpack ok\n0019ok refs/heads/main\nng refs/heads/other no\n";
        let moved = moved(request.as_bytes(), answer.as_bytes());
        let names: Vec<&str> = moved.iter().map(|moved| moved.reference.as_str()).collect();
        assert_eq!(names, ["refs/heads/main"]);
        assert_eq!((&moved[0].before, &moved[0].after), (&old, &new));
        assert!(commands(b"zzzz").is_empty() && commands(b"00").is_empty());
    }
}
