//! `auth audit`: what happened to accounts, the newest first.

use std::io::Write;

use clap::{Args, builder::PossibleValuesParser};
use net::clock::Clock;
use serde_json::{Value, json};
use uuid::Uuid;

use super::{
    CommandError, Format, person,
    table::{self, date},
};
use crate::{
    config::DatabaseSetting,
    storage::{
        EventKind,
        security_events::{self, Filter, Model},
    },
};

/// Seconds of a day.
const DAY: i64 = 86_400;

/// Which events to show. Of each person, the newest hundred are kept, for half a year at most.
#[derive(Debug, Args)]
pub struct Command {
    /// Only those of this person: login name, e-mail address, or the `sub` of their tokens.
    #[arg(long)]
    user: Option<String>,
    /// Only events of this kind.
    #[arg(long, value_parser = PossibleValuesParser::new(EventKind::ALL.map(EventKind::as_str)))]
    kind: Option<String>,
    /// Only what people did not do themselves: what operators and the access policy did.
    #[arg(long)]
    by_others: bool,
    /// Only events of so many last days.
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(i64).range(1..=366))]
    days: Option<i64>,
    /// The most to show.
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
        let db = self.database.open().await?;
        let user_id = match &self.user {
            // The events of an account that was deleted are found by its `sub`.
            Some(user) => Some(match Uuid::parse_str(user) {
                Ok(id) => id,
                Err(_) => person::find(&db, user).await?.id,
            }),
            None => None,
        };
        let filter = Filter {
            user_id,
            kind: self.kind.as_deref().and_then(EventKind::parse),
            since: self.days.map(|days| clock.now() - days * DAY),
            by_others: self.by_others,
        };
        let events = security_events::find(db.connection(), filter, self.limit).await?;
        let columns = (["TIME", "PERSON", "EVENT", "ABOUT", "BY", "RULE"], row);
        Ok(table::write_list(stdout, self.format, &events, shown, columns)?)
    }
}

fn row(event: &Model) -> [String; 6] {
    let or = |text: &str, other: &str| if text.is_empty() { other.into() } else { text.into() };
    [
        date(event.occurred_at),
        person_of(event).map_or_else(|| "-".into(), |id| id.to_string()),
        event.kind.clone(),
        or(&event.subject, "-"),
        or(&event.actor, "the person"),
        or(&event.rule, "-"),
    ]
}

/// The person whose account it concerns. What happened to a client concerns none.
fn person_of(event: &Model) -> Option<Uuid> {
    Some(event.user_id).filter(|id| !id.is_nil())
}

fn shown(event: &Model) -> Value {
    json!({
        "at": date(event.occurred_at),
        "sub": person_of(event),
        "kind": event.kind,
        "subject": event.subject,
        "actor": event.actor,
        "rule": event.rule,
        "device": event.device,
        "network": event.network,
    })
}
