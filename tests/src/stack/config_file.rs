//! Configuration files for tests, told in JSON and written in TOML.

use std::{fs, path::Path};

use serde_json::Value;

/// Writes the configuration file and returns the options that name it.
pub fn write(path: &Path, document: &Value) -> [String; 2] {
    let text = toml::to_string(document).expect("JSON that TOML has words for");
    fs::write(path, text).expect("a file");
    ["--config".into(), path.display().to_string()]
}
