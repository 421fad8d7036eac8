//! What becomes of people who may no longer come in: upstreams are asked about them again, a changed
//! policy is applied to all of them, and what they have ends.

use uuid::Uuid;

use crate::{
    access::{KeptOut, facts::Facts},
    oauth::OAuthError,
    state::AppState,
    storage::{
        Connection, EventKind, StorageError, accounts,
        identities::{self, Model as Identity},
        security_events::Model as Event,
        users::{self, Model as User},
    },
    upstream::{Credential, Person, Upstream, UpstreamError},
};

/// Identities that one turn takes.
const MAX_TAKEN: u64 = 20;
/// Seconds that a replica has for one identity, before another may take it.
const TAKEN_LIFETIME: i64 = 120;
/// Seconds until an upstream that did not answer is asked again, at most.
const RETRY_INTERVAL: i64 = 300;
/// Users that are judged between two reads.
const BATCH: u64 = 500;
/// Who ends what a person has, as the audit names it.
const ACTOR: &str = "access policy";

/// Seals what the upstream can be asked with again about a person who has just signed in.
pub(crate) async fn remember(
    state: &AppState,
    db: &impl Connection,
    identity: &Identity,
    credential: Option<&Credential>,
) -> Result<(), OAuthError> {
    let interval = state.access.recheck.interval;
    let credential = credential.filter(|_| interval > 0);
    let sealed = credential.map(|it| state.seals.upstream_credential.seal(&bound(identity, it)));
    let sealed = sealed.transpose()?;
    let recheck_at = sealed.as_ref().map(|_| state.clock.now().saturating_add(interval));
    Ok(identities::keep_credential(db, identity, sealed, recheck_at).await?)
}

/// The credential with its owner, so that one row's is of no use in another.
fn bound<C>(identity: &Identity, credential: C) -> (&str, &str, C) {
    (&identity.provider, &identity.subject, credential)
}

/// Ends what a person has who is kept out, and records why. Returns why, if they are.
pub(crate) async fn enforce(
    state: &AppState,
    user: &User,
) -> Result<Option<KeptOut>, StorageError> {
    let verdict = match user.disabled_at {
        Some(_) => Err(KeptOut::Disabled),
        None => state.access.judge(&user.facts()),
    };
    let Err(kept_out) = verdict else {
        return Ok(None);
    };
    let event = Event {
        actor: ACTOR.into(),
        rule: kept_out.to_string(),
        ..Event::new(user.id, EventKind::AccessEnded, state.clock.now())
    };
    // Their tokens may have come of an assertion, which leaves no grant.
    let facts = user.facts();
    let mut asserting = state.trusted_issuers.iter().filter(|issuer| issuer.people.is_some());
    let may_hold = asserting.any(|issuer| facts.contains_key(issuer.provider()));
    if accounts::shut_out(&state.db, event, may_hold).await?.is_some() {
        tracing::info!(person = %user.id, why = %kept_out, "ended what a person had who is kept out");
    }
    Ok(Some(kept_out))
}

/// Judges all people by the policy that is now in force, and drops what is not asked with any more.
pub(crate) async fn apply_policy(state: AppState) {
    if let Err(error) = apply(&state).await {
        tracing::error!(cause = %error, "the access policy was not applied to everyone at the start");
    }
}

async fn apply(state: &AppState) -> Result<(), StorageError> {
    let db = state.db.connection();
    let asked = state.upstreams.iter().filter(|upstream| upstream.is_asked_again());
    let asked = asked.filter(|_| state.access.recheck.interval > 0);
    let asked: Vec<&str> = asked.map(|upstream| upstream.name.as_str()).collect();
    identities::drop_credentials_except(db, &asked).await?;
    let admits_all = state.access.anyone && state.access.deny.is_empty();
    if admits_all && state.access.provisioning.is_none() {
        return Ok(());
    }
    let mut after = Uuid::nil();
    loop {
        let users = users::after(db, after, BATCH).await?;
        let Some(last) = users.last() else {
            return Ok(());
        };
        after = last.id;
        for user in &users {
            enforce(state, user).await?;
        }
        tokio::task::yield_now().await;
    }
}

