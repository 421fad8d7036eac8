//! What to do when a server refuses a request: a state machine without IO.
//!
//! ```text
//! 401 ─▶ Reload ── another process stored a newer token ──────▶ repeat the request
//!           │
//!        Refresh ── the authorization server issued a token ───▶ repeat the request
//!           │
//! 403 ─▶ SignIn ── the user or the client got another grant ───▶ repeat the request
//!           │
//!        GiveUp ── no sign-in is possible, or none would help ─▶ an error
//! ```
//!
//! [`Access`](super::access::Access) carries the steps out.

use crate::oauth::{challenge::AuthorizationChallenge, grant::Grant, scope::Scope};

/// How often one request may send the user to the browser.
const MAX_SIGN_INS: u8 = 3;

/// A server's answer that a different token is needed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refusal {
    /// `true` for 401: the token is missing or invalid. `false` for 403: it is insufficient.
    pub(crate) is_unauthorized: bool,
    pub(crate) challenge: AuthorizationChallenge,
}

/// What has been tried for one request. Nothing is repeated forever, because every step is noted
/// here and each can be taken a limited number of times.
#[derive(Clone, Debug, Default)]
pub(crate) struct Attempts {
    reloaded: bool,
    refreshed: bool,
    sign_ins: u8,
}

/// What to do about a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Read the stored grant again: another process may have renewed it.
    Reload,
    Refresh,
    /// Sign in, for the scopes that the server asks for.
    SignIn,
    GiveUp,
}

impl Attempts {
    /// The attempts of an explicit sign-in, which starts with the user.
    pub(crate) fn for_sign_in() -> Self {
        Self { reloaded: true, refreshed: true, sign_ins: 0 }
    }

    /// Decides the next step and notes it.
    pub(crate) fn next(
        &mut self,
        refusal: &Refusal,
        held: Option<&Grant>,
        can_sign_in: bool,
    ) -> Step {
        let has_refresh_token = held.is_some_and(|grant| grant.refresh_token.is_some());
        if refusal.is_unauthorized && !self.reloaded {
            self.reloaded = true;
            Step::Reload
        } else if refusal.is_unauthorized && !self.refreshed && has_refresh_token {
            self.refreshed = true;
            Step::Refresh
        } else if can_sign_in && (refusal.is_unauthorized || refusal.challenge.wants_more_scope()) {
            Step::SignIn
        } else {
            Step::GiveUp
        }
    }

    /// Counts a sign-in for `scope`. Returns `false` if it would change nothing: the user has
    /// signed in too often, or `scope` has been requested before and the server refuses the token
    /// that came of it.
    pub(crate) fn start_sign_in(
        &mut self,
        refusal: &Refusal,
        requested_before: Option<&Scope>,
        scope: &Scope,
    ) -> bool {
        let was_requested = requested_before.is_some_and(|before| before.covers(scope));
        let token_came_of_it = !refusal.is_unauthorized || self.sign_ins > 0;
        if self.sign_ins == MAX_SIGN_INS || (was_requested && token_came_of_it) {
            return false;
        }
        self.sign_ins += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::grant::tests::grant;

    fn refusal(is_unauthorized: bool) -> Refusal {
        Refusal { is_unauthorized, challenge: AuthorizationChallenge::default() }
    }

    fn in_vain(is_unauthorized: bool, sign_ins: u8, asked: Option<&str>) -> bool {
        let mut attempts = Attempts { sign_ins, ..Attempts::default() };
        let asked = asked.map(Scope::parse);
        !attempts.start_sign_in(&refusal(is_unauthorized), asked.as_ref(), &Scope::parse("a b"))
    }

    #[test]
    fn a_missing_or_old_token_is_worth_a_sign_in() {
        assert!(!in_vain(true, 0, None));
        assert!(!in_vain(true, 0, Some("a b")), "the token may simply have expired");
    }

    #[test]
    fn a_token_refused_right_after_the_sign_in_is_not_worth_another() {
        assert!(in_vain(true, 1, Some("a b")));
        assert!(!in_vain(true, 1, None), "the server trusts another authorization server now");
    }

    #[test]
    fn more_scope_is_asked_for_once() {
        assert!(!in_vain(false, 0, Some("a")));
        assert!(in_vain(false, 0, Some("a b c")));
    }

    #[test]
    fn nobody_is_asked_a_fourth_time() {
        assert!(!in_vain(false, 2, Some("a")) && in_vain(false, 3, Some("a")));
    }

    #[test]
    fn what_needs_no_user_is_tried_first_and_once() {
        let held = grant(0, Some(900));
        let mut attempts = Attempts::default();
        let mut next = |held| attempts.next(&refusal(true), held, true);
        assert_eq!(next(Some(&held)), Step::Reload);
        assert_eq!(next(Some(&held)), Step::Refresh);
        assert_eq!(next(Some(&held)), Step::SignIn);
        assert_eq!(Attempts::for_sign_in().next(&refusal(true), Some(&held), true), Step::SignIn);
    }

    #[test]
    fn a_403_without_scopes_and_a_sign_in_that_is_forbidden_end_the_request() {
        let mut attempts = Attempts::default();
        assert_eq!(attempts.next(&refusal(false), None, true), Step::GiveUp);
        assert_eq!(attempts.next(&refusal(true), None, false), Step::Reload);
        assert_eq!(attempts.next(&refusal(true), None, false), Step::GiveUp);
    }
}
