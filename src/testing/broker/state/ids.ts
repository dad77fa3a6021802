import type { Random } from '../../../core/clock.ts';

/** A uuid in Kafka's base64url text. Never one that starts with a dash, as Kafka avoids it too. */
export function randomUuid(random: Random): string {
  for (;;) {
    const bytes = Buffer.alloc(16);
    for (let at = 0; at < bytes.length; at++) bytes[at] = Math.floor(random() * 256);
    bytes[6] = (bytes[6]! & 0x0f) | 0x40;
    bytes[8] = (bytes[8]! & 0x3f) | 0x80;
    const text = bytes.toString('base64url');
    if (!text.startsWith('-')) return text;
  }
}

/** The same in hexadecimal with dashes, as in member ids. */
export function randomMemberSuffix(random: Random): string {
  const hex = Buffer.from(randomUuid(random), 'base64url').toString('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}

/** A stable number for a text (FNV-1a), to spread groups over nodes. */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
