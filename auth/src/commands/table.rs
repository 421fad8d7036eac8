//! Plain tables for a terminal: aligned columns, two spaces apart, no lines.

use std::io::{self, Write};

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
