//! `recoup plugin list | check`.

use std::fs;
use std::path::Path;

use object::{Object, ObjectSymbol};
use recoup_core::context::Run;
use recoup_core::record::{OrderRecord, ResourceRecord};
use recoup_core::resource::Payment;
use recoup_core::time::{Instant, Span};
use recoup_core::vocab::{Billing, Instrument, OrderKind, OrderStatus, Status as ResourceStatus};
use recoup_plugin::Adapter;
use recoup_plugin::host::{MANIFEST_SUFFIX, Manifest, PluginDir, load};
use recoup_plugin::messages::FileText;
use recoup_plugin::session::check_answers;

use crate::cli::PluginCommand;
use crate::host::{Failure, Outcome, Status, plugin_folder, print, say};

pub(crate) fn plugin(folder: Option<&Path>, command: &PluginCommand) -> Outcome {
    match command {
        PluginCommand::List => list(folder),
        PluginCommand::Check { path } => check(path),
        PluginCommand::Seal { libraries, version } => seal(libraries, version),
    }
}

fn list(folder: Option<&Path>) -> Outcome {
    let plugins = PluginDir::open(&plugin_folder(folder)?).map_err(Failure::usage)?;
    let mut text = format!("{:<20} {:<10} {:<9} {:<16} {}\n", "provider", "version", "protocol", "platform", "library");
    let mut status = Status::Done;
    for manifest in plugins.manifests() {
        let library = plugins.folder().join(&manifest.library);
        let problem = plugins.adapter(&manifest.provider).err();
        let protocol = format!("{}.{}", manifest.abi_major, manifest.abi_minor);
        text.push_str(&format!(
            "{:<20} {:<10} {protocol:<9} {:<16} {}\n",
            manifest.provider,
            manifest.version,
            manifest.platform,
            library.display()
        ));
        if let Some(problem) = problem {
            text.push_str(&format!("{:<20} cannot be used: {problem}\n", ""));
            status = Status::BadInput;
        }
    }
    print(&text)?;
    for problem in plugins.problems() {
        say(problem);
        status = Status::BadInput;
    }
    Ok(status)
}

/// The manifest beside a library, or one made for the provider whose symbol the library exports.
fn manifest_of(path: &Path) -> Result<(Manifest, std::path::PathBuf), Failure> {
    let read =
        |path: &Path| fs::read(path).map_err(|error| Failure::input(format_args!("{}: {error}", path.display())));
    if path.to_string_lossy().ends_with(MANIFEST_SUFFIX) {
        let manifest: Manifest = serde_json::from_slice(&read(path)?)
            .map_err(|error| Failure::input(format_args!("{}: {error}", path.display())))?;
        let library = path.with_file_name(&manifest.library);
        return Ok((manifest, library));
    }
    let bytes = read(path)?;
    let file = object::File::parse(bytes.as_slice())
        .map_err(|error| Failure::input(format_args!("{}: not a library: {error}", path.display())))?;
    let exported = file.dynamic_symbols().filter_map(|symbol| symbol.name().ok().map(str::to_owned));
    let names: Vec<String> = exported
        .filter_map(|name| name.trim_start_matches('_').strip_prefix("recoup_adapter_").map(str::to_owned))
        .collect();
    let [name] = names.as_slice() else {
        return Err(Failure::input(format_args!(
            "{}: exports {} symbols that begin with \"recoup_adapter_\", expected one",
            path.display(),
            names.len()
        )));
    };
    let manifest = Manifest::for_library(&name.replace('_', "-"), path, "").map_err(Failure::input)?;
    Ok((manifest, path.to_path_buf()))
}

/// Writes a manifest beside each library. A library is vouched for by whoever seals it.
fn seal(libraries: &[std::path::PathBuf], version: &str) -> Outcome {
    for library in libraries {
        let (mut manifest, _) = manifest_of(library)?;
        manifest.version = version.to_owned();
        // Loading it shows that the manifest is true before anybody relies on it.
        let adapter = load(library, &manifest).map_err(Failure::input)?;
        manifest.provider = adapter.provider().to_owned();
        manifest.describe(adapter.policy());
        manifest.write(library.parent().unwrap_or(Path::new("."))).map_err(Failure::input)?;
    }
    Ok(Status::Done)
}