/// Asks again about the people whose time has come. Of several replicas, one asks about each.
pub(crate) async fn turn(state: AppState) {
    if let Err(error) = ask_due(&state).await {
        tracing::error!(cause = %error, "upstreams cannot be asked again about people");
    }
}

async fn ask_due(state: &AppState) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let now = state.clock.now();
    for identity in identities::due(db, now, MAX_TAKEN).await? {
        if identities::take(db, &identity, now.saturating_add(TAKEN_LIFETIME)).await? {
            ask(state, &identity).await?;
        }
    }
    Ok(())
}

async fn ask(state: &AppState, identity: &Identity) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let Identity { provider, subject, user_id, credential, .. } = identity;
    let opened = credential.as_deref().and_then(|sealed| open(state, identity, sealed));
    let (Some(upstream), Some(user)) =
        (state.upstreams.find(provider), users::find(db, *user_id).await?)
    else {
        return Ok(identities::keep_credential(db, identity, None, None).await?);
    };
    let answer = match &opened {
        Some(credential) => upstream.ask_again(credential, subject, state.clock.now()).await,
        None => Err(UpstreamError::Withdrawn("what was sealed does not open".into())),
    };
    match answer {
        Ok(person) => believe(state, identity, user, person).await,
        Err(UpstreamError::Withdrawn(why)) => {
            tracing::warn!(person = %user.id, upstream = %upstream.name, why, "the upstream no longer answers");
            forget(state, identity, user).await?;
            Ok(identities::keep_credential(db, identity, None, None).await?)
        }
        Err(error) => wait(state, upstream, identity, user, error).await,
    }
}

fn open(state: &AppState, identity: &Identity, sealed: &str) -> Option<Credential> {
    let sealer = &state.seals.upstream_credential;
    let (provider, subject, credential) =
        sealer.open::<(String, String, Credential)>(sealed).ok()?;
    (provider == identity.provider && subject == identity.subject).then_some(credential)
}

/// Stores what the upstream says now, and lets the policy judge it.
async fn believe(
    state: &AppState,
    identity: &Identity,
    user: User,
    person: Person,
) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let Person { facts, credential, .. } = person;
    // First, because the upstream may accept the old refresh token no longer.
    remember(state, db, identity, credential.as_ref()).await?;
    let user = users::set_facts(db, user, &identity.provider, Some(facts)).await?;
    if enforce(state, &user).await?.is_some() {
        identities::keep_credential(db, identity, None, None).await?;
    }
    Ok(())
}

/// Takes back what the upstream said of memberships and claims. The name and the addresses were proven
/// when the person signed in.
async fn forget(state: &AppState, identity: &Identity, user: User) -> Result<(), OAuthError> {
    let db = state.db.connection();
    let known = user.facts().remove(&identity.provider).unwrap_or_default();
    let Facts { login, verified_emails, asked_at, .. } = known;
    let facts = Facts { login, verified_emails, asked_at, ..Facts::default() };
    let user = users::set_facts(db, user, &identity.provider, Some(facts)).await?;
    enforce(state, &user).await?;
    Ok(())
}

/// An outage changes nothing, unless the settings say that old answers do not count.
async fn wait(
    state: &AppState,
    upstream: &Upstream,
    identity: &Identity,
    user: User,
    error: UpstreamError,
) -> Result<(), OAuthError> {
    let now = state.clock.now();
    let recheck = state.access.recheck;
    tracing::warn!(person = %user.id, upstream = %upstream.name, cause = %error, "a person was not asked about");
    let again = now.saturating_add(recheck.interval.min(RETRY_INTERVAL));
    let asked_at = user.facts().get(&identity.provider).map_or(0, |facts| facts.asked_at);
    if recheck.fails_closed && now >= asked_at.saturating_add(2 * recheck.interval) {
        forget(state, identity, user).await?;
    }
    // Last: with this the turn of the identity is over.
    let credential = identity.credential.clone();
    Ok(identities::keep_credential(state.db.connection(), identity, credential, Some(again))
        .await?)
}
