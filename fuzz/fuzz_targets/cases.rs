//! Any text as a case file, judged against any assessment.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recoup_core::conformance::{Case, bitten};
use recoup_core::time::Zone;

fuzz_target!(|bytes: &[u8]| {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(cases) = Case::read_all(text) else { return };
    for case in &cases {
        let _ = case.run(&|_, _| Some(Zone::fixed_hours(8)));
        let expected = case.json.get("expect").cloned().unwrap_or_default();
        // Against itself, against the case around it, and against the next one's.
        let _ = case.differences(&expected);
        let _ = case.differences(&case.json);
        for other in &cases {
            let _ = case.differences(other.json.get("expect").unwrap_or(&case.json));
        }
        let _ = bitten(&expected);
    }
});
