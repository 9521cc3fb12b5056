"""LiteLLM's proxy in front of the real server: what reaches its callers. It is started here, by its own program."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

import anthropic
import openai
from checks import ADDRESS, MODEL, check, expect, run_checks

CONFIG = {
    "model_list": [{"model_name": "local", "litellm_params": {"model": f"openai/{MODEL}", "api_base": f"{ADDRESS}/v1", "api_key": "none"}}],
    "litellm_settings": {"num_retries": 0, "telemetry": False},
}
# Of this run's proxy alone.
KEY = f"sk-{secrets.token_hex(16)}"
HELLO = [{"role": "user", "content": "Say hello."}]


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(folder):
    """The proxy's process and its address, once it is ready."""
    file = os.path.join(folder, "litellm.yaml")
    with open(file, "w") as out:
        json.dump(CONFIG, out)  # JSON is YAML
    port = free_port()
    program = os.path.join(os.path.dirname(sys.executable), "litellm")
    command = [program, "--config", file, "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, stdout=sys.stderr, stderr=sys.stderr, env={**os.environ, "LITELLM_MASTER_KEY": KEY, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "NO_PROXY": "*"})
    deadline = time.monotonic() + 180
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health/liveliness", timeout=2)
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(0.5)
    process.kill()
    raise RuntimeError("the proxy did not start")


folder = tempfile.TemporaryDirectory()
process, address = start(folder.name)
chats = openai.OpenAI(base_url=f"{address}/v1", api_key=KEY, max_retries=0)
messages = anthropic.Anthropic(base_url=address, api_key=KEY, max_retries=0)
TOOL_SCHEMA = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Oslo", "Lima"]}}, "required": ["city"]}


@check("chat completions")
def chat():
    reply = chats.chat.completions.create(model="local", messages=HELLO, max_tokens=16)
    expect(reply.choices[0].message.content and reply.usage.total_tokens > 0, reply)


@check("chat completions, streamed with usage")
def chat_stream():
    chunks = list(chats.chat.completions.create(model="local", messages=HELLO, max_tokens=16, stream=True, stream_options={"include_usage": True}))
    expect("".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices), "no text")
    expect(any(chunk.usage for chunk in chunks), "no usage")


@check("chat completions with a tool")
def chat_tool():
    tool = {"type": "function", "function": {"name": "get_weather", "parameters": TOOL_SCHEMA}}
    reply = chats.chat.completions.create(model="local", messages=HELLO, tools=[tool], tool_choice="required", max_tokens=64, parallel_tool_calls=False)
    expect(json.loads(reply.choices[0].message.tool_calls[0].function.arguments)["city"], reply)


@check("chat completions with a schema")
def chat_schema():
    form = {"type": "json_schema", "json_schema": {"name": "n", "schema": {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}}}
    reply = chats.chat.completions.create(model="local", messages=HELLO, response_format=form, max_tokens=300, temperature=0)
    expect(isinstance(json.loads(reply.choices[0].message.content)["n"], int), reply)


@check("messages, which it asks us for as responses")
def message():
    reply = messages.messages.create(model="local", max_tokens=16, messages=HELLO, system="Be brief.")
    expect(any(block.type == "text" and block.text for block in reply.content), reply)
    expect(reply.usage.output_tokens > 0, reply.usage)


@check("messages, streamed")
def message_stream():
    with messages.messages.stream(model="local", max_tokens=16, messages=HELLO) as stream:
        expect("".join(stream.text_stream), "no text")


@check("messages with a tool, and its result")
def message_tool():
    tool = {"name": "get_weather", "input_schema": TOOL_SCHEMA}
    choice = {"type": "any", "disable_parallel_tool_use": True}
    first = messages.messages.create(model="local", max_tokens=64, messages=HELLO, tools=[tool], tool_choice=choice)
    call = next(block for block in first.content if block.type == "tool_use")
    result = {"type": "tool_result", "tool_use_id": call.id, "content": "12 degrees"}
    said = [*HELLO, {"role": "assistant", "content": first.content}, {"role": "user", "content": [result]}]
    last = messages.messages.create(model="local", max_tokens=16, messages=said, tools=[tool])
    expect(last.content, last)


@check("responses")
def responses():
    reply = chats.responses.create(model="local", input="Say hello.", max_output_tokens=16)
    expect(reply.output_text, reply)


@check("what is wrong is told as a 400, not as a 500")
def errors():
    try:
        chats.chat.completions.create(model="local", messages=[{"role": "user", "content": "long " * 20000}])
    except openai.APIStatusError as error:
        expect(error.status_code == 400, error.status_code)
    else:
        raise AssertionError("a prompt that is too long was accepted")


try:
    run_checks()
finally:
    process.terminate()
    process.wait()
    folder.cleanup()
