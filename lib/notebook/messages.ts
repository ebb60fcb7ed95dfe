/** Jupyter messages (protocol 5.3): JSON parts signed with HMAC-SHA256, as frames of one ZeroMQ message. */

// Written by hand: no npm package encodes Jupyter's ZeroMQ messages; the browser's speak WebSocket.

import { createHmac, randomUUID, timingSafeEqual } from "node:crypto";
import { StreamCorrupt } from "./zmtp.ts";

const DELIMITER = "<IDS|MSG>";
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** What a connection needs to sign and check messages. */
export interface Signing {
  key: string;
  session: string;
}

/** One message from a kernel. `content` is untrusted JSON. */
export interface Message {
  type: string;
  /** The id of the request that this message answers or belongs to, if any. */
  parent: string | undefined;
  content: Record<string, unknown>;
}

/** Encodes a request. The id is what the answers call their parent. */
export function encodeMessage(
  type: string,
  content: Record<string, unknown>,
  signing: Signing,
): { id: string; frames: Uint8Array[] } {
  const id = randomUUID();
  const header = {
    msg_id: id,
    session: signing.session,
    username: "notebook",
    date: new Date().toISOString(),
    msg_type: type,
    version: "5.3",
  };
  const parts = [header, {}, {}, content].map((part) => encoder.encode(JSON.stringify(part)));
  const signature = encoder.encode(sign(parts, signing.key));
  return { id, frames: [encoder.encode(DELIMITER), signature, ...parts] };
}

/**
 * Decodes the frames of one message.
 * @throws {StreamCorrupt} if the frames are no Jupyter message or the signature does not fit.
 */
export function decodeMessage(frames: readonly Uint8Array[], signing: Signing): Message {
  const start = frames.findIndex((frame) =>
    frame.length === DELIMITER.length && decoder.decode(frame) === DELIMITER
  );
  const signature = frames[start + 1];
  const parts = frames.slice(start + 2, start + 6);
  const [header, parent, , content] = parts;
  if (start < 0 || !signature || !header || !parent || !content) {
    throw new StreamCorrupt(`a message of ${frames.length} frames`);
  }
  const expected = encoder.encode(sign(parts, signing.key));
  if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
    throw new StreamCorrupt("a message with a wrong signature");
  }
  const json = (bytes: Uint8Array) => JSON.parse(decoder.decode(bytes));
  return { type: json(header).msg_type, parent: json(parent).msg_id, content: json(content) };
}

function sign(parts: readonly Uint8Array[], key: string): string {
  const hmac = createHmac("sha256", key);
  for (const part of parts) hmac.update(part);
  return hmac.digest("hex");
}
