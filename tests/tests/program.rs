//! The program end to end, as its user meets it: right and wrong flags, good, broken and huge files.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use recoup_tests::dist;
use serde_json::{Value, json};

fn recoup(args: &[&str]) -> Output {
    Command::new(dist().join("recoup")).args(args).output().unwrap()
}

fn out(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn err(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

fn record(id: &str) -> Value {
    json!({"provider": "hetzner", "id": id, "name": "räksmörgås <b>", "product": "konsoleh", "billing": "subscription", "status": "active",
        "starts_at": "2026-01-01", "facts": {"auto_renew": true},
        "orders": [{"kind": "purchase", "status": "paid", "currency": "EUR", "payments": [{"instrument": "card", "amount": "19.90"}]}]})
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) -> String {
        let path = self.0.path().join(name);
        fs::write(&path, text).unwrap();
        path.to_string_lossy().into_owned()
    }

    fn path(&self, name: &str) -> String {
        self.0.path().join(name).to_string_lossy().into_owned()
    }
}

fn ndjson(records: &[Value]) -> String {
    records.iter().map(|record| format!("{record}\n")).collect()
}

const AT: [&str; 2] = ["--at", "2026-05-17T12:00:00Z"];

fn assess(file: &str, more: &[&str]) -> Output {
    recoup(&[&["assess", file][..], &AT, more].concat())
}

#[test]
fn a_wrong_command_line_is_said_and_exits_2() {
    let folder = Folder::new();
    let file = folder.write("p.ndjson", ndjson(&[record("a")]));
    for (args, expected) in [
        (vec![], "Usage"),
        (vec!["asses"], "unrecognized subcommand"),
        (vec!["assess"], "required"),
        (vec!["assess", &file, "--formt", "json"], "--format"),
        (vec!["assess", &file, "--format", "xml"], "possible values"),
        (vec!["assess", &file, "--at", "yesterday"], "is not an instant"),
        (vec!["assess", &file, "--at", "2026-02-30"], "expected a date"),
        (vec!["assess", &file, "--edition", "2026"], "expected a date"),
        (vec!["assess", &file, "--assume", "promotion"], "expected FACT=VALUE"),
        (vec!["assess", &file, "--assume", "promotoin=false"], "did you mean \"promotion\"?"),
        (vec!["assess", &file, "--assume", "promotion=perhaps"], "expected true, false or null"),
        (vec!["assess", &file, "--provider", "acme"], "no adapter serves the provider \"acme\""),
        (vec!["assess", &file, "--threads", "0"], "0 is not in"),
        (vec!["assess", &file, "--plugins", "/nowhere"], "the folder of adapters /nowhere cannot be read"),
        (vec!["assess", "-", "-"], "standard input can be read only once"),
        (vec!["policy", "show", "acme"], "no adapter serves the provider \"acme\""),
    ] {
        let output = recoup(&args);
        assert_eq!(code(&output), 2, "{args:?}: {}", err(&output));
        assert!(err(&output).contains(expected), "{args:?}: {}", err(&output));
        assert!(out(&output).is_empty(), "{args:?}");
    }
}

#[test]
fn a_file_that_cannot_be_read_is_said_and_exits_3() {
    let folder = Folder::new();
    for (name, text, expected) in [
        ("empty.json", &b""[..], "the file is empty"),
        ("blank.ndjson", b"\n \n\t\n", "the file is empty"),
        ("noise.bin", &[0x00, 0xFF, 0x80, 0x01][..], "neither JSON, nor CSV"),
        ("prose.txt", b"Dear sirs,\nplease refund", "neither JSON, nor CSV"),
        ("cut.json", b"{\n \"data\": [\n  {\"id\": 1},\n  {\"id\"", "cut.json:4: the JSON ends before it should"),
        ("broken.json", b"{\n \"data\": [1,,2]\n}", "broken.json:2: not JSON"),
        (
            "foreign.json",
            b"{\"hello\": \"world\"}",
            "neither a portfolio nor a payload that an installed adapter recognises",
        ),
        ("cut.parquet", b"PAR1 and no more", "not whole Parquet"),
        ("latin.json", b"{\n\"name\": \"caf\xE9\"}", "latin.json:2: the text is not UTF-8"),
    ] {
        let output = assess(&folder.write(name, text), &[]);
        assert_eq!(code(&output), 3, "{name}: {}", err(&output));
        assert!(err(&output).contains(expected), "{name}: {}", err(&output));
    }
    let output = assess(&folder.path("none.ndjson"), &[]);
    assert!(code(&output) == 3 && err(&output).contains("none.ndjson: No such file"), "{}", err(&output));
    let output = assess(&folder.path(""), &[]);
    assert!(code(&output) == 3 && err(&output).contains("is a folder"), "{}", err(&output));
}

#[test]
fn bad_records_are_each_said_with_their_line_and_good_ones_assessed() {
    let folder = Folder::new();
    let with = |id: &str, change: &dyn Fn(&mut Value)| {
        let mut record = record(id);
        change(&mut record);
        record.to_string()
    };
    let lines = [
        record("good-1").to_string(),
        "{\"provider\": \"hetzner\", ".to_owned(),
        with("no-id", &|r| drop(r.as_object_mut().unwrap().remove("id"))),
        with("ends", &|r| r["ends_at"] = "2025-01-01".into()),
        with("negative", &|r| r["orders"][0]["payments"][0]["amount"] = "-1".into()),
        with("currency", &|r| r["orders"][0]["currency"] = "EURO".into()),
        with("enum", &|r| r["status"] = "actve".into()),
        with("huge", &|r| r["orders"][0]["payments"][0]["amount"] = "1e30".into()),
        with("date", &|r| r["starts_at"] = "99999-01-01T00:00:00Z".into()),
        with("no-offset", &|r| r["starts_at"] = "2026-01-01T00:00:00".into()),
        with("acme", &|r| r["provider"] = "acme".into()),
        with("site", &|r| r["site"] = "moon".into()),
        record("good-1").to_string(),
        with("sum", &|r| r["orders"][0]["due"] = "20.00".into()),
        "[1, 2]".to_owned(),
        "null".to_owned(),
        with("good-2", &|r| r["colour"] = "red".into()),
    ];
    let output = assess(&folder.write("p.ndjson", lines.join("\n")), &[]);
    assert_eq!(code(&output), 3);
    let ids: Vec<String> = out(&output)
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["resource"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(ids, ["good-1", "good-2"]);
    let said = err(&output);
    for expected in [
        "p.ndjson:2: not JSON",
        "p.ndjson:3: \"id\": is missing",
        "p.ndjson:4: \"ends_at\" is before \"starts_at\"",
        "p.ndjson:5: \"orders[0].payments[0].amount\": -1.00 is negative",
        "p.ndjson:6: \"orders[0].currency\": \"EURO\" is not a currency code",
        "p.ndjson:7: \"status\": \"actve\" is not a known status, did you mean \"active\"?",
        "p.ndjson:8: \"orders[0].payments[0].amount\": 1e30 is too large",
        "p.ndjson:9: \"starts_at\": \"99999-01-01T00:00:00Z\" is not an instant",
        "p.ndjson:10: \"starts_at\": \"2026-01-01T00:00:00\" is not an instant",
        "p.ndjson:11: acme: \"provider\": no adapter serves the provider \"acme\"",
        "p.ndjson:12: site: \"site\": \"moon\" is not a site of hetzner, expected one of global",
        "p.ndjson:13: good-1: a resource of this provider, site, account and id was there before",
        "p.ndjson:14: \"orders[0].payments\": add up to 19.90, but \"due\" is 20.00",
        "p.ndjson:15: expected an object, found an array",
        "p.ndjson:16: expected an object, found null",
        "p.ndjson:17: warning: field \"colour\" is not understood",
        "15 record(s) could not be read or assessed, 2 could",
    ] {
        assert!(said.contains(expected), "{expected:?} is not in\n{said}");
    }
}

#[test]
fn a_payload_whose_first_line_opens_a_list_is_not_taken_for_lines() {
    let folder = Folder::new();
    let payload = "{\"items\": [\n  {\"id\": 1},\n  {\"id\": 2}\n]}\n";
    let output = assess(&folder.write("listing.json", payload), &[]);
    assert_eq!(code(&output), 3);
    assert!(err(&output).contains("neither a portfolio nor a payload"), "{}", err(&output));
}

#[test]
fn a_line_of_many_megabytes_is_said_and_passed_over() {
    let folder = Folder::new();
    let mut text = ndjson(&[record("a")]).into_bytes();
    text.extend_from_slice(b"{\"provider\": \"");
    text.extend(std::iter::repeat_n(b'x', 40 * 1024 * 1024));
    text.extend_from_slice(b"\"}\n");
    text.extend_from_slice(ndjson(&[record("b")]).as_bytes());
    let output = assess(&folder.write("long.ndjson", text), &[]);
    assert_eq!((code(&output), out(&output).lines().count()), (3, 2), "{}", err(&output));
    assert!(err(&output).contains("long.ndjson:2: the line is longer than 16777216 bytes"), "{}", err(&output));
}

#[test]
fn every_form_of_a_portfolio_gives_the_same_answer() {
    let folder = Folder::new();
    let records = [record("a"), record("b")];
    let expected = out(&assess(&folder.write("p.ndjson", ndjson(&records)), &[]));
    assert_eq!(expected.lines().count(), 2);
    let array = serde_json::to_string_pretty(&records).unwrap();
    let csv = records.iter().fold(
        "provider,id,name,product,billing,status,starts_at,facts.auto_renew,orders\n".to_owned(),
        |csv, record| {
            let orders = record["orders"].to_string().replace('"', "\"\"");
            csv + &format!(
                "hetzner,{},räksmörgås <b>,konsoleh,subscription,active,2026-01-01,true,\"{orders}\"\n",
                record["id"].as_str().unwrap()
            )
        },
    );
    let parquet = folder.path("p.parquet");
    write_parquet(Path::new(&parquet), &records);
    for file in [folder.write("p.json", array), folder.write("p.csv", csv), parquet] {
        let output = assess(&file, &[]);
        assert_eq!((code(&output), out(&output)), (0, expected.clone()), "{file}: {}", err(&output));
    }
    let one = assess(&folder.write("one.json", serde_json::to_string_pretty(&records[0]).unwrap()), &[]);
    assert_eq!(out(&one).lines().next(), expected.lines().next());
    let mut child = Command::new(dist().join("recoup"))
        .args(["assess", "-"])
        .args(AT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(ndjson(&records).as_bytes()).unwrap();
    assert_eq!(out(&child.wait_with_output().unwrap()), expected);
}

/// Nested columns, as FORMATS.md says: a list of structs for the orders, a struct for the facts.
fn write_parquet(path: &Path, records: &[Value]) {
    use std::sync::Arc;

    use arrow_array::{Array, ArrayRef, BooleanArray, ListArray, RecordBatch, StringArray, StructArray};

    let text = |get: &dyn Fn(&Value) -> Value| -> ArrayRef {
        Arc::new(records.iter().map(|record| get(record).as_str().map(str::to_owned)).collect::<StringArray>())
    };
    let field = |name: &str, array: &ArrayRef| Arc::new(arrow_schema_field(name, array));
    let payment: Vec<(&str, ArrayRef)> = vec![
        ("instrument", text(&|r| r["orders"][0]["payments"][0]["instrument"].clone())),
        ("amount", text(&|r| r["orders"][0]["payments"][0]["amount"].clone())),
    ];
    let list = |items: StructArray| -> ArrayRef {
        let field = Arc::new(arrow_schema_field("item", &(Arc::new(items.clone()) as ArrayRef)));
        let offsets = arrow_array::types::Int32Type::default_offsets(records.len());
        Arc::new(ListArray::new(field, offsets, Arc::new(items), None))
    };
    let structure = |columns: Vec<(&str, ArrayRef)>| {
        StructArray::from(columns.into_iter().map(|(name, array)| (field(name, &array), array)).collect::<Vec<_>>())
    };
    let payments = list(structure(payment));
    let order: Vec<(&str, ArrayRef)> = vec![
        ("kind", text(&|r| r["orders"][0]["kind"].clone())),
        ("status", text(&|r| r["orders"][0]["status"].clone())),
        ("currency", text(&|r| r["orders"][0]["currency"].clone())),
        ("payments", payments),
    ];
    let facts: Vec<(&str, ArrayRef)> = vec![("auto_renew", Arc::new(BooleanArray::from(vec![true; records.len()])))];
    let mut columns: Vec<(&str, ArrayRef)> = ["provider", "id", "name", "product", "billing", "status", "starts_at"]
        .into_iter()
        .map(|name| (name, text(&|r| r[name].clone())))
        .collect();
    columns.push(("orders", list(structure(order))));
    columns.push(("facts", Arc::new(structure(facts))));
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer =
        parquet::arrow::ArrowWriter::try_new(fs::File::create(path).unwrap(), batch.schema(), None).unwrap();
    writer.write(&batch).unwrap();
    writer.close().unwrap();
    assert!(batch.column(0).len() == records.len());
}

fn arrow_schema_field(name: &str, array: &arrow_array::ArrayRef) -> arrow_schema::Field {
    arrow_schema::Field::new(name, array.data_type().clone(), true)
}

/// Lists of one item each.
trait DefaultOffsets {
    fn default_offsets(rows: usize) -> arrow_buffer::OffsetBuffer<i32>;
}

impl DefaultOffsets for arrow_array::types::Int32Type {
    fn default_offsets(rows: usize) -> arrow_buffer::OffsetBuffer<i32> {
        arrow_buffer::OffsetBuffer::from_lengths(std::iter::repeat_n(1, rows))
    }
}

#[test]
fn every_format_of_an_answer_says_the_same() {
    let folder = Folder::new();
    let file = folder.write("p.ndjson", ndjson(&[record("a"), record("b")]));
    let lines: Vec<Value> =
        out(&assess(&file, &["--format", "ndjson"])).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let array: Vec<Value> = serde_json::from_str(&out(&assess(&file, &["--format", "json"]))).unwrap();
    assert_eq!(lines, array);
    let csv = out(&assess(&file, &["--format", "csv"]));
    assert_eq!(csv.lines().count(), 3);
    let html = out(&assess(&file, &["--format", "html"]));
    assert!(html.contains("räksmörgås &lt;b&gt;") && !html.contains("<b>") && !html.contains("http-equiv=\"refresh\""));
    for format in ["table", "markdown"] {
        let text = out(&assess(&file, &["--format", format]));
        assert!(text.contains("2 resources: 0 allowed, 0 conditional, 2 refused"), "{text}");
        assert!(!text.contains('\u{1b}'), "no colour where there is no terminal");
    }
    let parquet = folder.path("out.parquet");
    let output = assess(&file, &["-o", &parquet]);
    assert_eq!((code(&output), out(&output).as_str()), (0, ""), "{}", err(&output));
    let reader =
        parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(fs::File::open(&parquet).unwrap())
            .unwrap()
            .build()
            .unwrap();
    assert_eq!(reader.map(|batch| batch.unwrap().num_rows()).sum::<usize>(), 2);
    // By the name of the file, and whole or not at all.
    let html_file = folder.path("out.html");
    assert_eq!(code(&assess(&file, &["-o", &html_file])), 0);
    assert_eq!(fs::read_to_string(&html_file).unwrap(), html);
    assert!(
        fs::read_dir(folder.0.path()).unwrap().all(|entry| !entry
            .unwrap()
            .file_name()
            .to_string_lossy()
            .ends_with(".part"))
    );
}

#[test]
fn threads_do_not_change_what_is_written() {
    let folder = Folder::new();
    let records: Vec<Value> = (0..20_000).map(|index| record(&format!("r-{index}"))).collect();
    let file = folder.write("many.ndjson", ndjson(&records));
    let one = assess(&file, &["--threads", "1"]);
    let four = assess(&file, &["--threads", "4"]);
    assert_eq!((code(&one), out(&one).lines().count()), (0, 20_000), "{}", err(&one));
    assert!(one.stdout == four.stdout);
}

#[test]
fn a_closed_pipe_is_no_error() {
    let folder = Folder::new();
    let records: Vec<Value> = (0..20_000).map(|index| record(&format!("r-{index}"))).collect();
    let file = folder.write("many.ndjson", ndjson(&records));
    let mut child = Command::new(dist().join("recoup"))
        .args(["assess", &file])
        .args(AT)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = [0_u8; 64];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), err(&output).as_str()), (0, ""));
}

