// Three processes that form a cluster: killed, restarted and cut off from each
// other under load, while clients with the unmodified centrifuge package go on.
// It takes minutes, and is in a folder so that npm test does not take it up: make cluster.
//
// Clients reach the nodes through a TCP balancer. The SDK's list of transports is
// for browsers that some transport does not work in: once one has opened, the SDK
// stays with it for good (_transportWasOpen in its source), whatever becomes of
// that endpoint, and it offers nothing else to change it. So an app of several
// nodes has one address for them, with a balancer behind it that asks /readyz.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { goBuild } from '../harness.mjs';
import * as sdk from '../protocol/sdk.mjs';
import { Ledger } from './ledger.mjs';
import { Balancer, Link } from './network.mjs';
import { leader, startNodes } from './nodes.mjs';

const rounds = Number(process.env.CLUSTER_ROUNDS ?? 1);
const channels = ['run:1', 'run:2', 'run:3', 'run:4'];
const clients = 6;
const sdkDefaults = { timeout: 5000 }; // for an answer; the harness waits longer

/** Returns what stands for a test in its hooks: what was begun last ends first. */
function lastFirst(t) {
  const cleanups = [];
  t.after(async () => {
    for (const f of cleanups.reverse()) await f();
  });
  return { name: t.name, after: (f) => cleanups.push(f), diagnostic: (text) => t.diagnostic(text) };
}

/** Puts nodes under load: two publishers to a channel, and clients that read all channels. */
async function load(t, nodes) {
  const ledger = new Ledger(t);
  const balancer = await Balancer.start(t, nodes);
  for (let i = 0; i < clients; i++) {
    const client = await sdk.connect(t, balancer, sdkDefaults);
    for (const channel of channels) await ledger.read(`client ${i}`, client, channel);
  }
  const urls = nodes.map((n) => n.url);
  for (const channel of channels) {
    // One goes from node to node, the other stays with a node until it fails, as
    // connections do that are kept open.
    ledger.publish(`${channel}-a`, channel, urls, (at) => at + 1);
    ledger.publish(`${channel}-b`, channel, urls, (at, failed) => at + Number(failed));
  }
  await ledger.flows();
  return { ledger, balancer };
}

/** Ends the load, and judges it: by all that clients got, and by all that each node has kept. */
async function conclude(t, nodes, ledger) {
  await ledger.stop();
  await ledger.caughtUp();
  for (const node of nodes) {
    const client = await sdk.connect(t, node, sdkDefaults);
    for (const channel of channels) await ledger.read(`reader of ${node.name}`, client, channel, { since: { offset: 0, epoch: ledger.epoch(channel) } });
  }
  await ledger.caughtUp();
  const faults = ledger.faults();
  for (const { pause, what } of ledger.slow.toSorted((a, b) => b.pause - a.pause).slice(0, 10)) t.diagnostic(`${ms(pause)} for ${what}`);
  t.diagnostic(`${ledger}; faults: ${faults.length}`);
  assert.deepEqual(faults.slice(0, 20), []);
}

/** Ends a node under load by a function and starts it again, and reports how its clients and the publishers went on. */
async function restart(t, { ledger, balancer }, nodes, at, how) {
  const node = nodes[at];
  const from = ledger.count;
  await ledger.until('there is load', () => ledger.count >= from + 500);
  const had = balancer.count(at);
  ledger.pause();
  const began = performance.now();
  await node[how]();
  const ended = performance.now();
  await ledger.left(had * channels.length, began);
  await ledger.flows();
  const back = ledger.readers.filter((r) => r.left > began);
  const longest = (event) => ms(Math.max(...back.map((r) => r[event] - r.left)));
  assert.ok(channels.every((c) => leader(nodes, c) !== at), `${node.name} has ended, and is taken for a leader`);
  const pause = ledger.pause();
  const starting = performance.now();
  await node.start();
  const started = performance.now();
  await ledger.flows();
  const later = ledger.pause();
  t.diagnostic(`${node.name}: ended in ${ms(ended - began)}, ${had} clients, all connected again after ${longest('connected')}, all subscribed after ${longest('back')}; ready ${ms(started - starting)} after its start; `
    + `acknowledged: ${ledger.count - from}; longest pause of a publisher: ${ms(pause)}, and while it came back: ${ms(later)}`);
  // The next node to end is one that has clients.
  const moved = performance.now();
  await ledger.left(balancer.even() * channels.length, moved);
  await ledger.flows();
  return Math.max(pause, later);
}

