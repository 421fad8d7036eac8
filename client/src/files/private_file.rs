//! Files that only their owner may read, replaced whole or not at all.

use std::{
    fs::{self, DirBuilder, File, OpenOptions, Permissions},
    io::{self, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// The permissions of the group and of others.
const FOR_OTHERS: u32 = 0o077;

/// Creates `directory` and its parents with mode 0700; one that exists stays as it is.
pub(crate) fn create_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(directory)
}

/// Creates `directory` with mode 0700, where nothing is yet.
pub(crate) fn create_new_directory(directory: &Path) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(directory)
}

/// Opens `path` for writing with mode 0600, creating it empty if it is missing.
pub(crate) fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path)
}

/// Replaces the content of `path`: a reader sees the old content or the new, never a mixture, and
/// a power cut or an error loses neither. The caller keeps two writers apart.
pub(crate) fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let fresh = path.with_extension("new");
    // A leftover of a crash may have any mode; a new file has ours.
    match fs::remove_file(&fresh) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = create(&fresh)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(&fresh, path)
}

/// Creates `path` with mode 0600. An existing file or link is neither followed nor changed.
pub(crate) fn create(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

/// Whether users other than its owner can use the file at `path`. Only regular files count.
pub(crate) fn is_exposed(path: &Path) -> bool {
    fs::metadata(path)
        .is_ok_and(|file| file.is_file() && file.permissions().mode() & FOR_OTHERS != 0)
}

/// Restricts the file at `path` to its owner. Returns whether others could use it.
pub(crate) fn make_private(path: &Path) -> io::Result<bool> {
    let is_exposed = is_exposed(path);
    if is_exposed {
        fs::set_permissions(path, Permissions::from_mode(0o600))?;
    }
    Ok(is_exposed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).expect("exists").permissions().mode() & 0o777
    }

    #[test]
    fn files_are_0600_in_directories_of_0700() {
        let home = tempfile::tempdir().expect("a directory");
        let directory = home.path().join("state/portcullis");
        create_directory(&directory).expect("created");
        let path = directory.join("credentials.json");
        replace(&path, b"{}").expect("written");
        assert_eq!((mode(&directory), mode(&path)), (0o700, 0o600));
    }

    #[test]
    fn a_link_is_replaced_and_what_it_leads_to_is_not_touched() {
        let home = tempfile::tempdir().expect("a directory");
        let (elsewhere, path) = (home.path().join("elsewhere"), home.path().join("credentials"));
        fs::write(&elsewhere, b"theirs").expect("written");
        for link in [path.clone(), path.with_extension("new")] {
            std::os::unix::fs::symlink(&elsewhere, link).expect("linked");
        }
        replace(&path, b"ours").expect("written");
        assert_eq!(fs::read(&elsewhere).expect("read"), b"theirs");
        assert_eq!((mode(&path), fs::read(&path).expect("read")), (0o600, b"ours".to_vec()));
        assert!(fs::symlink_metadata(&path).expect("exists").is_file());
    }

    #[test]
    fn a_file_that_others_could_read_becomes_private_when_replaced() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("credentials.json");
        fs::write(&path, b"old").expect("written");
        fs::write(path.with_extension("new"), b"left by a crash").expect("written");
        fs::set_permissions(path.with_extension("new"), fs::Permissions::from_mode(0o666))
            .expect("opened to all");
        replace(&path, b"new").expect("written");
        assert_eq!((mode(&path), fs::read(&path).expect("read")), (0o600, b"new".to_vec()));
    }
}
