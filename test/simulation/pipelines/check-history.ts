// The delivery contract as a function from a history to what is wrong with it. Knows nothing of the product.
import { handingKey, handingOf } from './history.ts';
import type { HandingKey, History, HistoryEvent, SourceEnd } from './history.ts';

type EventOf<K extends HistoryEvent['kind']> = Extract<HistoryEvent, { kind: K }>;
type OfClaim = { readonly member: string; readonly source: string; readonly epoch: number };

/** One claim epoch of one partition at one member. */
interface EpochState extends OfClaim {
  readonly start: number;
  /** One past the last record handed over. */
  position: number;
  readonly acks: Map<number, number>;
  readonly open: Set<number>;
  ended: boolean;
  lost: boolean;
}

interface SourceState {
  readonly end: SourceEnd;
  readonly poison: ReadonlySet<number>;
  /** The furthest commit, and whose it was. */
  committed: number | undefined;
  committedBy?: string | undefined;
  /** The last one: where the next claim begins. */
  inForce?: number | undefined;
  /** By member, oldest first. */
  readonly epochs: Map<string, EpochState[]>;
}

interface TokenState {
  readonly of: readonly HandingKey[];
  /** All that it answers for: `of`, and what it was gathered with. */
  row: readonly HandingKey[];
  readonly at: string;
  shares: number;
  /** By stage: records of the last sending, and what of it is in the log. */
  readonly sent: Map<string, { readonly records: number; readonly appended: Set<number> }>;
}

const MANY = 20;

/** What is wrong, in the order of its happening; empty for a history that keeps the contract. At most 20. */
export function checkHistory(history: History): string[] {
  const checker = new Checker(history);
  for (const event of history.events) {
    if (checker.wrongs.length >= MANY) break;
    checker.see(event);
  }
  if (checker.wrongs.length < MANY) checker.end();
  return checker.wrongs;
}

class Checker {
  readonly wrongs: string[] = [];
  private readonly history: History;
  private readonly sources = new Map<string, SourceState>();
  private readonly tokens = new Map<number, TokenState>();
  /** Tokens on their way, by handing; the handing is a key as soon as one token was made of it. */
  private readonly live = new Map<HandingKey, Set<number>>();
  private readonly buried = new Set<HandingKey>();
  private readonly letters = new Set<string>();
  /** By sink and claim epoch: tokens in the order the sink was given them. */
  private readonly sinkQueues = new Map<string, number[]>();
  private readonly delivered = new Map<string, number>();
  private mended = false;
  private atMs = 0;

  constructor(history: History) {
    this.history = history;
    for (const end of history.sources) {
      this.sources.set(end.source, {
        end,
        poison: new Set(end.poison),
        committed: undefined,
        epochs: new Map(),
      });
    }
  }

  see(event: HistoryEvent): void {
    this.atMs = event.atMs;
    switch (event.kind) {
      case 'claimed':
        this.onClaimed(event);
        break;
      case 'begun':
        this.onBegun(event);
        break;
      case 'ended':
        // Of rewinds in a merged flow only those are known that handed something over.
        for (const one of this.source(event.source).epochs.get(event.member) ?? []) {
          one.ended = true;
          one.lost ||= event.how === 'lost';
        }
        break;
      case 'handed':
        this.onHanded(event);
        break;
      case 'acked':
        this.onAcked(event);
        break;
      case 'left':
        this.find(event)?.open.delete(event.offset);
        break;
      case 'committed':
        this.onCommitted(event);
        break;
      case 'ran':
        if (event.error !== undefined) this.wrong(`${event.member} failed: ${event.error}`);
        else if (this.mended && event.unsettled > 0)
          this.wrong(`${event.member} was drained at the end and left ${event.unsettled} unsettled`);
        break;
      case 'mended':
        this.mended = true;
        break;
      case 'letter':
        this.letters.add(`${event.place}|${event.offset}`);
        break;
      case 'gathered':
        this.gather(event);
        break;
      case 'crashed':
        break;
      case 'wrong':
        this.wrong(event.what);
        break;
      default:
        this.onToken(event);
    }
  }

