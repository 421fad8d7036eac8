//! Files that hold a secret.

use std::{
    fs::File,
    io::{self, Read},
    os::unix::fs::PermissionsExt,
    path::Path,
};

/// Permissions that a secret file must not have: any for others, and write for the group.
const TOO_OPEN: u32 = 0o027;

/// Reads a file that holds a secret, and warns if others on this machine can use it. It is no
/// refusal, because some platforms mount secrets so that every user of a container can read them.
pub fn read(path: &Path) -> io::Result<String> {
    let mut file = File::open(path)?;
    let metadata = file.metadata()?;
    let mode = metadata.permissions().mode() & 0o777;
    if metadata.is_file() && mode & TOO_OPEN != 0 {
        tracing::warn!(
            "others on this machine can use the secret in {path} (mode {mode:04o}); \
             run `chmod 600 {path}`, and replace the secret if it may have been read",
            path = path.display(),
        );
    }
    let mut text = String::new();
    file.read_to_string(&mut text)?;
    Ok(text)
}
