//! `client man`: the manual pages, for packages of this program.

use std::{fs, io, path::Path};

use crate::{cli::Cli, error::Error, terminal::output::OutputError};

/// Writes a page for the program and for each of its commands into `directory`.
pub(crate) fn run(directory: &Path) -> Result<(), Error> {
    Ok(write(directory).map_err(OutputError::Failed)?)
}

fn write(directory: &Path) -> io::Result<()> {
    fs::create_dir_all(directory)?;
    let mut grammar = Cli::grammar(None);
    grammar.build();
    clap_mangen::generate_to(grammar, directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_and_each_command_have_a_page() {
        let directory = tempfile::tempdir().expect("a directory");
        run(directory.path()).expect("written");
        let page = |name: &str| fs::read_to_string(directory.path().join(name)).expect(name);
        assert!(page("client.1").contains("doctor"));
        assert!(page("client-call.1").contains("answer\\-timeout"));
        assert!(page("client-login.1").contains("client\\-secret\\-file"));
    }
}
