// Prints what mqtt.js receives from the broker at the port given.

import { once } from "node:events";
import { createRequire } from "node:module";

const mqtt = createRequire(`${process.env.M2M_NODE_MODULES}/`)("mqtt");
const url = `mqtt://127.0.0.1:${process.argv[2]}`;
const versions = {
  "3.1": { protocolId: "MQIsdp", protocolVersion: 3 },
  "3.1.1": { protocolVersion: 4 },
  "5": { protocolVersion: 5 },
};

setTimeout(() => {
  console.error("nothing came for too long");
  process.exit(1);
}, 60_000).unref();

/** A client whose messages are read one after the other, and whose session is known to be new or not. */
async function connect(version, clientId, options = {}) {
  const client = mqtt.connect(url, { ...versions[version], clientId, reconnectPeriod: 0, ...options });
  const waiting = [], arrived = [];
  client.on("message", (topic, payload, packet) => {
    const message = { topic, payload: payload.toString(), packet };
    waiting.length ? waiting.shift()(message) : arrived.push(message);
  });
  client.on("error", (error) => {
    throw error;
  });
  const [connack] = await once(client, "connect");
  const next = () => (arrived.length ? arrived.shift() : new Promise((resolve) => waiting.push(resolve)));
  const take = async (count) => {
    const messages = [];
    while (messages.length < count) messages.push(await next());
    return messages;
  };
  return { client, take, sessionPresent: connack.sessionPresent };
}

const payloads = (messages) => messages.map((message) => message.payload).join(" ");

async function common(version) {
  const topic = `js/${version}`;
  const receiver = await connect(version, "receiver");
  const sender = await connect(version, "sender");
  for (const qos of [0, 1, 2]) {
    await receiver.client.subscribeAsync(`${topic}/${qos}/+`, { qos });
    for (let number = 0; number < 10; number++) {
      sender.client.publish(`${topic}/${qos}/x`, String(number), { qos });
    }
    const messages = await receiver.take(10);
    if (messages.some((message) => message.packet.qos !== qos)) throw new Error(`not at QoS ${qos}`);
    console.log(`${version} qos ${qos}: ${payloads(messages)}`);
  }

  await sender.client.publishAsync(`${topic}/kept`, "state", { qos: 1, retain: true });
  await receiver.client.subscribeAsync(`${topic}/kept`);
  const [kept] = await receiver.take(1);
  console.log(`${version} retained: ${kept.packet.retain} ${kept.payload}`);

  const session = { clean: false, ...(version === "5" && { properties: { sessionExpiryInterval: 60 } }) };
  let sleeper = await connect(version, "sleeper", session);
  await sleeper.client.subscribeAsync(`${topic}/queue`, { qos: 2 });
  await sleeper.client.endAsync();
  for (let number = 0; number < 3; number++) {
    await sender.client.publishAsync(`${topic}/queue`, String(number), { qos: 2 });
  }
  sleeper = await connect(version, "sleeper", session);
  // MQTT 3.1 has no flag for it: the session shows in what it kept.
  const present = version === "3.1" || sleeper.sessionPresent;
  console.log(`${version} resumed: ${present} ${payloads(await sleeper.take(3))}`);

  await receiver.client.subscribeAsync(`${topic}/will`, { qos: 1 });
  const mortal = await connect(version, "mortal", { will: { topic: `${topic}/will`, payload: "gone", qos: 1 } });
  mortal.client.stream.destroy();
  console.log(`${version} will: ${payloads(await receiver.take(1))}`);
  for (const { client } of [receiver, sender, sleeper]) await client.endAsync();
}

async function version5() {
  const receiver = await connect("5", "receiver", { properties: { topicAliasMaximum: 10 } });
  const sender = await connect("5", "sender", { autoAssignTopicAlias: true });
  await receiver.client.subscribeAsync("described", { qos: 2 });
  const properties = { contentType: "text/plain", responseTopic: "answers", userProperties: { a: "1" } };
  await sender.client.publishAsync("described", "x", { qos: 2, properties });
  const [{ packet }] = await receiver.take(1);
  const got = packet.properties;
  console.log(`5 properties: ${got.contentType} ${got.responseTopic} ${JSON.stringify(got.userProperties)}`);

  await receiver.client.subscribeAsync("long/topic", { qos: 1 });
  for (const payload of "123") await sender.client.publishAsync("long/topic", payload, { qos: 1 });
  console.log(`5 aliases: ${(await receiver.take(3)).map((message) => message.topic).join(" ")}`);

  const members = [await connect("5", "member1"), await connect("5", "member2")];
  for (const { client } of members) await client.subscribeAsync("$share/group/work", { qos: 1 });
  for (let number = 0; number < 10; number++) sender.client.publish("work", String(number), { qos: 1 });
  const shares = (await Promise.all(members.map((member) => member.take(5)))).flat();
  console.log(`5 shared: ${shares.map((message) => message.payload).sort().join(" ")}`);

  const told = once(sender.client, "disconnect");
  const successor = await connect("5", "sender");
  console.log(`5 taken over: ${(await told)[0].reasonCode}`);
  for (const { client } of [receiver, successor, ...members]) await client.endAsync();
}

for (const version of ["3.1", "3.1.1", "5"]) await common(version);
await version5();
process.exit(0);
