//! Which person an operator means, and who the operator is.

use clap::Args;
use uuid::Uuid;

use super::CommandError;
use crate::{
    oauth::foreign_text::clean_name,
    storage::{
        Database, EventKind,
        security_events::Model as Event,
        users::{self, Model},
    },
};

/// Who acts, as `auth audit` and the person's account page tell it.
#[derive(Clone, Debug, Args)]
pub(super) struct Operator {
    /// Your name, for the audit.
    #[arg(long, value_name = "NAME", env = "USER", default_value = "")]
    by: String,
}

impl Operator {
    /// An event that this operator causes.
    pub(super) fn event(&self, user_id: Uuid, kind: EventKind, now: i64) -> Event {
        let name = clean_name(&self.by);
        let actor = name.map_or_else(|| "operator".into(), |name| format!("operator {name}"));
        Event { actor, ..Event::new(user_id, kind, now) }
    }
}

/// Finds the one person of a `sub`, a login name or an e-mail address, who must have an account.
pub(super) async fn find(db: &Database, text: &str) -> Result<Model, CommandError> {
    find_known(db, text).await?.ok_or_else(|| {
        CommandError::Refused(format!(
            "no account is called {text:?}; `auth users list` shows all of them"
        ))
    })
}

/// The same of a person who may never have been here.
pub(super) async fn find_known(db: &Database, text: &str) -> Result<Option<Model>, CommandError> {
    let found = match Uuid::parse_str(text) {
        Ok(id) => users::find(db.connection(), id).await?.into_iter().collect(),
        Err(_) => users::named(db.connection(), text).await?,
    };
    if found.len() < 2 {
        return Ok(found.into_iter().next());
    }
    let subs: Vec<String> = found.iter().map(|user| user.id.to_string()).collect();
    Err(CommandError::Refused(format!(
        "several people are called {text:?}; name one by sub: {}",
        subs.join(", ")
    )))
}
