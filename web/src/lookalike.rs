//! Names that pretend: a well-known brand that no address carries, or letters of mixed alphabets.

use unicode_script::{Script, UnicodeScript};
use unicode_security::confusable_detection::skeleton;

use crate::display_name::is_accent;

/// Well-known brands: what a name would say, what people call it, and the domains it owns.
const BRANDS: [(&str, &str, &[&str]); 19] = [
    ("anthropic", "Anthropic", &["anthropic.com", "claude.ai", "claude.com"]),
    ("claude", "Claude", &["anthropic.com", "claude.ai", "claude.com"]),
    ("chatgpt", "ChatGPT", &["openai.com", "chatgpt.com"]),
    ("openai", "OpenAI", &["openai.com", "chatgpt.com"]),
    ("google", "Google", &["google.com", "google.dev", "withgoogle.com"]),
    ("gemini", "Gemini", &["google.com", "google.dev"]),
    ("github", "GitHub", &["github.com", "github.dev"]),
    ("gitlab", "GitLab", &["gitlab.com"]),
    ("microsoft", "Microsoft", &["microsoft.com", "microsoftonline.com", "live.com"]),
    ("vscode", "VS Code", &["microsoft.com", "visualstudio.com", "vscode.dev"]),
    ("visualstudio", "Visual Studio", &["microsoft.com", "visualstudio.com", "vscode.dev"]),
    ("cursor", "Cursor", &["cursor.com", "cursor.sh"]),
    ("apple", "Apple", &["apple.com", "icloud.com"]),
    ("amazon", "Amazon", &["amazon.com", "amazonaws.com"]),
    ("facebook", "Facebook", &["facebook.com", "meta.com"]),
    ("slack", "Slack", &["slack.com"]),
    ("notion", "Notion", &["notion.so", "notion.com"]),
    ("paypal", "PayPal", &["paypal.com"]),
    ("atlassian", "Atlassian", &["atlassian.com", "atlassian.net"]),
];

/// A brand this long is found inside a longer word too, as in "GoogleSignIn".
const LONG: usize = 6;

/// Alphabets whose letters pass for one another.
const ALIKE: [Script; 6] = [
    Script::Latin,
    Script::Cyrillic,
    Script::Greek,
    Script::Armenian,
    Script::Cherokee,
    Script::Coptic,
];

/// The brand that a name claims while none of `hosts` belongs to it. The operator's own name is a
/// brand too, and no client carries that one.
pub(crate) fn claimed_brand(name: &str, hosts: &[&str], operator: &str) -> Option<String> {
    let known = BRANDS.into_iter().find(|(word, _, domains)| {
        says(name, word) && !hosts.iter().any(|host| belongs(host, domains))
    });
    let own: String = operator.chars().filter(|c| c.is_alphanumeric()).collect();
    known
        .map(|(_, brand, _)| brand.to_owned())
        .or_else(|| (!own.is_empty() && says(name, &own)).then(|| operator.to_owned()))
}

/// Whether one word of a name mixes letters of alphabets that look alike.
pub(crate) fn mixes_alphabets(name: &str) -> bool {
    name.split_whitespace().any(|word| {
        let scripts: Vec<Script> = word.chars().map(|letter| letter.script()).collect();
        ALIKE.iter().filter(|script| scripts.contains(script)).count() > 1
    })
}

/// Whether a name says `word`, or something that looks like it.
fn says(name: &str, word: &str) -> bool {
    let word = plain(&word.to_lowercase());
    // Upper and lower case have different doubles: both `Ι` and `l` pass for an l.
    [plain(name), plain(&name.to_lowercase())].iter().any(|name| {
        let mut words = name.split(|c: char| !c.is_alphanumeric());
        let joined: String = name.chars().filter(|c| c.is_alphanumeric()).collect();
        words.any(|one| one == word) || word.chars().count() >= LONG && joined.contains(&word)
    })
}

