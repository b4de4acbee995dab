//! The end of a log, bounded as it comes in, whatever a container prints.

use std::collections::VecDeque;

use bollard::container::LogOutput;
use common::model::evidence::{MAX_LINE, MAX_LOG_LINES};

/// Bytes of a line that are looked at: a letter that the limit would cut is read whole, then left out.
const LOOKED_AT: usize = MAX_LINE + 3;

/// The last lines, and one for each stream that is not ended yet: an engine hands a long line over in parts.
#[derive(Default)]
pub(super) struct Lines {
    ended: VecDeque<String>,
    open: [Open; 2],
}

#[derive(Default)]
struct Open {
    bytes: Vec<u8>,
    cut: bool,
    begun: bool,
}

impl Lines {
    /// Takes what came: of a container without a terminal a line or a part of one, else any piece of text.
    pub(super) fn add(&mut self, output: &LogOutput) {
        let stream = usize::from(matches!(output, LogOutput::StdErr { .. }));
        for (nth, part) in output.as_ref().split(|byte| *byte == b'\n').enumerate() {
            if nth > 0 {
                self.finish(stream);
            }
            self.open[stream].take(part);
        }
    }

    /// All of it.
    pub(super) fn end(mut self) -> Vec<String> {
        self.finish_begun();
        self.ended.into()
    }

    /// What came before the reading failed, with the reason as the last line.
    pub(super) fn break_off(mut self, reason: &str) -> Vec<String> {
        self.finish_begun();
        self.keep(clean(format!("({reason})").as_bytes(), false));
        self.ended.into()
    }

    fn finish_begun(&mut self) {
        for stream in [0, 1] {
            if self.open[stream].begun {
                self.finish(stream);
            }
        }
    }

    fn finish(&mut self, stream: usize) {
        let line = std::mem::take(&mut self.open[stream]);
        self.keep(clean(&line.bytes, line.cut));
    }

    fn keep(&mut self, line: String) {
        if self.ended.len() == MAX_LOG_LINES {
            self.ended.pop_front();
        }
        self.ended.push_back(line);
    }
}

impl Open {
    fn take(&mut self, part: &[u8]) {
        let room = LOOKED_AT - self.bytes.len();
        self.begun |= !part.is_empty();
        self.cut |= part.len() > room;
        self.bytes.extend(&part[..part.len().min(room)]);
    }
}

/// Whole letters, none that steers a terminal, at most so many bytes.
fn clean(bytes: &[u8], cut: bool) -> String {
    let text = String::from_utf8_lossy(bytes);
    // What the cut left of its last letter.
    let text = if cut { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { &text };
    let mut text: String = text.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect();
    text.truncate(text.floor_char_boundary(MAX_LINE));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn out(text: &[u8]) -> LogOutput {
        LogOutput::StdOut { message: text.to_vec().into() }
    }

    fn err(text: &[u8]) -> LogOutput {
        LogOutput::StdErr { message: text.to_vec().into() }
    }

    fn read(outputs: &[LogOutput]) -> Vec<String> {
        let mut lines = Lines::default();
        outputs.iter().for_each(|output| lines.add(output));
        lines.end()
    }

    #[test]
    fn lines_come_whole_though_they_came_in_parts_and_streams_do_not_mix() {
        let outputs = [out(b"one "), err(b"two\n"), out(b"and one\nthree"), err(b"\n")];
        assert_eq!(read(&outputs), ["two", "one and one", "", "three"]);
        let terminal = LogOutput::Console { message: (&b"a\r\n\x1b[31mb\tc\r\n"[..]).into() };
        assert_eq!(read(&[terminal]), ["a", "[31mb\tc"]);
        assert!(read(&[]).is_empty());
    }

    #[test]
    fn the_last_lines_stay_and_the_reading_never_holds_more() {
        let mut lines = Lines::default();
        for line in 0..10_000 {
            lines.add(&out(format!("{line}\n").as_bytes()));
            assert!(lines.ended.len() <= MAX_LOG_LINES);
        }
        for _ in 0..1000 {
            lines.add(&out(&[b'x'; 16 * 1024]));
            assert!(lines.open[0].bytes.len() <= LOOKED_AT);
        }
        let lines = lines.end();
        assert_eq!((lines.len(), lines[0].as_str(), lines[MAX_LOG_LINES - 1].len()), (MAX_LOG_LINES, "9951", MAX_LINE));
    }

    #[test]
    fn a_line_is_cut_between_letters_whatever_its_bytes() {
        for shift in 0..4 {
            let mut long = "a".repeat(shift);
            long.push_str(&"€".repeat(1000));
            let line = read(&[out(long.as_bytes())]).remove(0);
            assert!(
                line.len() <= MAX_LINE && line.len() > MAX_LINE - 4 && !line.contains('\u{FFFD}'),
                "{shift}: {line}"
            );
            let broken: Vec<u8> = std::iter::repeat_n([0xff, 0xe2, 0x82], 1000).flatten().collect();
            assert!(read(&[out(&broken)])[0].len() <= MAX_LINE);
        }
    }

    #[test]
    fn a_reading_that_breaks_off_says_so_behind_what_came() {
        let mut lines = Lines::default();
        lines.add(&out(b"begun"));
        assert_eq!(lines.break_off("no more of it came in time"), ["begun", "(no more of it came in time)"]);
    }
}
