//! Many callers with one code, and many with one refresh token.

use futures::future::join_all;

use super::{replicas::Replicas, report};
use crate::{
    people::browser::Browser,
    programs::client::{Answer, Client},
    stack::Engine,
};

/// How much of it.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Codes, and refresh tokens.
    pub rounds: usize,
    /// Callers of each.
    pub callers: usize,
}

async fn start(engine: Engine) -> (Replicas, Vec<Client>) {
    let replicas = Replicas::start(engine, (Replicas::of_auth(engine), 0), &[]).await;
    let client = replicas.register().await;
    let at = |address: &String| Client::at(address, &replicas.audience, &client.id);
    let clients = replicas.auth.iter().map(at).collect();
    (replicas, clients)
}

/// Of all callers that redeem one code, one wins; the others' replay takes back what it won.
pub async fn redeem_codes(engine: Engine, size: Size) {
    let (replicas, clients) = start(engine).await;
    let person = Client::at(&replicas.issuer, &replicas.audience, &clients[0].id);
    let mut browser = Browser::default();
    for round in 0..size.rounds {
        let form = person.code_form(&person.obtain_code(&mut browser).await);
        let callers = (0..size.callers).map(|n| clients[n % clients.len()].post("/token", &form));
        let answers = join_all(callers).await;
        let (won, lost): (Vec<_>, Vec<_>) = answers.iter().partition(|one| one.status == 200);
        assert_eq!(won.len(), 1, "{engine:?}, round {round}: winners of one code");
        for answer in lost {
            assert_eq!(answer.text("error"), "invalid_grant", "{engine:?}: {}", answer.json);
        }
        let after = person.refresh(won[0].text("refresh_token")).await;
        assert_eq!(after.text("error"), "invalid_grant", "{engine:?}, round {round}: a zombie");
        progress(&format!("{engine:?}: codes"), round, size);
    }
}

/// All callers that present one refresh token get the same successor and a live access token, and
/// the lineage goes on with it.
pub async fn refresh(engine: Engine, size: Size) {
    let (replicas, clients) = start(engine).await;
    let person = Client::at(&replicas.issuer, &replicas.audience, &clients[0].id);
    let tokens = person.obtain_tokens(&mut Browser::default()).await;
    let mut token = tokens.text("refresh_token").to_owned();
    for round in 0..size.rounds {
        let callers = (0..size.callers).map(|n| clients[n % clients.len()].refresh(&token));
        let answers = join_all(callers).await;
        for answer in &answers {
            assert_eq!(answer.status, 200, "{engine:?}, round {round}: {}", answer.json);
            let own = answer.text("refresh_token");
            let first = answers[0].text("refresh_token");
            assert_eq!(own, first, "{engine:?}, round {round}: two lineages");
        }
        let any = &answers[round % answers.len()];
        assert!(is_live(&clients[0], any).await, "{engine:?}, round {round}: a dead token");
        token = answers[0].text("refresh_token").to_owned();
        progress(&format!("{engine:?}: refresh tokens"), round, size);
    }
}

/// Whether an access token counts at `auth`.
pub(super) async fn is_live(client: &Client, answer: &Answer) -> bool {
    client.user_info(answer.text("access_token")).await.status == 200
}

fn progress(what: &str, round: usize, size: Size) {
    let done = round + 1;
    if done.is_multiple_of(500) || done == size.rounds {
        report(&format!("{what}: {done} of {} rounds, {} callers each", size.rounds, size.callers));
    }
}