/// What remains of a text when every letter is replaced by the plainest one that looks like it, and
/// every accent and every digit that is used for a letter is seen through.
fn plain(text: &str) -> String {
    let letters = skeleton(text).filter(|character| !is_accent(*character));
    let letters = letters.collect::<String>().to_lowercase();
    letters.chars().map(letter_meant).collect()
}

/// The letter that a digit replaces in a name; `i`, `1` and `l` are taken for each other.
fn letter_meant(character: char) -> char {
    match character {
        '0' => 'o',
        '1' | 'i' => 'l',
        '3' => 'e',
        '4' => 'a',
        '5' => 's',
        '7' => 't',
        other => other,
    }
}

/// Whether a host, with or without a port, is one of these domains or below one.
fn belongs(host: &str, domains: &[&str]) -> bool {
    let host = host.split(':').next().unwrap_or_default().to_ascii_lowercase();
    domains.iter().any(|domain| {
        host.strip_suffix(domain).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claimed(name: &str, hosts: &[&str]) -> Option<String> {
        claimed_brand(name, hosts, "Portcullis")
    }

    #[test]
    fn a_brand_that_no_host_carries_is_named() {
        assert_eq!(claimed("Google Drive", &["evil.example"]).as_deref(), Some("Google"));
        assert_eq!(claimed("GoogleSignIn", &["localhost:1234"]).as_deref(), Some("Google"));
        assert_eq!(claimed("VS Code", &["evil.example"]).as_deref(), Some("VS Code"));
        assert_eq!(claimed("Portcullis support", &["a.example"]).as_deref(), Some("Portcullis"));
    }

    #[test]
    fn a_brand_that_a_host_carries_is_not() {
        assert_eq!(claimed("Google Drive", &["accounts.google.com"]), None);
        assert_eq!(claimed("Claude Code", &["claude.ai:443", "localhost:3118"]), None);
    }

    #[test]
    fn a_host_that_only_ends_alike_does_not_carry_it() {
        assert!(claimed("Google", &["evilgoogle.com"]).is_some());
        assert!(claimed("Google", &["google.com.evil.example"]).is_some());
    }

    #[test]
    fn look_alikes_are_seen_through() {
        for name in ["Gооgle", "G00gle", "GооgIe", "ＧｏｏｇＬｅ", "𝐆𝐨𝐨𝐠𝐥𝐞", "Ｇооgle mail"]
        {
            assert_eq!(claimed(name, &["evil.example"]).as_deref(), Some("Google"), "{name}");
        }
        for name in ["G1tHub", "GltHub", "GitНub", "Gíthüb", "G1t-Hub", "g1THUB login"] {
            assert_eq!(claimed(name, &["evil.example"]).as_deref(), Some("GitHub"), "{name}");
        }
        assert_eq!(claimed("5lack", &["evil.example"]).as_deref(), Some("Slack"));
        assert_eq!(claimed("M1cr0s0ft 365", &["evil.example"]).as_deref(), Some("Microsoft"));
        assert_eq!(claimed("Сlаudе", &["evil.example"]).as_deref(), Some("Claude"));
        assert_eq!(claimed("раураl", &["evil.example"]).as_deref(), Some("PayPal"));
    }

    #[test]
    fn an_honest_name_claims_nothing() {
        for name in ["Pineapple editor", "Test client", "Notes 1.4", "東京ツール", "Слушатель"]
        {
            assert_eq!(claimed(name, &["evil.example"]), None, "{name}");
        }
    }

    #[test]
    fn only_a_word_of_several_alphabets_is_mixed() {
        assert!(mixes_alphabets("Gооgle"));
        assert!(mixes_alphabets("αpple"));
        for name in ["Google", "Яндекс Mail", "Ω amplifier", "東京App", "Ship it 🚀"] {
            assert!(!mixes_alphabets(name), "{name}");
        }
    }
}
