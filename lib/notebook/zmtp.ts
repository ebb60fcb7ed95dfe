/** A client of ZMTP 3.0 over TCP with the NULL mechanism: the wire protocol of ZeroMQ, which the Deno kernel speaks. */

// Written by hand: in Deno the sockets of zeromq 6.8.0 miss wake-ups. In 8 of 10 starts a kernel's
// first reply stayed unread until something else touched the socket.

const MECHANISM = "NULL";
const MORE = 1;
const LONG = 2;
const COMMAND = 4;
/** No frame of a kernel is this large: a larger size means that the stream is out of step. */
const LARGEST_FRAME = 2 ** 30;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The kinds of socket that an executor needs: DEALER to ask, SUB to listen. */
export type SocketType = "DEALER" | "SUB";

/** One connection to one peer, after the handshake. */
export class ZmtpSocket {
  #connection: Deno.TcpConn;
  #buffer = new Uint8Array(1 << 16);
  #start = 0;
  #end = 0;

  private constructor(connection: Deno.TcpConn) {
    this.#connection = connection;
  }

  /**
   * Connects to a port of this machine and shakes hands. A SUB socket subscribes to everything.
   * @param signal gives the attempt up.
   * @throws if nobody listens there, or the peer does not speak ZMTP 3 with NULL.
   */
  static async connect(port: number, type: SocketType, signal?: AbortSignal): Promise<ZmtpSocket> {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port });
    const socket = new ZmtpSocket(connection);
    const giveUp = () => socket.close();
    signal?.addEventListener("abort", giveUp);
    try {
      connection.setNoDelay();
      await socket.#shakeHands(type);
      if (type === "SUB") await socket.send([Uint8Array.of(1)]);
    } catch (error) {
      socket.close();
      throw error;
    } finally {
      signal?.removeEventListener("abort", giveUp);
    }
    return socket;
  }

  /** Sends one message of several frames. */
  async send(frames: readonly Uint8Array[]): Promise<void> {
    const parts = frames.map((body, index) => frame(body, index < frames.length - 1 ? MORE : 0));
    await this.#write(concatenate(parts));
  }

  /**
   * The next message, frame by frame.
   * @throws if the connection ends, or if the bytes are no ZMTP frames.
   */
  async receive(): Promise<Uint8Array[]> {
    const frames: Uint8Array[] = [];
    while (true) {
      const { flags, body } = await this.#readFrame();
      if (flags & COMMAND) continue;
      frames.push(body);
      if (!(flags & MORE)) return frames;
    }
  }

  /** Ends the connection: a pending `receive` throws. */
  close(): void {
    try {
      this.#connection.close();
    } catch {
      // The peer has closed it already.
    }
  }

  async #shakeHands(type: SocketType): Promise<void> {
    await this.#write(greeting());
    checkGreeting(await this.#read(64));
    await this.#write(frame(ready(type), COMMAND));
    const { flags, body } = await this.#readFrame();
    if (!(flags & COMMAND) || decoder.decode(body.subarray(1, 6)) !== "READY") {
      throw new Error("Cannot talk to the peer: it did not answer READY");
    }
  }

  async #write(bytes: Uint8Array): Promise<void> {
    for (let sent = 0; sent < bytes.length;) {
      sent += await this.#connection.write(bytes.subarray(sent));
    }
  }

  async #readFrame(): Promise<{ flags: number; body: Uint8Array }> {
    const flags = (await this.#read(1))[0]!;
    if (flags > (MORE | LONG | COMMAND)) throw new StreamCorrupt(`frame flags ${flags}`);
    let size: number;
    if (flags & LONG) {
      const bytes = await this.#read(8);
      size = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0));
    } else {
      size = (await this.#read(1))[0]!;
    }
    if (size > LARGEST_FRAME) throw new StreamCorrupt(`a frame of ${size} bytes`);
    return { flags, body: await this.#read(size) };
  }

  /** Exactly `size` bytes, in memory of their own. */
  async #read(size: number): Promise<Uint8Array> {
    const bytes = new Uint8Array(size);
    let filled = 0;
    while (filled < size) {
      if (this.#start < this.#end) {
        const part = this.#buffer.subarray(
          this.#start,
          Math.min(this.#end, this.#start + size - filled),
        );
        bytes.set(part, filled);
        filled += part.length;
        this.#start += part.length;
      } else if (size - filled > this.#buffer.length) {
        filled += await this.#readInto(bytes.subarray(filled));
      } else {
        this.#start = 0;
        this.#end = await this.#readInto(this.#buffer);
      }
    }
    return bytes;
  }

  async #readInto(target: Uint8Array): Promise<number> {
    const count = await this.#connection.read(target);
    if (count === null) throw new Error("The peer closed the connection");
    return count;
  }
}

/** What came is not what the protocol allows: the message says what it is. */
export class StreamCorrupt extends Error {
  override name = "StreamCorrupt";
}

function greeting(): Uint8Array {
  const bytes = new Uint8Array(64);
  bytes[0] = 0xff;
  bytes[9] = 0x7f;
  bytes[10] = 3;
  bytes.set(encoder.encode(MECHANISM), 12);
  return bytes;
}

function checkGreeting(bytes: Uint8Array): void {
  const mechanism = decoder.decode(bytes.subarray(12, 32)).replace(/\0+$/, "");
  if (bytes[0] !== 0xff || bytes[9] !== 0x7f || bytes[10]! < 3 || mechanism !== MECHANISM) {
    throw new Error("Cannot talk to the peer: it does not speak ZMTP 3 with the NULL mechanism");
  }
}

/** The READY command: its name, and one property, the kind of socket. */
function ready(type: SocketType): Uint8Array {
  const value = encoder.encode(type);
  return concatenate([
    Uint8Array.of(5),
    encoder.encode("READY"),
    Uint8Array.of(11),
    encoder.encode("Socket-Type"),
    Uint8Array.of(0, 0, 0, value.length),
    value,
  ]);
}

function frame(body: Uint8Array, flags: number): Uint8Array {
  if (body.length < 256) return concatenate([Uint8Array.of(flags, body.length), body]);
  const head = new Uint8Array(9);
  head[0] = flags | LONG;
  new DataView(head.buffer).setBigUint64(1, BigInt(body.length));
  return concatenate([head, body]);
}

function concatenate(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}
