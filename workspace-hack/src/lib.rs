//! No code. Cargo.toml lists the features that this workspace uses of the crates it shares, so that
//! building one program compiles nothing that building the whole workspace has compiled.
