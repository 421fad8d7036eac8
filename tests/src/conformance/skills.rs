//! One skill, with a folder inside (skills extension).

use rmcp::{
    ErrorData,
    model::{
        CacheScope, DIRECTORY_MIME_TYPE, GetSkillResult, ReadResourceDirectoryResult, Resource,
        Skill, SkillFrontmatter, SkillResource, SkillResources,
    },
};

use super::CACHE_TTL;

const FOLDER: &str = "skill://invoice-reading";
const MANUAL: &str = "skill://invoice-reading/SKILL.md";
const INNER_FOLDER: &str = "skill://invoice-reading/references";
const FIELDS: &str = "skill://invoice-reading/references/FIELDS.md";

const NAME: &str = "invoice-reading";
const DESCRIPTION: &str = "Reads the amount and the due date of an invoice";
const MANUAL_TEXT: &str = "---
name: invoice-reading
description: Reads the amount and the due date of an invoice
---

Look for the fields that references/FIELDS.md names, and repeat them as they stand.
";
const FIELDS_TEXT: &str = "- amount\n- due date\n";

/// The skill as lists show it.
pub(super) fn skill() -> Skill {
    let files = vec![
        SkillResource::from_bytes(MANUAL, MANUAL_TEXT.as_bytes()),
        SkillResource::from_bytes(FIELDS, FIELDS_TEXT.as_bytes()),
    ];
    let frontmatter = SkillFrontmatter::new(NAME, DESCRIPTION);
    Skill::new(MANUAL, frontmatter, SkillResources::Files(files))
}

pub(super) fn get(uri: &str) -> Result<GetSkillResult, ErrorData> {
    if uri == MANUAL {
        let result = GetSkillResult::new(skill());
        Ok(result.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
    } else {
        Err(ErrorData::invalid_params("there is no such skill", None))
    }
}

/// What the list of resources shows of it.
pub(super) fn resources() -> Vec<Resource> {
    vec![file(MANUAL, NAME, MANUAL_TEXT).with_description(DESCRIPTION)]
}

/// Type and text of one of its files.
pub(super) fn read(uri: &str) -> Option<(&'static str, &'static str)> {
    match uri {
        MANUAL => Some(("text/markdown", MANUAL_TEXT)),
        FIELDS => Some(("text/markdown", FIELDS_TEXT)),
        _ => None,
    }
}

/// What lies in one of its folders.
pub(super) fn read_directory(uri: &str) -> Result<ReadResourceDirectoryResult, ErrorData> {
    let children = match uri.trim_end_matches('/') {
        FOLDER => vec![
            file(MANUAL, NAME, MANUAL_TEXT).with_description(DESCRIPTION),
            Resource::new(INNER_FOLDER, "references").with_mime_type(DIRECTORY_MIME_TYPE),
        ],
        INNER_FOLDER => vec![file(FIELDS, "FIELDS.md", FIELDS_TEXT)],
        _ => return Err(ErrorData::invalid_params("there is no such folder", None)),
    };
    let list = ReadResourceDirectoryResult::with_all_items(children);
    Ok(list.with_ttl_ms(CACHE_TTL).with_cache_scope(CacheScope::Public))
}

fn file(uri: &str, name: &str, words: &str) -> Resource {
    let size = u64::try_from(words.len()).unwrap_or_default();
    Resource::new(uri, name).with_mime_type("text/markdown").with_size(size)
}
