"""OpenAI's chat completions with the official SDK."""

import json

import openai

from strict import strict

HELLO = [{"role": "user", "content": "Hello!"}]
WEATHER = [{"role": "user", "content": "How is the weather in Rome, and what is the time?"}]
REPLY = "Hello there, how can I help? Ça va."


def tool(name, **properties):
    parameters = {"type": "object", "properties": properties}
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


TOOLS = [tool("get_weather", city={"type": "string"}), tool("get_time")]


def streamed_text_with_usage_at_the_end(base):
    options = {"include_usage": True}
    chunks = stream(base, messages=HELLO, stream_options=options)
    pieces = [choice.delta.content for chunk in chunks for choice in chunk.choices]
    assert "".join(piece or "" for piece in pieces) == REPLY, pieces
    assert len([piece for piece in pieces if piece]) > 1, "it came in one piece"
    assert finish_reasons(chunks) == ["stop"], chunks
    *before, last = chunks
    assert last.choices == [] and last.usage.completion_tokens > 0, last
    assert last.usage.total_tokens == last.usage.prompt_tokens + last.usage.completion_tokens, last
    assert all(chunk.usage is None for chunk in before), before
    assert len({(chunk.id, chunk.created, chunk.model) for chunk in chunks}) == 1, chunks


def parallel_tool_calls_then_their_results(base):
    chunks = stream(base, messages=WEATHER, tools=TOOLS)
    calls = gather(chunks)
    assert finish_reasons(chunks) == ["tool_calls"], chunks
    assert [call["name"] for call in calls] == ["get_weather", "get_time"], calls
    assert [json.loads(call["arguments"]) for call in calls] == [{"city": "Rome"}, {}], calls
    assert len({call["id"] for call in calls}) == 2, calls
    answer = ask(base, messages=[*WEATHER, *results(calls)], tools=TOOLS)
    assert answer.choices[0].message.content.startswith("It is sunny in Rome"), answer


def whole_answer(base):
    answer = strict(ask(base, messages=HELLO))
    assert answer.choices[0].message.content == REPLY, answer
    assert answer.choices[0].finish_reason == "stop" and answer.usage.total_tokens > 0, answer


def whole_tool_calls(base):
    answer = strict(ask(base, messages=WEATHER, tools=TOOLS))
    names = [call.function.name for call in answer.choices[0].message.tool_calls]
    assert names == ["get_weather", "get_time"], answer
    assert answer.choices[0].finish_reason == "tool_calls", answer


def wrong_key_is_an_authentication_error(base):
    try:
        ask(base, key="invalid", messages=HELLO)
    except openai.AuthenticationError as error:
        assert error.status_code == 401 and error.code == "invalid_api_key", error.body
    else:
        raise AssertionError("it was let in")


CHECKS = [
    streamed_text_with_usage_at_the_end,
    parallel_tool_calls_then_their_results,
    whole_answer,
    whole_tool_calls,
    wrong_key_is_an_authentication_error,
]


def ask(base, key="test-key", **request):
    client = openai.OpenAI(api_key=key, base_url=base, max_retries=0, timeout=5)
    return client.chat.completions.create(model="gpt-4.1-mini", **request)


def stream(base, **request):
    with ask(base, stream=True, **request) as chunks:
        return [strict(chunk) for chunk in chunks]


def finish_reasons(chunks):
    reasons = [choice.finish_reason for chunk in chunks for choice in chunk.choices]
    return [reason for reason in reasons if reason]


def gather(chunks):
    """The tool calls that the deltas make, in the order of their index."""
    calls = {}
    deltas = [choice.delta for chunk in chunks for choice in chunk.choices]
    for part in [part for delta in deltas for part in delta.tool_calls or []]:
        if part.index not in calls:
            calls[part.index] = {"id": part.id, "name": part.function.name, "arguments": ""}
        calls[part.index]["arguments"] += part.function.arguments or ""
    return [calls[index] for index in sorted(calls)]


def results(calls):
    """What a client adds to the conversation: the calls it was asked for, and a result of each."""
    functions = [{"name": call["name"], "arguments": call["arguments"]} for call in calls]
    asked = [
        {"id": call["id"], "type": "function", "function": function}
        for call, function in zip(calls, functions)
    ]
    answers = [{"role": "tool", "tool_call_id": call["id"], "content": "sunny"} for call in calls]
    return [{"role": "assistant", "content": None, "tool_calls": asked}, *answers]
