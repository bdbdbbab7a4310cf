/** Echo with plain `node:net` or `node:tls`: a socket piped into itself. @module */

import { createServer } from "node:net";
import { createServer as createTlsServer } from "node:tls";
import { tellPort, tls } from "./listening.mjs";

const options = { noDelay: true };
const server = tls === null ? createServer(options, echo) : createTlsServer({ ...options, ...tls }, echo);
server.listen(0, "127.0.0.1", () => tellPort(server));

function echo(socket) {
  socket.pipe(socket);
  socket.on("error", () => socket.destroy());
}
