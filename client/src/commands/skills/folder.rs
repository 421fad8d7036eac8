//! A skill as a folder on this machine, for programs that read skills from disk.
//!
//! Only what has been verified is written, into a folder that did not exist, under names that mean
//! nothing to a shell and lead nowhere else.

use std::{
    fs, io,
    io::Write as _,
    path::{Path, PathBuf},
};

use rmcp::model::Skill;

use super::skill::{SKILL_MD, SkillFile};
use crate::{error::Error, files::private_file};

/// Writes the `files` of `skill` to a new folder in `directory`, which bears its name. Refuses a
/// name that is unfit for a file, and a folder that exists. An error leaves nothing behind.
pub(crate) fn write(
    skill: &Skill,
    files: &[SkillFile],
    directory: &Path,
) -> Result<PathBuf, Error> {
    let refused = |reason: String| Error::Skill { uri: skill.uri.clone(), reason };
    let root = skill.uri.strip_suffix(SKILL_MD).unwrap_or(&skill.uri);
    let name = skill.name();
    if !is_safe_name(name) {
        return Err(refused(format!("its name `{name}` is unfit for a folder")));
    }
    let mut written = Vec::new();
    for file in files {
        let path = file.uri.strip_prefix(root).unwrap_or_default();
        if !path.split('/').all(is_safe_name) {
            return Err(refused(format!("the name of its file {} is unfit for one", file.uri)));
        }
        written.push((path, file.content.as_slice()));
    }
    private_file::create_directory(directory).map_err(Error::NotKept)?;
    let folder = directory.join(name);
    match private_file::create_new_directory(&folder) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            return Err(refused(format!("{} exists already", folder.display())));
        }
        created => created.map_err(Error::NotKept)?,
    }
    fill(&folder, &written).map_err(|reason| {
        // Half a skill is worse than none.
        let _ = fs::remove_dir_all(&folder);
        Error::NotKept(reason)
    })?;
    Ok(folder)
}

fn fill(folder: &Path, files: &[(&str, &[u8])]) -> io::Result<()> {
    for (path, content) in files {
        let path = folder.join(path);
        path.parent().map_or(Ok(()), private_file::create_directory)?;
        private_file::create(&path)?.write_all(content)?;
    }
    Ok(())
}

/// Whether `name` may be that of a file or folder: no hidden one, no way up, nothing to escape.
fn is_safe_name(name: &str) -> bool {
    name.starts_with(|first: char| first.is_ascii_alphanumeric())
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

#[cfg(test)]
mod tests {
    use rmcp::model::{SkillFrontmatter, SkillResources};

    use super::*;

    fn write(name: &str, paths: &[&str], directory: &Path) -> Result<PathBuf, Error> {
        let uri = format!("skill://{name}/SKILL.md");
        let files = paths.iter().map(|path| SkillFile {
            uri: format!("skill://{name}/{path}"),
            content: path.as_bytes().to_vec(),
        });
        let frontmatter = SkillFrontmatter::new(name, "Reads PDF");
        let skill = Skill::new(uri, frontmatter, SkillResources::Files(Vec::new()));
        super::write(&skill, &files.collect::<Vec<_>>(), directory)
    }

    #[test]
    fn a_skill_becomes_a_folder_once() {
        let home = tempfile::tempdir().expect("a directory");
        let paths = ["SKILL.md", "references/FORMS.md"];
        let folder = write("pdf", &paths, home.path()).expect("written");
        assert_eq!(folder, home.path().join("pdf"));
        assert_eq!(
            fs::read(folder.join("references/FORMS.md")).expect("read"),
            paths[1].as_bytes()
        );
        assert!(matches!(write("pdf", &["SKILL.md"], home.path()), Err(Error::Skill { .. })));
        assert!(folder.join("references/FORMS.md").exists(), "what was there is untouched");
    }

    #[test]
    fn no_name_leads_out_of_the_folder_or_hides_in_it() {
        let home = tempfile::tempdir().expect("a directory");
        let inside = home.path().join("skills");
        for path in ["../x", "a/../../x", "/etc/x", ".git/hooks/x", "a//x", "a%2fx", "$(x)", ""] {
            let refused = write("pdf", &["SKILL.md", path], &inside);
            assert!(matches!(refused, Err(Error::Skill { .. })), "{path}");
        }
        for name in ["..", ".ssh", "a/b", ""] {
            assert!(write(name, &["SKILL.md"], &inside).is_err(), "{name}");
        }
        assert!(!inside.exists(), "nothing was written");
    }
}
