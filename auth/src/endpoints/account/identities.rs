//! `POST /account/identities`
//!
//! Takes a way to sign in off the account, but never the last. It asks for a sign-in of a moment
//! ago, as adding one does. Nobody can tell by which of them a browser was let in, so every other
//! browser is signed out.

use axum::{extract::State, response::Response};
use web::error::ErrorKind;

use crate::{
    access::SCIM,
    error_response::{PageError, see_other},
    extract::AccountForm,
    oauth::secret,
    state::AppState,
    storage::{
        EventKind,
        identities::{self, Model},
        security_events, sessions, users,
    },
    upstream::Upstreams,
};

/// Unlinks the identity and shows the account again. Doing it twice is no error.
pub(crate) async fn post(
    State(state): State<AppState>,
    form: AccountForm,
) -> Result<Response, PageError> {
    let named = form.parameters.required("identity")?;
    if !form.person.is_fresh(state.clock.now()) {
        return Ok(see_other("/sign-in?continue=/account%23identities"));
    }
    unlink(&state, &form, named).await?;
    Ok(see_other("/account?unlinked=yes"))
}

async fn unlink(state: &AppState, form: &AccountForm, named: &str) -> Result<(), PageError> {
    let user = form.person.user().id;
    let own = form.person.session.id;
    let transaction = state.db.begin().await?;
    let all = identities::hold_of_user(&transaction, user).await?;
    let Some(identity) = all.iter().find(|identity| name(identity) == named) else {
        return Ok(());
    };
    if !is_spare(identity, &all, &state.upstreams) {
        return Err(PageError::new(
            ErrorKind::Refused,
            "identity_last",
            "This is your only way to sign in. Add another one first, then remove it.",
        ));
    }
    let provider = &identity.provider;
    let label = state.upstreams.find(provider).map_or(provider, |upstream| &upstream.label);
    let event = form.event(EventKind::IdentityUnlinked, label, state.clock.now());
    identities::unlink(&transaction, identity).await?;
    let account = form.person.user().clone();
    let account = users::set_facts(&transaction, account, provider, None).await?;
    // What the provisioning system says came by this identity.
    if state.access.provisioning.as_ref().is_some_and(|it| it.upstream == *provider) {
        users::set_facts(&transaction, account, SCIM, None).await?;
    }
    sessions::close_others_of_user(&transaction, user, own).await?;
    security_events::record(&transaction, event).await?;
    Ok(transaction.commit().await?)
}

/// What the form calls an identity. What an upstream calls it may hold any character.
pub(super) fn name(identity: &Model) -> String {
    secret::hash(&format!("{} {}", identity.provider, identity.subject))
}

/// Whether its person could still sign in without this identity: by another one, at a provider that
/// is set up.
pub(super) fn is_spare(identity: &Model, all: &[Model], upstreams: &Upstreams) -> bool {
    let mut others = all.iter().filter(|other| *other != identity);
    others.any(|other| upstreams.find(&other.provider).is_some())
}
