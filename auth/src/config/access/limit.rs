//! One of `[[access.limits]]`, checked.

use toml::Spanned;

use super::{AccessSection, LimitSection, Surroundings, Wrong, at};
use crate::{access::Limit, config::suggestion::suggestion, oauth::Resource};

impl LimitSection {
    pub(super) fn check(
        &self,
        access: &AccessSection,
        around: &Surroundings<'_>,
    ) -> Result<Limit, Wrong> {
        let name = self.resource.get_ref();
        let known = || around.resources.iter().map(|resource| resource.resource.as_str());
        let resource = around.resources.iter().find(|resource| resource.resource == *name);
        let resource = resource.ok_or_else(|| {
            let all = known().collect::<Vec<_>>().join(" or ");
            let advice = suggestion(name, known()).unwrap_or_else(|| format!("; write {all}"));
            at(&self.resource, format!("the resource {name:?} is not configured{advice}"))
        })?;
        let scopes = self.scopes.as_ref().map(|scopes| check_scopes(scopes, resource));
        Ok(Limit {
            resource: name.clone(),
            scopes: scopes.transpose()?,
            groups: self.check_groups(access)?,
        })
    }

    fn check_groups(&self, access: &AccessSection) -> Result<Vec<String>, Wrong> {
        let groups = self.groups.get_ref();
        if groups.is_empty() {
            return Err(at(&self.groups, "name the groups that may have this"));
        }
        for name in groups {
            access.find(name)?;
            if access.deny.contains(name) {
                let name_text = name.get_ref();
                let why = format!("the group {name_text:?} is in deny; remove it here or there");
                return Err(at(name, why));
            }
        }
        Ok(groups.iter().map(|name| name.get_ref().clone()).collect())
    }
}

fn check_scopes(
    scopes: &Spanned<Vec<Spanned<String>>>,
    resource: &Resource,
) -> Result<Vec<String>, Wrong> {
    let known = || resource.scopes.iter().map(|scope| scope.name.as_str());
    if scopes.get_ref().is_empty() {
        return Err(at(scopes, "name scopes, or leave scopes out to limit the whole resource"));
    }
    for scope in scopes.get_ref() {
        let name = scope.get_ref();
        if !known().any(|known| known == name) {
            let all = known().collect::<Vec<_>>().join(", ");
            let advice = suggestion(name, known()).unwrap_or_else(|| format!("; it has {all}"));
            let resource = &resource.resource;
            let why = format!("the resource {resource:?} has no scope {name:?}{advice}");
            return Err(at(scope, why));
        }
    }
    Ok(scopes.get_ref().iter().map(|scope| scope.get_ref().clone()).collect())
}
