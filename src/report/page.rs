//! A page of text: width, colours, characters. What is written on it is not known here.

/// What the reader's screen can show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Whether ANSI colours may be used.
    pub color: bool,
    /// Whether characters beyond ASCII may be used.
    pub unicode: bool,
    /// Columns.
    pub width: usize,
}

impl Look {
    /// ASCII without colours.
    #[must_use]
    pub const fn plain(width: usize) -> Self {
        Self { color: false, unicode: false, width }
    }

    /// Block characters without colours: a README, a log.
    #[must_use]
    pub const fn text(width: usize) -> Self {
        Self { color: false, unicode: true, width }
    }

    /// Everything.
    #[must_use]
    pub const fn color(width: usize) -> Self {
        Self { color: true, unicode: true, width }
    }
}

/// An accent. What it looks like is decided here alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ink {
    Plain,
    Strong,
    Faint,
    Good,
    Bad,
    Warn,
    Bar,
}

/// Text that grows line by line.
pub(super) struct Page {
    pub(super) look: Look,
    text: String,
}

impl Page {
    pub(super) const fn new(look: Look) -> Self {
        Self { look, text: String::new() }
    }

    /// One line of pieces; spaces at its end are left out.
    pub(super) fn line(&mut self, pieces: &[(Ink, &str)]) {
        let end = pieces.iter().rposition(|(_, text)| !text.trim_end().is_empty());
        let (last, before) = match end {
            Some(end) => (&pieces[end], &pieces[..end]),
            None => return self.blank(),
        };
        for (ink, text) in before {
            self.piece(*ink, text);
        }
        self.piece(last.0, last.1.trim_end());
        self.text.push('\n');
    }

    /// A line with `right` at the page's right edge, or two spaces after `left` where they meet.
    pub(super) fn line_to_edge(&mut self, left: &[(Ink, &str)], right: (Ink, &str)) {
        let used: usize = left.iter().map(|(_, text)| columns(text)).sum();
        let gap = self.look.width.saturating_sub(used + columns(right.1)).max(2);
        let gap = " ".repeat(gap);
        let mut pieces = left.to_vec();
        pieces.extend([(Ink::Plain, gap.as_str()), right]);
        self.line(&pieces);
    }

    /// A paragraph, broken at spaces and moved in by `indent` columns. Line feeds are kept.
    pub(super) fn paragraph(&mut self, ink: Ink, indent: usize, text: &str) {
        let margin = " ".repeat(indent);
        for line in text.lines() {
            for row in wrap(line, self.look.width.saturating_sub(indent).max(20)) {
                self.line(&[(Ink::Plain, &margin), (ink, &row)]);
            }
        }
    }

