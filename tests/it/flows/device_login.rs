//! Signing in with a code that is typed elsewhere, where it does not go well.

use tests::people::desk::Desk;

#[tokio::test]
async fn a_device_that_is_denied_is_told_so_and_nobody_is_signed_in() {
    let mut desk = Desk::new().await;
    desk.type_line("client login --device; echo status $?").await;
    let screen = desk.terminal.wait_for(&["user_code=", "Ctrl-C stops."]).await.text();
    let complete = screen.lines().find(|line| line.contains("user_code=")).unwrap().trim();
    let page = desk.browser.open(complete).await;
    let page = desk.browser.send_form(&page, "/sign-in/github").await;
    let page = desk.browser.press(&page, "user", "nick-lucas").await;
    let code = page.hidden("user_code");
    assert!(complete.ends_with(&code), "the address fills the code in");
    let fields = [("csrf", page.hidden("csrf")), ("user_code", code)];
    let fields = fields.each_ref().map(|(name, value)| (*name, value.as_str()));
    let page = desk.browser.post(page.url.as_str(), &fields).await;
    desk.browser.press(&page, "decision", "deny").await;
    desk.terminal
        .wait_for(&["error: you refused access, so nothing was allowed", "status 4"])
        .await;
    desk.type_line("client status; echo status $?").await;
    desk.terminal.wait_for(&["not signed in", "status 4\n$ client status"]).await;
}

#[tokio::test]
async fn a_person_who_changes_their_mind_stops_waiting_for_the_code() {
    let desk = Desk::new().await;
    desk.type_line("client login --device; echo status $?").await;
    desk.terminal.wait_for(&["user_code=", "Ctrl-C stops."]).await;
    desk.terminal.press("C-c").await;
    desk.terminal.wait_for(&["stopped by Ctrl-C"]).await;
}
