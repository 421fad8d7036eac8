//! `GET /end_session` and `POST /end_session`
//!
//! A client asks to sign the person out (OpenID Connect RP-Initiated Logout 1.0 §2). An ID token
//! of this session proves that it may. For any other request, the person is asked first.

use axum::{
    extract::{RawQuery, State},
    response::{Html, IntoResponse, Response},
};
use axum_extra::extract::CookieJar;
use serde::Deserialize;
use url::Url;
use web::{Frame, Onward, end_session::EndSessionPage, signed_out::SignedOutPage};

use super::sign_out;
use crate::{
    cookies::CookieName,
    error_response::{PageError, see_other},
    extract::{Form, SignedIn, Visitor},
    oauth::{
        Client, OAuthError, Parameters,
        loopback::LoopbackUri,
        parameters::{MAX_SHORT_LENGTH, too_long},
        redirect_target::shown_host,
    },
    presentation,
    state::AppState,
};

/// A request in which every parameter has been judged.
struct LogoutRequest {
    client: Option<Client>,
    hint: Option<Hint>,
    /// Where the person goes afterwards, `state` included.
    target: Option<String>,
}

impl LogoutRequest {
    /// Whether the client holds an ID token of this person's present session.
    fn is_of(&self, person: &SignedIn) -> bool {
        self.hint.as_ref().is_some_and(|hint| {
            hint.sub == person.user().id.to_string()
                && hint.sid.as_ref().is_some_and(|sid| *sid == person.session.id.to_string())
        })
    }

    /// The redirect target of a client that registered itself. It may name any site, so the person
    /// decides whether to go there. A program on the person's machine is trusted.
    fn untrusted_target(&self) -> Option<Onward> {
        let is_open = self.client.as_ref().is_some_and(Client::vouches_for_itself);
        let target = self.target.as_ref().filter(|_| is_open)?;
        let is_site = LoopbackUri::parse(target).is_none();
        is_site.then(|| Onward { host: shown_host(target), address: target.clone() })
    }
}

/// What an ID token of this server says of the sign-in it came of. It may have expired since.
#[derive(Deserialize)]
struct Hint {
    iss: String,
    sub: String,
    aud: String,
    sid: Option<String>,
}

pub(crate) async fn get(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    frame: Frame,
    RawQuery(query): RawQuery,
) -> Result<Response, PageError> {
    let query = query.unwrap_or_default();
    let request = read(&state, &Parameters::parse(query.as_bytes())?, &visitor).await?;
    match signed_in {
        Some(person) if !request.is_of(&person) => {
            let page = EndSessionPage {
                client_name: request.client.map(|client| client.metadata.client_name),
                person: presentation::person(&person),
                request: query,
                csrf: person.csrf(&state),
            };
            Ok(Html(page.render(&frame)).into_response())
        }
        person => end(&state, person, &visitor, request, &frame).await,
    }
}

/// Takes the person's yes. A client that posts its request, whose form comes from another site
/// and so without the session's cookie, is sent to ask by GET.
pub(crate) async fn post(
    State(state): State<AppState>,
    signed_in: Option<SignedIn>,
    visitor: Visitor,
    frame: Frame,
    Form(form): Form,
) -> Result<Response, PageError> {
    if form.optional("csrf")?.is_none() {
        return Ok(see_other(&format!("/end_session?{}", query_of(&form)?)));
    }
    let query = form.optional("request")?.unwrap_or_default();
    let request = read(&state, &Parameters::parse(query.as_bytes())?, &visitor).await?;
    if let Some(person) = &signed_in {
        person.verify_csrf(&state, &form, sign_out::stale())?;
    }
    end(&state, signed_in, &visitor, request, &frame).await
}

/// What a client may send.
const PARAMETERS: [&str; 6] = [
    "id_token_hint",
    "logout_hint",
    "client_id",
    "post_logout_redirect_uri",
    "state",
    "ui_locales",
];

fn query_of(form: &Parameters) -> Result<String, OAuthError> {
    let mut query = url::form_urlencoded::Serializer::new(String::new());
    for name in PARAMETERS {
        if let Some(value) = form.optional(name)? {
            query.append_pair(name, value);
        }
    }
    Ok(query.finish())
}

async fn read(
    state: &AppState,
    parameters: &Parameters,
    visitor: &Visitor,
) -> Result<LogoutRequest, OAuthError> {
    let hint = parameters.optional("id_token_hint")?.and_then(|token| Hint::read(state, token));
    let named = parameters.optional("client_id")?;
    if let (Some(hint), Some(named)) = (&hint, named)
        && hint.aud != named
    {
        return Err(OAuthError::invalid_request(
            "end_session_other_client",
            "The id_token_hint was issued to another client than client_id.",
        ));
    }
    let client = match hint.as_ref().map(|hint| hint.aud.as_str()).or(named) {
        Some(id) => Some(state.clients.find_for(id, &visitor.network()).await?),
        None => None,
    };
    let uri = parameters.optional("post_logout_redirect_uri")?;
    let one_state = parameters.optional("state")?;
    let target = uri.map(|uri| target(client.as_ref(), uri, one_state)).transpose()?;
    Ok(LogoutRequest { client, hint, target })
}

/// Only an address that the client registered, compared exactly, is gone to.
fn target(client: Option<&Client>, uri: &str, state: Option<&str>) -> Result<String, OAuthError> {
    let Some(client) = client else {
        return Err(OAuthError::invalid_request(
            "end_session_client_missing",
            "Send client_id or id_token_hint together with post_logout_redirect_uri.",
        ));
    };
    let mut registered = client.metadata.post_logout_redirect_uris.iter();
    if !registered.any(|registered| registered.as_str() == uri) {
        return Err(OAuthError::invalid_request(
            "post_logout_redirect_uri_unregistered",
            "The post_logout_redirect_uri is not registered for this client. Send one that is.",
        ));
    }
    let mut url = Url::parse(uri).map_err(|error| {
        OAuthError::invalid_request(
            "post_logout_redirect_uri",
            "The post_logout_redirect_uri is not a URL. Send one that is registered.",
        )
        .because(error)
    })?;
    match state {
        Some(state) if state.len() > MAX_SHORT_LENGTH => Err(too_long("state")),
        Some(state) => Ok(url.query_pairs_mut().append_pair("state", state).finish().to_string()),
        None => Ok(uri.to_owned()),
    }
}

impl Hint {
    /// A token that this server signed for a sign-in of its own. One that cannot be verified, for
    /// its key may be long gone, proves nothing and is passed over.
    fn read(state: &AppState, token: &str) -> Option<Self> {
        let keys = state.keys.verification_keys(state.clock.now());
        let hint: Self = keys.verify(token, |typ| typ == Some("jwt")).ok()?;
        (hint.iss == state.config.issuer).then_some(hint)
    }
}

async fn end(
    state: &AppState,
    person: Option<SignedIn>,
    visitor: &Visitor,
    request: LogoutRequest,
    frame: &Frame,
) -> Result<Response, PageError> {
    // A person who is signed in has agreed to this client, now or when it got the ID token.
    let (jar, onward) = match person {
        Some(person) => {
            sign_out::end_session(state, &person, visitor).await?;
            (CookieJar::new().add(CookieName::Session.expired_cookie(&state.config)), None)
        }
        None => (CookieJar::new(), request.untrusted_target()),
    };
    let next = match request.target {
        Some(target) if onward.is_none() => see_other(&target),
        _ => Html(SignedOutPage { continue_to: None, onward }.render(frame)).into_response(),
    };
    Ok((jar, next).into_response())
}
