//! A company in one file: each kind of person gets what `docs/company.toml` says.

use std::fs;

use tests::{company, people::chromium::Chromium, programs::operator};

#[tokio::test]
async fn each_kind_of_person_gets_what_the_file_says_in_a_real_browser_and_from_the_command() {
    let stack = company::start().await;
    let file = company::file().display().to_string();
    for visit in company::VISITS {
        let browser = Chromium::start(false).await;
        let text = visit.make(&stack, &browser).await;
        for shown in visit.shown {
            assert!(text.contains(shown), "{} does not see {shown}: {text}", visit.login);
        }
        for hidden in visit.hidden {
            assert!(!text.contains(hidden), "{} sees {hidden}: {text}", visit.login);
        }
        browser.close().await;
        for (resource, scope, is_allowed) in visit.answers {
            let question = ["access", "test", "--user", visit.login, "--resource", resource];
            let settings = ["--scope", scope, "--config", &file];
            let github = ["--github-client-id", "a", "--github-client-secret", "b"];
            let asked = [&question[..], &settings, &github].concat();
            let outcome = operator::run(&stack, &asked).await;
            let expected = (i32::from(!is_allowed), if is_allowed { "yes: " } else { "no: " });
            assert_eq!(outcome.code, expected.0, "{} {scope}: {}", visit.login, outcome.stdout);
            assert!(outcome.stdout.starts_with(expected.1), "{}", outcome.stdout);
        }
    }
}

#[test]
fn the_recipe_shows_the_file_that_is_tested() {
    let file = fs::read_to_string(company::file()).unwrap();
    let recipe = fs::read_to_string(company::file().with_extension("md")).unwrap();
    assert!(recipe.contains(&format!("```toml\n{file}```")), "copy docs/company.toml");
    for visit in company::VISITS {
        assert!(recipe.contains(visit.picture), "docs/company.md does not show {}", visit.picture);
    }
}
