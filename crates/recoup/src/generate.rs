//! `recoup generate`.

use std::fs;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::Path;
use std::sync::Arc;

use recoup_core::policy::Policy;
use recoup_core::time::{Instant, Zone};
use recoup_engine::Engine;
use recoup_generate::Generator;
use recoup_portfolio::write::{FactNames, Form, Writer};

use crate::cli::{Generate, PortfolioForm};
use crate::host::{Failure, Outcome, Status, say};
use crate::output::{Whole, Written};

/// The form that was asked for, or that follows from the name of the file.
fn form(args: &Generate) -> Form {
    let by_name = |path: &Path| match path.extension()?.to_str()? {
        "json" => Some(PortfolioForm::Json),
        "csv" => Some(PortfolioForm::Csv),
        "parquet" => Some(PortfolioForm::Parquet),
        _ => None,
    };
    match args.format.or_else(|| by_name(args.output.as_deref()?)) {
        None | Some(PortfolioForm::Ndjson) => Form::Ndjson,
        Some(PortfolioForm::Json) => Form::Json,
        Some(PortfolioForm::Csv) => Form::Csv,
        Some(PortfolioForm::Parquet) => Form::Parquet,
    }
}

/// The policies of the providers that were named; of all that say what portfolios hold where none was.
fn policies(engine: &Engine, named: &[String]) -> Result<Vec<Arc<Policy>>, Failure> {
    if !named.is_empty() {
        let mut named = named.to_vec();
        named.sort();
        named.dedup();
        return named.iter().map(|provider| engine.policy(provider).map_err(Failure::usage)).collect();
    }
    let mut all = Vec::new();
    for provider in engine.providers() {
        let policy = engine.policy(&provider).map_err(Failure::usage)?;
        if policy.typical.is_some() {
            all.push(policy);
        } else {
            say(format_args!("note: nothing of {provider} is generated, its policy does not say what portfolios hold"));
        }
    }
    Ok(all)
}

pub(crate) fn generate(engine: &Engine, args: &Generate) -> Outcome {
    let at = Instant::parse(&args.at, Zone::UTC).map_err(|error| Failure::usage(format_args!("--at: {error}")))?;
    let policies = policies(engine, &args.provider)?;
    let generator = Generator::new(args.seed, at, &policies).map_err(Failure::usage)?;
    if let Some(path) = &args.accounts {
        accounts(&generator, path)?;
    }
    let form = form(args);
    match &args.output {
        Some(path) => {
            let named = |error: io::Error| Failure::input(format_args!("{}: {error}", path.display()));
            let mut file = Whole::create(path).map_err(named)?;
            portfolio(&generator, args, form, &mut file).map_err(named)?;
            file.keep(Written::Whole).map_err(named)?;
        }
        None if form == Form::Parquet && io::stdout().is_terminal() => {
            return Err(Failure::usage("Parquet is not for a terminal; name a file with -o"));
        }
        None => {
            let mut out = BufWriter::with_capacity(1 << 18, io::stdout());
            portfolio(&generator, args, form, &mut out).map_err(|error| Failure::output(&error))?;
        }
    }
    Ok(Status::Done)
}

fn portfolio(generator: &Generator, args: &Generate, form: Form, out: &mut (dyn Write + Send)) -> io::Result<()> {
    let facts = FactNames { resources: generator.facts(), orders: generator.facts_of_orders() };
    let mut writer = Writer::new(form, out, &facts)?;
    for number in args.skip..args.skip.saturating_add(args.count) {
        let resource = generator.resource(number);
        let zone = generator.zone_of(&resource.provider, resource.site.as_deref()).unwrap_or(Zone::UTC);
        writer.add(&resource, zone)?;
    }
    writer.finish()
}

fn accounts(generator: &Generator, path: &Path) -> Result<(), Failure> {
    let zone = |account: &recoup_core::record::AccountRecord| {
        generator.zone_of(&account.provider, account.site.as_deref()).unwrap_or(Zone::UTC)
    };
    let lines: Vec<String> =
        generator.accounts().iter().map(|account| account.to_json(zone(account)).to_string()).collect();
    fs::write(path, format!("[\n{}\n]\n", lines.join(",\n")))
        .map_err(|error| Failure::input(format_args!("{}: {error}", path.display())))
}
