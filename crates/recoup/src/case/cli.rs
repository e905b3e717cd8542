//! The command line of `recoup case`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use crate::cli::{Answer, Question};

/// Where cases are kept.
#[derive(Debug, Args)]
pub(crate) struct Desk {
    /// The store: a file (SQLite, made where it is missing), or postgres://USER@HOST/DATABASE.
    #[arg(long, value_name = "STORE", env = "RECOUP_STORE", default_value = "recoup-cases.db", hide_env_values = true)]
    pub(crate) store: String,
}

/// Who does something, and why.
#[derive(Debug, Args)]
pub(crate) struct Who {
    /// Who does this; it stands in the journal. By default the user that is logged in.
    #[arg(long, value_name = "NAME", env = "RECOUP_ACTOR")]
    pub(crate) actor: Option<String>,

    /// Why, in words of your own; it stands in the journal.
    #[arg(long, value_name = "TEXT")]
    pub(crate) because: Option<String>,

    /// The same request with the same key has the same answer and is done once; another request with it is an
    /// error.
    #[arg(long, value_name = "KEY")]
    pub(crate) idempotency_key: Option<String>,
}

/// When something is done.
#[derive(Debug, Args)]
pub(crate) struct When {
    /// The instant at which this is done: RFC 3339 with an offset, or a date (00:00 UTC). Default: now.
    #[arg(long, value_name = "TIME")]
    pub(crate) at: Option<String>,
}

/// The steps of a plan, to be asked for in its order.
#[derive(Debug, Args)]
pub(crate) struct Planned {
    /// Quote and ask for the steps of a plan that `recoup plan` wrote and whose moment has come, in its order; those of
    /// later moments are listed. What brings less than the plan says stays quoted. Run again, nothing is done twice.
    #[arg(long, value_name = "PLAN", conflicts_with = "idempotency_key")]
    pub(crate) plan: Option<PathBuf>,
    /// Only these steps of the plan, by their numbers (with rates or one currency) or as CODE:N; what goes into one
    /// request goes along.
    #[arg(long = "step", value_name = "N", value_delimiter = ',', conflicts_with = "case")]
    pub(crate) steps: Vec<String>,
    /// The portfolio as it is now, instead of the files that the plan names; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    pub(crate) portfolio: Vec<String>,
    /// The accounts as they are now, instead of the file that the plan names.
    #[arg(long, value_name = "FILE", conflicts_with = "case")]
    pub(crate) accounts: Option<String>,
    /// How much less than planned a resource may bring, in its currency: what comes back falls while a plan lies there.
    #[arg(long, value_name = "AMOUNT", conflicts_with = "case", default_value = "0", allow_hyphen_values = true)]
    pub(crate) accept_less: String,
    /// The instant up to which the accounts file counts what happened. Without it what cases of this store drew on a
    /// quota is added to what the file says.
    #[arg(long, value_name = "TIME", conflicts_with = "case")]
    pub(crate) accounts_as_of: Option<String>,
}

/// A command on one case.
#[derive(Debug, Args)]
pub(crate) struct On {
    /// The case, for example C1.
    pub(crate) case: String,

    /// Only these lines; may be repeated or separated by commas. What goes only together goes along.
    #[arg(long = "line", value_name = "N", value_delimiter = ',')]
    pub(crate) lines: Vec<u32>,

    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) when: When,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Subcommand)]
#[command(after_help = "\
A whole case by hand, in five commands:
  recoup case quote portfolio.ndjson --id vm-1                 1. what comes back, pinned as case C1
  recoup case confirm C1 --reason 5 --text 'not needed' --acknowledge irreversible,data_deleted,access_lost
                                                               2. ask for it, knowing every effect
  recoup case execute C1 --gateway worklist --worklists lists  3. do it: calls shown or sent, or steps for a person
  recoup case execute C1 --tick done --reference ORDER         4. tick it off once it is done
  recoup case settle C1 --line 1 --amount 80.00 --currency USD 5. book what came back
A whole plan: recoup case confirm --plan plan.json ... does 1 and 2 for every step of `recoup plan` whose moment has come.
Between 2 and 3 a provider may ask for a review: recoup case review C1 approve. `recoup reconcile` says what is missing.

