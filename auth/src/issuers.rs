//! From an assertion to what it proves: its issuer is trusted by configuration, its keys are the
//! issuer's, its claims hold.

use std::sync::Arc;

use keys::{PublishedKeys, UnverifiedToken};

use crate::{
    oauth::{
        Client, OAuthError, TrustedIssuer,
        assertion::{self, IdentityAssertion, WorkloadAssertion},
        restrictions::Restrictions,
        trusted_issuer::{self, People},
    },
    state::AppState,
};

/// What an assertion proves, and what the token that comes of it must respect.
pub(crate) struct Verified<'a> {
    /// The person who may use the client; without one, the client is the workload that it is configured
    /// to be.
    pub(crate) person: Option<AssertedPerson<'a>>,
    pub(crate) restrictions: Restrictions,
}

/// A person of a trusted issuer. The caller must find out whether the assertion comes for the first
/// time.
pub(crate) struct AssertedPerson<'a> {
    pub(crate) issuer: &'a TrustedIssuer,
    /// How the people of the issuer are known here.
    pub(crate) people: &'a People,
    pub(crate) claims: IdentityAssertion,
}

/// The client that a workload says it is, if a rule of its issuer fits: only to know which client
/// to check the assertion with.
pub(crate) fn unverified_workload(state: &AppState, assertion: &str) -> Result<String, OAuthError> {
    let issuer = issuer(state, assertion)?;
    let claims: WorkloadAssertion = UnverifiedToken::parse(assertion)
        .and_then(|token| token.claims())
        .map_err(assertion::unverified)?;
    let workload = issuer.workload(&claims.assertion.sub, &claims.claims);
    workload.map(|workload| workload.client_id.clone()).ok_or_else(assertion::untrusted)
}

/// Checks an assertion that `client` presents.
pub(crate) async fn verify<'a>(
    state: &'a AppState,
    client: &Client,
    assertion: &str,
) -> Result<Verified<'a>, OAuthError> {
    let issuer = issuer(state, assertion)?;
    let keys = keys_of(state, issuer, assertion).await?;
    let name = &state.config.issuer;
    let now = state.clock.now();
    if assertion::is_identity_assertion(assertion) {
        let claims = IdentityAssertion::verify(assertion, &keys, name, &client.id, now)?;
        let people = issuer.people.as_ref().filter(|people| people.accept(&claims.claims));
        let people = people.ok_or_else(assertion::untrusted)?;
        let rule = &people.claims;
        let ignored = &people.ignored_claims;
        let restrictions = Restrictions::of_identity(&claims.claims, rule, ignored)?;
        let person = Some(AssertedPerson { issuer, people, claims });
        return Ok(Verified { person, restrictions });
    }
    // The draft wants the token endpoint as audience, its test suite the issuer identifier.
    let audiences = [name.clone(), format!("{name}/token")];
    let claims = WorkloadAssertion::verify(assertion, &keys, &audiences, now)?;
    let workload = issuer.workload(&claims.assertion.sub, &claims.claims);
    let workload = workload.filter(|workload| workload.client_id == client.id);
    let workload = workload.ok_or_else(assertion::untrusted)?;
    let restrictions = Restrictions::of_workload(&claims.claims, &workload.claims)?;
    let issuer = &issuer.issuer;
    let subject = &claims.assertion.sub;
    tracing::info!(%issuer, %subject, client = %client.id, "a workload proved itself");
    Ok(Verified { person: None, restrictions })
}

fn issuer<'a>(state: &'a AppState, assertion: &str) -> Result<&'a TrustedIssuer, OAuthError> {
    let name = assertion::unverified_issuer(assertion)?;
    trusted_issuer::find(&state.trusted_issuers, &name).ok_or_else(assertion::untrusted)
}

async fn keys_of(
    state: &AppState,
    issuer: &TrustedIssuer,
    assertion: &str,
) -> Result<Arc<PublishedKeys>, OAuthError> {
    match (issuer.own_keys(), &issuer.jwks_uri) {
        (Some(keys), _) => Ok(Arc::new(keys)),
        (None, Some(uri)) => state.clients.issuer_keys(uri, assertion).await,
        (None, None) => Err(assertion::untrusted()),
    }
}
