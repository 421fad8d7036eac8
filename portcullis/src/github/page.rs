//! The stand-in's one page: whom to sign in as.

use super::{AuthorizeQuery, User};

/// The page. It carries the query on in hidden fields.
pub(super) fn choose_user(query: &AuthorizeQuery) -> String {
    let hidden: String = [
        ("client_id", Some(&query.client_id)),
        ("redirect_uri", Some(&query.redirect_uri)),
        ("state", Some(&query.state)),
        ("code_challenge", query.code_challenge.as_ref()),
        ("scope", Some(&query.scope)),
    ]
    .into_iter()
    .filter_map(|(name, value)| Some((name, value?)))
    .map(|(name, value)| {
        format!("<input type=\"hidden\" name=\"{name}\" value=\"{}\">", escape(value))
    })
    .collect();
    let buttons: String = [User::nick_lucas(), User::ada_park()]
        .iter()
        .map(|user| {
            format!(
                "<button name=\"user\" value=\"{}\">Sign in as {}</button>",
                user.login, user.name
            )
        })
        .collect();
    format!(
        "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width\"><title>Stand-in for GitHub</title>\
         <style>{STYLE}</style></head><body><main><h1>Stand-in for GitHub</h1>\
         <p>This page runs on your machine in place of github.com. It does not check who you are. \
         Nick Lucas is in the team platform of the organisation acme, everyone else in neither.</p>\
         <form method=\"post\" action=\"/login/oauth/authorize\">{hidden}{buttons}\
         <label>Somebody else <input name=\"typed\" placeholder=\"Grace Hopper\"></label>\
         <button name=\"user\" value=\"typed\">Sign in as this person</button>\
         <button name=\"user\" value=\"deny\" class=\"quiet\">Deny</button>\
         </form></main></body></html>"
    )
}

/// The colours and shapes of the pages of `web`, on a dashed card: this is not one of them.
const STYLE: &str = ":root{color-scheme:light dark;--ground:light-dark(#eef1f1,#0f1418);\
    --card:light-dark(#fff,#192127);--edge:light-dark(#76858f,#7f909c);\
    --ink:light-dark(#18222b,#e9eef1);--soft:light-dark(#51606c,#a9b6bf);\
    --accent:light-dark(#14566a,#86cbdd);--on-accent:light-dark(#fff,#08222a)}\
    *{box-sizing:border-box}body{margin:0;min-height:100vh;padding:1rem .75rem;display:grid;\
    align-items:center;justify-items:center;background:var(--ground);color:var(--ink);\
    font:1rem/1.5 system-ui,-apple-system,'Segoe UI',Roboto,'Noto Sans',sans-serif}\
    main{width:100%;max-width:32rem;padding:clamp(1.25rem,5vw,2.25rem);background:var(--card);\
    border:2px dashed var(--edge);border-radius:1rem}h1{margin:0;font-size:1.5rem;line-height:1.25}\
    p{margin:.5rem 0 0;color:var(--soft)}form{display:grid;gap:.75rem;margin-top:1.5rem}\
    label{margin-top:.75rem;font-weight:600}input{margin-top:.375rem}\
    button,input{width:100%;min-height:3rem;padding:.6875rem 1rem;border:1px solid var(--edge);\
    border-radius:.625rem;background:var(--card);color:var(--ink);font:inherit;font-weight:400}\
    button{border-color:transparent;background:var(--accent);color:var(--on-accent);\
    font-weight:600;cursor:pointer}.quiet{border-color:var(--edge);background:var(--card);\
    color:var(--ink)}:focus-visible{outline:3px solid var(--accent);outline-offset:3px}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
