// Tokens: of connections and of subscriptions, renewed in time, too late, and wrong.
import assert from 'node:assert/strict';
import { before, suite, test } from 'node:test';
import { UnauthorizedError } from 'centrifuge';
import { lasting } from '../harness.mjs';
import * as sdk from './sdk.mjs';

/** Returns a getToken whose nth call gives what the nth maker returns, the last for all further ones. */
function series(...makers) {
  const get = async () => makers[Math.min(get.calls++, makers.length - 1)]();
  get.calls = 0;
  return get;
}

const fails = () => {
  throw new Error('the backend is down');
};

export function tokens(binary) {
  suite('tokens', { concurrency: true }, () => {
    let server;
    const t = lasting();
    before(async () => {
      server = await sdk.startFeatures(t, binary(), '-grace', '3s');
    });

    test('a connection token is renewed before it expires', async (t) => {
      const getToken = series(() => sdk.token({ user: 'ada', lives: 1 }));
      const c = await sdk.connect(t, server, { getToken });
      const began = Date.now();
      while (getToken.calls < 3 || Date.now() - began < 5500) await sdk.sleep(50); // until the first token is over, and its grace
      await c.rpc('echo', 1);
      assert.deepEqual([c.events.of('connecting').length, c.events.of('error')], [1, []]);
    });

    test('a token that is not renewed ends the connection with 3005, and nothing is lost', async (t) => {
      const channel = 'public:expired';
      const c = await sdk.connect(t, server, { getToken: series(() => sdk.token({ user: 'ada', lives: 1 }), fails) });
      const s = await sdk.subscribe(c, channel);
      assert.equal((await c.events.next('error')).type, 'refreshToken');
      assert.deepEqual(await c.events.next('connecting'), { code: 3005, reason: 'connection expired' });
      await server.publish(channel, 'missed');
      await c.events.next('connected');
      assert.equal((await s.events.next('subscribed')).recovered, true);
      assert.deepEqual(await s.events.data(1), ['missed']);
    });

    test("another user's token ends the connection with 3500, for good", async (t) => {
      const getToken = series(() => sdk.token({ user: 'ada', lives: 1 }), () => sdk.token({ user: 'bob' }));
      const c = await sdk.connect(t, server, { getToken });
      assert.deepEqual(await c.events.next('disconnected'), { code: 3500, reason: 'invalid token' });
    });

    test('so does one that is none, at the beginning or later', async (t) => {
      const late = await sdk.connect(t, server, { getToken: series(() => sdk.token({ user: 'ada', lives: 1 }), () => 'forged') });
      const early = sdk.client(t, server, { token: 'forged' });
      early.connect();
      for (const c of [early, late]) assert.equal((await c.events.next('disconnected')).code, 3500);
    });

    test('a token that has expired at the beginning is replaced', async (t) => {
      const getToken = series(() => sdk.expired({ user: 'ada' }), fails, () => sdk.token({ user: 'ada' }));
      const c = await sdk.connect(t, server, { token: sdk.expired({ user: 'ada' }), getToken });
      assert.deepEqual(c.events.of('error').map((e) => [e.type, e.error.code]), [['connect', 109], ['connect', 109], ['connectToken', 5]]);
      assert.equal((await c.rpc('whoami')).data.user, 'ada');
    });

    test('a renewed token that has expired already is refused with 110', async (t) => {
      const c = await sdk.connect(t, server, { getToken: series(() => sdk.token({ user: 'ada', lives: 1 }), () => sdk.expired({ user: 'ada' })) });
      assert.equal((await c.events.next('disconnected')).code, 110);
    });

    test('a backend that no longer knows one ends it in the client', async (t) => {
      const getToken = series(() => sdk.token({ user: 'ada', lives: 1 }), () => {
        throw new UnauthorizedError('');
      });
      const c = await sdk.connect(t, server, { getToken });
      assert.equal((await c.events.next('disconnected')).code, 1);
    });

    test('a token that the server lets expire earlier, or at once', async (t) => {
      const soon = await sdk.connect(t, server, { user: 'soon' });
      const now = await sdk.connect(t, server, { user: 'now' });
      const later = await sdk.connect(t, server, { user: 'later' });
      assert.equal(await server.act('refresh', { user: 'soon', expires_in: 1 }), 1);
      assert.equal(await server.act('refresh', { user: 'now', expires_in: -1 }), 1);
      assert.equal(await server.act('refresh', { user: 'later', expires_in: 3600 }), 1);
      for (const c of [now, soon]) {
        assert.equal((await c.events.next('connecting')).code, 3005);
        await c.events.next('connected');
      }
      await later.rpc('echo', 1);
      assert.equal(later.events.of('connecting').length, 1);
    });

    test('a subscription token: none, of another channel or user, and the right one', async (t) => {
      const channel = 'secret:plans';
      const c = await sdk.connect(t, server, { user: 'ada' });
      for (const claims of [{}, { user: 'ada', channel: 'secret:other' }, { user: 'bob', channel }]) {
        const s = sdk.subscription(c, channel, { token: sdk.token(claims) });
        s.subscribe();
        assert.equal((await s.events.next('unsubscribed')).code, 103, JSON.stringify(claims));
        c.removeSubscription(s);
      }
      const s = await sdk.subscribe(c, channel, { token: sdk.token({ user: 'ada', channel }) });
      await server.publish(channel, 'attack at dawn');
      assert.deepEqual(await s.events.data(1), ['attack at dawn']);
    });

    test('a subscription token is renewed before it expires', async (t) => {
      const channel = 'secret:renewed';
      const getToken = series(() => sdk.token({ user: 'ada', channel, lives: 1 }));
      const s = await sdk.subscribe(await sdk.connect(t, server, { user: 'ada' }), channel, { getToken });
      const began = Date.now();
      while (getToken.calls < 3 || Date.now() - began < 5500) await sdk.sleep(50);
      await server.publish(channel, 'still here');
      assert.deepEqual(await s.events.data(1), ['still here']);
      assert.deepEqual([s.events.of('subscribing').length, s.events.of('error')], [1, []]);
    });

    test('one that is not renewed ends the subscription with 2501, which comes back without a loss', async (t) => {
      const channel = 'secret:expired';
      const getToken = series(() => sdk.token({ user: 'ada', channel, lives: 1 }), fails);
      const c = await sdk.connect(t, server, { user: 'ada' });
      const s = await sdk.subscribe(c, channel, { getToken });
      await s.events.next('error', (context) => context.type === 'refreshToken');
      await server.publish(channel, 1);
      assert.deepEqual(await s.events.next('subscribing'), { channel, code: 2501, reason: 'subscription expired' });
      await server.publish(channel, 2);
      const { wasRecovering, recovered } = await s.events.next('subscribed');
      assert.deepEqual([wasRecovering, recovered], [true, true]);
      await server.publish(channel, 3);
      assert.deepEqual(await s.events.data(3), [1, 2, 3]);
      assert.equal(c.events.of('connecting').length, 1, 'the connection was none of its business');
    });

    test('expired subscription tokens are asked for again, after the delay that the client set', async (t) => {
      const channel = 'secret:patience';
      const getToken = series(...Array(3).fill(() => sdk.expired({ user: 'ada', channel })), () => sdk.token({ user: 'ada', channel }));
      const s = await sdk.subscribe(await sdk.connect(t, server, { user: 'ada' }), channel, { getToken, minResubscribeDelay: 20, maxResubscribeDelay: 100 });
      assert.deepEqual(s.events.of('error').map((e) => e.error.code), [109, 109, 109]);
      assert.equal(getToken.calls, 4);
      const hour = 3600_000;
      const expired = series(() => sdk.expired({ user: 'ada', channel }));
      const patient = sdk.subscription(await sdk.connect(t, server, { user: 'ada' }), channel, { getToken: expired, minResubscribeDelay: hour, maxResubscribeDelay: hour });
      patient.subscribe();
      await patient.events.next('error');
      await sdk.sleep(1000);
      assert.equal(patient.state, 'subscribing');
      assert.equal(patient.events.of('error').length, 1, 'an hour is not over');
    });

    test('a subscription that is renewed with a wrong token ends', async (t) => {
      const channel = 'secret:wrong';
      const getToken = series(() => sdk.token({ user: 'ada', channel, lives: 1 }), () => sdk.token({ user: 'ada', channel: 'secret:other' }));
      const s = await sdk.subscribe(await sdk.connect(t, server, { user: 'ada' }), channel, { getToken });
      assert.equal((await s.events.next('unsubscribed')).code, 103);
    });
  });
}
