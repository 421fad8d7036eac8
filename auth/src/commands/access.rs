//! `auth access`: who may come in, and with what.

use std::io::Write;

use clap::{Args, Command as Grammar, CommandFactory, FromArgMatches, Subcommand};
use serde_json::json;

use super::{CommandError, Format, person};
use crate::{
    access::{
        AccessPolicy, GITHUB, Groups, KeptOut,
        facts::{Facts, FactsByUpstream},
    },
    config::{Config, ConfigError},
    oauth::{Resource, ScopeSet, resource},
    storage::users,
};

/// What can be asked about the access policy. Nothing is changed.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Say whether a person may come in, and which rule decides.
    Test(Box<Test>),
}

/// A question to the policy that is in the configuration file now.
#[derive(Debug, Args)]
#[command(after_help = "The settings of the server are accepted too, above all --config and \
                        --database-url. Exit status: 0 for yes, 1 for no.")]
pub struct Test {
    /// The person: a login name, an e-mail address, or the `sub` of their tokens.
    #[arg(long, value_name = "LOGIN|SUB")]
    user: String,
    /// The resource that they want tokens for; needed where several are configured and a scope is asked
    /// about.
    #[arg(id = "tested_resource", long = "resource", value_name = "URL")]
    resource: Option<String>,
    /// The scopes that they want.
    #[arg(long, value_name = "SCOPES")]
    scope: Option<String>,
    /// How to answer.
    #[command(flatten)]
    format: Format,
    /// The settings of the server.
    #[command(flatten)]
    settings: Settings,
}

/// The settings of the server, without their lines in `--help`.
#[derive(Debug)]
struct Settings(Config);

/// What the policy says, ready to be written.
struct Answer {
    /// Which rule decides, or what does not fit.
    because: String,
    is_yes: bool,
    groups: Vec<String>,
    /// Of the scopes in question, those that the person may have.
    scopes: Option<ScopeSet>,
}

impl Command {
    pub(super) async fn run(self, stdout: &mut impl Write) -> Result<(), CommandError> {
        let Self::Test(test) = self;
        let answer = test.answer().await?;
        if test.format.json {
            let answer = json!({
                "allowed": answer.is_yes,
                "because": answer.because,
                "groups": answer.groups,
                "scopes": answer.scopes.as_ref().map(|scopes| scopes.iter().collect::<Vec<_>>()),
            });
            writeln!(stdout, "{answer:#}")?;
        } else {
            let word = if answer.is_yes { "yes" } else { "no" };
            writeln!(stdout, "{word}: {}", answer.because)?;
            if !answer.groups.is_empty() {
                writeln!(stdout, "groups: {}", answer.groups.join(", "))?;
            }
            if let Some(scopes) = answer.scopes.filter(|scopes| !scopes.is_empty()) {
                writeln!(stdout, "scopes: {scopes}")?;
            }
        }
        if answer.is_yes { Ok(()) } else { Err(CommandError::SaidNo) }
    }
}

impl Test {
    async fn answer(&self) -> Result<Answer, CommandError> {
        let config = &self.settings.0;
        let refused = |error: ConfigError| CommandError::Refused(error.to_string());
        config.check().map_err(refused)?;
        let file = config.file().map_err(refused)?;
        let policy = file.access.unwrap_or_else(AccessPolicy::everyone);
        let db = config.database.open().await?;
        let user = person::find_known(&db, &self.user).await?;
        // GitHub's rule for a login name can be judged before the person has ever been here.
        let stranger = || {
            let login = Some(self.user.to_lowercase());
            [(GITHUB.to_owned(), Facts { login, ..Facts::default() })].into()
        };
        let facts = user.as_ref().map_or_else(stranger, users::Model::facts);
        let verdict = if user.as_ref().is_some_and(|user| user.disabled_at.is_some()) {
            Err(KeptOut::Disabled)
        } else {
            policy.judge(&facts)
        };
        let note = match &user {
            Some(user) => format!(" ({})", user.id),
            None => " (who has not signed in here yet, so only the login name is known)".into(),
        };
        Ok(match verdict {
            Err(kept_out) => Answer {
                because: format!("{}{note}: {}", self.user, explain(&policy, &kept_out, &facts)),
                is_yes: false,
                groups: Vec::new(),
                scopes: None,
            },
            Ok(groups) => {
                let admitted = admitting_rule(&policy, &groups, &facts);
                let because = format!("{}{note}: {admitted}", self.user);
                self.answer_for(&policy, &file.resources, &groups, because)?
            }
        })
    }

