//! `GET /logo.<hash>.<type>`, and the rest of an operator's brand.

use std::fs;

use tests::{people::browser::Browser, stack::Stack};

const LOGO: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\"/>";

async fn branded(logo: &str) -> (Stack, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("logo.svg");
    fs::write(&file, logo).unwrap();
    let file = file.display().to_string();
    let options = ["--brand-name", "Acme", "--brand-color", "#ffdd00", "--brand-logo-file", &file];
    (Stack::start_with(&options, &[]).await, folder)
}

#[tokio::test]
async fn every_page_carries_the_name_the_colour_and_the_logo_of_the_operator() {
    let (stack, _folder) = branded(LOGO).await;
    let mut browser = Browser::default();
    let page = browser.open(&stack.at("/sign-in")).await;
    assert!(page.html.contains("Sign in · Acme") && !page.html.contains("Portcullis"));
    let path = |start: &str| {
        let at = page.html.find(start).unwrap();
        page.html[at..].split('"').next().unwrap().to_owned()
    };
    let style = browser.open(&stack.at(&path("/style."))).await;
    assert_eq!(style.header("content-type"), "text/css; charset=utf-8");
    assert!(style.html.contains("--on-accent:#ffffff"), "a pale colour is made to be read");
    let logo = browser.open(&stack.at(&path("/logo."))).await;
    assert_eq!((logo.header("content-type"), logo.html.as_str()), ("image/svg+xml", LOGO));
    assert!(logo.header("content-security-policy").contains("sandbox"));
    assert!(logo.header("cache-control").contains("immutable"));
}

#[tokio::test]
async fn without_a_logo_there_is_none() {
    let stack = Stack::start().await;
    assert_eq!(Browser::default().open(&stack.at("/logo")).await.status, 404);
}

#[tokio::test]
async fn an_address_that_leads_nowhere_is_a_page_that_leads_on() {
    let stack = Stack::start().await;
    let page = Browser::default().open(&stack.at("/%3Cscript%3E")).await;
    assert_eq!(page.status, 404);
    assert!(page.text().contains("not_found"), "{}", page.text());
    assert!(page.html.contains("href=\"/\"") && !page.html.contains("<script"));
    assert!(page.header("content-security-policy").contains("default-src 'none'"));
}
