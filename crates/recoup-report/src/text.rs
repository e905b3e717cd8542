//! Text on a screen: what it measures, how it wraps, and what must not reach a terminal.

use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

/// The columns that a text takes on a terminal.
pub(crate) fn width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// The columns of one character when it stands among others. An emoji selector widens the character
/// before it.
fn char_width(c: char) -> usize {
    if c == '\u{fe0f}' { 1 } else { c.width().unwrap_or(0) }
}

/// Whether a character steers a terminal or the direction of text rather than being seen.
fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The text on one line and without anything that would steer the terminal: names of resources come
/// from outside, and an escape sequence in one could rewrite the answer that stands beside it.
pub(crate) fn clean(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\n' | '\r' | '\t' | '\u{2028}' | '\u{2029}' => ' ',
            c if is_unsafe(c) => '\u{fffd}',
            c => c,
        })
        .collect()
}

/// A word as files write it, as people read it.
pub(crate) fn spaced(word: &str) -> String {
    word.replace('_', " ")
}

/// Places in a long word after which a line may end.
fn may_break_after(c: char) -> bool {
    matches!(c, '-' | '/' | '_' | '.' | ':' | ',' | ';' | '=' | '?' | '&') || char_width(c) == 2
}

/// A space at which no line ends: between an amount and its currency. Written as a plain space, so that
/// what is copied from a screen is found again.
pub(crate) const TIE: char = '\u{a0}';

/// The text with its ties written as plain spaces.
pub(crate) fn untied(text: &str) -> String {
    text.replace(TIE, " ")
}

/// The text in lines of at most `limit` columns: broken at spaces, between wide characters, after
/// punctuation inside a word, and anywhere where nothing else helps. Nothing is cut off.
pub(crate) fn wrap(text: &str, limit: usize) -> Vec<String> {
    let limit = limit.max(2);
    if width(text) <= limit {
        return vec![untied(text.trim_end())];
    }
    broken(text, limit).iter().map(|line| untied(line)).collect()
}

fn broken(text: &str, limit: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = String::new();
    let mut used = 0;
    for word in text.split(' ').filter(|word| !word.is_empty()) {
        let wide = width(word);
        let gap = usize::from(!line.is_empty());
        if used + gap + wide <= limit {
            if gap == 1 {
                line.push(' ');
            }
            line.push_str(word);
            used += gap + wide;
            continue;
        }
        // A word that fits on a line of its own is kept whole, unless it is of wide characters, which
        // have no spaces between words.
        let breaks_anywhere = wide > limit || word.chars().any(|c| char_width(c) == 2);
        if !breaks_anywhere {
            lines.push(std::mem::take(&mut line));
            line.push_str(word);
            used = wide;
            continue;
        }
        if gap == 1 {
            if used + 1 + 2 < limit {
                line.push(' ');
                used += 1;
            } else {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
        }
        // A space with nothing behind it is dropped where the line ends.
        for piece in pieces(word) {
            let wide: usize = piece.chars().map(char_width).sum();
            if used + wide > limit && used > 0 {
                lines.push(std::mem::take(&mut line).trim_end().to_owned());
                used = 0;
            }
            if wide <= limit {
                line.push_str(piece);
                used += wide;
                continue;
            }
            for c in piece.chars() {
                let wide = char_width(c);
                if used + wide > limit {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(c);
                used += wide;
            }
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// The parts of a word between places where it may be broken. A mark without width stays with the
/// character that it belongs to.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut rest = word;
    std::iter::from_fn(move || {
        let mut chars = rest.char_indices().peekable();
        let mut end = rest.len();
        while let Some((_, c)) = chars.next() {
            if may_break_after(c)
                && let Some((next, after)) = chars.peek()
                && char_width(*after) > 0
                && *after != '\u{fe0f}'
            {
                end = *next;
                break;
            }
        }
        let (piece, left) = rest.split_at_checked(end)?;
        rest = left;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Adds a paragraph whose first line begins with `first` and whose others are indented as far.
pub(crate) fn paragraph(out: &mut String, first: &str, text: &str, limit: usize) {
    let indent = width(first);
    for (index, line) in wrap(text, limit.saturating_sub(indent)).iter().enumerate() {
        if index == 0 {
            out.push_str(first);
        } else {
            out.extend(std::iter::repeat_n(' ', indent));
        }
        out.push_str(line);
        let kept = out.trim_end_matches(' ').len();
        out.truncate(kept);
        out.push('\n');
    }
}

/// The text with spaces behind it up to a width.
pub(crate) fn padded(text: &str, wide: usize) -> String {
    let mut out = text.to_owned();
    out.extend(std::iter::repeat_n(' ', wide.saturating_sub(width(text))));
    out
}

/// The text with spaces before it up to a width.
pub(crate) fn right(text: &str, wide: usize) -> String {
    let mut out: String = std::iter::repeat_n(' ', wide.saturating_sub(width(text))).collect();
    out.push_str(text);
    out
}

/// Text as HTML shows it, safe in elements and in quoted attributes.
pub(crate) fn html(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\r' | '\t' => out.push(' '),
            c if is_unsafe(c) => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
    out
}

/// Text as Markdown shows it, safe in a table's cell.
pub(crate) fn markdown(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in clean(text).chars() {
        match c {
            TIE => out.push(' '),
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\\' | '|' | '`' | '*' | '[' | ']' | '~' | '_' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

/// A page's address, where it is one that a browser opens and that cannot run anything.
pub(crate) fn web_address(url: &str) -> Option<&str> {
    (url.starts_with("https://") || url.starts_with("http://")).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_and_nothing_overflows() {
        let texts = [
            "a plain sentence with a-very-long-word-that-has-places-to-break and more",
            "云服务器包年包月 三个月的套餐包 cannot be returned, 因为已经开具发票",
            "0123456789012345678901234567890123456789012345678901234567890123456789",
            "https://example.com/a/very/long/path?with=query&and=more#fragment",
            "e\u{301}e\u{301}e\u{301}e\u{301}e\u{301} 👩‍👩‍👧‍👦👩‍👩‍👧‍👦 ☎\u{fe0f}☎\u{fe0f}☎\u{fe0f}",
            "costs 3000.00\u{a0}USD and carries over 999999999999999.99\u{a0}USD",
            "",
        ];
        let bare = |text: &str| text.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        for text in texts {
            for limit in 2..90 {
                let lines = wrap(text, limit);
                assert!(lines.iter().all(|line| width(line) <= limit), "{limit}: {lines:?}");
                assert_eq!(bare(&lines.concat()), bare(text));
            }
        }
    }

    #[test]
    fn an_amount_keeps_its_currency() {
        assert_eq!(wrap("costs 30.00\u{a0}USD", 12), ["costs", "30.00 USD"]);
    }

    #[test]
    fn what_steers_a_terminal_is_made_visible() {
        assert_eq!(clean("a\u{1b}[31mb\nc\u{202e}d"), "a\u{fffd}[31mb c\u{fffd}d");
    }

    #[test]
    fn markup_is_text() {
        assert_eq!(html("<script>\"x\" & 'y'"), "&lt;script&gt;&quot;x&quot; &amp; &#39;y&#39;");
        assert_eq!(markdown("a|b\n<c>"), "a\\|b &lt;c&gt;");
        assert_eq!(web_address("javascript:alert(1)"), None);
    }
}
