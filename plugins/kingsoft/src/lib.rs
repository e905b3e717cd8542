//! Kingsoft Cloud: a monthly server runs to its end; of everything else prepaid no rule is known.
//!
//! Source: the pages named in `policy/provider.toml`.

mod no_exit;

use recoup_core::prelude::*;

recoup_core::include_policy!();

/// Kingsoft Cloud's rules.
#[derive(Debug, Default)]
pub struct Kingsoft;

impl Provider for Kingsoft {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        out.exit(cx, Exit::None, |ruling| no_exit::no_exit(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Kingsoft, "recoup_adapter_kingsoft");
