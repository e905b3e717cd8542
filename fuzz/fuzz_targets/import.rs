//! Any bytes as payloads of each provider; the seeds are the payloads under `fixtures/`.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recoup_core::adapter::Provider;
use recoup_plugin::messages::{FileText, imported_from_json, imported_to_json};

fn import<P: Provider>(files: &[FileText]) {
    let views: Vec<_> = files.iter().map(FileText::view).collect();
    for view in &views {
        let _ = P::recognises(view);
    }
    let imported = P::import(&views);
    // What an importer makes must survive the way to the host.
    let received = imported_from_json(&imported_to_json(&imported), &|_, _| None);
    assert!(received.resources.len() <= imported.resources.len());
}

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    // A form feed stands between files that are read together.
    let files: Vec<FileText> =
        text.split('\u{c}').take(4).enumerate().map(|(n, text)| FileText::new(format!("{n}.json"), text)).collect();
    import::<recoup_huawei::Huawei>(&files);
    import::<recoup_alibaba::Alibaba>(&files);
});