    /// Looks at what an admitted person may have, where that is asked.
    fn answer_for(
        &self,
        policy: &AccessPolicy,
        resources: &[Resource],
        groups: &Groups,
        because: String,
    ) -> Result<Answer, CommandError> {
        let mut answer = Answer {
            because,
            is_yes: true,
            groups: groups.iter().map(str::to_owned).collect(),
            scopes: None,
        };
        if self.resource.is_none() && self.scope.is_none() {
            return Ok(answer);
        }
        let resource = self.find_resource(resources)?;
        let all = || resource.scopes.iter().map(|scope| scope.name.as_str()).collect();
        let wanted = self.scope.as_deref().map(ScopeSet::parse).transpose()?.unwrap_or_else(all);
        if let Some(unknown) = wanted.iter().find(|scope| resource.describe(scope).is_none()) {
            let name = &resource.resource;
            return Err(CommandError::Refused(format!("{name} has no scope {unknown:?}")));
        }
        let permitted = policy.permitted_scopes(resource, groups, &wanted);
        let withheld: Vec<&str> =
            wanted.iter().filter(|scope| !permitted.contains(scope)).collect();
        let is_asked_by_name = self.scope.is_some();
        answer.is_yes = policy.permits(resource, groups)
            && (withheld.is_empty() || !is_asked_by_name && !permitted.is_empty());
        if !policy.permits(resource, groups) {
            answer.because =
                format!("[[access.limits]] keeps {} for other groups", resource.resource);
        } else if !withheld.is_empty() {
            let withheld = withheld.join(" ");
            let limited = format!("[[access.limits]] keeps {withheld} for other groups");
            answer.because =
                if answer.is_yes { format!("{}; {limited}", answer.because) } else { limited };
        }
        answer.scopes = Some(permitted);
        Ok(answer)
    }

    fn find_resource<'a>(&self, resources: &'a [Resource]) -> Result<&'a Resource, CommandError> {
        let requested: Vec<String> = self.resource.iter().cloned().collect();
        Ok(resource::select(resources, &requested)?)
    }
}

/// The rule by which a person comes in.
fn admitting_rule(policy: &AccessPolicy, groups: &Groups, facts: &FactsByUpstream) -> String {
    let allowed = policy.groups.iter().filter(|group| policy.allow.contains(&*group.name));
    let met = allowed.filter(|group| groups.contains(&group.name));
    let mut met = met.filter_map(|group| Some((&group.name, group.rule_met_by(facts)?)));
    match met.next() {
        Some((group, rule)) => format!("allow has the group {group:?} by {rule}"),
        None => "anyone may come in".into(),
    }
}

/// Why a person is kept out, with the rule that put them into a group of `deny`.
fn explain(policy: &AccessPolicy, kept_out: &KeptOut, facts: &FactsByUpstream) -> String {
    let KeptOut::Denied(name) = kept_out else {
        return kept_out.to_string();
    };
    let group = policy.groups.iter().find(|group| group.name == *name);
    match group.and_then(|group| group.rule_met_by(facts)) {
        Some(rule) => format!("deny has the group {name:?} by {rule}"),
        None => kept_out.to_string(),
    }
}

impl Args for Settings {
    fn augment_args(grammar: Grammar) -> Grammar {
        let settings = Config::command();
        let settings = settings.get_arguments().cloned().map(|setting| {
            let setting = setting.hide(true);
            // `--resource` is the one that is asked about.
            if setting.get_id() == "resource" { setting.long("default-resource") } else { setting }
        });
        grammar.args(settings.filter(|setting| setting.get_env().is_some()))
    }

    fn augment_args_for_update(grammar: Grammar) -> Grammar {
        Self::augment_args(grammar)
    }
}

impl FromArgMatches for Settings {
    fn from_arg_matches(matches: &clap::ArgMatches) -> Result<Self, clap::Error> {
        Config::from_arg_matches(matches).map(Self)
    }

    fn update_from_arg_matches(&mut self, matches: &clap::ArgMatches) -> Result<(), clap::Error> {
        *self = Self::from_arg_matches(matches)?;
        Ok(())
    }
}
