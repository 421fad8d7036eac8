//! `portcullis up`: auth and gate in one process, on one port, under one name.

use std::{
    error::Error,
    io::{self, Write},
    net::{Ipv4Addr, SocketAddr},
    path::PathBuf,
    process::ExitCode,
};

use clap::{Args, Parser};
use gate::Gate;
use net::{clock::Clock, shutdown::stop_signal};
use tokio::net::TcpListener;

use crate::{
    data::Data,
    github::{self, StandIn},
    one_port::one_port,
};

/// Path of the MCP server.
const PATH: &str = "/mcp";

/// One server for everything. Further settings are those of `portcullis auth` and `portcullis gate`, as
/// environment variables.
#[derive(Args, Debug)]
pub(crate) struct Up {
    /// Public URL of this server, without path, such as https://mcp.example.com. Without it, the server
    /// is for this machine alone, and a stand-in for GitHub signs anyone in.
    #[arg(long, env = "PORTCULLIS_PUBLIC_URL", value_name = "URL")]
    public_url: Option<String>,
    /// Address to listen on.
    #[arg(long, env = "PORTCULLIS_LISTEN", default_value = "127.0.0.1:3000")]
    listen: SocketAddr,
    /// Directory of the database and the master secret.
    #[arg(long, env = "PORTCULLIS_DATA", default_value = "data", value_name = "DIRECTORY")]
    data: PathBuf,
    /// The configuration file, portcullis.toml. A public server needs one, which says who may come in.
    #[arg(long, env = "AUTH_CONFIG_FILE", value_name = "FILE")]
    config: Option<PathBuf>,
    /// What people call the MCP server, when no configuration file is named.
    #[arg(long, env = "GATE_NAME", default_value = "MCP server")]
    name: String,
    /// Scope that a token needs.
    #[arg(long, env = "GATE_SCOPES", default_value = "mcp:tools")]
    scope: String,
    /// URL of the MCP server, if it is not to be started.
    #[arg(long, env = "GATE_UPSTREAM", value_name = "URL", required_unless_present = "command")]
    upstream: Option<String>,
    /// Command of an MCP server that speaks over stdin and stdout.
    #[arg(last = true, value_name = "COMMAND", conflicts_with = "upstream")]
    command: Vec<String>,
}

impl Up {
    pub(crate) async fn run(self) -> Result<ExitCode, Box<dyn Error + Send + Sync>> {
        let data = Data::open(&self.data)?;
        let auth = auth::config::Config::try_parse_from(self.auth_options(&data).await?)?;
        let gate = gate::config::Config::try_parse_from(self.gate_options())?;
        let gate = Gate::new(&gate, Clock::system())?;
        let stop = stop_signal()?;
        let shutdown = async {
            stop.await;
            gate.end_streams();
        };
        let router = gate.router();
        self.greet();
        let together = |auth| one_port(auth, router, PATH);
        let code = tokio::select! {
            code = auth::program::serve(auth, together, shutdown) => code,
            () = gate.keep_up() => ExitCode::FAILURE,
        };
        gate.stop().await;
        Ok(code)
    }

    /// The public URL, or the one on this machine.
    fn url(&self) -> String {
        let local = || format!("http://localhost:{}", self.listen.port());
        self.public_url.clone().unwrap_or_else(local)
    }

    async fn auth_options(&self, data: &Data) -> io::Result<Vec<String>> {
        let url = self.url();
        let database = format!("sqlite://{}", data.file("auth.db"));
        let secret = data.create_secret("auth.secret")?;
        let stories = data.file("auth.stories");
        let listen = self.listen.to_string();
        let mut options: Vec<String> = [
            "portcullis up",
            "--issuer",
            &url,
            "--listen",
            &listen,
            "--database-url",
            &database,
            "--secret-file",
            &secret,
            "--story-file",
            &stories,
        ]
        .map(str::to_owned)
        .into();
        let config = match (&self.config, &self.public_url) {
            (Some(path), _) => path.display().to_string(),
            (None, None) => data.write("portcullis.toml", &self.local_config())?,
            (None, Some(_)) => {
                let why = "a public server needs --config with a file that says who may come in under \
                           [access]; docs/configuration.md shows one";
                return Err(io::Error::other(why));
            }
        };
        options.extend(["--config".into(), config]);
        if self.public_url.is_none() {
            let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
            let stand_in = format!("http://{}", listener.local_addr()?);
            tokio::spawn(github::serve(listener, StandIn::default()));
            for (name, value) in [
                ("--github-base-url", stand_in.as_str()),
                ("--github-api-url", &stand_in),
                ("--github-client-id", github::CLIENT_ID),
                ("--github-client-secret", github::CLIENT_SECRET),
            ] {
                options.extend([name.to_owned(), value.to_owned()]);
            }
        }
        Ok(options)
    }

    /// The configuration file of a server for this machine.
    fn local_config(&self) -> String {
        let scope = toml::Table::from_iter([
            ("name".to_owned(), self.scope.clone().into()),
            ("description".to_owned(), "Use the tools of this server".into()),
        ]);
        let resource = toml::Table::from_iter([
            ("resource".to_owned(), format!("{}{PATH}", self.url()).into()),
            ("name".to_owned(), self.name.clone().into()),
            ("scopes".to_owned(), toml::Value::Array(vec![scope.into()])),
        ]);
        let access = toml::Table::from_iter([("anyone".to_owned(), true.into())]);
        let file = toml::Table::from_iter([
            ("resources".to_owned(), toml::Value::Array(vec![resource.into()])),
            ("access".to_owned(), access.into()),
        ]);
        format!(
            "# Written by `portcullis up` at each start, because --config was not given.\n{file}"
        )
    }

    fn gate_options(&self) -> Vec<String> {
        let url = self.url();
        let resource = format!("{url}{PATH}");
        let listen = self.listen.to_string();
        let mut options: Vec<String> = [
            "portcullis up",
            "--resource",
            &resource,
            "--issuer",
            &url,
            "--listen",
            &listen,
            "--scope",
            &self.scope,
            "--name",
            &self.name,
            // The authorization server is at the gate's own origin already.
            "--facade",
            "false",
        ]
        .map(str::to_owned)
        .into();
        if let Some(config) = &self.config {
            options.extend(["--config".to_owned(), config.display().to_string()]);
        }
        match &self.upstream {
            Some(upstream) => options.extend(["--upstream".to_owned(), upstream.clone()]),
            None => options.extend([vec!["--".to_owned()], self.command.clone()].concat()),
        }
        options
    }

    /// Says where everything is.
    fn greet(&self) {
        let url = self.url();
        let sign_in = match &self.public_url {
            Some(_) => "",
            None => "\n  Sign-in       a stand-in for GitHub, which signs anyone in",
        };
        let text = format!(
            "\n  MCP server    {url}{PATH}{sign_in}\n  Your grants   {url}/account\n  Try it        \
             portcullis client --server {url}{PATH}\n"
        );
        // If stderr is closed, the greeting is lost.
        let _ = writeln!(io::stderr(), "{text}");
    }
}
