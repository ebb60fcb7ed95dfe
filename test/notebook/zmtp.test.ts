import { createHmac } from "node:crypto";
import { describe, expect, it } from "vitest";
import { decodeMessage, encodeMessage } from "../../lib/notebook/messages.ts";
import { StreamCorrupt, ZmtpSocket } from "../../lib/notebook/zmtp.ts";

/** The greeting of RFC 23 (ZMTP 3.0): signature, version 3.0, mechanism, as-server, filler. */
const greeting = Uint8Array.from([
  ...[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f, 3, 0],
  ...new TextEncoder().encode("NULL".padEnd(20, "\0")),
  ...new Array(32).fill(0),
]);
/** READY of RFC 23: a command frame, the name with its length, then properties. */
const ready = (type: string) =>
  Uint8Array.from([
    ...[4, 22 + type.length, 5, ...new TextEncoder().encode("READY")],
    ...[11, ...new TextEncoder().encode("Socket-Type"), 0, 0, 0, type.length],
    ...new TextEncoder().encode(type),
  ]);

/** A peer that shakes hands, sends bytes, and returns what it has received after the handshake. */
async function peer(type: string, bytes: readonly number[], answer = greeting) {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const accepted = listener.accept();
  const connected = ZmtpSocket.connect(listener.addr.port, type === "PUB" ? "SUB" : "DEALER");
  connected.catch(() => {});
  const connection = await accepted;
  const read = async (size: number) => {
    const received = new Uint8Array(size);
    for (let filled = 0; filled < size;) {
      filled += await connection.read(received.subarray(filled)) ?? 0;
    }
    return received;
  };
  const hello = await read(64);
  await connection.write(answer);
  const close = () => [connection, listener].forEach((resource) => resource.close());
  if (answer !== greeting) return { connected, hello, close, read };
  const command = await read(ready(type === "PUB" ? "SUB" : "DEALER").length);
  await connection.write(Uint8Array.from([...ready(type), ...bytes]));
  return { connected, hello, command, close, read };
}

describe("ZmtpSocket", () => {
  it("shakes hands and subscribes as ZMTP 3.0 has it", async () => {
    const { connected, hello, command, read, close } = await peer("PUB", []);
    const socket = await connected;
    expect(hello).toEqual(greeting);
    expect(command).toEqual(ready("SUB"));
    expect([...await read(3)]).toEqual([0, 1, 1]);
    socket.close();
    close();
  });

  it("sends and receives short, empty and long frames of one message", async () => {
    const long = new Uint8Array(300_000).map((_, index) => index);
    const size = [0, 0, 0, 0, 0, 4, 0x93, 0xe0];
    const { connected, read, close } = await peer("ROUTER", [
      ...[1, 2, 7, 8, 1, 0, 2, ...size, ...long],
      ...[4, 3, 1, 65, 66], // a command: to be passed over
      ...[0, 1, 9],
    ]);
    const socket = await connected;
    expect(await socket.receive()).toEqual([Uint8Array.of(7, 8), new Uint8Array(0), long]);
    expect(await socket.receive()).toEqual([Uint8Array.of(9)]);
    const sent = socket.send([Uint8Array.of(5), long]);
    expect(await read(3 + 9 + long.length)).toEqual(
      Uint8Array.from([1, 1, 5, 2, ...size, ...long]),
    );
    await sent;
    close();
    await expect(socket.receive()).rejects.toThrow();
  });

  it("notices a stream that is out of step, instead of waiting for it", async () => {
    const streams = { "frame flags 8": [8, 1, 1], "a frame of 1099511627776 bytes": [2, 0, 0, 1] };
    for (const [message, bytes] of Object.entries(streams)) {
      const { connected, close } = await peer("PUB", [...bytes, 0, 0, 0, 0, 0, 0, 0, 0]);
      const receiving = (await connected).receive();
      await expect(receiving).rejects.toThrow(StreamCorrupt);
      await expect(receiving).rejects.toThrow(message);
      close();
    }
  });

  it("refuses a peer that speaks something else", async () => {
    const http = new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n".padEnd(64));
    const { connected, close } = await peer("PUB", [], http);
    await expect(connected).rejects.toThrow("it does not speak ZMTP 3 with the NULL mechanism");
    close();
  });
});

describe("Jupyter messages", () => {
  const signing = { key: "secret", session: "s" };

  it("signs the four parts and puts them after the delimiter", () => {
    const { id, frames } = encodeMessage("execute_request", { code: "é" }, signing);
    const texts = frames.map((frame) => new TextDecoder().decode(frame));
    expect(texts[0]).toBe("<IDS|MSG>");
    const hmac = createHmac("sha256", "secret").update(texts.slice(2).join(""));
    expect(texts[1]).toBe(hmac.digest("hex"));
    expect(JSON.parse(texts[2]!)).toMatchObject({ msg_id: id, msg_type: "execute_request" });
    expect(JSON.parse(texts[5]!)).toEqual({ code: "é" });
    const identity = Uint8Array.of(1, 2);
    expect(decodeMessage([identity, ...frames], signing)).toEqual({
      type: "execute_request",
      parent: undefined,
      content: { code: "é" },
    });
  });

  it("refuses a message that was changed, or signed with another key, or cut", () => {
    const { frames } = encodeMessage("stream", { text: "a" }, signing);
    const changed = [...frames.slice(0, 5), new TextEncoder().encode('{"text":"b"}')];
    const attempts = [() => decodeMessage(changed, signing)];
    attempts.push(() => decodeMessage(frames, { ...signing, key: "other" }));
    attempts.push(() => decodeMessage(frames.slice(0, 4), signing));
    for (const attempt of attempts) expect(attempt).toThrow(StreamCorrupt);
  });
});