  end(): void {
    for (const { end, inForce = 0 } of this.sources.values()) {
      if (inForce !== end.endOffset)
        this.wrong(`${end.source} ends at ${end.endOffset}, and only ${inForce} is committed`);
    }
  }

  private wrong(what: string): void {
    this.wrongs.push(`at ${this.atMs} ms: ${what}`);
  }

  private source(name: string): SourceState {
    const source = this.sources.get(name);
    if (source === undefined) throw new Error(`the history names no source ${name}`);
    return source;
  }

  private find({ member, source, epoch }: OfClaim): EpochState | undefined {
    return this.source(source)
      .epochs.get(member)
      ?.find((one) => one.epoch === epoch);
  }

  /** The group gave the partition to a member: it begins at the commit. */
  private onClaimed(claim: OfClaim): void {
    const source = this.source(claim.source);
    const before = source.epochs.get(claim.member)?.at(-1);
    if (before?.ended === false)
      this.wrong(`${nameOf(claim)} begins while claim epoch ${before.epoch} of the same member is open`);
    this.openEpoch(claim, source.inForce ?? 0);
  }

  /** A lane says where its claim begins. */
  private onBegun(event: EventOf<'begun'>): void {
    const known = this.find(event);
    if (known === undefined) this.startOver(event, event.start, true);
    else if (known.start !== event.start)
      this.wrong(`${nameOf(event)} begins at ${event.start} where ${known.start} is committed`);
  }

  /**
   * A rewound claim goes on at the first record that it had not settled. In a merged flow it is seen only with its first record; what was
   * settled between its start and that came too late.
   */
  private startOver(claim: OfClaim, start: number, told: boolean): EpochState {
    const source = this.source(claim.source);
    const before = source.epochs.get(claim.member)?.at(-1);
    const name = nameOf(claim);
    if (before === undefined || before.ended) this.wrong(`${name} was never claimed`);
    else {
      const earliest = told ? firstOpen(before, (offset) => before.acks.has(offset)) : before.start;
      const latest = firstOpen(before, (offset) => before.acks.has(offset) || source.poison.has(offset));
      if (start < earliest || start > firstNotIn(source.poison, latest))
        this.wrong(`${name} starts over at ${start}; its commit point was ${earliest} to ${latest}`);
    }
    // Records before the first that was handed over may not have decoded.
    let first = start;
    while (source.poison.has(first - 1)) first--;
    return this.openEpoch(claim, first);
  }

  private openEpoch({ member, source, epoch }: OfClaim, start: number): EpochState {
    const { epochs } = this.source(source);
    const own = epochs.get(member) ?? [];
    epochs.set(member, own);
    const before = own.at(-1);
    if (before !== undefined && before.epoch >= epoch)
      this.wrong(`${nameOf({ member, source, epoch })} begins after claim epoch ${before.epoch}`);
    const state = {
      member,
      source,
      epoch,
      start,
      position: start,
      acks: new Map(),
      open: new Set<number>(),
      ended: false,
      lost: false,
    };
    own.push(state);
    return state;
  }

  private onHanded(event: EventOf<'handed'>): void {
    const { offset } = event;
    const source = this.source(event.source);
    const epoch = this.find(event) ?? this.startOver(event, offset, false);
    const name = nameOf(event);
    if (epoch.ended) this.wrong(`${name} hands over ${offset} when it is over`);
    if (source.epochs.get(event.member)!.at(-1) !== epoch)
      this.wrong(`${name} hands over ${offset} after the next claim epoch began`);
    if (offset < epoch.position) this.wrong(`${name} hands over ${offset} again or out of order`);
    else if (!allIn(source.poison, epoch.position, offset))
      this.wrong(`${name} hands over ${offset} and leaves out what follows ${epoch.position - 1}`);
    epoch.position = offset + 1;
    epoch.open.add(offset);
    if (epoch.open.size > this.history.creditRecords)
      this.wrong(
        `${name} has ${epoch.open.size} records unsettled; its credit is ${this.history.creditRecords}`,
      );
  }

