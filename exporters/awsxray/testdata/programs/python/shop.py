"""Throws, and writes what OpenTelemetry's SDK records of it: a JSON line for each exception."""

import asyncio
import json
import sys

from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

spans = InMemorySpanExporter()
provider = TracerProvider()
provider.add_span_processor(SimpleSpanProcessor(spans))
tracer = provider.get_tracer("shop")


class Declined(Exception):
    pass


class Cart:
    def __init__(self, items):
        self.items = items

    def total(self):
        return sum(price(item) for item in self.items)

    @property
    def first(self):
        return self.items[0]["price"]


def price(item):
    return item["price"] * item["count"]


def plain():
    Cart([{"price": 1}]).total()


def caused():
    try:
        Cart([]).first
    except IndexError as error:
        raise Declined("no first item: see below") from error


def while_handled():
    try:
        price({})
    except KeyError:
        int("a: b")


def three_deep():
    try:
        while_handled()
    except ValueError as error:
        raise Declined() from error


def hidden():
    try:
        price({})
    except KeyError:
        raise Declined("hidden") from None


def lines_in_the_message():
    raise Declined('first\n  File "not-a-frame.py", line 1, in nowhere\nthird')


def recursion(depth=0):
    return recursion(depth + 1)


def own_syntax():
    compile("a = (1,\nb = 2", "rules.cfg", "exec")


def with_a_note():
    error = Declined("see the note")
    if hasattr(error, "add_note"):
        error.add_note("a note")
    raise error


async def pay(number):
    await asyncio.sleep(0)
    raise Declined(f"card {number}")


def asynchronous():
    asyncio.run(pay(1))


async def several():
    async with asyncio.TaskGroup() as group:
        group.create_task(pay(1))
        group.create_task(pay(2))


def grouped():
    asyncio.run(several())


def by_a_lambda():
    list(map(lambda item: item["price"], [{}]))


for scenario in [
    plain,
    caused,
    while_handled,
    three_deep,
    hidden,
    lines_in_the_message,
    recursion,
    own_syntax,
    with_a_note,
    asynchronous,
    grouped,
    by_a_lambda,
]:
    try:
        with tracer.start_as_current_span(scenario.__name__):
            scenario()
    except Exception:
        pass

for span in spans.get_finished_spans():
    event = next(event for event in span.events if event.name == "exception")
    known = {key.removeprefix("exception."): value for key, value in event.attributes.items()}
    json.dump({"scenario": span.name, **known}, sys.stdout)
    print()
