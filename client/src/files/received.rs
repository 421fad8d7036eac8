//! Images, sounds and other data that servers send, kept in files of their own.
//!
//! A server chooses neither the directory nor the type of a file: only letters and digits of its
//! text reach the name, the extension comes from a list, and no existing file is overwritten.

use std::{
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use base64::{
    Engine as _, alphabet,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

use crate::files::private_file;

/// Base64 as servers write it, with and without padding.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
const MAX_NAME: usize = 48;
/// Most files of one name in a directory.
const MAX_NAMESAKES: u32 = 9999;
/// Media types and their file extensions. None of them is one that a desktop would execute.
const ENDINGS: [(&str, &str); 22] = [
    ("image/png", "png"),
    ("image/jpeg", "jpg"),
    ("image/gif", "gif"),
    ("image/webp", "webp"),
    ("image/avif", "avif"),
    ("image/bmp", "bmp"),
    ("image/tiff", "tiff"),
    ("audio/wav", "wav"),
    ("audio/x-wav", "wav"),
    ("audio/mpeg", "mp3"),
    ("audio/ogg", "ogg"),
    ("audio/flac", "flac"),
    ("audio/aac", "aac"),
    ("audio/mp4", "m4a"),
    ("video/mp4", "mp4"),
    ("video/webm", "webm"),
    ("application/pdf", "pdf"),
    ("application/json", "json"),
    ("application/zip", "zip"),
    ("application/gzip", "gz"),
    ("text/csv", "csv"),
    ("text/plain", "txt"),
];

/// The directory that such files go to.
#[derive(Clone, Debug)]
pub struct Received {
    directory: PathBuf,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) path: PathBuf,
    /// Its size in bytes.
    pub(crate) size: usize,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum KeepError {
    /// The server sent something else than it says.
    #[error("it is not the base64 that it should be")]
    NotBase64,
    #[error("cannot write to {}: {reason}", .directory.display())]
    Io { directory: PathBuf, reason: io::Error },
}

impl Received {
    /// Files go to `directory`, which is created when the first one comes.
    pub fn new(directory: PathBuf) -> Self {
        Self { directory }
    }

    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// Keeps `base64`, which is of the media type `kind`, in a new file named after `name`. An error
    /// leaves no file behind.
    pub(crate) fn keep(&self, name: &str, kind: &str, base64: &str) -> Result<Kept, KeepError> {
        let content = BASE64.decode(base64.trim_ascii()).map_err(|_| KeepError::NotBase64)?;
        let path = self.write(name, kind, &content).map_err(|reason| {
            let directory = self.directory.clone();
            KeepError::Io { directory, reason }
        })?;
        Ok(Kept { path, size: content.len() })
    }

    fn write(&self, name: &str, kind: &str, content: &[u8]) -> io::Result<PathBuf> {
        private_file::create_directory(&self.directory)?;
        let name = safe_name(name);
        let ending = ending(kind);
        for number in 1..=MAX_NAMESAKES {
            let file = match number {
                1 => format!("{name}.{ending}"),
                _ => format!("{name}-{number}.{ending}"),
            };
            let path = self.directory.join(file);
            let mut file = match private_file::create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                file => file?,
            };
            let written = file.write_all(content);
            if written.is_err() {
                // Half a picture is worse than none.
                let _ = std::fs::remove_file(&path);
            }
            return written.map(|()| path);
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}

/// Letters, digits, `-` and `_` of `name`, in ASCII, so that it means nothing to a shell and names
/// no directory, device or hidden file.
fn safe_name(name: &str) -> String {
    let mut kept = String::new();
    for character in name.chars().take(MAX_NAME) {
        match character {
            'a'..='z' | 'A'..='Z' | '0'..='9' | '_' => kept.push(character),
            _ if kept.ends_with('-') || kept.is_empty() => {}
            _ => kept.push('-'),
        }
    }
    match kept.trim_end_matches('-') {
        "" => "received".to_owned(),
        kept => kept.to_owned(),
    }
}

fn ending(kind: &str) -> &'static str {
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let known = ENDINGS.iter().find(|(known, _)| kind.eq_ignore_ascii_case(known));
    known.map_or("bin", |(_, ending)| ending)
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    fn kept(received: &Received, name: &str, kind: &str) -> String {
        let kept = received.keep(name, kind, "aGk=").expect("kept");
        assert_eq!(kept.path.parent(), Some(received.directory()));
        kept.path.file_name().expect("a name").to_string_lossy().into_owned()
    }

    #[test]
    fn a_server_chooses_neither_the_place_nor_the_ending() {
        let home = tempfile::tempdir().expect("a directory");
        let received = Received::new(home.path().join("received"));
        for (name, kind, file) in [
            ("draw", "image/png", "draw.png"),
            ("../../.ssh/authorized_keys", "text/plain", "ssh-authorized_keys.txt"),
            ("/etc/passwd", "application/x-sh", "etc-passwd.bin"),
            (".bashrc", "text/html", "bashrc.bin"),
            ("a\u{0}b\u{1b}[2J$(reboot)", "image/svg+xml", "a-b-2J-reboot.bin"),
            ("…", "IMAGE/JPEG; q=1", "received.jpg"),
            (&"x".repeat(300), "audio/wav", &format!("{}.wav", "x".repeat(MAX_NAME))),
        ] {
            assert_eq!(self::kept(&received, name, kind), file, "{name}");
        }
    }

    #[test]
    fn no_file_and_no_link_is_overwritten() {
        let home = tempfile::tempdir().expect("a directory");
        let (elsewhere, received) = (home.path().join("x"), Received::new(home.path().into()));
        fs::write(home.path().join("draw.png"), b"mine").expect("written");
        std::os::unix::fs::symlink(&elsewhere, home.path().join("draw-2.png")).expect("linked");
        assert_eq!(kept(&received, "draw", "image/png"), "draw-3.png");
        assert_eq!(fs::read(home.path().join("draw.png")).expect("read"), b"mine");
        assert!(!elsewhere.exists());
    }

    #[test]
    fn files_are_their_owners_alone() {
        let home = tempfile::tempdir().expect("a directory");
        let received = Received::new(home.path().join("received"));
        let kept = received.keep("draw", "image/png", "aGk").expect("kept");
        let mode = |path: &Path| fs::metadata(path).expect("exists").permissions().mode() & 0o777;
        assert_eq!((mode(received.directory()), mode(&kept.path)), (0o700, 0o600));
        assert_eq!((fs::read(&kept.path).expect("read"), kept.size), (b"hi".to_vec(), 2));
    }

    #[test]
    fn what_is_no_base64_leaves_no_file() {
        let home = tempfile::tempdir().expect("a directory");
        let received = Received::new(home.path().join("received"));
        assert!(matches!(received.keep("a", "image/png", "?"), Err(KeepError::NotBase64)));
        assert!(!received.directory().exists());
    }
}
