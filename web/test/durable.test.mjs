// A server that keeps its channels on the disk is killed under load, and clients
// with the unmodified centrifuge package go on where they stood.
import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { suite, test } from 'node:test';
import { goBuild, start } from './harness.mjs';
import * as sdk from './protocol/sdk.mjs';

const rounds = Number(process.env.KILL_ROUNDS ?? 3);

suite('durable', { timeout: 120_000 + rounds * 20_000 }, () => {
  test(`killed ${rounds} times under load: what was acknowledged arrives once and in order`, async (t) => {
    const binary = await goBuild('.', './cmd/surewire');
    const folder = await mkdtemp(join(tmpdir(), 'surewire-'));
    t.after(() => rm(folder, { recursive: true, force: true }));
    await writeFile(join(folder, 'surewire.yaml'), `
api_key: key
anonymous: true
namespaces: {run: {subscribe: anyone}}
`);
    const args = (address) => ['serve', '--config', join(folder, 'surewire.yaml'), '--data', join(folder, 'data'), '--address', address];
    let server = await start(t, binary, args('127.0.0.1:0'));
    const { port } = server;
    const clients = await Promise.all(sdk.numbers(1, 5).map(async () => sdk.subscribe(await sdk.connect(t, server), 'run:1')));

    // One publisher repeats each number, under its ID, until it is acknowledged.
    let stopped = false;
    let n = 0;
    let duplicates = 0; // stored by an attempt that was not answered
    let unanswered = 0;
    let refused = 0;
    let told = performance.now();
    const pauses = []; // between two acknowledgements, in ms
    const publisher = (async () => {
      while (!stopped) {
        const id = n + 1;
        try {
          const response = await fetch(`http://127.0.0.1:${port}/api/publish`, {
            method: 'POST', headers: { 'X-API-Key': 'key' }, signal: AbortSignal.timeout(5000),
            body: JSON.stringify({ channel: 'run:1', data: id, idempotency_key: `id-${id}` }),
          });
          const { result } = await response.json();
          if (!result) {
            refused++;
            continue;
          }
          n = id;
          if (result.duplicate) duplicates++;
          pauses.push(performance.now() - told);
          told = performance.now();
        } catch {
          unanswered++;
          await sdk.sleep(20);
        }
      }
    })();
    for (let round = 0; round < rounds; round++) {
      const from = n;
      for (let i = 0; n < from + 30 && i < 1500; i++) await sdk.sleep(20);
      assert.ok(n >= from + 30, `the publisher got no further than ${n}`);
      await sdk.sleep(Math.random() * 200);
      await server.kill();
      server = await start(t, binary, args(`127.0.0.1:${port}`));
    }
    const last = n;
    for (let i = 0; n < last + 20 && i < 1500; i++) await sdk.sleep(20);
    stopped = true;
    await publisher;
    let returns = 0;
    for (const s of clients) {
      await s.events.data(n);
      const got = s.events.of('publication').map((p) => p.data);
      assert.deepEqual(got.slice(0, n), sdk.numbers(1, n));
      assert.deepEqual(s.events.of('publication').map((p) => p.offset).slice(0, n), sdk.numbers(1, n));
      const back = s.events.of('subscribed').slice(1);
      assert.ok(back.length > 0, 'a client never noticed that the server was killed');
      returns += back.length;
      assert.ok(back.every((c) => c.wasRecovering && c.recovered), 'a client was told that it had missed something');
    }
    t.diagnostic(`kills: ${rounds}; acknowledged: ${n}; attempts unanswered: ${unanswered}, refused: ${refused}; stored by them all the same: ${duplicates}`);
    t.diagnostic(`clients: ${clients.length}; returns: ${returns}, all recovered; longest time without an acknowledgement: ${Math.round(Math.max(...pauses))} ms`);
  });
});
