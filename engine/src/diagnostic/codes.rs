//! The catalogue: each code with its title and its explanation.
//!
//! A code is for ever: it is never given to another mistake. `E` refuses the pipeline, `W` warns.
//! The first two digits are the pass that finds it: 01 reading, 02 shape, 03 variables, 04 options,
//! 05 graph; warnings are 01. Each code has a folder of its own under `tests/diagnostics`.

/// Whether a mistake refuses the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The pipeline cannot run.
    Error,
    /// The pipeline runs; someone should look.
    Warning,
}

impl Severity {
    /// The name in text and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
        }
    }
}

/// An entry of the catalogue.
#[derive(Debug, PartialEq, Eq)]
pub struct Code {
    /// The code: `E0402`.
    pub id: &'static str,
    /// Whether it refuses the pipeline.
    pub severity: Severity,
    /// The mistake in a few words.
    pub title: &'static str,
    /// Why it is one, and what to do.
    pub explanation: &'static str,
}

impl Code {
    const fn error(id: &'static str, title: &'static str, explanation: &'static str) -> Self {
        Self { id, severity: Severity::Error, title, explanation }
    }

    const fn warning(id: &'static str, title: &'static str, explanation: &'static str) -> Self {
        Self { id, severity: Severity::Warning, title, explanation }
    }
}

/// The entry of that code.
pub fn find(id: &str) -> Option<&'static Code> {
    ALL.iter().copied().find(|code| code.id.eq_ignore_ascii_case(id))
}

/// Every entry, in order.
pub static ALL: &[&Code] = &[
    &SYNTAX,
    &DUPLICATE_KEY,
    &UNREADABLE,
    &NOT_UTF8,
    &FILE_TOO_LARGE,
    &NESTED_TOO_DEEP,
    &UNKNOWN_ENVIRONMENT,
    &NOTHING_TO_REMOVE,
    &OVERLAY_OF_NOTHING,
    &UNKNOWN_TABLE,
    &NAMELESS_PIPELINE,
    &WRONG_SHAPE,
    &BAD_NAME,
    &KINDLESS_NODE,
    &MALFORMED_EDGE,
    &REPEATED_EDGE,
    &UNKNOWN_EDGE_OPTION,
    &TOO_MANY_NODES,
    &TOO_MANY_EDGES,
    &TOO_MANY_VARIABLES,
    &UNKNOWN_VARIABLE_OPTION,
    &MISSING_VARIABLE,
    &MALFORMED_VARIABLE,
    &UNFIT_VARIABLE,
    &TOO_MUCH_TEXT,
    &UNKNOWN_KIND,
    &UNKNOWN_OPTION,
    &WRONG_TYPE,
    &OUT_OF_RANGE,
    &MISSING_OPTION,
    &UNKNOWN_CHOICE,
    &REFUSED_OPTION,
    &UNFIT_DECLARATION,
    &UNKNOWN_NODE,
    &UNKNOWN_PORT,
    &PAYLOAD_MISMATCH,
    &CYCLE,
    &UNFED_INPUT,
    &UNREAD_OUTPUT,
    &CROWDED_INPUT,
    &MISSING_ROLE,
    &REPEATED_ROLE,
    &LIMIT_OUT_OF_BOUNDS,
    &WRONG_LIMIT,
    &TWO_LIMITS,
    &UNKNOWN_OVERFLOW,
    &REPEATED_TOOL,
    &UNKNOWN_CALL_VARIABLE,
    &WRITTEN_SECRET,
    &ISOLATED_NODE,
    &UNUSED_VARIABLE,
];

pub(crate) static SYNTAX: Code = Code::error(
    "E0101",
    "the file is not TOML",
    "The text breaks a rule of TOML, so nothing after this place can be trusted and no \
     further pass runs. Strings stand in quotes, a table's header in brackets, and each key \
     is followed by `=` and a value.",
);

pub(crate) static DUPLICATE_KEY: Code = Code::error(
    "E0102",
    "a name is given twice",
    "A table, a node or an option can be defined once in a file. Give one of the two another \
     name, or remove it. To change a value for one environment, write it in that \
     environment's overlay.",
);

pub(crate) static UNREADABLE: Code = Code::error(
    "E0103",
    "a file cannot be read",
    "The pipeline is a folder with a `pipeline.toml`, or the path of such a file. The file \
     must exist and be readable by the user who runs this program.",
);

