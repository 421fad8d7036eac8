//! `reference`: writes the pages of docs/reference.

use std::{error::Error, fs};

fn main() -> Result<(), Box<dyn Error>> {
    for (path, content) in tests::reference::pages() {
        fs::create_dir_all(path.parent().ok_or("no folder")?)?;
        fs::write(path, content)?;
    }
    Ok(())
}
