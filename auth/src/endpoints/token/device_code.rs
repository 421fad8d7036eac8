//! `grant_type=urn:ietf:params:oauth:grant-type:device_code` (RFC 8628 §3.4): a device asks whether
//! its person has answered.

use super::{
    TokenResponse,
    issue::{self, Issue, TokenExtras},
    redeem::{Code, First, redeem},
};
use crate::{
    extract::FromParameters,
    oauth::{Client, ErrorCode, OAuthError, Parameters, resource, secret},
    state::AppState,
    storage::{device_codes, grants},
};

/// Seconds that each poll which came too soon adds to the wait (RFC 8628 §3.5).
const SLOWER_BY: i64 = 5;

pub(crate) struct Request {
    device_code_hash: String,
    resources: Vec<String>,
}

impl FromParameters for Request {
    fn from_parameters(parameters: &Parameters) -> Result<Self, OAuthError> {
        Ok(Self {
            device_code_hash: secret::hash(parameters.required("device_code")?),
            resources: parameters.all("resource").to_vec(),
        })
    }
}

/// Judges the poll. Once the person has allowed it, the first poll redeems the code.
pub(super) async fn serve(
    state: &AppState,
    client: &Client,
    key_thumbprint: Option<&str>,
    request: Request,
) -> Result<TokenResponse, OAuthError> {
    let db = state.db.connection();
    let code = device_codes::find(db, &request.device_code_hash).await?;
    let code = code.filter(|code| code.client_id == client.id).ok_or_else(unusable)?;
    resource::of_grant(&state.resources, &code.resource)?;
    resource::check_granted(&state.resources, &request.resources, &code.resource)?;
    let now = state.clock.now();
    let grant_id = match judge(&code, now) {
        Poll::Allowed(grant_id) => grant_id,
        Poll::Refused(refusal) => return Err(refusal),
        Poll::Pending { interval, refusal } => {
            let hash = &code.device_code_hash;
            device_codes::note_poll(db, hash, interval, now).await?;
            return Err(refusal);
        }
    };

    let found = grants::find_with_user(db, grant_id, None).await?;
    let grants::Found { grant, user, .. } =
        found.filter(|found| found.grant.is_live(now)).ok_or_else(unusable)?;
    let issue = Issue::of_grant(state, client, &grant, user, None)?;
    let first = First::of_grant(grant_id, client, key_thumbprint)?;
    if !redeem(state, Code::Device(&code.device_code_hash), &grant, first.as_ref()).await? {
        return Err(unusable());
    }
    let extras = TokenExtras {
        refresh_token: first.map(|first| first.token.expose(&state.seals.refresh_token)),
        id_token: true,
        nonce: None,
    };
    issue::tokens(state, issue, key_thumbprint, extras).await
}

enum Poll {
    Allowed(uuid::Uuid),
    /// The user has not answered yet; the device must wait this long before it polls again.
    Pending {
        interval: i64,
        refusal: OAuthError,
    },
    Refused(OAuthError),
}

fn judge(code: &device_codes::Model, now: i64) -> Poll {
    if code.expires_at <= now {
        return Poll::Refused(
            ErrorCode::ExpiredToken
                .error("device_code_expired", "The device_code has expired. Ask for a new one."),
        );
    }
    match (code.answered_at, code.grant_id) {
        (Some(_), Some(_)) if code.redeemed_at.is_some() => Poll::Refused(unusable()),
        (Some(_), Some(grant_id)) => Poll::Allowed(grant_id),
        (Some(_), None) => Poll::Refused(
            ErrorCode::AccessDenied.error("device_denied", "The person denied the request."),
        ),
        (None, _) if now < code.next_poll_at => Poll::Pending {
            interval: code.interval + SLOWER_BY,
            refusal: ErrorCode::SlowDown.error(
                "device_polls_too_fast",
                "Wait 5 seconds longer between two polls from now on.",
            ),
        },
        (None, _) => Poll::Pending {
            interval: code.interval,
            refusal: ErrorCode::AuthorizationPending.error(
                "device_not_answered",
                "The person has not answered yet. Ask again after the interval.",
            ),
        },
    }
}

fn unusable() -> OAuthError {
    OAuthError::invalid_grant(
        "device_code_unusable",
        "The device_code is unknown, used or not this client's. Ask for a new one.",
    )
}
