// What the protocol tests stand on: the unmodified centrifuge package, in Node,
// and what it emits, to be awaited one after the other.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Centrifuge } from 'centrifuge';
import WebSocket from 'ws';
import { patience, start } from '../harness.mjs';

const clientEvents = ['connecting', 'connected', 'disconnected', 'message', 'error', 'subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave'];
const subscriptionEvents = ['subscribing', 'subscribed', 'unsubscribed', 'publication', 'join', 'leave', 'error'];

/** What an emitter has emitted. Each event is taken once. */
export class Events {
  all = []; // { name, context }, in order
  #taken = new Set();
  #wake = new Set();

  constructor(emitter, names) {
    for (const name of names) {
      emitter.on(name, (context) => {
        this.all.push({ name, context });
        for (const look of this.#wake) look();
      });
    }
  }

  /** Returns the contexts of all events of this name. */
  of(name) {
    return this.all.filter((e) => e.name === name).map((e) => e.context);
  }

  /** Waits for an event of this name that was not taken yet, and takes it. */
  next(name, wanted = () => true) {
    return new Promise((resolve, reject) => {
      const look = () => {
        const event = this.all.find((e) => e.name === name && !this.#taken.has(e) && wanted(e.context));
        if (!event) return;
        this.#taken.add(event);
        this.#wake.delete(look);
        clearTimeout(timer);
        resolve(event.context);
      };
      const timer = setTimeout(() => {
        this.#wake.delete(look);
        reject(new Error(`no ${name} came; what came: ${JSON.stringify(this.all)}`));
      }, patience);
      this.#wake.add(look);
      look();
    });
  }

  /** Waits for n publications in all, and returns their data. */
  async data(n) {
    while (this.of('publication').length < n) await this.next('publication');
    return this.of('publication').map((p) => p.data);
  }
}

/** Starts the example. act and hostile have it do things of its own accord. */
export async function startFeatures(t, binary, ...args) {
  const server = await start(t, binary, args);
  const post = async (path, body) => {
    const response = await fetch(new URL(path, server.url), { method: 'POST', body: JSON.stringify(body) });
    if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`);
    return response.json();
  };
  return Object.assign(server, {
    act: async (verb, body) => (await post(`/hub/${verb}`, body)).connections,
    hostile: (channel) => post('/hostile', { channel }),
    conns: async () => (await fetch(new URL('/conns', server.url))).json(),
  });
}

/** Returns a client that is not connected yet. With mute, it never answers a ping. */
export function client(t, server, { mute = false, ...options } = {}) {
  const sent = []; // frames
  let pings = 0;
  class Socket extends WebSocket {
    constructor(url) {
      super(url);
      this.on('message', (frame) => (pings += String(frame).split('\n').filter((line) => line === '{}').length));
    }
    send(frame) {
      sent.push(frame);
      if (!mute || frame !== '{}') super.send(frame);
    }
  }
  const url = server.url.replace('http', 'ws') + 'connection/websocket';
  const c = new Centrifuge(url, { websocket: Socket, minReconnectDelay: 20, maxReconnectDelay: 200, timeout: patience, ...options });
  t.after(() => {
    // A subscription that waits to try again does so beyond the end of its client, and would keep Node from ending.
    for (const s of Object.values(c.subscriptions())) s.unsubscribe();
    c.disconnect();
  });
  return Object.assign(c, { events: new Events(c, clientEvents), sent, pings: () => pings });
}

/** Returns a client that is connected, as a user if options have one. Its first connecting and connected are taken. */
export async function connect(t, server, { user, ...options } = {}) {
  const c = client(t, server, user ? { token: token({ user }), ...options } : options);
  c.connect();
  await c.events.next('connecting');
  await c.events.next('connected');
  return c;
}

/** Returns a subscription that has subscribed. Its first subscribing and subscribed are taken. */
export async function subscribe(c, channel, options) {
  const s = subscription(c, channel, options);
  s.subscribe();
  await s.events.next('subscribing');
  await s.events.next('subscribed');
  return s;
}

/** Returns a subscription that has not begun, and remembers what it emits. */
export function subscription(c, channel, options) {
  const s = c.newSubscription(channel, options);
  return Object.assign(s, { events: new Events(s, subscriptionEvents) });
}

/** Returns a token as the example takes it. With lives, it expires so many seconds after the server has seen it. */
export function token({ lives, ...claims }) {
  return JSON.stringify({ ...claims, expires_in: lives });
}

/** Returns a token that has expired. */
export function expired(claims) {
  return JSON.stringify({ ...claims, exp: Date.now() / 1000 - 5 });
}

/** Expects that what the SDK promised is refused with this code. */
export async function refused(promise, code, temporary) {
  await assert.rejects(promise, (error) => {
    assert.equal(error.code, code, JSON.stringify(error));
    if (temporary !== undefined) assert.equal(Boolean(error.temporary), temporary);
    return true;
  });
}

/** Sends frames over a WebSocket of its own and returns the code it is closed with. */
export async function closedWith(server, ...frames) {
  const socket = new WebSocket(server.url.replace('http', 'ws') + 'connection/websocket');
  await once(socket, 'open');
  for (const frame of frames) socket.send(frame);
  const [code] = await once(socket, 'close', { signal: AbortSignal.timeout(patience) });
  return code;
}

/** Returns first, first + 1, … last. */
export function numbers(first, last) {
  return Array.from({ length: last - first + 1 }, (_, i) => first + i);
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
