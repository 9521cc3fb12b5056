"""Anthropic's own Python client against the real server."""

import json
import typing

import anthropic
from checks import ADDRESS, MODEL, check, expect, run_checks

client = anthropic.Anthropic(base_url=ADDRESS, api_key="none", max_retries=0)
HELLO = {"model": MODEL, "max_tokens": 24, "messages": [{"role": "user", "content": "Say hello."}]}
TOOL = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
}


def text_of(message):
    return "".join(block.text for block in message.content if block.type == "text")


@check("a message")
def message():
    reply = client.messages.create(**HELLO)
    expect(reply.type == "message" and reply.role == "assistant" and text_of(reply), "no text")
    expect(reply.stop_reason in ("end_turn", "max_tokens"), reply.stop_reason)
    expect(reply.usage.output_tokens > 0, "no output tokens")
    expect(reply._request_id, "no request id")


@check("usage adds up: what is cached is beside the input, in a stream from its start")
def usage():
    body = {**HELLO, "messages": [{"role": "user", "content": "Count the planets of the sun and name each of them, slowly."}]}
    counted = client.messages.count_tokens(model=MODEL, messages=body["messages"]).input_tokens
    first = client.messages.create(**body).usage
    expect(first.input_tokens + first.cache_read_input_tokens == counted, f"{first} is not {counted}")
    with client.messages.stream(**body) as stream:
        events = list(stream)
    start = next(event for event in events if event.type == "message_start").message.usage
    end = stream.get_final_message().usage
    expect(end.cache_read_input_tokens > 0, "the second time nothing was cached")
    expect(start.input_tokens + start.cache_read_input_tokens == counted, f"at the start: {start}, not {counted}")
    expect((start.input_tokens, start.cache_read_input_tokens) == (end.input_tokens, end.cache_read_input_tokens), f"{start} then {end}")


@check("a stream, with the helper")
def stream_helper():
    with client.messages.stream(**HELLO) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    expect(text and text == text_of(final), "the pieces are not the whole")


@check("a stream without the helper, event by event")
def raw_stream():
    kinds = [event.type for event in client.messages.create(**HELLO, stream=True)]
    expect(kinds[0] == "message_start" and kinds[-2:] == ["message_delta", "message_stop"], kinds)
    expect("content_block_start" in kinds and "content_block_stop" in kinds, kinds)


@check("tools: called, answered, and told on")
def tools():
    ask = {"role": "user", "content": "What is the weather in Oslo? Use the tool."}
    first = client.messages.create(model=MODEL, max_tokens=64, tools=[TOOL], tool_choice={"type": "tool", "name": "get_weather"}, messages=[ask])
    expect(first.stop_reason == "tool_use", first.stop_reason)
    calls = [block for block in first.content if block.type == "tool_use"]
    expect(calls and calls[0].input["city"] in ("Oslo", "Lima"), calls)
    results = [{"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees, rain"} for call in calls]
    last = client.messages.create(
        model=MODEL,
        max_tokens=24,
        tools=[TOOL],
        tool_choice={"type": "none"},
        messages=[ask, {"role": "assistant", "content": first.content}, {"role": "user", "content": results}],
    )
    expect(last.stop_reason in ("end_turn", "max_tokens") and text_of(last), last)


@check("the tool runner goes round")
def tool_runner():
    asked = []

    @anthropic.beta_tool
    def get_weather(city: typing.Literal["Oslo", "Lima"]) -> str:
        """Current weather of a city.

        Args:
            city: its name
        """
        asked.append(city)
        return "12 degrees"

    runner = client.beta.messages.tool_runner(
        model=MODEL,
        max_tokens=64,
        max_iterations=2,
        tools=[get_weather],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        messages=[{"role": "user", "content": "Weather in Oslo?"}],
    )
    expect(len(list(runner)) >= 1 and asked, "the tool was not run")


