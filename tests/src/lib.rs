//! What the tests across the workspace share: the adapters linked in, the program built and installed,
//! the cases.

pub mod differential;
pub mod docs;
pub mod reference;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, OnceLock};

use recoup_core::conformance::Case;
use recoup_plugin::{Adapter, Linked};

/// The workspace's folder.
#[must_use]
pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Calls a macro with the types of all adapters of the workspace.
#[macro_export]
macro_rules! with_adapters {
    ($callback:ident) => {
        $callback![
            recoup_alibaba::Alibaba,
            recoup_aws::Aws,
            recoup_azure::Azure,
            recoup_baidu::Baidu,
            recoup_ctyun::Ctyun,
            recoup_digitalocean::Digitalocean,
            recoup_gcp::Gcp,
            recoup_hetzner::Hetzner,
            recoup_huawei::Huawei,
            recoup_ibm::Ibm,
            recoup_jd::Jd,
            recoup_kingsoft::Kingsoft,
            recoup_linode::Linode,
            recoup_microsoft_partner::MicrosoftPartner,
            recoup_oracle::Oracle,
            recoup_ovh::Ovh,
            recoup_scaleway::Scaleway,
            recoup_tencent::Tencent,
            recoup_ucloud::Ucloud,
            recoup_volcengine::Volcengine,
            recoup_vultr::Vultr,
        ]
    };
}

/// Every adapter of the workspace, linked in.
///
/// # Panics
/// Where an adapter's policy is malformed.
#[must_use]
#[allow(clippy::expect_used, reason = "a test fails by panicking")]
pub fn linked() -> Vec<Arc<dyn Adapter>> {
    macro_rules! adapters {
        ($($provider:ty),+ $(,)?) => { vec![$(Arc::new(Linked::<$provider>::new().expect(stringify!($provider))) as Arc<dyn Adapter>),+] };
    }
    with_adapters!(adapters)
}

/// A folder with the program and its adapters: the one named by `RECOUP_DIST`, else built now.
///
/// # Panics
/// Where it cannot be built.
#[must_use]
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn dist() -> &'static Path {
    static DIST: OnceLock<PathBuf> = OnceLock::new();
    DIST.get_or_init(|| {
        if let Some(named) = std::env::var_os("RECOUP_DIST") {
            return PathBuf::from(named);
        }
        let out = root().join("target/test-dist");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let built = Command::new(cargo)
            .current_dir(root())
            .args(["run", "--quiet", "--package", "xtask", "--", "dist", "--profile", "dev", "--out"])
            .arg(&out)
            .status();
        match built {
            Ok(status) if status.success() => out,
            other => panic!("the program could not be built: {other:?}"),
        }
    })
}

/// A folder in memory where there is one, for stores whose durability is not what a test is about: thousands
/// of small commits wait for no disk there.
#[must_use]
pub fn quick_folder() -> PathBuf {
    let memory = Path::new("/dev/shm");
    if memory.is_dir() { memory.to_path_buf() } else { std::env::temp_dir() }
}

/// The cases of a provider.
///
/// # Panics
/// Where they cannot be read.
#[must_use]
#[allow(clippy::panic, reason = "a test fails by panicking")]
pub fn cases(provider: &str) -> Vec<Case> {
    let folder = root().join("fixtures").join(provider).join("cases");
    recoup_conformance::read_cases(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
}
