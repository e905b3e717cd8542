//! The cases of this provider, and the laws of every adapter.

recoup_conformance::conformance!(recoup_digitalocean::Digitalocean, "digitalocean");
