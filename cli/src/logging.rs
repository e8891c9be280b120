//! Logs: to standard error, and to daily files where a folder is given.

use tracing_appender::non_blocking::WorkerGuard;
use tracing_subscriber::filter::ParseError;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

use crate::args::{Arguments, LogFormat};

/// How many days of log files are kept.
const KEPT_DAYS: usize = 14;

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LoggingError {
    /// The filter cannot be read.
    #[error("--log {filter:?} is no filter: {source}; write a level such as \"info\"")]
    Filter { filter: String, source: ParseError },
    /// The folder cannot be written to.
    #[error("cannot write logs to {dir}: {source}")]
    Folder { dir: String, source: tracing_appender::rolling::InitError },
}

/// Sets logging up. Log lines still in memory are written when the guard is dropped.
pub(crate) fn start(arguments: &Arguments) -> Result<Option<WorkerGuard>, LoggingError> {
    let filter = EnvFilter::try_new(&arguments.log)
        .map_err(|source| LoggingError::Filter { filter: arguments.log.clone(), source })?;
    let to_stderr = layer(arguments.log_format, std::io::stderr);
    let Some(dir) = &arguments.log_dir else {
        tracing_subscriber::registry().with(to_stderr.with_filter(filter)).init();
        return Ok(None);
    };
    let files = tracing_appender::rolling::Builder::new()
        .rotation(tracing_appender::rolling::Rotation::DAILY)
        .filename_prefix("voicegraph")
        .filename_suffix("log")
        .max_log_files(KEPT_DAYS)
        .build(dir)
        .map_err(|source| LoggingError::Folder { dir: dir.display().to_string(), source })?;
    let (writer, guard) = tracing_appender::non_blocking(files);
    let to_files = layer(LogFormat::Json, writer);
    let layers = to_stderr.and_then(to_files);
    tracing_subscriber::registry().with(layers.with_filter(filter)).init();
    Ok(Some(guard))
}

fn layer<W>(format: LogFormat, writer: W) -> Box<dyn Layer<Registry> + Send + Sync>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    match format {
        LogFormat::Text => fmt::layer().with_writer(writer).boxed(),
        LogFormat::Json => fmt::layer().json().with_writer(writer).boxed(),
    }
}
