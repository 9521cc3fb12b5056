"""LangChain's client for OpenAI's interface against the real server."""

from typing import Literal

from checks import ADDRESS, MODEL, check, expect, run_checks
from langchain_core.messages import HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from pydantic import BaseModel


def model(**more):
    return ChatOpenAI(base_url=f"{ADDRESS}/v1", api_key="none", model=MODEL, max_retries=0, **{"max_tokens": 24, **more})


class Fruit(BaseModel):
    """A fruit."""

    name: str
    ripe: bool


@tool
def get_weather(city: Literal["Oslo", "Lima"]) -> str:
    """Current weather of a city."""
    return f"12 degrees in {city}"


@check("invoke")
def invoke():
    reply = model().invoke([SystemMessage("Be brief."), HumanMessage("Say hello.")])
    expect(reply.content and reply.usage_metadata["total_tokens"] > 0, reply)


@check("stream, with its usage")
def stream():
    pieces = list(model(stream_usage=True).stream("Say hello."))
    expect("".join(piece.content for piece in pieces), "no text")
    expect(any(piece.usage_metadata for piece in pieces), "no usage")


@check("batch")
def batch():
    expect(all(reply.content for reply in model().batch(["One.", "Two.", "Three."])), "an empty answer")


@check("structured output, by schema and by tool")
def structured():
    for method in ("json_schema", "function_calling"):
        fruit = model(max_tokens=400, temperature=0).with_structured_output(Fruit, method=method).invoke("Describe a fruit.")
        expect(isinstance(fruit, Fruit), f"{method}: {fruit}")


@check("a tool, and its result")
def tools():
    asked = [HumanMessage("Weather in Oslo?")]
    first = model(max_tokens=64).bind_tools([get_weather], tool_choice="any", parallel_tool_calls=False).invoke(asked)
    call = first.tool_calls[0]
    result = ToolMessage(get_weather.invoke(call["args"]), tool_call_id=call["id"])
    expect(model().invoke([*asked, first, result]).content, "no answer")


@check("the responses interface, streamed and gone on with")
def responses():
    talk = model(use_responses_api=True, output_version="responses/v1")
    expect("".join(piece.text for piece in talk.stream("Say hello.")), "no text")
    going_on = model(use_responses_api=True, use_previous_response_id=True)
    first = going_on.invoke("Say hello.")
    expect(going_on.invoke([HumanMessage("Say hello."), first, HumanMessage("Again.")]).text, "no text the second time")


run_checks()
