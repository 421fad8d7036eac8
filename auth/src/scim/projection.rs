//! Which attributes of a resource are returned (RFC 7644 §3.9).

use serde_json::Value;

use super::schemas;

/// What `attributes` and `excludedAttributes` ask for, by whole attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Projection {
    only: Option<Vec<String>>,
    without: Vec<String>,
}

impl Projection {
    pub(crate) fn new(attributes: Option<&str>, excluded: Option<&str>) -> Self {
        Self { only: attributes.map(names), without: excluded.map(names).unwrap_or_default() }
    }

    /// Whether an attribute is returned. `schemas` and `id` always are.
    pub(crate) fn has(&self, name: &str) -> bool {
        let named = |names: &[String]| names.iter().any(|one| one.eq_ignore_ascii_case(name));
        let is_always = ["schemas", "id"].contains(&name);
        is_always || self.only.as_deref().is_none_or(named) && !named(&self.without)
    }

    /// Takes out of a resource what is not returned.
    pub(crate) fn apply(&self, mut resource: Value) -> Value {
        if let Some(members) = resource.as_object_mut() {
            members.retain(|name, _| self.has(name));
        }
        resource
    }
}

/// The attributes of a list, without their schema and their sub-attributes.
fn names(list: &str) -> Vec<String> {
    let names = list.split(',').filter_map(|name| schemas::without_urn(name.trim()));
    names.map(|name| name.split('.').next().unwrap_or(name).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_was_not_asked_for_is_left_out_but_for_the_id() {
        let user = || json!({"schemas": [], "id": "1", "userName": "a", "name": {}, "meta": {}});
        let shown = |only, without| {
            let shown = Projection::new(only, without).apply(user());
            shown.as_object().unwrap().keys().cloned().collect::<Vec<_>>().join(" ")
        };
        assert_eq!(shown(None, None), "schemas id userName name meta");
        assert_eq!(shown(Some("USERNAME,name.familyName"), None), "schemas id userName name");
        assert_eq!(shown(None, Some("meta, id")), "schemas id userName name");
    }
}