pub(crate) static NOT_UTF8: Code = Code::error(
    "E0104",
    "the file is not UTF-8",
    "TOML is UTF-8 text. Save the file with that encoding.",
);

pub(crate) static FILE_TOO_LARGE: Code = Code::error(
    "E0105",
    "the file is too large",
    "A pipeline is written by people and is a few kilobytes long. The limit keeps a wrong \
     path from being read as a pipeline.",
);

pub(crate) static NESTED_TOO_DEEP: Code = Code::error(
    "E0106",
    "tables or arrays are nested too deep",
    "Arrays, inline tables and dotted keys can be nested up to a fixed depth, which no option \
     of any kind comes near.",
);

pub(crate) static UNKNOWN_ENVIRONMENT: Code = Code::error(
    "E0107",
    "there is no such environment",
    "An environment `NAME` is the file `NAME.toml` beside `pipeline.toml`, which holds only \
     what differs there. Its name is made of letters, digits, `_` and `-`.",
);

pub(crate) static NOTHING_TO_REMOVE: Code = Code::error(
    "E0108",
    "`false` removes what does not exist",
    "In an overlay, `false` in place of a node or an edge removes it. Here the base has no \
     such node or edge; most likely its name is misspelt or it was renamed in the base. In \
     the base itself there is nothing to remove: leave the entry out.",
);

pub(crate) static OVERLAY_OF_NOTHING: Code = Code::error(
    "E0109",
    "the overlay changes a node that does not exist",
    "An overlay may change a node of the base, or add a new one, which then needs a `kind`. \
     This one has options but no `kind`, and the base has no node of that name.",
);

pub(crate) static UNKNOWN_TABLE: Code = Code::error(
    "E0201",
    "an unknown table or key",
    "A pipeline has four tables: `[pipeline]` with its `name`, `[variables]`, `[nodes]` and \
     `[edges]`.",
);

pub(crate) static NAMELESS_PIPELINE: Code = Code::error(
    "E0202",
    "the pipeline has no name",
    "The name stands in `[pipeline]`. It is what logs, metrics and `/health` call the \
     pipeline.",
);

pub(crate) static WRONG_SHAPE: Code = Code::error(
    "E0203",
    "a table, a value or a string is expected here",
    "`[pipeline]`, `[variables]`, `[nodes]`, `[edges]`, each variable, each node and each edge \
     are tables; a name and a `kind` are strings.",
);

pub(crate) static BAD_NAME: Code = Code::error(
    "E0204",
    "a name with characters that names cannot have",
    "A name begins with a letter, goes on with letters, digits, `_` and `-`, and ends with \
     none of `-`; it has at most 64 characters. Names become parts of edges, metrics and log \
     lines, where dots, blanks and arrows have meanings of their own.",
);

pub(crate) static KINDLESS_NODE: Code = Code::error(
    "E0205",
    "a node has no `kind`",
    "The `kind` says what the node is. `voicegraph nodes` lists the kinds.",
);

pub(crate) static MALFORMED_EDGE: Code = Code::error(
    "E0206",
    "an edge is not written as one",
    "An edge is a key in `[edges]`: the sending node, a dot and its output, an arrow, the \
     receiving node, a dot and its input. For example `\"llm.text -> tts.text\" = {}`.",
);

pub(crate) static REPEATED_EDGE: Code = Code::error(
    "E0207",
    "the same edge is written twice",
    "Blanks around the arrow make no difference: two keys that name the same two ports are \
     one edge.",
);

pub(crate) static UNKNOWN_EDGE_OPTION: Code = Code::error(
    "E0208",
    "an edge has no such option",
    "An edge has the options `limit`, `limit_ms` and `overflow`. Each has a default from the \
     port that the edge leads to.",
);

pub(crate) static TOO_MANY_NODES: Code = Code::error(
    "E0209",
    "too many nodes",
    "Each node is a task in every call. The limit keeps a generated file from taking the \
     process down.",
);

pub(crate) static TOO_MANY_EDGES: Code = Code::error(
    "E0210",
    "too many edges",
    "Each edge is a queue in every call. The limit keeps a generated file from taking the \
     process down.",
);

pub(crate) static TOO_MANY_VARIABLES: Code = Code::error(
    "E0211",
    "too many variables",
    "Each variable comes from outside with every call. The limit keeps what a call brings along \
     small.",
);

