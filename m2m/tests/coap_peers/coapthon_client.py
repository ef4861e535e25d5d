"""Prints what CoAPthon3's client gets from `m2m coap serve --demo` at the port given.

With a second argument, loss, only what has to come through a network that loses datagrams.
"""

import logging
import os
import queue
import sys

# CoAPthon3 logs much.
logging.disable(logging.CRITICAL)

from coapthon import defines
from coapthon.client.helperclient import HelperClient

PORT = int(sys.argv[1])
WAIT = 20
defines.ACK_TIMEOUT = 0.3


def code(response):
    return f"{response.code >> 5}.{response.code & 31:02}"


def show(what, response, payload=True):
    text = f" {response.payload}" if payload and response.payload else ""
    print(f"{what}: {code(response)}{text}", flush=True)
    return response


def ask(method, *arguments, **options):
    """A client for each request: a client of CoAPthon3 hands late answers to the next who asks."""
    client = HelperClient(("127.0.0.1", PORT))
    response = getattr(client, method)(*arguments, timeout=WAIT, **options)
    client.stop()
    return response


def called_back(method, path):
    """Responses as they come. Without this, CoAPthon3 waits for a response with the message id of the request: for ever
    when the response is a separate one."""
    client, responses = HelperClient(("127.0.0.1", PORT)), queue.Queue()
    getattr(client, method)(path, callback=responses.put)
    return client, responses


def values():
    show("get", ask("get", "/test"))
    show("put", ask("put", "/test", "from CoAPthon3"))
    show("get", ask("get", "/test"))
    created = show("post", ask("post", "/test", "made"))
    print("location:", created.location_path)
    show("delete", ask("delete", "/test"))
    show("no such path", ask("get", "/nothing/here"), payload=False)
    show("non-confirmable", ask("get_non", "/seg1/seg2"))
    show("query", ask("get", "/query", uri_query="first=1&second=2"))
    show("accept xml", ask("get", "/multi-format", accept=41))
    separate()


def separate():
    client, responses = called_back("get", "/async")
    show("separate", responses.get(timeout=WAIT))
    client.stop()


def conditions():
    first = show("get", ask("get", "/validate"))
    show("same etag", ask("get", "/validate", etag=first.etag))
    show("if-match", ask("put", "/validate", "new", if_match=first.etag))
    show("if-match again", ask("put", "/validate", "newer", if_match=first.etag))
    show("if-none-match", ask("put", "/create1", "new", if_none_match=True))
    show("if-none-match again", ask("put", "/create1", "newer", if_none_match=True))


def discovery():
    print("found:", ask("discover", uri_query="rt=ticks").payload)
    print("all:", ask("discover").payload.count("</"))


def bodies(sizes):
    for size in sizes:
        body = "".join(f"{n}\n" for n in range(size))[:size]
        put = ask("put", "/large-update", body)
        got = ask("get", "/large-update")
        print(f"{size} bytes: {code(put)} {code(got)} {got.payload == body}")


def observation():
    ask("put", "/example_data", "zero")
    client, notifications = called_back("observe", "/example_data")
    show("observed", notifications.get(timeout=WAIT))
    for text in ("one", "two"):
        ask("put", "/example_data", text)
        while notifications.get(timeout=WAIT).payload != text:
            pass
        print(f"notified of {text}")
    client.stop()


if "loss" in sys.argv[2:]:
    show("put", ask("put", "/test", "through"))
    show("get", ask("get", "/test"))
    bodies([4000])
else:
    for part in (values, conditions, discovery, lambda: bodies([5000, 100_000]), observation):
        part()
sys.stdout.flush()
# Its threads wait for minutes.
os._exit(0)
