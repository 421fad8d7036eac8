//! Whose pages these are: the operator's name, logo and colour.

use crate::{
    color::Color,
    style::{self, STYLE},
};

/// What an operator chooses of the pages.
#[derive(Clone, Debug)]
pub struct Brand {
    name: String,
    logo: Option<String>,
    stylesheet: String,
    style_path: String,
}

impl Brand {
    /// A brand of this name. `logo` is a path on this server that answers with a picture; `color`
    /// becomes the colour of buttons and links, as far as it can be read.
    pub fn new(name: &str, color: Option<Color>, logo: Option<String>) -> Self {
        let rules = color.map(Color::rules).unwrap_or_default();
        let stylesheet = format!("{STYLE}{rules}");
        let style_path = style::path(&stylesheet);
        Self { name: name.to_owned(), logo, stylesheet, style_path }
    }

    /// What the operator is called.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The stylesheet of every page, to be served as `text/css; charset=utf-8`.
    pub fn stylesheet(&self) -> &str {
        &self.stylesheet
    }

    /// The path every page links to, `/style.<8 hex digits of the content's hash>.css`: another
    /// content has another path, so the answer may be cached indefinitely.
    pub fn style_path(&self) -> &str {
        &self.style_path
    }

    pub(crate) fn logo(&self) -> Option<&str> {
        self.logo.as_deref()
    }
}

impl Default for Brand {
    fn default() -> Self {
        Self::new("Portcullis", None, None)
    }
}
