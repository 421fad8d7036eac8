//! The database: one table per file, its entity first, then named operations on it.
//!
//! Only this folder names the ORM. Rows hold hashes of secrets, never the secrets. Times are
//! seconds since 1970.

use std::{
    fs, io,
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    panic::Location,
    path::Path,
};

use migration::Migrator;
use percent_encoding::percent_decode_str;
use sea_orm::{ConnectionTrait, DbBackend, DbErr, FromQueryResult, Statement, Value};
use sea_orm_migration::MigratorTrait;
use thiserror::Error;

use crate::oauth::error::OAuthError;

/// What the ORM asks of every entity besides its model. No entity has relations here.
macro_rules! without_relations {
    () => {
        /// The ORM follows no relations.
        #[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
        pub enum Relation {}

        impl ActiveModelBehavior for ActiveModel {}
    };
}

pub(crate) mod accounts;
pub mod attempts;
pub mod authorization_codes;
pub mod blocked_clients;
pub mod clients;
pub mod consents;
pub mod counters;
mod database_url;
pub mod device_codes;
pub mod grants;
pub mod identities;
pub mod logout_deliveries;
pub mod opaque_tokens;
mod pool;
mod readiness;
pub mod registrations;
pub mod replicas;
pub mod retention;
pub mod revocations;
pub mod scim_groups;
pub mod scim_members;
pub mod scim_users;
pub mod security_events;
pub mod sessions;
pub mod signing_keys;
pub mod single_use;
mod sqlite;
mod time_limits;
mod transaction;
pub mod users;

pub use self::{
    database_url::UrlError,
    pool::Pool,
    readiness::Readiness,
    security_events::EventKind,
    transaction::{Begin, Transaction},
};

/// The advisory lock of PostgreSQL under which the schema changes. The number has no meaning.
const MIGRATION_LOCK: i64 = 0x706f_7274;

/// The pool, or a transaction.
pub use sea_orm::ConnectionTrait as Connection;

/// An operation that failed for a technical reason.
pub type StorageError = DbErr;

/// Finds a row by a statement that is written out: for a read by key, the query builder costs more than
/// the database. Both engines understand `$1`. Columns are listed, because PostgreSQL keeps the
/// statement prepared.
async fn find_one<M: FromQueryResult>(
    db: &impl ConnectionTrait,
    sql: &str,
    values: impl IntoIterator<Item = Value>,
) -> Result<Option<M>, StorageError> {
    let query = Statement::from_sql_and_values(db.get_database_backend(), sql, values);
    M::find_by_statement(query).one(db).await
}

/// Every failure of the database is the same refusal. The log names the place in the sources where it
/// became one, which tells what was being done.
impl From<StorageError> for OAuthError {
    #[track_caller]
    fn from(error: StorageError) -> Self {
        let place = Location::caller();
        Self::outage("database_failed", format!("{error} ({}:{})", place.file(), place.line()))
    }
}

/// The database cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// The directory of an SQLite file cannot be created.
    #[error(
        "the data directory {path} cannot be created: {cause}; make it writable, or name another \
         place in DATABASE_URL"
    )]
    Directory {
        /// The directory.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The SQLite file cannot be created.
    #[error(
        "the database file {path} cannot be opened for writing: {cause}; make it writable, or name \
         another one in DATABASE_URL"
    )]
    File {
        /// The file.
        path: String,
        /// What the system said.
        cause: io::Error,
    },
    /// The setting does not name a database.
    #[error("DATABASE_URL is not usable: {0}")]
    Url(#[from] UrlError),
    /// The database cannot be opened.
    #[error("the database cannot be opened: {0}; check DATABASE_URL and who may write there")]
    Connect(DbErr),
    /// The schema is that of a newer version, or of one before 0.1.0.
    #[error(
        "the database has the schema of another version of auth; update auth, or if the database was \
         made before 0.1.0, remove it (data/auth.db by default) or name another one in DATABASE_URL"
    )]
    OtherVersion,
    /// The schema cannot be brought up to date.
    #[error("the database schema cannot be brought up to date: {0}")]
    Migrate(DbErr),
}

/// The database.
#[derive(Clone, Debug)]
pub struct Database(Pool);

