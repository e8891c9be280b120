//! Pass 1, `source`: finds a pipeline's files and reads them.
//!
//! In comes a folder or a file, and an environment's name; out come texts under the names that
//! diagnostics call them by. This is the only pass that touches the file system.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::suggest;
use crate::diagnostic::{Diagnostic, Files, SourceId, Span, codes};
use crate::graph::is_name;

/// The file that a pipeline's folder must have.
pub const BASE_FILE: &str = "pipeline.toml";

/// The largest file that is read, in bytes.
pub const MAX_FILE_BYTES: usize = 1024 * 1024;

/// The name of the environment without an overlay.
const BASE_ENVIRONMENT: &str = "base";

/// The texts of one pipeline in one environment.
#[derive(Clone, Debug)]
pub struct Sources {
    pub(crate) files: Files,
    pub(crate) base: Option<SourceId>,
    pub(crate) overlay: Option<SourceId>,
    pub(crate) environment: String,
    pub(crate) found: Vec<Diagnostic>,
}

impl Sources {
    /// Reads a pipeline: its folder or its base file, and the overlay of `environment` beside it.
    /// What cannot be read is told by [`compile`](super::compile), with all other mistakes.
    pub fn read(pipeline: &Path, environment: Option<&str>) -> Self {
        let base = match pipeline.is_dir() {
            true => pipeline.join(BASE_FILE),
            false => pipeline.to_owned(),
        };
        let mut sources = Self::empty(environment);
        sources.base = sources.add_file(&base);
        if let Some(environment) = environment {
            match overlay_path(&base, environment) {
                Ok(path) => sources.overlay = sources.add_file(&path),
                Err(unknown) => sources.found.push(unknown),
            }
        }
        sources
    }

    /// A pipeline that is already at hand: its base, and an environment's name with its overlay.
    pub fn from_text(base: &str, overlay: Option<(&str, &str)>) -> Self {
        let mut sources = Self::empty(overlay.map(|(environment, _)| environment));
        sources.base = sources.add_text(BASE_FILE.to_owned(), base);
        if let Some((environment, text)) = overlay {
            sources.overlay = sources.add_text(format!("{environment}.toml"), text);
        }
        sources
    }

    fn empty(environment: Option<&str>) -> Self {
        Self {
            files: Files::default(),
            base: None,
            overlay: None,
            environment: environment.unwrap_or(BASE_ENVIRONMENT).to_owned(),
            found: Vec::new(),
        }
    }

    fn add_file(&mut self, path: &Path) -> Option<SourceId> {
        let name = path.display().to_string();
        match read_bounded(path) {
            Ok(bytes) => self.add_bytes(name, bytes),
            Err(error) => {
                let message = format!("failed to read {name}: {}", reason(&error));
                let help = format!("give a folder with a `{BASE_FILE}`, or the path of one");
                self.found.push(Diagnostic::new(&codes::UNREADABLE, message).help(help));
                None
            }
        }
    }

    fn add_bytes(&mut self, name: String, bytes: Vec<u8>) -> Option<SourceId> {
        let bytes = match String::from_utf8(bytes) {
            Ok(text) => return self.add_text(name, &text),
            Err(error) => error,
        };
        let at = bytes.utf8_error().valid_up_to();
        let message = format!("{name} is not UTF-8: byte {at} begins no character");
        let source = self.files.add(name, String::from_utf8_lossy(bytes.as_bytes()));
        let here = Span::new(source, at..at + char::REPLACEMENT_CHARACTER.len_utf8());
        let found = Diagnostic::new(&codes::NOT_UTF8, message).label(here, "not UTF-8");
        self.found.push(found.help("save the file as UTF-8"));
        None
    }

    fn add_text(&mut self, name: String, text: &str) -> Option<SourceId> {
        if text.len() > MAX_FILE_BYTES {
            let message = format!("{name} is larger than {MAX_FILE_BYTES} bytes");
            let help = "a pipeline is a few kilobytes long: is this the right file?";
            self.found.push(Diagnostic::new(&codes::FILE_TOO_LARGE, message).help(help));
            return None;
        }
        Some(self.files.add(name, text))
    }
}

/// At most one byte more than is allowed, so that an excess shows.
fn read_bounded(path: &Path) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE_BYTES as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// The reason in words that are the same on every system.
fn reason(error: &std::io::Error) -> String {
    match error.kind() {
        std::io::ErrorKind::NotFound => "there is no such file".to_owned(),
        std::io::ErrorKind::PermissionDenied => "it may not be read by this user".to_owned(),
        std::io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        kind => kind.to_string(),
    }
}

fn overlay_path(base: &Path, environment: &str) -> Result<PathBuf, Diagnostic> {
    let path = base.with_file_name(format!("{environment}.toml"));
    if is_environment(environment) && path != *base && path.is_file() {
        return Ok(path);
    }
    let known = environments(base);
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    let help = match (suggest::closest(environment, known.iter().copied()), known.as_slice()) {
        (Some(closest), _) => format!("did you mean `{closest}`?"),
        (None, []) => "there is none: leave the environment out".to_owned(),
        (None, known) => format!("the environments are {}", suggest::list(known.iter().copied())),
    };
    let message = format!("there is no environment {environment:?} beside {}", base.display());
    Err(Diagnostic::new(&codes::UNKNOWN_ENVIRONMENT, message).help(help))
}

/// A file's name and nothing more: never a path.
fn is_environment(name: &str) -> bool {
    is_name(name)
}

/// The environments that have an overlay beside `base`, in alphabetical order.
fn environments(base: &Path) -> Vec<String> {
    let folder = base.parent().filter(|folder| !folder.as_os_str().is_empty());
    let Ok(entries) = std::fs::read_dir(folder.unwrap_or(Path::new("."))) else {
        return Vec::new();
    };
    let paths = entries.filter_map(|entry| Some(entry.ok()?.path()));
    let overlays = paths.filter(|path| {
        path.extension().is_some_and(|extension| extension == "toml")
            && path.file_name() != base.file_name()
    });
    let mut names: Vec<String> =
        overlays.filter_map(|path| Some(path.file_stem()?.to_str()?.to_owned())).collect();
    names.retain(|name| is_environment(name));
    names.sort();
    names
}