#[test]
fn assumptions_fill_what_is_unknown_and_nothing_else() {
    let folder = Folder::new();
    let mut unknown = record("a");
    unknown["orders"] = Value::Null;
    let file = folder.write("p.ndjson", ndjson(&[unknown]));
    let answer: Value = serde_json::from_str(&out(&assess(&file, &[]))).unwrap();
    assert_eq!(answer["exits"][0]["unknowns"][0]["fact"], "orders");
    assert_eq!(answer["exits"][0]["refund"], Value::Null);
}

#[test]
fn one_resource_is_explained_clause_by_clause() {
    let folder = Folder::new();
    let file = folder.write("p.ndjson", ndjson(&[record("a"), record("b")]));
    let text = out(&recoup(&[&["explain", &file, "--id", "b"][..], &AT].concat()));
    for expected in [
        "stop renewal: allowed",
        "hz.cancel.30d-eom",
        "30 days to the end of the month",
        "https://docs.hetzner.com/general/general-terms-and-conditions/30-days-to-the-end-of-the-month",
        "2024-06-12",
        "19.90",
    ] {
        assert!(text.contains(expected), "{expected:?} is not in\n{text}");
    }
    let json: Vec<Value> =
        serde_json::from_str(&out(&recoup(&[&["explain", &file, "--id", "b", "--format", "json"][..], &AT].concat())))
            .unwrap();
    assert!(json[0]["exits"][0]["steps"].as_array().is_some_and(|steps| !steps.is_empty()));
    let none = recoup(&[&["explain", &file, "--id", "c"][..], &AT].concat());
    assert!(code(&none) == 3 && err(&none).contains("no resource with the id \"c\""), "{}", err(&none));
}

