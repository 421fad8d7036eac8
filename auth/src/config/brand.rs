//! How the pages look: the operator's name, colour and logo.

use std::{fs, path::PathBuf};

use clap::Args;
use web::{Brand, Color};

use super::ConfigError;
use crate::oauth::secret;

/// Largest logo, in bytes: a page with it stays below 30 KB.
const MAX_LOGO_BYTES: usize = 12 * 1024;

/// What an operator chooses of the pages.
#[derive(Clone, Debug, Args)]
pub struct BrandSetting {
    /// What the operator is called on the pages.
    #[arg(long, value_name = "NAME", env = "AUTH_BRAND_NAME", default_value = "Portcullis")]
    pub brand_name: String,
    /// Colour of buttons and links, as #rrggbb; used no paler than can be read.
    #[arg(long, value_name = "COLOR", env = "AUTH_BRAND_COLOR", value_parser = color)]
    pub brand_color: Option<Color>,
    /// SVG or PNG file of at most 12 KiB.
    #[arg(long, value_name = "FILE", env = "AUTH_BRAND_LOGO_FILE")]
    pub brand_logo_file: Option<PathBuf>,
}

/// The operator's logo, as it is served.
#[derive(Clone, Debug, Default)]
pub struct Logo {
    /// Its path, named by its content, so that it can be cached as immutable.
    pub path: String,
    /// Its media type.
    pub media_type: &'static str,
    /// The file.
    pub bytes: Vec<u8>,
}

impl BrandSetting {
    /// The brand, and the logo where there is one.
    pub(crate) fn load(&self) -> Result<(Brand, Option<Logo>), ConfigError> {
        let logo = self.logo()?;
        let path = logo.as_ref().map(|logo| logo.path.clone());
        Ok((Brand::new(&self.brand_name, self.brand_color, path), logo))
    }

    fn logo(&self) -> Result<Option<Logo>, ConfigError> {
        let Some(file) = &self.brand_logo_file else { return Ok(None) };
        let refused = |why: String| ConfigError::Logo(file.display().to_string(), why);
        let bytes = fs::read(file).map_err(|error| refused(error.to_string()))?;
        if bytes.len() > MAX_LOGO_BYTES {
            return Err(refused(format!("it is larger than {MAX_LOGO_BYTES} bytes")));
        }
        let (extension, media_type) = match bytes.as_slice() {
            [0x89, b'P', b'N', b'G', ..] => ("png", "image/png"),
            [b'<', ..] => ("svg", "image/svg+xml"),
            _ => return Err(refused("it is neither an SVG nor a PNG file".into())),
        };
        let hash = secret::sha256(&bytes);
        let name = hash.get(..16).unwrap_or_default();
        Ok(Some(Logo { path: format!("/logo.{name}.{extension}"), media_type, bytes }))
    }
}

fn color(text: &str) -> Result<Color, &'static str> {
    Color::parse(text).ok_or("write it as #rrggbb, for example #14566a")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn logos_that_differ_in_one_byte_have_paths_of_their_own() {
        let folder = tempfile::tempdir().unwrap();
        let path = |last: u8| {
            let file = folder.path().join(format!("{last}.png"));
            fs::write(&file, [0x89, b'P', b'N', b'G', last]).unwrap();
            let setting = BrandSetting {
                brand_name: "Acme".into(),
                brand_color: None,
                brand_logo_file: Some(file),
            };
            setting.load().unwrap().1.unwrap().path
        };
        // Neither byte is UTF-8.
        assert_ne!(path(0xfe), path(0xff));
        assert_eq!(path(0xff), path(0xff));
    }
}