    /// A label and a text beside it, which is broken at spaces and kept right of the label.
    pub(super) fn labelled(&mut self, label: &str, ink: Ink, text: &str) {
        let margin = " ".repeat(columns(label));
        let width = self.look.width.saturating_sub(columns(label)).max(20);
        let rows = text.lines().flat_map(|line| wrap(line, width));
        for (number, row) in rows.enumerate() {
            let label = if number == 0 { label } else { &margin };
            self.line(&[(Ink::Faint, label), (ink, &row)]);
        }
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// The text so far; all of it ASCII where only that may be used.
    pub(super) fn finish(self) -> String {
        if self.look.unicode { self.text } else { ascii(&self.text) }
    }

    fn piece(&mut self, ink: Ink, text: &str) {
        let code = match ink {
            _ if !self.look.color || text.trim().is_empty() => "",
            Ink::Plain => "",
            Ink::Strong => "1",
            Ink::Faint => "2",
            Ink::Good => "1;32",
            Ink::Bad => "1;31",
            Ink::Warn => "33",
            Ink::Bar => "36",
        };
        if code.is_empty() {
            self.text.push_str(text);
        } else {
            self.text.push_str(&format!("\u{1b}[{code}m{text}\u{1b}[0m"));
        }
    }
}

/// Columns that a text takes. Wide and combining characters are counted as one each: names and
/// messages here are Kubernetes' own, which have none.
pub(super) fn columns(text: &str) -> usize {
    text.chars().count()
}

/// `text` in at most `width` columns, its end cut where it is longer.
pub(super) fn cut(text: &str, width: usize) -> String {
    if columns(text) <= width {
        return text.to_owned();
    }
    let kept: String = text.chars().take(width.saturating_sub(1)).collect();
    kept.trim_end().to_owned() + "…"
}

/// `text` in at most `width` columns, its middle cut where it is longer: of an image, the tag at
/// its end tells the most.
pub(super) fn cut_middle(text: &str, width: usize) -> String {
    let all = columns(text);
    if all <= width || width < 12 {
        return cut(text, width);
    }
    let end = (width - 1) * 2 / 3;
    let start: String = text.chars().take(width - 1 - end).collect();
    let end: String = text.chars().skip(all - end).collect();
    format!("{start}…{end}")
}

/// `count noun`, with an s for any count but one.
pub(super) fn counted(count: usize, noun: &str) -> String {
    let (stem, plural) = match noun.strip_suffix("sh") {
        Some(_) => (noun, "es"),
        None => (noun, "s"),
    };
    format!("{count} {stem}{}", if count == 1 { "" } else { plural })
}

fn wrap(line: &str, width: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    let indent: String = line.chars().take_while(|c| *c == ' ').collect();
    let mut row = indent.clone();
    for word in line.split_whitespace() {
        let empty = row.trim().is_empty();
        if !empty && columns(&row) + 1 + columns(word) > width {
            rows.push(std::mem::replace(&mut row, indent.clone() + word));
        } else {
            if !empty {
                row.push(' ');
            }
            row.push_str(word);
        }
    }
    rows.push(row);
    rows
}

fn ascii(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '█' | '▉' | '▊' | '▋' | '▌' | '▍' => plain.push('='),
            '▎' | '▏' => plain.push('|'),
            '→' => plain.push_str("->"),
            '…' => plain.push_str("..."),
            'µ' => plain.push('u'),
            '·' => plain.push('-'),
            c if c.is_ascii() => plain.push(c),
            _ => plain.push('?'),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_paragraph_is_broken_at_spaces_and_keeps_its_line_feeds() {
        let mut page = Page::new(Look::plain(24));
        page.paragraph(Ink::Plain, 4, "one two three four five six\nseven");
        assert_eq!(page.finish(), "    one two three four\n    five six\n    seven\n");
    }

    #[test]
    fn a_text_beside_a_label_stays_right_of_it() {
        let mut page = Page::new(Look::plain(26));
        page.labelled("  found  ", Ink::Plain, "one two three four five");
        assert_eq!(page.finish(), "  found  one two three four\n         five\n");
    }

    #[test]
    fn a_right_piece_stands_at_the_edge_or_two_spaces_on() {
        let mut page = Page::new(Look::plain(12));
        page.line_to_edge(&[(Ink::Plain, "left")], (Ink::Plain, "right"));
        page.line_to_edge(&[(Ink::Plain, "much longer")], (Ink::Plain, "right"));
        assert_eq!(page.finish(), "left   right\nmuch longer  right\n");
    }

    #[test]
    fn a_plain_page_is_ascii_and_has_no_colour() {
        let mut page = Page::new(Look::plain(40));
        page.line(&[(Ink::Bad, "a → b"), (Ink::Bar, " ██▌▏"), (Ink::Plain, "   ")]);
        assert_eq!(page.finish(), "a -> b ===|\n");
    }

    #[test]
    fn a_text_that_is_cut_in_its_middle_keeps_both_ends() {
        assert_eq!(cut_middle("set-image shop/cart:1.10", 16), "set-i…/cart:1.10");
        assert_eq!(cut_middle("short", 16), "short");
    }

    #[test]
    fn colour_is_put_around_text_alone() {
        let mut page = Page::new(Look::color(40));
        page.line(&[(Ink::Bad, "no"), (Ink::Bad, "  "), (Ink::Plain, "yes")]);
        assert_eq!(page.finish(), "\u{1b}[1;31mno\u{1b}[0m  yes\n");
    }
}
