import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import * as kit from './harness.mjs';

const lobby = 'chat:lobby';
const limit = { timeout: 120_000 };

let binary, browser;
before(async (t) => {
  binary = await kit.goBuild('.', './cmd/surewire');
  browser = await kit.startBrowser(t);
});

/** Publishes texts from m<from> to m<to>, one after the other. */
async function publish(server, from, to) {
  for (let i = from; i <= to; i++) await server.publish(lobby, { name: 'bot', text: `m${i}` });
}

/** What a chat shows that has every message from m<from> to m<to> once, in order. */
function messages(from, to) {
  return Array.from({ length: to - from + 1 }, (_, i) => ({ offset: from + i, text: `m${from + i}` }));
}

test('two tabs chat, and see the same in the same order', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const [ada, bob] = await Promise.all([kit.openTab(t, browser, server.url), kit.openTab(t, browser, server.url)]);
  await Promise.all([kit.ready(ada), kit.ready(bob)]);
  await kit.say(ada, 'hello');
  await kit.shows(bob, 'hello');
  await kit.say(bob, 'hello yourself');
  await kit.shows(ada, 'hello yourself');
  await Promise.all([kit.say(ada, 'at once, ada'), kit.say(bob, 'at once, bob')]);
  for (const page of [ada, bob]) await Promise.all([kit.shows(page, 'at once, ada'), kit.shows(page, 'at once, bob')]);
  const seen = await kit.chat(ada);
  assert.deepEqual(await kit.chat(bob), seen);
  assert.deepEqual(seen.map((m) => m.offset), [1, 2, 3, 4]);
  assert.deepEqual(seen.slice(0, 2).map((m) => m.text), ['hello', 'hello yourself']);
  assert.equal(await ada.locator('.message.mine').count(), 2, "ada's own messages");
  assert.deepEqual([...ada.faults, ...bob.faults], []);
});

test('what is typed before the last message is confirmed is sent too', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  await page.evaluate(() => {
    const text = document.querySelector('#text');
    for (const word of ['one', 'two', 'three']) {
      text.value = word;
      text.form.requestSubmit();
    }
  });
  await kit.shows(page, 'three');
  assert.deepEqual((await kit.chat(page)).map((m) => m.text), ['one', 'two', 'three']);
  assert.deepEqual(page.faults, []);
});

test('markup in a message is text', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  const text = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
  await kit.say(page, text);
  await kit.shows(page, text);
  await server.publish(lobby, ['no', 'object']);
  await kit.shows(page, '["no","object"]');
  assert.equal(await page.title(), 'Surewire');
  assert.equal(await page.locator('#messages img, #messages script').count(), 0);
  assert.deepEqual(page.faults, []);
});

test('a reload in mid-stream loses nothing and doubles nothing', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  let sent = 400; // more than a reply holds: the rest of the recovery comes as pushes
  await publish(server, 1, sent);
  const page = await kit.openTab(t, browser, server.url);
  for (let reload = 0; reload < 3; reload++) {
    let ready = false;
    const reloading = page.reload().then(() => kit.ready(page)).then(() => (ready = true));
    const before = sent;
    while (!ready && sent < before + 180) await publish(server, ++sent, sent);
    await reloading;
    assert.ok(sent > before + 5, `only ${sent - before} messages were published during the reload`);
    await publish(server, ++sent, sent);
    await kit.shows(page, `m${sent}`);
    assert.deepEqual(await kit.chat(page), messages(1, sent));
  }
  assert.deepEqual(page.faults, []);
});

test('a long list keeps its end in view, until one scrolls up', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const say = (i) => server.publish(lobby, { name: 'bot', text: `${'word '.repeat(i % 40)}m${i}` });
  let n = 0;
  while (n < 400) await say(++n);
  const atEnd = () => {
    const log = document.querySelector('#log');
    return log.scrollHeight - log.scrollTop - log.clientHeight < 2 && document.querySelector('#newer').hidden;
  };
  const has = (page, n) => kit.until(page, (want) => document.querySelectorAll('.message').length === want, n);
  for (const viewport of [{ width: 1280, height: 800 }, { width: 390, height: 844 }]) {
    const page = await kit.openTab(t, browser, server.url, { viewport });
    await has(page, n);
    await kit.until(page, atEnd);
    for (let i = 0; i < 20; i++) await say(++n);
    await has(page, n);
    await kit.until(page, atEnd);
    await page.setViewportSize({ width: viewport.width - 60, height: viewport.height });
    await kit.until(page, atEnd);
    await page.locator('#log').evaluate((log) => (log.scrollTop = 500));
    await kit.until(page, () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true)))));
    for (let i = 0; i < 3; i++) await say(++n);
    await page.getByRole('button', { name: '3 new messages' }).click();
    await kit.until(page, atEnd);
    assert.deepEqual(page.faults, []);
  }
});

