"""Prints what paho-mqtt receives from the broker at the port given."""

import queue
import sys
import time

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.subscribeoptions import SubscribeOptions

PORT = int(sys.argv[1])
VERSIONS = {"3.1": mqtt.MQTTv31, "3.1.1": mqtt.MQTTv311, "5": mqtt.MQTTv5}
WAIT = 10


class Client:
    """A client with its own thread whose events are read from queues."""

    def __init__(self, version, name, clean=True, expiry=0, will=None):
        self.v5 = version == "5"
        kind = {} if self.v5 else {"clean_session": clean}
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, name, protocol=VERSIONS[version], **kind)
        self.messages, self.events, self.ended = queue.Queue(), queue.Queue(), queue.Queue()
        self.client.on_connect = lambda c, u, flags, reason, properties: self.events.put((flags, reason))
        self.client.on_subscribe = lambda c, u, mid, reasons, properties: self.events.put(reasons)
        self.client.on_message = lambda c, u, message: self.messages.put(message)
        self.client.on_disconnect = lambda c, u, flags, reason, properties: self.ended.put(reason)
        if will:
            self.client.will_set(*will, qos=1)
        options = {}
        if self.v5:
            options = {"clean_start": clean, "properties": properties(PacketTypes.CONNECT, SessionExpiryInterval=expiry)}
        self.client.connect("127.0.0.1", PORT, **options)
        self.client.loop_start()
        flags, reason = self.events.get(timeout=WAIT)
        assert reason == "Success", reason
        self.session_present = flags.session_present

    def subscribe(self, topic, qos=2, **more):
        self.client.subscribe(topic, **({} if more else {"qos": qos}), **more)
        return self.events.get(timeout=WAIT)

    def publish(self, topic, payload, **more):
        self.client.publish(topic, payload, **more).wait_for_publish(WAIT)

    def take(self, count):
        return [self.messages.get(timeout=WAIT) for _ in range(count)]

    def nothing(self):
        """Whether no message comes before one that is published now."""
        self.subscribe("end")
        self.publish("end", "end", qos=1)
        return "nothing" if self.take(1)[0].topic == "end" else "something"

    def close(self):
        self.client.disconnect()
        self.client.loop_stop()

    def vanish(self):
        """Ends the connection without DISCONNECT."""
        self.client.on_disconnect = None
        self.client.reconnect_delay_set(60, 60)
        self.client.socket().shutdown(2)


def properties(packet, **values):
    made = Properties(packet)
    for name, value in values.items():
        setattr(made, name, value)
    return made


def payloads(messages):
    return " ".join(message.payload.decode() for message in messages)


def common(version):
    topic = f"paho/{version}"
    receiver, sender = Client(version, "receiver"), Client(version, "sender")
    for qos in range(3):
        receiver.subscribe(f"{topic}/{qos}/+", qos)
        for number in range(10):
            sender.publish(f"{topic}/{qos}/x", str(number), qos=qos)
        messages = receiver.take(10)
        assert all(message.qos == qos for message in messages)
        print(f"{version} qos {qos}: {payloads(messages)}")

    sender.publish(f"{topic}/kept", "state", qos=1, retain=True)
    receiver.subscribe(f"{topic}/kept")
    kept = receiver.take(1)[0]
    print(f"{version} retained: {kept.retain} {kept.payload.decode()}")
    sender.publish(f"{topic}/kept", "", qos=1, retain=True)

    sleeper = Client(version, "sleeper", clean=False, expiry=60)
    sleeper.subscribe(f"{topic}/queue")
    sleeper.close()
    for number in range(5):
        sender.publish(f"{topic}/queue", str(number), qos=2)
    sleeper = Client(version, "sleeper", clean=False, expiry=60)
    print(f"{version} resumed: {sleeper.session_present} {payloads(sleeper.take(5))}")
    sleeper.close()

    watcher = Client(version, "watcher")
    watcher.subscribe(f"{topic}/will")
    mortal = Client(version, "mortal", will=(f"{topic}/will", "gone"))
    mortal.vanish()
    print(f"{version} will: {payloads(watcher.take(1))}")
    for client in (receiver, sender, watcher):
        client.close()
    mortal.client.loop_stop()


def version_5():
    publish = PacketTypes.PUBLISH
    receiver, sender = Client("5", "receiver"), Client("5", "sender")
    receiver.subscribe("long/topic")
    sender.publish("long/topic", "1", properties=properties(publish, TopicAlias=1))
    for payload in "23":
        sender.publish("", payload, properties=properties(publish, TopicAlias=1))
    print("5 alias:", " ".join(message.topic for message in receiver.take(3)))

    details = properties(publish, ContentType="text/plain", ResponseTopic="answers", CorrelationData=b"\0\1")
    details.UserProperty = [("a", "1"), ("b", "2"), ("a", "3")]
    sender.publish("long/topic", "x", qos=2, properties=details)
    got = receiver.take(1)[0].properties
    print("5 properties:", got.ContentType, got.ResponseTopic, got.CorrelationData, got.UserProperty)

    receiver.subscribe("numbered", properties=properties(PacketTypes.SUBSCRIBE, SubscriptionIdentifier=7))
    sender.publish("numbered", "x", qos=1)
    print("5 identifiers:", receiver.take(1)[0].properties.SubscriptionIdentifier)

    receiver.subscribe("own", options=SubscribeOptions(qos=1, noLocal=True))
    receiver.publish("own", "x", qos=1)
    print("5 no local:", receiver.nothing())

    sender.publish("brief", "x", qos=1, retain=True, properties=properties(publish, MessageExpiryInterval=1))
    time.sleep(1.5)
    receiver.subscribe("brief")
    print("5 expired:", receiver.nothing())

    Client("5", "sender").close()
    print("5 taken over:", sender.ended.get(timeout=WAIT))
    sender.client.loop_stop()
    print("5 refused filter:", refused_filter())
    receiver.close()


def refused_filter():
    """A filter of too many levels, which is well-formed all the same."""
    client = Client("5", "deep")
    reasons = client.subscribe("/" * 1000)
    client.close()
    return reasons[0]


for name in VERSIONS:
    common(name)
version_5()
