//! "Did you mean": the known word that was probably meant.

/// The candidate closest to `word`, if it is close enough to be a slip of the finger: at most one
/// edit for every three letters.
pub(crate) fn closest<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    let limit = word.chars().count().div_ceil(3);
    candidates
        .into_iter()
        .map(|candidate| (distance(word, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Edits that turn `one` into `other`: a letter inserted, left out or replaced, ignoring case.
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.to_lowercase().chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, letter) in one.to_lowercase().chars().enumerate() {
        let mut left = index + 1;
        let mut next = vec![left];
        for (pair, candidate) in row.windows(2).zip(&other) {
            let &[diagonal, above] = pair else { continue };
            let replaced = diagonal + usize::from(letter != *candidate);
            left = replaced.min(above + 1).min(left + 1);
            next.push(left);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edits_are_counted() {
        for (one, other, edits) in
            [("echo", "echo", 0), ("ehco", "echo", 2), ("ech", "echo", 1), ("", "abc", 3)]
        {
            assert_eq!(distance(one, other), edits, "{one} {other}");
        }
    }

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["echo", "whoami", "tools"];
        assert_eq!(closest("ehco", known), Some("echo"));
        assert_eq!(closest("Whoam", known), Some("whoami"));
        assert_eq!(closest("weather", known), None);
    }
}
