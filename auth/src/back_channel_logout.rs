//! Tells clients that a session has ended, by a signed message to the address that an operator
//! entered for them (OpenID Connect Back-Channel Logout 1.0).

use std::time::Duration;

use keys::{KeyError, LogoutEvents, LogoutTokenClaims, TokenType};
use thiserror::Error;
use tokio::time::{MissedTickBehavior, interval};

use crate::{
    state::AppState,
    storage::{StorageError, logout_deliveries},
};

/// Time between two looks for messages that are due.
const LOOK: Duration = Duration::from_secs(1);
/// Seconds from one try to the next. After the last, the message is given up.
const PAUSES: [i64; 6] = [10, 60, 300, 1800, 7200, 21_600];
/// Lifetime of a logout token, in seconds. Each attempt signs a new one.
const TOKEN_LIFETIME: i64 = 120;

/// Why a message was not delivered.
#[derive(Debug, Error)]
enum DeliveryError {
    #[error("the logout token was not signed: {0}")]
    Sign(#[from] KeyError),
    #[error("the client could not be reached: {0}")]
    Send(#[from] reqwest::Error),
    #[error("the client answered {0}")]
    Refused(reqwest::StatusCode),
}

/// Delivers for as long as the server runs.
pub async fn run(state: AppState) -> ! {
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        look.tick().await;
        if let Err(error) = deliver_due(&state).await {
            tracing::warn!(%error, "logout messages cannot be read");
        }
    }
}

/// Tries each message that is due once. What fails is tried again later, by any replica.
pub async fn deliver_due(state: &AppState) -> Result<(), StorageError> {
    let db = state.db.connection();
    let pause = |attempt: i64| {
        let at = usize::try_from(attempt - 1).unwrap_or_default();
        PAUSES.get(at).or(PAUSES.last()).copied().unwrap_or_default()
    };
    for delivery in logout_deliveries::take_due(db, state.clock.now(), pause).await? {
        let client_id = &delivery.client_id;
        let attempt = delivery.attempts;
        match deliver(state, &delivery).await {
            Ok(()) => logout_deliveries::remove(db, delivery.id).await?,
            Err(error) if usize::try_from(attempt).is_ok_and(|n| n < PAUSES.len()) => {
                tracing::info!(%error, client_id, attempt, "a logout message is tried again later");
            }
            Err(error) => {
                tracing::warn!(%error, client_id, attempt, "a logout message was given up");
                logout_deliveries::remove(db, delivery.id).await?;
            }
        }
    }
    Ok(())
}

async fn deliver(
    state: &AppState,
    delivery: &logout_deliveries::Model,
) -> Result<(), DeliveryError> {
    let now = state.clock.now();
    let claims = LogoutTokenClaims {
        iss: state.config.issuer.clone(),
        sub: delivery.user_id.to_string(),
        sid: delivery.session_id.to_string(),
        aud: delivery.client_id.clone(),
        jti: delivery.id.to_string(),
        iat: now,
        exp: now + TOKEN_LIFETIME,
        events: LogoutEvents::default(),
    };
    let token = state.keys.current(now)?.sign(TokenType::LogoutToken, &claims)?;
    let form = [("logout_token", token)];
    let answer = state.http.post(&delivery.uri).form(&form).send().await;
    let answer = answer.map_err(reqwest::Error::without_url)?;
    if answer.status().is_success() { Ok(()) } else { Err(DeliveryError::Refused(answer.status())) }
}
