//! Whole flows, from the first request to the last.