/// Resources that any adapter must answer about: of every billing and status, with as little and as much
/// as a record can say.
fn probes(provider: &str, at: Instant) -> Vec<ResourceRecord> {
    let mut probes = Vec::new();
    for billing in Billing::ALL {
        for status in ResourceStatus::ALL {
            let bare = ResourceRecord::new(provider, &format!("probe-{billing}-{status}"), "probe", *billing, *status);
            let mut full = bare.clone();
            full.id.push_str("-full");
            full.purchased_at = Some(at - Span::days(40));
            full.starts_at = full.purchased_at;
            full.ends_at = Some(at + Span::days(325));
            let mut order = OrderRecord::new(OrderKind::Purchase, OrderStatus::Paid);
            (order.starts_at, order.ends_at) = (full.starts_at, full.ends_at);
            order.currency = "USD".parse().ok();
            order.payments = "365.00"
                .parse()
                .ok()
                .map(|amount| vec![Payment { instrument: Instrument::Cash, amount, expires_at: None }]);
            full.orders = Some(vec![order]);
            probes.push(bare);
            probes.push(full);
        }
    }
    probes
}

fn check(path: &Path) -> Outcome {
    let (manifest, library) = manifest_of(path)?;
    let failed = |what: String| Failure { status: Status::CheckFailed, message: what };
    let adapter = load(&library, &manifest).map_err(|error| failed(error.to_string()))?;
    let mut lines = vec![format!(
        "{}: provider {}, protocol {}.{}",
        library.display(),
        manifest.provider,
        manifest.abi_major,
        manifest.abi_minor
    )];
    let policy = adapter.policy();
    lines.push(format!(
        "ok   policy: {} clauses, {} sources, {} sites",
        policy.clauses.len(),
        policy.sources.len(),
        policy.sites.len()
    ));
    lines.push(boundary(adapter.as_ref()).map_err(failed)?);
    let garbage = ["", "{", "[]", "{\"data\": 1}", "\u{0}", "a,b\n1,2\n"].map(|text| FileText::new("garbage", text));
    let claimed = adapter.recognise(&garbage).map_err(|error| failed(error.to_string()))?;
    if claimed.contains(&true) {
        return Err(failed("it claims files that no provider printed".to_owned()));
    }
    adapter.import(&garbage).map_err(|error| failed(error.to_string()))?;
    lines.push("ok   import: garbage is neither claimed nor a crash".to_owned());
    print(&(lines.join("\n") + "\n"))?;
    Ok(Status::Done)
}

/// Asks about every billing and status, twice, whole and one by one: the answers must be well-formed and
/// the same.
fn boundary(adapter: &dyn Adapter) -> Result<String, String> {
    let at = Instant::from_micros(1_767_225_600_000_000);
    let probes = probes(adapter.provider(), at);
    let session = adapter.open(&Run::at(at), None).map_err(|error| error.to_string())?;
    let ask = |resources: &[ResourceRecord]| -> Result<Vec<String>, String> {
        let batch = recoup_plugin::batch::resources(resources, None).map_err(|error| error.to_string())?;
        let answers = session.assess(batch).map_err(|error| error.to_string())?;
        let answers = check_answers(adapter.provider(), resources.len(), session.clauses(), &answers)
            .map_err(|error| error.to_string())?;
        (0..resources.len())
            .map(|row| answers.get(row).map(|answer| format!("{answer:?}")).map_err(|error| error.to_string()))
            .collect()
    };
    let together = ask(&probes)?;
    if ask(&probes)? != together {
        return Err("asked twice, it answers differently".to_owned());
    }
    for (probe, answer) in probes.iter().zip(&together) {
        if ask(std::slice::from_ref(probe))?.first() != Some(answer) {
            return Err(format!("{}: asked alone, it answers differently", probe.id));
        }
    }
    if !ask(&[])?.is_empty() {
        return Err("asked about nothing, it answers something".to_owned());
    }
    Ok(format!("ok   boundary: {} resources assessed, in one batch and one by one, alike", probes.len()))
}
