//! `recordings FOLDER`: plays every walkthrough and keeps what the terminal shows at each step, as
//! text and as a picture, and a page with all of them. With names after the folder, only those.

use std::{error::Error, fmt::Write, fs, path::Path};

use tests::{
    people::desk::Step,
    pictures::svg::draw,
    walkthroughs::{ALL, Walkthrough},
};

const HEAD: &str = "\
# The client in a terminal

`make recordings` plays these in a real terminal (tmux), with the real `client` against a real
`auth` and `mcp`, and writes this page. The tests in `tests/it/flows/terminal.rs` play the same and
compare what they see with the text kept here. Ports, codes and the home directory have stable
names, and values that are random are shown as `…`.
";

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("name the folder to write to")?;
    let folder = Path::new(&folder);
    let wanted = arguments.collect::<Vec<_>>();
    let mut page = HEAD.to_owned();
    for walkthrough in ALL {
        if wanted.is_empty() || wanted.iter().any(|name| name == walkthrough.name) {
            let steps = (walkthrough.play)().await;
            keep(folder, &walkthrough, &steps)?;
            describe(&mut page, &walkthrough, &steps)?;
        }
    }
    if wanted.is_empty() {
        fs::write(folder.join("README.md"), page)?;
    }
    Ok(())
}

/// Replaces what is kept of a walkthrough.
fn keep(folder: &Path, walkthrough: &Walkthrough, steps: &[Step]) -> Result<(), Box<dyn Error>> {
    let pictures = folder.join(walkthrough.name);
    if pictures.exists() {
        fs::remove_dir_all(&pictures)?;
    }
    fs::create_dir_all(&pictures)?;
    for (number, step) in steps.iter().enumerate() {
        let picture = draw(&step.news, &step.news.text());
        fs::write(pictures.join(format!("{}.svg", number + 1)), picture)?;
    }
    fs::write(pictures.with_extension("txt"), walkthrough.transcript(steps))?;
    Ok(())
}

fn describe(
    page: &mut String,
    walkthrough: &Walkthrough,
    steps: &[Step],
) -> Result<(), std::fmt::Error> {
    let Walkthrough { name, title, about, .. } = walkthrough;
    writeln!(page, "\n## {title}\n\n{about} [As text]({name}.txt).")?;
    for (number, Step { sentence, .. }) in steps.iter().enumerate() {
        let number = number + 1;
        writeln!(page, "\n{number}. {sentence}\n\n   ![Step {number}]({name}/{number}.svg)")?;
    }
    Ok(())
}
