//! What an answer of an AWS API holds, told by its own field names.

use recoup_core::import::Place;
use serde_json::Value;

use super::fields::get;

/// What an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    SavingsPlan,
    ReservedInstance,
    Listing,
    ExchangeQuote,
    CapacityReservation,
    CapacityBlock,
    HostReservation,
    CancellationQuote,
    DbInstance,
    CacheNode,
    WarehouseNode,
    MemoryNode,
    SearchInstance,
    NodeOffering,
    Modification,
    Throughput,
    Agreement,
    CancellationEvent,
    AdjustmentEvent,
}

/// How a kind is told: the arrays in which answers list it, and the fields that an item must have.
struct Sign {
    kind: Kind,
    arrays: &'static [&'static str],
    fields: &'static [&'static str],
}

const SIGNS: &[Sign] = &[
    Sign {
        kind: Kind::SavingsPlan,
        arrays: &["savingsPlans", "SavingsPlans"],
        fields: &["savingsPlanId", "savingsPlanType"],
    },
    Sign {
        kind: Kind::ReservedInstance,
        arrays: &["ReservedInstances", "reservedInstances", "reservedInstancesSet"],
        fields: &["ReservedInstancesId", "InstanceType"],
    },
    Sign {
        kind: Kind::SearchInstance,
        arrays: &["ReservedInstances", "reservedInstances"],
        fields: &["ReservedInstanceId", "ReservationName"],
    },
    Sign {
        kind: Kind::Listing,
        arrays: &["ReservedInstancesListings", "reservedInstancesListings", "reservedInstancesListingsSet"],
        fields: &["ReservedInstancesListingId", "ReservedInstancesId"],
    },
    Sign {
        kind: Kind::CapacityReservation,
        arrays: &["CapacityReservations", "capacityReservations", "capacityReservationSet"],
        fields: &["CapacityReservationId", "InstanceType"],
    },
    Sign {
        kind: Kind::CapacityBlock,
        arrays: &["CapacityBlocks", "capacityBlocks", "capacityBlockSet"],
        fields: &["CapacityBlockId", "CapacityReservationIds"],
    },
    Sign {
        kind: Kind::HostReservation,
        arrays: &["HostReservationSet", "hostReservationSet"],
        fields: &["HostReservationId", "HostIdSet"],
    },
    Sign {
        kind: Kind::DbInstance,
        arrays: &["ReservedDBInstances"],
        fields: &["ReservedDBInstanceId", "DBInstanceClass"],
    },
    Sign { kind: Kind::CacheNode, arrays: &["ReservedCacheNodes"], fields: &["ReservedCacheNodeId", "CacheNodeType"] },
    Sign { kind: Kind::WarehouseNode, arrays: &["ReservedNodes"], fields: &["ReservedNodeId", "NodeType"] },
    Sign { kind: Kind::MemoryNode, arrays: &["ReservedNodes"], fields: &["ReservationId", "NodeType"] },
    Sign {
        kind: Kind::NodeOffering,
        arrays: &["ReservedNodeOfferings"],
        fields: &["ReservedNodeOfferingId", "NodeType"],
    },
    Sign {
        kind: Kind::Modification,
        arrays: &["ReservedInstancesModifications", "reservedInstancesModifications"],
        fields: &["ReservedInstancesModificationId", "ReservedInstancesIds"],
    },
    Sign {
        kind: Kind::Throughput,
        arrays: &["provisionedModelSummaries"],
        fields: &["provisionedModelArn", "modelUnits"],
    },
    Sign { kind: Kind::Agreement, arrays: &["agreementViewSummaries"], fields: &["agreementId", "acceptanceTime"] },
    Sign { kind: Kind::ExchangeQuote, arrays: &[], fields: &["IsValidExchange", "ReservedInstanceValueSet"] },
];

impl Kind {
    /// Whether it speaks of a resource that another item shows.
    pub(super) fn joins(self) -> bool {
        matches!(
            self,
            Self::Listing
                | Self::ExchangeQuote
                | Self::CancellationQuote
                | Self::NodeOffering
                | Self::Modification
                | Self::CancellationEvent
                | Self::AdjustmentEvent
        )
    }

