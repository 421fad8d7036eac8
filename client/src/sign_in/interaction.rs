//! How the user takes part in a sign-in.

use std::{sync::Arc, time::Duration};

use super::opener::Browser;
use crate::terminal::{explain::Explanation, output::Output};

/// How the user takes part in a sign-in.
#[derive(Clone)]
pub struct Interaction {
    /// Where messages to the user are written.
    pub output: Arc<Output>,
    /// Whether a sign-in that needs the user may start at all.
    pub may_ask: bool,
    /// Whether the user may paste the address that the browser ended on.
    pub may_paste: bool,
    /// How the sign-in page is opened.
    pub browser: Browser,
    /// How long the user has to finish signing in.
    pub timeout: Duration,
    /// Where each step of a sign-in is explained.
    pub explanation: Explanation,
}