function ms(time) {
  return `${Math.round(time)} ms`;
}

suite('cluster', { timeout: 600_000 + rounds * 120_000 }, () => {
  let binary;
  const scene = (name, run) => test(name, async (context) => {
    const t = lastFirst(context);
    binary ??= await goBuild('.', './cmd/surewire');
    await run(t);
  });

  scene(`the leader is killed ${rounds} times`, async (t) => {
    const nodes = await startNodes(t, binary, '127.0.0.1');
    const all = await load(t, nodes);
    const pauses = [];
    for (let round = 0; round < rounds; round++) {
      pauses.push(await restart(t, all, nodes, leader(nodes, channels[round % channels.length]), 'kill'));
    }
    t.diagnostic(`longest pause of a publisher in ${rounds} rounds: ${ms(Math.max(...pauses))}`);
    await conclude(t, nodes, all.ledger);
  });

  scene('nodes are restarted one after the other', async (t) => {
    const nodes = await startNodes(t, binary, '127.0.0.1');
    const all = await load(t, nodes);
    const pauses = [];
    for (const at of nodes.keys()) pauses.push(await restart(t, all, nodes, at, 'stop'));
    t.diagnostic(`longest pause of a publisher, by node: ${pauses.map(ms).join(', ')}`);
    await conclude(t, nodes, all.ledger);
  });

  scene('links between nodes are slow, break and go dark', async (t) => {
    const links = []; // { ends, link }
    // Nodes tell each other their ports. Whoever takes that up tries 127.0.0.1,
    // where the proxies are: the nodes have an address of their own.
    const host = '127.0.0.2';
    const nodes = await startNodes(t, binary, host, async (i, j, port) => {
      const link = await Link.start(t, host, port);
      links.push({ ends: [i, j], link });
      return link.port;
    });
    const { ledger } = await load(t, nodes);
    const each = (fn) => links.forEach(({ link }) => fn(link));
    const phase = async (name, fault, heal) => {
      await ledger.flows();
      const from = ledger.count;
      ledger.pause();
      await fault();
      const acknowledged = ledger.count - from;
      const healed = performance.now();
      heal();
      await ledger.flows();
      const flows = performance.now() - healed;
      await ledger.caughtUp();
      t.diagnostic(`${name}: acknowledged: ${acknowledged}; longest pause of a publisher: ${ms(ledger.pause())}; `
        + `once it was over, all publishers went on after ${ms(flows)}, and all clients had everything after ${ms(performance.now() - healed)}`);
    };
    await phase('no faults', () => sdk.sleep(5000), () => {});
    await phase('50-200 ms on all links', () => {
      each((link) => link.delay(50, 200));
      return sdk.sleep(10_000);
    }, () => each((link) => link.delay(0, 0)));
    await phase('connections cut', async () => {
      for (const end = performance.now() + 10_000; performance.now() < end;) {
        await sdk.sleep(200 + Math.random() * 800);
        links[Math.floor(Math.random() * links.length)].link.cut();
      }
    }, () => {});
    for (const at of nodes.keys()) {
      const late = at % 2 === 0; // what was held comes late, or never
      const around = links.filter(({ ends }) => ends.includes(at));
      await phase(`${nodes[at].name} cut off, what was held comes late: ${late}`, () => {
        for (const { link } of around) link.darken();
        return sdk.sleep(10_000);
      }, () => around.forEach(({ link }) => link.heal(late)));
    }
    await conclude(t, nodes, ledger);
  });
});