pub(crate) static UNKNOWN_VARIABLE_OPTION: Code = Code::error(
    "E0212",
    "a variable has no such option",
    "A variable has a `type` (`string`, `integer`, `number` or `boolean`) and may have a \
     `default`, a `description`, a `max_length` where it is a string, and the `attribute` of a \
     room's participant that fills it.",
);

pub(crate) static MISSING_VARIABLE: Code = Code::error(
    "E0301",
    "variables are not set",
    "A value names variables of the environment that are not set. `${NAME}` accepts an empty \
     one, `${NAME:?}` does not, and `${NAME:-default}` needs none.",
);

pub(crate) static MALFORMED_VARIABLE: Code = Code::error(
    "E0302",
    "a variable is not written as one",
    "In a string, `${NAME}` stands for a variable, `${NAME:-default}` for a variable with a \
     default, `${NAME:?message}` for one that must not be empty, and `$$` for a dollar. A \
     name is made of letters, digits and `_`. Variables cannot stand inside each other.",
);

pub(crate) static UNFIT_VARIABLE: Code = Code::error(
    "E0303",
    "a variable's value does not fit the option",
    "An option that is a number or a boolean may be given as a string made of one variable \
     alone. What the variable holds must then be written as TOML would write it: `300`, \
     `0.5`, `true`.",
);

pub(crate) static TOO_MUCH_TEXT: Code = Code::error(
    "E0304",
    "variables make too much text",
    "The values of variables, put into the strings of a pipeline, are limited together, so \
     that a small file cannot grow without bound.",
);

pub(crate) static UNKNOWN_KIND: Code =
    Code::error("E0401", "there is no such kind of node", "`voicegraph nodes` lists the kinds.");

pub(crate) static UNKNOWN_OPTION: Code = Code::error(
    "E0402",
    "the kind has no such option",
    "Each kind names its options, and an unknown one is refused, since most often it is a \
     misspelt one. `voicegraph nodes KIND` lists them.",
);

pub(crate) static WRONG_TYPE: Code = Code::error(
    "E0403",
    "an option has the wrong type",
    "TOML tells strings, integers, floats, booleans, arrays and tables apart: `300` is an \
     integer and `\"300\"` a string. Where a number is expected, an integer will do as well \
     as a float.",
);

pub(crate) static OUT_OF_RANGE: Code = Code::error(
    "E0404",
    "a value is out of range",
    "The option's range stands in `voicegraph nodes KIND`, with what its extremes do.",
);

pub(crate) static MISSING_OPTION: Code = Code::error(
    "E0405",
    "an option is missing",
    "The option has no default. `voicegraph nodes KIND` says what it is for.",
);

pub(crate) static UNKNOWN_CHOICE: Code = Code::error(
    "E0406",
    "the option has no such value",
    "The option takes one of a few words. `voicegraph nodes KIND` says what each does.",
);

pub(crate) static REFUSED_OPTION: Code = Code::error(
    "E0407",
    "the kind refuses an option",
    "The value has the right type and lies in range, but the kind cannot work with it: \
     options contradict each other, a file is missing, a pattern does not parse, or the like.",
);

pub(crate) static UNFIT_DECLARATION: Code = Code::error(
    "E0408",
    "a variable's declaration contradicts itself",
    "The `default` is of the declared `type` and keeps its limits, since a call that is given \
     nothing gets it; `max_length` is for strings.",
);

pub(crate) static UNKNOWN_NODE: Code = Code::error(
    "E0501",
    "an edge names a node that does not exist",
    "Both ends of an edge are nodes of the pipeline, as named in `[nodes]`.",
);

pub(crate) static UNKNOWN_PORT: Code = Code::error(
    "E0502",
    "an edge names a port that the node does not have",
    "Edges lead from an output to an input. `voicegraph nodes KIND` lists the ports of a \
     kind.",
);

pub(crate) static PAYLOAD_MISMATCH: Code = Code::error(
    "E0503",
    "an edge joins ports of different payloads",
    "A port carries one kind of payload, and an edge joins two ports of the same. To get from \
     one payload to another, put a node between that reads the one and makes the other.",
);

pub(crate) static CYCLE: Code = Code::error(
    "E0504",
    "edges lead in a circle",
    "A call is drained from its sources to its sinks, and a queue in a circle can fill up for \
     ever; so no path of edges may lead back to where it began. What must flow upstream has \
     other ways: a tool's result comes back with its call, and how much was heard is told by \
     the turn.",
);

