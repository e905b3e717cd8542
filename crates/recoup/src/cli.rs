//! The command line, defined once: help, completions and the man page come from here.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::span::Length;

/// What you can get out of, by each cloud's own published rules.
///
/// recoup says of everything bought ahead from a cloud whether it can be unsubscribed, cancelled, returned,
/// exchanged or sold on the day asked about, every reason why not, what comes back to the cent, and which
/// clause of which page says so.
#[derive(Debug, Parser)]
#[command(name = "recoup", version, max_term_width = 100, arg_required_else_help = true)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) setup: Setup,

    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Which adapters there are, and what goes over their policies.
#[derive(Debug, Args)]
pub(crate) struct Setup {
    /// Folder of adapters; by default `plugins` beside the program.
    #[arg(long, global = true, value_name = "DIR", env = "RECOUP_PLUGINS")]
    pub(crate) plugins: Option<PathBuf>,

    /// A team's own clauses and figures, over what the provider publishes (TOML); may be repeated.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) overlay: Vec<PathBuf>,

    /// Config file (TOML) with `overlays` and `plugins`; by default `recoup.toml` in the current directory.
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Say on standard error which adapters' libraries were opened.
    #[arg(short, long, global = true)]
    pub(crate) verbose: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Assess everything in some files.
    ///
    /// FILE may be `-`, a portfolio (NDJSON, JSON, CSV or Parquet), a FOCUS file (CSV or Parquet), or what a
    /// provider's own API or CLI printed: recognised by content, each provider's in one run.
    Assess(Assess),
    /// Explain one resource: every exit, clause by clause with sources, the arithmetic line by line.
    Explain(Explain),
    /// Put the same resources under every installed provider's rules, side by side.
    Compare(Compare),
    /// What closes, opens or changes its fee, when, and what it costs to miss it.
    ///
    /// Walks every resource from ruling to ruling, exactly. Instants are shown on the site's clock and in UTC.
    /// Where an exit asks for a review, the instant to act by is the one at which the review is over in time.
    Deadlines(Deadlines),
    /// What would come back if everything left at each moment from now to the end.
    ///
    /// Refund, fee, consumption, what is forfeited and what is no longer owed, per resource and in total by
    /// currency, with a chart. Figures are exact at every instant named.
    Forecast(Forecast),
    /// What is lost by leaving something that is not bought yet in month n, at each provider side by side.
    ///
    /// FILE is a portfolio of records with their prices and terms. What says when is filled in as if everything
    /// were bought at the instant asked about; what is due counts as paid in cash unless the record says by what.
    Simulate(Simulate),
    /// Show what providers publish: editions, clauses with their sources, dated tables.
    Policy {
        #[command(subcommand)]
        command: PolicyCommand,
    },
    /// Plan what to give back, through which exit and when, so that most comes back under every quota.
    ///
    /// The plan is exact: it says what no other plan exceeds, and why each thing stays. As JSON it is a file that
    /// `--check` replays step by step through the providers' rules. See docs/plan.md.
    Plan(Box<Plan>),
    /// Show or check adapters.
    Plugin {
        #[command(subcommand)]
        command: PluginCommand,
    },
    /// Unsubscribe, step by step: quote, confirm, review, execute, settle; with a journal of every step.
    Case {
        #[command(subcommand)]
        command: Box<crate::case::CaseCommand>,
    },
    /// Compare what should have come back with what came, per instrument, to the minor unit; exits 1 where
    /// anything does not match.
    Reconcile(crate::reconcile::Reconcile),
    /// Run conformance cases; exits 1 where any fails.
    Check(Check),
    /// Make up a portfolio of any size that looks like a real one, of the providers whose adapters are installed.
    ///
    /// For trying things out and for measuring. The same seed gives the same bytes on every machine; a resource
    /// depends on the seed and its number alone. See docs/generate.md.
    Generate(Generate),
    /// Print shell completions.
    Completions {
        /// The shell.
        shell: clap_complete::Shell,
    },
    /// Print the man page.
    Man,
}

/// What all commands that assess have in common.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Question {
    /// The instant asked about: RFC 3339 with an offset, or a date (00:00 on each site's clock). Default: now.
    #[arg(long, value_name = "TIME", visible_alias = "from")]
    pub(crate) at: Option<String>,

    /// Accounts file: settlement currencies, quotas, earlier returns, account facts (JSON).
    #[arg(long, value_name = "FILE")]
    pub(crate) accounts: Option<String>,

    /// Only this provider: of its resources, and as the reader of files that are no portfolio.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Option<String>,

    /// Judge by the last edition that begins on or before this date, not by that of the instant.
    #[arg(long, value_name = "DATE")]
    pub(crate) edition: Option<String>,

    /// Take a fact for granted where nothing states it; may be repeated.
    #[arg(long = "assume", value_name = "FACT=VALUE")]
    pub(crate) assume: Vec<String>,

    /// Threads; by default one for each core.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub(crate) threads: Option<u16>,
}

