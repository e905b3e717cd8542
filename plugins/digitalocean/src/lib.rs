//! DigitalOcean: no refunds. What is metered ends when it is destroyed; credit stays for usage.
//!
//! Source: the pages named in `policy/provider.toml`. One file of rules for each exit.

mod import;
mod no_exit;

use recoup_core::import::{ImportFile, Imported};
use recoup_core::prelude::*;

recoup_core::include_policy!();

/// DigitalOcean's rules.
#[derive(Debug, Default)]
pub struct Digitalocean;

impl Provider for Digitalocean {
    const POLICY: &'static str = POLICY;

    fn assess<R: Resource>(resource: &R, cx: &Context<'_>, out: &mut Assessment) {
        out.exit(cx, Exit::None, |ruling| no_exit::no_exit(resource, cx, ruling));
    }

    fn recognises(file: &ImportFile<'_>) -> bool {
        import::recognises(file)
    }

    fn import(files: &[ImportFile<'_>]) -> Imported {
        import::import(files)
    }
}

recoup_plugin::export_provider!(Digitalocean, "recoup_adapter_digitalocean");
