//! Nothing but a list of features, in Cargo.toml: with it, `cargo run -p client` finds everything
//! that `cargo build --workspace` has built, and compiles nothing a second time.