/// Where and how the answer is written.
#[derive(Debug, Args)]
pub(crate) struct Answer {
    /// Format; by default a table on a terminal, NDJSON in a pipe, and by the name of OUT.
    ///
    /// `focus` writes the predicted refunds of the best open exits as FOCUS 1.2 rows (CSV): a row for every
    /// returned item with ChargeCategory Credit and BilledCost below zero (zero for coupons), and one for a
    /// fee with ChargeCategory Adjustment and BilledCost zero, since it is kept and not billed. BilledCost
    /// adds up to the refund; the columns x_Recoup... say the rest. See docs/focus.md.
    #[arg(long, value_enum)]
    pub(crate) format: Option<Format>,

    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
    Ndjson,
    Csv,
    Parquet,
    Markdown,
    Html,
    Focus,
}

#[derive(Debug, Args)]
pub(crate) struct Assess {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Write every clause and line of arithmetic into JSON and NDJSON, which `recoup reconcile` then names.
    #[arg(long)]
    pub(crate) steps: bool,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Explain {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The resource's id.
    #[arg(long, value_name = "ID")]
    pub(crate) id: String,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Compare {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The resource's id, where only one is to be compared.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Before the other providers, put the same money, term and dates as each usually sells them: a
    /// subscription here, a savings plan, a reservation or a licence there.
    #[arg(long)]
    pub(crate) usual: bool,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

/// Where and how an answer about time is written.
#[derive(Debug, Args)]
pub(crate) struct TimeAnswer {
    /// Format; by default a table on a terminal, NDJSON in a pipe, and by the name of OUT.
    #[arg(long, value_enum)]
    pub(crate) format: Option<TimeFormat>,

    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TimeFormat {
    Table,
    Json,
    Ndjson,
    Csv,
    Markdown,
    Html,
    /// A calendar that a team subscribes to; of deadlines only.
    Ics,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortBy {
    /// What is due first stands first.
    Time,
    /// By currency, what costs most to miss stands first.
    Stake,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum GroupBy {
    Account,
    Provider,
}

#[derive(Debug, Args)]
pub(crate) struct Deadlines {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Only what is to be acted on within this time of the instant asked about: 48h, 30d, 2w, 6mo, 1y.
    #[arg(long, value_name = "LENGTH")]
    pub(crate) within: Option<Length>,
    /// The order.
    #[arg(long, value_enum, default_value = "time")]
    pub(crate) sort: SortBy,
    /// Put together what belongs to one account or one provider.
    #[arg(long, value_enum, value_name = "BY")]
    pub(crate) group: Option<GroupBy>,
    /// Exit with 1 where something is lost by a deadline that is due within this time.
    #[arg(long, value_name = "LENGTH")]
    pub(crate) fail_if_within: Option<Length>,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: TimeAnswer,
}

#[derive(Debug, Args)]
pub(crate) struct Forecast {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Until when: RFC 3339 with an offset, or a date (00:00 on each site's clock). Default: the last end of all.
    #[arg(long, value_name = "TIME")]
    pub(crate) until: Option<String>,
    /// The resource's id, where only one is to be told.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// List every step one by one, also where figures move by the hour.
    #[arg(long)]
    pub(crate) steps: bool,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: TimeAnswer,
}

#[derive(Debug, Args)]
pub(crate) struct Simulate {
    /// Files, or `-` for standard input.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// The record's id, where only one is to be simulated.
    #[arg(long, value_name = "ID")]
    pub(crate) id: Option<String>,
    /// Each record only under the rules of the provider that it names, not under everybody's.
    #[arg(long)]
    pub(crate) as_given: bool,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: TimeAnswer,
}

#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// Files, or `-` for standard input. With --check those that the plan names, unless others are given.
    #[arg(required_unless_present = "check", value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// What the plan is to bring: cash that comes back less what leaving costs, payments that are no longer owed, or both
    /// (and what an exchange carries over).
    #[arg(long, value_enum, ignore_case = true, default_value = "both", value_name = "WHAT")]
    pub(crate) want: Wanted,
    /// No step after this: RFC 3339 with an offset, or a date. Default: a year from the instant asked about.
    #[arg(long, value_name = "TIME")]
    pub(crate) by: Option<String>,
    /// Ids of resources that stay.
    #[arg(long, value_name = "ID", num_args = 1.., value_delimiter = ',')]
    pub(crate) keep: Vec<String>,
    /// Only these may leave: ids, names, products, projects or accounts.
    #[arg(long, value_name = "WORD", num_args = 1.., value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// Rates (JSON: {"base": "USD", "rates": {"CNY": "0.14"}}) to plan several currencies together; without, each has a
    /// plan of its own.
    #[arg(long, value_name = "FILE")]
    pub(crate) rates: Option<PathBuf>,
    /// Seconds for gathering what there is to choose and for searching; past them the best found is given with its gap.
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) time_limit: u64,
    /// Replay a plan step by step and recompute every figure and quota; exits 1 where anything does not hold.
    #[arg(long, value_name = "PLAN", conflicts_with_all = ["by", "keep", "only", "rates", "at"])]
    pub(crate) check: Option<PathBuf>,
    /// Format; by default a table on a terminal, JSON elsewhere, and by the name of OUT.
    #[arg(long, value_enum)]
    pub(crate) format: Option<PlanFormat>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) question: Question,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Wanted {
    Cash,
    Released,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PlanFormat {
    Table,
    Json,
    Markdown,
    Html,
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyCommand {
    /// The providers, their sites and editions.
    List,
    /// One provider's clauses with their sources, and its dated tables.
    Show {
        /// The provider.
        provider: String,
        /// Print the policy as JSON.
        #[arg(long)]
        json: bool,
    },
    /// The policy book of a provider: everything it publishes as one Markdown document.
    Book {
        /// The provider.
        provider: String,
        /// Case files, to name the cases in which each clause bites.
        cases: Vec<String>,
    },
    /// What changed between two editions, and who in a portfolio is hit.
    Diff {
        /// The provider.
        // The flag --provider of the question has the name of the field.
        #[arg(id = "policy_of", value_name = "PROVIDER")]
        provider: String,
        /// Date of the one edition.
        from: String,
        /// Date of the other edition.
        to: String,
        /// A portfolio.
        file: Option<String>,
        /// The site; by default the provider's default one.
        #[arg(long)]
        site: Option<String>,
        #[command(flatten)]
        question: Box<Question>,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PluginCommand {
    /// What is installed, from where, and what cannot be used.
    List,
    /// Write the manifests of libraries beside them.
    Seal {
        /// The libraries.
        #[arg(required = true, value_name = "LIBRARY")]
        libraries: Vec<PathBuf>,
        /// The adapters' version, for people.
        #[arg(long, default_value = "")]
        version: String,
    },
    /// Check that a library keeps to the boundary.
    Check {
        /// The library or its manifest.
        path: PathBuf,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Check {
    /// Case files: JSON arrays of cases.
    #[arg(required = true, value_name = "CASES")]
    pub(crate) files: Vec<String>,
    /// List clauses that no case makes bite, or none lets pass.
    #[arg(long)]
    pub(crate) coverage: bool,
}

/// How a generated portfolio is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PortfolioForm {
    Ndjson,
    Json,
    Csv,
    Parquet,
}

#[derive(Debug, Args)]
pub(crate) struct Generate {
    /// What the chance depends on: the same seed gives the same portfolio.
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub(crate) seed: u64,
    /// How many resources.
    #[arg(long, value_name = "N", default_value_t = 1000)]
    pub(crate) count: u64,
    /// Leave out so many resources at the beginning; the others stay what they are.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(crate) skip: u64,
    /// The instant from which the portfolio is seen, near which windows close: RFC 3339 with an offset, or a date.
    /// Not the clock, so that the seed alone says what comes out.
    #[arg(long, value_name = "TIME", default_value = "2026-03-05T12:00:00Z")]
    pub(crate) at: String,
    /// Only this provider; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub(crate) provider: Vec<String>,
    /// Write the accounts of the portfolio to this file.
    #[arg(long, value_name = "FILE")]
    pub(crate) accounts: Option<PathBuf>,
    /// Format; by default NDJSON, or by the name of OUT.
    #[arg(long, value_enum)]
    pub(crate) format: Option<PortfolioForm>,
    /// Write to a file instead of standard output.
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: Option<PathBuf>,
}

impl TimeAnswer {
    /// The place where it is written.
    pub(crate) fn place(&self) -> Answer {
        Answer { format: None, output: self.output.clone() }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_flag_has_one_meaning() {
        super::Cli::command().debug_assert();
    }
}
