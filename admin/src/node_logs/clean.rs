//! Takes out of a line what is no text: escape sequences of terminals, other control characters, and what turns the
//! direction of writing, which can make a line read as something else. Markup stays: it is text, and shown as such.

/// The line as text alone.
pub fn clean(line: &str) -> String {
    let mut letters = line.chars().peekable();
    let mut text = String::with_capacity(line.len());
    while let Some(letter) = letters.next() {
        match letter {
            '\u{1b}' => match letters.next() {
                // CSI: parameters, then one letter from @ to ~.
                Some('[') => while letters.next().is_some_and(|letter| !('@'..='~').contains(&letter)) {},
                // OSC, DCS and their like: to BEL or ESC \.
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    while let Some(letter) = letters.next() {
                        if letter == '\u{7}' || (letter == '\u{1b}' && letters.next_if_eq(&'\\').is_some()) {
                            break;
                        }
                    }
                }
                // One more letter, or the end.
                Some(_) | None => {}
            },
            '\u{9b}' => while letters.next().is_some_and(|letter| !('@'..='~').contains(&letter)) {},
            '\t' => text.push('\t'),
            letter if letter.is_control() || turns(letter) => {}
            letter => text.push(letter),
        }
    }
    text
}

/// Marks that turn the direction of writing.
fn turns(letter: char) -> bool {
    matches!(letter, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_steers_a_terminal_goes_and_text_stays() {
        for (line, text) in [
            ("plain\ttext é €", "plain\ttext é €"),
            ("\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}]0;title\u{7}after", "after"),
            ("\u{1b}]8;;http://evil\u{1b}\\link\u{1b}]8;;\u{1b}\\", "link"),
            ("\u{9b}2Jcleared", "cleared"),
            ("a\u{8}\u{0}\rb", "ab"),
            ("\u{1b}cfull reset", "full reset"),
            ("never ended \u{1b}[31", "never ended "),
            ("\u{1b}", ""),
            ("user\u{202e}gnp.exe", "usergnp.exe"),
            ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ] {
            assert_eq!(clean(line), text, "{line:?}");
        }
    }
}
