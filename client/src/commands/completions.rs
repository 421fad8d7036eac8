//! `client completions`: a script by which a shell completes commands, flags, tools and servers. It
//! asks `client complete`, which sends nothing and knows what each server listed last.

use std::path::Path;

use url::Url;

use crate::{
    cli::{Cli, command::Shell, servers::Servers},
    error::Error,
    files::listing::Listing,
    prompt::completion::Completer,
    terminal::{output::Output, printable::printable_line},
};

const BASH: &str = r#"_client() {
    local IFS=$'\n'
    COMPREPLY=($(client complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1))
    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace
}
complete -o default -F _client client"#;

const FISH: &str = r#"complete -c client -f -a '(client complete -- (commandline -opc)[2..] (commandline -ct) 2>/dev/null)'"#;

const ZSH: &str = r#"#compdef client
_client() {
    local line
    local -a offers
    for line in "${(@f)$(client complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
        [[ -n $line ]] && offers+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    _describe client offers
}
compdef _client client"#;

pub(crate) fn run(shell: Shell, output: &Output) -> Result<(), Error> {
    let script = match shell {
        Shell::Bash => BASH,
        Shell::Fish => FISH,
        Shell::Zsh => ZSH,
    };
    Ok(output.data(script)?)
}

/// Prints what the last of `words` can become, a candidate with its description to a line.
pub(crate) fn complete(
    words: &[String],
    server: &Url,
    directory: &Path,
    output: &Output,
) -> Result<(), Error> {
    let partial = words.last().map(String::as_str).unwrap_or_default();
    let before = words.split_last().map(|(_, before)| before).unwrap_or_default();
    let said: Vec<_> = before.iter().filter(|word| !word.starts_with('-')).collect();
    let command = said.first().map(|word| word.as_str());
    let offers = if partial.starts_with('-') {
        flags(command)
    } else {
        let listing = Listing::read(directory);
        let servers = Servers::read(directory).ok();
        let servers = servers.iter().flat_map(Servers::all);
        let servers = servers.map(|(name, url)| (name.to_owned(), url.to_string())).collect();
        let completer = Completer::of_shell(listing.tools(server), servers);
        let line = said.iter().map(|word| format!("{word} ")).collect::<String>() + partial;
        let offers = completer.offers(&line).into_iter();
        offers.map(|offer| (offer.text, offer.about)).collect()
    };
    let fitting = offers.into_iter().filter(|(text, _)| text.starts_with(partial));
    // The shell puts the name on its command line as it is, so it must mean nothing to a shell.
    let lines = fitting.filter(|(text, _)| text.chars().all(is_harmless));
    let lines: Vec<_> =
        lines.map(|(text, about)| format!("{text}\t{}", printable_line(&about))).collect();
    if lines.is_empty() { Ok(()) } else { Ok(output.data(&lines.join("\n"))?) }
}

/// The flags of the program, or of one command.
fn flags(command: Option<&str>) -> Vec<(String, String)> {
    let mut grammar = Cli::grammar(None);
    grammar.build();
    let command = command.and_then(|name| grammar.find_subcommand(name)).unwrap_or(&grammar);
    let flags = command.get_arguments().filter(|flag| !flag.is_hide_set());
    let flags = flags.filter_map(|flag| {
        let about = flag.get_help().map(ToString::to_string).unwrap_or_default();
        Some((format!("--{}", flag.get_long()?), about))
    });
    flags.collect()
}

fn is_harmless(character: char) -> bool {
    character.is_alphanumeric() || "-_.:/=@,+%".contains(character)
}
