//! The account of a person whom a trusted issuer asserts: found or created, and judged by what the
//! assertion says of them.

use crate::{
    access::{SCIM, facts::Facts},
    admission::{Admitted, check},
    issuers::AssertedPerson,
    oauth::{OAuthError, assertion::IdentityAssertion},
    provisioning, recheck,
    state::AppState,
    storage::{
        identities,
        users::{self, Profile},
    },
    upstream::claims::AskedClaims,
};

/// Everything about the person has been judged, and nothing is stored yet.
pub(super) struct Account<'a> {
    asserted: AssertedPerson<'a>,
    facts: Facts,
    known: Option<users::Model>,
}

impl<'a> Account<'a> {
    /// Finds the account, or makes sure that one may be created. Accounts are linked by issuer and
    /// subject alone: an address proves nothing here.
    pub(super) async fn find(
        state: &AppState,
        asserted: AssertedPerson<'a>,
    ) -> Result<Self, OAuthError> {
        let db = state.db.connection();
        let provider = asserted.issuer.provider();
        let subject = asserted.claims.assertion.subject()?;
        let known = match identities::find(db, provider, subject.as_str()).await? {
            Some(identity) => users::find(db, identity.user_id).await?,
            None => None,
        };
        if known.is_none() && !asserted.people.create_accounts {
            return Err(OAuthError::invalid_grant(
                "assertion_person_unknown",
                "The person of the assertion has no account here. They must sign in here once.",
            ));
        }
        let mut all = known.as_ref().map(users::Model::facts).unwrap_or_default();
        let facts = asserted_facts(state, &asserted, all.remove(provider));
        let said = provisioning::preview(state, provider, subject.as_str(), &facts).await?;
        all.extend(said.map(|said| (SCIM.to_owned(), said)));
        all.insert(provider.to_owned(), facts.clone());
        if let Err(refused) = check(state, known.as_ref(), &all) {
            if let Some(user) = known {
                // What the issuer said before no longer holds, so what came of it ends.
                let user = users::set_facts(db, user, provider, Some(facts)).await?;
                recheck::enforce(state, &user).await?;
            }
            return Err(refused);
        }
        Ok(Self { asserted, facts, known })
    }

    pub(super) fn claims(&self) -> &IdentityAssertion {
        &self.asserted.claims
    }

    /// Stores what the assertion says of the person, whose account is created if there is none.
    pub(super) async fn admit(self, state: &AppState) -> Result<Admitted, OAuthError> {
        let Self { asserted: AssertedPerson { issuer, claims, .. }, facts, known } = self;
        let provider = issuer.provider();
        let user = match known {
            Some(user) if user.facts().get(provider) == Some(&facts) => user,
            Some(user) => {
                users::set_facts(state.db.connection(), user, provider, Some(facts)).await?
            }
            None => {
                let profile = Profile {
                    name: claims.name.clone(),
                    preferred_username: claims.preferred_username.clone(),
                    picture: claims.picture.clone(),
                    verified_email: claims.verified_email(),
                };
                let subject = claims.assertion.subject()?;
                let now = state.clock.now();
                let user = identities::sign_in(&state.db, provider, &subject, profile, now).await?;
                users::set_facts(state.db.connection(), user, provider, Some(facts)).await?
            }
        };
        let subject = claims.assertion.subject()?;
        let user = provisioning::settle(state, user, provider, subject.as_str()).await?;
        Admitted::judge(state, user)
    }
}

/// What the assertion says that rules ask about. It replaces what was known `earlier`; what it leaves
/// out, such as the groups of a person who also signs in there, stays.
fn asserted_facts(
    state: &AppState,
    asserted: &AssertedPerson<'_>,
    earlier: Option<Facts>,
) -> Facts {
    let AssertedPerson { issuer, claims, .. } = asserted;
    let now = state.clock.now();
    let mut facts = earlier.unwrap_or_else(|| Facts { asked_at: now, ..Facts::default() });
    if let Some(address) = claims.verified_email() {
        facts.verified_emails = [address.to_lowercase()].into();
    }
    let asked = AskedClaims::new(issuer.provider(), &state.access.questions());
    facts.claims.extend(asked.read(&[&claims.claims]));
    facts
}
