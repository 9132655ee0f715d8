// Who may do what on a configured server, with a backend in Python that decides
// some of it, through the unmodified centrifuge package in Node.
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { before, suite, test } from 'node:test';
import { promisify } from 'node:util';
import WebSocket from 'ws';
import { goBuild, lasting, patience, root, start } from './harness.mjs';
import * as sdk from './protocol/sdk.mjs';

const run = promisify(execFile);

/** Starts the backend, on a port that it had before or a free one. */
async function startBackend(port = '') {
  const child = spawn('python3', [join(root, 'hook/testdata/backend.py'), ...(port ? [String(port)] : [])], {
    env: { ...process.env, HOOK_SECRET: 'shared with Python' }, stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [line] = await once(child.stdout, 'data', { signal: AbortSignal.timeout(patience) });
  const exited = once(child, 'exit');
  return {
    port: Number(line),
    heard: async () => (await fetch(`http://127.0.0.1:${Number(line)}/`)).json(),
    kill: async () => {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

const config = (port) => `
address: 127.0.0.1:0
api_key: the key
anonymous: false
user_connections: 3
tickets: true
token: {secret: a secret of at least thirty-two bytes}
hook:
  connect: http://127.0.0.1:${port}/connect
  rpc: http://127.0.0.1:${port}/rpc
  message: http://127.0.0.1:${port}/message
  secret: shared with Python
  pass_headers: [Cookie]
  timeout: 2s
  rest_for: 1s
namespaces:
  "": {subscribe: nobody}
  chat: {subscribe: user, publish: subscriber, presence: subscriber, history: subscriber, joins: true}
  moderated: {subscribe: user, publish: user, publish_hook: "http://127.0.0.1:${port}/publish"}
  user: {subscribe_hook: "http://127.0.0.1:${port}/subscribe"}
  run: {subscribe: token}
  slow: {subscribe: user, publish: user, publish_rate: 1/m burst 2}
`;

suite('access', { timeout: 120_000 }, () => {
  const t = lasting();
  let binary, folder, backend, server;

  before(async () => {
    binary = await goBuild('.', './cmd/surewire');
    folder = await mkdtemp(join(tmpdir(), 'surewire-'));
    t.after(() => rm(folder, { recursive: true }));
    backend = await startBackend();
    t.after(() => backend.kill());
    await writeFile(join(folder, 'surewire.yaml'), config(backend.port));
    server = await start(t, binary, ['serve', '--config', join(folder, 'surewire.yaml')]);
  });

  /** Makes a token with the command that people use. */
  async function token(...args) {
    const { stdout } = await run(binary, ['token', '--secret', 'a secret of at least thirty-two bytes', ...args]);
    return stdout.trim();
  }

  async function api(method, body, key = 'the key') {
    const response = await fetch(new URL(`/api/${method}`, server.url), { method: 'POST', headers: { 'X-API-Key': key }, body: JSON.stringify(body) });
    return response.json();
  }

  /** Returns a connected client with this user's token. */
  async function user(t, name) {
    return sdk.connect(t, server, { token: await token('--user', name) });
  }

  /** Returns a client that a cookie stands for, as a browser would send it. */
  function withCookie(t, cookie) {
    class Socket extends WebSocket {
      constructor(url) {
        super(url, { headers: cookie ? { Cookie: cookie } : {} });
      }
    }
    return sdk.client(t, server, { websocket: Socket });
  }

  test('nobody gets in without a good token, and the reason is a code', async (t) => {
    const expired = await token('--user', 'ada', '--ttl', '1s');
    await sdk.sleep(7000); // clocks may be five seconds apart
    for (const [bad, code] of [['x.y.z', 3500], [`${(await token('--user', 'ada')).slice(0, -4)}AAAA`, 3500], [await token('--user', 'ada', '--channel', 'chat:1'), 3500]]) {
      const c = sdk.client(t, server, { token: bad });
      c.connect();
      assert.equal((await c.events.next('disconnected')).code, code);
    }
    const c = sdk.client(t, server, { token: expired, getToken: () => token('--user', 'ada') });
    c.connect();
    await c.events.next('connected'); // with the token that the SDK has fetched
    assert.ok(!server.output().includes(expired), 'a token is in the log');
  });

  test('namespaces say what a user may', async (t) => {
    const ada = await user(t, 'ada');
    const bob = await user(t, 'bob');
    const a = await sdk.subscribe(ada, 'chat:one');
    const b = await sdk.subscribe(bob, 'chat:one', { joinLeave: true });
    await a.publish({ text: 'hello' });
    assert.deepEqual((await b.events.next('publication')).data, { text: 'hello' });
    assert.equal((await b.presenceStats()).numUsers, 2);
    await sdk.refused(bob.publish('chat:two', 1), 103); // it does not read that one
    await sdk.refused(bob.history('chat:two', { limit: 1 }), 103);
    for (const [channel, code] of [['plain', 103], ['run:7', 103], ['nope:1', 102], ['chat:x#ada', 103]]) {
      const s = sdk.subscription(bob, channel);
      s.subscribe();
      assert.equal((await s.events.next('unsubscribed')).code, code, channel);
    }
    await sdk.subscribe(bob, 'run:8', { token: await token('--user', 'bob', '--channel', 'run:8') });
    const stolen = sdk.subscription(ada, 'run:8', { token: await token('--user', 'bob', '--channel', 'run:8') });
    stolen.subscribe();
    assert.equal((await stolen.events.next('unsubscribed')).code, 103);
  });

  test('what is for one user goes to no other', async (t) => {
    const bob = await user(t, 'bob');
    const s = await sdk.subscribe(bob, 'chat:shared');
    const { error } = await api('publish', { channel: 'chat:shared', data: 'secret', tags: { user: 'ada' } });
    assert.equal(error.code, 103);
    const ok = await api('publish', { channel: 'chat:shared#bob', data: 'fine', tags: { user: 'bob' } });
    assert.equal(ok.result.offset, 1);
    await api('publish', { channel: 'chat:shared', data: 'open' });
    assert.deepEqual(await s.events.data(1), ['open']);
    await api('subscribe', { user: 'bob', channel: 'chat:shared#ada' });
    await api('publish', { channel: 'chat:shared#ada', data: 'secret' });
    await bob.presenceStats('chat:shared'); // what was to come has come
    assert.ok(!JSON.stringify(bob.events.all).includes('secret'));
    assert.match(server.output(), /breach/);
  });

  test('a publish rate holds a client, not the others', async (t) => {
    const ada = await user(t, 'ada');
    const bob = await user(t, 'bob');
    await ada.publish('slow:1', 1);
    await ada.publish('slow:1', 2);
    await sdk.refused(ada.publish('slow:1', 3), 111, true);
    await bob.publish('slow:1', 4);
  });

  test('a user has so many connections', async (t) => {
    for (let i = 0; i < 3; i++) await user(t, 'many');
    const c = sdk.client(t, server, { token: await token('--user', 'many') });
    c.connect();
    assert.equal((await c.events.next('disconnected')).code, 3504);
  });

  test('a token that is taken back ends its connections at once, and opens no more', async (t) => {
    const taken = await token('--user', 'eve', '--id', 'the-one');
    const other = await token('--user', 'eve');
    const [one, two] = [sdk.client(t, server, { token: taken }), sdk.client(t, server, { token: other })];
    for (const c of [one, two]) {
      c.connect();
      await c.events.next('connected');
    }
    assert.deepEqual(await api('revoke_token', { uid: 'the-one' }), { result: {} });
    assert.equal((await one.events.next('disconnected')).code, 3500);
    assert.equal(two.state, 'connected');
    one.connect();
    assert.equal((await one.events.next('disconnected')).code, 3500);
    await api('invalidate_user_tokens', { user: 'eve', issued_before: Math.floor(Date.now() / 1000) + 60 });
    assert.equal((await two.events.next('disconnected')).code, 3500);
    await user(t, 'adam');
  });

  test('a ticket opens one connection', async (t) => {
    const { result } = await api('ticket', { token: await token('--user', 'tess') });
    const first = sdk.client(t, server, { token: result.ticket });
    first.connect();
    await first.events.next('connected');
    const second = sdk.client(t, server, { token: result.ticket });
    second.connect();
    assert.equal((await second.events.next('disconnected')).code, 3500);
  });

  test('a backend in Python says who somebody is, and what they may', async (t) => {
    const stranger = withCookie(t, '');
    stranger.connect();
    assert.equal((await stranger.events.next('disconnected')).code, 4501);
    const ada = withCookie(t, 'session=ada');
    ada.connect();
    await ada.events.next('connected');
    for (const [channel, code] of [['user:ada', 0], ['user:bob', 403]]) {
      const s = sdk.subscription(ada, channel);
      s.subscribe();
      if (code) assert.equal((await s.events.next('unsubscribed')).code, code);
      else await s.events.next('subscribed');
    }
    const s = await sdk.subscribe(ada, 'moderated:1');
    await ada.publish('moderated:1', { text: 'hello' });
    assert.deepEqual((await s.events.next('publication')).data, { text: 'HELLO' });
    await sdk.refused(ada.publish('moderated:1', { text: 'damn' }), 400);
    assert.equal((await ada.rpc('sum', [1, 2, 3])).data, 6);
    await sdk.refused(ada.rpc('other', {}), 404);
    await ada.send({ text: 'from a browser' });
    await ada.rpc('sum', [1]); // answered after what was sent before
    for (let i = 0; i < 100 && !(await backend.heard()).length; i++) await sdk.sleep(50);
    assert.deepEqual(await backend.heard(), [{ text: 'from a browser' }]);
  });

  test('a backend that is gone costs its own answers, and nothing else', async (t) => {
    const ada = await user(t, 'ada');
    const s = await sdk.subscribe(ada, 'chat:calm');
    assert.equal((await ada.rpc('sum', [1, 2])).data, 3);
    await backend.kill();
    for (let i = 0; i < 6; i++) await sdk.refused(ada.rpc('sum', [1]), 100, true);
    await sdk.refused(ada.publish('moderated:1', { text: 'x' }), 100, true);
    const began = Date.now();
    await sdk.refused(ada.rpc('sum', [1]), 100, true);
    assert.ok(Date.now() - began < 1500, 'the breaker is open: nobody waits for the dead');
    await s.publish('still here');
    assert.deepEqual(await s.events.data(1), ['still here']);
    await user(t, 'new'); // tokens need no backend
    backend = await startBackend(backend.port);
    for (const end = Date.now() + patience; ; await sdk.sleep(200)) {
      try {
        assert.equal((await ada.rpc('sum', [2, 2])).data, 4);
        break;
      } catch (error) {
        if (Date.now() > end) throw error;
      }
    }
    assert.match(server.output(), /breaker/);
  });
});
