//! Rules of the house that need a reader of sources and documents rather than a compiler.

mod advisories;
mod attacks;
mod light;
mod reason_codes;
mod rooms;
mod site;
mod snippets;
mod sources;
mod suite;
mod tidy;
mod visibility;
mod voice;
