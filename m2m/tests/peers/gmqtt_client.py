"""Prints what gmqtt receives from the broker at the port given."""

import asyncio
import sys

import gmqtt
from gmqtt.mqtt.constants import MQTTv311, MQTTv50

PORT = int(sys.argv[1])
VERSIONS = {"3.1.1": MQTTv311, "5": MQTTv50}
WAIT = 10


class Client:
    """A client whose events are read from queues."""

    @classmethod
    async def connect(cls, version, name, clean=True, **options):
        self = cls()
        self.messages, self.events = asyncio.Queue(), asyncio.Queue()
        self.client = gmqtt.Client(name, clean_session=clean, **options)
        self.client.on_connect = lambda client, flags, code, properties: self.events.put_nowait((flags, code))
        self.client.on_subscribe = lambda client, mid, qos, properties: self.events.put_nowait(qos)
        self.client.on_message = self.arrived
        await self.client.connect("127.0.0.1", PORT, version=VERSIONS[version])
        self.flags, code = await self.event()
        assert code == 0, code
        return self

    async def arrived(self, client, topic, payload, qos, properties):
        self.messages.put_nowait((topic, payload.decode(), qos, properties))
        return 0

    async def event(self):
        return await asyncio.wait_for(self.events.get(), WAIT)

    async def subscribe(self, topic, qos=2, **options):
        self.client.subscribe(topic, qos=qos, **options)
        await self.event()

    async def take(self, count):
        return [await asyncio.wait_for(self.messages.get(), WAIT) for _ in range(count)]

    async def close(self):
        await self.client.disconnect()


def payloads(messages):
    return " ".join(message[1] for message in messages)


async def common(version):
    topic = f"gmqtt/{version}"
    receiver, sender = await Client.connect(version, "receiver"), await Client.connect(version, "sender")
    for qos in range(3):
        await receiver.subscribe(f"{topic}/{qos}/#", qos)
        for number in range(10):
            sender.client.publish(f"{topic}/{qos}/x", str(number), qos=qos)
        messages = await receiver.take(10)
        assert all(message[2] == qos for message in messages)
        print(f"{version} qos {qos}: {payloads(messages)}")

    witness = await Client.connect(version, "witness")
    await witness.subscribe(f"{topic}/kept")
    sender.client.publish(f"{topic}/kept", "state", qos=1, retain=True)
    await witness.take(1)
    await receiver.subscribe(f"{topic}/kept")
    print(f"{version} retained: {payloads(await receiver.take(1))}")

    await receiver.subscribe(f"{topic}/will")
    will = gmqtt.Message(f"{topic}/will", "gone", qos=1)
    mortal = await Client.connect(version, "mortal", will_message=will)
    mortal.client._connection._transport.abort()
    print(f"{version} will: {payloads(await receiver.take(1))}")
    await mortal.client.disconnect()
    for client in (receiver, sender, witness):
        await client.close()


async def version_5():
    receiver, sender = await Client.connect("5", "receiver"), await Client.connect("5", "sender")
    await receiver.subscribe("described")
    sender.client.publish(
        "described", "x", qos=2, content_type="text/plain", response_topic="answers", user_property=("key", "value")
    )
    got = (await receiver.take(1))[0][3]
    print("5 properties:", got["content_type"], got["response_topic"], got["user_property"])

    await receiver.subscribe("numbered", subscription_identifier=9)
    sender.client.publish("numbered", "x", qos=1)
    print("5 identifiers:", (await receiver.take(1))[0][3]["subscription_identifier"])

    sleeper = await Client.connect("5", "sleeper", session_expiry_interval=60)
    await sleeper.subscribe("queue")
    await sleeper.close()
    await receiver.subscribe("queue")
    for number in range(3):
        sender.client.publish("queue", str(number), qos=1)
    await receiver.take(3)
    sleeper = await Client.connect("5", "sleeper", clean=False, session_expiry_interval=60)
    print("5 resumed:", sleeper.flags, payloads(await sleeper.take(3)))

    members = [await Client.connect("5", f"member{number}") for number in range(2)]
    for member in members:
        await member.subscribe("$share/group/work", 1)
    for number in range(10):
        sender.client.publish("work", str(number), qos=1)
    shares = [await member.take(5) for member in members]
    print("5 shared:", " ".join(sorted(message[1] for share in shares for message in share)))
    for client in (receiver, sender, sleeper, *members):
        await client.close()


async def main():
    for version in VERSIONS:
        await common(version)
    await version_5()


asyncio.run(main())