  private onAcked(event: EventOf<'acked'>): void {
    const { offset } = event;
    const epoch = this.find(event);
    const name = nameOf(event);
    if (epoch === undefined || offset < epoch.start || offset >= epoch.position) {
      this.wrong(`${name} is told that ${offset} is settled, which it has not handed over`);
      return;
    }
    const acks = (epoch.acks.get(offset) ?? 0) + 1;
    epoch.acks.set(offset, acks);
    epoch.open.delete(offset);
    if (acks > 1) this.wrong(`${name} is told ${acks} times that ${offset} is settled`);
    this.checkAllDone(handingKey(event.member, event.source, event.epoch, offset), name, offset);
  }

  /** Everything made from a record has come to its end when the record is settled. */
  private checkAllDone(key: HandingKey, name: string, offset: number): void {
    const live = this.live.get(key);
    if (live === undefined) {
      this.wrong(`${name} settles ${offset}, of which nothing was made`);
      return;
    }
    for (const token of live) {
      this.wrong(
        `${name} settles ${offset} while value ${token} of ${this.tokens.get(token)!.at} is on its way`,
      );
    }
    if (!this.buried.has(key)) return;
    const place = placeOf(handingOf(key).source);
    if (!this.letters.has(`${place}|${offset}`))
      this.wrong(`${name} settles ${offset} before its dead letter is written`);
  }

  private onCommitted(event: EventOf<'committed'>): void {
    const { member, offset } = event;
    const source = this.source(event.source);
    const before = source.committed;
    const owner = `${member}|${event.generation}`;
    // A commit of its own that was never answered may arrive behind a later one, on another connection; in the end it must have been repeated.
    if (before !== undefined && offset < before && source.committedBy !== owner)
      this.wrong(
        `${member} (generation ${event.generation}) commits ${offset} of ${event.source} after ${before}`,
      );
    const epochs = source.epochs.get(member) ?? [];
    for (let covered = before ?? 0; covered < offset; covered++) this.checkCovered(event, epochs, covered);
    source.committed = Math.max(offset, before ?? 0);
    source.committedBy = owner;
    source.inForce = offset;
  }

  /** An offset that a commit covers for the first time: settled once, in the claim epoch that the commit speaks for. */
  private checkCovered(event: EventOf<'committed'>, epochs: readonly EpochState[], offset: number): void {
    const source = this.source(event.source);
    const what = `${event.member} commits ${event.offset} of ${event.source}`;
    if (source.poison.has(offset)) {
      const letter = `${placeOf(event.source)}|${offset}`;
      if (this.history.buriesPoison && !this.letters.has(letter))
        this.wrong(`${what}; ${offset} does not decode, and its dead letter is not written`);
      return;
    }
    const epoch = epochs.findLast(({ start }) => start <= offset);
    if (epoch === undefined || offset >= epoch.position) {
      this.wrong(`${what}; ${offset} was not handed over in its claim epoch ${epoch?.epoch ?? 'none'}`);
      return;
    }
    const acks = epoch.acks.get(offset) ?? 0;
    if (acks !== 1)
      this.wrong(`${what}; ${offset} was settled ${acks} times in claim epoch ${epoch.epoch}, not once`);
  }

  private onToken(
    event: EventOf<'made' | 'used' | 'buried' | 'sent' | 'sealed' | 'passed' | 'delivered' | 'appended'>,
  ): void {
    if (event.kind === 'made') {
      this.make(event);
      return;
    }
    const token = this.tokens.get(event.token);
    if (token === undefined) {
      this.wrong(`value ${event.token} comes from nowhere`);
      return;
    }
    switch (event.kind) {
      case 'used':
        this.use(event.token, token, event.at);
        break;
      case 'buried':
        for (const key of token.of) this.buried.add(key);
        this.use(event.token, token, event.at);
        break;
      case 'sent':
        this.send(event, token);
        break;
      case 'sealed':
        this.seal(event, token);
        break;
      case 'appended':
        token.sent.get(event.at)?.appended.add(event.index);
        break;
      case 'passed':
        this.pass(event, token);
        break;
      case 'delivered':
        this.deliver(event.token, token);
        break;
    }
  }

  private make({ token, of, row = of, shares, at }: EventOf<'made'>): void {
    if (this.tokens.has(token)) this.wrong(`value ${token} is made twice`);
    this.tokens.set(token, { of, row, at, shares, sent: new Map() });
    for (const key of of) {
      let live = this.live.get(key);
      if (live === undefined) {
        live = new Set();
        this.live.set(key, live);
      }
      if (shares > 0) live.add(token);
    }
  }

