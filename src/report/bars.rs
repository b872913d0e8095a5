//! Bars on a time line: each begins where the one before ended, so that a table of phases reads
//! as what happened when.

/// A bar from `from_us` to `to_us` on a line that stands for `total_us` in `width` columns.
/// Leading spaces included; drawn to an eighth of a column, and never nothing where there was
/// something.
pub(super) fn bar(from_us: u64, to_us: u64, total_us: u64, width: usize) -> String {
    if to_us <= from_us || total_us == 0 || width == 0 {
        return String::new();
    }
    let eighths_all = width * 8;
    let from = scaled(from_us, total_us, eighths_all);
    let to = scaled(to_us, total_us, eighths_all).min(eighths_all);
    let column = (from / 8).min(width - 1);
    let eighths = to.saturating_sub(column * 8).max(1);
    let mut text = " ".repeat(column);
    text.push_str(&"█".repeat(eighths / 8));
    match eighths % 8 {
        0 => {}
        1 => text.push('▏'),
        2 => text.push('▎'),
        3 => text.push('▍'),
        4 => text.push('▌'),
        5 => text.push('▋'),
        6 => text.push('▊'),
        _ => text.push('▉'),
    }
    text
}

fn scaled(us: u64, total_us: u64, eighths: usize) -> usize {
    let share = u128::from(us) * eighths as u128 / u128::from(total_us);
    usize::try_from(share).unwrap_or(eighths)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(from: u64, to: u64, expected: &str) {
        assert_eq!(bar(from, to, 80, 10), expected);
    }

    #[test]
    fn a_bar_begins_where_the_one_before_ended() {
        check(0, 20, "██▌");
        check(20, 80, "  ████████");
        check(40, 44, "     ▌");
    }

    #[test]
    fn what_took_time_shows_and_what_took_none_does_not() {
        assert_eq!(bar(0, 1, 1_000_000, 10), "▏");
        assert_eq!(bar(999_999, 1_000_000, 1_000_000, 10), "         █");
        check(30, 30, "");
        assert_eq!(bar(0, 0, 0, 10), "");
    }
}
