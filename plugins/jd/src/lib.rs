//! JD Cloud: a monthly VM runs to its end; of everything else prepaid no rule is known.
//!
//! Source: the pages named in `policy/provider.toml`.

mod no_exit;

use recoup_core::prelude::*;

recoup_core::include_policy!();

/// JD Cloud's rules.
#[derive(Debug, Default)]
pub struct Jd;

impl Provider for Jd {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        out.exit(cx, Exit::None, |ruling| no_exit::no_exit(resource, cx, ruling));
    }
}

recoup_plugin::export_provider!(Jd, "recoup_adapter_jd");
