//! The URL of the database. It may hold a password, so messages never repeat any of it.

use sea_orm::sqlx::{postgres::PgConnectOptions, sqlite::SqliteConnectOptions};
use thiserror::Error;
use url::{ParseError, Url};

/// Parameters of a PostgreSQL URL that have an effect.
const POSTGRES_PARAMETERS: [&str; 18] = [
    "application_name",
    "dbname",
    "host",
    "hostaddr",
    "options",
    "password",
    "port",
    "ssl-ca",
    "ssl-cert",
    "ssl-key",
    "ssl-mode",
    "ssl-root-cert",
    "sslcert",
    "sslkey",
    "sslmode",
    "sslrootcert",
    "statement-cache-capacity",
    "user",
];

/// The URL does not name a database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum UrlError {
    /// It is no URL.
    #[error(
        "it is not a URL ({0}); write sqlite://PATH or postgres://USER:PASSWORD@HOST/DATABASE, with \
         `/`, `#`, `?` and `@` in the password as %2F, %23, %3F and %40"
    )]
    Malformed(ParseError),
    /// It names another kind of database.
    #[error("it must begin with sqlite: or postgres:")]
    Scheme,
    /// The driver does not take it.
    #[error("a part of it, or a parameter such as sslmode, has a value that is not known")]
    Value,
}

/// The URL itself, if it names a database. Logs the position of each parameter without effect.
pub(super) fn check(url: &str) -> Result<&str, UrlError> {
    let parsed = Url::parse(url).map_err(UrlError::Malformed)?;
    match parsed.scheme() {
        "sqlite" => url.parse::<SqliteConnectOptions>().map(drop),
        "postgres" | "postgresql" => {
            for place in without_effect(&parsed) {
                tracing::warn!("parameter {place} of DATABASE_URL is not known and has no effect");
            }
            url.parse::<PgConnectOptions>().map(drop)
        }
        _ => return Err(UrlError::Scheme),
    }
    .map_err(|_| UrlError::Value)?;
    Ok(url)
}

/// The positions of the parameters that the driver does not know, counted from 1.
fn without_effect(url: &Url) -> Vec<usize> {
    let is_known = |name: &str| POSTGRES_PARAMETERS.contains(&name) || name.starts_with("options[");
    let numbered = (1..).zip(url.query_pairs());
    numbered.filter(|(_, (name, _))| !is_known(name)).map(|(place, _)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_that_is_refused_is_not_repeated() {
        let refused = [
            "hunter2",
            "postgres//app:hunter2@db/auth",
            "postgres://app:hunter2/x@db/auth",
            "postgres://app:hunter2@db:port/auth",
            "postgres://app:hunter2@[db/auth",
            "mysql://app:hunter2@db/auth",
            "hunter2://db/auth",
            "app:hunter2@db/auth",
            "postgres://app@db/auth?sslmode=hunter2",
            "postgres://app:hunter2%ff@db/auth",
            "sqlite://auth.db?hunter2=1",
        ];
        for url in refused {
            let error = check(url).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("hunter2"), "{url}: {error}");
        }
    }

    #[test]
    fn parameters_without_effect_are_known_by_their_place() {
        let url = "postgres://app@db/auth?sslmode=require&hunter2&options[search_path]=a&x=hunter2";
        assert_eq!(without_effect(&Url::parse(url).unwrap()), [2, 4]);
    }
}