impl Database {
    /// Opens the database that `url` names and brings its schema up to date. An SQLite file and its
    /// directory are created for this user alone.
    pub async fn open(url: &str) -> Result<Self, OpenError> {
        let url = database_url::check(url)?;
        let pool = if let Some(file) = sqlite_file(url) {
            create_privately(file)?;
            Pool::open_sqlite(url).await
        } else {
            Pool::open_postgres(url).await
        };
        let database = Self(pool.map_err(OpenError::Connect)?);
        database.update_schema().await?;
        Ok(database)
    }

    /// Brings the schema up to date, unless it is.
    async fn update_schema(&self) -> Result<(), OpenError> {
        // Looking needs no right to create tables.
        match Migrator::get_pending_migrations_read_only(&self.0).await {
            Ok(pending) if pending.is_empty() => Ok(()),
            Ok(_) => self.migrate().await.map_err(OpenError::Migrate),
            // The only error of its own: a migration was applied that this version does not know.
            Err(DbErr::Custom(_)) => Err(OpenError::OtherVersion),
            Err(error) => Err(OpenError::Migrate(error)),
        }
    }

    /// Runs the migrations in one transaction, which one replica has at a time: those that start
    /// together wait, and find nothing left to do.
    async fn migrate(&self) -> Result<(), DbErr> {
        let transaction = self.0.begin_migration().await?;
        if transaction.get_database_backend() == DbBackend::Postgres {
            time_limits::lift(&transaction).await?;
            let lock = format!("SELECT pg_advisory_xact_lock({MIGRATION_LOCK})");
            transaction.execute_unprepared(&lock).await?;
        }
        Migrator::up(&transaction, None).await?;
        transaction.commit().await
    }

    /// Begins a transaction.
    pub async fn begin(&self) -> Result<Transaction, StorageError> {
        self.0.begin().await
    }

    /// The pool itself, for single statements.
    pub fn connection(&self) -> &Pool {
        &self.0
    }
}

fn sqlite_file(url: &str) -> Option<&str> {
    let path = url.strip_prefix("sqlite:")?;
    let path = path.strip_prefix("//").unwrap_or(path);
    path.split('?').next()
}

/// Creates an SQLite file and its directory if they are missing, readable by this user alone. SQLite
/// gives the files that it puts next to the database the same mode.
fn create_privately(name: &str) -> Result<(), OpenError> {
    let name = percent_decode_str(name).decode_utf8_lossy();
    if name.is_empty() || name == ":memory:" {
        return Ok(());
    }
    let file = Path::new(&*name);
    if let Some(directory) = file.parent().filter(|path| !path.as_os_str().is_empty()) {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(directory).map_err(|cause| {
            OpenError::Directory { path: directory.display().to_string(), cause }
        })?;
    }
    let created = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(file);
    created.map(drop).map_err(|cause| OpenError::File { path: file.display().to_string(), cause })
}

#[cfg(test)]
mod tests {
    use sea_orm::Statement;

    use super::*;

    #[tokio::test]
    async fn a_database_of_another_version_is_refused_with_what_to_do() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/auth.db", directory.path().display());
        let database = Database::open(&url).await.unwrap();
        let applied = "INSERT INTO seaql_migrations VALUES ('m20261124_000001_create_users', 0)";
        database.connection().execute_unprepared(applied).await.unwrap();
        let error = Database::open(&url).await.unwrap_err();
        assert!(matches!(error, OpenError::OtherVersion), "{error}");
    }

    #[tokio::test]
    async fn sqlite_keeps_the_plan_of_a_statement_when_values_are_bound() {
        let directory = tempfile::tempdir().unwrap();
        let url = format!("sqlite://{}/auth.db", directory.path().display());
        let database = Database::open(&url).await.unwrap();
        let query = Statement::from_string(DbBackend::Sqlite, "PRAGMA compile_options");
        let rows = database.connection().query_all_raw(query).await.unwrap();
        let mut options = rows.iter().map(|row| row.try_get_by_index::<String>(0).unwrap());
        let is_on = options.any(|option| option == "ENABLE_QPSG");
        assert!(is_on, "SQLite was built without .cargo/config.toml: run `make build`");
    }
}
