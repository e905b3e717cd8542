//! A team's own clauses and figures over a provider's policy, end to end. The worked example is read from
//! `docs/overlays.md`, so that what stands there stays true.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use arrow_array::cast::AsArray;
use recoup_core::assessment::to_json;
use recoup_core::context::Run;
use recoup_core::money::Amount;
use recoup_core::overlay::Overlay;
use recoup_core::record::ResourceRecord;
use recoup_core::time::{Instant, Zone};
use recoup_engine::{Assessor, Engine};
use recoup_tests::docs::{blocks, missing};
use recoup_tests::{dist, linked};
use serde_json::Value;

/// A folder with the files of the document, those of the config excepted.
fn example() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for block in blocks("overlays.md").iter().filter(|block| !block.tag.is_empty() && block.tag != "recoup.toml") {
        fs::write(folder.path().join(&block.tag), &block.text).unwrap();
    }
    folder
}

fn recoup(folder: &Path, args: &[&str]) -> Output {
    Command::new(dist().join("recoup"))
        .current_dir(folder)
        .env_remove("RECOUP_PLUGINS")
        .env("COLUMNS", "200")
        .args(args)
        .output()
        .unwrap()
}

fn out(output: &Output) -> String {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout.clone()).unwrap()
}

const ASSESS: [&str; 4] = ["assess", "portfolio.ndjson", "--at", "2025-10-01"];

fn in_use(folder: &Path, more: &[&str]) -> Value {
    let assessed: Value = serde_json::from_str(&out(&recoup(folder, &[&ASSESS[..], more].concat()))).unwrap();
    assessed["exits"].as_array().unwrap().iter().find(|exit| exit["exit"] == "in_use").unwrap().clone()
}

#[test]
fn the_documents_commands_print_what_it_shows() {
    let folder = example();
    for block in blocks("overlays.md").iter().filter(|block| block.language == "console") {
        let (command, expected) = block.text.split_once('\n').unwrap();
        let args: Vec<&str> = command.strip_prefix("$ recoup ").unwrap().split(' ').collect();
        let printed = out(&recoup(folder.path(), &args));
        if !expected.is_empty() {
            assert_eq!(missing(&printed, expected), None, "line {}: {command}\n{printed}", block.line);
        }
    }
}

#[test]
fn a_row_that_no_page_shows_gives_the_figure_and_says_where_it_is_from() {
    let folder = example();
    let published = in_use(folder.path(), &[]);
    assert_eq!((&published["outcome"], &published["refund"]), (&"conditional".into(), &Value::Null));
    assert_eq!(published["unknowns"][0]["reason"], "rule_unknown");
    assert!(published.get("steps").is_none() && !published.to_string().contains("overlay"));
    let own = in_use(folder.path(), &["--overlay", "our-contract.toml"]);
    assert_eq!((own["outcome"].as_str(), own["refund"]["fee"].as_str()), (Some("allowed"), Some("175.20")));
    assert_eq!(own["steps"], serde_json::json!([{"clause": "our.fee.yearly", "verdict": "applies", "overlay": true}]));
    // Asked about a time before the contract, the published table is all that there is.
    let before = out(&recoup(
        folder.path(),
        &[
            "assess",
            "portfolio.ndjson",
            "--at",
            "2025-10-01",
            "--edition",
            "2024-12-01",
            "--overlay",
            "our-contract.toml",
        ],
    ));
    assert!(!before.contains("our.fee.yearly"), "{before}");
    let page =
        out(&recoup(folder.path(), &[&ASSESS[..], &["--overlay", "our-contract.toml", "--format", "html"]].concat()));
    assert!(page.contains("<code>our.fee.yearly</code>") && page.contains("not the provider"), "{page}");
    let compared = out(&recoup(
        folder.path(),
        &["compare", "portfolio.ndjson", "--at", "2025-10-01", "--overlay", "our-contract.toml", "--format", "ndjson"],
    ));
    assert!(compared.contains("our.fee.yearly"), "{compared}");
}

#[test]
fn the_policy_shows_what_is_the_teams_own() {
    let folder = example();
    let shown = out(&recoup(folder.path(), &["policy", "show", "huawei", "--overlay", "our-contract.toml"]));
    for expected in [
        "our.fee.yearly (the team's own)",
        "by our.fee.yearly (the team's own)",
        "a team's own rule, not the provider's",
    ] {
        assert!(shown.contains(expected), "{expected}");
    }
    assert!(!out(&recoup(folder.path(), &["policy", "show", "huawei"])).contains("team's own"));
    let differing = out(&recoup(
        folder.path(),
        &["policy", "diff", "huawei", "2025-01-01", "2025-07-24", "--site", "cn", "--overlay", "our-contract.toml"],
    ));
    assert!(differing.contains("handling-fee [1, 1]") && differing.contains("our.fee.yearly"), "{differing}");
}