  /** What waits for others is let go when all that it answers for is lost. */
  private gather({ tokens, at }: EventOf<'gathered'>): void {
    const gathered = tokens.map((id) => this.tokens.get(id)!);
    for (const [place, token] of gathered.entries())
      if (this.isDead(token))
        this.wrong(`${at} gathers value ${tokens[place]}, of which every claim is lost`);
    const row = [...new Set(gathered.flatMap((token) => token.row))];
    for (const token of gathered) token.row = row;
  }

  private use(id: number, token: TokenState, at: string): void {
    token.shares--;
    if (token.shares < 0) this.wrong(`value ${id} of ${token.at} came to ${at} once more than it exists`);
    if (token.shares > 0) return;
    for (const key of token.of) this.live.get(key)!.delete(id);
  }

  private send({ token: id, records, at }: EventOf<'sent'>, token: TokenState): void {
    if (!token.sent.has(at)) {
      const lane = `${at}|${laneOf(token.of[0]!)}`;
      const queue = this.sinkQueues.get(lane);
      if (queue === undefined) this.sinkQueues.set(lane, [id]);
      else queue.push(id);
    }
    const appended = token.sent.get(at)?.appended ?? new Set<number>();
    token.sent.set(at, { records, appended });
  }

  /** A record is not sent once all that it answers for is lost; of what lies in a claim that goes on, it may. */
  private seal({ token: id, at }: EventOf<'sealed'>, token: TokenState): void {
    if (this.isDead(token)) this.wrong(`${at} sends value ${id}, of which every claim is lost`);
  }

  private isDead({ row }: TokenState): boolean {
    return row.length > 0 && row.every((key) => this.isLost(handingOf(key)));
  }

  private isLost(claim: OfClaim): boolean {
    return this.find(claim)?.lost ?? false;
  }

  private pass({ token: id, at }: EventOf<'passed'>, token: TokenState): void {
    const sent = token.sent.get(at);
    if (sent === undefined) {
      this.wrong(`${at} passes value ${id} on, which it was not given`);
      return;
    }
    for (let index = 0; index < sent.records; index++) {
      if (!sent.appended.has(index))
        this.wrong(`${at} passes value ${id} on before its record ${index} is in the log`);
    }
    const queue = this.sinkQueues.get(`${at}|${laneOf(token.of[0]!)}`)!;
    const place = queue.indexOf(id);
    if (this.history.mixesClaims) return;
    if (place < 0) this.wrong(`${at} passes value ${id} on out of order, or twice`);
    else queue.splice(0, place + 1);
  }

  private deliver(id: number, token: TokenState): void {
    this.use(id, token, 'the end');
    if (this.history.order !== 'input' || this.history.mixesClaims) return;
    const lanes = new Map<string, number[]>();
    for (const key of token.of) {
      const lane = laneOf(key);
      lanes.set(lane, [...(lanes.get(lane) ?? []), handingOf(key).offset]);
    }
    for (const [lane, offsets] of lanes) {
      const last = this.delivered.get(lane) ?? -1;
      const first = Math.min(...offsets);
      if (first < last)
        this.wrong(`value ${id} of offset ${first} comes to the end of ${lane} after ${last}`);
      this.delivered.set(lane, first);
    }
  }
}

function nameOf({ member, source, epoch }: OfClaim): string {
  return `claim epoch ${epoch} of ${source} at ${member}`;
}

function laneOf(key: HandingKey): string {
  return key.slice(0, key.lastIndexOf('|'));
}

function placeOf(source: string): string {
  return source.slice(source.indexOf(':') + 1);
}

function firstOpen({ start, position }: EpochState, isDone: (offset: number) => boolean): number {
  let offset = start;
  while (offset < position && isDone(offset)) offset++;
  return offset;
}

function firstNotIn(set: ReadonlySet<number>, from: number): number {
  let offset = from;
  while (set.has(offset)) offset++;
  return offset;
}

/** True when every offset from `from` to before `to` is in the set. */
function allIn(set: ReadonlySet<number>, from: number, to: number): boolean {
  return firstNotIn(set, from) >= to;
}
