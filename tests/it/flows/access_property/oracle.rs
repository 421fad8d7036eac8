//! Random policies and people, and a second reading of what a policy means, written from its
//! documentation alone.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};
use tests::torture::seeded::Seeded;

pub(super) const FILES: &str = "http://localhost:9/files";
/// Scopes of the resource, each with those that it implies.
const SCOPES: [(&str, &[&str]); 3] = [("write", &["read"]), ("read", &[]), ("list", &[])];
/// Conditions that make up groups, as the file has them.
const CONDITIONS: [(&str, &str); 10] = [
    ("github_users", "nick-lucas"),
    ("github_users", "Ada-Park"),
    ("github_organisations", "Acme"),
    ("github_organisations", "zoo"),
    ("github_teams", "acme/platform"),
    ("emails", "Ada@Corp.example"),
    ("email_domains", "example.com"),
    ("email_domains", "corp.example"),
    ("claims", "eng"),
    ("claims", "ops"),
];

/// A policy as the file has it.
pub(super) struct Policy {
    groups: Vec<Vec<(&'static str, &'static str)>>,
    allow: Option<BTreeSet<usize>>,
    deny: BTreeSet<usize>,
    limits: Vec<(Option<&'static str>, BTreeSet<usize>)>,
}

fn name(group: usize) -> String {
    format!("group-{group}")
}

/// Each of the numbers below `limit`, by chance.
fn some_of(random: &mut Seeded, limit: usize, one_in: usize) -> BTreeSet<usize> {
    (0..limit).filter(|_| random.below(one_in) == 0).collect()
}

impl Policy {
    pub(super) fn random(random: &mut Seeded) -> Self {
        let mut groups: Vec<Vec<_>> = (0..5)
            .map(|_| (0..=random.below(2)).map(|_| *random.pick(&CONDITIONS)).collect())
            .collect();
        // Most policies let the people of the stand-in in at first, so that they have something to lose.
        groups.push(vec![("email_domains", "example.com")]);
        let deny = some_of(random, 5, 5);
        let mut allow = some_of(random, 5, 2);
        if random.below(5) > 0 {
            allow.insert(5);
        }
        allow.retain(|group| !deny.contains(group));
        let allow = Some(allow).filter(|allow| !allow.is_empty() && random.below(8) > 0);
        let limited = [None, Some("write"), Some("read"), Some("list")];
        let mut limits = Vec::new();
        for _ in 0..random.below(3) {
            let mut those = some_of(random, 6, 2);
            those.retain(|group| !deny.contains(group));
            if !those.is_empty() {
                limits.push((*random.pick(&limited), those));
            }
        }
        Self { groups, allow, deny, limits }
    }

    pub(super) fn written(&self) -> Value {
        let names = |groups: &BTreeSet<usize>| -> Vec<String> {
            groups.iter().copied().map(name).collect()
        };
        let mut groups = Map::new();
        for (number, conditions) in self.groups.iter().enumerate() {
            let mut written = Map::new();
            for (key, value) in conditions {
                let value = match *key {
                    "claims" => json!({"upstream": "corp", "claim": "groups", "any_of": [value]}),
                    _ => json!(value),
                };
                let list = written.entry(*key).or_insert_with(|| json!([]));
                list.as_array_mut().unwrap().push(value);
            }
            groups.insert(name(number), written.into());
        }
        let limits = self.limits.iter().map(|(scope, groups)| {
            let mut limit = json!({"resource": FILES, "groups": names(groups)});
            if let Some(scope) = scope {
                limit["scopes"] = json!([scope]);
            }
            limit
        });
        let mut access = json!({"deny": names(&self.deny), "groups": groups,
            "limits": limits.collect::<Vec<_>>()});
        match &self.allow {
            Some(allow) => access["allow"] = names(allow).into(),
            None => access["anyone"] = true.into(),
        }
        access
    }

    /// The groups of a person who may come in.
    pub(super) fn judge(&self, facts: &Value) -> Option<BTreeSet<usize>> {
        let is_in = |conditions: &Vec<_>| conditions.iter().any(|it| holds(*it, facts));
        let groups = self.groups.iter().enumerate().filter(|(_, it)| is_in(it));
        let groups: BTreeSet<usize> = groups.map(|(number, _)| number).collect();
        let is_allowed = self.allow.as_ref().is_none_or(|allow| !allow.is_disjoint(&groups));
        (is_allowed && self.deny.is_disjoint(&groups)).then_some(groups)
    }

