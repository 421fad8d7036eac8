//! Draws the page of a refusal, in the person's language.

use axum::{
    extract::Request,
    http::{Method, Uri},
    middleware::Next,
    response::{Html, IntoResponse, Response},
};
use web::{
    Frame,
    error::{AskForAccess, ErrorKind, ErrorPage},
};

use super::request_id;
use crate::{
    error_response::{PageDue, Refusal, WayOn, json_body},
    extract::Accept,
};

/// A layer around the pages. Programs that ask for JSON get JSON.
pub(crate) async fn draw(frame: Frame, accept: Accept, request: Request, next: Next) -> Response {
    let request_id = request_id::of(&request);
    let again = address_to_try_again(request.method(), request.uri());
    let mut response = next.run(request).await;
    let Some(PageDue { kind, way_on }) = response.extensions_mut().remove() else {
        return response;
    };
    let Some(Refusal(error)) = response.extensions().get() else {
        return response;
    };
    let drawn = if accept.includes("application/json") {
        json_body(error).into_response()
    } else {
        let is_worth_another_try =
            matches!(kind, ErrorKind::Unavailable | ErrorKind::ServerMistake);
        let mut page = ErrorPage {
            kind,
            description: error.description.to_string(),
            reason: error.reason.into(),
            request_id,
            again: again.filter(|_| is_worth_another_try),
            onward: None,
            access: None,
        };
        match way_on.map(|way_on| *way_on) {
            Some(WayOn::Program(onward)) => page.onward = Some(onward),
            Some(WayOn::Access { sign_in, contact }) => {
                page.access = Some(AskForAccess { sign_in, contact });
            }
            None => {}
        }
        Html(page.render(&frame)).into_response()
    };
    // Status and headers of the refusal stay; type and body are the page's.
    let (mut parts, _) = response.into_parts();
    let (drawn, body) = drawn.into_parts();
    parts.headers.extend(drawn.headers);
    Response::from_parts(parts, body)
}

/// Only reading can be repeated by a link.
fn address_to_try_again(method: &Method, uri: &Uri) -> Option<String> {
    let path = uri.path_and_query().map(|path| path.as_str().to_owned());
    path.filter(|_| *method == Method::GET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_page_that_was_read_can_be_tried_again() {
        let uri: Uri = "/consent?a=b".parse().unwrap();
        let again = address_to_try_again(&Method::GET, &uri);
        assert_eq!(again.as_deref(), Some("/consent?a=b"));
        assert_eq!(address_to_try_again(&Method::POST, &uri), None);
    }
}