#[test]
fn policies_plugins_completions_and_the_man_page_are_shown() {
    let list = out(&recoup(&["policy", "list"]));
    assert!(list.contains("hetzner") && list.contains("huawei"));
    let show = out(&recoup(&["policy", "show", "hetzner"]));
    assert!(show.contains("hz.cancel.30d-eom") && show.contains("https://docs.hetzner.com"));
    let diff = recoup(&["policy", "diff", "hetzner", "2019-01-01", "2024-06-12"]);
    assert!(out(&diff).contains("hz.cancel.before-2020"), "{}{}", out(&diff), err(&diff));
    let plugins = recoup(&["plugin", "list"]);
    assert!(code(&plugins) == 0 && out(&plugins).contains("hetzner"));
    assert!(out(&recoup(&["completions", "bash"])).contains("recoup"));
    assert!(out(&recoup(&["man"])).contains(".TH recoup"));
    for provider in fs::read_dir(recoup_tests::root().join("plugins")).unwrap() {
        let name = provider.unwrap().file_name().to_string_lossy().into_owned();
        let checked = recoup(&[
            "plugin",
            "check",
            &dist().join("plugins").join(format!("{name}.adapter.json")).to_string_lossy(),
        ]);
        assert_eq!(code(&checked), 0, "{name}: {}{}", out(&checked), err(&checked));
    }
}