Exit status: 0 done; 1 something asked for was refused, failed or is in doubt, or a check failed; 2 the command line
is wrong; 3 some input could not be read; 4 the store cannot be used (nothing was changed).")]
pub(crate) enum CaseCommand {
    /// What can and cannot go, in the views that consoles have, with every reason.
    List(List),
    /// Pin what comes back for one resource or many, as a case.
    Quote(Quote),
    /// Ask for what was quoted: with a reason, every effect acknowledged.
    Confirm(Confirm),
    /// Say what the reviewer decided.
    Review(Review),
    /// Carry out what is approved: shows what would be done, unless a gateway is named.
    Execute(Execute),
    /// Book what came back, or list what is still to come and what is late.
    Settle(Settle),
    /// Let time pass: reviews that are approved by themselves, quotes that lapse.
    Tick(Tick),
    /// A case with its lines, or all cases.
    Show(Show),
    /// Every entry of a case's journal, or of the whole one.
    History(History),
    /// Take lines back before they are carried out.
    Withdraw(Withdraw),
    /// Check the chain of entries, the money, the states; exits 1 where something does not hold.
    Verify(Verify),
    /// All cases, or the journal entry by entry, for an auditor.
    Export(Export),
}

/// What is looked for in a portfolio.
#[derive(Debug, Args)]
pub(crate) struct Look {
    /// Resources whose name has this in it.
    #[arg(long, value_name = "TEXT")]
    pub(crate) name: Option<String>,
    /// The resource with this order.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) order: Option<String>,
    /// The resource with this id; may be repeated or separated by commas.
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub(crate) id: Vec<String>,
    /// Resources of this product.
    #[arg(long, value_name = "PRODUCT")]
    pub(crate) product: Option<String>,
    /// Resources of this region.
    #[arg(long, value_name = "REGION")]
    pub(crate) region: Option<String>,
    /// Resources of this project; only where the account has projects.
    #[arg(long, value_name = "PROJECT")]
    pub(crate) project: Option<String>,
    /// Resources on this page of the console.
    #[arg(long, value_enum)]
    pub(crate) view: Option<ViewWord>,
    /// Resources with this answer.
    #[arg(long, value_enum)]
    pub(crate) outcome: Option<OutcomeWord>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum ViewWord {
    InUse,
    Inactive,
    Renewal,
    Failed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum OutcomeWord {
    Allowed,
    Conditional,
    Refused,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SortWord {
    Portfolio,
    Refund,
    Until,
    Name,
}

#[derive(Debug, Args)]
pub(crate) struct List {
    /// Files, or `-` for standard input: whatever `recoup assess` reads.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) look: Look,
    /// What comes first.
    #[arg(long, value_enum, default_value = "portfolio")]
    pub(crate) sort: SortWord,
    /// The page.
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) page: u32,
    /// Rows on a page.
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) per_page: u32,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Quote {
    /// Files, or `-` for standard input: whatever `recoup assess` reads.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    #[command(flatten)]
    pub(crate) look: Look,
    /// The exit to take; by default the best of each resource.
    #[arg(long, value_name = "EXIT")]
    pub(crate) exit: Option<String>,
    /// Hours for which the quote holds, unless a ruling ends sooner.
    #[arg(long, value_name = "HOURS", default_value_t = 24, value_parser = clap::value_parser!(u32).range(1..=8_784))]
    pub(crate) valid_for: u32,
    /// The instant up to which the accounts file counts what happened. Without it what cases of this store
    /// drew on a quota is added to what the file says.
    #[arg(long, value_name = "TIME")]
    pub(crate) accounts_as_of: Option<String>,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) question: Question,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    /// The case, for example C1.
    #[arg(required_unless_present = "plan", conflicts_with = "plan")]
    pub(crate) case: Option<String>,

    /// Only these lines; may be repeated or separated by commas. What goes only together goes along.
    #[arg(long = "line", value_name = "N", value_delimiter = ',', conflicts_with = "plan")]
    pub(crate) lines: Vec<u32>,

    #[command(flatten)]
    pub(crate) planned: Planned,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) when: When,
    #[command(flatten)]
    pub(crate) answer: Answer,
    /// The reason, by its id in the provider's own list; a wrong one prints the list.
    #[arg(long, value_name = "ID")]
    pub(crate) reason: Option<String>,
    /// The reason in words of your own.
    #[arg(long, value_name = "TEXT")]
    pub(crate) text: Option<String>,
    /// Effects that you know of: irreversible, data_deleted, access_lost, attached_leave_too ...; every one of
    /// every line must be named.
    #[arg(long, value_name = "EFFECT", value_delimiter = ',')]
    pub(crate) acknowledge: Vec<String>,
    /// Facts that no export shows and that you have looked up: every one on which an answer depends.
    #[arg(long, value_name = "FACT", value_delimiter = ',')]
    pub(crate) checked: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Decision {
    Approve,
    Reject,
}

#[derive(Debug, Args)]
pub(crate) struct Review {
    #[command(flatten)]
    pub(crate) on: On,
    /// What was decided.
    #[arg(value_enum)]
    pub(crate) decision: Decision,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
#[value(rename_all = "kebab-case")]
pub(crate) enum GatewayWord {
    /// Shows what would be done.
    #[default]
    DryRun,
    /// Writes steps for a person into files.
    Worklist,
    /// Sends the calls that the adapter describes.
    Http,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum TickWord {
    /// It happened.
    Done,
    /// It was refused.
    Failed,
    /// It was not tried, or surely did not happen: it may be carried out again, or withdrawn.
    NotDone,
}

#[derive(Debug, Args)]
pub(crate) struct Execute {
    #[command(flatten)]
    pub(crate) on: On,
    /// The way out.
    #[arg(long, value_enum, default_value = "dry-run")]
    pub(crate) gateway: GatewayWord,
    /// Folder for worklists.
    #[arg(long, value_name = "DIR", default_value = "worklists")]
    pub(crate) worklists: PathBuf,
    /// Where calls go instead of the provider's own host, for example a proxy that signs them.
    #[arg(long, value_name = "URL")]
    pub(crate) endpoint: Option<String>,
    /// A value that a call needs and no record shows; may be repeated.
    #[arg(long = "given", value_name = "NAME=VALUE")]
    pub(crate) given: Vec<String>,
    /// Also what was ruled to hold only up to an instant that has passed.
    #[arg(long)]
    pub(crate) past_until: bool,
    /// Say what became of lines that were begun, instead of carrying anything out.
    #[arg(long, value_enum)]
    pub(crate) tick: Option<TickWord>,
    /// The provider's number of what it did, with --tick done; may be repeated.
    #[arg(long, value_name = "NUMBER", requires = "tick")]
    pub(crate) reference: Vec<String>,
    /// What the provider said, with --tick failed or not_done.
    #[arg(long, value_name = "TEXT", requires = "tick")]
    pub(crate) said: Option<String>,
    /// A worklist that somebody ticked off.
    #[arg(long, value_name = "FILE", conflicts_with = "tick")]
    pub(crate) ticked: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Settle {
    /// The case; without it, what is still to come of all cases.
    pub(crate) case: Option<String>,
    /// The line that it came for.
    #[arg(long, value_name = "N")]
    pub(crate) line: Option<u32>,
    /// How much came.
    #[arg(long, value_name = "AMOUNT", requires = "currency", allow_hyphen_values = true)]
    pub(crate) amount: Option<String>,
    /// In which currency.
    #[arg(long, value_name = "CODE")]
    pub(crate) currency: Option<String>,
    /// What had paid: cash, card, cash_coupon ...
    #[arg(long, value_name = "INSTRUMENT")]
    pub(crate) instrument: Option<String>,
    /// Where it went: account_balance, original_payment_method ...
    #[arg(long, value_name = "DESTINATION")]
    pub(crate) to: Option<String>,
    /// When it came.
    #[arg(long, value_name = "TIME")]
    pub(crate) on: Option<String>,
    /// The provider's number of it. The same number is booked once.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) reference: Option<String>,
    /// Refund orders, bills or FOCUS rows that show what came; may be repeated.
    #[arg(long, value_name = "FILE", conflicts_with = "amount")]
    pub(crate) from: Vec<String>,
    /// Strike a receipt that was booked wrongly.
    #[arg(long, value_name = "RECEIPT", conflicts_with_all = ["amount", "from"])]
    pub(crate) strike: Option<String>,
    /// Only what is late; exits 1 where something is.
    #[arg(long, conflicts_with_all = ["amount", "from", "strike"])]
    pub(crate) overdue: bool,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) when: When,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Tick {
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) who: Who,
    #[command(flatten)]
    pub(crate) when: When,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Show {
    /// The case; without it, all cases.
    pub(crate) case: Option<String>,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct History {
    /// The case; without it, the whole journal.
    pub(crate) case: Option<String>,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[command(flatten)]
    pub(crate) on: On,
}

#[derive(Debug, Args)]
pub(crate) struct Verify {
    /// A hash that was noted down earlier and must be in the chain.
    #[arg(long, value_name = "HASH")]
    pub(crate) head: Option<String>,
    /// Make what is derived from the journal again, first.
    #[arg(long)]
    pub(crate) rebuild: bool,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) answer: Answer,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    /// The journal, entry by entry with its hashes, instead of the cases as they stand.
    #[arg(long)]
    pub(crate) journal: bool,
    #[command(flatten)]
    pub(crate) desk: Desk,
    #[command(flatten)]
    pub(crate) answer: Answer,
}
