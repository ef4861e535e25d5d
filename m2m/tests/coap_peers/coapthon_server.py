"""A server made with CoAPthon3, at the address and port given, until standard input ends. With "group" it is a member of the IPv4 group of
all CoAP nodes on the loopback interface."""

import logging
import os
import socket
import sys
import threading
import time

# CoAPthon3 logs to a file beside itself unless told otherwise before it is loaded.
logging.disable(logging.CRITICAL)

from coapthon.resources.resource import Resource
from coapthon.server.coap import CoAP


class Hello(Resource):
    def __init__(self):
        super().__init__("Hello", visible=True, observable=False, allow_children=False)
        self.payload = "hello from CoAPthon3"
        self.resource_type = "greeting"
        self.content_type = "text/plain"

    def render_GET(self, request):
        return self


class Value(Resource):
    """Keeps what it is given."""

    def __init__(self):
        super().__init__("Value", visible=True, observable=True, allow_children=False)
        self.payload = "in the beginning"

    def render_GET(self, request):
        return self

    def render_PUT(self, request):
        self.payload = request.payload
        return self

    def render_DELETE(self, request):
        return True


class Storage(Resource):
    """POST makes it anew, as CoAPthon3 knows no other POST; what it answers is in capitals."""

    def __init__(self):
        super().__init__("Storage", visible=True, observable=False, allow_children=True)
        self.payload = "nothing yet"

    def render_GET(self, request):
        return self

    def render_POST(self, request):
        made = Storage()
        made.location_query = request.uri_query
        made.payload = request.payload.upper()
        return made

    def render_DELETE(self, request):
        return True


class Separate(Resource):
    def __init__(self):
        super().__init__("Separate", visible=True, observable=False, allow_children=False)

    def render_GET(self, request):
        return self, self.later

    def later(self, request):
        time.sleep(0.5)
        self.payload = "at last"
        return self


def end():
    sys.stdin.read()
    # Its threads wait for minutes.
    os._exit(0)


threading.Thread(target=end, daemon=True).start()
address = (sys.argv[1], int(sys.argv[2]))
# By itself CoAPthon3 joins the group where the default route leads.
own = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
own.bind(address)
if "group" in sys.argv[3:]:
    membership = socket.inet_aton("224.0.1.187") + socket.inet_aton("127.0.0.1")
    own.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
server = CoAP(address, sock=own)
server.add_resource("hello", Hello())
server.add_resource("value", Value())
server.add_resource("storage", Storage())
server.add_resource("separate", Separate())
server.listen(1)
