//! Packed files that are cut off: what stands before the cut is read, and then it is said.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::io::{Cursor, Read as _, Write as _};

use recoup_portfolio::read::{Block, Opened, from_reader};

fn records(count: usize, form: &str) -> String {
    // Numbers that look random, so that packing leaves something to be cut.
    let id = |number: usize| format!("{:016x}", (number as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15));
    let json = |number: usize| {
        format!(r#"{{"provider":"p","id":"{}","product":"vm","billing":"subscription","status":"active"}}"#, id(number))
    };
    let all = 0..count;
    match form {
        "lines" => all.map(|number| json(number) + "\n").collect(),
        "elements" => format!("[{}]", all.map(json).collect::<Vec<_>>().join(",")),
        _ => {
            let rows: String = all.map(|number| format!("p,{},vm,subscription,active\n", id(number))).collect();
            format!("provider,id,product,billing,status\n{rows}")
        }
    }
}

fn gzip(text: &str) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text.as_bytes()).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn what_stood_before_the_cut_of_a_packed_file_was_lost() {
    for (form, count) in
        ["lines", "elements", "rows"].into_iter().flat_map(|form| [40, 4_000, 40_000].map(|count| (form, count)))
    {
        let text = records(count, form);
        let mut packed = gzip(&text);
        packed.truncate(packed.len() * 6 / 10);
        let mut there = Vec::new();
        let _ = flate2::read::MultiGzDecoder::new(Cursor::new(&packed)).read_to_end(&mut there);
        let mark = if form == "rows" { "\n" } else { "\"active\"}" };
        let whole = String::from_utf8_lossy(&there).matches(mark).count() - usize::from(form == "rows");
        let mut portfolio = match from_reader("cut.gz", Box::new(Cursor::new(packed))) {
            Ok(Opened::Portfolio(portfolio)) => portfolio,
            other => panic!("{form} {count}: {other:?}"),
        };
        let mut read = 0;
        let error = loop {
            match portfolio.next_block() {
                Ok(Some(Block::Lines(lines))) => read += lines.each().count(),
                Ok(Some(Block::Table(table))) => read += table.rows.len(),
                Ok(Some(block)) => read += block.items().unwrap().len(),
                Ok(None) => panic!("{form} {count}: a cut file ended as if it were whole"),
                Err(error) => break error.to_string(),
            }
        };
        assert!(error.contains("cut off or damaged"), "{form} {count}: {error}");
        assert!(whole > 0 && read >= whole && read <= whole + 1, "{form} {count}: {read} of {whole}");
    }
}
