import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as kit from './harness.mjs';

const limit = { timeout: 120_000 };

let binary, browser;
before(async (t) => {
  binary = await kit.goBuild('.', './cmd/surewire');
  browser = await kit.startBrowser(t);
});

// What must arrive, and where it was repaired. The siblings of what is hostile
// are all here: one that is lost or changed fails.
const values = {
  'enum': [{ user: 'ada', state: 'connected', tabs: 2 }],
  'enum-key': [{ by_state: { connected: 7, draining: 1 }, room: 'lobby', total: 8 }],
  'nan': [{ count: 0, max: null, mean: null, sensor: 't-17' }, '/max non-finite', '/mean non-finite'],
  'cycle': [{ online: true, peers: { name: 'ada', next: { name: 'bob', next: null } } }, '/peers/next/next cycle'],
  'channel': [{ cancel: null, done: null, job: 'import', rows: 1250 }, '/cancel unsupported', '/done unsupported'],
  'error': [{ error: 'upstream closed the stream', step: 'fetch', tries: 3 }],
  'panic': [{ before: 'fine', payload: null, zafter: [1, 2, 3] }, '/payload method-panic'],
  'big-integer': [{ lines: 4, next: '9223372036854775809', order: '9223372036854775808' }, '/next big-integer', '/order big-integer'],
};

/** Clicks a value's button and returns what its card then shows. */
async function publish(page, name) {
  const card = page.locator(`[data-value="${name}"]`);
  await card.getByRole('button', { name: 'Publish' }).click();
  await card.and(page.locator('[data-arrived="true"][data-receipt="true"]')).waitFor();
  return shown(card);
}

function shown(card) {
  return card.evaluate((element) => {
    const pre = element.querySelector('.json').cloneNode(true);
    const marked = [...pre.querySelectorAll('mark')].map((m) => m.dataset.pointer);
    pre.querySelectorAll('sup').forEach((s) => s.remove());
    return {
      json: pre.textContent,
      marked,
      repairs: [...element.querySelectorAll('.repair')].map((li) => `${li.querySelector('.pointer').textContent} ${li.querySelector('.reason').textContent}`),
      clean: element.querySelector('.clean') !== null,
      offset: Number(element.dataset.offset),
    };
  });
}

/** Returns the data of every publication in the frames that a page has received. */
function published(page) {
  const lines = page.frames.flatMap((f) => f.split('\n')).filter(Boolean).map((line) => JSON.parse(line));
  return lines.flatMap((reply) => (reply.push?.channel === 'hostile' ? [reply.push.pub] : []));
}

test('each hostile value arrives: named, with its siblings, and with its repairs listed', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  const other = await kit.openTab(t, browser, server.url);
  await Promise.all([kit.ready(page), kit.ready(other)]);
  let offset = 0;
  for (const [name, [want, ...repairs]] of Object.entries(values)) {
    const got = await publish(page, name);
    const data = JSON.parse(got.json);
    assert.deepEqual(data, want, name);
    assert.equal(got.offset, ++offset, name);
    assert.deepEqual(got.repairs, repairs, name);
    assert.deepEqual(got.marked, got.repairs.map((r) => r.split(' ')[0]), `${name}: the places that are marked`);
    assert.equal(got.clean, repairs.length === 0, name);
    assert.deepEqual(published(page).at(-1).data, data, `${name}: the page shows what arrived`);
    const there = other.locator(`[data-value="${name}"][data-arrived="true"]`);
    await there.waitFor();
    assert.deepEqual(JSON.parse((await shown(there)).json), data, `${name} in the other tab`);
  }
  assert.deepEqual([...page.faults, ...other.faults], []);
});

test('everything at once arrives as one value', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  const got = await publish(page, 'everything');
  assert.deepEqual(JSON.parse(got.json), {
    user: 'ada', state: 'connected', rooms: { connecting: 2 }, load: [0.5, null, null, 0.25], ring: { name: 'ada', next: null }, done: null, retry: null,
    err: 'no route to model', payload: null, id: '9223372036854775808', since: '2026-01-02T03:04:05Z', note: 'still here',
  });
  assert.deepEqual(got.repairs, [
    '/load/1 non-finite', '/load/2 non-finite', '/ring/next cycle', '/done unsupported', '/retry unsupported', '/payload method-panic', '/id big-integer',
  ]);
  assert.deepEqual(page.faults, []);
});

test('the page says what encoding/json does', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  for (const [name, text] of [
    ['enum', '{"user":"ada","state":1,"tabs":2}'], ['nan', 'error: json: unsupported value: +Inf'], ['panic', 'panic: the marshaler blew up'],
    ['error', '{"error":{},"step":"fetch","tries":3}'],
  ]) {
    assert.equal(await page.locator(`[data-value="${name}"] .stdlib code`).textContent(), text);
  }
  assert.match(await page.locator('[data-value="nan"] .go').textContent(), /math\.NaN\(\)/);
});

test('a hostile value published while the connection is down arrives after it', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const proxy = await kit.startProxy(t, server.port);
  const page = await kit.openTab(t, browser, proxy.url);
  await kit.ready(page);
  proxy.cut();
  await fetch(new URL('/demo/hostile/big-integer', server.url), { method: 'POST' });
  proxy.heal();
  const card = page.locator('[data-value="big-integer"][data-arrived="true"]');
  await card.waitFor();
  assert.deepEqual(JSON.parse((await shown(card)).json), values['big-integer'][0]);
  assert.equal(await kit.last(page, 'hostile'), 'resumed: 1 missed message recovered');
  assert.deepEqual(kit.ownFaults(page), []);
});

test('the policy blocks what it should, and the tests would notice', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  assert.deepEqual(page.faults, []);
  const outcome = await page.evaluate(() => {
    const script = document.createElement('script');
    try {
      script.text = 'document.title = "broken"';
      document.head.append(script);
    } catch (error) {
      return error.name;
    }
    return document.title;
  });
  assert.equal(outcome, 'TypeError', 'trusted types refuse text as a script');
  await kit.until(page, () => document.title === 'Surewire');
  assert.ok(page.faults.some((f) => f.includes('policy: ')), 'the violation is noticed');
});

test('everything one can operate has a name', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  const unnamed = await page.evaluate(() => [...document.querySelectorAll('button:not([hidden]), input')]
    .filter((e) => !(e.textContent.trim() || e.getAttribute('aria-label') || e.labels?.length)).map((e) => e.outerHTML));
  assert.deepEqual(unnamed, []);
  const duplicates = await page.evaluate(() => {
    const ids = [...document.querySelectorAll('[id]')].map((e) => e.id);
    return ids.filter((id, i) => ids.indexOf(id) !== i);
  });
  assert.deepEqual(duplicates, []);
});
