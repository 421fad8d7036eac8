//! Skills that a server offers: listed without reading a file, loaded only as promised
//! (the MCP extension `io.modelcontextprotocol/skills`).
//!
//! `SKILL.md` comes first. Its size, digest and frontmatter must be those of the list; a skill
//! that differs anywhere is not loaded, and nothing more of it is read.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use rmcp::model::{
    ErrorCode, ReadResourceRequestParams, ResourceContents, Skill, SkillFrontmatter, SkillResource,
    SkillResources,
};

use crate::{error::Error, session::client::Client};

/// The file that every skill begins with.
pub(super) const SKILL_MD: &str = "SKILL.md";

/// A file of a skill, as it was promised.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SkillFile {
    pub(crate) uri: String,
    pub(crate) content: Vec<u8>,
}

/// The server's skills. No file is read for this.
pub async fn list(client: &mut Client) -> Result<Vec<Skill>, Error> {
    match client.request(async |running| running.list_all_skills().await).await {
        // A server that does not know the extension has no skills.
        Err(Error::Server { code, .. }) if code == ErrorCode::METHOD_NOT_FOUND.0 => Ok(Vec::new()),
        listed => listed,
    }
}

/// Loads `skill`, `SKILL.md` first, each file checked before the next one is read.
pub async fn load(client: &mut Client, skill: &Skill) -> Result<Vec<SkillFile>, Error> {
    skill.validate().map_err(|error| refused(skill, &error.to_string()))?;
    let SkillResources::Files(promised) = &skill.resources else {
        return Err(refused(skill, "its content changes, so nothing about it can be checked"));
    };
    let Some(manifest) = promised.iter().find(|file| file.uri == skill.uri) else {
        return Err(refused(skill, "the list does not promise its own SKILL.md"));
    };
    let first = read(client, skill, manifest).await?;
    check_frontmatter(&first.content, &skill.frontmatter)
        .map_err(|reason| refused(skill, &reason))?;
    let mut files = vec![first];
    for file in promised.iter().filter(|file| file.uri != skill.uri) {
        files.push(read(client, skill, file).await?);
    }
    Ok(files)
}

async fn read(
    client: &mut Client,
    skill: &Skill,
    promised: &SkillResource,
) -> Result<SkillFile, Error> {
    let uri = promised.uri.clone();
    let asked = ReadResourceRequestParams::new(uri.clone());
    let answer = client.request(async |running| running.read_resource(asked.clone()).await).await?;
    let content = answer.contents.iter().find_map(|content| content_of(content, &uri));
    let content = content.ok_or_else(|| refused(skill, &format!("{uri} came without content")))?;
    promised.verify(&content).map_err(|error| refused(skill, &error.to_string()))?;
    Ok(SkillFile { uri, content })
}

fn content_of(content: &ResourceContents, wanted: &str) -> Option<Vec<u8>> {
    match content {
        ResourceContents::TextResourceContents { uri, text, .. } if uri == wanted => {
            Some(text.clone().into_bytes())
        }
        ResourceContents::BlobResourceContents { uri, blob, .. } if uri == wanted => {
            STANDARD.decode(blob).ok()
        }
        _ => None,
    }
}

/// Every field of the file must be the list's: what a user agreed to is what they read there.
fn check_frontmatter(content: &[u8], listed: &SkillFrontmatter) -> Result<(), String> {
    let text = std::str::from_utf8(content).map_err(|_| "SKILL.md is not text".to_owned())?;
    let block = frontmatter(text).ok_or("SKILL.md has no frontmatter")?;
    let written: SkillFrontmatter = yaml_serde::from_str(block)
        .map_err(|error| format!("the frontmatter of SKILL.md cannot be read: {error}"))?;
    if written != *listed {
        return Err("the frontmatter of SKILL.md differs from what the list says".to_owned());
    }
    Ok(())
}

/// The text between the first two lines of three dashes.
fn frontmatter(text: &str) -> Option<&str> {
    let block = text.strip_prefix("---\n").or_else(|| text.strip_prefix("---\r\n"))?;
    let mut end = 0;
    for line in block.split_inclusive('\n') {
        if line.trim_end() == "---" {
            return block.get(..end);
        }
        end += line.len();
    }
    None
}

fn refused(skill: &Skill, reason: &str) -> Error {
    Error::Skill { uri: skill.uri.clone(), reason: reason.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "---\nname: pdf\ndescription: Reads PDF\nversion: 2\n---\n# PDF\n";

    #[test]
    fn a_skill_must_say_of_itself_what_the_list_says() {
        let listed = |description: &str, version: i64| {
            SkillFrontmatter::new("pdf", description).with_field("version", version)
        };
        assert_eq!(check_frontmatter(FILE.as_bytes(), &listed("Reads PDF", 2)), Ok(()));
        assert!(check_frontmatter(FILE.as_bytes(), &listed("Deletes PDF", 2)).is_err());
        assert!(check_frontmatter(FILE.as_bytes(), &listed("Reads PDF", 3)).is_err());
        let plain = SkillFrontmatter::new("pdf", "Reads PDF");
        assert!(check_frontmatter(FILE.as_bytes(), &plain).is_err(), "a field was left out");
    }

    #[test]
    fn a_file_without_an_end_to_its_frontmatter_has_none() {
        assert_eq!(frontmatter("---\r\nname: a\r\n---\r\n"), Some("name: a\r\n"));
        assert_eq!(frontmatter("---\nname: a\n"), None);
        assert_eq!(frontmatter("# a\n"), None);
    }
}
