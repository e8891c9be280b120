//! The caller interrupts while an appointment is booked, at any point: the row is there exactly
//! once, and the model is told of it at its next turn.

use chrono::{Datelike, NaiveDate, Weekday};
use futures_util::{StreamExt, stream};
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use voicegraph_database::{Database, Dialect};
use voicegraph_engine::event::ToolStage;
use voicegraph_simulators::{Folder, Script};
use voicegraph_tests::typed::{Line, Read, Typed};

use crate::clinic::seeded;
use crate::place::{self, Place, number, run};

/// How many calls are interrupted, in each dialect.
const CALLS: usize = 100;

/// How many of them go on at once.
const AT_ONCE: usize = 10;

/// The latest that a caller interrupts: some come before the model calls the tool, most while it
/// is at work, some after it.
const LATEST_US: u64 = 80_000;

/// Makes each booking take some time.
fn dawdle(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Postgres => {
            "create function dawdle() returns trigger language plpgsql as $$
               begin perform pg_sleep(0.02); return new; end $$;
             create trigger dawdle before insert on appointments
               for each row execute function dawdle();"
        }
        Dialect::Sqlite => {
            "create trigger dawdle before insert on appointments begin
               select count(*) from (
                 with recursive n (i) as (select 1 union all select i + 1 from n where i < 10000)
                 select i from n);
             end;"
        }
    }
}

/// Free half hours of the sample data's third doctor, in UTC: those between one and five of ten
/// working days.
pub(crate) fn slots() -> Vec<String> {
    let tuesday = NaiveDate::from_ymd_opt(2026, 3, 10).unwrap();
    let working = |day: &NaiveDate| !matches!(day.weekday(), Weekday::Sat | Weekday::Sun);
    let days = tuesday.iter_days().filter(working).take(13);
    let times = |day: NaiveDate| {
        (26..34).map(move |half| format!("{day}T{:02}:{:02}:00Z", half / 2, half % 2 * 30))
    };
    days.flat_map(times).collect()
}

/// A model that books when it is asked to, and tells what it knows of it.
fn script(starts_at: &str) -> Script {
    let text = format!(
        r#"
        [openai]
        first_token_ms = 5
        token_ms = 1

        [[openai.rules]]
        user = "book it"
        tool_calls = [{{ name = "book_appointment", arguments = {{ doctor_id = 3, starts_at = "{starts_at}" }} }}]

        [[openai.rules]]
        after_tool = "book_appointment"
        tool_result = "appointment_id"
        reply = "It is booked."

        [[openai.rules]]
        user = "did it work"
        earlier_result = "appointment_id"
        reply = "Yes."

        [[openai.rules]]
        user = "did it work"
        reply = "No."
        "#
    );
    Script::from_toml(&text, &Folder(".".into())).unwrap_or_else(|error| panic!("{error}"))
}

/// What became of one call.
struct Interrupted {
    read: Read,
    rows: i64,
}

async fn interrupt(
    place: &Place,
    database: &Database,
    index: usize,
    starts_at: &str,
) -> Interrupted {
    let after = StdRng::seed_from_u64(index as u64).random_range(0..LATEST_US);
    let say = |text: &str, interrupt_after_us| Line { text: text.to_owned(), interrupt_after_us };
    let call = Typed {
        lines: vec![say("book it", Some(after)), say("did it work", None)],
        caller: Some("+441632960101".to_owned()),
        database_url: place.tool_url(),
        seed: index as u64,
    };
    let read = call.call(&script(starts_at)).await;
    let rows = format!(
        "select count(*) from appointments where appointment_datetime = '{starts_at}' and doctor_id = 3"
    );
    Interrupted { read, rows: number(database, &rows).await }
}

#[tokio::test]
async fn an_interrupted_booking_is_there_once_and_the_model_knows() {
    for place in place::both().await {
        let database = seeded(&place).await;
        run(&database, dawdle(place.dialect)).await.unwrap();
        let slots = slots();
        let calls = slots.iter().take(CALLS).enumerate();
        let calls = calls.map(|(index, slot)| interrupt(&place, &database, index, slot));
        let ended: Vec<Interrupted> = stream::iter(calls).buffered(AT_ONCE).collect().await;
        assert_eq!(ended.len(), CALLS);
        let in_the_middle = ended.iter().filter(|one| one.check()).count();
        assert!(in_the_middle >= CALLS / 10, "{:?}: only {in_the_middle}", place.dialect);
    }
}

impl Interrupted {
    /// Checks what must hold; tells whether the interruption came while the tool was at work.
    fn check(&self) -> bool {
        let Self { read, rows } = self;
        assert!(read.end.reason.is_ok(), "{read:?}");
        // A call that the interruption overtook on its way was never begun.
        let mut answers = read.tools.iter().filter(|note| note.stage == ToolStage::Answered);
        let answered = answers.next();
        let expected = if answered.is_some() { ("Yes.", 1) } else { ("No.", 0) };
        assert_eq!((read.answers[1].as_str(), *rows), expected, "{read:?}");
        answered.is_some_and(|note| note.during > 1)
    }
}
