//! Any JSON as a record; what is understood is written and read again unchanged.
#![no_main]

use libfuzzer_sys::fuzz_target;
use recoup_core::record::{AccountRecord, Facts, ResourceRecord};
use recoup_core::time::Zone;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice(bytes) else { return };
    let zone_of = |_: &str, _: Option<&str>| Some(Zone::fixed_hours(8));
    if let Ok(read) = ResourceRecord::from_json(&json, &zone_of) {
        let again = ResourceRecord::from_json(&read.record.to_json(Zone::UTC), &zone_of).expect("what was written");
        assert_eq!(again.record, read.record);
    }
    if let Ok(read) = AccountRecord::from_json(&json, &zone_of) {
        let again = AccountRecord::from_json(&read.record.to_json(Zone::UTC), &zone_of).expect("what was written");
        assert_eq!(again.record, read.record);
    }
    if let Ok(read) = Facts::from_json(&json, Zone::UTC) {
        let again = Facts::from_json(&read.record.to_json(Zone::UTC), Zone::UTC).expect("what was written");
        assert_eq!(again.record, read.record);
    }
});
