// What publishers were told and what subscribers got, and what is wrong with it.
import { setTimeout as pass } from 'node:timers/promises';
import { inspect } from 'node:util';
import * as sdk from '../protocol/sdk.mjs';

/** Longest wait for anything: some elections of leaders, on a busy machine. */
const patience = 90_000;

/**
 * Compares what was acknowledged, { id, offset }, with what a reader got, the same
 * in the order of arrival, and returns what is wrong. An ID is "publisher-n": a
 * publisher sends its n-th once the one before is acknowledged.
 */
export function judge(acknowledged, got) {
  const faults = [];
  const places = new Map(acknowledged.map((a) => [a.id, a.offset]));
  const came = new Set();
  const numbers = new Map(); // by publisher
  let before = 0;
  for (const { id, offset } of got) {
    if (offset !== before + 1) faults.push(`after offset ${before} comes ${offset}, with ${id}`);
    before = offset;
    if (came.has(id)) faults.push(`${id} comes twice`);
    came.add(id);
    if (!places.has(id)) faults.push(`${id} comes and was never acknowledged here`);
    else if (places.get(id) !== offset) faults.push(`${id} was acknowledged at ${places.get(id)} and comes at ${offset}`);
    const [publisher, n] = split(id);
    const last = numbers.get(publisher) ?? 0;
    if (n !== last + 1) faults.push(`${id} comes after ${publisher}-${last}`);
    numbers.set(publisher, n);
  }
  for (const id of places.keys()) if (!came.has(id)) faults.push(`${id} was acknowledged and never comes`);
  return faults;
}

function split(id) {
  const at = id.lastIndexOf('-');
  return [id.slice(0, at), Number(id.slice(at + 1))];
}

/** Publishers and subscribers under load, and what happened to them. */
export class Ledger {
  acknowledged = new Map(); // by channel: { id, offset }
  duplicates = 0; // stored by an attempt that was not answered
  unanswered = 0;
  refused = 0;
  returns = 0; // subscriptions that came back to where they stood
  readers = [];
  publishers = [];
  slow = []; // { pause, what }: acknowledged after more than a second; to be looked for in the logs of the nodes
  #epochs = new Map(); // by channel
  #faults = [];
  #wake = new Set();
  #stopped = false;
  #abandoned = false;

