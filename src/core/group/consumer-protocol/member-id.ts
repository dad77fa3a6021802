// The member's own name, which it makes itself from version 1 of the heartbeat on.

import type { Random } from '../../clock.ts';

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-';
const LENGTH = 22;

/** As long and as random as a UUID, in the letters Kafka writes one with; never with a leading dash. */
export function newMemberId(random: Random): string {
  let id = '';
  while (id.length < LENGTH) {
    const letters = id === '' ? ALPHABET.length - 1 : ALPHABET.length;
    id += ALPHABET.charAt(Math.floor(random() * letters));
  }
  return id;
}
