//! `client resources` and `client read`: what the server holds, and one of it.

use rmcp::model::Resource;

use crate::{
    commands::presentation::{Presenter, print_list},
    error::Error,
    session::client::Client,
    terminal::printable::printable_line,
};

pub(crate) async fn run(client: &mut Client) -> Result<(), Error> {
    client.list_resources().await?;
    print_list(client, &client.resources, describe, "\n", "holds no resources")
}

pub(crate) async fn read(client: &mut Client, uri: &str) -> Result<(), Error> {
    let contents = client.read_resource(uri).await?;
    if client.output.is_json() {
        return Ok(client.output.json(&contents)?);
    }
    let mut presenter = Presenter::new(client.received(), client.output.columns(), uri);
    let shown: Vec<_> = contents.contents.iter().map(|one| presenter.resource(one)).collect();
    presenter.write(&client.output, &shown)
}

fn describe(resource: &Resource) -> String {
    let about = resource.description.as_deref().unwrap_or(&resource.name);
    format!("{}  {}", printable_line(&resource.uri), printable_line(about))
}
