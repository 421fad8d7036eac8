//! `auth clients block` and `unblock`: whether a client may get anything here, however it is known.

use std::io::Write;

use clap::Args;
use serde_json::json;
use uuid::Uuid;

use crate::{
    clients::registration::is_registered_id,
    commands::{CommandError, Format, person::Operator},
    config::DatabaseSetting,
    oauth::client_id_url,
    storage::{Database, EventKind, blocked_clients, clients, grants, security_events::Model},
    story::shown_client_id,
};

/// Which client, and who decides.
#[derive(Debug, Args)]
pub struct Decision {
    /// Its client_id, as `auth clients list` shows it.
    client_id: String,
    /// Who decides.
    #[command(flatten)]
    operator: Operator,
    /// Where everything is kept.
    #[command(flatten)]
    database: DatabaseSetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

impl Decision {
    pub(super) async fn block(self, now: i64, stdout: &mut impl Write) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let id = &self.client_id;
        if blocked_clients::is_blocked(db.connection(), id).await? {
            return Err(CommandError::Refused(format!("the client {id} is blocked already")));
        }
        let name = name_of(&db, id, now).await?;
        let event = self.event(&name, EventKind::ClientBlocked, now);
        let ended = blocked_clients::block(db.connection(), (id, &name), event).await?;
        if self.format.json {
            let answer = json!({"client_id": id, "client_name": name, "ended_grants": ended});
            return Ok(writeln!(stdout, "{answer}")?);
        }
        Ok(writeln!(stdout, "Blocked {}, and ended {ended} grants.", said(&name, id))?)
    }

    pub(super) async fn unblock(
        self,
        now: i64,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let id = &self.client_id;
        let name = name_of(&db, id, now).await.unwrap_or_default();
        let event = self.event(&name, EventKind::ClientUnblocked, now);
        if !blocked_clients::unblock(db.connection(), id, event).await? {
            return Err(CommandError::Refused(format!("the client {id} is not blocked")));
        }
        if self.format.json {
            return Ok(writeln!(stdout, "{}", json!({"client_id": id, "client_name": name}))?);
        }
        let said = said(&name, id);
        Ok(writeln!(stdout, "Unblocked {said}. People who want to use it allow it again.")?)
    }

    /// What an operator did concerns no person's account.
    fn event(&self, name: &str, kind: EventKind, now: i64) -> Model {
        let event = self.operator.event(Uuid::nil(), kind, now);
        Model { subject: said(name, &self.client_id), ..event }
    }
}

fn said(name: &str, client_id: &str) -> String {
    let id = shown_client_id(client_id);
    if name.is_empty() { id } else { format!("{name} ({id})") }
}

/// What a client calls itself. One that is known only by a document or by its registration may be blocked
/// before anyone has used it.
async fn name_of(db: &Database, id: &str, now: i64) -> Result<String, CommandError> {
    if let Some(client) = clients::find(db.connection(), id).await? {
        return Ok(client.metadata.0.client_name);
    }
    if let Some(grant) = grants::of_client(db.connection(), id, now, 1).await?.pop() {
        return Ok(grant.client_name);
    }
    if client_id_url::is_url(id) || is_registered_id(id) {
        return Ok(String::new());
    }
    Err(CommandError::Refused(format!(
        "no client is called {id}; `auth clients list` shows those that are known or were used"
    )))
}