@check("a tool's arguments stream as JSON")
def tool_stream():
    with client.messages.stream(
        model=MODEL,
        max_tokens=64,
        tools=[TOOL],
        tool_choice={"type": "any", "disable_parallel_tool_use": True},
        messages=[{"role": "user", "content": "Weather in Lima?"}],
    ) as stream:
        pieces = [event.partial_json for event in stream if event.type == "input_json"]
        final = stream.get_final_message()
    block = next(block for block in final.content if block.type == "tool_use")
    expect(json.loads("".join(pieces)) == block.input, "the pieces are not the arguments")


@check("thinking, on and adaptive")
def thinking():
    body = {**HELLO, "max_tokens": 1100}
    body["messages"] = [{"role": "user", "content": "Hi"}]
    enabled = client.messages.create(**body, thinking={"type": "enabled", "budget_tokens": 1024}, stop_sequences=["\n"])
    expect(enabled.stop_reason in ("end_turn", "stop_sequence", "max_tokens"), enabled.stop_reason)
    adaptive = client.messages.create(**{**body, "max_tokens": 8}, thinking={"type": "adaptive"})
    expect(adaptive.content, "nothing was said")


@check("tokens are counted, with a system text and tools")
def count():
    plain = client.messages.count_tokens(model=MODEL, messages=HELLO["messages"]).input_tokens
    more = client.messages.count_tokens(model=MODEL, messages=HELLO["messages"], system="Be brief. " * 20, tools=[TOOL]).input_tokens
    expect(0 < plain < more, f"{plain}, {more}")


@check("models are listed and described")
def models():
    listed = list(client.models.list())
    expect(listed and listed[0].type == "model", listed)
    expect(client.models.retrieve(listed[0].id).id == listed[0].id, "another model")


@check("system blocks with marks for a cache are accepted")
def system_blocks():
    reply = client.messages.create(
        **HELLO,
        system=[
            {"type": "text", "text": "You are terse."},
            {"type": "text", "text": "Answer in English.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
        ],
        metadata={"user_id": "user_1"},
    )
    expect(text_of(reply), "no text")


@check("stop sequences end the text, and are named")
def stops():
    reply = client.messages.create(
        **{**HELLO, "max_tokens": 60, "messages": [{"role": "user", "content": "Count: one two three four"}]},
        stop_sequences=["e", "o"],
        extra_body={"temperature": 0},
    )
    expect(reply.stop_reason == "stop_sequence" and reply.stop_sequence in ("e", "o"), reply)
    expect("e" not in text_of(reply) and "o" not in text_of(reply), text_of(reply))


@check("an answer that the caller began is continued")
def prefill():
    reply = client.messages.create(
        **{**HELLO, "messages": [{"role": "user", "content": "Reply with a JSON object."}, {"role": "assistant", "content": '{"answer": "'}]},
        extra_body={"temperature": 0},
    )
    expect(text_of(reply) and not text_of(reply).startswith('{"answer"'), text_of(reply))


@check("structured output is valid")
def structured():
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"], "additionalProperties": False}
    reply = client.messages.create(**{**HELLO, "max_tokens": 200}, output_config={"format": {"type": "json_schema", "schema": schema}})
    if reply.stop_reason != "max_tokens":
        expect(isinstance(json.loads(text_of(reply))["n"], int), text_of(reply))


@check("errors are the classes that the client knows")
def errors():
    cases = [
        (anthropic.NotFoundError, {**HELLO, "model": "nobody"}),
        (anthropic.BadRequestError, {**HELLO, "max_tokens": 0}),
        (anthropic.BadRequestError, {**HELLO, "messages": [{"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}]}]}),
        (anthropic.BadRequestError, {**HELLO, "messages": [{"role": "user", "content": "long " * 20000}]}),
    ]
    for kind, body in cases:
        try:
            client.messages.create(**body)
        except anthropic.APIStatusError as error:
            expect(isinstance(error, kind), f"{type(error)} instead of {kind}")
            expect(error.body["type"] == "error" and error.request_id, error.body)
        else:
            raise AssertionError(f"no {kind}")


@check("a stream that is left early leaves nothing behind")
def left():
    with client.messages.stream(**{**HELLO, "max_tokens": 2000}) as stream:
        for _ in stream.text_stream:
            break
    expect(text_of(client.messages.create(**{**HELLO, "max_tokens": 2})), "no answer afterwards")


run_checks()
