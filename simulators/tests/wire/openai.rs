//! `/v1/chat/completions`: what is answered, token by token.

use serde_json::{Value, json};
use voicegraph_simulators::Simulators;

use crate::client::{Http, post, simulators};

const SCRIPT: &str = r#"
    [openai]
    first_token_ms = 250
    token_ms = 15
    [[openai.rules]]
    greeting = true
    reply = "Good morning."
    [[openai.rules]]
    user = "BOOK"
    tool_calls = [
        { name = "book", arguments = { at = "ten" } },
        { name = "notify" },
    ]
    [[openai.rules]]
    after_tool = "book"
    tool_result = "taken"
    reply = "That is taken."
    [[openai.rules]]
    after_tool = "book"
    reply = "Done!"
    [[openai.rules]]
    turn = 2
    reply = "Second."
    first_token_ms = 40
    token_ms = 5
    [[openai.rules]]
    user = "hello"
    reply = "Hi there, friend."
"#;

/// A request with these messages, and whatever is in `more`.
fn body(messages: Value, more: Value) -> Value {
    let mut body = json!({ "model": "m" });
    body["messages"] = messages;
    let Value::Object(more) = more else { panic!("not an object: {more}") };
    for (key, value) in more {
        body[key] = value;
    }
    body
}

fn user(text: &str) -> Value {
    json!({ "role": "user", "content": text })
}

fn tools() -> Value {
    let tool = |name| json!({ "type": "function", "function": { "name": name } });
    json!([tool("book"), tool("notify")])
}

async fn send(simulators: &Simulators, body: &Value) -> Http {
    Http::send(simulators, &post("/v1/chat/completions", "", body)).await
}

/// The text of the answer to `messages`.
async fn reply(messages: Value, more: Value) -> Value {
    let answer = send(&simulators(SCRIPT), &body(messages, more)).await.json();
    answer["choices"][0]["message"]["content"].clone()
}

#[tokio::test(start_paused = true)]
async fn tokens_come_on_an_exact_grid() {
    let body = body(json!([user("hello")]), json!({ "stream": true }));
    let answer = send(&simulators(SCRIPT), &body).await;
    let events = answer.events();
    let deltas: Vec<_> = events[..events.len() - 1]
        .iter()
        .map(|(at, event)| (*at, event["choices"][0]["delta"].clone()))
        .collect();
    assert_eq!(
        deltas,
        [
            (250, json!({ "role": "assistant", "content": "", "refusal": null })),
            (250, json!({ "content": "Hi" })),
            (265, json!({ "content": " there" })),
            (280, json!({ "content": "," })),
            (295, json!({ "content": " friend" })),
            (310, json!({ "content": "." })),
            (325, json!({})),
        ]
    );
    assert_eq!(events[6].1["choices"][0]["finish_reason"], "stop");
    assert_eq!(events[7], (325, json!("[DONE]")));
    assert!(answer.is_whole && answer.head.contains("text/event-stream"));
    assert!(events.iter().all(|(_, event)| event.get("usage").is_none()));
}

#[tokio::test(start_paused = true)]
async fn usage_comes_last_when_asked_for() {
    let options = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let answer = send(&simulators(SCRIPT), &body(json!([user("hello")]), options)).await;
    let events = answer.events();
    let (_, last) = &events[events.len() - 2];
    assert_eq!(last["choices"], json!([]));
    assert_eq!(last["usage"]["completion_tokens"], 5);
    assert_eq!(last["usage"]["total_tokens"], 9);
    assert!(events[..events.len() - 2].iter().all(|(_, event)| event["usage"].is_null()));
}

#[tokio::test(start_paused = true)]
async fn tool_calls_come_one_after_another_in_fragments() {
    let more = json!({ "stream": true, "tools": tools(), "parallel_tool_calls": true });
    let answer = send(&simulators(SCRIPT), &body(json!([user("please book it")]), more)).await;
    let events = answer.events();
    let calls: Vec<_> = events
        .iter()
        .filter_map(|(at, event)| {
            let call = &event["choices"][0]["delta"]["tool_calls"][0];
            call.is_object().then(|| (*at, call.clone()))
        })
        .collect();
    let opening = |index, id, name| {
        json!({ "index": index, "id": id, "type": "function",
                "function": { "name": name, "arguments": "" } })
    };
    let fragment = |index, text| json!({ "index": index, "function": { "arguments": text } });
    assert_eq!(
        calls,
        [
            (250, opening(0, "call_00000001_0", "book")),
            (265, fragment(0, "{\"at\":")),
            (280, fragment(0, "\"ten\"}")),
            (295, opening(1, "call_00000001_1", "notify")),
            (310, fragment(1, "{}")),
        ]
    );
    assert_eq!(events[0].1["choices"][0]["delta"]["content"], Value::Null);
    assert_eq!(events[6].1["choices"][0]["finish_reason"], "tool_calls");
}

