//! What to write instead of a name that is not known.

pub(super) use net::config_file::suggestion;
