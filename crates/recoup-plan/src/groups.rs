//! What leaves only together: bundles whole, bound resources with their primary.

use std::collections::{BTreeMap, BTreeSet};

use recoup_core::assessment::Subject;
use recoup_core::record::ResourceRecord;
use recoup_core::vocab::{Reason, Relation};

const BOUND: &[Reason] = &[Reason::LeavesWithPrimary];
const BUNDLED: &[Reason] = &[Reason::PartOfBundle, Reason::LeavesWithPrimary];

/// Resources that leave together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Group {
    /// Their places; the first one leads, and what is bound to another comes last.
    pub(crate) members: Vec<usize>,
    /// How many a provider counts: what is bound to another goes with it.
    counted: usize,
    /// Reasons that do not count for these because they leave together.
    waived: &'static [Reason],
}

impl Group {
    /// A group of `counted` resources and of what is bound to them.
    fn new(counted: &[usize], waived: &'static [Reason], bound: &BTreeMap<usize, Vec<usize>>) -> Self {
        let with_them = counted.iter().filter_map(|index| bound.get(index)).flatten().copied();
        Self { counted: counted.len(), members: counted.iter().copied().chain(with_them).collect(), waived }
    }

    /// How many a provider counts where it takes only so many at once.
    pub(crate) const fn counted(&self) -> usize {
        self.counted
    }

    /// Reasons that do not count for a member because it leaves with the others.
    pub(crate) fn waived(&self, member: usize) -> &'static [Reason] {
        let bound = self.members.iter().skip(self.counted).any(|other| *other == member);
        if bound { BOUND } else { self.waived }
    }
}

/// A provider's site and account, and a name in it.
type Key<'a> = (&'a str, &'a str, Option<&'a str>, &'a str);

/// Resources by what leaves only together.
pub(crate) fn groups(resources: &[ResourceRecord], subjects: &[Subject]) -> Vec<Group> {
    let key = |index: usize, name| -> Option<Key<'_>> {
        let subject: &Subject = subjects.get(index)?;
        let account = resources.get(index)?.account.as_deref();
        Some((subject.provider.as_str(), subject.site.as_str(), account, name))
    };
    let mut by_id: BTreeMap<Key<'_>, usize> = BTreeMap::new();
    let mut bundles: BTreeMap<Key<'_>, Vec<usize>> = BTreeMap::new();
    for (index, resource) in resources.iter().enumerate() {
        by_id.extend(key(index, resource.id.as_str()).map(|key| (key, index)));
        if let Some(key) = resource.bundle.as_deref().and_then(|bundle| key(index, bundle)) {
            bundles.entry(key).or_default().push(index);
        }
    }
    let mut primaries: BTreeMap<usize, usize> = BTreeMap::new();
    for (index, resource) in resources.iter().enumerate() {
        let is_bound = resource.relation == Some(Relation::Bound) && resource.bundle.is_none();
        let primary = resource.primary.as_deref().filter(|_| is_bound).and_then(|primary| key(index, primary));
        primaries.extend(primary.and_then(|key| by_id.get(&key)).map(|primary| (index, *primary)));
    }
    let mut bound: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in primaries.keys() {
        let leads = leader(*index, &primaries);
        if leads != *index {
            bound.entry(leads).or_default().push(*index);
        }
    }
    let whole: Vec<Vec<usize>> = bundles.into_values().filter(|members| members.len() > 1).collect();
    let placed: BTreeSet<usize> = whole.iter().chain(bound.values()).flatten().copied().collect();
    let alone = (0..resources.len()).filter(|index| !placed.contains(index));
    let mut groups: Vec<Group> = alone.map(|index| Group::new(&[index], &[], &bound)).collect();
    groups.extend(whole.iter().map(|members| Group::new(members, BUNDLED, &bound)));
    groups.sort_by_key(|group| group.members.first().copied());
    groups
}

/// With what a resource leaves: the primary at the end of what it is bound to. Itself, where it is bound to nothing
/// that is here, or where things are bound to each other in a circle.
fn leader(index: usize, primaries: &BTreeMap<usize, usize>) -> usize {
    let mut seen = BTreeSet::from([index]);
    let mut leads = index;
    while let Some(next) = primaries.get(&leads) {
        if !seen.insert(*next) {
            return index;
        }
        leads = *next;
    }
    leads
}

#[cfg(test)]
mod tests {
    use recoup_core::time::{Instant, Zone};
    use serde_json::json;

    use super::*;

    /// Groups of resources, each an id with what it is bound to and the bundle it is part of.
    fn grouped(resources: &[(&str, Option<&str>, Option<&str>)]) -> Vec<(Vec<usize>, usize)> {
        let made = resources.iter().map(|(id, primary, bundle)| {
            let mut json =
                json!({"provider": "p", "id": id, "product": "vm", "billing": "subscription", "status": "active"});
            if let Some(primary) = primary {
                (json["primary"], json["relation"]) = (json!(primary), json!("bound"));
            }
            if let Some(bundle) = bundle {
                json["bundle"] = json!(bundle);
            }
            ResourceRecord::from_json(&json, &|_: &str, _: Option<&str>| Some(Zone::UTC)).unwrap().record
        });
        let made: Vec<ResourceRecord> = made.collect();
        let subjects: Vec<Subject> = made
            .iter()
            .map(|resource| Subject {
                provider: resource.provider.clone(),
                site: "s".to_owned(),
                edition: None,
                account: None,
                resource: resource.id.clone(),
                name: None,
                product: resource.product.clone(),
                at: Instant::from_micros(0),
                zone: Zone::UTC,
            })
            .collect();
        groups(&made, &subjects).into_iter().map(|group| (group.members.clone(), group.counted())).collect()
    }

    #[test]
    fn what_is_bound_leaves_with_its_primary_and_counts_with_it() {
        let resources = [("disk", Some("vm"), None), ("vm", None, None), ("other", Some("elsewhere"), None)];
        assert_eq!(grouped(&resources), [(vec![1, 0], 1), (vec![2], 1)]);
    }

    #[test]
    fn what_is_bound_to_part_of_a_bundle_leaves_with_the_bundle() {
        let resources = [("vm", None, Some("b")), ("disk", Some("vm"), None), ("ip", None, Some("b"))];
        assert_eq!(grouped(&resources), [(vec![0, 2, 1], 2)]);
    }

    #[test]
    fn what_is_bound_to_something_bound_leaves_with_what_both_are_bound_to() {
        let resources = [("vm", None, None), ("disk", Some("vm"), None), ("snapshot", Some("disk"), None)];
        assert_eq!(grouped(&resources), [(vec![0, 1, 2], 1)]);
    }

    #[test]
    fn things_bound_to_each_other_in_a_circle_are_not_lost() {
        let resources = [("a", Some("b"), None), ("b", Some("a"), None), ("c", Some("a"), None)];
        assert_eq!(grouped(&resources), [(vec![0], 1), (vec![1], 1), (vec![2], 1)]);
    }
}
