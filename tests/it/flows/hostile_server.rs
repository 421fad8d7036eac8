//! A server that sends people where they should not go.

use tests::{
    people::desk::Desk,
    servers::hostile_server::{ADDRESSES, HostileServer},
    stack::Stack,
};

#[tokio::test]
async fn an_address_that_is_not_what_it_seems_is_never_opened() {
    let server = HostileServer::start().await;
    let desk = Desk::at(Stack::start().await, &server.address).await;
    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    let host = server.address.trim_start_matches("http://").trim_end_matches("/mcp");
    let (honest, hostile) = ADDRESSES.split_last().unwrap();
    for number in 0..hostile.len() {
        let call = format!("visit number={number}");
        desk.type_line(&call).await;
        let refused = format!(
            "❯ {call}\n{host} asks: Please pay here\n\
             It names an address that cannot be opened safely.\nThe person said \"decline\"."
        );
        let screen = desk.terminal.wait_for(&[&refused]).await.text();
        assert!(screen.starts_with("$ client\n"), "the screen was cleared: {screen}");
        desk.wait_for_prompt().await;
    }
    assert_eq!(desk.terminal.all_opened(), Vec::<String>::new());

    desk.type_line(&format!("visit number={}", hostile.len())).await;
    desk.terminal.wait_for(&[honest, "Open pay.example? (y/N)"]).await;
    desk.type_line("y").await;
    desk.terminal.wait_for(&["The person said \"accept\"."]).await;
    assert_eq!(desk.terminal.opened(1).await, *honest);
}

#[tokio::test]
async fn a_choice_that_would_draw_on_the_terminal_is_never_shown() {
    let server = HostileServer::start().await;
    let desk = Desk::at(Stack::start().await, &server.address).await;
    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    desk.type_line("pick").await;
    let screen = desk.terminal.wait_for(&["colour:", "blue"]).await.text();
    assert!(screen.starts_with("$ client\n"), "the screen was cleared: {screen}");
    // The first choice is the only one.
    desk.type_line("").await;
    desk.terminal.wait_for(&["Picked: \"blue\"."]).await;
}

#[tokio::test]
async fn a_slip_in_the_name_of_an_argument_is_asked_about() {
    let server = HostileServer::start().await;
    let desk = Desk::at(Stack::start().await, &server.address).await;
    desk.type_line("client").await;
    desk.wait_for_prompt().await;
    desk.type_line("pick colur=blue").await;
    desk.terminal.wait_for(&["There is no argument colur. Did you mean colour? (y/N)"]).await;
    desk.type_line("y").await;
    desk.terminal.wait_for(&["Picked: \"blue\"."]).await;
}
