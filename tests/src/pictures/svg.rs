//! A picture of a screen as SVG, for light and dark surroundings. The same screen gives the same
//! text, so that a change of the client is a change of a few lines.

use std::fmt::Write;

use crate::people::{
    screen::{Cell, Line, Screen, Style},
    terminal::COLUMNS,
};

/// A character's width and a line's height, in hundredths of a unit.
const CELL: usize = 840;
const LINE: usize = 1900;
const MARGIN: usize = 1600;
/// The bar on top.
const BAR: usize = 2800;

/// The sixteen colours on dark and on light ground; each is readable on its ground.
const COLOURS: [(&str, &str); 16] = [
    ("#484f58", "#24292f"),
    ("#ff7b72", "#cf222e"),
    ("#3fb950", "#116329"),
    ("#d29922", "#7d4e00"),
    ("#58a6ff", "#0969da"),
    ("#bc8cff", "#8250df"),
    ("#39c5cf", "#1b7c83"),
    ("#b1bac4", "#57606a"),
    ("#8b949e", "#57606a"),
    ("#ffa198", "#a40e26"),
    ("#56d364", "#1a7f37"),
    ("#e3b341", "#633c01"),
    ("#79c0ff", "#0550ae"),
    ("#d2a8ff", "#6639ba"),
    ("#56d4dd", "#136061"),
    ("#ffffff", "#24292f"),
];

/// Draws `screen`. `about` is its alternative text.
pub fn draw(screen: &Screen, about: &str) -> String {
    let lines: Vec<Line> = screen.lines.iter().flat_map(wrapped).collect();
    let width = units(2 * MARGIN + COLUMNS * CELL);
    let height = units(BAR + 2 * MARGIN + lines.len() * LINE);
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {width} {height}\" \
         width=\"{width}\" height=\"{height}\" role=\"img\">\n<title>{}</title>\n<style>\n{}</style>\n\
         <rect class=\"ground\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"8\"/>\n",
        escaped(about),
        style_sheet(),
        units(2 * MARGIN + COLUMNS * CELL - 100),
        units(BAR + 2 * MARGIN + lines.len() * LINE - 100),
    );
    for dot in 0..3 {
        let x = units(MARGIN + 400 + dot * 1800);
        let _ = writeln!(svg, "<circle class=\"dot\" cx=\"{x}\" cy=\"16\" r=\"5\"/>");
    }
    for (number, line) in lines.iter().enumerate() {
        let y = units(BAR + MARGIN + number * LINE + LINE * 3 / 4);
        let mut at = 0;
        for run in line.0.chunk_by(|one, other| one.style == other.style) {
            draw_run(&mut svg, run, at, &y);
            at += run.len();
        }
    }
    svg.push_str("</svg>\n");
    svg
}

/// Characters of one style. Its length is given, so that columns stand in line in every font.
fn draw_run(svg: &mut String, run: &[Cell], at: usize, y: &str) {
    let text: String = run.iter().map(|cell| cell.character).collect();
    let words = text.trim();
    if words.is_empty() {
        return;
    }
    let before = text.chars().take_while(|character| *character == ' ').count();
    let x = units(MARGIN + (at + before) * CELL);
    let length = units(words.chars().count() * CELL);
    let class = run.first().map(|cell| class(cell.style)).unwrap_or_default();
    let words = escaped(words);
    let _ =
        writeln!(svg, "<text x=\"{x}\" y=\"{y}\" textLength=\"{length}\"{class}>{words}</text>");
}

fn class(style: Style) -> String {
    let colour = style.colour.map(|colour| format!("c{colour}"));
    let bold = style.is_bold.then(|| "bold".to_owned());
    let faint = style.is_faint.then(|| "faint".to_owned());
    let classes: Vec<_> = [colour, bold, faint].into_iter().flatten().collect();
    if classes.is_empty() { String::new() } else { format!(" class=\"{}\"", classes.join(" ")) }
}

fn style_sheet() -> String {
    let mut sheet = String::from(
        "text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,\"DejaVu Sans Mono\",\
         \"Liberation Mono\",monospace;white-space:pre;fill:#e6edf3}\n\
         .ground{fill:#0d1117;stroke:#444c56}.dot{fill:#30363d}\n\
         .bold{font-weight:700}.faint{opacity:.7}\n",
    );
    let colours = |sheet: &mut String, pick: fn(&(&'static str, &'static str)) -> &'static str| {
        for (number, colour) in COLOURS.iter().enumerate() {
            let _ = write!(sheet, ".c{number}{{fill:{}}}", pick(colour));
        }
    };
    colours(&mut sheet, |(dark, _)| dark);
    sheet.push_str(
        "\n@media (prefers-color-scheme:light){\ntext{fill:#1f2328}\
         .ground{fill:#f6f8fa;stroke:#d0d7de}.dot{fill:#d0d7de}\n",
    );
    colours(&mut sheet, |(_, light)| light);
    sheet.push_str("\n}\n");
    sheet
}

/// The line as the terminal breaks it.
fn wrapped(line: &Line) -> Vec<Line> {
    if line.0.is_empty() {
        return vec![Line::default()];
    }
    line.0.chunks(COLUMNS).map(|cells| Line(cells.to_vec())).collect()
}

fn units(hundredths: usize) -> String {
    let text = format!("{}.{:02}", hundredths / 100, hundredths % 100);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_is_drawn_in_its_column_and_colour_and_is_not_markup() {
        let svg = draw(&Screen::read("  \u{1b}[31m<b>\u{1b}[0m & so"), "A < B");
        assert!(svg.contains("textLength=\"25.2\" class=\"c1\">&lt;b&gt;</text>"), "{svg}");
        assert!(
            svg.contains("<text x=\"32.8\"") && svg.contains("<title>A &lt; B</title>"),
            "{svg}"
        );
    }

    #[test]
    fn long_lines_are_broken_where_the_terminal_breaks_them() {
        let line = Screen::read(&"x".repeat(COLUMNS + 1)).lines.remove(0);
        assert_eq!(wrapped(&line).len(), 2);
    }
}
