//! Any bytes as a portfolio: recognised, read and every record of it understood or refused.
#![no_main]

use std::io::Cursor;

use libfuzzer_sys::fuzz_target;
use recoup_core::time::Zone;
use recoup_portfolio::read::{Opened, from_reader};

fuzz_target!(|bytes: &[u8]| {
    let Ok(Opened::Portfolio(mut portfolio)) = from_reader("fuzzed", Box::new(Cursor::new(bytes.to_vec()))) else {
        return;
    };
    while let Ok(Some(items)) = portfolio.next_chunk() {
        for item in items {
            let _ = item.read(&|_, _| Some(Zone::fixed_hours(8)));
        }
    }
});
