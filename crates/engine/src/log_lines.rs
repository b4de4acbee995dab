//! Puts lines together from what an engine hands over: whole lines, parts of long ones, or any pieces of text.

use bollard::container::LogOutput;

use crate::logs::{LogLine, LogStream};

/// Bytes kept of one line: longer ones are for files, not for reading.
pub(crate) const LINE_BYTES: usize = 8 * 1024;

/// `2026-11-22T11:02:05.468617280Z ` stands before each line, and before each part of one.
const LONGEST_TIME: usize = 40;

/// What stands at the end of a line that was cut.
const CUT: &str = " …";

/// The line of each stream that is not ended yet. Holds no more than a line of each, whatever comes.
#[derive(Default)]
pub(crate) struct Pieces {
    open: [Open; 2],
}

#[derive(Default)]
struct Open {
    bytes: Vec<u8>,
    cut: bool,
    begun: bool,
}

impl Pieces {
    /// Takes what came; gives the lines that it ends.
    pub(crate) fn take(&mut self, output: &LogOutput) -> Vec<LogLine> {
        let (stream, framed) = match output {
            LogOutput::StdErr { .. } => (LogStream::Stderr, true),
            LogOutput::StdOut { .. } | LogOutput::StdIn { .. } => (LogStream::Stdout, true),
            LogOutput::Console { .. } => (LogStream::Stdout, false),
        };
        let open = &mut self.open[stream as usize];
        let mut bytes = output.as_ref();
        if framed && open.begun {
            // Each part of a long line comes with a time of its own.
            bytes = split_time(bytes).map_or(bytes, |(_, rest)| rest);
        }
        let mut ended = Vec::new();
        for (nth, piece) in bytes.split(|byte| *byte == b'\n').enumerate() {
            if nth > 0 {
                ended.push(std::mem::take(open).line(stream));
            }
            open.take(piece);
        }
        ended
    }

    /// What was begun and never ended.
    pub(crate) fn end(self) -> Vec<LogLine> {
        let both = [LogStream::Stdout, LogStream::Stderr].into_iter().zip(self.open);
        both.filter(|(_, open)| open.begun).map(|(stream, open)| open.line(stream)).collect()
    }
}

impl Open {
    fn take(&mut self, piece: &[u8]) {
        let room = (LINE_BYTES + LONGEST_TIME).saturating_sub(self.bytes.len());
        self.begun |= !piece.is_empty();
        self.cut |= piece.len() > room;
        self.bytes.extend(&piece[..piece.len().min(room)]);
    }

    fn line(self, stream: LogStream) -> LogLine {
        let (at, text) = split_time(&self.bytes).unwrap_or((&[], &self.bytes));
        let text = String::from_utf8_lossy(text);
        // What the cut left of its last letter.
        let text =
            if self.cut { text.trim_end_matches(char::REPLACEMENT_CHARACTER) } else { text.trim_end_matches('\r') };
        let mut text = text.to_owned();
        if self.cut || text.len() > LINE_BYTES {
            text.truncate(text.floor_char_boundary(LINE_BYTES));
            text.push_str(CUT);
        }
        LogLine { stream, at: String::from_utf8_lossy(at).into_owned(), text }
    }
}

/// The time before a line, and the line.
fn split_time(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let looked_at = &bytes[..bytes.len().min(LONGEST_TIME)];
    let end = looked_at.iter().position(|byte| *byte == b' ').unwrap_or(looked_at.len());
    let time = &bytes[..end];
    let is_time = time.len() >= 20 && time[..4].iter().all(u8::is_ascii_digit) && time[10] == b'T';
    is_time.then(|| (time, bytes.get(end + 1..).unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const AT: &str = "2026-11-22T11:02:05.468617280Z";

    fn out(text: &str) -> LogOutput {
        LogOutput::StdOut { message: text.to_owned().into_bytes().into() }
    }

    fn err(text: &str) -> LogOutput {
        LogOutput::StdErr { message: text.to_owned().into_bytes().into() }
    }

    fn texts(outputs: &[LogOutput]) -> Vec<String> {
        let mut pieces = Pieces::default();
        let mut lines: Vec<LogLine> = outputs.iter().flat_map(|output| pieces.take(output)).collect();
        lines.extend(pieces.end());
        assert!(lines.iter().all(|line| line.at == AT || line.at.is_empty()), "{lines:?}");
        lines.iter().map(|line| format!("{:?} {}", line.stream, line.text)).collect()
    }

    #[test]
    fn lines_come_whole_with_their_time_and_streams_do_not_mix() {
        let outputs = [
            out(&format!("{AT} one ")),
            err(&format!("{AT} two\n")),
            out(&format!("{AT} and one\r\n")),
            out(&format!("{AT} \n")),
            err(&format!("{AT} never ended")),
        ];
        assert_eq!(texts(&outputs), ["Stderr two", "Stdout one and one", "Stdout ", "Stderr never ended"]);
        assert!(texts(&[]).is_empty());
    }

    #[test]
    fn text_of_a_terminal_comes_in_any_pieces() {
        let (first, second) = AT.split_at(9);
        let pieces = [first.to_owned(), format!("{second} a"), format!("b\r\n{AT} c\n")];
        let pieces = pieces.map(|piece| LogOutput::Console { message: piece.into_bytes().into() });
        assert_eq!(texts(&pieces), ["Stdout ab", "Stdout c"]);
    }

    #[test]
    fn a_line_without_end_is_cut_between_letters_and_never_held_whole() {
        for shift in 0..4 {
            let mut pieces = Pieces::default();
            assert!(pieces.take(&out(&format!("{AT} {}", "a".repeat(shift)))).is_empty());
            for _ in 0..100 {
                assert!(pieces.take(&out(&format!("{AT} {}", "€".repeat(1000)))).is_empty());
                assert!(pieces.open[0].bytes.len() <= LINE_BYTES + LONGEST_TIME);
            }
            let line = pieces.take(&out("\n")).remove(0);
            let text = line.text.strip_suffix(CUT).unwrap();
            assert!(text.len() <= LINE_BYTES && text.len() > LINE_BYTES - 4 && !text.contains('\u{FFFD}'), "{shift}");
        }
    }
}
