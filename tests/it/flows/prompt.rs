//! The prompt in a real terminal: its keys, its commands, what is pasted, and what is remembered.

use std::{fs, os::unix::fs::PermissionsExt};

use tests::{people::desk::Desk, stack::Stack};

/// A prompt at which Nick Lucas is signed in.
async fn prompt() -> Desk {
    let desk = Desk::signed_in().await;
    desk.wait_for_prompt().await;
    desk
}

/// Presses `keys` one by one, and waits until the line is `line`.
async fn press(desk: &Desk, keys: &[&str], line: &str) {
    for key in keys {
        desk.terminal.press(key).await;
    }
    desk.terminal.wait_for_end(&[], format!("\n❯ {line}").trim_end()).await;
}

async fn type_text(desk: &Desk, text: &str, line: &str) {
    desk.terminal.type_text(text).await;
    press(desk, &[], line).await;
}

#[tokio::test]
async fn keys_edit_a_line_as_in_a_shell() {
    let desk = prompt().await;
    type_text(&desk, "cho a=1,2 ping", "cho a=1,2 ping").await;
    press(&desk, &["C-a"], "cho a=1,2 ping").await;
    type_text(&desk, "e", "echo a=1,2 ping").await;
    press(&desk, &["C-e"], "echo a=1,2 ping").await;
    type_text(&desk, " pong", "echo a=1,2 ping pong").await;
    press(&desk, &["C-w"], "echo a=1,2 ping").await;
    press(&desk, &["C-w", "C-w"], "echo").await;
    press(&desk, &["C-y"], "echo a=1,2").await;
    press(&desk, &["C-a"], "echo a=1,2").await;
    press(&desk, &["C-f", "C-f", "C-f", "C-f", "C-f", "C-f", "C-f", "C-k"], "echo a=").await;
    press(&desk, &["C-u"], "").await;
    type_text(&desk, "echo given up", "echo given up").await;
    press(&desk, &["Escape"], "").await;
    type_text(&desk, "echo cancelled", "echo cancelled").await;
    press(&desk, &["C-c"], "").await;
    desk.terminal.wait_for(&["❯ echo cancelled\nCtrl-D or `quit` leaves.\n"]).await;
    type_text(&desk, "echo ping pong", "echo ping pong").await;
    press(&desk, &["C-a", "C-d"], "cho ping pong").await;
    type_text(&desk, "e", "echo ping pong").await;
    press(&desk, &["Enter"], "").await;
    let screen = desk.terminal.wait_for(&["Hello Nick Lucas: ping pong"]).await.text();
    assert_eq!(screen.matches("Hello").count(), 1, "{screen}");
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;
}

#[tokio::test]
async fn earlier_lines_come_back_also_in_the_next_prompt() {
    let desk = prompt().await;
    for line in ["echo ping pong", "status", "echo password=hunter2", " echo hidden"] {
        desk.type_line(line).await;
        desk.wait_for_prompt().await;
    }
    desk.terminal.wait_for(&["Hello Nick Lucas: hidden\n"]).await;
    press(&desk, &["Up"], " echo hidden").await;
    press(&desk, &["Up"], "echo password=hunter2").await;
    desk.terminal.press("Escape").await;
    desk.wait_for_prompt().await;
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;

    let kept = desk.terminal.home().join(".local/state/portcullis/history");
    assert_eq!(fs::read_to_string(&kept).unwrap(), "echo ping pong\nstatus\n");
    assert_eq!(fs::metadata(&kept).unwrap().permissions().mode() & 0o777, 0o600);

    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    press(&desk, &["Up"], "status").await;
    press(&desk, &["Up"], "echo ping pong").await;
    press(&desk, &["Down"], "status").await;
    press(&desk, &["Escape"], "").await;
    desk.terminal.press("C-r").await;
    desk.terminal.type_text("pi").await;
    desk.terminal.wait_for_end(&["(search: pi)"], "echo ping pong").await;
    press(&desk, &["Enter"], "echo ping pong").await;
    desk.terminal.press("Enter").await;
    desk.terminal.wait_for_end(&["Hello Nick Lucas: ping pong"], "\n❯").await;
}

