//! `client skills`: what a server offers to teach, listed, shown and verified
//! (the MCP extension `io.modelcontextprotocol/skills`).

use rmcp::model::{Skill, SkillResources};
use serde_json::{Value, json};

use self::skill::SkillFile;
use crate::{
    cli::command::SkillCommand,
    commands::presentation::print_list,
    error::Error,
    exit::Exit,
    session::client::Client,
    terminal::{printable::printable_line, suggestion::closest},
};

pub(crate) mod folder;
pub(crate) mod skill;

pub(crate) async fn run(client: &mut Client, command: &SkillCommand) -> Result<(), Error> {
    let skills = skill::list(client).await?;
    match command {
        SkillCommand::List => print_list(client, &skills, describe, "\n", "offers no skills"),
        SkillCommand::Show { name } => show(client, find(client, &skills, name)?).await,
        SkillCommand::Save { name } => save(client, find(client, &skills, name)?).await,
        SkillCommand::Verify { name: None } => verify(client, &skills).await,
        SkillCommand::Verify { name: Some(name) } => {
            let one = find(client, &skills, name)?.clone();
            verify(client, &[one]).await
        }
    }
}

/// A name that two skills share names neither of them.
fn find<'a>(client: &Client, skills: &'a [Skill], name: &str) -> Result<&'a Skill, Error> {
    if let Some(exact) = skills.iter().find(|skill| skill.uri == name) {
        return Ok(exact);
    }
    let named: Vec<_> = skills.iter().filter(|skill| skill.name() == name).collect();
    match named.as_slice() {
        [only] => Ok(only),
        [] => {
            let hint = match closest(name, skills.iter().map(Skill::name)) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => "`skills` lists what there is".to_owned(),
            };
            let message = format!("{} offers no skill `{name}`", client.server);
            Err(Error::Usage { message, hint: Some(hint) })
        }
        several => {
            let uris: Vec<_> = several.iter().map(|skill| skill.uri.as_str()).collect();
            let message = format!("several skills are called `{name}`");
            Err(Error::Usage { message, hint: Some(format!("use one of {}", uris.join(", "))) })
        }
    }
}

fn describe(skill: &Skill) -> String {
    let extent = match &skill.resources {
        SkillResources::Files(files) => {
            let size: u64 = files.iter().map(|file| file.size).fold(0, u64::saturating_add);
            format!("{}, {size} bytes", counted(files.len()))
        }
        _ => "changes, so nothing vouches for it".to_owned(),
    };
    let about = printable_line(&skill.frontmatter.description);
    format!("{}  {about} ({extent})", printable_line(skill.name()))
}

async fn show(client: &mut Client, skill: &Skill) -> Result<(), Error> {
    let files = skill::load(client, skill).await?;
    let (manifest, others) = files.split_first().ok_or_else(|| Error::Skill {
        uri: skill.uri.clone(),
        reason: "it has no files".to_owned(),
    })?;
    let text = String::from_utf8_lossy(&manifest.content);
    let output = &client.output;
    if output.is_json() {
        output.json(&json!({
            "uri": skill.uri,
            "frontmatter": skill.frontmatter,
            "text": text,
            "files": files.iter().map(described_file).collect::<Vec<_>>(),
        }))?;
        return Ok(());
    }
    output.data(text.trim_end())?;
    if !others.is_empty() {
        output.say(&format!("\nIt brings {} more, as promised:", counted(others.len())));
    }
    for file in others {
        output.say(&format!("  {}  {} bytes", printable_line(&file.uri), file.content.len()));
    }
    Ok(())
}

async fn save(client: &mut Client, skill: &Skill) -> Result<(), Error> {
    let files = skill::load(client, skill).await?;
    let folder = folder::write(skill, &files, client.received().directory())?;
    let output = &client.output;
    if output.is_json() {
        let files: Vec<_> = files.iter().map(described_file).collect();
        return Ok(output.json(&json!({"uri": skill.uri, "folder": folder, "files": files}))?);
    }
    Ok(output.data(&format!("{}  {}", folder.display(), counted(files.len())))?)
}

fn counted(files: usize) -> String {
    if files == 1 { "one file".to_owned() } else { format!("{files} files") }
}

fn described_file(file: &SkillFile) -> Value {
    json!({"uri": file.uri, "size": file.content.len()})
}

/// Verifies all of them, even if one fails, and fails if any of them did.
async fn verify(client: &mut Client, skills: &[Skill]) -> Result<(), Error> {
    let mut judged = Vec::new();
    for skill in skills {
        match skill::load(client, skill).await {
            Ok(files) => judged.push((skill, Ok(files.len()))),
            Err(Error::Skill { reason, .. }) => judged.push((skill, Err(reason))),
            Err(error) => return Err(error),
        }
    }
    let output = &client.output;
    if output.is_json() {
        output.json(&judged.iter().map(as_json).collect::<Vec<_>>())?;
    } else if judged.is_empty() {
        output.say(&format!("{} offers no skills.", client.server));
    } else {
        output.data(&judged.iter().map(in_words).collect::<Vec<_>>().join("\n"))?;
    }
    if judged.iter().all(|(_, outcome)| outcome.is_ok()) {
        Ok(())
    } else {
        Err(Error::AlreadyTold(Exit::Failure))
    }
}

type Judged<'a> = (&'a Skill, Result<usize, String>);

fn as_json((skill, outcome): &Judged<'_>) -> Value {
    let verified = outcome.is_ok();
    let mut judged = json!({"uri": skill.uri, "name": skill.name(), "verified": verified});
    match outcome {
        Ok(files) => judged["files"] = json!(files),
        Err(reason) => judged["reason"] = json!(reason),
    }
    judged
}

fn in_words((skill, outcome): &Judged<'_>) -> String {
    let name = printable_line(skill.name());
    match outcome {
        Ok(files) => format!("{name}  as promised, {}", counted(*files)),
        Err(reason) => format!("{name}  NOT as promised: {}", printable_line(reason)),
    }
}
