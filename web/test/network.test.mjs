// The proxies of make cluster are worth what they do: delay, hold, cut, and choose.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import net from 'node:net';
import { suite, test } from 'node:test';
import { Balancer, Link } from './cluster/network.mjs';

/** Starts a server that answers with its name and what it is sent, and returns its port. */
async function echo(t, name = '') {
  const server = net.createServer((socket) => {
    socket.on('error', () => {}); // its peer was cut off
    socket.on('data', (data) => socket.write(name + data));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return server.address().port;
}

/** Connects to a port; ask sends something and returns the answer, or 'closed', or 'nothing' within a while. */
async function dial(t, port) {
  const socket = net.connect(port, '127.0.0.1');
  socket.on('error', () => {}); // close follows
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  const answer = (within) => Promise.race([
    once(socket, 'data').then(([data]) => String(data)),
    once(socket, 'close').then(() => 'closed'),
    once(AbortSignal.timeout(within), 'abort').then(() => 'nothing'),
  ]).catch(() => 'closed'); // by a reset
  const ask = (text, within = 5000) => {
    socket.write(text);
    return answer(within);
  };
  return { ask, answer };
}

suite('the network between nodes', () => {
  test('a link delays, holds and cuts', async (t) => {
    const link = await Link.start(t, '127.0.0.1', await echo(t));
    const c = await dial(t, link.port);
    assert.equal(await c.ask('whole'), 'whole');
    link.delay(50, 60);
    const began = performance.now();
    assert.equal(await c.ask('slow'), 'slow');
    assert.ok(performance.now() - began > 95, 'there and back is 100 ms at least');
    link.delay(0, 0);

    link.darken();
    const young = await dial(t, link.port);
    assert.equal(await c.ask('dark', 200), 'nothing');
    assert.equal(await young.ask('dark', 200), 'nothing');
    const [old, lost] = [c.answer(5000), young.answer(5000)];
    link.heal(true);
    assert.equal(await old, 'dark');
    assert.equal(await lost, 'closed');

    link.darken();
    assert.equal(await c.ask('lost', 200), 'nothing');
    const end = c.answer(5000);
    link.heal(false);
    assert.equal(await end, 'closed');

    const last = await dial(t, link.port);
    assert.equal(await last.ask('again'), 'again');
    const cut = last.answer(5000);
    assert.equal(link.cut(), 1);
    assert.equal(await cut, 'closed');
  });

  test('a balancer chooses the node with the fewest connections, of those that are ready', async (t) => {
    const nodes = await Promise.all(['a', 'b', 'c'].map(async (name) => ({ port: await echo(t, name), ready: async () => name !== 'b' })));
    const balancer = await Balancer.start(t, nodes);
    const { port } = new URL(balancer.url);
    const names = [];
    for (let i = 0; i < 4; i++) names.push(await (await dial(t, port)).ask(String(i)));
    assert.deepEqual(names, ['a0', 'c1', 'a2', 'c3']);
    assert.deepEqual([0, 1, 2].map((i) => balancer.count(i)), [2, 0, 2]);
    assert.equal(balancer.even(), 0);
  });
});
