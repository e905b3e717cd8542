//! Cancelling a Classic device at once.

use recoup_core::prelude::*;

use crate::{clause, terms};

/// The device goes at once and for good; the month's fee is kept, from the first hour on.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.refuse_as(clause::ITEMS_IRREVERSIBLE, Reason::Expired, resource.status() == Status::Expired);
    ruling.refuse_as(clause::ITEMS_IRREVERSIBLE, Reason::NotActive, resource.status() == Status::Released);
    ruling.cite(clause::CLASSIC_CANCEL);
    terms::nothing_back(clause::CLASSIC_CANCEL, resource, cx, ruling);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(Channel::Console);
}
