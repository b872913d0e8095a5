//! Whether an image is the one of a name: the name is a regular expression, a tag and a digest may
//! follow.
//!
//! Not here: what is done with the image (`images`).

use regex::Regex;

use super::pattern;

/// What an image must look like to be the one of a name.
pub(super) enum Pattern<'n> {
    /// The usual name, in which only the point means something: any character.
    Plain(&'n str),
    Regex(Regex),
}

impl<'n> Pattern<'n> {
    /// `None` where the name is no regular expression: it matches nothing.
    pub(super) fn new(name: &'n str) -> Option<Self> {
        const TAG: &str = "(:[a-zA-Z0-9_.{}-]*)?";
        const DIGEST: &str = "(@[a-zA-Z0-9]+([.+_-][a-zA-Z0-9]+)*:[a-zA-Z0-9_.{}-]*)?";
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-_/.:".contains(&b);
        if name.bytes().all(is_plain) {
            return Some(Self::Plain(name));
        }
        pattern::compile(&format!("^{name}{TAG}{DIGEST}$")).ok().map(Self::Regex)
    }

    pub(super) fn is_match(&self, image: &str) -> bool {
        match self {
            Self::Plain(name) => behind(image, name).is_some_and(is_tag_and_digest),
            Self::Regex(regex) => regex.is_match(image),
        }
    }
}

/// What follows the name.
fn behind<'i>(image: &'i str, name: &str) -> Option<&'i str> {
    let mut chars = image.chars();
    for expected in name.chars() {
        let c = chars.next()?;
        let fits = c == expected || (expected == '.' && c != '\n');
        if !fits {
            return None;
        }
    }
    Some(chars.as_str())
}

fn is_tag_and_digest(text: &str) -> bool {
    let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"_.{}-".contains(&b);
    let digest = match text.strip_prefix(':') {
        Some(tag) => tag.trim_start_matches(|c| u8::try_from(c).is_ok_and(is_allowed)),
        None => text,
    };
    if digest.is_empty() {
        return true;
    }
    let Some((kind, digits)) = digest.strip_prefix('@').and_then(|text| text.split_once(':'))
    else {
        return false;
    };
    let is_word = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_alphanumeric());
    kind.split(['.', '+', '_', '-']).all(is_word) && digits.bytes().all(is_allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_names_match_as_the_regular_expression_does() {
        let names = ["nginx", "ghcr.io/a/b", "host:5000/a", "", "a_b-c", "n.inx"];
        let ends = [
            "",
            ":",
            ":1.0",
            ":{tag}",
            "@sha256:0af",
            ":1@sha256:0af",
            ":1@sha256+x.y:",
            "@sha256",
            "@:1",
            "@a--b:1",
            ":1:2",
            "x",
            "/x",
            ":1/x",
            "@sha256:0/x",
            ":\u{e9}",
            " ",
            "@a:1@b:2",
            "\n",
        ];
        for name in names {
            let Some(Pattern::Plain(_)) = Pattern::new(name) else { panic!("{name} is plain") };
            // A bracket means the same, and is no plain name.
            let spelled = format!("(?:{name})");
            let Some(regex @ Pattern::Regex(_)) = Pattern::new(&spelled) else {
                panic!("{spelled}")
            };
            for start in
                ["nginx", "ghcr.io/a/b", "ghcrxio/a/b", "host:5000/a", "a_b-c", "", "n\ninx"]
            {
                for end in ends {
                    let image = format!("{start}{end}");
                    let plain = Pattern::Plain(name).is_match(&image);
                    assert_eq!(plain, regex.is_match(&image), "{name:?} {image:?}");
                }
            }
        }
    }
}
