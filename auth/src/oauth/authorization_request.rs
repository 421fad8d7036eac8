//! An authorization request whose client and redirect target are already certain.

use super::{
    client::{Client, GrantType},
    error::{ErrorCode, OAuthError},
    parameters::Parameters,
    pkce::CodeChallenge,
    redirect_target::RedirectTarget,
    resource::{self, Resource},
    scope::ScopeSet,
    secret,
};

/// What the request wants of the person (OpenID Connect Core §3.1.2.1).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// `none`: no page may be shown.
    pub(crate) none: bool,
    /// `login` or `select_account`: sign in again.
    pub(crate) login: bool,
    /// `consent`: ask, even where an answer is remembered.
    pub(crate) consent: bool,
}

/// A request to `/authorize` in which every parameter has been judged.
#[derive(Clone, Debug)]
pub(crate) struct AuthorizationRequest {
    pub(crate) client: Client,
    pub(crate) target: RedirectTarget,
    pub(crate) code_challenge: CodeChallenge,
    pub(crate) resource: Resource,
    /// What can be granted of what was asked.
    pub(crate) scope: ScopeSet,
    /// What was asked, in the client's words.
    pub(crate) asked_scope: String,
    /// To be echoed in the ID token.
    pub(crate) nonce: Option<String>,
    /// Thumbprint of the key that the code is bound to (RFC 9449 §10).
    pub(crate) dpop_jkt: Option<String>,
    pub(crate) prompt: Prompt,
    /// Seconds since the person last proved who they are, at most.
    pub(crate) max_age: Option<i64>,
    /// Who the client believes the person is, for the upstream.
    pub(crate) login_hint: Option<String>,
}

impl AuthorizationRequest {
    /// Judges everything but client and redirect target. Every error may be sent to the target.
    pub(crate) fn parse(
        parameters: &Parameters,
        client: Client,
        target: RedirectTarget,
        resources: &[Resource],
    ) -> Result<Self, OAuthError> {
        check_response(parameters)?;
        client.check_grant(GrantType::AuthorizationCode)?;
        let code_challenge = CodeChallenge::from_request(
            parameters.optional("code_challenge")?,
            parameters.optional("code_challenge_method")?,
        )?;
        let resource = resource::select(resources, parameters.all("resource"))?.clone();
        let asked_scope = parameters.optional("scope")?;
        let scope = resource.grantable(asked_scope)?;
        let scope = client.restrict(&scope, &resource)?;
        parameters.short("state")?;
        let nonce = parse_nonce(parameters.short("nonce")?)?;
        let dpop_jkt = parse_thumbprint(parameters.optional("dpop_jkt")?)?;
        let prompt = parse_prompt(parameters.optional("prompt")?)?;
        let max_age = parse_max_age(parameters.optional("max_age")?)?;
        let login_hint = parameters.short("login_hint")?.map(Into::into);
        Ok(Self {
            client,
            target,
            code_challenge,
            resource,
            asked_scope: asked_scope.map_or_else(|| scope.to_string(), str::to_owned),
            scope,
            nonce,
            dpop_jkt,
            prompt,
            max_age,
            login_hint,
        })
    }
}

fn check_response(parameters: &Parameters) -> Result<(), OAuthError> {
    if !parameters.all("request").is_empty() || !parameters.all("request_uri").is_empty() {
        return Err(OAuthError::invalid_request(
            "request_object",
            "Request objects are not supported. Send the parameters themselves.",
        ));
    }
    if parameters.required("response_type")? != "code" {
        return Err(ErrorCode::UnsupportedResponseType
            .error("response_type", "The parameter response_type must be code."));
    }
    match parameters.optional("response_mode")? {
        None | Some("query") => Ok(()),
        Some(_) => Err(OAuthError::invalid_request(
            "response_mode",
            "The parameter response_mode must be query, or left out.",
        )),
    }
}

/// The nonce is stored with the code, and PostgreSQL takes no text with a zero byte.
fn parse_nonce(nonce: Option<&str>) -> Result<Option<String>, OAuthError> {
    match nonce {
        Some(nonce) if nonce.contains('\0') => Err(OAuthError::invalid_request(
            "nonce",
            "The parameter nonce must not hold a zero byte.",
        )),
        nonce => Ok(nonce.map(Into::into)),
    }
}

/// A SHA-256 thumbprint in base64url (RFC 7638).
fn parse_thumbprint(thumbprint: Option<&str>) -> Result<Option<String>, OAuthError> {
    match thumbprint {
        Some(text) if !secret::is_sha256(text) => Err(OAuthError::invalid_request(
            "dpop_jkt",
            "The parameter dpop_jkt must be the base64url SHA-256 thumbprint of a key.",
        )),
        text => Ok(text.map(Into::into)),
    }
}

fn parse_max_age(max_age: Option<&str>) -> Result<Option<i64>, OAuthError> {
    match max_age {
        None => Ok(None),
        // More seconds than fit are as good as no limit.
        Some(text) if text.bytes().all(|b| b.is_ascii_digit()) => {
            Ok(Some(text.parse().unwrap_or(i64::MAX)))
        }
        Some(_) => Err(OAuthError::invalid_request(
            "max_age",
            "The parameter max_age must be a whole number of seconds.",
        )),
    }
}

fn parse_prompt(prompt: Option<&str>) -> Result<Prompt, OAuthError> {
    let words: Vec<&str> =
        prompt.unwrap_or_default().split(' ').filter(|w| !w.is_empty()).collect();
    let has = |word| words.contains(&word);
    if has("none") && words.len() > 1 {
        return Err(OAuthError::invalid_request(
            "prompt",
            "The parameter prompt must not combine none with another value.",
        ));
    }
    Ok(Prompt {
        none: has("none"),
        login: has("login") || has("select_account"),
        consent: has("consent"),
    })
}
