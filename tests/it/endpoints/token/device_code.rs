//! `grant_type=urn:ietf:params:oauth:grant-type:device_code`

use tests::{
    programs::client::{Answer, Client, with},
    stack::Stack,
};

use crate::endpoints::device_authorization::{DEVICE_CODE, register, valid_request};

struct Setting {
    stack: Stack,
    client: Client,
    codes: Answer,
}

async fn setting() -> Setting {
    let stack = Stack::start().await;
    let client = register(&stack).await;
    let codes = client.post("/device_authorization", &valid_request(&client, &stack)).await;
    Setting { stack, client, codes }
}

impl Setting {
    fn form(&self) -> Vec<(&'static str, String)> {
        vec![
            ("grant_type", DEVICE_CODE.into()),
            ("client_id", self.client.id.clone()),
            ("device_code", self.codes.text("device_code").into()),
        ]
    }

    async fn poll(&self) -> Answer {
        self.client.post("/token", &self.form()).await
    }
}

#[tokio::test]
async fn until_the_person_answers_the_device_waits() {
    let setting = setting().await;
    let answer = setting.poll().await;
    assert_eq!((answer.status.as_u16(), answer.text("error")), (400, "authorization_pending"));
    setting.stack.advance(5);
    assert_eq!(setting.poll().await.text("error"), "authorization_pending");
}

#[tokio::test]
async fn a_poll_too_soon_slows_the_device_down_for_good() {
    let setting = setting().await;
    assert_eq!(setting.poll().await.text("error"), "authorization_pending");
    setting.stack.advance(3);
    assert_eq!(setting.poll().await.text("error"), "slow_down");
    setting.stack.advance(8);
    assert_eq!(setting.poll().await.text("error"), "slow_down");
    setting.stack.advance(15);
    assert_eq!(setting.poll().await.text("error"), "authorization_pending");
    setting.stack.advance(13);
    assert_eq!(setting.poll().await.text("error"), "slow_down");
}

#[tokio::test]
async fn a_code_that_is_old_made_up_or_of_another_client_is_refused() {
    let setting = setting().await;
    let form = with(setting.form(), "device_code", "pcd_made-up");
    let answer = setting.client.post("/token", &form).await;
    assert_eq!(answer.text("error"), "invalid_grant");
    let thief = register(&setting.stack).await;
    let form = with(setting.form(), "client_id", &thief.id);
    assert_eq!(thief.post("/token", &form).await.text("error"), "invalid_grant");
    setting.stack.advance(600);
    assert_eq!(setting.poll().await.text("error"), "expired_token");
}
