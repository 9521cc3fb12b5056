"""Ollama's own Python client against the real server."""

import json

import ollama
from checks import ADDRESS, MODEL, check, expect, run_checks

client = ollama.Client(host=ADDRESS)
HELLO = [{"role": "user", "content": "Say hello."}]
LIMIT = {"num_predict": 16}


@check("chat, whole and streamed")
def chat():
    reply = client.chat(model=MODEL, messages=HELLO, options=LIMIT)
    expect(reply.message.content and reply.done and reply.eval_count > 0, reply)
    pieces = list(client.chat(model=MODEL, messages=HELLO, options=LIMIT, stream=True))
    expect("".join(piece.message.content or "" for piece in pieces) and pieces[-1].done, "no end")


@check("generate, whole and streamed")
def generate():
    expect(client.generate(model=MODEL, prompt="The sky is", options=LIMIT).response, "no text")
    expect(list(client.generate(model=MODEL, prompt="The sky is", options=LIMIT, stream=True))[-1].done, "no end")


@check("a schema is kept to")
def schema():
    shape = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    reply = client.chat(model=MODEL, messages=HELLO, format=shape, options={"num_predict": 200, "temperature": 0})
    expect(isinstance(json.loads(reply.message.content)["n"], int), reply.message.content)


@check("thinking may be asked for, and is refused or given")
def think():
    try:
        client.chat(model=MODEL, messages=HELLO, think=False, options=LIMIT)
    except ollama.ResponseError as error:
        return f"refused: {error.error}"


@check("list, show, ps, version")
def library():
    names = [model.model for model in client.list().models]
    expect(names, "no models")
    expect(client.show(names[0]).modelinfo, "nothing is known of it")
    expect(client.ps().models, "nothing runs")


@check("images are refused clearly")
def images():
    try:
        client.chat(model=MODEL, messages=[{"role": "user", "content": "What is it?", "images": ["aGk="]}])
    except ollama.ResponseError as error:
        expect(error.status_code == 400 and error.error, error)
    else:
        raise AssertionError("an image was accepted")


@check("an unknown model is a 404")
def unknown():
    try:
        client.chat(model="nobody", messages=HELLO)
    except ollama.ResponseError as error:
        expect(error.status_code == 404, error.status_code)
    else:
        raise AssertionError("an unknown model was accepted")


run_checks()
