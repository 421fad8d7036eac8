//! The prompt in a real terminal.

use tests::{browser::Browser, command_line::CommandLine, stack::Stack, terminal::Terminal};

/// Answers the sign-in that the screen asks for, in a browser.
async fn sign_in(terminal: &Terminal, stack: &Stack) {
    let screen = terminal.wait_for("Waiting up to").await;
    let url = terminal.address_on(&screen, &stack.issuer);
    let mut browser = Browser::default();
    let page = browser.open(&url).await;
    let page = browser.send_form(&page, "/sign-in/github").await;
    let page = browser.press(&page, "user", "nick-lucas").await;
    browser.press(&page, "decision", "allow").await;
}

#[tokio::test]
async fn a_person_types_echo_signs_in_and_is_greeted() {
    let stack = Stack::start().await;
    let person = CommandLine::new(&stack);
    let terminal = Terminal::start(&person).await;
    terminal.wait_for("`help` explains").await;
    terminal.type_line("echo ping pong").await;
    sign_in(&terminal, &stack).await;
    terminal.wait_for("Hello Nick Lucas: ping pong").await;

    terminal.type_line("whoami").await;
    terminal.wait_for("nick-lucas@example.com").await;
    terminal.type_line("quit").await;
    terminal.wait_for_end().await;
}

#[tokio::test]
async fn missing_arguments_and_the_servers_own_questions_are_asked_and_checked() {
    let stack = Stack::start().await;
    let terminal = Terminal::start(&CommandLine::new(&stack)).await;
    terminal.wait_for("`help` explains").await;
    terminal.type_line("book_table").await;
    sign_in(&terminal, &stack).await;
    terminal.wait_for("Esc at any argument").await;
    terminal.type_line("").await;
    terminal.wait_for("restaurant is needed").await;
    terminal.type_line("Da Enzo").await;

    terminal.wait_for("The server asks: A table at Da Enzo").await;
    terminal.wait_for("from 1 to 20").await;
    terminal.type_line("21").await;
    terminal.wait_for("# from 1 to 20").await;
    terminal.press("BSpace").await;
    terminal.press("BSpace").await;
    terminal.type_line("3").await;
    terminal.wait_for("19:30").await;
    terminal.type_line("19:30").await;
    terminal.wait_for("Send this to the server?").await;
    terminal.type_line("y").await;
    terminal.wait_for("A table for 3 at Da Enzo, at 19:30.").await;
}

#[tokio::test]
async fn a_long_call_shows_how_far_it_is_and_ctrl_c_stops_it() {
    let stack = Stack::start().await;
    let terminal = Terminal::start(&CommandLine::new(&stack)).await;
    terminal.wait_for("`help` explains").await;
    terminal.type_line("count_down from=100 pause=100").await;
    sign_in(&terminal, &stack).await;
    terminal.wait_for(" % ").await;
    terminal.press("C-c").await;
    terminal.wait_for("stopped by Ctrl-C").await;
    terminal.type_line("echo still here").await;
    terminal.wait_for("Hello Nick Lucas: still here").await;
}
