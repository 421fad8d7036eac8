//! What holds across the endpoints of `auth`.

mod access_policy;
mod advertised;
mod blocked_clients;
mod client_authentication;
mod groups;
mod key_rotation;
mod leaving;
mod master_secrets;
mod metadata_documents;
mod provisioning;
mod public_issuer;
mod rechecks;
mod request_ids;
mod resources;
mod settings;
mod taken_clients;
