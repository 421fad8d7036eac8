//! The command line signs in, calls, and says what is wrong.

use tests::{
    people::browser::{Browser, Page},
    programs::command_line::CommandLine,
    stack::Stack,
};

const ECHO: [&str; 3] = ["call", "echo", "message=ping pong"];

/// What a person does in the browser up to the consent page.
async fn reach_consent(browser: &mut Browser, url: &str) -> Page {
    let page = browser.open(url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "nick-lucas").await
}

async fn sign_in(person: &CommandLine) {
    let waiting = person.begin(&["login"]).await;
    let mut browser = Browser::default();
    let page = reach_consent(&mut browser, &waiting.url).await;
    browser.press(&page, "decision", "allow").await;
    let outcome = waiting.finish().await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
}

#[tokio::test]
async fn the_first_call_signs_in_and_the_second_asks_nothing() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&ECHO).await;
    let mut browser = Browser::default();
    let page = reach_consent(&mut browser, &waiting.url).await;
    let page = browser.press(&page, "decision", "allow").await;
    assert_eq!(page.status, 200, "{}", page.url);
    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Hello Nick Lucas: ping pong\n"));

    let outcome = person.run(&ECHO).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (0, "Hello Nick Lucas: ping pong\n"));
    assert_eq!(outcome.stderr, "");
}

#[tokio::test]
async fn a_token_that_is_due_is_refreshed_without_asking() {
    let stack = Stack::start_with(&["--access-token-lifetime", "1"], &[]).await;
    let person = CommandLine::new(&stack);
    sign_in(&person).await;
    stack.advance(60);
    let outcome = person.run(&ECHO).await;
    assert_eq!(outcome.stdout, "Hello Nick Lucas: ping pong\n", "{}", outcome.stderr);
}

#[tokio::test]
async fn while_auth_is_down_a_signed_in_person_goes_on() {
    let mut stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    sign_in(&person).await;
    person.run(&ECHO).await;
    stack.stop_auth().await;
    let outcome = person.run(&ECHO).await;
    assert_eq!(outcome.stdout, "Hello Nick Lucas: ping pong\n", "{}", outcome.stderr);
}

#[tokio::test]
async fn denying_is_refused_and_the_next_try_works() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&ECHO).await;
    let mut browser = Browser::default();
    let page = reach_consent(&mut browser, &waiting.url).await;
    browser.press(&page, "decision", "deny").await;
    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (4, ""), "{}", outcome.stderr);
    sign_in(&person).await;
    assert_eq!(person.run(&ECHO).await.code, 0);
}

#[tokio::test]
async fn denying_at_github_ends_the_wait_at_once() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&ECHO).await;
    let mut browser = Browser::default();
    let page = browser.open(&waiting.url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    browser.press(&page, "user", "deny").await;
    let outcome = waiting.finish().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (4, ""), "{}", outcome.stderr);
}

#[tokio::test]
async fn ctrl_c_while_waiting_is_clean() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let outcome = person.begin(&ECHO).await.interrupt().await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (130, ""), "{}", outcome.stderr);
}

#[tokio::test]
async fn a_forged_callback_is_refused_and_the_true_one_still_counts() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let waiting = person.begin(&ECHO).await;
    let url = url::Url::parse(&waiting.url).unwrap();
    let redirect = url.query_pairs().find(|(name, _)| name == "redirect_uri").unwrap().1;
    let forged = format!("{redirect}?code=stolen&state=guessed&iss={}", stack.issuer);
    let answer = tests::programs::client::http().get(forged).send().await.unwrap();
    assert!(answer.status().is_client_error());

    let mut browser = Browser::default();
    let page = reach_consent(&mut browser, &waiting.url).await;
    browser.press(&page, "decision", "allow").await;
    assert_eq!(waiting.finish().await.stdout, "Hello Nick Lucas: ping pong\n");
}

