//! Rows as a table that fits the terminal.

use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::cell;
use crate::terminal::printable::printable_line;

/// Cells between two columns.
const GAP: usize = 2;
/// Narrowest column, in cells; a table that needs narrower ones is shown row by row.
const MIN_WIDTH: usize = 8;

/// The members of each row, if `value` is a list of objects.
pub(super) fn rows(value: &Value) -> Option<Vec<&Map<String, Value>>> {
    let items = value.as_array().filter(|items| !items.is_empty())?;
    items.iter().map(Value::as_object).collect()
}

/// `rows` as a table at most `columns` wide, if the terminal has a width.
pub(super) fn table(rows: &[&Map<String, Value>], columns: Option<usize>) -> String {
    let mut names: Vec<&str> = Vec::new();
    for name in rows.iter().flat_map(|row| row.keys()) {
        if !names.contains(&name.as_str()) {
            names.push(name);
        }
    }
    let columns = columns.unwrap_or(usize::MAX);
    let table: Vec<Column> = names.iter().map(|name| Column::new(name, rows)).collect();
    match fitting(&table, columns) {
        Some(widths) => drawn(&table, &widths),
        None => one_by_one(&table, rows.len()),
    }
}

struct Column {
    name: String,
    cells: Vec<String>,
    is_numeric: bool,
}

impl Column {
    fn new(name: &str, rows: &[&Map<String, Value>]) -> Self {
        let values = || rows.iter().map(|row| row.get(name));
        Self {
            name: printable_line(name),
            cells: values().map(|value| value.map(shown).unwrap_or_default()).collect(),
            is_numeric: values().flatten().all(|value| value.is_number() || value.is_null()),
        }
    }

    fn width(&self) -> usize {
        let cells = self.cells.iter().map(|cell| cell.width());
        cells.chain([self.name.width()]).max().unwrap_or_default()
    }
}

fn shown(value: &Value) -> String {
    printable_line(&cell(value).unwrap_or_else(|| value.to_string()))
}

/// The widths of the columns: as wide as they are or, where that is too much, the widest made
/// narrower first. `None` if they do not fit at all.
fn fitting(table: &[Column], columns: usize) -> Option<Vec<usize>> {
    let mut widths: Vec<usize> = table.iter().map(Column::width).collect();
    let gaps = GAP * widths.len().saturating_sub(1);
    let room = columns.checked_sub(gaps)?;
    while widths.iter().sum::<usize>() > room {
        let widest = widths.iter_mut().max()?;
        if *widest <= MIN_WIDTH {
            return None;
        }
        *widest -= 1;
    }
    Some(widths)
}

fn drawn(table: &[Column], widths: &[usize]) -> String {
    let names = table.iter().map(|column| column.name.as_str()).collect::<Vec<_>>();
    let rule = widths.iter().map(|width| "─".repeat(*width)).collect::<Vec<_>>();
    let mut lines = row(&names, table, widths);
    lines.push(rule.join(&" ".repeat(GAP)));
    let height = table.first().map_or(0, |column| column.cells.len());
    for index in 0..height {
        let cells = table.iter().map(|column| column.cells.get(index).map_or("", String::as_str));
        lines.extend(row(&cells.collect::<Vec<_>>(), table, widths));
    }
    lines.join("\n")
}

/// The lines of one row: as many as its longest cell takes.
fn row(cells: &[&str], table: &[Column], widths: &[usize]) -> Vec<String> {
    let cells = cells.iter().zip(widths).map(|(cell, width)| folded(cell, *width));
    let cells: Vec<Vec<String>> = cells.collect();
    let height = cells.iter().map(Vec::len).max().unwrap_or_default();
    let lines = (0..height).map(|index| {
        let parts = cells.iter().zip(table).zip(widths).map(|((cell, column), width)| {
            let text = cell.get(index).map_or("", String::as_str);
            let space = " ".repeat(width.saturating_sub(text.width()));
            if column.is_numeric { format!("{space}{text}") } else { format!("{text}{space}") }
        });
        parts.collect::<Vec<_>>().join(&" ".repeat(GAP)).trim_end().to_owned()
    });
    lines.collect()
}

/// `text` in lines of at most `width` cells, broken between words where there is a space.
fn folded(text: &str, width: usize) -> Vec<String> {
    let (mut lines, mut line, mut used) = (Vec::new(), String::new(), 0);
    for character in text.chars() {
        let wide = character.width().unwrap_or_default();
        if used + wide > width.max(1) && !line.is_empty() {
            let rest = match line.rfind(' ') {
                Some(space) if character != ' ' => line.split_off(space).trim_start().to_owned(),
                _ => String::new(),
            };
            lines.push(line.trim_end().to_owned());
            (used, line) = (rest.width(), rest);
        }
        if !(line.is_empty() && character == ' ') {
            line.push(character);
            used += wide;
        }
    }
    if !line.is_empty() || lines.is_empty() {
        lines.push(line);
    }
    lines
}

/// Each row by itself, a member to a line.
fn one_by_one(table: &[Column], height: usize) -> String {
    let width = table.iter().map(|column| column.name.width()).max().unwrap_or_default();
    let rows = (0..height).map(|index| {
        let lines = table.iter().map(|column| {
            let space = " ".repeat(width - column.name.width());
            let cell = column.cells.get(index).map_or("", String::as_str);
            format!("{}{space}  {cell}", column.name).trim_end().to_owned()
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    rows.collect::<Vec<_>>().join("\n\n")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(value: &Value, columns: Option<usize>) -> String {
        table(&rows(value).expect("rows"), columns)
    }

    #[test]
    fn rows_stand_in_columns_and_numbers_on_the_right() {
        let value = json!([
            {"city": "Rīga", "people": 605273},
            {"city": "東京", "people": 9, "twins": ["Paris", "Roma"]},
        ]);
        assert_eq!(
            shown(&value, None),
            "city  people  twins\n────  ──────  ───────────\nRīga  605273\n東京       9  Paris, Roma"
        );
    }

    #[test]
    fn a_table_never_leaves_the_terminal_and_loses_no_word() {
        let text = "one two three four five six seven";
        let value = json!([{"id": 1, "text": text}, {"id": 2, "text": "y".repeat(40)}]);
        let narrow = shown(&value, Some(20));
        assert!(narrow.lines().all(|line| line.width() <= 20), "{narrow}");
        let words = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.split(' ').all(|word| words.contains(word)), "{narrow}");
        assert_eq!(narrow.matches('y').count(), 40);
    }

    #[test]
    fn what_is_too_wide_for_columns_is_shown_row_by_row() {
        let value = json!([{"first": "a", "second": "b"}, {"first": "c"}]);
        let narrow = shown(&value, Some(9));
        assert_eq!(narrow, "first   a\nsecond  b\n\nfirst   c\nsecond");
    }

    #[test]
    fn a_cell_cannot_draw_on_the_terminal_or_break_out_of_its_line() {
        let value = json!([{"a\u{1b}[2J": "x\u{1b}]0;owned\u{7}\ny\u{202e}"}]);
        assert_eq!(shown(&value, None), "a\n───\nx y");
        let deep = json!([{"a": {"b": 1}}]);
        assert_eq!(shown(&deep, None), "a\n───────\n{\"b\":1}");
    }

    #[test]
    fn other_lists_are_no_tables() {
        for value in [json!([]), json!([1, 2]), json!([{"a": 1}, 2]), json!({"a": 1})] {
            assert!(rows(&value).is_none(), "{value}");
        }
    }
}