    /// The scopes of the resource that a person of these groups may have; none at all of it if there is
    /// no scope.
    pub(super) fn permitted(&self, groups: &BTreeSet<usize>) -> BTreeSet<&'static str> {
        let is_open = |scope: Option<&str>| {
            let mut limits = self.limits.iter().filter(|(limited, _)| *limited == scope);
            limits.all(|(_, those)| !those.is_disjoint(groups))
        };
        if !is_open(None) {
            return BTreeSet::new();
        }
        let is_permitted = |(scope, implied): &&(&'static str, &[&str])| {
            is_open(Some(scope)) && implied.iter().all(|scope| is_open(Some(scope)))
        };
        SCOPES.iter().filter(is_permitted).map(|(scope, _)| *scope).collect()
    }
}

fn holds((key, value): (&str, &str), facts: &Value) -> bool {
    let value = value.to_lowercase();
    let has = |list: &Value| {
        list.as_array().is_some_and(|list| list.iter().any(|one| *one == json!(value)))
    };
    let github = &facts["github"];
    let addresses = || {
        let all = facts.as_object().unwrap().values();
        all.flat_map(|facts| facts["verified_emails"].as_array().into_iter().flatten())
            .map(|address| address.as_str().unwrap())
    };
    match key {
        "github_users" => github["login"] == json!(value),
        "github_organisations" => has(&github["organisations"]),
        "github_teams" => has(&github["teams"]),
        "emails" => addresses().any(|address| address == value),
        "email_domains" => addresses().any(|address| address.ends_with(&format!("@{value}"))),
        _ => has(&facts["corp"]["claims"]["groups"]),
    }
}

/// What the stand-in says of one of its people.
pub(super) fn facts_of_the_stand_in(login: &str) -> Value {
    let address = format!("{login}@example.com");
    let is_nick = login == "nick-lucas";
    let organisations: &[&str] = if is_nick { &["acme"] } else { &[] };
    let teams: &[&str] = if is_nick { &["acme/platform"] } else { &[] };
    json!({"github": {"login": login, "verified_emails": [address],
        "organisations": organisations, "teams": teams}})
}

fn texts(random: &mut Seeded, all: &[&str]) -> Vec<String> {
    let chosen = all.iter().filter(|_| random.below(2) == 0);
    chosen.map(|text| (*text).to_owned()).collect()
}

/// What upstreams may come to say of a person.
pub(super) fn facts(random: &mut Seeded, login: &str) -> Value {
    let addresses = [&*format!("{login}@example.com"), "ada@corp.example", "x@elsewhere.example"];
    let github = json!({
        "login": login,
        "verified_emails": texts(random, &addresses),
        "organisations": texts(random, &["acme", "zoo"]),
        "teams": texts(random, &["acme/platform", "acme/other"]),
    });
    let corp = json!({"claims": {"groups": texts(random, &["eng", "ops", "sales"])}});
    match random.below(4) {
        0 => json!({}),
        1 => json!({"github": github}),
        2 => json!({"corp": corp}),
        _ => json!({"github": github, "corp": corp}),
    }
}

/// Claims of an assertion that say who a person is.
pub(super) fn asserted(random: &mut Seeded) -> Value {
    let address = *random.pick(&["Ada@corp.example", "x@example.com", "x@elsewhere.example"]);
    let groups = texts(random, &["eng", "ops", "sales"]);
    let groups = if random.below(4) == 0 { Value::Null } else { json!(groups) };
    json!({"email": address, "email_verified": random.below(3) > 0, "groups": groups})
}

pub(super) fn facts_of_assertion(claims: &Value) -> Value {
    let address = claims["email"].as_str().unwrap().to_lowercase();
    let is_verified = claims["email_verified"] == json!(true);
    let addresses: Vec<String> = Some(address).filter(|_| is_verified).into_iter().collect();
    json!({"corp": {"verified_emails": addresses, "claims": {"groups": claims["groups"]}}})
}
