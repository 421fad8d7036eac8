//! Every word that people read, in one catalogue, so that it can be translated.
//!
//! A language is one file in this folder; the compiler and the tests below see to it that none
//! lacks a text or a placeholder. A name from outside is put between direction isolates, so that a
//! name written from right to left cannot reorder the sentence around it.

mod english;
mod german;

use crate::language::Language;

/// Declares the catalogue, and how to walk through it.
macro_rules! catalogue {
    ($($name:ident)*) => {
        /// The texts of one language. `{name}` in a text is filled in when it is shown.
        pub(crate) struct Text {
            pub(crate) language: Language,
            pub(crate) errors: &'static ErrorTexts,
            $(pub(crate) $name: &'static str,)*
        }

        #[cfg(test)]
        impl Text {
            fn all(&self) -> Vec<(&'static str, &'static str)> {
                vec![$((stringify!($name), self.$name),)*]
            }
        }
    };
}

catalogue! {
    footer no_name quoted document_title
    sign_in sign_in_alone signing_in_gives_nothing no_providers continue_with stand_in
    name_asks_to_sign_in host_asks_to_sign_in calls_itself sign_in_declined sign_in_confirm
    signed_in_as change change_account allow_question allow_more will_be_able_to will_also_be_able_to
    your_choice also_your_choice allowed_before no_scopes unknown_scope sensitive sent_back_to
    unverified_program known_program asks_here asks_from any_name any_name_here started_here
    private_scheme brand_claim mixed_alphabets international_host
    allow deny details client_id redirect_address resource scopes own_pages own_home own_policy own_terms
    keeps_access once_for_all remove_any_time
    scope_openid scope_profile scope_email scope_offline_access
    device_title device_lead device_code device_hint device_continue device_unknown device_too_many
    device_question device_same_code device_phishing device_beware
    device_started_it device_not_ticked device_allowed device_allowed_lead device_denied
    device_denied_lead
    account account_lead connected_apps no_apps older newer first_used last_used installations more
    can_use remove_access remove_access_sure access_removed unverified_badge
    sessions this_browser signed_in_at last_seen sign_out_there signed_out_there browser_on unknown_device
    sign_out_elsewhere sign_out_elsewhere_hint signed_out_elsewhere
    identities identity_since identity_at identity_last link_another remove_identity
    remove_identity_sure remove_identity_now identity_removed events no_events your_data your_data_lead
    download delete_account network unknown_network this_computer
    event_signed_in event_signed_out event_signed_out_elsewhere event_access_allowed event_device_allowed event_access_denied
    event_access_removed event_token_replayed event_identity_linked event_identity_unlinked event_data_exported event_other
    event_account_disabled event_account_enabled event_signed_out_by_operator event_access_removed_by_operator
    event_access_ended event_kept_out event_provisioned event_provisioning_changed event_deprovisioned
    delete_title delete_lead delete_apps delete_again delete_sure delete_now delete_not_ticked
    deleted deleted_lead keep_account
    cause next_step reason request for_developers
    fault_client fault_provider fault_server
    action_home action_another_account action_sign_in action_account action_again action_onward
    end_session end_session_asked stay_signed_in
    signed_out session_ended clients_keep_access sign_in_again onward_unverified
    home what_this_is sign_out issuer for_programs metadata signing_keys enter_code
}

/// What the error pages of one language say, by kind.
pub(crate) struct ErrorTexts {
    pub(crate) client_unknown: ErrorText,
    pub(crate) redirect_not_registered: ErrorText,
    pub(crate) redirect_not_trusted: ErrorText,
    pub(crate) client_request: ErrorText,
    pub(crate) expired: ErrorText,
    pub(crate) already_answered: ErrorText,
    pub(crate) cross_site: ErrorText,
    pub(crate) declined: ErrorText,
    pub(crate) kept_out: ErrorText,
    pub(crate) provider_silent: ErrorText,
    pub(crate) provider_fault: ErrorText,
    pub(crate) sign_in_needed: ErrorText,
    pub(crate) refused: ErrorText,
    pub(crate) too_many: ErrorText,
    pub(crate) too_large: ErrorText,
    pub(crate) not_found: ErrorText,
    pub(crate) unavailable: ErrorText,
    pub(crate) server_mistake: ErrorText,
}

pub(crate) struct ErrorText {
    /// What is the matter, in a few words.
    pub(crate) title: &'static str,
    pub(crate) what: &'static str,
    /// What the person should do now.
    pub(crate) next: &'static str,
}

impl Text {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::English => &english::TEXT,
            Language::German => &german::TEXT,
        }
    }

    /// The words for a scope that is understood for every resource.
    pub(crate) fn scope(&self, scope: &str) -> Option<&'static str> {
        Some(match scope {
            "openid" => self.scope_openid,
            "profile" => self.scope_profile,
            "email" => self.scope_email,
            "offline_access" => self.scope_offline_access,
            _ => return None,
        })
    }

    /// A name that its bearer chose, marked as such.
    pub(crate) fn quoted(&self, name: &str) -> String {
        fill(self.quoted, &[("name", &isolated(name))])
    }

    pub(crate) fn event(&self, kind: &str) -> &'static str {
        match kind {
            "signed_in" => self.event_signed_in,
            "signed_out" => self.event_signed_out,
            "signed_out_elsewhere" => self.event_signed_out_elsewhere,
            "access_allowed" => self.event_access_allowed,
            "device_allowed" => self.event_device_allowed,
            "access_denied" => self.event_access_denied,
            "access_removed" => self.event_access_removed,
            "token_replayed" => self.event_token_replayed,
            "identity_linked" => self.event_identity_linked,
            "identity_unlinked" => self.event_identity_unlinked,
            "data_exported" => self.event_data_exported,
            "account_disabled" => self.event_account_disabled,
            "account_enabled" => self.event_account_enabled,
            "signed_out_by_operator" => self.event_signed_out_by_operator,
            "access_removed_by_operator" => self.event_access_removed_by_operator,
            "kept_out" => self.event_kept_out,
            "access_ended" => self.event_access_ended,
            "provisioned" => self.event_provisioned,
            "provisioning_changed" => self.event_provisioning_changed,
            "deprovisioned" => self.event_deprovisioned,
            _ => self.event_other,
        }
    }
}

