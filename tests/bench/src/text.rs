//! Text into records, records into batches, answers into text.

use std::io;
use std::sync::Arc;

use recoup_bench::Failure;
use recoup_bench::measure::{Figures, nanoseconds, rate, time};
use recoup_core::record::ResourceRecord;
use recoup_core::time::Zone;
use recoup_engine::{Assessor, Engine};
use recoup_plugin::batch;
use recoup_report::{Format, Look, report, write_all};

use crate::portfolio::{generator, resources, run};

const ROWS: usize = 8_192;

/// What each step between a file and a ruling costs.
pub(crate) fn text(engine: &Engine, figures: &mut Figures) -> Result<(), Failure> {
    figures.table(
        "text: one record of NDJSON on its way through owned records, one thread",
        "step",
        &["ns a record", "records", "bytes a record"],
    );
    for provider in ["huawei", "alibaba"] {
        let generator = generator(&[Arc::clone(engine.adapter(provider)?.policy())])?;
        let records = resources(&generator, ROWS);
        let lines: Vec<String> = records.iter().map(|record| record.to_json(Zone::UTC).to_string()).collect();
        let bytes = lines.iter().map(String::len).sum::<usize>() / ROWS;
        let mut show = |label: &str, spent, bytes: usize| {
            let label = format!("{provider}: {label}");
            let cells = [format!("{:.0}", nanoseconds(spent, ROWS)), rate(spent, ROWS), bytes.to_string()];
            figures.line(&label, spent, ROWS, &cells);
        };
        let zone_of = |_: &str, _: Option<&str>| Some(Zone::UTC);
        let parse = time(|| {
            lines.iter().try_for_each(|line| {
                let json: serde_json::Value = serde_json::from_str(line).map_err(|error| error.to_string())?;
                ResourceRecord::from_json(&json, &zone_of).map(drop).map_err(|faults| faults.to_string())
            })
        })?;
        show("NDJSON parsed into records", parse, bytes);
        let gather = time(|| batch::resources(&records, None).map(drop))?;
        show("records into a batch", gather, bytes);
        let assessor = Assessor::new(engine, run(&generator));
        let answers = assessor.assess(records).into_iter().collect::<Result<Vec<_>, _>>()?;
        let mut written = Vec::new();
        write_all(report(Format::Ndjson, &mut written, &Look::default()).as_mut(), &answers)?;
        let write = time(|| {
            let mut out = report(Format::Ndjson, io::sink(), &Look::default());
            write_all(out.as_mut(), &answers)
        })?;
        show("answers into NDJSON", write, written.len() / ROWS);
    }
    Ok(())
}
