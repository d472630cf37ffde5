//! Lines of bounded length: a file without line ends must not fill the memory.

use std::io::{self, BufRead, Read};

/// Most bytes of one line, or of one value of a manifest: 64 MiB, a thousand times what a long record takes.
pub(crate) const MAX_LINE: usize = 64 << 20;

/// What [`read_line`] found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Line {
    /// A line with its line end.
    Whole,
    /// Bytes up to the end of the file, without a line end.
    Torn,
    /// More than [`MAX_LINE`] bytes without a line end; the rest was not read.
    TooLong,
    /// Nothing: the file ends here.
    End,
}

/// Reads the next line into `line`, its line end included; what was there is cleared.
pub(crate) fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<Line> {
    line.clear();
    let read = input.by_ref().take(MAX_LINE as u64).read_until(b'\n', line)?;
    Ok(match line.last() {
        None => Line::End,
        Some(b'\n') => Line::Whole,
        Some(_) if read == MAX_LINE => Line::TooLong,
        Some(_) => Line::Torn,
    })
}

/// The sentence for [`Line::TooLong`].
pub(crate) fn too_long() -> String {
    format!("it is longer than the {} MiB that a line may have", MAX_LINE >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_from_what_a_kill_leaves() {
        let mut input = &b"one\n\nthr"[..];
        let mut line = Vec::new();
        let mut next = || {
            let found = read_line(&mut input, &mut line).unwrap();
            (found, line.clone())
        };
        assert_eq!(next(), (Line::Whole, b"one\n".to_vec()));
        assert_eq!(next(), (Line::Whole, b"\n".to_vec()));
        assert_eq!(next(), (Line::Torn, b"thr".to_vec()));
        assert_eq!(next(), (Line::End, Vec::new()));
    }

    #[test]
    fn an_endless_line_is_given_up() {
        let mut endless = io::BufReader::new(io::repeat(b'x'));
        let mut line = Vec::new();
        assert_eq!(read_line(&mut endless, &mut line).unwrap(), Line::TooLong);
        assert_eq!(line.len(), MAX_LINE);
        let longest = io::repeat(b'x').take(MAX_LINE as u64 - 1).chain(&b"\n"[..]);
        assert_eq!(
            read_line(&mut io::BufReader::new(longest), &mut line).unwrap(),
            Line::Whole
        );
    }
}
