//! Files of any size to an output of any size: what each part of the input comes to is written by the thread that
//! assessed it.

use std::io::{self, Write};
use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use arrow_array::RecordBatch;
use recoup_engine::Assessor;
use recoup_engine::pipeline::Input;
use recoup_engine::stream::{Flow, Part, Render, stream};
use recoup_portfolio::parquet;
use recoup_report::Answered;
use recoup_report::parts::{Joined, PartFormat, PartWriter};

use crate::assess::Aside;
use crate::cli::{Answer, Assess, Format};
use crate::host::{Failure, Outcome, Status, say, threads};
use crate::output::{self, Written};
use crate::progress::Progress;
use crate::stop;

/// A format that is written part by part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// Parts are bytes.
    Text(PartFormat),
    /// Parts are rows.
    Parquet,
}

impl Form {
    /// The form of an answer; none where its format holds all rows, for people.
    pub(crate) fn of(answer: &Answer) -> Option<Self> {
        match output::format(answer) {
            Format::Json => Some(Self::Text(PartFormat::Json)),
            Format::Ndjson => Some(Self::Text(PartFormat::Ndjson)),
            Format::Csv => Some(Self::Text(PartFormat::Csv)),
            Format::Parquet => Some(Self::Parquet),
            Format::Table | Format::Markdown | Format::Html | Format::Focus => None,
        }
    }

    fn renderer(self) -> Renderer {
        match self {
            Self::Text(format) => Renderer::Text(format.writer(), Ok(())),
            Self::Parquet => Renderer::Rows(Box::default()),
        }
    }
}

/// What one thread writes its answers with.
enum Renderer {
    Text(PartWriter, io::Result<()>),
    Rows(Box<parquet::Rows>),
}

enum Rendered {
    Text(Vec<u8>),
    Rows(RecordBatch),
}

impl Render for Renderer {
    type Part = io::Result<Rendered>;

    fn add(&mut self, answered: &Answered) {
        match self {
            Self::Text(writer, failed) if failed.is_ok() => *failed = writer.add(answered),
            Self::Text(..) => {}
            Self::Rows(rows) => rows.add(answered),
        }
    }

    fn part(&mut self) -> Self::Part {
        match self {
            Self::Text(writer, failed) => {
                let text = writer.part()?;
                std::mem::replace(failed, Ok(())).map(|()| Rendered::Text(text))
            }
            Self::Rows(rows) => rows.take().map(Rendered::Rows).map_err(io::Error::other),
        }
    }
}

/// Where the parts of all threads come together.
enum Sink<W: Write + Send> {
    Text(Joined<W>),
    Parquet(Box<parquet::Writer<W>>),
}

impl<W: Write + Send> Sink<W> {
    fn begin(form: Form, out: W, threads: usize) -> io::Result<Self> {
        Ok(match form {
            Form::Text(format) => Self::Text(Joined::begin(format, out)?),
            Form::Parquet => Self::Parquet(Box::new(parquet::Writer::new(out, threads).map_err(io::Error::other)?)),
        })
    }

    fn add(&mut self, part: &Rendered) -> io::Result<()> {
        match (self, part) {
            (Self::Text(joined), Rendered::Text(text)) => joined.add(text),
            (Self::Parquet(writer), Rendered::Rows(rows)) => writer.add_rows(rows).map_err(io::Error::other),
            _ => Err(io::Error::other("a part of another format")),
        }
    }

    fn finish(self) -> io::Result<()> {
        match self {
            Self::Text(joined) => joined.finish(),
            Self::Parquet(writer) => writer.finish().map_err(io::Error::other),
        }
    }
}

/// Streams inputs to the place of an answer. Ctrl-C ends it with the parts that were begun.
pub(crate) fn streamed(
    assessor: &Assessor<'_>,
    inputs: Vec<Input>,
    args: &Assess,
    form: Form,
    progress: &Progress,
) -> Outcome {
    let stop = stop::asked();
    let only = args.question.provider.as_deref();
    let keep = |provider: &str, _: &str| only.is_none_or(|only| only == provider);
    let flow = Flow { threads: threads(&args.question), keep: &keep, stop };
    let (mut status, mut answered) = (Status::Done, 0);
    output::not_to_a_terminal(&args.answer)?;
    output::place(&args.answer, |out| {
        let failed = |error: io::Error| Failure::output(&error);
        let mut aside = Aside::new(progress);
        let mut sink = Sink::begin(form, out, flow.threads).map_err(failed)?;
        let mut written = Ok(());
        stream(
            assessor,
            inputs,
            &flow,
            || form.renderer(),
            |part: Part<io::Result<Rendered>>| {
                part.aside.into_iter().for_each(|said| aside.say(said));
                aside.answered(part.answered);
                written = part.rendered.and_then(|part| sink.add(&part));
                if written.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            },
        );
        answered = aside.answered;
        status = aside.finish();
        written.and_then(|()| sink.finish()).map_err(failed)?;
        Ok(if stop.load(Ordering::Relaxed) { Written::Part } else { Written::Whole })
    })?;
    if stop.load(Ordering::Relaxed) {
        say_stopped(&args.answer, answered);
        status = status.max(Status::Interrupted);
    }
    Ok(status)
}

/// Says how far a run came that was stopped.
fn say_stopped(answer: &Answer, answered: u64) {
    let place = match &answer.output {
        Some(path) => format!(" and stand in {}", output::part_of(path).display()),
        None => String::new(),
    };
    say(format_args!("stopped: {answered} resource(s) were assessed{place}; every one of them is whole"));
}
