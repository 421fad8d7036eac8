//! What to write instead of a name that is not known.

/// Most edits between an unknown name and the one that is suggested instead. Of a short name, every third
/// letter may differ.
const MAX_EDITS: usize = 3;

/// `; did you mean "…"?` with the known name that is nearest, if one is near.
pub(super) fn suggestion<'a>(
    unknown: &str,
    known: impl Iterator<Item = &'a str>,
) -> Option<String> {
    nearest(unknown, known).map(|name| format!("; did you mean {name:?}?"))
}

/// The known name that is nearest, if one is near.
pub(super) fn nearest<'a>(unknown: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|name| (strsim::damerau_levenshtein(unknown, name), name)).min();
    let max_edits = MAX_EDITS.min(unknown.chars().count() / 3);
    near.filter(|(edits, _)| *edits <= max_edits).map(|(_, name)| name)
}
