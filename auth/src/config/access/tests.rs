//! What an operator is told of a mistake in `[access]`.

use clap::Parser;

use crate::{
    access::{AccessPolicy, Rule},
    config::{Config, ConfigFile},
};

/// The rest of the file: two resources, and an issuer of people who are known by the name "corp".
const REST: &str = r#"
[[resources]]
resource = "https://mcp.example.com/files"
name = "Files"
scopes = [{ name = "write", description = "Write" }, { name = "read", description = "Read" }]

[[trusted_issuers]]
issuer = "https://idp.example.com"
jwks_uri = "https://idp.example.com/jwks"
people = { provider = "corp" }
"#;

fn read(access: &str, options: &[&str]) -> Result<AccessPolicy, String> {
    let config = Config::try_parse_from([&["auth"], options].concat()).unwrap();
    let read = ConfigFile::parse(&format!("{access}\n{REST}"), &config, Vec::new());
    read.map(|file| file.access.unwrap()).map_err(|mistake| mistake.to_string())
}

const GITHUB: [&str; 4] = ["--github-client-id", "id", "--github-client-secret", "secret"];

fn policy(access: &str) -> AccessPolicy {
    read(access, &GITHUB).unwrap()
}

/// What is said of a file with the group `staff`, and of the line that `text` adds below it.
fn refusal(text: &str) -> String {
    let file = format!(
        "[access]\nallow = [\"staff\"]\n[access.groups]\nstaff = {{ emails = [\"a@b.example\"] }}\n{text}"
    );
    read(&file, &GITHUB).unwrap_err()
}

#[test]
fn a_company_fits_into_one_section() {
    let policy = policy(
        r#"
[access]
allow = ["staff", "contractors"]
deny = ["suspended"]
contact = " Ask the platform team. "

[access.groups.staff]
github_organisations = ["Acme"]
claims = [{ upstream = "corp", claim = "groups", any_of = ["eng", "ops"] }]
[access.groups.platform]
github_teams = ["Acme/Platform"]
[access.groups.contractors]
emails = ["Ada@Contractor.example"]
email_domains = ["partner.example"]
[access.groups.suspended]
github_users = ["Mallory"]

[[access.limits]]
resource = "https://mcp.example.com/files"
scopes = ["write"]
groups = ["platform"]
"#,
    );
    let rules =
        |name: &str| policy.groups.iter().find(|group| &*group.name == name).unwrap().rules.clone();
    assert_eq!(rules("staff")[0], Rule::GithubOrganisation("acme".into()));
    assert_eq!(rules("platform"), [Rule::GithubTeam("acme/platform".into())]);
    assert_eq!(
        rules("contractors"),
        [Rule::Email("ada@contractor.example".into()), Rule::EmailDomain("partner.example".into())]
    );
    assert_eq!(policy.contact.as_deref(), Some("Ask the platform team."));
    assert!(!policy.anyone && policy.deny.contains("suspended"));
    assert_eq!(policy.limits[0].scopes.as_deref(), Some(&["write".to_owned()][..]));
}

#[test]
fn anyone_must_be_written_and_says_it_alone() {
    assert!(policy("[access]\nanyone = true").anyone);
    for (file, told) in [
        ("[access]", "1:1: this admits no person; write allow"),
        ("[access]\nanyone = false", "1:1: this admits no person"),
        ("[access]\nallow = []", "1:1: this admits no person"),
        (
            "[access]\nanyone = true\nallow = [\"a\"]\ngroups.a.emails = [\"a@b.c\"]",
            "3:10: anyone = true admits every account already",
        ),
    ] {
        let refused = read(file, &GITHUB).unwrap_err();
        assert!(refused.starts_with(told), "{refused}");
    }
}

#[test]
fn names_that_are_not_there_are_named_with_what_to_write() {
    for (file, told) in [
        (
            "[access]\nallow = [\"staf\"]\ngroups.staff.emails = [\"a@b.c\"]",
            "2:10: the group \"staf\" is not described; did you mean \"staff\"?",
        ),
        (
            "[access]\nanyone = true\ndeny = [\"suspended\"]",
            "3:9: the group \"suspended\" is not described; describe it under [access.groups.suspended]",
        ),
        (
            "[access]\nallow = [\"a\"]\ndeny = [\"a\"]\ngroups.a.emails = [\"a@b.c\"]",
            "2:10: the group \"a\" is in allow and in deny; remove it from one of them",
        ),
        (
            "[access]\nallow = [\"a\"]\n[access.groups.a]\nemail = [\"a@b.c\"]",
            "4:1: unknown key `email`; did you mean `emails`?",
        ),
        ("[acces]", "1:2: unknown key `acces`; did you mean `access`?"),
    ] {
        assert_eq!(read(file, &GITHUB).unwrap_err(), told);
    }
}

