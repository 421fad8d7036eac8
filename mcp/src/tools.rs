//! The tools of the demo server, one a file.

mod add_note;
mod book_table;
mod count_down;
mod echo;
mod review_access;
mod whoami;
mod write_report;
