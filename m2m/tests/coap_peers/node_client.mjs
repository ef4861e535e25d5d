// Prints what node-coap's client gets from `m2m coap serve --demo` at the port given. With a second argument, loss, only what
// has to come through a network that loses datagrams; with group, what a group answers.

import { createRequire } from "node:module";

const coap = createRequire(`${process.env.M2M_NODE_MODULES}/`)("coap");
const [port, what] = process.argv.slice(2);
coap.updateTiming({ ackTimeout: 0.3 });
// As node-coap has it, an ETag is UTF-8: other bytes do not survive that.
const asItIs = (value) => value;
coap.registerOption("ETag", asItIs, asItIs);

setTimeout(() => {
  console.error("nothing came for too long");
  process.exit(1);
}, 60_000).unref();

/** A response, its payload in `body`. */
function ask(method, path, payload, { options = {}, ...more } = {}) {
  const [pathname, query] = path.split("?");
  return new Promise((resolve, reject) => {
    const request = coap.request({ hostname: "127.0.0.1", port, method, pathname, query, ...more });
    for (const [name, value] of Object.entries(options)) request.setOption(name, value);
    request.on("response", (response) => {
      response.body = response.payload;
      resolve(response);
    });
    request.on("error", reject).on("timeout", reject);
    request.end(payload);
  });
}

const option = (response, name) => response.options.filter((option) => option.name === name).map(({ value }) => value);

function show(what, response, payload = true) {
  console.log(`${what}: ${response.code}${payload && response.body.length ? ` ${response.body}` : ""}`);
  return response;
}

async function values() {
  show("get", await ask("GET", "/test"));
  show("put", await ask("PUT", "/test", "from node-coap"));
  show("get", await ask("GET", "/test"));
  const created = show("post", await ask("POST", "/test", "made"));
  console.log("location:", option(created, "Location-Path").join("/"));
  show("delete", await ask("DELETE", "/test"));
  show("no such path", await ask("GET", "/nothing/here"), false);
  show("non-confirmable", await ask("GET", "/seg1/seg2", undefined, { confirmable: false }));
  show("fetch", await ask("FETCH", "/test", "x", { options: { "Content-Format": "text/plain" } }), false);
  show("ipatch", await ask("iPATCH", "/test", "x"), false);
  show("query", await ask("GET", "/query?first=1&second=2"));
  show("accept xml", await ask("GET", "/multi-format", undefined, { options: { Accept: "application/xml" } }));
  show("accept json", await ask("GET", "/multi-format", undefined, { options: { Accept: "application/json" } }));
  show("separate", await ask("GET", "/separate"));
}

async function conditions() {
  const [etag] = option(show("get", await ask("GET", "/validate")), "ETag");
  show("same etag", await ask("GET", "/validate", undefined, { options: { ETag: etag } }));
  show("if-match", await ask("PUT", "/validate", "new", { options: { "If-Match": etag } }));
  show("if-match again", await ask("PUT", "/validate", "newer", { options: { "If-Match": etag } }));
  const none = { options: { "If-None-Match": Buffer.alloc(0) } };
  show("if-none-match", await ask("PUT", "/create1", "new", none));
  show("if-none-match again", await ask("PUT", "/create1", "newer", none));
}

async function discovery() {
  console.log("found:", (await ask("GET", "/.well-known/core?rt=ticks")).body.toString());
  console.log("all:", (await ask("GET", "/.well-known/core")).body.toString().split("</").length - 1);
}

// Blocks of 1024 bytes. The option is what makes node-coap send a body in blocks.
const BLOCK1 = { options: { Block1: Buffer.of(6) } };

async function files(sizes) {
  for (const size of sizes) {
    const body = Buffer.from(Array.from({ length: size }, (_, n) => (n * n) >> 3));
    const put = await ask("PUT", "/large-update", body, BLOCK1);
    const got = await ask("GET", "/large-update");
    console.log(`${size} bytes: ${put.code} ${got.code} ${got.body.equals(body)}`);
  }
}

async function bothWays() {
  const text = "capitals ".repeat(400);
  const answer = await ask("POST", "/large-post", text, BLOCK1);
  console.log(`both ways: ${answer.code} ${answer.body.toString() === text.toUpperCase()}`);
}

async function observation() {
  await ask("PUT", "/example_data", "zero");
  const stream = await ask("GET", "/example_data", undefined, { observe: true });
  const states = stream[Symbol.asyncIterator]();
  console.log("observed:", String((await states.next()).value));
  for (const text of ["one", "two"]) {
    await ask("PUT", "/example_data", text);
    while (String((await states.next()).value) !== text);
    console.log(`notified of ${text}`);
  }
  stream.close();
}

async function group() {
  const agent = new coap.Agent({ type: "udp4" });
  agent._sock.bind(0, "127.0.0.1", async () => {
    agent._sock.setMulticastInterface("127.0.0.1");
    const multicast = { hostname: "224.0.1.187", multicast: true, multicastTimeout: 8000, agent };
    console.log("found:", (await ask("GET", "/.well-known/core?rt=ticks", undefined, multicast)).body.toString());
    process.exit();
  });
}

if (what === "group") {
  await group();
} else if (what === "loss") {
  show("put", await ask("PUT", "/test", "through"));
  show("get", await ask("GET", "/test"));
  show("separate", await ask("GET", "/async?1"));
  // Not more: node-coap's time-out doubles from loss to loss of one body.
  await files([2500]);
  process.exit();
} else {
  const all = [values, conditions, discovery, () => files([5000, 100_000]), bothWays, observation];
  for (const part of all) await part();
  process.exit();
}
