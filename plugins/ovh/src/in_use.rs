//! Ending a Hosted Private Cloud.

use recoup_core::prelude::*;

use crate::{clause, money};

/// It ends at once; the whole of each started month is due, and nothing comes back.
pub(crate) fn in_use<R: Resource>(resource: &R, cx: &Context<'_>, ruling: &mut Ruling<'_>) {
    ruling.cite(clause::PCC);
    money::settle_state(resource, ruling);
    ruling.channel(Channel::Console);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    money::all_consumed(clause::PCC, resource, cx, ruling);
}
