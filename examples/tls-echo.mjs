// An echo server and its client, who begin in the clear and go on under TLS: STARTTLS, as mail servers do it.
//
//   npm run build
//   node examples/tls-echo.mjs
//
// TLS from the first byte is shorter: `startServer(..., { ssl: { key, cert } })` and `openConnection(..., { ssl: true })`.

import * as asyncio from "asyncio-ts";

/**
 * A key and a certificate for `localhost`, signed by itself. Everybody has this key: it protects nothing. Your own:
 * `openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost`.
 */
const key = `-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgMAcE8lstlStToBu9
vioJEk45BSJJbmgFmmNmVlqNzvihRANCAAQCvyHCIzs076JnFRPTvaimYCbZB2wj
bvhkOEM5orKUG9JqEBzOw6k5ldRjWpUjmfbTk0k4oh2jYjjNZcmBGFMl
-----END PRIVATE KEY-----
`;

const cert = `-----BEGIN CERTIFICATE-----
MIIBZjCCAQ2gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhv
c3QwIBcNMjQwMTAxMDAwMDAwWhgPMjEyNDAxMDEwMDAwMDBaMBQxEjAQBgNVBAMM
CWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABAK/IcIjOzTvomcV
E9O9qKZgJtkHbCNu+GQ4QzmispQb0moQHM7DqTmV1GNalSOZ9tOTSTiiHaNiOM1l
yYEYUyWjTjBMMA8GA1UdEwEB/wQFMAMBAf8wGgYDVR0RBBMwEYIJbG9jYWxob3N0
hwR/AAABMB0GA1UdDgQWBBQaFrIeK4rO7gonILVHsCVTtG/QOTAKBggqhkjOPQQD
AgNHADBEAiBNSJbRVkI0ZogXE3KPGzkz8UlidwiTzBLH7H5561o0bwIgaiUtR449
i4KZroKvmUjta9PVoTg6zI+f/OV+qw8rEGs=
-----END CERTIFICATE-----
`;

/**
 * @param {asyncio.StreamReader} reader
 * @param {asyncio.StreamWriter} writer
 */
async function serve(reader, writer) {
  for await (const line of reader) {
    if (String(line) === "STARTTLS\n") {
      writer.write("ready\n");
      await writer.startTls({ key, cert }); // the same reader and writer, from now on under TLS
    } else {
      writer.write(line);
      await writer.drain();
    }
  }
  writer.close();
}

await asyncio.run(async () => {
  const server = await asyncio.startServer(serve, "127.0.0.1", 0);
  const { port } = server.sockets[0].address();
  const [reader, writer] = await asyncio.openConnection("127.0.0.1", port);

  writer.write("hello in the clear\n");
  console.log(String(await reader.readline()).trimEnd());

  writer.write("STARTTLS\n");
  await reader.readline(); // "ready": the server waits for the handshake
  await writer.startTls({ ca: cert }, { serverHostname: "localhost" });

  writer.write("hello under TLS\n");
  console.log(String(await reader.readline()).trimEnd());
  console.log(`with ${writer.getExtraInfo("cipher").version}`);

  writer.close();
  await writer.waitClosed();
  await server.shutdown();
});
