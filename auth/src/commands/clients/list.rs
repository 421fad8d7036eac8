//! `auth clients list`: the clients that an operator entered, and those that people have used.

use std::{collections::HashMap, io::Write};

use clap::Args;
use serde_json::{Map, Value, json};

use super::show;
use crate::{
    clients::registration::is_registered_id,
    commands::{
        CommandError, Format,
        table::{self, date},
    },
    config::DatabaseSetting,
    oauth::client_id_url,
    storage::{
        blocked_clients, clients,
        grants::{self, Usage},
    },
};

/// Which clients to list.
#[derive(Debug, Args)]
pub struct List {
    /// The most to list of those that people have used.
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    limit: u64,
    /// Where everything is kept.
    #[command(flatten)]
    database: DatabaseSetting,
    /// How to answer.
    #[command(flatten)]
    format: Format,
}

/// A client, as far as anything is known of it.
struct Listed {
    client_id: String,
    client_name: String,
    /// What the operator said of it, who may have said nothing.
    entered: Option<Map<String, Value>>,
    usage: Option<Usage>,
    blocked_at: Option<i64>,
}

impl List {
    pub(super) async fn run(self, now: i64, stdout: &mut impl Write) -> Result<(), CommandError> {
        let db = self.database.open().await?;
        let used = grants::usage(db.connection(), now, self.limit).await?;
        let mut used: Vec<_> = used.into_iter().map(Some).collect();
        let mut blocked: HashMap<_, _> = HashMap::new();
        for client in blocked_clients::all(db.connection()).await? {
            blocked.insert(client.client_id.clone(), client);
        }
        let mut listed = Vec::new();
        for client in clients::all(db.connection()).await? {
            let is_own = |used: &&mut Option<Usage>| {
                used.as_ref().is_some_and(|used| used.client_id == client.id)
            };
            listed.push(Listed {
                entered: Some(show::members(&client, None)?),
                usage: used.iter_mut().find(is_own).and_then(Option::take),
                blocked_at: blocked.remove(&client.id).map(|it| it.blocked_at),
                client_name: client.metadata.0.client_name,
                client_id: client.id,
            });
        }
        for usage in used.into_iter().flatten() {
            listed.push(Listed {
                client_id: usage.client_id.clone(),
                client_name: usage.client_name.clone(),
                entered: None,
                blocked_at: blocked.remove(&usage.client_id).map(|it| it.blocked_at),
                usage: Some(usage),
            });
        }
        listed.extend(blocked.into_values().map(|it| Listed {
            client_id: it.client_id,
            client_name: it.client_name,
            entered: None,
            usage: None,
            blocked_at: Some(it.blocked_at),
        }));
        let heading = ["NAME", "KNOWN BY", "PEOPLE", "GRANTS", "LAST USED", "BLOCKED", "CLIENT ID"];
        Ok(table::write_list(stdout, self.format, &listed, shown, (heading, row))?)
    }
}

impl Listed {
    fn known_by(&self) -> &'static str {
        if self.entered.is_some() {
            "operator"
        } else if is_registered_id(&self.client_id) {
            "registration"
        } else if client_id_url::is_url(&self.client_id) {
            "document"
        } else {
            "nothing"
        }
    }

    fn numbers(&self) -> (i64, i64) {
        self.usage.as_ref().map_or((0, 0), |usage| (usage.people, usage.live_grants))
    }

    fn last_used(&self) -> Option<String> {
        self.usage.as_ref().map(|usage| date(usage.last_used_at()))
    }
}

/// The `client_id` comes last, because it may be long.
fn row(client: &Listed) -> [String; 7] {
    let (people, grants) = client.numbers();
    let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
    [
        client.client_name.clone(),
        client.known_by().into(),
        people.to_string(),
        grants.to_string(),
        or_none(client.last_used()),
        or_none(client.blocked_at.map(date)),
        client.client_id.clone(),
    ]
}

fn shown(client: &Listed) -> Value {
    let (people, grants) = client.numbers();
    let mut members = client.entered.clone().unwrap_or_default();
    let more = json!({
        "client_id": client.client_id,
        "client_name": client.client_name,
        "known_by": client.known_by(),
        "people": people,
        "grants": grants,
        "last_used_at": client.last_used(),
        "blocked_at": client.blocked_at.map(date),
    });
    members.extend(more.as_object().cloned().unwrap_or_default());
    Value::Object(members)
}
