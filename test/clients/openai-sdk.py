"""OpenAI's own Python client against the real server: chat, responses, structured output, files, batches, embeddings."""

import io
import json
import time

import openai
from checks import ADDRESS, MODEL, check, expect, run_checks
from pydantic import BaseModel

client = openai.OpenAI(base_url=f"{ADDRESS}/v1", api_key="none", max_retries=0)
HELLO = [{"role": "user", "content": "Say hello."}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
        "strict": True,
    },
}


class Fruit(BaseModel):
    name: str
    ripe: bool


@check("a chat")
def chat():
    reply = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=16)
    expect(reply.choices[0].message.content and reply.usage.total_tokens > 0, reply)
    expect(reply._request_id, "no request id")


@check("a streamed chat with its usage")
def chat_stream():
    chunks = list(
        client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=16, stream=True, stream_options={"include_usage": True})
    )
    expect("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), "no text")
    expect(chunks[-1].usage and not chunks[-1].choices, "no usage at the end")


@check("the stream helper puts the same answer together")
def chat_helper():
    # Long enough to end by itself: the helper takes a limit that was reached for a failure.
    with client.chat.completions.stream(model=MODEL, messages=HELLO, max_tokens=400, temperature=0) as stream:
        kinds = {event.type for event in stream}
        final = stream.get_final_completion()
    expect({"chunk", "content.delta", "content.done"} <= kinds, kinds)
    plain = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=400, temperature=0)
    expect(final.choices[0].message.content == plain.choices[0].message.content, "another text than without the stream")


@check("several choices with log-probabilities")
def choices():
    reply = client.chat.completions.create(model=MODEL, messages=HELLO, max_tokens=4, n=2, logprobs=True, top_logprobs=3, seed=7)
    expect(len(reply.choices) == 2, len(reply.choices))
    expect(all(len(token.top_logprobs) == 3 for choice in reply.choices for token in choice.logprobs.content), "not 3 alternatives")


@check("parse with pydantic, chat")
def parse_chat():
    reply = client.chat.completions.parse(
        model=MODEL, messages=[{"role": "user", "content": "Describe a fruit as JSON."}], response_format=Fruit, max_tokens=400, temperature=0
    )
    expect(isinstance(reply.choices[0].message.parsed, Fruit), reply.choices[0].message)


@check("a tool that must be called, and its result")
def tools():
    ask = {"role": "user", "content": "Weather in Lima?"}
    first = client.chat.completions.create(model=MODEL, messages=[ask], tools=[TOOL], tool_choice="required", max_tokens=64, parallel_tool_calls=False)
    call = first.choices[0].message.tool_calls[0]
    expect(first.choices[0].finish_reason == "tool_calls" and json.loads(call.function.arguments)["city"] in ("Oslo", "Lima"), call)
    last = client.chat.completions.create(
        model=MODEL,
        messages=[ask, first.choices[0].message, {"role": "tool", "tool_call_id": call.id, "content": "20 degrees"}],
        tools=[TOOL],
        tool_choice="none",
        max_tokens=16,
    )
    expect(last.choices[0].message.content, "no answer")


@check("completions: echo, logprobs, token ids")
def completions():
    reply = client.completions.create(model=MODEL, prompt="The sky is", max_tokens=4, echo=True, logprobs=1)
    expect(reply.choices[0].text.startswith("The sky is"), reply.choices[0].text)
    expect(len(reply.choices[0].logprobs.tokens) > 4, "the prompt's tokens are not there")


@check("embeddings are refused by a model that has none, or are of one length")
def embeddings():
    try:
        reply = client.embeddings.create(model=MODEL, input=["one", "two"])
    except openai.BadRequestError as error:
        return f"refused: {error.code}"
    expect(len({len(item.embedding) for item in reply.data}) == 1, "vectors of several lengths")