#[tokio::test]
async fn mistakes_have_their_own_exit_codes_and_say_what_to_do() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    assert_eq!(person.run(&["status"]).await.code, 4);
    sign_in(&person).await;
    assert_eq!(person.run(&["status"]).await.code, 0);
    let unknown = person.run(&["call", "ecko", "x"]).await;
    assert_eq!(unknown.code, 2);
    assert!(unknown.stderr.contains("echo"), "{}", unknown.stderr);
    assert_eq!(person.run(&["call", "echo"]).await.code, 2);
    let tools = person.run(&["tools"]).await;
    assert!(tools.stdout.contains("echo") && tools.stdout.contains("whoami"));
}

#[tokio::test]
async fn a_tool_in_place_of_a_command_is_led_to_call() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let outcome = person.run(&["echo", "ping", "pong"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (2, ""));
    assert!(outcome.stderr.contains("did you mean `client call echo ping pong`?"), "{outcome:?}");
    let outcome = person.run(&["statsu"]).await;
    assert_eq!(outcome.code, 2);
    assert!(outcome.stderr.contains("did you mean `client status`?"), "{}", outcome.stderr);
    let outcome = person.run(&["read"]).await;
    assert_eq!(outcome.code, 2);
    let said = "were not provided: <URI>\nhint: usage: client read ";
    assert!(outcome.stderr.contains(said), "{}", outcome.stderr);
}

#[tokio::test]
async fn one_tool_is_shown_with_its_bounds_scopes_and_annotations() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    sign_in(&person).await;
    let shown = person.run(&["tools", "count_down"]).await.stdout;
    assert!(shown.starts_with("count_down\n") && shown.contains("from 1 to 100"), "{shown}");
    assert!(shown.contains("usage     count_down from=<"), "{shown}");
    let shown = person.run(&["tools", "add_note"]).await.stdout;
    assert!(shown.contains("scopes    mcp:tools notes:write"), "{shown}");
    assert_eq!(person.run(&["tools", "ecko"]).await.code, 2);
    let listed = person.run(&["tools"]).await.stdout;
    let instructions = listed.split_once("\n\n").unwrap().0;
    assert!(instructions.contains("echo"), "the server's own words come first: {listed}");
}

#[tokio::test]
async fn a_sign_in_that_has_ended_is_told_from_none() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let before = person.run(&["status"]).await;
    assert!(before.stderr.contains("not signed in to"), "{}", before.stderr);
    sign_in(&person).await;
    let kept = std::fs::read_to_string(person.kept_in()).unwrap();
    let mut kept: serde_json::Value = serde_json::from_str(&kept).unwrap();
    end(&mut kept);
    std::fs::write(person.kept_in(), kept.to_string()).unwrap();
    let outcome = person.run(&["status"]).await;
    assert_eq!(outcome.code, 4);
    assert!(outcome.stderr.contains("has ended on 1970-01-02T00:00:00Z"), "{}", outcome.stderr);
    let outcome = person.run(&["--json", "status"]).await;
    let status: serde_json::Value = serde_json::from_str(&outcome.stdout).unwrap();
    assert_eq!(status["ended_at"], "1970-01-02T00:00:00Z");
}

/// Takes the refresh token out of every grant in `kept`, and lets the access token be expired.
fn end(kept: &mut serde_json::Value) {
    if let Some(members) = kept.as_object_mut() {
        if members.remove("refresh_token").is_some() {
            members.insert("expires_at".to_owned(), 86_400.into());
        }
        members.values_mut().for_each(end);
    } else if let Some(items) = kept.as_array_mut() {
        items.iter_mut().for_each(end);
    }
}

#[tokio::test]
async fn another_device_is_suggested_where_no_browser_opens() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let outcome = person.begin(&["login"]).await.interrupt().await;
    assert!(outcome.stderr.contains("`client login --device`"), "{}", outcome.stderr);
}

#[tokio::test]
async fn an_unreachable_server_is_exit_code_3_and_json_says_so() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack).at("http://127.0.0.1:1/mcp");
    let outcome = person.run(&["--json", "tools"]).await;
    assert_eq!((outcome.code, outcome.stdout.as_str()), (3, ""));
    let error: serde_json::Value = serde_json::from_str(&outcome.stderr).unwrap();
    assert!(error["error"]["code"].is_string() && error["error"]["message"].is_string());
}

