//! `auth config`: the settings, and the configuration file.

use std::{
    fs,
    io::Write,
    path::{Path, PathBuf},
};

use clap::{
    ArgMatches, Args, Command as Grammar, CommandFactory, FromArgMatches, Subcommand,
    parser::ValueSource,
};
use serde_json::{Map, Value};

use super::{CommandError, table};
use crate::config::{Config, ConfigError, ConfigFile};

/// What can be done with the settings. None of it starts a server or opens the database.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Check the settings and the configuration file, as the start does.
    Check(Box<Config>),
    /// Show every setting, and whether it comes from the command line, the environment or the default.
    Show(Settings),
    /// Print the JSON schema of the configuration file, for editors.
    Schema,
    /// Print the configuration file that says what the three JSON files of earlier versions said.
    Convert(JsonFiles),
}

/// The JSON files of earlier versions.
#[derive(Debug, Args)]
pub struct JsonFiles {
    /// The former AUTH_RESOURCES_FILE.
    #[arg(long, value_name = "FILE")]
    resources: Option<PathBuf>,
    /// The former AUTH_UPSTREAMS_FILE.
    #[arg(long, value_name = "FILE")]
    upstreams: Option<PathBuf>,
    /// The former AUTH_TRUSTED_ISSUERS_FILE.
    #[arg(long, value_name = "FILE")]
    trusted_issuers: Option<PathBuf>,
}

/// The settings as they were given: environment variable, value, source.
#[derive(Debug)]
pub struct Settings(Vec<[String; 3]>);

impl Command {
    pub(super) fn run(self, stdout: &mut impl Write) -> Result<(), CommandError> {
        match self {
            Self::Check(config) => check(&config, stdout),
            Self::Show(settings) => {
                Ok(table::write(stdout, ["SETTING", "VALUE", "SOURCE"], &settings.0)?)
            }
            Self::Schema => Ok(writeln!(stdout, "{:#}", ConfigFile::schema().to_value())?),
            Self::Convert(files) => Ok(write!(stdout, "{}", files.convert()?)?),
        }
    }
}

fn check(config: &Config, stdout: &mut impl Write) -> Result<(), CommandError> {
    let refused = |error: ConfigError| CommandError::Refused(error.to_string());
    config.check().map_err(refused)?;
    let file = config.file().map_err(refused)?;
    let github = usize::from(config.github_client_id.is_some());
    let allowed = file.access.filter(|access| !access.anyone).map(|access| access.allow);
    writeln!(
        stdout,
        "The settings fit together. Resources: {}, upstreams: {}, trusted issuers: {}. Who may sign \
         in: {}.",
        file.resources.len(),
        file.upstreams.len() + github,
        file.trusted_issuers.len(),
        allowed.map_or("anyone".into(), |names| names.into_iter().collect::<Vec<_>>().join(", ")),
    )?;
    Ok(())
}

impl JsonFiles {
    fn convert(&self) -> Result<String, CommandError> {
        let mut document = Map::new();
        for (name, file) in [
            ("resources", &self.resources),
            ("upstreams", &self.upstreams),
            ("trusted_issuers", &self.trusted_issuers),
        ] {
            if let Some(file) = file {
                document.insert(name.into(), read(file)?);
            }
        }
        toml::to_string(&document).map_err(|error| CommandError::Refused(error.to_string()))
    }
}

/// The JSON in a file, without members that are null: TOML has no word for them.
fn read(file: &Path) -> Result<Value, CommandError> {
    let refused =
        |why: &dyn std::fmt::Display| CommandError::Refused(format!("{}: {why}", file.display()));
    let text = fs::read(file).map_err(|error| refused(&error))?;
    let mut value = serde_json::from_slice(&text).map_err(|error| refused(&error))?;
    drop_null(&mut value);
    Ok(value)
}

fn drop_null(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(drop_null);
        }
        Value::Array(items) => items.iter_mut().for_each(drop_null),
        _ => {}
    }
}

impl Args for Settings {
    fn augment_args(grammar: Grammar) -> Grammar {
        Config::augment_args(grammar)
    }

    fn augment_args_for_update(grammar: Grammar) -> Grammar {
        Config::augment_args(grammar)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self, clap::Error> {
        let grammar = Config::command();
        let rows = grammar.get_arguments().filter_map(|setting| {
            let id = setting.get_id().as_str();
            let name = setting.get_env()?.to_string_lossy().into_owned();
            let values = matches.get_raw(id).into_iter().flatten();
            let value: Vec<_> = values.map(|value| value.to_string_lossy()).collect();
            let is_secret = setting.is_hide_env_values_set() && !value.is_empty();
            let value = if is_secret { "(secret)".into() } else { value.join(" ") };
            let source = match matches.value_source(id) {
                Some(ValueSource::CommandLine) => "command line",
                Some(ValueSource::EnvVariable) => "environment",
                Some(_) => "default",
                None => "not set",
            };
            Some([name, value, source.into()])
        });
        Ok(Self(rows.collect()))
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
