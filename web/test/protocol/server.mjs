// What the server does of its own accord: subscriptions that the client has not
// asked for, ends of subscriptions and of connections, messages.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import * as kit from '../harness.mjs';
import * as sdk from './sdk.mjs';

export function serverActs(binary) {
  suite('the server acts', { concurrency: 4 }, () => {
    let server;
    const t = kit.lasting();
    before(async () => {
      server = await sdk.startFeatures(t, binary());
    });

    test('subscriptions that a token brings begin with the connection, and recover with it', async (t) => {
      const proxy = await kit.startProxy(t, server.port);
      const channel = 'user:uma';
      const { epoch } = await server.publish(channel, 0);
      const c = sdk.client(t, proxy, { token: sdk.token({ user: 'uma', subs: [channel, 'public:uma'] }) });
      c.connect();
      const of = (name) => (context) => context.channel === name;
      assert.deepEqual(await c.events.next('subscribed', of(channel)), {
        channel, positioned: true, recoverable: true, wasRecovering: false, recovered: false, hasRecoveredPublications: false,
        streamPosition: { offset: 1, epoch }, data: { unasked: true },
      });
      await c.events.next('subscribed', of('public:uma'));
      await server.publish(channel, 1);
      await server.publish('public:uma', 'else');
      assert.deepEqual(await c.events.next('publication', of(channel)), { channel, data: 1, offset: 2 });
      await c.events.next('publication', of('public:uma'));
      await c.publish(channel, 2);
      await c.events.next('publication', of(channel));
      assert.deepEqual(await c.presenceStats(channel), { numClients: 1, numUsers: 1 });

      proxy.cut();
      await c.events.next('subscribing', of(channel));
      for (const n of sdk.numbers(3, 9)) await server.publish(channel, n);
      proxy.heal();
      const again = await c.events.next('subscribed', of(channel));
      assert.deepEqual([again.wasRecovering, again.recovered, again.hasRecoveredPublications], [true, true, true]);
      const other = await c.events.next('subscribed', of('public:uma'));
      assert.deepEqual([other.wasRecovering, other.recovered, other.hasRecoveredPublications], [true, true, false]);
      await server.publish(channel, 10);
      await c.events.next('publication', (p) => p.data === 10);
      assert.deepEqual(c.events.of('publication').filter(of(channel)).map((p) => p.data), sdk.numbers(1, 10));
    });

    test('joins and leaves of such subscriptions', async (t) => {
      const channel = 'public:unasked-joins';
      const c = await sdk.connect(t, server, { token: sdk.token({ user: 'wat', subs: [channel] }) });
      const other = await sdk.connect(t, server, { user: 'other' });
      await sdk.subscribe(other, channel);
      const others = (context) => context.info.user === 'other';
      await c.events.next('join', others);
      other.disconnect();
      await c.events.next('leave', others);
    });

    test('a subscription begun by the server, from now or from a position', async (t) => {
      const at = await server.publish('public:begun', 1);
      for (const n of [2, 3]) await server.publish('public:begun', n);
      const c = await sdk.connect(t, server, { user: 'vic' });
      const bystander = await sdk.connect(t, server, { user: 'bystander' });
      assert.equal(await server.act('subscribe', { user: 'vic', channel: 'public:begun' }), 1);
      const begun = await c.events.next('subscribed');
      assert.deepEqual([begun.channel, begun.streamPosition, begun.data], ['public:begun', { offset: 3, epoch: at.epoch }, { unasked: true }]);
      await server.publish('public:begun', 4);
      assert.equal((await c.events.next('publication')).data, 4);
      assert.equal(await server.act('subscribe', { user: 'vic', channel: 'public:begun' }), 0, 'it reads the channel already');

      assert.equal(await server.act('unsubscribe', { user: 'vic', channel: 'public:begun', code: 2000, reason: 'enough' }), 1);
      assert.deepEqual(await c.events.next('unsubscribed'), { channel: 'public:begun' });
      await server.publish('public:begun', 5);

      assert.equal(await server.act('subscribe', { user: 'vic', channel: 'public:begun', since: at }), 1);
      await c.events.next('subscribed');
      await server.publish('public:begun', 6);
      assert.deepEqual(await c.events.data(6), [4, 2, 3, 4, 5, 6]);
      assert.deepEqual([...bystander.events.of('subscribed'), ...bystander.events.of('publication')], []);
    });

    test('a subscription that the server began comes back if the connection breaks', async (t) => {
      const proxy = await kit.startProxy(t, server.port);
      const c = await sdk.connect(t, proxy, { user: 'zoe' });
      await server.act('subscribe', { user: 'zoe', channel: 'public:zoe' });
      await c.events.next('subscribed');
      proxy.cut();
      await c.events.next('subscribing');
      proxy.heal();
      // The server has forgotten it with the connection, and the client is told.
      assert.deepEqual(await c.events.next('unsubscribed'), { channel: 'public:zoe' });
    });

    test('2000 ends a subscription for good', async (t) => {
      const channel = 'public:ended';
      const c = await sdk.connect(t, server, { user: 'ann' });
      const s = await sdk.subscribe(c, channel);
      assert.equal(await server.act('unsubscribe', { user: 'ann', channel, code: 2000, reason: 'enough' }), 1);
      assert.deepEqual(await s.events.next('unsubscribed'), { channel, code: 2000, reason: 'enough' });
      assert.equal(await server.act('unsubscribe', { user: 'ann', channel, code: 2000 }), 0);
      await server.publish(channel, 'unheard');
      await c.rpc('echo', 1);
      assert.deepEqual([s.state, s.events.of('publication')], ['unsubscribed', []]);
      assert.equal((await c.presenceStats(channel)).numClients, 0);
    });

    test('2500 and more end one that comes back, with what it missed', async (t) => {
      const channel = 'public:returning';
      const s = await sdk.subscribe(await sdk.connect(t, server, { user: 'ben' }), channel);
      let n = 0;
      for (const code of [2500, 2501, 2999]) {
        await server.publish(channel, ++n);
        await server.act('unsubscribe', { user: 'ben', channel, code, reason: 'again' });
        assert.deepEqual(await s.events.next('subscribing'), { channel, code, reason: 'again' });
        const { wasRecovering, recovered } = await s.events.next('subscribed');
        assert.deepEqual([wasRecovering, recovered], [true, true]);
      }
      await server.publish(channel, ++n);
      assert.deepEqual(await s.events.data(n), sdk.numbers(1, n));
    });

    test('2502 says that what the client has is worth nothing: it is told that it did not recover', async (t) => {
      const channel = 'public:invalidated';
      const s = await sdk.subscribe(await sdk.connect(t, server, { user: 'cem' }), channel);
      await server.publish(channel, 1);
      await s.events.data(1);
      await server.act('unsubscribe', { user: 'cem', channel, code: 2502, reason: 'state invalidated' });
      const { wasRecovering, recovered, streamPosition } = await s.events.next('subscribed');
      assert.deepEqual([wasRecovering, recovered, streamPosition.offset], [true, false, 1]);
    });

    for (const code of [3000, 3004, 3011, 3499, 4000, 4499]) {
      test(`${code} ends a connection that comes back, with what it missed`, async (t) => {
        const user = `back-${code}`;
        const c = await sdk.connect(t, server, { user });
        const s = await sdk.subscribe(c, `public:${user}`);
        assert.equal(await server.act('disconnect', { user, code, reason: `because ${code}` }), 1);
        assert.deepEqual(await c.events.next('connecting'), { code, reason: `because ${code}` });
        await server.publish(`public:${user}`, 'missed');
        await c.events.next('connected');
        assert.equal((await s.events.next('subscribed')).recovered, true);
        assert.deepEqual(await s.events.data(1), ['missed']);
      });
    }

    for (const code of [3500, 3503, 3999, 4500, 4999]) {
      test(`${code} ends a connection for good`, async (t) => {
        const user = `gone-${code}`;
        const c = await sdk.connect(t, server, { user });
        const s = await sdk.subscribe(c, `public:${user}`);
        assert.equal(await server.act('disconnect', { user, code, reason: `because ${code}` }), 1);
        assert.deepEqual(await c.events.next('disconnected'), { code, reason: `because ${code}` });
        assert.equal(s.state, 'subscribing', 'it would go on if the application connected again');
        assert.equal(c.events.of('connecting').length, 1);
        assert.ok(!(await server.conns()).some((conn) => conn.user === user));
      });
    }

    test('messages go to those who are named, and to nobody else', async (t) => {
      const [one, two] = [await sdk.connect(t, server, { user: 'dan' }), await sdk.connect(t, server, { user: 'dan' })];
      const other = await sdk.connect(t, server, { user: 'eve' });
      const id = one.events.of('connected')[0].client;
      assert.equal(await server.act('send', { user: 'dan', data: { n: 1 } }), 2);
      assert.equal(await server.act('send', { client: id, data: { n: 2 } }), 1);
      assert.equal(await server.act('send', { user: 'dan', except: [id], data: { n: 3 } }), 1);
      assert.equal(await server.act('send', { user: 'eve', client: id, data: { n: 4 } }), 0);
      assert.equal(await server.act('send', { user: 'nobody', data: { n: 5 } }), 0);
      const got = async (c, n) => {
        for (let i = 0; i < n; i++) await c.events.next('message');
        await c.rpc('echo', 1);
        return c.events.of('message').map((m) => m.data.n);
      };
      assert.deepEqual([await got(one, 2), await got(two, 2), await got(other, 0)], [[1, 2], [1, 3], []]);
    });

    test('the application hears who comes, who goes, and why', async (t) => {
      const journal = await sdk.subscribe(await sdk.connect(t, server), 'audit:connections');
      const of = (user, what) => journal.events.next('publication', ({ data }) => data.user === user && data.what === what).then(({ data }) => data);
      const leaver = await sdk.connect(t, server, { user: 'leaver' });
      const { client } = leaver.events.of('connected')[0];
      assert.deepEqual(await of('leaver', 'connected'), { what: 'connected', client, user: 'leaver', reason: null });
      leaver.disconnect();
      assert.deepEqual(await of('leaver', 'disconnected'), { what: 'disconnected', client, user: 'leaver', reason: null });
      await sdk.connect(t, server, { user: 'thrown' });
      await server.act('disconnect', { user: 'thrown', code: 4500, reason: 'banned' });
      assert.match(JSON.stringify((await of('thrown', 'disconnected')).reason), /4500.*banned|banned.*4500/);
    });

    test('a hostile value arrives by name, and with a report', async (t) => {
      const channel = 'public:hostile';
      const s = await sdk.subscribe(await sdk.connect(t, server), channel);
      const { offset, report } = await server.hostile(channel);
      assert.deepEqual(await s.events.next('publication'), {
        channel, offset, tags: { by: 'server' },
        data: { sensor: 't-17', trend: 'rising', at: '2026-01-02T03:04:05Z', mean: null, labels: null, err: 'no samples yet', next: null },
      });
      assert.deepEqual(report.repairs.map((r) => [r.pointer, r.reason]), [['/mean', 'non-finite'], ['/next', 'cycle']]);
    });
  });
}