    /// What its items must have, in words.
    pub(super) fn expected(self) -> &'static str {
        match self {
            Self::SavingsPlan => "a Savings Plan with \"savingsPlanId\" and \"savingsPlanType\"",
            Self::ReservedInstance | Self::SearchInstance => {
                "a reservation with \"ReservedInstancesId\" and \"InstanceType\", or of OpenSearch with \"ReservedInstanceId\" and \"ReservationName\""
            }
            Self::Listing => "a listing with \"ReservedInstancesListingId\" and \"ReservedInstancesId\"",
            Self::CapacityReservation => "a reservation with \"CapacityReservationId\" and \"InstanceType\"",
            Self::CapacityBlock => "a block with \"CapacityBlockId\" and \"CapacityReservationIds\"",
            Self::HostReservation => "a reservation with \"HostReservationId\" and \"HostIdSet\"",
            Self::DbInstance => "a reservation with \"ReservedDBInstanceId\" and \"DBInstanceClass\"",
            Self::CacheNode => "a reservation with \"ReservedCacheNodeId\" and \"CacheNodeType\"",
            Self::WarehouseNode | Self::MemoryNode => {
                "a node with \"ReservedNodeId\" (Redshift) or \"ReservationId\" (MemoryDB) and \"NodeType\""
            }
            Self::NodeOffering => "an offering with \"ReservedNodeOfferingId\" and \"NodeType\"",
            Self::Modification => {
                "a modification with \"ReservedInstancesModificationId\" and \"ReservedInstancesIds\""
            }
            Self::Throughput => "a throughput with \"provisionedModelArn\" and \"modelUnits\"",
            Self::Agreement => "an agreement with \"agreementId\" and \"acceptanceTime\"",
            Self::ExchangeQuote | Self::CancellationQuote | Self::CancellationEvent | Self::AdjustmentEvent => {
                "an answer or event of AWS"
            }
        }
    }
}

/// An answer taken apart.
#[derive(Debug)]
pub(super) struct Sorted<'v> {
    /// What is listed, where the answer is a listing.
    pub(super) listing: Option<Kind>,
    /// The field that says that the listing goes on, where it does.
    pub(super) next: Option<&'static str>,
    /// The items, each with its kind where it can be told.
    pub(super) items: Vec<(Option<Kind>, Place<'v>)>,
}

/// Takes an answer apart; nothing where it is none of AWS.
pub(super) fn sort(json: &Value) -> Option<Sorted<'_>> {
    let root = Place::root(json);
    match json {
        Value::Object(_) => listing(&root).or_else(|| {
            let kind = single(&root)?;
            let item =
                if kind == Kind::CancellationQuote { get(&root, "CapacityReservationCancellationQuote") } else { root };
            Some(Sorted { listing: None, next: None, items: vec![(Some(kind), item)] })
        }),
        Value::Array(_) => {
            let items: Vec<_> = root.items().ok()?.into_iter().map(|item| (single(&item), item)).collect();
            items.iter().any(|(kind, _)| kind.is_some()).then_some(Sorted { listing: None, next: None, items })
        }
        _ => None,
    }
}

fn listing<'v>(root: &Place<'v>) -> Option<Sorted<'v>> {
    let signs: Vec<(&Sign, &'static str)> = SIGNS
        .iter()
        .filter_map(|sign| sign.arrays.iter().copied().find(|array| root.has(array)).map(|array| (sign, array)))
        .collect();
    let (first, array) = signs.first()?;
    let items = root.get(array).items().ok()?;
    let items: Vec<_> = items
        .into_iter()
        .map(|item| {
            let kind = signs.iter().find(|(sign, _)| has_all(&item, sign.fields)).map(|(sign, _)| sign.kind);
            (kind, item)
        })
        .collect();
    // A name that others use too counts only where an item bears the provider out.
    let own = items.is_empty() || items.iter().any(|(kind, _)| kind.is_some());
    let kind = items.iter().find_map(|(kind, _)| *kind).unwrap_or(first.kind);
    let next = ["nextToken", "NextToken", "Marker", "marker"]
        .into_iter()
        .find(|name| root.get(name).text().is_ok_and(|token| token.is_some()));
    own.then_some(Sorted { listing: Some(kind), next, items })
}

fn single(place: &Place<'_>) -> Option<Kind> {
    if get(place, "CapacityReservationCancellationQuote").value.is_some() {
        return Some(Kind::CancellationQuote);
    }
    if place.get("source").value.and_then(Value::as_str) == Some("aws.agreement-marketplace") {
        let detail = place.get("detail");
        return if detail.has("agreementCancellationRequest") {
            Some(Kind::CancellationEvent)
        } else if detail.has("billingAdjustmentRequest") {
            Some(Kind::AdjustmentEvent)
        } else {
            None
        };
    }
    SIGNS.iter().find(|sign| has_all(place, sign.fields)).map(|sign| sign.kind)
}

fn has_all(place: &Place<'_>, fields: &[&str]) -> bool {
    fields.iter().all(|field| get(place, field).value.is_some())
}
