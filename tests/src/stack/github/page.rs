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

const STYLE: &str = "body{font:16px system-ui;background:#f6f8fa;color:#1f2328;margin:0}\
    main{max-width:24rem;margin:4rem auto;padding:2rem;background:#fff;border:1px dashed #8c959f;\
    border-radius:.75rem}form{display:grid;gap:.75rem}button,input{font:inherit;padding:.6rem;\
    border-radius:.4rem;border:1px solid #8c959f;width:100%;box-sizing:border-box}\
    button{background:#1f2328;color:#fff;cursor:pointer}.quiet{background:#fff;color:#1f2328}";

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;").replace('>', "&gt;")
}
