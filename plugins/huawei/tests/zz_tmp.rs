#![allow(clippy::all, clippy::unwrap_used, clippy::panic, clippy::print_stdout, clippy::indexing_slicing, reason = "tests")]
use recoup_core::adapter::Rules;
use recoup_core::policy::*;
use recoup_huawei::Huawei;
fn shift(d: &str, by: i64) -> String { use recoup_core::time::*; (Instant::parse(d, Zone::UTC).unwrap() + Span::days(by)).display(Zone::UTC).to_string()[..10].to_owned() }
#[test]
fn mutants() {
    let base = Rules::<Huawei>::policy().unwrap();
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/huawei/cases");
    let cases = recoup_conformance::read_cases(&folder).unwrap();
    let mut mutants: Vec<(String, Policy)> = Vec::new();
    for (i, c) in base.clauses.iter().enumerate() {
        if c.kind == ClauseKind::Text { continue }
        for (j, h) in c.holds.iter().enumerate() {
            for by in [-1, 1] {
                if let Some(f) = &h.from { let mut p = base.clone(); p.clauses[i].holds[j].from = Some(shift(f, by)); mutants.push((format!("{} from {by}", c.id), p)); }
                if let Some(f) = &h.until { let mut p = base.clone(); p.clauses[i].holds[j].until = Some(shift(f, by)); mutants.push((format!("{} until {by}", c.id), p)); }
            }
            if let Some(s) = &h.sites { for k in 0..s.len() { let mut p = base.clone(); p.clauses[i].holds[j].sites.as_mut().unwrap()[k] = "zz".into(); p.sites.push(Site{id:"zz".into(),title:"z".into(),zone:base.sites[0].zone,default:false}); mutants.push((format!("{} site {} gone", c.id, s[k]), p)); } }
        }
        if c.holds.is_empty() && c.reason.is_some() { for s in ["intl","cn","eu"] { let mut p = base.clone(); p.clauses[i].holds = vec![Scope{sites:Some(["intl","cn","eu"].iter().filter(|x| **x!=s).map(|x| x.to_string()).collect()),from:None,until:None}]; mutants.push((format!("{} gone on {s}", c.id), p)); } }
    }
    for (i, c) in base.params.iter().enumerate() { for j in 0..c.values.len() { let mut p = base.clone(); p.params[i].values[j].value = (p.params[i].values[j].value.to_string().parse::<i64>().unwrap()+1).to_string().parse().unwrap(); mutants.push((format!("param {} {j} +1", c.id), p));
        for by in [-1,1] { let v=&c.values[j]; if v.from.is_none() && v.until.is_none() {continue} let mut p = base.clone(); for v in &mut p.params[i].values { if let Some(f)=&v.from { v.from=Some(shift(f,by)); } if let Some(f)=&v.until { v.until=Some(shift(f,by)); } } mutants.push((format!("param {} shift {by}", c.id), p)); } } }
    for (i, c) in base.tables.iter().enumerate() { for j in 0..c.rows.len() { let mut p = base.clone(); p.tables[i].rows.remove(j); mutants.push((format!("row {} {:?} gone", c.id, c.rows[j].key), p)); } }
    for (i, c) in base.lists.iter().enumerate() { for j in 0..c.products.len() { let mut p = base.clone(); p.lists[i].products.remove(j); mutants.push((format!("list {} {} gone", c.id, c.products[j]), p)); } }
    for (what, policy) in mutants {
        let Ok(rules) = Rules::<Huawei>::with_policy(policy) else { println!("BAD {what}"); continue };
        let zone_of = |_: &str, site: Option<&str>| rules.zone_of(site);
        let mut alive = true;
        let mut assess = |case: &recoup_core::conformance::Case| -> Result<serde_json::Value, String> { let mut run = case.run(&zone_of)?; run.trace = false; rules.assess_json(&run, case.resource()).map_err(|e| e.to_string()) };
        for case in &cases { match assess(case) { Ok(a) if case.differences(&a).is_empty() => {}, _ => { alive = false; break } } }
        if alive { println!("ALIVE {what}"); }
    }
}
