"""Open WebUI in front of the real server, by both of its connections: it lists our models and streams a chat. It is started here, by its own program."""

import json
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

from checks import ADDRESS, check, expect, run_checks

START_SECONDS = 600


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(folder):
    """The program's process and its address, once it is ready. Nothing is fetched: no models for search, no telemetry."""
    port = free_port()
    settings = {
        "DATA_DIR": folder,
        "WEBUI_AUTH": "False",
        "WEBUI_SECRET_KEY": secrets.token_hex(16),
        "OPENAI_API_BASE_URLS": f"{ADDRESS}/v1",
        "OPENAI_API_KEYS": "none",
        "ENABLE_OLLAMA_API": "True",
        "OLLAMA_BASE_URL": ADDRESS,
        "RAG_EMBEDDING_ENGINE": "openai",
        "OFFLINE_MODE": "True",
        "HF_HUB_OFFLINE": "1",
        "ANONYMIZED_TELEMETRY": "False",
        "DO_NOT_TRACK": "true",
        "NO_PROXY": "*",
    }
    program = os.path.join(os.path.dirname(sys.executable), "open-webui")
    command = [program, "serve", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, cwd=folder, stdout=sys.stderr, stderr=sys.stderr, env={**os.environ, **settings})
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2)
            return process, f"http://127.0.0.1:{port}"
        except OSError:
            time.sleep(1)
    process.kill()
    raise RuntimeError("Open WebUI did not start")


folder = tempfile.TemporaryDirectory()
process, address = start(folder.name)
token = None


def call(path, body=None):
    headers = {"content-type": "application/json", **({"authorization": f"Bearer {token}"} if token else {})}
    data = None if body is None else json.dumps(body).encode()
    return urllib.request.urlopen(urllib.request.Request(address + path, data=data, headers=headers), timeout=300)


@check("signs in")
def sign_in():
    global token
    token = json.load(call("/api/v1/auths/signin", {"email": "admin@localhost", "password": "admin"}))["token"]


@check("lists our models, over OpenAI's interface or Ollama's")
def list_models():
    listed = json.load(call("/api/models"))["data"]
    expect(listed, "no models")
    return ", ".join(f"{model['id']} ({model.get('owned_by')})" for model in listed)


def stream(model, path="/api/chat/completions"):
    body = {"model": model, "messages": [{"role": "user", "content": "Say hello."}], "stream": True, "max_tokens": 24}
    text = ""
    for line in call(path, body):
        if line.startswith(b"data: {"):
            for choice in json.loads(line[6:]).get("choices") or []:
                text += choice.get("delta", {}).get("content") or ""
    return text


@check("streams a chat")
def chat():
    expect(stream(json.load(call("/api/models"))["data"][0]["id"]), "no text")


@check("streams a chat over OpenAI's interface")
def chat_over_openai():
    listed = json.load(call("/openai/models"))["data"]
    expect(listed, "no models over OpenAI's interface")
    expect(stream(listed[0]["id"], "/openai/chat/completions"), "no text")


@check("streams a chat over Ollama's interface")
def chat_over_ollama():
    listed = json.load(call("/ollama/api/tags"))["models"]
    expect(listed, "no models over Ollama's interface")
    body = {"model": listed[0]["model"], "messages": [{"role": "user", "content": "Say hello."}], "stream": True, "options": {"num_predict": 24}}
    lines = [json.loads(line) for line in call("/ollama/api/chat", body) if line.strip()]
    expect("".join(line.get("message", {}).get("content", "") for line in lines) and lines[-1].get("done"), lines[-1:])


try:
    run_checks()
finally:
    process.terminate()
    process.wait()
    folder.cleanup()
