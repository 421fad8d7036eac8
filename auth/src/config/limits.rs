//! Settings of how often strangers may fail, prove and register.

use clap::Args;

/// Each is counted by each replica for itself, a minute unless it says otherwise; 0 is no limit.
#[derive(Clone, Copy, Debug, Args)]
pub struct LimitSetting {
    /// Wrong secrets a minute that are looked at for one client from one address; 0 for no limit.
    #[arg(long = "limit-wrong-secrets", env = "AUTH_LIMIT_WRONG_SECRETS", default_value_t = 60)]
    pub wrong_secrets: u32,
    /// Requests a minute that are refused with their reason: of one client that has proved itself,
    /// or of all others from one address; 0 for no limit. Past it, they are told to wait.
    #[arg(
        long = "limit-failed-requests",
        env = "AUTH_LIMIT_FAILED_REQUESTS",
        default_value_t = 600
    )]
    pub failed_requests: u32,
    /// Proofs of possession and client assertions a minute, from one address, of clients that
    /// anybody can be: each is remembered until it is no good any more. 0 for no limit.
    #[arg(long = "limit-proofs", env = "AUTH_LIMIT_PROOFS", default_value_t = 1200)]
    pub proofs: u32,
    /// Registrations a minute from one address; 0 for no limit.
    #[arg(long = "limit-registrations", env = "AUTH_LIMIT_REGISTRATIONS", default_value_t = 600)]
    pub registrations: u32,
    /// Requests a minute from one address whose story is kept; 0 for no limit.
    #[arg(long = "limit-stories", env = "AUTH_LIMIT_STORIES", default_value_t = 600)]
    pub stories: u32,
    /// Times a day that one person may let programs in; each is remembered in a row for two months.
    /// 0 for no limit.
    #[arg(long = "limit-approvals", env = "AUTH_LIMIT_APPROVALS", default_value_t = 1000)]
    pub approvals: u32,
    /// Access tokens a day of one person that are revoked one by one, by clients that anybody can
    /// be: each is listed to every resource server. 0 for no limit.
    #[arg(long = "limit-revocations", env = "AUTH_LIMIT_REVOCATIONS", default_value_t = 1000)]
    pub revocations: u32,
    /// Requests a minute of the provisioning system (SCIM); 0 for no limit.
    #[arg(long = "limit-scim", env = "AUTH_LIMIT_SCIM", default_value_t = 3000)]
    pub scim: u32,
}
