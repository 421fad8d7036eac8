//! How the person is involved in what the client does.

use std::{sync::Arc, time::Duration};

use crate::{
    sign_in::opener::Browser,
    terminal::{explain::Explanation, output::Output},
};

/// How the person is involved.
#[derive(Clone)]
pub struct Manners {
    /// How the person is spoken to.
    pub output: Arc<Output>,
    /// Whether a sign-in may be started at all.
    pub may_ask: bool,
    /// Whether the person may paste the address the browser ended on.
    pub may_paste: bool,
    /// What happens to the address the person should open.
    pub browser: Browser,
    /// How long the person may take.
    pub timeout: Duration,
    /// Who is told each step of a sign-in.
    pub explanation: Explanation,
}