#[tokio::test]
async fn logging_out_revokes_the_grant() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    sign_in(&person).await;
    let outcome = person.run(&["logout"]).await;
    assert_eq!(outcome.code, 0, "{}", outcome.stderr);
    assert_eq!(person.run(&["status"]).await.code, 4);
}

#[tokio::test]
async fn servers_have_names_and_one_is_in_use() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    assert_eq!(person.run(&["add", "demo", "https://mcp.example.com/mcp"]).await.code, 0);
    assert_eq!(person.run(&["add", "work", &stack.resource]).await.code, 0);
    let list = person.run(&["list"]).await;
    let expected = format!("* demo  https://mcp.example.com/mcp\n  work  {}\n", stack.resource);
    assert_eq!(list.stdout, expected);
    assert_eq!(person.run(&["use", "wrok"]).await.code, 2);
    assert_eq!(person.run(&["use", "work"]).await.code, 0);
    assert_eq!(person.run(&["remove", "demo"]).await.code, 0);
    let list = person.run(&["--json", "list"]).await;
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    assert_eq!(
        list,
        serde_json::json!([{"name": "work", "server": stack.resource, "in_use": true}])
    );
    assert_eq!(person.at("work").run(&["status"]).await.code, 4);
}

#[tokio::test]
async fn prompts_and_resources_are_listed_and_read() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    sign_in(&person).await;
    let resources = person.run(&["--json", "resources"]).await;
    let resources: serde_json::Value = serde_json::from_str(&resources.stdout).unwrap();
    let uri = resources[0]["uri"].as_str().unwrap();
    let read = person.run(&["read", uri]).await;
    assert!(read.code == 0 && !read.stdout.is_empty(), "{}", read.stderr);
    let prompts = person.run(&["--json", "prompts"]).await;
    let prompts: serde_json::Value = serde_json::from_str(&prompts.stdout).unwrap();
    assert!(prompts[0]["name"].is_string(), "{prompts}");
    assert_eq!(person.run(&["prompt", prompts[0]["name"].as_str().unwrap(), "odd"]).await.code, 2);
}

#[tokio::test]
async fn a_shell_is_taught_the_commands() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    for shell in ["bash", "fish", "zsh"] {
        let script = person.run(&["completions", shell]).await;
        assert!(script.code == 0 && script.stdout.contains("client complete --"), "{script:?}");
    }
    sign_in(&person).await;
    person.run(&["add", "work", &stack.resource]).await;
    let offers = async |words: &[&str]| {
        let outcome = person.run(&[&["complete", "--"], words].concat()).await;
        let lines = outcome.stdout.lines().filter_map(|line| line.split('\t').next());
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(offers(&["st"]).await, ["status"]);
    assert_eq!(offers(&["ec"]).await, Vec::<String>::new(), "a tool is not a command");
    assert_eq!(offers(&["call", "ec"]).await, ["echo"]);
    assert_eq!(offers(&["tools", "who"]).await, ["whoami"]);
    assert_eq!(offers(&["use", ""]).await, ["work"]);
    assert_eq!(offers(&["login", "--client-s"]).await, ["--client-secret-file"]);
    assert_eq!(offers(&["status", "--js"]).await, ["--json"]);
}

#[tokio::test]
async fn a_tool_whose_name_means_something_to_a_shell_is_not_completed() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let hostile = [["$(reboot)", ""], ["a;b", ""], ["a b", ""], ["safe", "Says\u{1b}[2J"]];
    let listing = serde_json::json!({ stack.resource.as_str(): hostile });
    let directory = person.kept_in().parent().unwrap().to_owned();
    std::fs::write(directory.join("listing.json"), listing.to_string()).unwrap();
    let outcome = person.run(&["complete", "--", "call", ""]).await;
    assert_eq!(outcome.stdout, "safe\tSays\n");
}
