//! A browser without a screen: it keeps cookies, follows redirects and sends forms.

use std::{collections::HashMap, time::Duration};

use net::https::client_builder;
use reqwest::{Client, Method, RequestBuilder, StatusCode, header::HeaderMap, redirect::Policy};
use scraper::{ElementRef, Html, Selector};
use url::Url;

use crate::waiting::before_retry;

/// Most redirects to follow.
const MAX_REDIRECTS: usize = 10;

/// A browser. Cookies are kept for each host and port, as if every server had a host of its own.
#[derive(Clone)]
pub struct Browser {
    http: Client,
    is_patient: bool,
    /// Headers that say how it came to a page (Fetch Metadata).
    fetch_metadata: Vec<(&'static str, &'static str)>,
    cookies: HashMap<String, HashMap<String, String>>,
}

/// What the browser shows, or where it was sent that is not ours to visit.
#[derive(Clone, Debug)]
pub struct Page {
    pub url: Url,
    /// How it was answered.
    pub status: StatusCode,
    /// The headers of the answer.
    pub headers: HeaderMap,
    pub html: String,
}

impl Default for Browser {
    fn default() -> Self {
        let http = http(usize::MAX);
        Self { http, is_patient: false, fetch_metadata: Vec::new(), cookies: HashMap::new() }
    }
}

/// An HTTP client that goes nowhere by itself.
pub(super) fn http(idle_connections: usize) -> Client {
    client_builder()
        .redirect(Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(20))
        .pool_max_idle_per_host(idle_connections)
        .build()
        .expect("an HTTP client")
}

impl Browser {
    /// The browser of a person who loads a page again, until the server answers. Each page comes by
    /// a connection of its own, so that replicas behind one address take turns.
    pub fn patient() -> Self {
        Self { http: http(0), is_patient: true, ..Self::default() }
    }

    /// Opens a URL as a browser that says how it came to it.
    pub async fn open_from(
        &mut self,
        url: &str,
        fetch_metadata: &[(&'static str, &'static str)],
    ) -> Page {
        self.fetch_metadata = fetch_metadata.to_vec();
        let page = self.open(url).await;
        self.fetch_metadata.clear();
        page
    }

    /// Opens a URL and follows redirects, up to one that leads to a port without a server: there, the
    /// page is the place that the browser was sent to.
    pub async fn open(&mut self, url: &str) -> Page {
        self.go(Method::GET, Url::parse(url).expect("a URL"), None).await
    }

    /// Presses the button of this name and value, which sends its form.
    pub async fn press(&mut self, page: &Page, name: &str, value: &str) -> Page {
        self.submit(page, &format!("button[name=\"{name}\"][value=\"{value}\"]")).await
    }

    /// Presses a button after a box was ticked or unticked: `(box's name, its value, ticked)`.
    pub async fn press_after(
        &mut self,
        page: &Page,
        (name, value): (&str, &str),
        boxes: &[(&str, &str, bool)],
    ) -> Page {
        let (action, mut fields) =
            page.form_of(&format!("button[name=\"{name}\"][value=\"{value}\"]"));
        for (name, value, ticked) in boxes {
            fields.retain(|(known, content)| (known.as_str(), content.as_str()) != (*name, *value));
            if *ticked {
                fields.push(((*name).to_owned(), (*value).to_owned()));
            }
        }
        let url = page.url.join(&action).expect("a form's action");
        self.go(Method::POST, url, Some(fields)).await
    }

    /// Sends the form that goes to `action`.
    pub async fn send_form(&mut self, page: &Page, action: &str) -> Page {
        self.submit(page, &format!("form[action=\"{action}\"] button")).await
    }

    /// Sends fields to a place on the page's server, as if a form had them.
    pub async fn post(&mut self, url: &str, fields: &[(&str, &str)]) -> Page {
        let fields = fields.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        self.go(Method::POST, Url::parse(url).expect("a URL"), Some(fields)).await
    }

    /// Deletes the account that signed in a moment ago.
    pub async fn delete_account(&mut self, issuer: &str) {
        let place = format!("{issuer}/account/delete");
        let page = self.open(&place).await;
        let sure = [("csrf", &*page.hidden("csrf")), ("sure", "yes")];
        let page = self.post(&place, &sure).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
    }

    /// The cookies that it would send to a server, as a header.
    pub fn cookies_for(&self, url: &str) -> String {
        let cookies =
            self.cookies.get(&site(&Url::parse(url).expect("a URL"))).into_iter().flatten();
        cookies.map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join("; ")
    }

    async fn submit(&mut self, page: &Page, button: &str) -> Page {
        let (action, fields) = page.form_of(button);
        let url = page.url.join(&action).expect("a form's action");
        self.go(Method::POST, url, Some(fields)).await
    }

