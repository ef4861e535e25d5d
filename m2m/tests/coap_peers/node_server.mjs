// A server made with node-coap, at the address and port given, until standard input ends. With a third argument it is a
// member of the IPv4 group of all CoAP nodes at the interface with that address.
import { createRequire } from "node:module";

const coap = createRequire(process.env.M2M_NODE_MODULES + "/")("coap");
const [host, port, group] = process.argv.slice(2);
const observers = new Set();
let value;

function answer(response, code, payload) {
  response.code = code;
  response.end(payload);
}

const resources = {
  "/.well-known/core": (request, response) => {
    response.setOption("Content-Format", "application/link-format");
    const links = ['</hello>;rt="greeting"', "</value>;obs", "</separate>", "</upper>"];
    // node-coap has no discovery of its own.
    const [name, wanted] = request.url.split("?")[1]?.split("=") ?? [];
    answer(response, "2.05", links.filter((link) => !name || link.includes(`${name}="${wanted}"`)).join(","));
  },
  "/hello": (request, response) => answer(response, "2.05", "hello from node-coap"),
  "/separate": (request, response) => setTimeout(() => answer(response, "2.05", "at last"), 500),
  "/upper": (request, response) => {
    const code = request.method === "FETCH" ? "2.05" : "2.04";
    answer(response, code, Buffer.from(request.payload.toString().toUpperCase()));
  },
  "/value": (request, response) => {
    if (request.method === "PUT") {
      const code = value ? "2.04" : "2.01";
      value = request.payload;
      observers.forEach((observer) => observer.write(value));
      return answer(response, code);
    }
    if (request.method === "DELETE") {
      value = undefined;
      return answer(response, "2.02");
    }
    if (!value) return answer(response, "4.04");
    if (request.headers.Observe === 0) {
      observers.add(response);
      response.on("finish", () => observers.delete(response));
      return response.write(value);
    }
    answer(response, "2.05", value);
  },
};

const options = group ? { multicastAddress: "224.0.1.187", multicastInterface: group } : {};
const server = coap.createServer({ type: "udp4", piggybackReplyMs: 100, ...options });
server.on("request", (request, response) => {
  const resource = resources[request.url.split("?")[0]];
  resource ? resource(request, response) : answer(response, "4.04");
});
server.listen(Number(port), host);
process.stdin.on("end", () => process.exit()).resume();
