//! The prompt in a real terminal.

use tests::{browser::Browser, command_line::CommandLine, stack::Stack, terminal::Terminal};

#[tokio::test]
async fn a_person_types_echo_signs_in_and_is_greeted() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let terminal = Terminal::start(&person).await;
    terminal.wait_for("`help` explains").await;
    terminal.type_line("echo ping pong").await;
    let screen = terminal.wait_for("Waiting up to").await;
    let url = terminal.address_on(&screen, &stack.issuer);

    let mut browser = Browser::default();
    let page = browser.open(&url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    browser.press(&page, "decision", "allow").await;
    terminal.wait_for("Hello Nick Lucas: ping pong").await;

    terminal.type_line("whoami").await;
    terminal.wait_for("nick-lucas@example.com").await;
    terminal.type_line("quit").await;
    terminal.wait_for_end().await;
}