/// A text with its placeholders filled in. What is filled in is never searched for placeholders.
pub(crate) fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 32);
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('{') {
        let Some((name, behind)) = after.split_once('}') else { break };
        let value = values.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        filled.push_str(before);
        filled.push_str(value.unwrap_or_default());
        rest = behind;
    }
    filled.push_str(rest);
    filled
}

/// Text that cannot change the direction of its surroundings (Unicode FSI … PDI).
pub(crate) fn isolated(text: &str) -> String {
    format!("\u{2068}{text}\u{2069}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn placeholders(text: &str) -> Vec<&str> {
        let mut found: Vec<&str> = text
            .split('{')
            .skip(1)
            .map(|part| part.split_once('}').expect("a placeholder closes").0)
            .collect();
        found.sort_unstable();
        found
    }

    #[test]
    fn every_language_has_every_text_with_the_same_placeholders() {
        let english = Text::of(Language::English).all();
        for language in Language::ALL {
            for ((name, text), (_, original)) in Text::of(language).all().iter().zip(&english) {
                assert!(!text.is_empty(), "{language:?} {name}");
                assert_eq!(placeholders(text), placeholders(original), "{language:?} {name}");
            }
        }
    }

    #[test]
    fn what_is_filled_in_is_not_filled_in_again() {
        assert_eq!(fill("{a} and {b}", &[("a", "{b}"), ("b", "2")]), "{b} and 2");
        assert_eq!(fill("{a", &[("a", "1")]), "{a");
        assert_eq!(fill("none", &[("a", "1")]), "none");
    }
}