#[test]
fn a_failing_case_exits_1_and_says_in_what_it_differs() {
    let folder = Folder::new();
    let case = json!([{"id": "wrong", "at": AT[1], "resource": record("a"), "expect": {"outcome": "allowed", "exits": [{"exit": "stop_renewal", "refund": {"paid": "1.00"}}]}}]);
    let output = recoup(&["check", &folder.write("cases.json", case.to_string())]);
    assert_eq!(code(&output), 1);
    for expected in [
        "FAILED wrong",
        "outcome: expected \"allowed\", found \"refused\"",
        "refund.paid: expected \"1.00\", found \"19.90\"",
        "0 passed, 1 failed",
    ] {
        assert!(out(&output).contains(expected), "{}", out(&output));
    }
    assert_eq!(code(&recoup(&["check", &folder.write("broken.json", "[")])), 3);
}

#[test]
fn the_program_runs_from_any_folder_and_opens_only_the_libraries_it_needs() {
    let folder = Folder::new();
    let file = folder.write("p.ndjson", ndjson(&[record("a")]));
    let copy: PathBuf = folder.0.path().join("installed");
    fs::create_dir_all(copy.join("plugins")).unwrap();
    fs::copy(dist().join("recoup"), copy.join("recoup")).unwrap();
    for entry in fs::read_dir(dist().join("plugins")).unwrap() {
        let path = entry.unwrap().path();
        fs::copy(&path, copy.join("plugins").join(path.file_name().unwrap())).unwrap();
    }
    // A library that would not load is never touched while nobody needs it.
    let other = fs::read_dir(copy.join("plugins"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.to_string_lossy().contains("huawei.so"));
    if let Some(other) = other {
        fs::write(other, "not a library").unwrap();
    }
    let output = Command::new(copy.join("recoup")).current_dir("/").args(["assess", &file]).args(AT).output().unwrap();
    assert_eq!((code(&output), out(&output).lines().count()), (0, 1), "{}", err(&output));
}

#[test]
fn packed_files_are_read_and_written_by_what_they_are_and_are_named() {
    let folder = Folder::new();
    let records = [record("a"), record("b")];
    let plain = folder.write("p.ndjson", ndjson(&records));
    let expected = out(&assess(&plain, &[]));
    let (gzip, zstd) = (folder.path("p.ndjson.gz"), folder.path("p.ndjson.zst"));
    let mut encoder = flate2::write::GzEncoder::new(fs::File::create(&gzip).unwrap(), flate2::Compression::fast());
    encoder.write_all(ndjson(&records).as_bytes()).unwrap();
    encoder.finish().unwrap();
    fs::write(&zstd, zstd::encode_all(ndjson(&records).as_bytes(), 1).unwrap()).unwrap();
    for file in [&gzip, &zstd] {
        assert_eq!(out(&assess(file, &[])), expected, "{file}");
    }
    // What comes out is named by what is packed.
    for (name, unpack) in [
        ("o.ndjson.gz", (|bytes| std::io::read_to_string(flate2::read::GzDecoder::new(bytes))) as fn(&[u8]) -> _),
        ("o.ndjson.zst", |bytes| zstd::decode_all(bytes).map(|text| String::from_utf8(text).unwrap())),
    ] {
        let output = folder.path(name);
        assert_eq!(code(&assess(&plain, &["-o", &output])), 0);
        assert_eq!(unpack(&fs::read(&output).unwrap()).unwrap(), expected, "{name}");
    }
    // What stands before a cut is answered, and the cut is said.
    let cut = fs::read(&gzip).unwrap();
    let output = assess(&folder.write("cut.ndjson.gz", &cut[..cut.len() - 9]), &[]);
    assert_eq!((code(&output), out(&output)), (3, expected));
    assert!(err(&output).contains("cut.ndjson.gz: "), "{}", err(&output));
}

#[test]
fn a_pattern_means_the_files_that_have_such_a_name() {
    let folder = Folder::new();
    let parts = [("b.ndjson", "2"), ("a.ndjson", "1"), ("c.json", "3")];
    for (name, id) in parts {
        folder.write(name, ndjson(&[record(id)]));
    }
    let ids = |text: &str| -> Vec<String> {
        let lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
        lines.map(|line| line["resource"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(&out(&assess(&folder.path("*.ndjson"), &[]))), ["1", "2"]);
    let nothing = assess(&folder.path("*.csv"), &[]);
    assert_eq!(code(&nothing), 3);
    assert!(err(&nothing).contains("no file has such a name"), "{}", err(&nothing));
    // A file may be called like a pattern.
    let odd = folder.write("[a].ndjson", ndjson(&[record("odd")]));
    assert_eq!(ids(&out(&assess(&odd, &[]))), ["odd"]);
}

/// Feeds records to a child until it takes no more.
#[cfg(unix)]
fn feed(child: &mut std::process::Child, mut records: impl Iterator<Item = String> + Send + 'static) {
    let mut input = child.stdin.take().unwrap();
    std::thread::spawn(move || while records.next().is_some_and(|line| input.write_all(line.as_bytes()).is_ok()) {});
}

/// A command that Ctrl-C reaches though the tests were started in a background where it is ignored, which a process
/// inherits and rightly leaves as it is.
#[cfg(unix)]
fn interruptible(program: &Path) -> Command {
    const DEFAULT: &str = "--default-signal=INT";
    let resets = Command::new("env").args([DEFAULT, "true"]).output().is_ok_and(|output| output.status.success());
    if !resets {
        return Command::new(program);
    }
    let mut command = Command::new("env");
    command.arg(DEFAULT).arg(program);
    command
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_whole_lines_and_says_how_far_it_came() {
    let folder = Folder::new();
    let output = folder.path("out.ndjson");
    let mut child = interruptible(&dist().join("recoup"))
        .args(["assess", "-", "-o", &output])
        .args(AT)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // It ends only where nothing else ends it, so that a signal that was lost fails the test and does not hang it.
    let end = std::time::Instant::now() + std::time::Duration::from_secs(300);
    let records = (0..).map(|number| format!("{}\n", record(&format!("r-{number}"))));
    feed(&mut child, records.take_while(move |_| std::time::Instant::now() < end));
    // The first part is written to a file that has no name of its own yet.
    let begun =
        || fs::read_dir(folder.0.path()).unwrap().any(|entry| entry.unwrap().metadata().unwrap().len() > 100_000);
    while !begun() {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let said = child.wait_with_output().unwrap();
    assert_eq!(said.status.code(), Some(130), "{}", err(&said));
    assert!(!Path::new(&output).exists(), "what is not whole does not have the name of the whole");
    let written = fs::read_to_string(folder.path("out.ndjson.part")).unwrap();
    let whole: Vec<Value> = written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let count = whole.len();
    assert!(written.ends_with("}\n"));
    assert!(
        err(&said).contains(&format!("stopped: {count} resource(s) were assessed and stand in ")),
        "{}",
        err(&said)
    );
}

/// A gigabyte goes through a process that may have half of that, code, stacks and reserves of its allocator
/// included.
#[cfg(unix)]
#[test]
fn a_file_far_larger_than_the_memory_goes_through() {
    const RECORDS: usize = 16_384;
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -v 524288; exec \"$0\" \"$@\""])
        .arg(dist().join("recoup"))
        .args(["assess", "-", "--threads", "2"])
        .args(AT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let padding = "x".repeat(64 * 1024);
    feed(
        &mut child,
        (0..RECORDS).map(move |number| {
            let mut record = record(&format!("r-{number}"));
            record["tags"] = json!({"note": padding});
            format!("{record}\n")
        }),
    );
    let output = child.wait_with_output().unwrap();
    assert_eq!((code(&output), out(&output).lines().count()), (0, RECORDS), "{}", err(&output));
}
