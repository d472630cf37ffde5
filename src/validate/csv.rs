//! Comma-separated text (RFC 4180): fields with a comma, a quote or a line break are quoted.

use super::error::TableError;

/// Appends one line of fields.
pub fn push_line<T: AsRef<str>>(out: &mut String, fields: impl IntoIterator<Item = T>) {
    for (place, field) in fields.into_iter().enumerate() {
        if place > 0 {
            out.push(',');
        }
        let field = field.as_ref();
        if field.contains([',', '"', '\n', '\r']) {
            out.push('"');
            out.push_str(&field.replace('"', "\"\""));
            out.push('"');
        } else {
            out.push_str(field);
        }
    }
    out.push('\n');
}

/// A line of a file and where it begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Line number in the file, from 1.
    pub number: usize,
    /// Its fields, quotes taken off.
    pub fields: Vec<String>,
}

/// Reads all lines; empty ones are left out, and so is a byte order mark.
///
/// # Errors
/// [`TableError::Text`] for a quote that is not closed or stands inside a plain field.
pub fn parse(text: &str) -> Result<Vec<Line>, TableError> {
    let mut lines = Vec::new();
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text).chars().peekable();
    let mut number = 1;
    while rest.peek().is_some() {
        let start = number;
        let bad = |what: &str| TableError::Text {
            line: start,
            what: what.to_owned(),
        };
        let mut fields = vec![String::new()];
        let (mut quoted, mut closed) = (false, false);
        loop {
            let Some(c) = rest.next() else {
                if quoted {
                    return Err(bad("a quote is not closed"));
                }
                break;
            };
            number += usize::from(c == '\n');
            let Some(field) = fields.last_mut() else { break };
            match c {
                '"' if quoted && rest.peek() == Some(&'"') => {
                    rest.next();
                    field.push('"');
                }
                '"' if quoted => (quoted, closed) = (false, true),
                c if quoted => field.push(c),
                '"' if field.is_empty() && !closed => quoted = true,
                '"' => return Err(bad("a quote stands inside a field")),
                ',' => {
                    fields.push(String::new());
                    closed = false;
                }
                '\n' => break,
                '\r' if rest.peek() == Some(&'\n') => {}
                c => field.push(c),
            }
        }
        if fields != [""] {
            lines.push(Line { number: start, fields });
        }
    }
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let rows = [vec!["a", "b,c", "d\"e"], vec!["", "two\nlines", "ü"]];
        let mut text = String::new();
        for row in &rows {
            push_line(&mut text, row);
        }
        let read = parse(&text).unwrap();
        assert_eq!(read.iter().map(|l| l.number).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(read[0].fields, rows[0]);
        assert_eq!(read[1].fields, rows[1]);
    }

    #[test]
    fn spreadsheets_write_marks_and_carriage_returns() {
        let read = parse("\u{feff}a,b\r\n\r\n1,\"2\"\r\n3,4").unwrap();
        let fields: Vec<_> = read.into_iter().map(|l| (l.number, l.fields.join("|"))).collect();
        assert_eq!(fields, [(1, "a|b".into()), (3, "1|2".into()), (4, "3|4".into())]);
    }

    #[test]
    fn broken_quotes_are_named() {
        for text in ["a\n\"b", "a\nb\"c"] {
            assert!(parse(text).unwrap_err().to_string().contains("line 2"), "{text}");
        }
    }
}
