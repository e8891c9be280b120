# The one door. CI calls the same commands: see .ci/run.

# Lists the recipes.
default:
    @just --list

# Format, lints and the rules of the house: the quick look before a commit.
check:
    cargo fmt --all --check
    cargo clippy --profile ci --workspace --all-targets -- --deny warnings
    cargo test --profile ci --workspace --test tidy

# Every test; installs what they need.
test *arguments:
    .ci/test {{arguments}}

# Whole calls under virtual time; `UPDATE_EXPECT=1 just sim` accepts what changed.
sim:
    cargo test --profile ci --workspace --test scenarios

# Measures; see benches/ for the question that each bench answers.
bench *filter:
    cargo bench --package voicegraph-benches -- {{filter}}

# Holds the budgets that the benches measure.
gate:
    cargo run --release --package voicegraph-benches --bin gate

# Ten thousand calls in virtual time; nothing may be left behind.
soak *arguments:
    cargo run --release --package voicegraph-benches --bin soak -- {{arguments}}

# Forty calls at once against processes of their own, for a minute.
load *arguments:
    cargo run --release --package voicegraph-benches --bin load -- {{arguments}}

# A hundred sessions in rooms next to the Python SDK's, and a thousand joins and leaves.
sessions *arguments:
    cargo run --release --package voicegraph-benches --bin sessions -- {{arguments}}

# Calls in rooms, step by step, until the machine has enough.
rooms *arguments:
    cargo build --release --package voicegraph
    cargo run --release --package voicegraph-benches --bin rooms -- {{arguments}}

# The playground's page: types, tests, and the committed bundle; `--write` makes the bundle anew.
page *arguments:
    .ci/page {{arguments}}

# A spoken call with simulated providers.
demo *arguments:
    cargo run --release -- demo {{arguments}}

# Throws bytes at one decoder with libFuzzer; `ls tests/fuzz/corpus` names them.
fuzz target time="60s":
    .ci/night fuzz {{time}} {{target}}

# Throws bytes at every decoder, in the build of the tests; with `SEEDS=100` more of them.
fuzz-all:
    cargo test --profile ci --workspace --test fuzz

# What takes hours: libFuzzer on each target, many seeds, soak and load at full length.
night *arguments:
    .ci/night {{arguments}}

# Unused dependencies, and licences, advisories, bans and sources of all.
dependencies:
    .ci/dependencies

# All that has to hold before a merge.
ci:
    .ci/run
