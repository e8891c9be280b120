use proptest::prelude::*;

use super::*;

const DIALECTS: [Dialect; 2] = [Dialect::Postgres, Dialect::Sqlite];

fn types() -> BTreeMap<&'static str, Type> {
    [("id", Type::Integer), ("day", Type::Date), ("note", Type::Text)].into()
}

fn parsed(written: &str, dialect: Dialect) -> Result<Statement, Vec<SqlError>> {
    parse(written, dialect, &types())
}

#[test]
fn names_become_positions_in_the_order_of_their_first_use() {
    let written = "select * from a where day > :day and id = :id or day < :day ;\n";
    let postgres = parsed(written, Dialect::Postgres).unwrap();
    let expected =
        "select * from a where day > ($1::date) and id = ($2::bigint) or day < ($1::date)";
    assert_eq!(
        (postgres.text.as_str(), postgres.names),
        (expected, vec!["day".into(), "id".into()])
    );
    let sqlite = parsed(written, Dialect::Sqlite).unwrap();
    assert_eq!(sqlite.text, "select * from a where day > ?1 and id = ?2 or day < ?1");
}

#[test]
fn what_only_looks_like_a_name_stays() {
    for written in [
        "select ':id', ':day'':id'",
        "select \":id\" from a",
        "select 1 -- :id\n",
        "select /* :id /* :day */ */ 1",
        "select a::text, b :: date",
        "select list[1:2], list[low:high], list[f(x):id]",
    ] {
        let statement = parsed(written, Dialect::Postgres).unwrap();
        assert_eq!((statement.text.as_str(), statement.names.len()), (written.trim_end(), 0));
    }
    for written in ["select $$:id$$", "select $x$ :id $$ :day $x$", "select E'\\':id'"] {
        assert_eq!(parsed(written, Dialect::Postgres).unwrap().text, written);
    }
    for written in ["select `:id` from a", "select ':id' -- it's :day"] {
        assert_eq!(parsed(written, Dialect::Sqlite).unwrap().text, written);
    }
}

#[test]
fn a_name_may_follow_a_word_where_there_are_no_slices() {
    let written = "select case when 1 then:id end";
    let statement = parsed(written, Dialect::Sqlite).unwrap();
    assert_eq!(statement.text, "select case when 1 then?1 end");
}

#[test]
fn a_cast_or_an_index_follows_a_name() {
    let text = |written| parsed(written, Dialect::Postgres).unwrap().text;
    assert_eq!(text("select :note::uuid"), "select ($1::text)::uuid");
    assert_eq!(text("select :id[1]"), "select ($1::bigint)[1]");
    assert_eq!(text("select (:id)"), "select (($1::bigint))");
    assert_eq!(
        text("select 'ä→' ||\n '→' || :note || 'ü'"),
        "select 'ä→' ||\n '→' || ($1::text) || 'ü'"
    );
}

#[test]
fn mistakes_are_all_told_with_their_places() {
    let told = |written| {
        let mistakes = parsed(written, Dialect::Sqlite).unwrap_err();
        mistakes.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        told("select :ide,\n  :dya"),
        [
            "names `:ide` at line 1, column 8 of the text, which is no parameter",
            "names `:dya` at line 2, column 3 of the text, which is no parameter",
        ]
    );
    assert_eq!(
        told("select 1; select 2"),
        ["holds a second statement at line 1, column 11 of the text"]
    );
    assert_eq!(
        told("select ?1"),
        ["holds `?1` at line 1, column 8 of the text: positions are not written by hand"]
    );
    assert_eq!(
        told("select @id, :1"),
        [
            "holds `@` at line 1, column 8 of the text: positions are not written by hand",
            "holds `:1` at line 1, column 13 of the text: positions are not written by hand",
        ]
    );
    assert_eq!(told(" -- nothing\n ;"), ["is empty"]);
    assert!(told("select 'open")[0].starts_with("is no SQL: Unterminated string"));
}

#[test]
fn the_first_word_tells_what_a_statement_does() {
    for (written, verb) in [
        ("-- a comment\nSELECT 1", Verb::Reads),
        ("with a as (select 1) select * from a", Verb::Reads),
        ("insert into a values (1)", Verb::Writes),
        ("drop table a", Verb::Writes),
        ("Begin", Verb::Transaction),
        ("rollback", Verb::Transaction),
    ] {
        assert_eq!(parsed(written, Dialect::Sqlite).unwrap().verb, verb, "{written}");
    }
}

/// Pieces of SQL in which no name is a parameter, and parameters, each with whether it is one.
fn piece() -> impl Strategy<Value = (String, bool)> {
    let quiet = "[a-z :äß→,\n]{0,12}";
    prop_oneof![
        quiet.prop_map(|text| (format!("'{text} :id '' :day'"), false)),
        quiet.prop_map(|text| (format!("\"{text}:id\""), false)),
        quiet.prop_map(|text| (format!("-- {} :id\n", text.replace('\n', " ")), false)),
        quiet.prop_map(|text| (format!("/* {text}:id */"), false)),
        Just(("a::date".to_owned(), false)),
        Just((":id".to_owned(), true)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn only_parameters_change(pieces in prop::collection::vec(piece(), 0..12)) {
        let joined = |position: Option<&str>| {
            let texts = pieces.iter().map(|(text, is_name)| match position {
                Some(position) if *is_name => position,
                _ => text.as_str(),
            });
            format!("select 1 {} x", texts.collect::<Vec<_>>().join(" "))
        };
        for (dialect, position) in DIALECTS.into_iter().zip(["($1::bigint)", "?1"]) {
            let statement = parsed(&joined(None), dialect).unwrap();
            prop_assert_eq!(statement.text, joined(Some(position)));
        }
    }

    #[test]
    fn any_text_is_parsed_or_refused(text in "\\PC{0,80}") {
        for dialect in DIALECTS {
            let _ = parsed(&text, dialect);
        }
    }
}
