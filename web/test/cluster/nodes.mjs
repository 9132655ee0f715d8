// Processes of surewire serve that form a cluster.
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import net from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pass } from 'node:timers/promises';
import { root, start } from '../harness.mjs';

/** The history of a channel is longer than the test: a client that was away for all of a fault gets everything. */
const config = `
api_key: key
anonymous: true
history_size: 100000
namespaces: {run: {subscribe: anyone}}
`;

/**
 * Returns a port that is free at a host, below those that the system gives to
 * outgoing connections: one of these could take the port of a node that is down.
 */
async function freePort(host) {
  for (;;) {
    const server = net.createServer().listen(10_000 + Math.floor(Math.random() * 20_000), host);
    try {
      await once(server, 'listening');
      return server.address().port;
    } catch {
      continue; // that one is taken
    } finally {
      server.close();
    }
  }
}

/** One process after the other, with the same folder and ports. */
export class Node {
  log = ''; // of the processes that have ended
  #t;
  #binary;
  #args;
  #process;

  constructor(t, binary, name, ports, args) {
    Object.assign(this, { name, ...ports, url: `http://127.0.0.1:${ports.port}/` });
    this.#t = t;
    this.#binary = binary;
    // Who leads a stream is nowhere but in the log, as what NATS says at debug.
    this.#args = ['serve', ...args, '--log-level', 'debug', '--address', `127.0.0.1:${this.port}`, '--internal-address', `127.0.0.1:${this.internal}`];
  }

  /** Starts the process; resolves once it serves and is ready. */
  async start() {
    this.#process = await start(this.#t, this.#binary, this.#args);
    while (!await this.ready()) await pass(20); // nobody tells: it has to be asked
  }

  /** Tells whether /readyz says that clients may be sent here. */
  async ready() {
    try {
      const response = await fetch(`http://127.0.0.1:${this.internal}/readyz`, { signal: AbortSignal.timeout(1000) });
      await response.text();
      return response.ok;
    } catch {
      return false;
    }
  }

  kill = () => this.#end('kill');
  stop = () => this.#end('stop');

  async #end(how) {
    await this.#process[how]();
    this.log += this.#process.output();
    this.#process = undefined;
  }

  output() {
    return this.log + (this.#process?.output() ?? '');
  }
}

/** Starts three nodes that hear each other at a host; way(i, j, port) returns the port at 127.0.0.1 where i finds j. */
export async function startNodes(t, binary, host, way = (i, j, port) => port) {
  const folder = await mkdtemp(join(tmpdir(), 'surewire-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'surewire.yaml'), config);
  const ports = [];
  for (let i = 0; i < 3; i++) ports.push({ port: await freePort('127.0.0.1'), internal: await freePort('127.0.0.1'), hears: await freePort(host) });
  const nodes = await Promise.all(ports.map(async (p, i) => {
    const others = ports.map((_, j) => j).filter((j) => j !== i);
    const peers = await Promise.all(others.map(async (j) => `127.0.0.1:${await way(i, j, ports[j].hears)}`));
    return new Node(t, binary, `node-${i}`, p, [
      '--config', join(folder, 'surewire.yaml'), '--data', join(folder, `node-${i}`),
      '--cluster-node', `node-${i}`, '--cluster-listen', `${host}:${p.hears}`, '--cluster-peers', peers.join(), '--cluster-secret', 'secret',
    ]);
  }));
  const logs = join(root, '.work/test/cluster', t.name.replaceAll(/\W+/g, '-'));
  t.after(async () => {
    await mkdir(logs, { recursive: true });
    for (const n of nodes) await writeFile(join(logs, `${n.name}.log`), n.output());
  });
  await Promise.all(nodes.map((n) => n.start()));
  return nodes;
}

/** Returns the index of the node that was the last to become the leader of a channel's stream. */
export function leader(nodes, channel) {
  // The engine keeps a channel in one of eight streams, by FNV-1a of its name.
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(channel)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  const stream = `_${hash % 8}'`;
  const times = nodes.map((n) => n.output().split('\n').findLast((line) => line.includes('new stream leader') && line.includes(stream))?.slice(0, 'time=2026-01-02T03:04:05.678'.length) ?? '');
  const newest = times.toSorted().at(-1);
  if (!newest) throw new Error(`the log names no leader of ${channel}`);
  return times.indexOf(newest);
}