    async fn go(
        &mut self,
        method: Method,
        url: Url,
        fields: Option<Vec<(String, String)>>,
    ) -> Page {
        let mut page = self.request(method, url, fields).await;
        for _ in 0..MAX_REDIRECTS {
            let Some(location) = page.headers.get("location") else {
                return page;
            };
            let location = location.to_str().expect("a printable location");
            let next = page.url.join(location).expect("a location");
            if !self.is_served(&next) {
                return Page { url: next, html: String::new(), ..page };
            }
            page = self.request(Method::GET, next, None).await;
        }
        panic!("too many redirects, the last from {}", page.url)
    }

    /// A redirect target of the tests: port 1 is never served.
    fn is_served(&self, url: &Url) -> bool {
        url.scheme() == "http" && url.port() != Some(1)
    }

    async fn request(
        &mut self,
        method: Method,
        url: Url,
        fields: Option<Vec<(String, String)>>,
    ) -> Page {
        loop {
            let mut request =
                self.with_cookies(self.http.request(method.clone(), url.clone()), &url);
            for (name, value) in &self.fetch_metadata {
                request = request.header(*name, *value);
            }
            if let Some(fields) = &fields {
                request = request.form(fields);
            }
            match Self::page(&url, request).await {
                Ok(page) if !(self.is_patient && page.status.is_server_error()) => {
                    self.keep_cookies(&url, &page.headers);
                    return page;
                }
                Err(error) if !self.is_patient => panic!("no answer: {error}"),
                _ => before_retry().await,
            }
        }
    }

    async fn page(url: &Url, request: RequestBuilder) -> Result<Page, reqwest::Error> {
        let answer = request.send().await?;
        let status = answer.status();
        let headers = answer.headers().clone();
        Ok(Page { url: url.clone(), status, headers, html: answer.text().await? })
    }

    fn with_cookies(&self, request: RequestBuilder, url: &Url) -> RequestBuilder {
        match self.cookies_for(url.as_str()) {
            none if none.is_empty() => request,
            cookies => request.header("cookie", cookies),
        }
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        let jar = self.cookies.entry(site(url)).or_default();
        for cookie in headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("a printable cookie");
            let (pair, attributes) = cookie.split_once(';').unwrap_or((cookie, ""));
            let (name, value) = pair.split_once('=').expect("a cookie's name and value");
            if attributes.contains("Max-Age=0") {
                jar.remove(name)
            } else {
                jar.insert(name.into(), value.into())
            };
        }
    }
}

impl Page {
    /// The text of a parameter in the page's URL.
    pub fn query(&self, name: &str) -> Option<String> {
        self.url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// A header as text; empty where there is none.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("a printable header"))
    }

    /// What a person reads on the page.
    pub fn text(&self) -> String {
        let document = Html::parse_document(&self.html);
        let body = document.select(&selector("body")).next();
        let words = body.into_iter().flat_map(|body| body.text()).flat_map(str::split_whitespace);
        words.collect::<Vec<_>>().join(" ")
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let document = Html::parse_document(&self.html);
        let field = document.select(&selector(&format!("input[name=\"{name}\"]"))).next();
        let field = field.unwrap_or_else(|| panic!("no field {name} in {}", self.html));
        field.attr("value").unwrap_or_default().to_owned()
    }

    /// The values of all hidden fields of one name, in their order.
    pub fn hidden_all(&self, name: &str) -> Vec<String> {
        let document = Html::parse_document(&self.html);
        let fields = selector(&format!("input[name=\"{name}\"]"));
        let values = document.select(&fields).filter_map(|field| field.attr("value"));
        values.map(str::to_owned).collect()
    }

    fn form_of(&self, button: &str) -> (String, Vec<(String, String)>) {
        let document = Html::parse_document(&self.html);
        let found = document.select(&selector(button)).next();
        let button =
            found.unwrap_or_else(|| panic!("no {button} at {}: {}", self.url, self.text()));
        let form = button
            .ancestors()
            .filter_map(ElementRef::wrap)
            .find(|element| element.value().name() == "form")
            .expect("a form around the button");
        let inputs = selector("input[name]:not([type=checkbox]), input[name][checked]");
        let fields = form.select(&inputs).chain([button]);
        let fields = fields.filter_map(|field| {
            Some((
                field.attr("name")?.to_owned(),
                field.attr("value").unwrap_or_default().to_owned(),
            ))
        });
        (form.attr("action").unwrap_or_default().to_owned(), fields.collect())
    }
}

fn selector(text: &str) -> Selector {
    Selector::parse(text).expect("a selector")
}

fn site(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or(0))
}