#[test]
fn a_rule_that_can_match_no_person_is_refused() {
    for (group, told) in [
        ("{}", "the group \"x\" matches no person; give it github_users"),
        ("{ emails = [] }", "the group \"x\" matches no person"),
        (
            "{ github_teams = [\"platform\"] }",
            "\"platform\" in github_teams matches no person; write a team with its organisation, as \
             in \"acme/platform\"",
        ),
        ("{ github_teams = [\"acme/\"] }", "\"acme/\" in github_teams"),
        ("{ github_teams = [\"a/b/c\"] }", "\"a/b/c\" in github_teams"),
        ("{ github_organisations = [\"acme/platform\"] }", "teams go into github_teams"),
        ("{ github_users = [\"@octocat\"] }", "\"@octocat\" in github_users"),
        ("{ emails = [\"acme.example\"] }", "domains go into email_domains"),
        ("{ emails = [\"@acme.example\"] }", "\"@acme.example\" in emails"),
        ("{ email_domains = [\"@acme.example\"] }", "addresses go into emails"),
        ("{ email_domains = [\"*.acme.example\"] }", "\"*.acme.example\" in email_domains"),
        ("{ email_domains = [\"\"] }", "\"\" in email_domains"),
        (
            "{ claims = [{ upstream = \"corq\", claim = \"groups\", any_of = [\"a\"] }] }",
            "the upstream \"corq\" is not configured; did you mean \"corp\"?",
        ),
        (
            "{ claims = [{ upstream = \"github\", claim = \"groups\", any_of = [\"a\"] }] }",
            "GitHub makes no claims",
        ),
        (
            "{ claims = [{ upstream = \"corp\", claim = \"\", any_of = [\"a\"] }] }",
            "name the claim",
        ),
        (
            "{ claims = [{ upstream = \"corp\", claim = \"groups\", any_of = [] }] }",
            "name the values of \"groups\" that count",
        ),
        ("{ claims = [{ upstream = \"corp\", claim = \"groups\" }] }", "missing key `any_of`"),
    ] {
        let refused = refusal(&format!("x = {group}"));
        assert!(refused.starts_with("5:") && refused.contains(told), "{group}: {refused}");
    }
    let name = refusal("\"two words\" = { emails = [\"a@b.c\"] }");
    assert!(name.contains("write the name of the group \"two words\" with 1 to 64"), "{name}");
}

#[test]
fn rules_about_github_need_github() {
    let file = "[access]\nallow = [\"a\"]\ngroups.a.github_users = [\"octocat\"]";
    let refused = read(file, &[]).unwrap_err();
    assert!(refused.starts_with("3:26: people cannot sign in with GitHub here"), "{refused}");
    assert!(refused.ends_with("or remove github_users"), "{refused}");
}

#[test]
fn limits_name_what_is_configured() {
    let limit = |rest: &str| refusal(&format!("[[access.limits]]\n{rest}"));
    let files = "resource = \"https://mcp.example.com/files\"\n";
    for (rest, told) in [
        (
            "resource = \"https://mcp.example.com/file\"\ngroups = [\"staff\"]".to_owned(),
            "6:12: the resource \"https://mcp.example.com/file\" is not configured; did you mean",
        ),
        (
            "resource = \"x\"\ngroups = [\"staff\"]".to_owned(),
            "6:12: the resource \"x\" is not configured; write https://mcp.example.com/files",
        ),
        (format!("{files}groups = []"), "7:10: name the groups that may have this"),
        (
            format!("{files}groups = [\"stuff\"]"),
            "7:11: the group \"stuff\" is not described; did you mean",
        ),
        (
            format!("{files}groups = [\"staff\"]\nscopes = []"),
            "8:10: name scopes, or leave scopes out to limit the whole resource",
        ),
        (
            format!("{files}groups = [\"staff\"]\nscopes = [\"writ\"]"),
            "8:11: the resource \"https://mcp.example.com/files\" has no scope \"writ\"; did you mean",
        ),
        (format!("{files}groups = [\"staff\"]\nscopes = [\"profile\"]"), "it has write, read"),
        (files.to_owned(), "missing key `groups`"),
    ] {
        let refused = limit(&rest);
        assert!(refused.contains(told), "{rest}: {refused}");
    }
}

#[test]
fn a_claim_of_groups_has_a_name_of_its_own_and_room_in_a_token() {
    let claim = |name: &str| format!("[access]\nanyone = true\ngroups_claim = \"{name}\"\n");
    assert_eq!(policy(&claim("roles")).groups_claim.as_deref(), Some("roles"));
    let error = read(&claim("scope"), &GITHUB).unwrap_err();
    assert!(error.starts_with("3:16: the claim \"scope\" means something else"), "{error}");
    let groups = |count: usize| {
        let group = |at: usize| format!("[access.groups.{at:064}]\nemails = [\"a@b.example\"]\n");
        (0..count).map(group).collect::<String>()
    };
    let read = |count: usize, name: &str| read(&(claim(name) + &groups(count)), &GITHUB);
    assert!(read(64, "groups").is_ok());
    let error = read(65, "groups").unwrap_err();
    assert!(error.starts_with("3:16: ") && error.contains("describe fewer groups"), "{error}");
    assert!(read(10_000, "groups").is_err() && read(65, "off").is_ok());
}
