//! Removing a prepaid service, as it was until 2019-04-08.

use recoup_core::prelude::*;

use crate::clause;

/// The prorated month came back as service credit; how it was prorated is not known.
pub(crate) fn in_use(ruling: &mut Ruling<'_>) {
    ruling.no_figure(clause::PREPAID, Reason::RuleUnknown, None);
    ruling.effects(&[Effect::Irreversible, Effect::DataDeleted]);
    ruling.channel(Channel::Console);
}
