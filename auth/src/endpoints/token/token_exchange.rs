//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): a client turns an
//! access token into one that can do less, or acts on for the person who called it.
//!
//! The new token never says more than the old: not more scopes, no other resource than the
//! configuration allows, no longer life, and it is bound to the same key.

use keys::{AccessTokenClaims, Actor};

use super::{
    TokenResponse,
    issue::{self, Issue, Person, TokenExtras},
};
use crate::{
    extract::FromParameters,
    oauth::{Client, ErrorCode, OAuthError, Parameters, Resource, ScopeSet, resource},
    state::AppState,
    tokens::AccessToken,
};

/// The one type of token that is taken and given (RFC 8693 §3).
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The same, named by its format.
const JWT: &str = "urn:ietf:params:oauth:token-type:jwt";
/// Most actors in the `act` chain of a token.
const MAX_ACTORS: usize = 4;

pub(crate) struct Request {
    subject_token: String,
    scope: Option<ScopeSet>,
    targets: Vec<String>,
}

impl FromParameters for Request {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        if ![ACCESS_TOKEN, JWT].contains(&parameters.required("subject_token_type")?) {
            return Err(OAuthError::invalid_request(
                "subject_token_type",
                "The subject_token_type must be urn:ietf:params:oauth:token-type:access_token.",
            ));
        }
        if parameters.optional("requested_token_type")?.is_some_and(|kind| kind != ACCESS_TOKEN) {
            return Err(OAuthError::invalid_request(
                "requested_token_type",
                "The requested_token_type must be urn:ietf:params:oauth:token-type:access_token.",
            ));
        }
        if !parameters.all("actor_token").is_empty()
            || !parameters.all("actor_token_type").is_empty()
        {
            return Err(OAuthError::invalid_request(
                "actor_token",
                "Send no actor_token. The client that asks is the one who acts.",
            ));
        }
        let mut targets = parameters.all("resource").to_vec();
        targets.extend(parameters.optional("audience")?.map(str::to_owned));
        Ok(Self {
            subject_token: parameters.required("subject_token")?.into(),
            scope: parameters.optional("scope")?.map(ScopeSet::parse).transpose()?,
            targets,
        })
    }
}

/// Judges the token that is given, and makes the lesser one.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    if client.is_public() {
        return Err(ErrorCode::UnauthorizedClient.error(
            "exchange_public_client",
            "A client that cannot prove who it is cannot exchange tokens.",
        ));
    }
    let subject = AccessToken::find(state, &request.subject_token).await?.ok_or_else(unusable)?;
    check_holder(client, &subject.claims)?;
    check_key(&subject.claims, key_thumbprint)?;
    let resource = target(state, &subject.claims, &request.targets)?;
    let scope = narrowed(client, resource, &subject, request.scope.as_ref())?;
    let person = person(&subject)?;
    let issue = Issue {
        grant: subject.grant.as_ref(),
        expires_by: Some(subject.claims.exp),
        actor: actor(client, &subject.claims)?,
        ..Issue::new(client, Some(person), resource, scope)?
    };
    let response = issue::tokens(state, issue, key_thumbprint, TokenExtras::default()).await?;
    Ok(TokenResponse { issued_token_type: Some(ACCESS_TOKEN), ..response })
}

/// The client that got the token may exchange it, and so may the resource that it was sent to.
fn check_holder(client: &Client, claims: &AccessTokenClaims) -> Result<(), OAuthError> {
    let may_exchange = claims.client_id == client.id || client.is_audience_of(&claims.aud);
    if may_exchange { Ok(()) } else { Err(unusable()) }
}

/// A token that is bound to a key stays bound to it (RFC 9449 §5).
fn check_key(claims: &AccessTokenClaims, key_thumbprint: Option<&str>) -> Result<(), OAuthError> {
    match &claims.cnf {
        Some(bound) if key_thumbprint != Some(&bound.jkt) => Err(ErrorCode::InvalidDpopProof
            .error(
                "subject_token_key_differs",
                "The subject_token is bound to a key. Send a DPoP proof made with that key.",
            )),
        _ => Ok(()),
    }
}

/// The token's own resource, or one that the configuration lets it be exchanged for.
fn target<'a>(
    state: &'a AppState,
    claims: &AccessTokenClaims,
    requested: &[String],
) -> Result<&'a Resource, OAuthError> {
    let resources = &state.resources;
    let own = resources.iter().find(|one| claims.aud.contains(&one.resource));
    let own = own.ok_or_else(unusable)?;
    if requested.is_empty() {
        return Ok(own);
    }
    let wanted = resource::select(resources, requested)?;
    if wanted.resource == own.resource || own.exchanges_for.contains(&wanted.resource) {
        Ok(wanted)
    } else {
        Err(ErrorCode::InvalidTarget.error(
            "exchange_target",
            "Tokens for this resource cannot be exchanged for tokens for another one.",
        ))
    }
}

/// Asked for, held, known to the resource, and allowed to the client: all of these.
fn narrowed(
    client: &Client,
    resource: &Resource,
    subject: &AccessToken,
    wanted: Option<&ScopeSet>,
) -> Result<ScopeSet, OAuthError> {
    let refused = |reason, description| ErrorCode::InvalidScope.error(reason, description);
    let held = subject.scope();
    if wanted.is_some_and(|wanted| !resource.with_implied(&held).covers(wanted)) {
        return Err(refused(
            "scope_wider_than_subject",
            "The scope goes beyond that of the subject_token. Ask for the same or less.",
        ));
    }
    let wanted = wanted.unwrap_or(&held).iter();
    let known = wanted.filter(|scope| resource.describe(scope).is_some()).collect();
    let scope = resource.within(&resource.within(&known, Some(&held)), client.max_scopes());
    if scope.is_empty() {
        Err(refused(
            "scope_none_left",
            "None of the scopes exists for the resource. Ask for others.",
        ))
    } else {
        Ok(scope)
    }
}

/// A token without a user has no subject to act for.
fn person(subject: &AccessToken) -> Result<Person, OAuthError> {
    let admitted = subject.person.clone().ok_or_else(unusable)?;
    let claims = &subject.claims;
    Ok(Person { admitted, authenticated_at: claims.auth_time, acr: claims.acr.clone() })
}

/// Who acts now, and for whom they act in turn. A client that only narrows its own token acts for
/// nobody new.
fn actor(client: &Client, claims: &AccessTokenClaims) -> Result<Option<Actor>, OAuthError> {
    if claims.client_id == client.id {
        return Ok(claims.act.clone());
    }
    let mut length = 1;
    let mut next = claims.act.as_ref();
    while let Some(earlier) = next {
        length += 1;
        next = earlier.act.as_deref();
    }
    if length > MAX_ACTORS {
        Err(OAuthError::invalid_request(
            "exchange_chain",
            "The subject_token names too many actors to be exchanged again. Start from an earlier \
             token.",
        ))
    } else {
        Ok(Some(Actor { sub: client.id.clone(), act: claims.act.clone().map(Box::new) }))
    }
}

fn unusable() -> OAuthError {
    OAuthError::invalid_request(
        "subject_token_unusable",
        "The subject_token is not a live access token of a person that this client may exchange.",
    )
}