#[test]
fn a_changed_clause_is_marked_where_it_refuses() {
    let folder = example();
    let own = "provider = \"huawei\"\n[[source]]\nkey = \"c\"\ntitle = \"Contract\"\n[[clause]]\nid = \"hw.in-use.fee-table.cn\"\nsays = \"ask procurement\"\nsources = [\"c\"]\n";
    fs::write(folder.path().join("changed.toml"), own).unwrap();
    let changed = in_use(folder.path(), &["--overlay", "changed.toml"]);
    let unknown = &changed["unknowns"][0];
    assert_eq!(
        (unknown["clause"].as_str(), unknown["overlay"].as_bool()),
        (Some("hw.in-use.fee-table.cn"), Some(true))
    );
}

/// A value by its column, in every row of an output in columns.
fn column(folder: &Path, output: &str, name: &str) -> Vec<String> {
    let path = folder.join(output);
    out(&recoup(folder, &[&ASSESS[..], &["--overlay", "our-contract.toml", "-o", output]].concat()));
    if output.ends_with(".csv") {
        let mut reader = csv::Reader::from_path(&path).unwrap();
        let place = reader.headers().unwrap().iter().position(|header| header == name).unwrap();
        return reader.records().map(|row| row.unwrap()[place].to_owned()).collect();
    }
    let file = fs::File::open(&path).unwrap();
    let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap().build().unwrap();
    let mut found = Vec::new();
    for batch in reader {
        let batch = batch.unwrap();
        let column = batch.column_by_name(name).unwrap().as_string::<i32>();
        found.extend(column.iter().map(|text| text.unwrap_or_default().to_owned()));
    }
    found
}

#[test]
fn csv_and_parquet_name_the_teams_clauses_on_which_a_row_rests() {
    let folder = example();
    for output in ["out.csv", "out.parquet"] {
        let (exits, own) = (column(folder.path(), output, "exit"), column(folder.path(), output, "overlay"));
        let of = |exit: &str| exits.iter().position(|one| one == exit).map(|place| own[place].clone());
        assert_eq!(of("in_use").as_deref(), Some("our.fee.yearly"), "{output}: {own:?}");
    }
    // Without the overlay nothing rests on it.
    out(&recoup(folder.path(), &[&ASSESS[..], &["-o", "plain.csv"]].concat()));
    assert!(!fs::read_to_string(folder.path().join("plain.csv")).unwrap().contains("our.fee.yearly"));
}

#[test]
fn a_config_file_names_overlays_and_brings_no_code_by_itself() {
    let folder = example();
    let config = blocks("overlays.md").into_iter().find(|block| block.tag == "recoup.toml").unwrap().text;
    fs::write(folder.path().join("recoup.toml"), &config).unwrap();
    assert_eq!(in_use(folder.path(), &[])["refund"]["fee"], "175.20");
    // Named from elsewhere: its paths are meant from where it stands.
    let elsewhere = tempfile::tempdir().unwrap();
    fs::copy(folder.path().join("portfolio.ndjson"), elsewhere.path().join("portfolio.ndjson")).unwrap();
    let named = folder.path().join("recoup.toml").to_string_lossy().into_owned();
    assert_eq!(in_use(elsewhere.path(), &["--config", &named])["refund"]["fee"], "175.20");
    let plugins = dist().join("plugins").canonicalize().unwrap();
    fs::write(folder.path().join("recoup.toml"), format!("{config}plugins = {:?}\n", plugins.to_string_lossy()))
        .unwrap();
    assert_eq!(in_use(elsewhere.path(), &["--config", &named])["refund"]["fee"], "175.20");
    for (config, said) in [
        (format!("{config}plugins = \"here\"\n"), "recoup.toml:2: \"plugins\" is taken only from a file that is named"),
        (format!("{config}plugin = \"here\"\n"), "recoup.toml:2: unknown field `plugin`"),
        ("overlays = [\"nowhere.toml\"]\n".to_owned(), "nowhere.toml: "),
    ] {
        fs::write(folder.path().join("recoup.toml"), config).unwrap();
        let refused = recoup(folder.path(), &ASSESS);
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!((refused.status.code(), error.contains(said)), (Some(2), true), "{said}: {error}");
    }
    assert_eq!(recoup(folder.path(), &[&ASSESS[..], &["--config", "other.toml"]].concat()).status.code(), Some(2));
}