  constructor(t) {
    t.after(() => (this.#stopped = this.#abandoned = true)); // a test that failed leaves no publisher behind
  }

  /** The number of publications that were acknowledged. */
  get count() {
    return this.publishers.reduce((sum, p) => sum + p.n, 0);
  }

  /** Waits until condition is true. It is looked at after each event, so that nothing is polled. */
  until(what, condition) {
    return new Promise((resolve, reject) => {
      const look = () => {
        if (!condition()) return;
        this.#wake.delete(look);
        clearTimeout(timer);
        resolve();
      };
      const timer = setTimeout(() => {
        this.#wake.delete(look);
        reject(new Error(`${what}: not within ${patience} ms; ${this}`));
      }, patience);
      this.#wake.add(look);
      look();
    });
  }

  #changed() {
    for (const look of this.#wake) look();
  }

  #epoch(channel, epoch) {
    const known = this.#epochs.get(channel);
    if (!known) this.#epochs.set(channel, epoch);
    else if (known !== epoch) this.#faults.push(`the epoch of ${channel} was ${known} and is ${epoch}`);
  }

  /** Returns the epoch of a channel, as publishers and readers were told. */
  epoch(channel) {
    return this.#epochs.get(channel);
  }

  /** Has a client read a channel, from its beginning; resolves once it does. */
  async read(name, client, channel, options) {
    const s = sdk.subscription(client, channel, options);
    const reader = { name, channel, got: [], here: false, left: 0, connected: 0, back: 0 };
    this.readers.push(reader);
    s.on('publication', ({ data, offset }) => {
      reader.got.push({ id: data, offset });
      this.#changed();
    });
    s.on('subscribing', () => {
      reader.here = false;
      reader.left = performance.now();
      this.#changed();
    });
    client.on('connected', () => (reader.connected = performance.now()));
    let first = !options?.since;
    s.on('subscribed', (context) => {
      if (!first) {
        this.returns++;
        if (!context.wasRecovering || !context.recovered) this.#faults.push(`${name} was told that it missed something of ${channel}: ${inspect(context)}`);
      }
      first = false;
      this.#epoch(channel, context.streamPosition?.epoch);
      reader.here = true;
      reader.back = performance.now();
      this.#changed();
    });
    s.on('unsubscribed', (context) => {
      if (!this.#stopped) this.#faults.push(`${name} was unsubscribed from ${channel}: ${inspect(context)}`);
    });
    s.subscribe();
    await this.until(`${name} reads ${channel}`, () => reader.here);
  }

  /**
   * Publishes to a channel until the end, each publication under an ID that is
   * repeated until it is acknowledged. next says where, given the place of the
   * attempt before and whether it failed.
   */
  publish(name, channel, urls, next) {
    const publisher = { n: 0, told: performance.now(), longest: 0 };
    this.publishers.push(publisher);
    if (!this.acknowledged.has(channel)) this.acknowledged.set(channel, []);
    const run = async () => {
      let at = this.publishers.length;
      let id;
      let url;
      let attempts = 0;
      const told = (result) => {
        this.acknowledged.get(channel).push({ id, offset: result.offset });
        this.#epoch(channel, result.epoch);
        if (result.duplicate) this.duplicates++;
        const now = performance.now();
        const pause = now - publisher.told;
        publisher.longest = Math.max(publisher.longest, pause);
        if (pause > 1000) this.slow.push({ pause, what: `${id} until ${new Date().toISOString()}, acknowledged by ${url.host} in attempt ${attempts}` });
        attempts = 0;
        publisher.told = now;
        publisher.n++;
        this.#changed();
      };
      // What was sent is repeated beyond the end: it may be stored, and subscribers get it.
      for (let owed = false; owed ? !this.#abandoned : !this.#stopped;) {
        id = `${name}-${publisher.n + 1}`;
        attempts++;
        url = new URL('/api/publish', urls[at % urls.length]);
        const result = await this.#attempt(url, { channel, data: id, idempotency_key: id });
        owed = !result;
        at = next(at, owed);
        if (result) told(result);
        await pass(20); // the pace of a publisher, and of its retries
      }
    };
    publisher.done = run();
  }

  async #attempt(url, body) {
    try {
      const response = await fetch(url, {
        method: 'POST', headers: { 'X-API-Key': 'key' }, body: JSON.stringify(body), signal: AbortSignal.timeout(5000),
      });
      const { result } = await response.json();
      if (!result) this.refused++;
      return result;
    } catch {
      this.unanswered++;
    }
  }

  /** Returns the longest time, in ms, that a publisher was not told anything, and begins anew. */
  pause() {
    const now = performance.now();
    const longest = Math.max(...this.publishers.map((p) => Math.max(p.longest, now - p.told)));
    for (const p of this.publishers) p.longest = 0;
    return Math.round(longest);
  }

  /** Waits until every publisher was told of something that it sent from now on, and every reader reads. */
  async flows() {
    const from = this.publishers.map((p) => p.n + 2); // the next may have been sent before
    await this.until('every publisher goes on', () => this.publishers.every((p, i) => p.n >= from[i]));
    await this.until('every subscriber is back', () => this.readers.every((r) => r.here));
  }

  /** Waits until n subscriptions have been interrupted since a time. */
  left(n, since) {
    return this.until(`${n} subscriptions are interrupted`, () => this.readers.filter((r) => r.left > since).length >= n);
  }

  /** Waits until every reader has as many publications as were acknowledged by now. */
  async caughtUp() {
    const want = new Map([...this.acknowledged].map(([channel, all]) => [channel, all.length]));
    await this.until('every subscriber has everything', () => this.readers.every((r) => r.here && r.got.length >= want.get(r.channel)));
  }

  /** Ends the publishers, once what they have sent is acknowledged. */
  async stop() {
    this.#stopped = true;
    await Promise.all(this.publishers.map((p) => p.done));
  }

  /** Returns all that is wrong, once publishers have stopped. */
  faults() {
    return [...this.#faults, ...this.readers.flatMap((r) => judge(this.acknowledged.get(r.channel) ?? [], r.got).map((f) => `${r.name}, ${r.channel}: ${f}`))];
  }

  toString() {
    return `acknowledged: ${this.count}; attempts unanswered: ${this.unanswered}, refused: ${this.refused}; stored by them all the same: ${this.duplicates}; `
      + `subscriptions: ${this.readers.length}, away: ${this.readers.filter((r) => !r.here).length}, returns: ${this.returns}`;
  }
}