@check("responses: a stream in the right order")
def responses_stream():
    events = list(client.responses.create(model=MODEL, input="Say hello.", max_output_tokens=16, stream=True))
    expect([event.sequence_number for event in events] == list(range(len(events))), "numbers with gaps")
    kinds = [event.type for event in events]
    expect(kinds[:2] == ["response.created", "response.in_progress"] and kinds[-1] in ("response.completed", "response.incomplete"), kinds)


@check("responses: the helper, and going on from it")
def responses_helper():
    with client.responses.stream(model=MODEL, input="Say hello.", max_output_tokens=400, temperature=0) as stream:
        text = "".join(event.delta for event in stream if event.type == "response.output_text.delta")
        final = stream.get_final_response()
    expect(final.output_text == text, "the pieces are not the whole")
    again = client.responses.create(model=MODEL, input="Again.", previous_response_id=final.id, max_output_tokens=8)
    expect(again.previous_response_id == final.id and again.usage.input_tokens > final.usage.input_tokens, again)
    expect(client.responses.retrieve(final.id).output_text == text, "another text when asked for again")
    client.responses.delete(final.id)


@check("responses: parse with pydantic")
def responses_parse():
    reply = client.responses.parse(model=MODEL, input="Describe a fruit as JSON.", text_format=Fruit, max_output_tokens=400, temperature=0)
    expect(isinstance(reply.output_parsed, Fruit), reply.output_text)


@check("responses: in the background, cancelled")
def responses_background():
    started = client.responses.create(model=MODEL, input="Count to a thousand.", background=True)
    expect(started.status in ("queued", "in_progress"), started.status)
    expect(client.responses.cancel(started.id).status in ("cancelled", "completed"), "not cancelled")


@check("responses: a custom tool takes free text")
def responses_custom():
    tool = {"type": "custom", "name": "note", "description": "Writes a note", "format": {"type": "text"}}
    events = list(
        client.responses.create(
            model=MODEL, input="Write a short note.", tools=[tool], tool_choice="required", parallel_tool_calls=False, max_output_tokens=200, stream=True
        )
    )
    done = [event for event in events if event.type == "response.output_item.done" and event.item.type == "custom_tool_call"]
    expect(done and done[0].item.name == "note" and isinstance(done[0].item.input, str), [event.type for event in events])


@check("files and a batch with a line that fails")
def batch():
    lines = [
        {"custom_id": "good", "method": "POST", "url": "/v1/chat/completions", "body": {"model": MODEL, "messages": HELLO, "max_tokens": 4}},
        {"custom_id": "bad", "method": "POST", "url": "/v1/chat/completions", "body": {"model": MODEL, "messages": []}},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    file = client.files.create(file=("lines.jsonl", io.BytesIO(text.encode())), purpose="batch")
    expect(client.files.content(file.id).text == text, "another content")
    job = client.batches.create(input_file_id=file.id, endpoint="/v1/chat/completions", completion_window="24h")
    deadline = time.monotonic() + 120
    while job.status not in ("completed", "failed", "expired", "cancelled"):
        expect(time.monotonic() < deadline, f"still {job.status} after two minutes")
        time.sleep(0.2)
        job = client.batches.retrieve(job.id)
    expect((job.request_counts.completed, job.request_counts.failed) == (1, 1), job)
    good = json.loads(client.files.content(job.output_file_id).text)
    expect(good["custom_id"] == "good" and good["response"]["status_code"] == 200, good)
    client.files.delete(file.id)


@check("errors are the classes that the client knows")
def errors():
    cases = [
        (openai.NotFoundError, {"model": "nobody", "messages": HELLO}),
        (openai.BadRequestError, {"model": MODEL, "messages": HELLO, "max_tokens": -5}),
        (openai.BadRequestError, {"model": MODEL, "messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:,"}}]}]}),
        (openai.BadRequestError, {"model": MODEL, "messages": [{"role": "user", "content": "long " * 20000}]}),
    ]
    for kind, body in cases:
        try:
            client.chat.completions.create(**body)
        except openai.APIStatusError as error:
            expect(isinstance(error, kind) and error.code and error.request_id, f"{type(error)}: {error.code}")
        else:
            raise AssertionError(f"no {kind}")


run_checks()