#[test]
fn a_wrong_overlay_is_refused_with_file_and_line() {
    let folder = example();
    let right = fs::read_to_string(folder.path().join("our-contract.toml")).unwrap();
    let line = |part: &str| right.lines().position(|line| line.contains(part)).unwrap() + 1;
    let row = "{ sites = [\"cn\"], from = \"2025-01-15\", key = [1, 1], value = \"0.20\" }";
    let at_row = line("value =");
    for (from, to, line, said) in [
        ("provider = \"huawei\"", "provider = \"acme\"", 1, "no adapter serves the provider \"acme\""),
        ("title =", "titel =", line("title ="), "unknown field `titel`"),
        (
            "id = \"handling-fee\"",
            "id = \"handling-fees\"",
            line("id = \"handling-fee\""),
            "there is no table \"handling-fees\", expected one of",
        ),
        ("key = [1, 1]", "key = [1]", at_row, "has 1 parts, expected 2 (term_years, year_of_use)"),
        ("key = [1, 1]", "key = [1, \"first\"]", at_row, "mixes up words and numbers"),
        ("[\"cn\"]", "[\"de\"]", at_row, "\"de\" is not a site of this provider, expected one of"),
        ("\"0.20\"", "\"a fifth\"", at_row, "a fifth"),
        ("\"0.20\"", "0.20", at_row, "expected a string: write it in quotes"),
        ("\"0.20\"", "\"20\"", at_row, "20 is above 1, and the unit is \"share\""),
        (
            "from = \"2025-01-15\"",
            "from = \"2025-01-15\", until = \"2024-01-15\"",
            at_row,
            "\"from\" is not before \"until\"",
        ),
        ("from = \"2025-01-15\"", "from = \"January\"", at_row, "is not an instant"),
        ("sources = [\"our-contract\"]", "", line("id = \"our.fee.yearly\"") - 1, "names no source of your own"),
        ("sources = [\"our-contract\"]", "sources = [\"C-N5-A\"]", line("sources ="), "names no source of your own"),
        ("clause = \"our.fee.yearly\"", "clause = \"hw.in-use.fee-table.cn\"", at_row, "has no source of your own"),
        (row, &format!("{row},\n  {row}"), at_row + 1, "holds at the same time"),
        ("rows = [", "rows = [[", at_row + 1, "unclosed array"),
    ] {
        assert!(right.contains(from), "{from}");
        fs::write(folder.path().join("wrong.toml"), right.replacen(from, to, 1)).unwrap();
        let refused = recoup(folder.path(), &[&ASSESS[..], &["--overlay", "wrong.toml"]].concat());
        let error = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(2), "{to}: {error}");
        assert!(
            error.contains(&format!("wrong.toml:{line}: ")) && error.contains(said),
            "{to}: expected line {line}: {error}"
        );
        assert!(refused.stdout.is_empty());
    }
}

/// Money is conserved whatever share an overlay states, and an adapter that is linked in answers as one that is loaded.
#[test]
fn no_overlay_breaks_the_conservation_of_money() {
    let given = |name: &str| blocks("overlays.md").into_iter().find(|block| block.tag == name).unwrap().text;
    let (contract, record) = (given("our-contract.toml"), given("portfolio.ndjson"));
    for share in ["0", "0.0001", "0.2", "0.3333333333", "0.5", "0.83", "0.8329", "0.999999", "1"] {
        let overlay: Overlay = toml::from_str(&contract.replace("\"0.20\"", &format!("{share:?}"))).unwrap();
        let mut engine = Engine::from_adapters(linked());
        engine.add_overlay(&overlay).unwrap();
        let zone_of = |provider: &str, site: Option<&str>| engine.zone_of(provider, site);
        let record = ResourceRecord::from_json(&serde_json::from_str(&record).unwrap(), &zone_of).unwrap().record;
        let run = Run::at(Instant::parse("2025-10-01T00:00:00+08:00", Zone::UTC).unwrap());
        let answered = Assessor::new(&engine, run).assess(vec![record]).remove(0).unwrap();
        let assessed = to_json(&answered.subject, &answered.assessment, &answered.policy);
        let exits = assessed["exits"].as_array().unwrap();
        let refund = &exits.iter().find(|exit| exit["exit"] == "in_use").unwrap()["refund"];
        let amount = |value: &Value| value.as_str().unwrap().parse::<Amount>().unwrap();
        let returned = refund["returned"].as_array().unwrap().iter().map(|item| amount(&item["amount"]));
        let parts = [&refund["consumed"], &refund["fee"], &refund["forfeited"]].map(amount);
        assert_eq!(
            amount(&refund["paid"]),
            parts.into_iter().chain(returned).fold(Amount::ZERO, |sum, part| sum + part),
            "{share}: {refund}"
        );
        assert!(
            parts.iter().all(|part| *part >= Amount::ZERO) && amount(&refund["refund"]) >= Amount::ZERO,
            "{share}: {refund}"
        );
        if share == "0.2" {
            let folder = example();
            let loaded = out(&recoup(folder.path(), &[&ASSESS[..], &["--overlay", "our-contract.toml"]].concat()));
            assert_eq!(serde_json::from_str::<Value>(&loaded).unwrap(), assessed);
        }
    }
}
