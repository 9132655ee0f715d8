// The HTTP API, through cent.js, a library for Centrifugo's, as it is published.
import assert from 'node:assert/strict';
import { suite, test } from 'node:test';
import { CentClient } from 'cent.js';
import { goBuild, start } from './harness.mjs';
import * as sdk from './protocol/sdk.mjs';

suite('cent.js', { timeout: 60_000 }, () => {
  test('every method', async (t) => {
    const binary = await goBuild('.', './cmd/surewire');
    const server = await start(t, binary, [
      'serve', '--address', '127.0.0.1:0', '--engine', 'memory', '--api-key', 'key', '--anonymous',
      '--namespaces', '{"": {subscribe: anyone, presence: anyone}}',
    ]);
    const cent = new CentClient({ url: `${server.url}api`, apiKey: 'key' });
    const browser = await sdk.connect(t, server);
    const s = await sdk.subscribe(browser, 'news');
    const id = browser.events.of('connected')[0].client;

    const { offset, epoch } = await cent.publish({ channel: 'news', data: { input: 'test' } });
    assert.equal(offset, 1);
    assert.deepEqual((await s.events.next('publication')).data, { input: 'test' });
    assert.equal((await cent.broadcast({ channels: ['news', 'other'], data: 2 })).responses.length, 2);
    const history = await cent.getHistory({ channel: 'news', limit: 10 });
    assert.deepEqual([history.epoch, history.publications.map((p) => p.data)], [epoch, [{ input: 'test' }, 2]]);
    assert.deepEqual(Object.keys((await cent.getPresence({ channel: 'news' })).presence), [id]);
    assert.deepEqual(await cent.getPresenceStats({ channel: 'news' }), { num_clients: 1, num_users: 1 });
    assert.equal((await cent.getChannels({})).channels.news.num_clients, 1);
    assert.equal((await cent.getInfo()).nodes[0].num_clients, 1);
    assert.deepEqual(await cent.subscribe({ user: '', client: id, channel: 'more' }), {});
    assert.equal((await browser.events.next('subscribed')).channel, 'more');
    assert.deepEqual(await cent.unsubscribe({ user: '', client: id, channel: 'news' }), {});
    assert.equal((await s.events.next('unsubscribed')).code, 2000);
    assert.deepEqual(await cent.refresh({ user: '', client: id, expire_at: Math.floor(Date.now() / 1000) + 600 }), {});
    assert.deepEqual(await cent.removeHistory({ channel: 'news' }), {});
    assert.deepEqual((await cent.getHistory({ channel: 'news', limit: 10 })).publications, []);
    await assert.rejects(cent.publish({ channel: 'no space', data: 1 }));
    assert.deepEqual(await cent.disconnect({ user: '', client: id }), {});
    assert.equal((await browser.events.next('disconnected')).code, 3503);
    await assert.rejects(new CentClient({ url: `${server.url}api`, apiKey: 'wrong' }).getInfo());
  });
});