#[tokio::test(start_paused = true)]
async fn the_first_rule_that_fits_answers() {
    let none = json!({});
    let assistant = json!({ "role": "assistant", "content": "x" });
    let system = json!({ "role": "system", "content": "Be brief." });
    let cases = [
        (json!([system]), "Good morning."),
        (json!([user(" ")]), "Good morning."),
        (json!([user("well, Hello")]), "Hi there, friend."),
        (json!([user("a"), assistant, user("hello")]), "Second."),
        (json!([user("what?")]), "I am sorry, I did not understand that."),
        (
            json!([{ "role": "user", "content": [{ "type": "text", "text": "hello" }] }]),
            "Hi there, friend.",
        ),
    ];
    for (messages, expected) in cases {
        assert_eq!(reply(messages.clone(), none.clone()).await, expected, "{messages}");
    }
}

#[tokio::test(start_paused = true)]
async fn tool_results_are_answered_by_their_rules() {
    let call = json!({ "role": "assistant", "content": null, "tool_calls": [
        { "id": "c", "type": "function", "function": { "name": "book", "arguments": "{}" } },
    ] });
    let result = |text| json!({ "role": "tool", "tool_call_id": "c", "content": text });
    let more = json!({ "tools": tools() });
    for (text, expected) in [("{\"id\":1}", "Done!"), ("slot Taken", "That is taken.")] {
        let messages = json!([user("book it"), call, result(text)]);
        assert_eq!(reply(messages, more.clone()).await, expected);
    }
}

#[tokio::test(start_paused = true)]
async fn tool_choice_decides_whether_tools_are_called() {
    let none = json!({ "tools": tools(), "tool_choice": "none" });
    let text = reply(json!([user("book it")]), none).await;
    assert_eq!(text, "I am sorry, I did not understand that.");
    let forced = json!({ "type": "function", "function": { "name": "book" } });
    let more = json!({ "tools": tools(), "tool_choice": forced });
    let answer = send(&simulators(SCRIPT), &body(json!([user("book it")]), more)).await.json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    assert_eq!(answer["choices"][0]["message"]["tool_calls"][0]["function"]["name"], "book");
    let answer = send(&simulators(SCRIPT), &body(json!([user("book it")]), json!({}))).await;
    assert_eq!(answer.status(), 400, "script and client disagree about the tools");
}

#[tokio::test(start_paused = true)]
async fn a_whole_answer_comes_when_its_last_token_would_have() {
    let answer = send(&simulators(SCRIPT), &body(json!([user("hello")]), json!({}))).await;
    assert_eq!(answer.pieces[0].0, 325);
    let completion = answer.json();
    assert_eq!(completion["object"], "chat.completion");
    assert_eq!(completion["usage"]["completion_tokens"], 5);
    let limit = body(json!([user("hello")]), json!({ "max_tokens": 2 }));
    let limited = send(&simulators(SCRIPT), &limit).await.json();
    let choice = &limited["choices"][0];
    assert_eq!(
        (&choice["message"]["content"], &choice["finish_reason"]),
        (&json!("Hi there"), &json!("length"))
    );
}

#[tokio::test(start_paused = true)]
async fn a_rule_may_have_its_own_times() {
    let messages = json!([user("a"), user("b")]);
    let answer = send(&simulators(SCRIPT), &body(messages, json!({ "stream": true }))).await;
    let times: Vec<_> = answer.events().iter().map(|(at, _)| *at).collect();
    assert_eq!(times, [40, 40, 45, 50, 50]);
}

#[tokio::test(start_paused = true)]
async fn every_answer_carries_the_documented_headers() {
    let good = body(json!([user("hello")]), json!({}));
    for body in [good, json!({})] {
        let head = send(&simulators(SCRIPT), &body).await.head;
        for name in ["x-request-id", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-requests"] {
            assert!(head.contains(name), "{name} is missing in {head}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn errors_have_the_documented_shape() {
    let simulators = simulators("[openai]\nmodels = [\"m\"]");
    let good = body(json!([user("a")]), json!({}));
    let missing = body(json!([user("a")]), json!({ "model": "gpt-0" }));
    let request = |path: &str, body: &Value| post(path, "", body);
    let path = "/v1/chat/completions";
    let cases = [
        (request(path, &good).replace("Bearer key", "Bearer invalid"), 401, "invalid_api_key"),
        (request(path, &good).replace("Authorization", "X-Other"), 401, "invalid_api_key"),
        (request(path, &missing), 404, "model_not_found"),
        (request("/v1/chat", &good), 404, ""),
        (request("/v1/models", &good), 405, "method_not_supported"),
        (request(path, &json!({ "model": "m" })), 400, "missing_required_parameter"),
    ];
    for (request, status, code) in cases {
        let answer = Http::send(&simulators, &request).await;
        let error = &answer.json()["error"];
        assert_eq!((answer.status(), error["code"].as_str().unwrap_or("")), (status, code));
        assert!(error["message"].is_string() && error["type"].is_string());
        assert!(error.get("param").is_some());
    }
}

#[tokio::test(start_paused = true)]
async fn models_are_listed() {
    let get = post("/v1/models", "", &json!({})).replace("POST", "GET");
    let list = Http::send(&simulators(SCRIPT), &get).await.json();
    assert_eq!(list["object"], "list");
    assert_eq!(list["data"][0]["object"], "model");
}
