//! Master secrets, and the values that are sealed and tagged under them.

mod authenticator;
mod error;
mod master_secrets;
mod sealer;
mod sealing_line;

use self::sealing_line::SealingLine;
pub use self::{
    authenticator::Authenticator,
    error::{SealError, SecretError},
    master_secrets::MasterSecrets,
    sealer::Sealer,
};
