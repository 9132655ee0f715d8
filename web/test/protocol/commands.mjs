// Every command of the protocol and its results, through the unmodified SDK.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { lasting } from '../harness.mjs';
import * as sdk from './sdk.mjs';

export function commands(binary) {
  suite('commands', { concurrency: 4 }, () => {
    let server;
    const t = lasting();
    before(async () => {
      server = await sdk.startFeatures(t, binary());
    });

    test('connect: who one is, and what the application has to say', async (t) => {
      const c = sdk.client(t, server, { token: sdk.token({ user: 'kim', name: 'Kim' }), data: { from: 'node' }, name: 'suite', version: '1.2.3' });
      c.connect();
      const { client, transport, data } = await c.events.next('connected');
      assert.equal(transport, 'websocket');
      assert.deepEqual(data, { hello: 'kim', said: { from: 'node' }, software: 'suite' });
      const conn = (await server.conns()).find((conn) => conn.id === client);
      assert.deepEqual(
        { user: conn.user, state: conn.state, transport: conn.transport, name: conn.name, version: conn.version, address: conn.address },
        { user: 'kim', state: 'connected', transport: 'websocket', name: 'suite', version: '1.2.3', address: '127.0.0.1' },
      );
      c.disconnect();
      assert.equal((await c.events.next('disconnected')).code, 0);
    });

    test('connect without a token: anonymous', async (t) => {
      const c = await sdk.connect(t, server);
      assert.deepEqual(c.events.of('connected')[0].data, { hello: 'stranger' });
      assert.deepEqual((await c.rpc('whoami')).data, { user: '', client: c.events.of('connected')[0].client, info: null });
    });

    test('connect and subscriptions travel in one frame', async (t) => {
      const c = sdk.client(t, server);
      const subs = ['one', 'two', 'three'].map((name) => sdk.subscription(c, `public:frame-${name}`));
      for (const s of subs) s.subscribe();
      c.connect();
      for (const s of subs) assert.equal((await s.events.next('subscribed')).channel, s.channel);
      const commands = c.sent[0].split('\n').map((line) => Object.keys(JSON.parse(line)).find((key) => key !== 'id'));
      assert.deepEqual(commands, ['connect', 'subscribe', 'subscribe', 'subscribe']);
    });

    test('subscribe: where one stands', async (t) => {
      const channel = 'public:subscribe';
      const { epoch } = await server.publish(channel, 1);
      const c = await sdk.connect(t, server, { user: 'ada' });
      const s = await sdk.subscribe(c, channel);
      assert.deepEqual(s.events.of('subscribed'), [{
        channel, positioned: true, recoverable: true, wasRecovering: false, recovered: false, hasRecoveredPublications: false,
        streamPosition: { offset: 1, epoch }, data: { channel },
      }]);
      await server.publish(channel, { n: 2 });
      assert.deepEqual(await s.events.next('publication'), { channel, data: { n: 2 }, offset: 2 });
    });

    test('subscribe since a position, and since the beginning', async (t) => {
      const channel = 'public:since';
      let at;
      for (const n of sdk.numbers(1, 5)) at = await server.publish(channel, n);
      for (const [since, first] of [[{ offset: 2, epoch: at.epoch }, 3], [{ offset: 0, epoch: '' }, 1], [{ offset: 5, epoch: at.epoch }, 6]]) {
        const s = await sdk.subscribe(await sdk.connect(t, server), channel, { since });
        const [context] = s.events.of('subscribed');
        assert.deepEqual([context.wasRecovering, context.recovered, context.hasRecoveredPublications], [true, true, first < 6]);
        assert.deepEqual(await s.events.data(6 - first), sdk.numbers(first, 5));
      }
    });

    test('unsubscribe, and subscribe again', async (t) => {
      const channel = 'public:again';
      const c = await sdk.connect(t, server);
      const s = await sdk.subscribe(c, channel);
      s.unsubscribe();
      assert.equal((await s.events.next('unsubscribed')).code, 0);
      await c.rpc('echo', 1); // answered after the unsubscribe was carried out
      await server.publish(channel, 'missed');
      assert.equal((await c.presenceStats(channel)).numClients, 0);
      assert.deepEqual(s.events.of('publication'), []);
      s.subscribe(); // the SDK goes on where it stood
      await s.events.next('subscribed', (context) => context.recovered);
      await server.publish(channel, 'heard');
      assert.deepEqual(await s.events.data(2), ['missed', 'heard']);
    });

    test('subscriptions that are refused end, with the reason as a code', async (t) => {
      const c = await sdk.connect(t, server, { user: 'ada', token: sdk.token({ user: 'ada', subs: ['user:ada'] }) });
      await c.events.next('subscribed');
      const refuse = async (channel, code) => {
        const s = sdk.subscription(c, channel);
        s.subscribe();
        assert.equal((await s.events.next('unsubscribed')).code, code, channel);
      };
      await refuse('user:bob', 103);
      await refuse('nowhere:x', 103);
      await refuse('secret:x', 103);
      await refuse('user:ada', 105); // the server has begun it already
      await refuse('a b', 107);
      await refuse('x'.repeat(256), 107);
      const map = c.newMapSubscription('public:map');
      const ended = new Promise((resolve) => map.on('unsubscribed', resolve));
      map.subscribe();
      assert.equal((await ended).code, 108);
      assert.equal(c.state, 'connected');
    });

    test('the 65th channel of a connection is too many here', async (t) => {
      const c = await sdk.connect(t, server);
      await Promise.all(sdk.numbers(1, 64).map((n) => sdk.subscribe(c, `public:many-${n}`)));
      const s = sdk.subscription(c, 'public:many-65');
      s.subscribe();
      assert.equal((await s.events.next('unsubscribed')).code, 106);
      c.getSubscription('public:many-1').unsubscribe();
      s.subscribe();
      await s.events.next('subscribed');
    });

    test('publish: to all, in order, with who published', async (t) => {
      const channel = 'public:publish';
      const ada = await sdk.connect(t, server, { token: sdk.token({ user: 'ada', name: 'Ada' }) });
      const there = await sdk.subscribe(ada, channel, { data: { color: 'teal' } });
      const here = await sdk.subscribe(await sdk.connect(t, server), channel);
      await there.publish({ n: 0 });
      const client = ada.events.of('connected')[0].client;
      for (const s of [here, there]) {
        assert.deepEqual(await s.events.next('publication'), {
          channel, data: { n: 0 }, offset: 1, tags: { by: 'client' },
          info: { client, user: 'ada', connInfo: { name: 'Ada' }, chanInfo: { color: 'teal' } },
        });
      }
      // Without waiting for each, and by one who is not subscribed.
      const bob = await sdk.connect(t, server, { user: 'bob' });
      await Promise.all(sdk.numbers(1, 100).map((n) => bob.publish(channel, { n })));
      const got = await here.events.data(101);
      assert.deepEqual(got.map((d) => d.n), sdk.numbers(0, 100));
      assert.deepEqual(here.events.of('publication').map((p) => p.offset), sdk.numbers(1, 101));
      assert.equal(here.events.of('publication')[1].info.user, 'bob');
    });

    test('publish: what is for those who look now has no place in the log', async (t) => {
      const c = await sdk.connect(t, server);
      const s = await sdk.subscribe(c, 'typing:room');
      await s.publish({ typing: true });
      const publication = await s.events.next('publication');
      assert.deepEqual([publication.data, 'offset' in publication], [{ typing: true }, false]);
      assert.deepEqual((await server.publish('typing:room', 1)).offset, 1);
    });

    test('publish: what is refused, and that one goes on', async (t) => {
      const c = await sdk.connect(t, server);
      await sdk.refused(c.publish('news:today', 1), 103);
      await sdk.refused(c.publish('a b', 1), 107);
      await sdk.refused(c.publish('public:x'), 107);
      await sdk.refused(c.publish('public:x', 'x'.repeat(33 << 10)), 106);
      await sdk.refused(c.publish('public:x', { text: 'spam' }), 422);
      await c.publish('public:x', { text: 'ham' });
      assert.deepEqual(c.events.of('connecting').length, 1);
      c.publish('public:x', 'x'.repeat(65 << 10)).catch(() => {}); // longer than a frame may be
      assert.equal((await c.events.next('disconnected')).code, 3, 'message size limit');
    });

    test('presence and presence stats', async (t) => {
      const channel = 'public:presence';
      const clients = {};
      for (const [user, color] of [['ada', 'teal'], ['ada', 'plum'], ['bob', 'sand']]) {
        const c = await sdk.connect(t, server, { token: sdk.token({ user, name: user.toUpperCase() }) });
        await sdk.subscribe(c, channel, { data: { color } });
        const { client } = c.events.of('connected')[0];
        clients[client] = { client, user, connInfo: { name: user.toUpperCase() }, chanInfo: { color } };
      }
      const looker = await sdk.connect(t, server);
      const presence = Object.fromEntries(Object.entries((await looker.presence(channel)).clients)
        .map(([id, { client, user, connInfo, chanInfo }]) => [id, { client, user, connInfo, chanInfo }]));
      assert.deepEqual(presence, clients);
      assert.deepEqual(await looker.presenceStats(channel), { numClients: 3, numUsers: 2 });
      const s = await sdk.subscribe(looker, channel);
      assert.deepEqual(await s.presenceStats(), { numClients: 4, numUsers: 3 });
      assert.equal(Object.keys((await s.presence()).clients).length, 4);
      assert.deepEqual(await looker.presenceStats('public:nobody'), { numClients: 0, numUsers: 0 });
      for (const method of ['presence', 'presenceStats']) {
        await sdk.refused(looker[method]('blind:x'), 103);
        await sdk.refused(looker[method]('a b'), 107);
      }
    });

    test('joins and leaves, for who wants them', async (t) => {
      const channel = 'public:joins';
      const watcher = await sdk.subscribe(await sdk.connect(t, server, { user: 'ada' }), channel, { joinLeave: true });
      const other = await sdk.subscribe(await sdk.connect(t, server), channel);
      const bob = await sdk.connect(t, server, { token: sdk.token({ user: 'bob', name: 'Bob' }) });
      const s = await sdk.subscribe(bob, channel, { data: { color: 'sand' } });
      const { client } = bob.events.of('connected')[0];
      const info = { client, user: 'bob', connInfo: { name: 'Bob' }, chanInfo: { color: 'sand' } };
      const bobs = (context) => context.info.user === 'bob';
      assert.deepEqual(await watcher.events.next('join', bobs), { channel, info });
      s.unsubscribe();
      assert.deepEqual(await watcher.events.next('leave', bobs), { channel, info });
      s.subscribe();
      await watcher.events.next('join', bobs);
      bob.disconnect();
      await watcher.events.next('leave', bobs);
      await server.publish(channel, 'last');
      await other.events.next('publication');
      assert.deepEqual([...other.events.of('join'), ...other.events.of('leave')], []);
    });

    test('history: forwards, backwards, and page by page', async (t) => {
      const channel = 'public:history';
      const c = await sdk.connect(t, server);
      assert.deepEqual((await c.history(channel, { limit: 10 })).publications, []);
      let at;
      for (const n of sdk.numbers(1, 10)) at = await server.publish(channel, n);
      const { epoch } = at;
      const read = async (options) => {
        const h = await c.history(channel, options);
        assert.deepEqual([h.offset, h.epoch], [10, epoch]);
        assert.deepEqual(h.publications.map((p) => p.offset), h.publications.map((p) => p.data));
        return h.publications.map((p) => p.data);
      };
      assert.deepEqual(await read(), []);
      assert.deepEqual(await read({ limit: 0 }), []);
      assert.deepEqual(await read({ limit: 3 }), [1, 2, 3]);
      assert.deepEqual(await read({ limit: -1 }), sdk.numbers(1, 10));
      assert.deepEqual(await read({ limit: 100 }), sdk.numbers(1, 10));
      assert.deepEqual(await read({ limit: 3, since: { offset: 4, epoch } }), [5, 6, 7]);
      assert.deepEqual(await read({ limit: 3, since: { offset: 8, epoch } }), [9, 10]);
      assert.deepEqual(await read({ limit: 3, since: { offset: 10, epoch } }), []);
      assert.deepEqual(await read({ limit: 3, reverse: true }), [10, 9, 8]);
      assert.deepEqual(await read({ limit: -1, reverse: true }), sdk.numbers(1, 10).reverse());
      assert.deepEqual(await read({ limit: 3, reverse: true, since: { offset: 4, epoch } }), [3, 2, 1]);
      assert.deepEqual(await read({ limit: 3, reverse: true, since: { offset: 2, epoch } }), [1]);
      assert.deepEqual(await read({ limit: 3, reverse: true, since: { offset: 1, epoch } }), []);
      for (const reverse of [false, true]) {
        const all = [];
        let since;
        for (let page = [0]; page.length > 0; ) {
          page = await read({ limit: 3, reverse, ...(since && { since }) });
          all.push(...page);
          since = { offset: page.at(-1), epoch };
        }
        assert.deepEqual(all, reverse ? sdk.numbers(1, 10).reverse() : sdk.numbers(1, 10));
      }
      const s = await sdk.subscribe(c, channel);
      assert.deepEqual((await s.history({ limit: 2 })).publications.map((p) => p.data), [1, 2]);
    });

    test('history: an answer has its limit, and errors have their codes', async (t) => {
      const channel = 'public:history-limit';
      const c = await sdk.connect(t, server);
      await Promise.all(sdk.numbers(1, 310).map((n) => c.publish(channel, n)));
      const { publications, offset, epoch } = await c.history(channel, { limit: -1 });
      assert.deepEqual([publications.length, offset], [300, 310]);
      assert.equal((await c.history(channel, { limit: 1000 })).publications.length, 300);
      assert.equal((await c.history(channel, { limit: 1000, since: { offset: publications.at(-1).offset, epoch } })).publications.length, 10);
      await sdk.refused(c.history(channel, { limit: 1, since: { offset: 1, epoch: 'another' } }), 112);
      await sdk.refused(c.history(channel, { limit: 1, since: { offset: 1, epoch: 'another' }, reverse: true }), 112);
      await sdk.refused(c.history(channel, { limit: 1, since: { offset: 0, epoch }, reverse: true }), 107);
      await sdk.refused(c.history('a b', { limit: 1 }), 107);
      await sdk.refused(c.history('blind:x', { limit: 1 }), 103);
    });

    test('rpc: any value', async (t) => {
      const c = await sdk.connect(t, server, { token: sdk.token({ user: 'ada', name: 'Ada' }) });
      for (const value of [{ text: 'ünïcödé \u2028', list: [1, 2.5, null, true] }, 'text', 0, false, null, []]) {
        assert.deepEqual((await c.rpc('echo', value)).data, value);
      }
      assert.equal((await c.rpc('echo')).data, null);
      assert.equal((await c.rpc('add', { a: 2, b: 40 })).data, 42);
      assert.deepEqual((await c.rpc('whoami')).data, { user: 'ada', client: c.events.of('connected')[0].client, info: { name: 'Ada' } });
      assert.deepEqual((await c.rpc('hostile')).data, {
        sensor: 't-17', trend: 'rising', at: '2026-01-02T03:04:05Z', mean: null, labels: null, err: 'no samples yet', next: null,
      });
    });

    test('rpc: errors', async (t) => {
      const c = await sdk.connect(t, server);
      await sdk.refused(c.rpc('nothing'), 104, false);
      await sdk.refused(c.rpc('fail'), 1042, false);
      await sdk.refused(c.rpc('add', 'x'), 107, false);
      await sdk.refused(c.rpc('forbidden'), 103, false);
      await sdk.refused(c.rpc('busy'), 111, true);
      await sdk.refused(c.rpc('panic'), 100, true);
      await assert.rejects(c.rpc('forbidden'), (error) => !error.message.includes('log'), 'the reason is not the client’s');
      assert.equal((await c.rpc('echo', 'still here')).data, 'still here');
      await assert.rejects(c.rpc('leave'));
      assert.deepEqual(await c.events.next('disconnected'), { code: 4501, reason: 'you asked for it' });
    });

    test('rpc: a slow one holds up nobody, and many are answered', async (t) => {
      const c = await sdk.connect(t, server);
      const order = [];
      await Promise.all([
        c.rpc('slow').then(() => order.push('slow')),
        c.rpc('echo', 1).then(() => order.push('echo')),
        c.history('public:x', { limit: 0 }).then(() => order.push('history')),
      ]);
      assert.equal(order.at(-1), 'slow');
      const answers = await Promise.all(sdk.numbers(1, 40).map((n) => (n % 2 ? c.rpc('slow') : c.rpc('echo', n))));
      assert.deepEqual(answers.map((a) => a.data), sdk.numbers(1, 40).map((n) => (n % 2 ? 'done' : n)));
    });

    test('send: heard without an answer', async (t) => {
      const c = await sdk.connect(t, server, { user: 'sender' });
      await c.send({ note: 1 });
      await c.send('two');
      assert.deepEqual((await c.events.next('message')).data, { heard: { note: 1 } });
      assert.deepEqual((await c.events.next('message')).data, { heard: 'two' });
    });

    test('frames that are none end the connection', async () => {
      const hello = '{"id":1,"connect":{}}';
      assert.equal(await sdk.closedWith(server, 'hello'), 3501);
      assert.equal(await sdk.closedWith(server, '{"id":1,"subscribe":{"channel":"public:x"}}'), 3501);
      assert.equal(await sdk.closedWith(server, hello, '{"id":2,"connect":{}}'), 3501);
      assert.equal(await sdk.closedWith(server, hello, '{"id":2}'), 3501);
      assert.equal(await sdk.closedWith(server, hello, '{"rpc":{"method":"echo"}}'), 3501);
      assert.equal(await sdk.closedWith(server, '{"id":1,"connect":{"token":"forged"}}'), 3500);
    });
  });
}
