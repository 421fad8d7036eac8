//! A person whom the access policy lets in: only of such a person are claims told, sessions opened and
//! codes issued.

use std::sync::Arc;

use keys::UserClaims;

use crate::{
    access::{AccessPolicy, Groups, GroupsClaim, KeptOut, facts::FactsByUpstream},
    oauth::{ErrorCode, OAuthError, Resource, ScopeSet},
    state::AppState,
    storage::users,
};

/// A user whom the policy that is in force admits. Only [`Self::judge`] makes one.
#[derive(Clone, Debug)]
pub struct Admitted {
    user: users::Model,
    groups: Groups,
    policy: Arc<AccessPolicy>,
}

impl Admitted {
    /// Judges a user by the policy and by what upstreams said of them when they were last asked.
    pub fn judge(state: &AppState, user: users::Model) -> Result<Self, OAuthError> {
        let groups = check(state, Some(&user), &user.facts())?;
        Ok(Self { user, groups, policy: state.access.clone() })
    }

    /// The user.
    pub fn user(&self) -> &users::Model {
        &self.user
    }

    /// Of `wanted`, the scopes of the resource that the user may have. `None` where there is nothing to
    /// have: the resource is for other groups, or each scope that it understands by itself is.
    pub(crate) fn permitted(&self, resource: &Resource, wanted: &ScopeSet) -> Option<ScopeSet> {
        let permitted = self.policy.permitted_scopes(resource, &self.groups, wanted);
        let withheld: ScopeSet = wanted.iter().filter(|scope| !permitted.contains(scope)).collect();
        if !withheld.is_empty() {
            let person = self.user.id;
            tracing::debug!(%person, %withheld, "scopes withheld by the access policy");
        }
        let is_own = |scope: &str| resource.scopes.iter().any(|own| own.name == scope);
        let had_own = withheld.iter().any(is_own);
        let has_own = permitted.iter().any(is_own);
        let is_open = self.policy.permits(resource, &self.groups);
        (is_open && (has_own || !had_own)).then_some(permitted)
    }

    /// The groups of the user, under the name by which the resource is told them, if it is.
    pub(crate) fn groups_claim(&self, resource: &Resource) -> GroupsClaim {
        self.policy.groups_claim(resource, &self.groups)
    }

    /// The claims that these scopes reveal (OpenID Connect Core §5.4).
    pub(crate) fn revealed(&self, scope: &ScopeSet) -> UserClaims {
        let user = &self.user;
        let mut claims = UserClaims::default();
        if scope.contains("profile") {
            claims.name = user.name.clone();
            claims.preferred_username = user.preferred_username.clone();
            claims.picture = user.picture.clone();
        }
        if scope.contains("email") && user.email.is_some() {
            claims.email = user.email.clone();
            claims.email_verified = Some(user.email_verified);
        }
        claims
    }
}

/// Judges a person by `facts` before these are stored. A stranger has no account yet, and one who may not
/// come in gets none.
pub(crate) fn check(
    state: &AppState,
    account: Option<&users::Model>,
    facts: &FactsByUpstream,
) -> Result<Groups, OAuthError> {
    let verdict = if account.is_some_and(|user| user.disabled_at.is_some()) {
        Err(KeptOut::Disabled)
    } else {
        state.access.judge(facts)
    };
    verdict.map_err(|kept_out| {
        let person = account.map(|user| tracing::field::display(user.id));
        tracing::debug!(person, why = %kept_out, "person kept out");
        refusal(&kept_out)
    })
}

/// What a client is told of a person who is kept out.
fn refusal(kept_out: &KeptOut) -> OAuthError {
    let refused = OAuthError::invalid_grant;
    match kept_out {
        KeptOut::Denied(_) => refused(
            "person_denied",
            "This server keeps the person out. They can sign in with another account, or ask its \
             operator.",
        ),
        KeptOut::NotAllowed => refused(
            "person_not_allowed",
            "The person is not among those who may use this server. They can sign in with another \
             account, or ask its operator.",
        ),
        KeptOut::Deactivated => refused(
            "person_deactivated",
            "The person's organisation has deactivated them. They can sign in with another account, or \
             ask the operator.",
        ),
        KeptOut::Disabled => refused(
            "person_disabled",
            "The operator has disabled the person's account. They can sign in with another account, \
             or ask the operator.",
        ),
    }
    .because(kept_out.to_string())
}

/// The refusal where a person may have none of the scopes, or nothing of the resource.
pub(crate) fn nothing_permitted(code: ErrorCode) -> OAuthError {
    code.error(
        "scope_not_permitted",
        "The person may have none of the requested scopes of this resource. Ask for others, or ask the \
         operator of this server.",
    )
}
