// Connections that break, servers that are stopped or killed, and clients that
// do not answer: what comes back has everything, or is told.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import * as kit from '../harness.mjs';
import * as sdk from './sdk.mjs';

export function reconnects(binary) {
  suite('reconnect', { concurrency: 4 }, () => {
    let server, pinging;
    const t = kit.lasting();
    before(async () => {
      [server, pinging] = await Promise.all([sdk.startFeatures(t, binary()), sdk.startFeatures(t, binary(), '-ping', '3s')]);
    });

    test('a broken connection resumes with what it missed, once and in order', async (t) => {
      const channel = 'public:broken';
      const proxy = await kit.startProxy(t, server.port);
      const c = await sdk.connect(t, proxy);
      const s = await sdk.subscribe(c, channel);
      let sent = 0;
      const publish = async (n) => {
        for (let i = 0; i < n; i++) await server.publish(channel, ++sent);
      };
      for (const missed of [0, 1, 10, 320]) { // 320 are more than a reply holds
        await publish(2);
        await s.events.data(sent);
        proxy.cut();
        assert.deepEqual(await c.events.next('connecting'), { code: 1, reason: 'transport closed' });
        await publish(missed);
        proxy.heal();
        await c.events.next('connected');
        const { wasRecovering, recovered, hasRecoveredPublications } = await s.events.next('subscribed');
        assert.deepEqual([wasRecovering, recovered, hasRecoveredPublications], [true, true, missed > 0]);
        assert.deepEqual(await s.events.data(sent), sdk.numbers(1, sent));
      }
    });

    test('a position of another epoch, beyond the end, or no longer kept is not recovered, and that is said', async (t) => {
      const channel = 'public:lost';
      const c = await sdk.connect(t, server);
      let at = await server.publish(channel, 1);
      const begin = async (since) => {
        const s = await sdk.subscribe(await sdk.connect(t, server), channel, { since });
        const [context] = s.events.of('subscribed');
        assert.deepEqual([context.wasRecovering, context.recovered, context.hasRecoveredPublications], [true, false, false]);
        assert.deepEqual(context.streamPosition, { offset: at.offset, epoch: at.epoch });
      };
      await begin({ offset: 1, epoch: 'another' });
      await begin({ offset: 2, epoch: at.epoch });
      await Promise.all(sdk.numbers(2, 1001).map((n) => c.publish(channel, n))); // 1,000 are kept
      at = await server.publish(channel, 1002);
      await begin({ offset: 1, epoch: at.epoch });
      await begin({ offset: 0, epoch: '' });
    });

    test('a client with a state of its own loads it anew when the position is unrecoverable', async (t) => {
      const channel = 'public:state';
      const { epoch } = await server.publish(channel, 1);
      let loads = 0;
      const getState = async () => (loads++ === 0 ? { offset: 1, epoch: 'another' } : { offset: 0, epoch });
      const s = sdk.subscription(await sdk.connect(t, server), channel, { getState, minResubscribeDelay: 20 });
      s.subscribe();
      assert.equal((await s.events.next('subscribed')).recovered, true);
      assert.deepEqual(await s.events.data(1), [1]);
      assert.equal(loads, 2, 'the server refused the first with 112');
    });

    test('a server that is stopped asks its clients to come back, and its successor has another log', async (t) => {
      const first = await sdk.startFeatures(t, binary());
      const proxy = await kit.startProxy(t, first.port);
      const channel = 'public:restart';
      const c = await sdk.connect(t, proxy, { token: sdk.token({ user: 'ada', subs: ['user:ada'] }) });
      await c.events.next('subscribed');
      const s = await sdk.subscribe(c, channel);
      for (const n of [1, 2, 3]) await first.publish(channel, n);
      await s.events.data(3);
      const before = s.events.of('subscribed')[0].streamPosition.epoch;
      await first.stop();
      assert.deepEqual(await c.events.next('connecting'), { code: 3001, reason: 'shutdown' });
      const second = await sdk.startFeatures(t, binary());
      await second.publish(channel, 'new 1');
      proxy.target = second.port;
      await c.events.next('connected');
      const { wasRecovering, recovered, streamPosition } = await s.events.next('subscribed');
      assert.deepEqual([wasRecovering, recovered, streamPosition.offset], [true, false, 1]);
      assert.notEqual(streamPosition.epoch, before);
      const own = await c.events.next('subscribed');
      assert.deepEqual([own.channel, own.wasRecovering, own.recovered], ['user:ada', true, false]);
      await s.publish('new 2');
      assert.deepEqual(await s.events.data(4), [1, 2, 3, 'new 2']);
      assert.equal(s.events.of('publication')[3].offset, 2);
      assert.equal(s.events.of('unsubscribed').length, 0);
    });

    test('a server that is killed is a broken connection, and calls in between fail and can be made again', async (t) => {
      const first = await sdk.startFeatures(t, binary());
      const proxy = await kit.startProxy(t, first.port);
      const c = await sdk.connect(t, proxy, { timeout: 1000 });
      const unanswered = Promise.all(sdk.numbers(1, 3).map(() => c.rpc('slow')));
      unanswered.catch(() => {});
      await first.kill();
      assert.equal((await c.events.next('connecting')).code, 1);
      await sdk.refused(unanswered, 11);
      const second = await sdk.startFeatures(t, binary());
      proxy.target = second.port;
      await c.ready();
      assert.equal((await c.rpc('echo', 'again')).data, 'again');
    });

    test('pings keep a quiet connection, and show how far it is', async (t) => {
      const c = await sdk.connect(t, pinging, { user: 'quiet', maxServerPingDelay: kit.patience });
      while (c.pings() < 3) await sdk.sleep(50);
      assert.equal(c.events.of('connecting').length, 1);
      const conn = (await pinging.conns()).find((conn) => conn.user === 'quiet');
      assert.ok(conn.rtt_ns > 0, `the round-trip time is ${conn.rtt_ns}`);
    });

    test('who does not answer a ping is closed with 3012, and comes back', async (t) => {
      const c = await sdk.connect(t, pinging, { mute: true });
      assert.deepEqual(await c.events.next('connecting'), { code: 3012, reason: 'no pong' });
      await c.events.next('connected');
      assert.ok(c.pings() > 0);
    });

    test('a client that hears nothing any more connects anew', async (t) => {
      const proxy = await kit.startProxy(t, pinging.port);
      const c = await sdk.connect(t, proxy, { maxServerPingDelay: 1000 });
      const s = await sdk.subscribe(c, 'public:frozen');
      proxy.freeze();
      await pinging.publish('public:frozen', 'missed');
      assert.deepEqual(await c.events.next('connecting'), { code: 2, reason: 'no ping' });
      await s.events.next('subscribed');
      assert.deepEqual(await s.events.data(1), ['missed']);
    });
  });
}