#[tokio::test]
async fn a_paste_of_any_length_is_one_line_and_runs_nothing() {
    let desk = prompt().await;
    let long = "x".repeat(5000);
    desk.terminal.paste(&format!("echo {long}")).await;
    desk.terminal.wait_for_end(&[], "xxx").await;
    desk.terminal.press("Enter").await;
    let screen = desk.terminal.wait_for_end(&["Hello Nick Lucas: x"], "\n❯").await.text();
    assert!(screen.contains(&format!("Hello Nick Lucas: {long}\n")), "{screen}");

    desk.type_line("help").await;
    desk.terminal.wait_for_end(&["Commands, as on"], "\n❯").await;
    desk.terminal.paste("status\nlogout\nquit\n").await;
    let screen = desk.terminal.wait_for_end(&[], "❯ status\n  logout\n  quit").await.text();
    assert!(!screen.contains("signed in at"), "{screen}");
    press(&desk, &["Escape"], "").await;
    desk.terminal.paste("echo one\ntwo\n").await;
    desk.terminal.wait_for_end(&[], "❯ echo one\n  two").await;
    desk.terminal.press("Enter").await;
    desk.terminal.wait_for_end(&["Hello Nick Lucas: one\ntwo\n"], "\n❯").await;
}

#[tokio::test]
async fn only_tab_opens_the_menu() {
    let desk = prompt().await;
    type_text(&desk, "re", "re").await;
    desk.terminal.press("Tab").await;
    let menu = ["read", "resources", "review_access", "Opens the page on which you see"];
    let screen = desk.terminal.wait_for(&menu).await.text();
    assert!(!screen.contains("add_note"), "{screen}");
    desk.terminal.press("Down").await;
    desk.terminal.press("Enter").await;
    press(&desk, &[], "resources").await;
    press(&desk, &["Escape"], "").await;
    type_text(&desk, "tools ec", "tools ec").await;
    press(&desk, &["Tab"], "tools echo").await;
    desk.terminal.press("Enter").await;
    desk.terminal.wait_for_end(&["Says a message back to you, by name"], "\n❯").await;
}

#[tokio::test]
async fn a_command_with_a_wrong_tail_is_never_a_call() {
    let desk = Desk::new().await;
    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    for (line, wrong) in [
        ("tools echo now", "unexpected argument 'now'"),
        ("login now", "unexpected argument 'now'"),
        ("logout now", "unexpected argument 'now'"),
        ("status now", "unexpected argument 'now'"),
        ("doctor here", "invalid value 'here'"),
        ("resources now", "unexpected argument 'now'"),
        ("read", "<URI>"),
        ("prompts now", "unexpected argument 'now'"),
        ("prompt", "<NAME>"),
        ("skills are good", "unrecognized subcommand 'are'"),
        ("list now", "unexpected argument 'now'"),
        ("use the force", "unexpected argument 'force'"),
        ("add 1 2", "invalid value '2'"),
        ("remove", "<NAME>"),
        ("completions now", "invalid value 'now'"),
        ("call", "<TOOL>"),
        ("quit now", "nothing may follow `quit`"),
        ("help me now", "nothing may follow `help NAME`"),
    ] {
        desk.type_line("").await;
        desk.terminal.press("C-l").await;
        desk.terminal.type_line(line).await;
        let told = format!("❯ {line}\nerror: ");
        desk.terminal.wait_for_end(&[&told, wrong], "\n❯").await;
    }
    assert_eq!(desk.terminal.all_opened(), Vec::<String>::new(), "no sign-in was started");
}

