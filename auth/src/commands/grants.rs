//! `auth grants`: lists what people have allowed programs, and revokes it.

use std::io::Write;

use clap::{Args, Subcommand};
use net::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    CommandError, Format,
    person::{self, Operator},
    table::{self, date},
};
use crate::{
    config::DatabaseSetting,
    storage::{
        EventKind,
        grants::{self, Model},
        security_events::{self, Model as Event},
    },
};

/// Commands for grants. Each is what one person has allowed one program.
#[derive(Debug, Args)]
pub struct Command {
    #[command(subcommand)]
    action: Action,
}

/// What can be done.
#[derive(Debug, Subcommand)]
enum Action {
    /// List the live grants of a person or of a client, the newest first.
    List(List),
    /// Revoke a grant. Its tokens are refused by verifiers within two seconds.
    Revoke {
        /// Its id, as the list shows it.
        id: Uuid,
        /// Who revokes it.
        #[command(flatten)]
        operator: Operator,
        /// Where everything is kept.
        #[command(flatten)]
        database: DatabaseSetting,
    },
}

/// Which grants to list.
#[derive(Debug, Args)]
struct List {
    /// Those of this person: login name, e-mail address, or the `sub` of their tokens.
    #[arg(long, required_unless_present = "client")]
    user: Option<String>,
    /// Those of this client_id.
    #[arg(long, value_name = "CLIENT_ID", conflicts_with = "user")]
    client: Option<String>,
    /// The most to list.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
    /// Where everything is kept.
    #[command(flatten)]
    database: DatabaseSetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

impl Command {
    pub(super) async fn run(
        self,
        clock: Clock,
        stdout: &mut impl Write,
    ) -> Result<(), CommandError> {
        let now = clock.now();
        match self.action {
            Action::List(list) => list.run(now, stdout).await,
            Action::Revoke { id, operator, database } => {
                revoke(&database, &operator, id, now).await
            }
        }
    }
}

impl List {
    async fn run(self, now: i64, stdout: &mut impl Write) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let mut grants = match (&self.user, &self.client) {
            (Some(user), _) => {
                let user = person::find(&db, user).await?;
                grants::of_user(db.connection(), user.id, now).await?
            }
            (None, client) => {
                let client = client.as_deref().unwrap_or_default();
                grants::of_client(db.connection(), client, now, self.limit).await?
            }
        };
        grants.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let columns = (["ID", "PERSON", "PROGRAM", "SCOPE", "LAST USED"], row);
        Ok(table::write_list(stdout, self.format, &grants, shown, columns)?)
    }
}

fn row(grant: &Model) -> [String; 5] {
    let used = date(grant.last_used_at());
    let [id, person] = [grant.id, grant.user_id].map(|id| id.to_string());
    [id, person, grant.client_name.clone(), grant.scope.clone(), used]
}

/// A grant in JSON.
pub(super) fn shown(grant: &Model) -> Value {
    json!({
        "id": grant.id,
        "sub": grant.user_id,
        "client_id": grant.client_id,
        "client_name": grant.client_name,
        "resource": grant.resource,
        "scope": grant.scope,
        "allowed_at": date(grant.created_at),
        "last_used_at": date(grant.last_used_at()),
    })
}

async fn revoke(
    database: &DatabaseSetting,
    operator: &Operator,
    id: Uuid,
    now: i64,
) -> Result<(), CommandError> {
    let db = database.open().await?;
    let transaction = db.begin().await?;
    let grant = grants::find(&transaction, id).await?.filter(|grant| grant.is_live(now));
    let Some(grant) = grant else {
        return Err(CommandError::Refused(format!(
            "no live grant has the id {id}; `auth grants list` shows those of a person or client"
        )));
    };
    let event = operator.event(grant.user_id, EventKind::AccessRemovedByOperator, now);
    let event = Event { subject: grant.client_name, ..event };
    security_events::record(&transaction, event).await?;
    grants::revoke(&transaction, id, now).await?;
    Ok(transaction.commit().await?)
}