test('a reload keeps the name', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await page.getByLabel('Name').fill('Grace');
  await page.reload();
  assert.equal(await page.getByLabel('Name').inputValue(), 'Grace');
});

test('what is no longer kept is said to be missing', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  await publish(server, 1, 1200);
  const page = await kit.openTab(t, browser, server.url);
  await kit.shows(page, 'm1200');
  const [notice, ...rest] = await kit.chat(page);
  assert.equal(notice.notice, 'lost');
  const first = rest[0].offset;
  assert.equal(notice.text, `Messages 1 to ${first - 1} are no longer kept: they cannot be shown.`);
  assert.ok(first <= 300, `only messages from ${first} are shown, though 1,000 are kept`);
  assert.deepEqual(rest, messages(first, 1200));
  assert.deepEqual(page.faults, []);
});

test('a dropped connection resumes with what it missed, once and in order', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const proxy = await kit.startProxy(t, server.port);
  const page = await kit.openTab(t, browser, proxy.url);
  await kit.ready(page);
  await publish(server, 1, 3);
  await kit.shows(page, 'm3');
  let sent = 3;
  for (const [missed, words] of [[7, 'resumed: 7 missed messages recovered'], [350, 'resumed: at least 300 missed messages recovered']]) {
    proxy.cut();
    await kit.connection(page, 'connecting');
    await publish(server, sent + 1, sent + missed);
    sent += missed;
    assert.equal((await kit.chat(page)).length, sent - missed, 'a message came through a cut connection');
    proxy.heal();
    await kit.connection(page, 'connected');
    await kit.shows(page, `m${sent}`);
    assert.equal(await kit.last(page, lobby), words);
    assert.deepEqual(await kit.chat(page), messages(1, sent));
  }
  await publish(server, sent + 1, sent + 1);
  await kit.shows(page, `m${sent + 1}`);
  assert.deepEqual(await kit.chat(page), messages(1, sent + 1));
  assert.deepEqual(kit.ownFaults(page), []);
});

test('the button drops the connection, which comes back by itself', limit, async (t) => {
  const server = await kit.startServer(t, binary);
  const page = await kit.openTab(t, browser, server.url);
  await kit.ready(page);
  await kit.say(page, 'm1');
  await kit.shows(page, 'm1');
  await page.getByRole('button', { name: 'Drop my connection' }).click();
  await kit.connection(page, 'connecting');
  await publish(server, 2, 3);
  await kit.connection(page, 'connected');
  await kit.shows(page, 'm3');
  assert.equal(await kit.last(page, lobby), 'resumed: 2 missed messages recovered');
  assert.deepEqual(await kit.chat(page), messages(1, 3));
  assert.deepEqual(page.faults, []);
});

test('a restarted server begins the log anew, and the page says so and goes on', limit, async (t) => {
  const first = await kit.startServer(t, binary);
  const proxy = await kit.startProxy(t, first.port);
  const page = await kit.openTab(t, browser, proxy.url);
  await kit.ready(page);
  await publish(first, 1, 5);
  await kit.shows(page, 'm5');
  await first.kill();
  await kit.connection(page, 'connecting');
  const second = await kit.startServer(t, binary);
  await publish(second, 1, 2);
  proxy.target = second.port;
  await kit.connection(page, 'connected');
  await kit.until(page, () => document.querySelectorAll('#messages > li').length === 8);
  assert.equal(await kit.last(page, lobby), 'the log began anew');
  await kit.say(page, 'm3');
  await kit.shows(page, 'm3');
  await kit.until(page, () => document.querySelectorAll('#messages > li').length === 9);
  const seen = await kit.chat(page);
  assert.deepEqual(seen.slice(0, 5), messages(1, 5));
  assert.equal(seen[5].notice, 'anew');
  assert.deepEqual(seen.slice(6), messages(1, 3));
  assert.deepEqual(kit.ownFaults(page), []);
});