#[tokio::test]
async fn the_prompt_has_the_commands_of_the_command_line() {
    let stack = Stack::start().await;
    let server = stack.resource.clone();
    let desk = Desk::at(stack, "http://127.0.0.1:9/mcp").await;
    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    desk.type_line(&format!("add demo {server}")).await;
    desk.terminal.wait_for_end(&[&format!("demo is {server}.")], "\n❯").await;
    desk.type_line("use demo").await;
    desk.terminal.wait_for_end(&["demo is in use."], "\n❯").await;
    desk.type_line("login --device").await;
    desk.terminal.wait_for_end(&["type the code", "user_code="], "Ctrl-C stops.").await;
    desk.terminal.press("C-c").await;
    desk.terminal.wait_for_end(&["stopped by Ctrl-C"], "\n❯").await;
    desk.type_line("help login").await;
    desk.terminal.wait_for_end(&["Usage: login", "--device"], "\n❯").await;
    desk.type_line(&format!("doctor {server}")).await;
    desk.terminal.wait_for_end(&[" passed, "], "\n❯").await;
}

#[tokio::test]
async fn the_arguments_of_a_prompt_are_asked_for() {
    let desk = prompt().await;
    desk.type_line("prompts").await;
    desk.terminal.wait_for_end(&["introduce"], "\n❯").await;
    desk.type_line("prompt introduce").await;
    desk.terminal.wait_for(&["Esc at any argument gets nothing.", "❯ tone:"]).await;
    desk.terminal.press("Escape").await;
    desk.wait_for_prompt().await;
    desk.type_line("prompt introduce tone=kind").await;
    let screen = desk.terminal.wait_for_end(&["Tone: kind."], "\n❯").await.text();
    assert_eq!(screen.matches("Esc at any argument").count(), 1, "{screen}");
}

#[tokio::test]
async fn colour_is_for_terminals_that_show_it_and_people_who_want_it() {
    let desk = prompt().await;
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;
    for (command, is_coloured) in
        [("", true), ("NO_COLOR=1 ", false), ("NO_COLOR= ", true), ("TERM=dumb ", false)]
    {
        desk.type_line("clear").await;
        desk.terminal.wait_for_empty().await;
        desk.type_line(&format!("{command}client status; {command}client tools ecko")).await;
        let screen = desk.terminal.wait_for_end(&["signed in at", "hint: "], "\n$").await;
        let mut cells = screen.lines.iter().flat_map(|line| &line.0);
        let found = cells.any(|cell| cell.style.colour.is_some() || cell.style.is_faint);
        assert_eq!(found, is_coloured, "{command}");
    }
}

#[tokio::test]
async fn lines_that_are_typed_while_one_runs_run_after_it_and_the_rest_stays_in_the_editor() {
    let desk = prompt().await;
    desk.type_line("count_down from=2 pause=1000").await;
    desk.terminal.wait_for(&["1 to go"]).await;
    desk.terminal.type_text("echo one\necho two\necho thr").await;
    let ran = ["❯ echo one\nHello Nick Lucas: one", "❯ echo two\nHello Nick Lucas: two"];
    desk.terminal.wait_for_end(&ran, "\n❯ echo thr").await;
    type_text(&desk, "ee", "echo three").await;
}

#[tokio::test]
async fn a_terminal_that_cannot_be_drawn_on_is_read_line_by_line() {
    let desk = prompt().await;
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;
    desk.type_line("TERM=dumb client").await;
    desk.type_line("echo ping pong").await;
    let screen = desk.terminal.wait_for_end(&["Hello Nick Lucas: ping pong"], "").await.text();
    let dumb = screen.split_once("TERM=dumb client").unwrap().1;
    assert!(!dumb.contains('❯'), "the line editor has drawn: {screen}");
    desk.terminal.press("C-d").await;
    desk.terminal.wait_for_end(&[], "\n$").await;
    desk.type_line("client | tr a-z A-Z").await;
    desk.terminal.wait_for_end(&[], "\n❯").await;
    desk.type_line("echo ping pong").await;
    desk.terminal.wait_for(&["HELLO NICK LUCAS: PING PONG"]).await;
}
