//! Plain tables for a terminal: aligned columns, two spaces apart, no lines; and dates.

use std::io::{self, Write};

use serde_json::Value;
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use super::Format;

/// Writes a heading and rows.
pub(super) fn write<const N: usize>(
    stdout: &mut impl Write,
    heading: [&str; N],
    rows: &[[String; N]],
) -> io::Result<()> {
    let heading = heading.map(str::to_owned);
    let mut widths = [0; N];
    for row in std::iter::once(&heading).chain(rows) {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    for row in std::iter::once(&heading).chain(rows) {
        let cells = row.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}"));
        writeln!(stdout, "{}", cells.collect::<Vec<_>>().join("  ").trim_end())?;
    }
    Ok(())
}

/// Writes a list as the operator wants it: as JSON, or as a table.
pub(super) fn write_list<T, const N: usize>(
    stdout: &mut impl Write,
    Format { json }: Format,
    items: &[T],
    as_json: impl Fn(&T) -> Value,
    (heading, row): ([&str; N], impl Fn(&T) -> [String; N]),
) -> io::Result<()> {
    if json {
        return writeln!(stdout, "{}", items.iter().map(as_json).collect::<Value>());
    }
    write(stdout, heading, &items.iter().map(row).collect::<Vec<_>>())
}

/// A time as people and programs read it.
pub(super) fn date(seconds: i64) -> String {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok();
    date.and_then(|date| date.format(&Rfc3339).ok()).unwrap_or_else(|| seconds.to_string())
}

#[cfg(test)]
mod tests {
    #[test]
    fn columns_are_as_wide_as_their_widest_cell() {
        let mut text = Vec::new();
        let rows = [["a".into(), "1".into()], ["größer".into(), "22".into()]];
        super::write(&mut text, ["NAME", "N"], &rows).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), "NAME    N\na       1\ngrößer  22\n");
    }
}