pub(crate) static UNFED_INPUT: Code = Code::error(
    "E0505",
    "a required input has no edge",
    "The node cannot work without this input. Add an edge that ends in it.",
);

pub(crate) static UNREAD_OUTPUT: Code = Code::error(
    "E0506",
    "a required output has no edge",
    "What the node makes here would be lost, which is never meant for this output. Add an \
     edge that begins in it.",
);

pub(crate) static CROWDED_INPUT: Code = Code::error(
    "E0507",
    "an input for one edge has several",
    "Messages of two edges would mix in no defined order, and the node expects one stream. \
     Remove one of the edges, or feed it to a node of its own.",
);

pub(crate) static MISSING_ROLE: Code = Code::error(
    "E0508",
    "the pipeline lacks a node that each call needs",
    "A call needs one node that takes the caller's audio, one that gives the agent's audio \
     back, and one that begins and interrupts turns.",
);

pub(crate) static REPEATED_ROLE: Code = Code::error(
    "E0509",
    "two nodes have the same part in the call",
    "A call has one source of audio, one sink of audio and one owner of its turns. Remove one \
     of the nodes.",
);

pub(crate) static LIMIT_OUT_OF_BOUNDS: Code = Code::error(
    "E0510",
    "an edge's limit is out of bounds",
    "An edge holds at least one message and at most a fixed number of messages or \
     milliseconds. A queue beyond that is not slack but a defect of the pipeline: what waits \
     so long in a call is worthless when it is read.",
);

pub(crate) static WRONG_LIMIT: Code = Code::error(
    "E0511",
    "the limit has the wrong unit for what the edge carries",
    "Sound has a length, and its age is what hurts a call: its edges are limited in \
     milliseconds, by `limit_ms`. Other payloads have no length: their edges are limited in \
     messages, by `limit`.",
);

pub(crate) static TWO_LIMITS: Code = Code::error(
    "E0512",
    "an edge has two limits",
    "An edge is limited by `limit` or by `limit_ms`, as its payload demands, never by both.",
);

pub(crate) static UNKNOWN_OVERFLOW: Code = Code::error(
    "E0513",
    "there is no such overflow policy",
    "When an edge is full, `block` makes the sender wait, `drop_oldest` makes room, \
     `drop_newest` drops the new message, and `fail` ends the call. All that is dropped is \
     counted.",
);

pub(crate) static REPEATED_TOOL: Code = Code::error(
    "E0514",
    "two tools have the same name",
    "A model calls a tool by its name, so the tools that one node can call all need different \
     ones.",
);

pub(crate) static UNKNOWN_CALL_VARIABLE: Code = Code::error(
    "E0515",
    "a node uses a variable that is not declared",
    "What a call may be given from outside is declared in `[variables]`, with its type. A prompt \
     names it `{{name}}`, a statement `:variable_name`. What comes from the environment of the \
     process is written `${NAME}`.",
);

pub(crate) static WRITTEN_SECRET: Code = Code::warning(
    "W0101",
    "a secret stands in the file",
    "The file goes where the repository goes. Name a variable of the environment in place of \
     the secret: `${NAME:?}`. The pipeline works all the same, so this is a warning; \
     `--deny-warnings` refuses it.",
);

pub(crate) static ISOLATED_NODE: Code = Code::warning(
    "W0102",
    "a node has nothing to do with the call",
    "No path of edges joins the node with one that each call needs: the source and the sink of \
     audio, or the owner of turns. The graph is sound and would run, so this is a warning; but \
     the node takes a task in each call and changes nothing, which is never meant in a finished \
     pipeline.",
);

pub(crate) static UNUSED_VARIABLE: Code = Code::warning(
    "W0103",
    "no node uses a variable",
    "The variable is declared, and calls may be given it, but no prompt and no statement reads \
     it: most likely a name is misspelt, or something is left over.",
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_in_order_and_each_stands_once() {
        assert!(ALL.is_sorted_by(|one, other| one.id < other.id));
    }

    #[test]
    fn the_letter_is_the_severity() {
        for code in ALL {
            let error = code.severity == Severity::Error;
            assert_eq!(code.id.starts_with('E'), error, "{}", code.id);
        }
    }

    #[test]
    fn explanations_are_whole_sentences() {
        for code in ALL {
            assert!(code.explanation.ends_with('.'), "{}", code.id);
            assert!(!code.explanation.contains("  "), "{}", code.id);
        }
    }
}
